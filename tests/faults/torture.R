# What torture.py is, in R: forks a process for each line that it reads, when everything was loaded. `--args` names torture.c, compiled.

dyn.load(commandArgs(TRUE)[1])
library(arrowshm)

Torture <- local({
  NAMES <- c("a", "b", "c")
  ACTIONS <- c("share", "share", "writer", "attach", "attach", "drop", "unshare", "pin", "unpin", "gc", "list")
  ROWS <- c(0, 1, 100, 10000, 100000)
  END <- -4711L

  report <- function(text) .C("torture_say", paste0(text, "\n"))
  one_line <- function(text) substr(gsub("[\t\n]", " ", paste(text, collapse = " ")), 1, 1500)

  rows_of <- function(version) ROWS[version %% 5 + 1] + version %% 7

  version_table <- function(version, rows = rows_of(version)) {
    made <- data.frame(rep(version, rows), rep(version, rows), rep(sprintf("%.0f", version), rows))
    names(made) <- c(sprintf("x%.0f", version), "y", "z")
    made
  }

  # The same in one to three batches.
  version_stream <- function(version) {
    parts <- 1 + version %% 3
    sizes <- rep(rows_of(version) %/% parts, parts)
    sizes[parts] <- rows_of(version) - sum(sizes[-parts])
    batches <- lapply(sizes, function(rows) nanoarrow::as_nanoarrow_array(version_table(version, rows)))
    nanoarrow::basic_array_stream(batches)
  }

  # The version that this table is; fails if it is not one whole version.
  check <- function(t) {
    version <- as.numeric(substring(names(t)[1], 2))
    if (nrow(t) != rows_of(version)) stop(torn("version %.0f: %.0f rows", version, nrow(t)))
    same <- all(as.numeric(t[[1]]) == version) && all(t[[2]] == version) && all(t[[3]] == sprintf("%.0f", version))
    if (!same) stop(torn("version %.0f has other cells", version))
    version
  }
  torn <- function(...) structure(class = c("torn", "error", "condition"), list(message = sprintf(...), call = NULL))

  held <- list()

  act <- function(action, name, version, replace) {
    switch(action,
      open = { # to all users of the machine
        directory <- structure(Sys.getenv("JUPYTER_ARROWSHM_DIR"), access = as.numeric(c(arrowshm:::effective_user(), strtoi("755", 8L), NA)))
        made <- arrowshm:::as_arrow(version_table(version), "data.frame")
        arrowshm:::share_in(directory, name, "data.frame", made, replace)
      },
      share = share_table(version_table(version), name, replace = replace),
      writer = share_table(version_stream(version), name, replace = TRUE),
      attach = {
        t <- attach_table(name)
        held[[length(held) + 1]] <<- t
        check(t)
      },
      drop = {
        held <<- list()
        gc()
      },
      unshare = unshare_table(name),
      pin = pin_table(name),
      unpin = unpin_table(name),
      gc = collect_tables(),
      shared_tables()
    )
  }

  # Everything that a process can do with a store, without end.
  work <- function() {
    repeat {
      tryCatch(
        act(sample(ACTIONS, 1), sample(NAMES, 1), floor(runif(1) * 2^40), runif(1) < 0.8),
        TableNotFound = identity, TableExists = identity
      )
      report("+")
    }
  }

  # Attach and check, and check again when the name has led elsewhere for a while.
  watch <- function() {
    repeat {
      tryCatch({
        t <- attach_table(sample(NAMES, 1))
        held[[length(held) + 1]] <<- list(check(t), t)
        report("=")
      }, TableNotFound = identity)
      if (length(held) > 5) {
        if (check(held[[1]][[2]]) != held[[1]][[1]]) stop(torn("a version became another"))
        held <<- held[-1]
      }
    }
  }

  # One action on the table `t`, intercepted.
  act_once <- function(action, version, filter, directory) {
    if (length(filter)) .C("torture_send", as.integer(Sys.getenv("ARROWSHM_LISTENERS")), install(filter, TRUE))
    result <- tryCatch({
      act(action, "t", version, TRUE)
      "ok"
    }, torn = stop, error = outcome)
    held <<- list()
    gc(full = FALSE) # a forked process copies what a full one marks
    .C("torture_close", END)
    report(paste(c(paste("?", result), open_files(directory)), collapse = "\t"))
  }

  outcome <- function(error) {
    if (inherits(error, "arrowshm_error")) class(error)[1] else one_line(paste0(class(error)[1], ": ", conditionMessage(error)))
  }

  install <- function(filter, listen) .C("torture_install", filter, length(filter), as.integer(listen))[[3]]

  # What this process has open in a store, but for the directory itself and the process's token.
  open_files <- function(directory) {
    paths <- Sys.readlink(list.files("/proc/self/fd", full.names = TRUE))
    paths <- paths[!is.na(paths)] # what lists them is one of them
    paths[startsWith(paths, paste0(directory, "/")) & !startsWith(paths, paste0(directory, "/.live/"))]
  }

  from_hex <- function(text) {
    if (text == "-") return(raw())
    as.raw(strtoi(substring(text, seq(1, nchar(text), 2), seq(2, nchar(text), 2)), 16L))
  }

  # What a line asks for, in a process of its own.
  serve <- function(line) {
    words <- regmatches(line, regexec("^([^ ]+) ([^ ]+) ([^ ]+) (.*)$", line))[[1]][-1]
    tryCatch({
      Sys.setenv(JUPYTER_ARROWSHM_DIR = words[4])
      filter <- from_hex(words[3])
      set.seed(as.numeric(words[2]))
      if (startsWith(words[1], "do:")) {
        act_once(substring(words[1], 4), as.numeric(words[2]), filter, words[4])
      } else {
        if (length(filter)) install(filter, FALSE)
        if (words[1] == "work") work() else watch()
      }
    }, error = function(error) report(paste0("!", words[1], " ", words[2], ": ", one_line(conditionMessage(error)))))
    .C("torture_exit", 0L)
  }

  main <- function() {
    .C("torture_begin")
    for (package in c("nanoarrow", "bit64", "utils")) requireNamespace(package, quietly = TRUE)
    lines <- file("stdin", "rb", raw = TRUE)
    report("ready")
    while (length(line <- readLines(lines, 1L))) {
      pid <- .C("torture_fork", 0L)[[1]]
      if (pid == 0) serve(line)
      report(paste("pid", pid))
    }
  }
  environment()
})

Torture$main()
