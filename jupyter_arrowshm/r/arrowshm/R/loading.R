# Files as what a table is loaded from. The Python package reads them, once on a machine (docs/protocol.md, "Loading").

is_address <- function(name) is.character(name) && length(name) == 1L && grepl("/", name, fixed = TRUE)

loaded_directory <- function(directory) paste0(directory, "/.loaded")

is_absent <- function(value) is_fault(value) && value$kind == "absent"

# What `operation` gives for the store, or for that of the loaded tables where no shared one has the name. The store's own answer
# stands if neither has it.
in_either <- function(operation, absent = is_absent) {
  shared <- default_directory()
  found <- operation(shared)
  if (absent(found)) {
    loaded <- loaded_directory(shared)
    other <- operation(loaded)
    if (!absent(other)) return(list(directory = loaded, value = other))
  }
  list(directory = shared, value = found)
}

# Has Python load the files, unless that was done before; the name of their table among the loaded ones.
load_files <- function(address, columns, where, wait, place = NULL) {
  said <- ask_python(address, c(
    if (!is.null(place)) paste0("--from=", place), if (!is.null(columns)) paste0("--column=", columns), if (!is.null(where)) paste0("--where=", where),
    if (!is.null(wait)) paste0("--wait=", format(wait, scientific = FALSE)), "--", address
  ))
  check_name(said[length(said)])
}

# The lines that the loader of the Python package prints. `what` is what an error speaks of, and `failed` signals one, of that and of
# a text, or NULL if Python was killed. `input` is the path of Python's standard input.
ask_python <- function(what, arguments, input = "", failed = load_failed) {
  arguments <- c("-m", "jupyter_arrowshm.cli.loader", "--speaker=r", arguments)
  python <- find_python()
  complaint <- tempfile()
  on.exit(unlink(complaint))
  environment <- paste0(c(VARIABLE, LIBRARIES), "=", shQuote(c(default_directory(), users_libraries())))
  said <- suppressWarnings(system2(python, shQuote(arguments), stdout = TRUE, stderr = complaint, stdin = input, env = environment))
  if (is.null(attr(said, "status"))) return(as_utf8(said))
  reason <- trimws(paste(readLines(complaint, warn = FALSE), collapse = "\n"))
  if (grepl("No module named", reason, fixed = TRUE)) stop_no_python()
  # By a signal: out of memory, as a rule. The next one who asks loads it again.
  if (attr(said, "status") > 128) failed(what, NULL)
  stop_as_told(as_utf8(reason), what, failed)
}

load_failed <- function(what, reason) {
  if (is.null(reason)) reason <- sprintf("%s cannot be loaded: the Python that reads it was killed. Try again.", what)
  stop_load_failed(what, reason)
}

# The error of the Python package as this package's own. `said` is all that Python printed.
stop_as_told <- function(said, what, failed) {
  line <- utils::tail(grep("^[A-Z][A-Za-z]+\t", strsplit(said, "\n")[[1]], value = TRUE), 1)
  if (!length(line)) failed(what, said)
  words <- strsplit(line, "\t", fixed = TRUE)[[1]]
  told <- sub("^[a-z_]+=", "", words[-(1:2)])
  names(told) <- sub("=.*", "", words[-(1:2)])
  field <- function(key) if (key %in% names(told)) told[[key]]
  text <- words[2]
  switch(words[1],
    TableExists = raise(
      "TableExists", text, name = field("name"), publisher = field("publisher"), alive = identical(field("alive"), "1"),
      published_at = if (!is.null(field("published_at"))) as.POSIXct(as.numeric(field("published_at")), origin = "1970-01-01")
    ),
    TableNotFound = raise("TableNotFound", text, name = field("name"), near = unlist(strsplit(c(field("near"), ""), " ")), place = field("place")),
    PlaceNotFound = raise("PlaceNotFound", text, name = field("name")),
    PlaceFailed = raise("PlaceFailed", text, place = field("place"), reason = field("reason"), remedy = c(field("fix"), "")[1]),
    NoRoom = raise(
      "NoRoom", text, needed = as.numeric(field("needed")), free = as.numeric(field("free")), directory = field("directory"),
      unused = numeric()
    )
  )
  failed(what, text)
}

# The Python beside the command `jupyter-arrowshm` on PATH, else `python3`.
find_python <- function() {
  command <- Sys.which("jupyter-arrowshm")
  # In a user's own bin it has no Python beside it; pipx has a link there, to where both are.
  beside <- if (nzchar(command)) file.path(dirname(c(command, normalizePath(command))), "python3")
  found <- Filter(file.exists, c(beside, Sys.which("python3")))
  if (!length(found)) stop_no_python()
  unname(found[1])
}

LIBRARIES <- "LD_LIBRARY_PATH"

# The user's own LD_LIBRARY_PATH. R's start script puts R's libraries before it, and with these another Python than the system's
# may not find its own: "undefined symbol".
users_libraries <- function() {
  script <- file.path(R.home("etc"), "ldpaths")
  now <- Sys.getenv(LIBRARIES)
  if (!file.exists(script)) return(now)
  code <- sprintf("unset %s; . %s; printf %%s \"$%s\"", LIBRARIES, shQuote(script), LIBRARIES)
  added <- paste(system2("/bin/sh", c("-c", shQuote(code)), stdout = TRUE), collapse = "")
  if (nzchar(added) && startsWith(now, added)) sub("^:", "", substring(now, nchar(added) + 1)) else now
}
