# Other places than this machine's own tables. What another user shares is mapped as it is (docs/protocol.md, "Open stores"); the
# Python package fetches what is in a folder or bucket.

OPEN <- list(parent = "JUPYTER_ARROWSHM_OPEN_PARENT", places = "JUPYTER_ARROWSHM_OPEN_PLACES", named = "JUPYTER_ARROWSHM_PLACES")

# The tables of a place, as Python lists them: who uses a table in a folder is not known.
list_from <- function(place) {
  check_place(place)
  if (!is_for_python(place, configured_places())) open_directories(place) # a user, a group, or an error
  lines <- ask_python(place, paste0("--from=", enc2utf8(place)))
  # What is empty at the end of a line would be left out.
  words <- lapply(strsplit(paste0(lines, "\t."), "\t", fixed = TRUE), as_utf8)
  if (!length(lines)) words <- list()
  word <- function(i) vapply(words, `[`, "", i)
  number <- function(i) as.numeric(word(i))
  listing(
    name = word(1), rows = number(2), columns = as.integer(number(3)), nbytes = number(4), in_use_by = word(9),
    older_versions = as.integer(number(6)), pinned = number(5) == 1, published_by = word(8)
  )
}

check_place <- function(place) {
  if (!is.character(place) || length(place) != 1L || is.na(place)) stop("a place is one text", call. = FALSE)
}

is_for_python <- function(place, configured) {
  # No JSON is read here: a place that a file may speak of is left to Python, which reads it in full.
  is_address <- grepl("/", place, fixed = TRUE) || place %in% c(".", "..") || startsWith(place, "~")
  is_address || any(grepl(sprintf('"%s"', place), configured, fixed = TRUE))
}

attach_from <- function(place, name, columns, wait, validate, as) {
  check_place(place)
  configured <- configured_places()
  if (is_for_python(place, configured)) {
    loaded <- loaded_directory(default_directory())
    name <- load_files(name, NULL, NULL, if (wait > 0) wait, enc2utf8(place))
    opened <- .Call(C_attach, loaded, name, validate, NA_real_, character())
    return(as_kind(as, checked(opened, loaded, name), loaded, name, columns))
  }
  if (identical(Sys.getenv(OPEN$places), "0") || any(grepl('"open_places"[[:space:]]*:[[:space:]]*false', configured))) {
    stop_place(place, "cannot be used: tables are not shared among users here", "Its administrator has switched that off.")
  }
  opened <- until(wait, function() open_from(place, name, validate))
  if (is_fault(opened) && opened$kind == "absent") stop_not_found_in(place, name)
  directory <- opened$directory
  checked(if (is_fault(opened$table)) opened$table else opened, directory, name)
  session$checked <- utils::tail(union(session$checked, opened$table$version), 10000L)
  as_kind(as, opened$table, directory, name, columns)
}

# The table of this name that a user shares with this one, and its directory; of two, the newer.
open_from <- function(place, name, validate) {
  open <- open_directories(place)
  found <- list()
  for (directory in open$paths) {
    table <- .Call(C_attach, directory, name, validate, open$owner, as.character(session$checked))
    absent <- is_fault(table) && table$kind == "absent"
    # A directory that is not open to this user says so itself, unless there is another one.
    if (!absent && !(is_fault(table) && table$kind == "unsafe" && length(open$paths) > 1L)) {
      found[[length(found) + 1L]] <- list(table = table, directory = directory)
    }
  }
  if (!length(found)) return(structure(list(kind = "absent"), class = "arrowshm_fault"))
  found[[which.max(vapply(found, function(one) if (is_fault(one$table)) 0 else one$table$changed, 0))]]
}

# The directories in which a user shares with others, or in which this one does: with `everyone`, or with a group.
open_directories <- function(place) {
  parent <- Sys.getenv(OPEN$parent)
  if (!nzchar(parent)) parent <- if (.Call(C_has_large_shared_memory)) "/dev/shm" else "/tmp"
  mine <- effective_user()
  if (place == "everyone") return(list(owner = mine, paths = sprintf("%s/jupyter-arrowshm-%.0f-open", parent, mine)))
  if (startsWith(place, "group:")) {
    group <- number_of(substring(place, 7), TRUE)
    if (is.na(group)) stop_place(place, "is not a group of this machine")
    return(list(owner = mine, paths = sprintf("%s/jupyter-arrowshm-%.0f-g%.0f", parent, mine, group)))
  }
  user <- number_of(place, FALSE)
  if (is.na(user)) {
    text <- sprintf(
      "there is no place %s, and no user of this name. A place is everyone, group:NAME, a user, a path or URI, or %s.", quoted(place),
      "a name that c.ArrowSHM.places gives to one"
    )
    raise("PlaceNotFound", text, name = place)
  }
  list(owner = user, paths = list.files(parent, sprintf("^jupyter-arrowshm-%.0f-(open|g[0-9]+)$", user), full.names = TRUE))
}

# In a container a number may be all that there is.
number_of <- function(name, is_group) {
  found <- .Call(C_number_of, enc2utf8(name), is_group)
  if (is.na(found) && grepl("^[0-9]{1,9}$", name)) as.numeric(name) else found
}

# What the environment and the files on Jupyter's configuration path say about places.
configured_places <- function() {
  home <- Sys.getenv("HOME")
  user <- Sys.getenv("JUPYTER_CONFIG_DIR", file.path(home, ".jupyter"))
  path <- strsplit(Sys.getenv("JUPYTER_CONFIG_PATH"), ":", fixed = TRUE)[[1]]
  files <- file.path(c(path, user, file.path(home, ".local/etc/jupyter"), "/usr/local/etc/jupyter", "/etc/jupyter"), "arrowshm.json")
  c(Sys.getenv(OPEN$named), unlist(lapply(files[file.exists(files)], function(file) {
    paste(tryCatch(readLines(file, warn = FALSE), error = function(e) ""), collapse = "\n")
  })))
}
