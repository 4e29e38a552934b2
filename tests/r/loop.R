# Reads code from standard input, runs it in the global environment, and answers in JSON on the descriptor that ARROWSHM_REPLIES names.

library(arrowshm)

Session <- local({
  replies <- file(paste0("/proc/self/fd/", Sys.getenv("ARROWSHM_REPLIES")), "wb", raw = TRUE)
  input <- file("stdin", "rb", raw = TRUE)

  text <- function(x) {
    x <- enc2utf8(as.character(x))
    x <- gsub("([\"\\\\])", "\\\\\\1", x)
    for (code in c(1:31)) x <- gsub(intToUtf8(code), sprintf("\\u%04x", code), x, fixed = TRUE)
    paste0("\"", x, "\"")
  }

  scalar <- function(x) {
    if (is.na(x) && !is.nan(x)) return("null")
    if (is.logical(x)) return(if (x) "true" else "false")
    if (inherits(x, "integer64")) return(as.character(x))
    if (is.numeric(x) && !is.finite(x)) return(c("NaN", "Infinity", "-Infinity")[c(is.nan(x), x > 0, x < 0) %in% TRUE][1])
    if (is.numeric(x)) return(format(as.numeric(x), digits = 17))
    text(x)
  }

  # A vector of one value is that value, unless it is marked with I().
  json <- function(x) {
    if (is.null(x)) return("null")
    if (!is.null(names(x)) && is.list(x)) {
      parts <- mapply(function(name, part) paste0(text(name), ":", json(part)), names(x), x)
      return(paste0("{", paste(parts, collapse = ","), "}"))
    }
    if (is.list(x)) return(paste0("[", paste(vapply(x, json, ""), collapse = ","), "]"))
    if (length(x) == 1 && !inherits(x, "AsIs")) return(scalar(x))
    paste0("[", paste(vapply(seq_along(x), function(i) scalar(x[i]), ""), collapse = ","), "]")
  }

  reply <- function(x) {
    writeLines(enc2utf8(json(x)), replies, useBytes = TRUE)
    flush(replies)
  }

  OWN <- character()
  clear <- function() {
    rm(list = setdiff(ls(globalenv(), all.names = TRUE), OWN), envir = globalenv())
    invisible(gc(full = TRUE))
  }

  # The warnings that some code gives, and its value.
  warned <- function(code) {
    said <- character()
    value <- withCallingHandlers(code, warning = function(w) {
      said <<- c(said, conditionMessage(w))
      invokeRestart("muffleWarning")
    })
    list(value = value, warnings = I(said))
  }

  answer <- function(code) {
    tryCatch(
      list(value = eval(parse(text = code, encoding = "UTF-8"), globalenv())),
      error = function(e) list(error = class(e)[1], text = conditionMessage(e)),
      interrupt = function(e) list(error = "interrupt", text = "")
    )
  }

  # R's texts cannot hold a NUL: nobody can ask for a table of such a name.
  utf8 <- function(bytes) {
    if (any(bytes == 0)) arrowshm:::stop_invalid_name("", "it holds the invisible character U+0000")
    made <- rawToChar(as.raw(bytes))
    Encoding(made) <- "UTF-8"
    made
  }

  serve <- function() {
    while (length(line <- readLines(input, 1L))) {
      reply(answer(utf8(readBin(input, "raw", as.integer(line)))))
    }
  }
  environment()
})

Session$OWN <- ls(globalenv(), all.names = TRUE)
Session$reply(list(value = NULL))
Session$serve()
