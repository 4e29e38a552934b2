# Other places than this machine's own tables. What another user shares is mapped as it is (docs/protocol.md, "Open stores"); the
# Python package fetches what is in a folder or bucket.

OPEN <- list(parent = "JUPYTER_ARROWSHM_OPEN_PARENT", places = "JUPYTER_ARROWSHM_OPEN_PLACES", named = "JUPYTER_ARROWSHM_PLACES")

# The tables of a place, as Python lists them: who uses a table in a folder is not known.
list_from <- function(place) {
  check_place(place)
  if (!is_for_python(place)) open_directories(place) # a user, a group, or an error
  placed_tables(ask_python(place, paste0("--from=", enc2utf8(place))))
}

placed_tables <- function(lines) {
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

# Whether it is a folder, a bucket or a cluster, and not users of this machine.
is_for_python <- function(place, configured = configured_places()) {
  # No JSON is read here: a place that a file may speak of is left to Python, which reads it in full.
  is_address <- grepl("/", place, fixed = TRUE) || place %in% c(".", "..") || startsWith(place, "~")
  is_address || any(grepl(sprintf('"%s"', place), configured, fixed = TRUE))
}

attach_from <- function(place, name, columns, where, wait, validate, as) {
  check_place(place)
  if (is_for_python(place)) {
    loaded <- loaded_directory(default_directory())
    by_name <- if (is.character(columns)) columns
    name <- load_files(name, by_name, where, if (wait > 0) wait, enc2utf8(place))
    opened <- .Call(C_attach, loaded, name, validate, character())
    return(as_kind(as, checked(opened, loaded, name), loaded, name, columns))
  }
  if (!is.null(where)) stop_no_filter()
  check_open_places(place)
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
  for (directory in open) {
    table <- .Call(C_attach, directory, name, validate, as.character(session$checked))
    absent <- is_fault(table) && table$kind == "absent"
    # A directory that is not open to this user says so itself, unless there is another one.
    if (!absent && !(is_fault(table) && table$kind == "unsafe" && length(open) > 1L)) {
      found[[length(found) + 1L]] <- list(table = table, directory = directory)
    }
  }
  if (!length(found)) return(structure(list(kind = "absent"), class = "arrowshm_fault"))
  found[[which.max(vapply(found, function(one) if (is_fault(one$table)) 0 else one$table$changed, 0))]]
}

check_open_places <- function(place) {
  if (identical(Sys.getenv(OPEN$places), "0") || any(grepl('"open_places"[[:space:]]*:[[:space:]]*false', configured_places()))) {
    stop_place(place, "cannot be used: tables are not shared among users here", "Its administrator has switched that off.")
  }
}

# Shares in another place. What others may read is written as this user's own tables are; Python
# sends what is for a folder or bucket, from a file that has no name.
share_to <- function(place, name, kind, made, replace) {
  if (!is_for_python(place)) return(share_in(own_directory(place), name, kind, made, replace))
  directory <- default_directory()
  on.exit(.Call(C_discard, directory))
  file <- publish(directory, name, kind, made, elsewhere = TRUE)[4]
  # By its path in /proc: a child that R starts closes the descriptor.
  lines <- ask_python(
    place, c(paste0("--to=", enc2utf8(place)), if (replace) "--replace", "--", name),
    sprintf("/proc/%d/fd/%.0f", Sys.getpid(), file), place_failed
  )
  placed_tables(lines)
}

unshare_from <- function(place, name) {
  if (is_for_python(place)) {
    ask_python(place, c(paste0("--from=", enc2utf8(place)), "--remove", "--", name), failed = place_failed)
    return(invisible())
  }
  directory <- own_directory(place)
  done <- .Call(C_unshare, directory, name)
  if (is_absent(done)) stop_not_found_in(place, name)
  checked(done, directory, name)
}

place_failed <- function(place, reason) {
  if (is.null(reason)) stop_place(place, "may not have done it: the Python that asks it was killed", "Try again.")
  stop_place(place, sprintf("cannot be used (%s)", sub("[.]$", "", utils::tail(strsplit(reason, "\n")[[1]], 1))))
}

open_parent <- function() {
  parent <- Sys.getenv(OPEN$parent)
  if (nzchar(parent)) parent else if (.Call(C_has_large_shared_memory)) "/dev/shm" else "/tmp"
}

# A directory in which others may read, or in which another user lets this one.
open_directory <- function(file, owner, mode, group = NA) {
  structure(file.path(open_parent(), file), access = as.numeric(c(owner, strtoi(mode, 8L), group)))
}

# The directory in which this user lets everyone read, or the members of a group.
own_directory <- function(place) {
  check_open_places(place)
  mine <- effective_user()
  if (startsWith(place, "group:")) {
    groups <- .Call(C_groups)
    group <- number_of(substring(place, 7), TRUE)
    if (!group %in% groups) {
      known <- sprintf("You are in %s.", paste(sort(names(groups)), collapse = ", "))
      stop_place(place, "is not a group that you are in", known)
    }
    return(open_directory(sprintf("jupyter-arrowshm-%.0f-g%.0f", mine, group), mine, "750", group))
  }
  if (place != "everyone" && user_of(place) != mine) {
    stop_place(place, sprintf("holds the tables of %s, which nobody else can change", printable(place)), "Share to everyone, or to a group.")
  }
  open_directory(sprintf("jupyter-arrowshm-%.0f-open", mine), mine, "755")
}

# The directories in which a user shares with others, or in which this one does: with `everyone`, or with a group.
open_directories <- function(place) {
  if (place == "everyone" || startsWith(place, "group:")) return(list(own_directory(place)))
  user <- user_of(place)
  if (user == effective_user()) return(list(own_directory(place)))
  files <- list.files(open_parent(), sprintf("^jupyter-arrowshm-%.0f-(open|g[0-9]+)$", user))
  lapply(files, open_directory, user, "755")
}

user_of <- function(place) {
  user <- number_of(place, FALSE)
  if (is.na(user)) {
    text <- sprintf(
      "there is no place %s, and no user of this name. A place is everyone, group:NAME, a user, a path or URI, or %s.", quoted(place),
      "a name that c.ArrowSHM.places gives to one"
    )
    raise("PlaceNotFound", text, name = place)
  }
  user
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
