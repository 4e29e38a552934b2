# Lists the files, attaches each, reads all that is in it, and shares that again. What it signals is counted: whatever is not one
# of our own errors has a "!". Every length, offset and index is checked before it is used, whoever wrote the file.

Fuzz <- local({
  SOME <- 16 # rows that are read, at each end: a garbled column of nulls may say that it has 2^31

  some <- function(n) unique(c(seq_len(min(n, SOME)), n + 1 - seq_len(min(n, SOME))))

  deep <- function(x) {
    if (is.data.frame(x)) for (column in x) deep(column)
    else if (is.list(x)) for (i in some(length(x))) deep(x[[i]])
    else for (i in some(length(x))) unclass(x)[i]
  }

  # A text that is not UTF-8 is R's own error; a garbled list may hold elements of more types than one column can have.
  outcome <- function(counts, name, what, code) {
    text <- tryCatch({
      suppressWarnings(code)
      paste0(what, ": fine")
    }, error = function(e) {
      if (inherits(e, "arrowshm_error")) paste0(what, ": ", class(e)[1])
      else sprintf("! %s, %s: %s", name, what, substr(paste(conditionMessage(e), collapse = " "), 1, 200))
    })
    counts[[text]] <- if (is.null(counts[[text]])) 1 else counts[[text]] + 1
    counts
  }

  # The arrays lie in the file, and who has them checks nothing, so the file is checked.
  exported <- function(name) {
    stream <- attach_table(name, validate = TRUE, as = "nanoarrow")
    on.exit(stream$release())
    share_table(stream, "again", replace = TRUE)
  }

  read_all <- function(names, progress) {
    counts <- list()
    writeLines(sprintf("all of %s to %s", names[1], names[length(names)]), progress, sep = "")
    counts <- outcome(counts, "all", "list", utils::capture.output(print(shared_tables())))
    for (name in names) {
      writeLines(name, progress, sep = "")
      table <- NULL
      counts <- outcome(counts, name, "stream", exported(name))
      counts <- outcome(counts, name, "attach", table <- attach_table(name))
      if (is.null(table)) next
      for (column in table) counts <- outcome(counts, name, "read", deep(column))
      if (nrow(table) < 100) counts <- outcome(counts, name, "share", share_table(table, "again", replace = TRUE))
    }
    rm(table)
    gc(full = TRUE)
    counts
  }
  environment()
})
