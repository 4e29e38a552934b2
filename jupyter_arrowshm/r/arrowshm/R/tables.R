#'

check_name <- function(name) {
  if (!is.character(name) || length(name) != 1L) stop("a table's name is one text", call. = FALSE)
  reason <- .Call(C_check_name, name)
  if (!is.null(reason)) stop_invalid_name(name, reason)
  enc2utf8(name)
}

stop_no_filter <- function() stop("where is for files and clusters: filter a shared table once it is attached", call. = FALSE)

KINDS <- c("data.frame", "nanoarrow", "arrow")

attach_table <- function(name, columns = NULL, wait = 0, validate = FALSE, where = NULL, from = NULL, as = "data.frame") {
  as <- match.arg(as, KINDS)
  if (as == "arrow" && !requireNamespace(as, quietly = TRUE)) {
    stop("the R package arrow is not here: install.packages(\"arrow\"), or choose as = \"nanoarrow\"", call. = FALSE)
  }
  if (!is.null(from)) return(attach_from(from, check_name(name), columns, where, wait, isTRUE(validate), as))
  if (is_address(name)) {
    if (!is.null(columns) && !is.character(columns)) stop("columns of a file are chosen by their names", call. = FALSE)
    name <- load_files(enc2utf8(name), columns, where, if (!missing(wait)) wait)
  } else if (!is.null(where)) {
    stop_no_filter()
  }
  name <- check_name(name)
  attach <- function(directory) .Call(C_attach, directory, name, isTRUE(validate), character())
  directory <- NULL
  opened <- until(wait, function() {
    found <- in_either(attach)
    directory <<- found$directory
    found$value
  })
  as_kind(as, checked(opened, directory, name), directory, name, columns)
}

# Ask again and again while there is no such table, for so many seconds.
until <- function(wait, open) {
  deadline <- Sys.time() + wait
  repeat {
    opened <- open()
    if (!is_fault(opened) || opened$kind != "absent" || Sys.time() >= deadline) return(opened)
    Sys.sleep(0.005)
  }
}

# What is attached as what was asked for.
as_kind <- function(as, opened, directory, name, columns) {
  which <- seq_along(opened$types)
  if (!is.null(columns)) {
    which <- if (is.character(columns)) match(columns, names(opened$types)) else match(columns, which)
    if (anyNA(which)) {
      stop(sprintf("table %s has no column %s", quoted(name), quoted(as.character(columns[is.na(which)][1]))), call. = FALSE)
    }
  }
  if (as != "data.frame") return(as_stream(as, opened, which))
  if (opened$rows > .Machine$integer.max) {
    stop_damaged(directory, name, sprintf("it has %s rows, and a data.frame holds 2147483647", words_number(opened$rows)))
  }
  made <- tryCatch(
    .Call(C_columns, opened$handle, which, has_bit64()),
    DamagedColumn = function(error) stop_damaged(directory, name, error$reason)
  )
  names(made) <- names(opened$types)[which]
  attr(made, "row.names") <- .set_row_names(opened$rows)
  class(made) <- "data.frame"
  made
}

# The table's own batches, where they lie: whoever reads the stream has the table in use for as long as any part of it.
as_stream <- function(as, opened, which) {
  stream <- nanoarrow::nanoarrow_allocate_array_stream()
  found <- .Call(C_stream, opened$handle, which, stream)
  if (is_fault(found)) {
    stop_beyond_arrow(sprintf("the dictionary of column %s is in several parts", quoted(found$text)))
  }
  if (as == "arrow") return(getExportedValue(as, "as_arrow_table")(stream)) # not in Suggests: few machines that check have it
  attr(stream, "attachment") <- opened$number
  stream
}

has_bit64 <- function() requireNamespace("bit64", quietly = TRUE)

share_table <- function(data, name, replace = FALSE, pin = FALSE, to = NULL) {
  if (missing(name)) {
    name <- deparse(substitute(data), nlines = 1L)
    if (!is.name(substitute(data))) stop("give the table a name: share_table(data, \"name\")", call. = FALSE)
  }
  name <- check_name(name)
  kind <- kind_of(data)
  if (!is.null(to)) {
    check_place(to)
    if (isTRUE(pin)) stop("pin is for tables of this machine: nothing is removed from a place automatically", call. = FALSE)
    return(invisible(share_to(to, name, kind, as_arrow(data, kind), isTRUE(replace))))
  }
  directory <- default_directory()
  invisible(share_in(directory, name, kind, as_arrow(data, kind), isTRUE(replace), isTRUE(pin)))
}

# Shares in a directory of tables what R/writing.R has made of one.
share_in <- function(directory, name, kind, made, replace, pin = FALSE) {
  shared <- publish(directory, name, kind, made, replace, pin)
  who <- myself()
  who$alive <- TRUE
  structure(class = "arrowshm_table_info", list(
    name = name, num_rows = shared[1], num_columns = as.integer(shared[2]), nbytes = shared[3], published_at = Sys.time(),
    publisher = who, holders = list(who), pinned = pin, path = table_path(directory, name), countable = TRUE, source = kind,
    older = list()
  ))
}

# Writes the file into the directory; gives its rows, columns and bytes. With `elsewhere` the file gets no name,
# and its descriptor is the fourth.
publish <- function(directory, name, kind, made, replace = FALSE, pin = FALSE, elsewhere = FALSE) {
  needed <- 0
  if (is.list(made)) {
    needed <- checked(.Call(C_measure, made), directory, name, kind = kind) + 65536
    if (needed > room_left(directory)) stop_no_room(directory, needed)
  }
  who <- myself()
  facts <- c(
    language = "R", kernel = who$kernel_id, notebook = who$notebook, script = who$script, program = program(),
    source = kind, version = session$version, library = paste("nanoarrow", session$nanoarrow)
  )
  names(facts) <- paste0("arrowshm.", names(facts))
  room <- if (is.list(made)) Inf else room_left(directory) # what a stream needs is known when it has been read
  shared <- .Call(C_share, directory, name, replace, pin, facts, made, room, elsewhere)
  checked(shared, directory, name, needed, kind)
}

changed <- function(name, change) {
  done <- in_either(change)
  checked(done$value, done$directory, name)
}

unshare_table <- function(..., from = NULL) {
  if (!is.null(from)) check_place(from)
  for (name in c(...)) {
    name <- check_name(name)
    if (is.null(from)) changed(name, function(directory) .Call(C_unshare, directory, name)) else unshare_from(from, name)
  }
  invisible()
}

pin_table <- function(name) {
  name <- check_name(name)
  changed(name, function(directory) .Call(C_pin, directory, name, TRUE))
  invisible()
}

unpin_table <- function(name) {
  name <- check_name(name)
  changed(name, function(directory) .Call(C_pin, directory, name, FALSE))
  invisible()
}

collect_tables <- function() {
  removed <- numeric()
  for (directory in c(shared <- default_directory(), loaded_directory(shared))) {
    for (name in table_names(directory, tidy = TRUE)) {
      nbytes <- checked(.Call(C_collect, directory, name), directory, name)
      if (!is.null(nbytes)) removed[name] <- nbytes
    }
  }
  removed
}

table_info <- function(name) {
  name <- check_name(name)
  found <- in_either(function(directory) look(directory, name), absent = function(value) !length(value))
  if (!length(found$value)) stop_not_found(found$directory, name)
  found$value[[1]]
}

all_tables <- function(directory = default_directory()) look(directory, table_names(directory, tidy = TRUE))

shared_tables <- function(from = NULL) {
  if (!is.null(from)) return(list_from(from))
  found <- all_tables()
  column <- function(f, kind) vapply(found, f, kind)
  listing(
    name = column(function(table) table$name, ""), rows = column(function(table) table$num_rows, 0),
    columns = column(function(table) table$num_columns, 0L), nbytes = column(function(table) table$nbytes, 0),
    in_use_by = column(in_use_by, ""), older_versions = column(function(table) length(table$older), 0L),
    pinned = column(function(table) table$pinned, TRUE), published_by = column(function(table) label(table$publisher), "")
  )
}

listing <- function(...) {
  made <- data.frame(..., stringsAsFactors = FALSE)
  class(made) <- c("arrowshm_tables", "data.frame")
  made
}

in_use_by <- function(table) {
  if (!table$countable && length(table$holders)) return("in use")
  if (!length(table$holders)) return("nobody")
  paste(vapply(table$holders, label, ""), collapse = ", ")
}

# Lets go of the variables that hold an attached table, and says if something else still has it.
detach_table <- function(table) {
  variable <- substitute(table)
  if (!is.name(variable)) stop("give the variable that holds the table: detach_table(flights)", call. = FALSE)
  variable <- as.character(variable)
  space <- parent.frame()
  if (!exists(variable, space, inherits = FALSE)) stop(sprintf("there is no variable %s here", variable), call. = FALSE)
  held <- get(variable, space)
  if (inherits(held, "nanoarrow_array_stream")) {
    numbers <- as.numeric(attr(held, "attachment"))
    nanoarrow::nanoarrow_pointer_release(held)
  } else {
    numbers <- Filter(Negate(is.na), unique(.Call(C_attachments, as.list(held))))
  }
  rm(held)
  rm(list = variable, envir = space)
  gc(full = TRUE)
  if (any(.Call(C_are_attached, numbers))) {
    warning("the table is still attached: another variable, or .Last.value, holds it or a column of it", call. = FALSE)
  }
  invisible()
}

in_place <- function(column) .Call(C_in_place, column)
