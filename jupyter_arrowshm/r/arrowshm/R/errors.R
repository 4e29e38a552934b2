# Errors are for people: conditions with a class and fields, whose text says what happened and what to do.

raise <- function(class, message, ...) {
  stop(structure(class = c(class, "arrowshm_error", "error", "condition"), list(message = message, call = NULL, ...)))
}

#' @exportS3Method
conditionMessage.arrowshm_error <- function(c) c$message

stop_invalid_name <- function(name, reason) {
  shown <- if (nchar(name, "bytes") <= 60) name else paste0(substr(name, 1, 57), "...")
  raise("InvalidName", sprintf("%s cannot be a table's name: %s.", quoted(shown), reason), name = name, reason = reason)
}

stop_not_found <- function(directory, name) {
  note <- read_note(directory, name)
  near <- near_names(directory, name)
  hint <- if (!is.null(note)) {
    sprintf("It was removed %s: %s. Share it again.", words_age(note$removed_at), note$reason)
  } else if (length(near)) {
    sprintf("Did you mean %s?", paste(quoted(near), collapse = " or "))
  } else {
    "shared_tables() lists what is shared."
  }
  raise(
    "TableNotFound", sprintf("there is no shared table %s. %s", quoted(name), hint),
    name = name, near = near, removed_at = note$removed_at, reason = note$reason
  )
}

stop_not_found_in <- function(place, name) {
  hint <- sprintf("shared_tables(from = %s) lists what is shared.", quoted(place))
  text <- sprintf("there is no shared table %s from %s. %s", quoted(name), printable(place), hint)
  raise("TableNotFound", text, name = name, near = character(), place = place)
}

stop_place <- function(place, reason, remedy = "") {
  raise("PlaceFailed", sub(" $", "", sprintf("%s %s. %s", printable(place), reason, remedy)), place = place, reason = reason, remedy = remedy)
}

stop_exists <- function(directory, name) {
  entry <- .Call(C_describe, directory, name)
  publisher <- if (is.null(entry) || is_fault(entry)) holder(language = "another program") else publisher_of(directory, entry)
  since <- if (is.list(entry) && !is_fault(entry)) published_at(entry$facts)
  text <- sprintf(
    "%s was shared by %s%s%s. Pick another name, or take it over with replace = TRUE.", quoted(name), label(publisher),
    if (is.null(since)) "" else paste0(" ", words_age(since)), if (identical(publisher$alive, FALSE)) ", which has ended" else ""
  )
  raise("TableExists", text, name = name, publisher = label(publisher), alive = !identical(publisher$alive, FALSE), published_at = since)
}

stop_no_room <- function(directory, needed, at_least = FALSE) {
  free <- room_left(directory)
  unused <- tryCatch(unused_tables(directory), error = function(e) numeric())
  text <- sprintf("this table needs %s%s, but only %s is free in %s.", if (at_least) "at least " else "", words_size(needed), words_size(free), directory)
  if (length(unused)) {
    shown <- sprintf("%s (%s)", names(unused), vapply(unused, words_size, ""))
    more <- if (length(unused) > 5) sprintf(" and %d more", length(unused) - 5L) else ""
    text <- sprintf(
      "%s Nobody uses %s%s: unshare_table(%s) removes one, collect_tables() all.", text,
      paste(utils::head(shown, 5), collapse = ", "), more, quoted(names(unused)[1])
    )
  }
  text <- paste(
    text, "More room: docker run --shm-size, an emptyDir with medium Memory in Kubernetes, or $JUPYTER_ARROWSHM_DIR on a larger disk."
  )
  raise("NoRoom", text, needed = needed, free = free, directory = directory, unused = unused)
}

stop_unsafe <- function(directory, reason, remedy) {
  text <- sprintf("%s %s. %s%s.", directory, reason, toupper(substr(remedy, 1, 1)), substring(remedy, 2))
  raise("UnsafeDirectory", text, directory = directory, reason = reason, remedy = remedy)
}

stop_damaged <- function(directory, name, reason) {
  text <- sprintf("%s cannot be read: %s. Share it again, or remove it with unshare_table(%s).", quoted(name), reason, quoted(name))
  raise("DamagedTable", text, name = name, path = table_path(directory, name), reason = reason)
}

# Called from C where a value says that it lies outside of the file.
stop_damaged_column <- function(reason) {
  raise("DamagedColumn", sprintf("this column is damaged: %s. Share its table again.", reason), reason = reason)
}

# Called from C, too: what is in the table is whole, but R has nothing like it.
stop_beyond_r <- function(reason) {
  raise("UnsupportedTarget", sprintf("R cannot hold this column: %s. Choose others with attach_table(name, columns = ).", reason), reason = reason)
}

stop_beyond_arrow <- function(reason) {
  raise("UnsupportedTarget", sprintf("%s, and so nanoarrow cannot have it. Attach the table as a data.frame.", reason), reason = reason)
}

stop_newer <- function(name, protocol) {
  text <- sprintf(
    "%s was shared by a newer jupyter-arrowshm: it has protocol %s, and this one knows 1. To upgrade: %s, then %s.", quoted(name),
    protocol, "pip install --upgrade jupyter-arrowshm", "jupyter arrowshm r --install"
  )
  raise("NewerProtocol", text, name = name, protocol = protocol, supported = "1")
}

stop_load_failed <- function(origin, reason) {
  text <- if (nzchar(reason)) printable(reason) else sprintf("%s cannot be loaded.", origin)
  raise("LoadFailed", text, origin = origin)
}

stop_no_python <- function() {
  text <- paste(
    "files are read and written by the Python package jupyter-arrowshm, and no Python with it was found. Install it",
    "(pip install jupyter-arrowshm), and start R where the command `jupyter arrowshm` works."
  )
  raise("NoPython", text)
}

stop_busy <- function(what) {
  raise("Busy", sprintf("%s was busy for 10 s: another process, perhaps a stopped one, uses it. Try again.", what), what = what, waited = 10)
}

stop_unsupported <- function(kind, reason, remedy = "", column = NULL) {
  subject <- if (is.null(column) || !nzchar(column)) sprintf("this %s", kind) else sprintf("column %s of this %s", quoted(column), kind)
  text <- sub(" $", "", sprintf("%s cannot be shared: %s. %s", subject, reason, remedy))
  raise("UnsupportedSource", text, kind = kind, reason = reason, remedy = remedy, column = column)
}

# errno, by name: of flock(2) where a file system has no locks; of calls that are refused; of too many open files.
ERRNO <- list(no_locks = c(9L, 37L, 38L, 95L), refused = c(30L, 13L, 1L, 40L, 20L), open_files = c(24L, 23L))

stop_system <- function(directory, code, said) {
  mine <- "set $JUPYTER_ARROWSHM_DIR to a directory of yours"
  if (code %in% ERRNO$refused) stop_unsafe(directory, sprintf("cannot be used (%s)", said), mine)
  if (code %in% ERRNO$no_locks) {
    reason <- sprintf("is on a file system without locks (%s): its locks do not tell who uses a table", said)
    stop_unsafe(directory, reason, "set $JUPYTER_ARROWSHM_DIR to a directory in /dev/shm or on a disk of this machine")
  }
  remedy <- if (code %in% ERRNO$open_files) {
    "Raise the limit on open files (ulimit -n), or let go of attached tables."
  } else {
    "`dmesg` and the disk's health may tell more."
  }
  text <- sprintf("the directory of shared tables, %s, failed: %s. %s", directory, said, remedy)
  raise("StoreFailed", text, directory = directory, code = code)
}

is_fault <- function(value) inherits(value, "arrowshm_fault")

# What a call into C returned; a fault of it becomes the condition that people read.
checked <- function(value, directory, name = "", needed = 0, kind = "table") {
  if (!is_fault(value)) return(value)
  switch(value$kind,
    absent = stop_not_found(directory, name),
    exists = stop_exists(directory, name),
    room = if (needed || !nzchar(value$more)) stop_no_room(directory, needed) else stop_no_room(directory, as.numeric(value$more), TRUE),
    unsafe = stop_unsafe(directory, value$text, value$more),
    damaged = stop_damaged(directory, name, value$text),
    newer = stop_newer(name, value$text),
    busy = stop_busy(value$text),
    unsupported = stop_unsupported(kind, value$text, column = value$more),
    interrupted = interrupt(),
    stop_system(directory, value$code, value$text)
  )
}

# Ctrl-C, as R itself signals it: C has closed and unlocked everything by now.
interrupt <- function() {
  signalCondition(structure(class = c("interrupt", "condition"), list(message = "", call = NULL)))
  invokeRestart("abort")
}
