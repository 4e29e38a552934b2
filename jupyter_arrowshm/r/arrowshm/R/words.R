# Sizes, counts and times as people read them: "1.2 GB", "2 min ago". The words are those of jupyter_arrowshm/words.py.

words_size <- function(nbytes) {
  units <- c("bytes", "kB", "MB", "GB", "TB", "PB")
  unit <- 1
  while (abs(nbytes) >= 999.5 && unit < length(units)) {
    nbytes <- nbytes / 1000
    unit <- unit + 1
  }
  if (unit == 1) return(if (nbytes == 1) "1 byte" else sprintf("%.0f bytes", nbytes))
  sprintf(if (abs(nbytes) >= 99.95) "%.0f %s" else "%.1f %s", nbytes, units[unit])
}

# How long ago `since` (a POSIXct) was. A time in the future (a clock was set back) is "just now".
words_age <- function(since, now = Sys.time()) {
  seconds <- as.numeric(now) - as.numeric(since)
  unit <- if (seconds < 60) 1 else if (seconds < 3600) 60 else if (seconds < 86400) 3600 else 86400
  number <- floor(seconds / unit)
  if (number < 1) return("just now")
  name <- c("1" = "s", "60" = "min", "3600" = "h", "86400" = if (number > 1) "days" else "day")[[as.character(unit)]]
  sprintf("%.0f %s ago", number, name)
}

words_number <- function(number) formatC(number, big.mark = ",", format = "d")

words_count <- function(number, noun) paste0(words_number(number), " ", noun, if (number != 1) "s")

words_shape <- function(rows, columns) paste(words_count(rows, "row"), "x", words_count(columns, "column"))

# A name between quotes, as R writes it.
quoted <- function(text) encodeString(text, quote = "\"")

# Text of somebody else, made safe for a terminal, where control characters could do anything.
printable <- function(text) {
  text[!validUTF8(text)] <- iconv(text[!validUTF8(text)], "latin1", "UTF-8")
  gsub("[[:cntrl:]]", "?", text)
}
