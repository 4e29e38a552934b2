# A process in words that people know: its notebook, its script, its language (docs/protocol.md, "Ownership").

VARIABLE <- "JUPYTER_ARROWSHM_DIR"
session <- new.env(parent = emptyenv())

holder <- function(pid = NULL, language = "", kernel_id = "", notebook = "", script = "", child = FALSE, alive = NULL) {
  list(pid = pid, language = language, kernel_id = kernel_id, notebook = notebook, script = script, child = child, alive = alive)
}

# `model.ipynb (R)`, `etl.R`, `R (pid 4711)`. A footer may say anything.
label <- function(who) printable(label_of(who))

label_of <- function(who) {
  if (nzchar(who$notebook) || nzchar(who$kernel_id)) {
    name <- if (nzchar(who$notebook)) who$notebook else paste("kernel", substr(who$kernel_id, 1, 8))
    text <- sprintf("%s (%s)", name, if (nzchar(who$language)) who$language else "unknown language")
    return(if (who$child) sprintf("%s, child process %d", text, who$pid) else text)
  }
  if (nzchar(who$script)) return(basename(who$script))
  if (is.null(who$pid)) return(if (nzchar(who$language)) who$language else "unknown process")
  sprintf("%s (pid %d)", if (nzchar(who$language)) who$language else "process", who$pid)
}

# The bytes of a file of /proc, which has no size; nothing if it cannot be read.
read_proc <- function(path) {
  tryCatch(
    suppressWarnings({
      file <- file(path, "rb", raw = TRUE)
      on.exit(close(file))
      parts <- list()
      while (length(part <- readBin(file, "raw", 65536L))) parts[[length(parts) + 1L]] <- part
      unlist(parts)
    }),
    error = function(e) NULL
  )
}

proc_text <- function(path) {
  bytes <- read_proc(path)
  if (is.null(bytes)) "" else rawToChar(bytes[bytes != 0])
}

split_zeros <- function(bytes) {
  ends <- which(bytes == 0)
  if (!length(bytes)) return(character())
  if (!length(ends) || ends[length(ends)] != length(bytes)) {
    bytes <- c(bytes, as.raw(0))
    ends <- c(ends, length(bytes))
  }
  starts <- c(1, ends[-length(ends)] + 1)
  words <- mapply(function(start, end) if (end > start) rawToChar(bytes[start:(end - 1)]) else "", starts, ends)
  as_utf8(as.character(words))
}

# What was matched byte by byte is marked as "bytes", with which R does nothing more.
as_utf8 <- function(text) {
  Encoding(text) <- "UTF-8"
  text
}

command_line <- function(pid) split_zeros(read_proc(sprintf("/proc/%d/cmdline", pid)))

# The id of the Jupyter kernel that was started by this command line, from its connection file; else empty.
kernel_of <- function(words) {
  found <- regmatches(words, regexpr("kernel-(v2-)?[^/\\\\]+\\.json$", words, useBytes = TRUE))
  found <- as_utf8(found)
  if (length(found)) sub("\\.json$", "", sub("^kernel-(v2-)?", "", found[1])) else ""
}

# IRkernel is what was started, also by a program whose connection file has no id.
is_kernel <- function(words) nzchar(kernel_of(words)) || any(grepl("IRkernel::main", words, fixed = TRUE))

# The script of Rscript, or of `R -f`; arguments after it.
script_of_r <- function(words) {
  after <- match("--args", words)
  rest <- if (is.na(after)) character() else words[-seq_len(after)]
  if (!is.na(after)) words <- words[seq_len(after - 1L)]
  file <- grep("^--file=", words, value = TRUE)
  path <- if (length(file)) substring(file[1], 8) else ""
  if (!nzchar(path) && any(words == "-f")) path <- c(words[which(words == "-f")[1] + 1L], "")[1]
  list(path = if (is.na(path) || path == "-") "" else path, arguments = rest)
}

absolute <- function(path, directory = getwd()) {
  path <- if (startsWith(path, "/")) path else file.path(directory, path)
  parts <- strsplit(path, "/", fixed = TRUE)[[1]]
  kept <- character()
  for (part in parts[!parts %in% c("", ".")]) kept <- if (part == "..") utils::head(kept, -1) else c(kept, part)
  paste0("/", paste(kept, collapse = "/"))
}

myself <- function() {
  words <- command_line(Sys.getpid())
  script <- script_of_r(words)$path
  if (is_kernel(words)) {
    notebook <- notebook_path()
    if (!nzchar(notebook)) notebook <- Sys.getenv("JPY_SESSION_NAME")
    return(holder(Sys.getpid(), "R", kernel_of(words), basename(notebook)))
  }
  holder(Sys.getpid(), "R", script = if (nzchar(script)) absolute(script, session$started_in) else "")
}

digest <- function(...) .Call(C_sha256, unlist(lapply(c(...), function(text) c(as.raw(0), charToRaw(enc2utf8(text)))))[-1])

# The program that this process runs; empty if nothing distinguishes it.
program <- function() {
  words <- command_line(Sys.getpid())
  if (is_kernel(words)) {
    notebook <- notebook_path()
    return(if (nzchar(notebook)) digest(notebook) else "")
  }
  script <- script_of_r(words)
  if (!nzchar(script$path)) return("")
  path <- absolute(script$path, session$started_in)
  if (basename(dirname(path)) == "bin") return("") # a launcher of many programs
  digest(path, session$started_in, script$arguments)
}

notebook_path <- function() {
  told <- given_to_parent()
  if (!nzchar(told)) told <- Sys.getenv("JPY_SESSION_NAME")
  # A console has a name, too, and many have the same one.
  if (nzchar(told) && file.exists(told) && !dir.exists(told)) absolute(told) else ""
}

# The notebook on the command line of the program that started this kernel, if it is one that runs notebooks.
given_to_parent <- function() {
  parent <- parent_of(Sys.getpid())
  words <- command_line(parent)
  names <- sub("^jupyter-", "", basename(utils::head(words, 3)))
  if (!any(names %in% c("nbconvert", "execute", "run", "papermill"))) return("")
  before <- c("", utils::head(words, -1))
  given <- words[endsWith(words, ".ipynb") & before != "--output" & !startsWith(words, "-")]
  if ("papermill" %in% names) given <- utils::head(given, 1) # the next one is where the result goes
  directory <- Sys.readlink(sprintf("/proc/%d/cwd", parent))
  if (length(given) == 1 && nzchar(directory)) absolute(given, directory) else ""
}

# From proc_pid_stat(5); 0 if the process is gone. The command in it may hold blanks and brackets.
parent_of <- function(pid) {
  words <- strsplit(as_utf8(sub("^.*\\) ", "", proc_text(sprintf("/proc/%d/stat", pid)), useBytes = TRUE)), " ", fixed = TRUE)[[1]]
  if (length(words) > 1) as.integer(words[2]) else 0L
}

# The facts about a live process: its kernel and notebook (a parent's, for a child process) or its script.
look_up <- function(pid) {
  words <- command_line(pid)
  if (!length(words)) return(holder(pid))
  program <- basename(words[1])
  known <- Filter(function(known) startsWith(program, known), c("python", "julia", "R"))
  language <- if (length(known)) known[[1]] else program
  candidate <- pid
  for (step in 1:64) {
    kernel <- kernel_of(if (candidate == pid) words else command_line(candidate))
    if (nzchar(kernel)) {
      environment <- split_zeros(read_proc(sprintf("/proc/%d/environ", candidate)))
      notebook <- substring(as_utf8(environment[startsWith(environment, "JPY_SESSION_NAME=")]), 18)
      return(holder(pid, language, kernel, basename(c(notebook, "")[1]), child = candidate != pid))
    }
    candidate <- parent_of(candidate)
    if (candidate <= 1) break
  }
  script <- if (language == "R") script_of_r(words)$path else script_of(words)
  holder(pid, language, script = script)
}

# The first word that is not an option of Python or Julia; `-m`, `-c` and `-e` name no file.
script_of <- function(words) {
  labels <- grep("^--arrowshm-label=", words, value = TRUE)
  if (length(labels)) return(sub("^--arrowshm-label=", "", labels[1]))
  skip <- FALSE
  for (word in words[-1]) {
    if (skip) {
      skip <- FALSE
    } else if (word %in% c("-c", "-m", "-e", "-E", "--eval")) {
      return("")
    } else if (word %in% c("-W", "-X", "-t", "-p", "-L", "-J", "-C", "-H", "--threads", "--procs")) {
      skip <- TRUE
    } else if (!startsWith(word, "-")) {
      return(word)
    }
  }
  ""
}
