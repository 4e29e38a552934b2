# What is shared, and who uses it: the kernel's own lock table is the state, so it cannot disagree with the live processes.

default_directory <- function() {
  chosen <- Sys.getenv(VARIABLE)
  if (nzchar(chosen)) return(enc2utf8(chosen))
  parent <- if (.Call(C_has_large_shared_memory)) "/dev/shm" else "/tmp"
  sprintf("%s/jupyter-arrowshm-%d", parent, effective_user())
}

effective_user <- function() {
  # "Uid: real effective saved file-system" (proc_pid_status(5))
  line <- grep("^Uid:", strsplit(proc_text("/proc/self/status"), "\n")[[1]], value = TRUE)
  as.integer(strsplit(line, "[[:space:]]+")[[1]][3])
}

table_path <- function(directory, name) paste0(directory, "/", name, ".arrow")

table_names <- function(directory, tidy = FALSE) {
  found <- checked(.Call(C_table_names, directory, tidy), directory)
  sort(as.character(found), method = "radix")
}

# When the last table of this name was removed, and why; NULL if it was not, or too long ago.
read_note <- function(directory, name) {
  path <- file.path(directory, ".removed", name)
  removed_at <- file.mtime(path)
  bytes <- tryCatch(suppressWarnings(readBin(path, "raw", 500)), error = function(e) NULL)
  # Whoever shares a table of this name takes the note away, perhaps at this moment.
  if (is.na(removed_at) || is.null(bytes)) return(NULL)
  list(removed_at = removed_at, reason = printable(rawToChar(bytes[bytes != 0])))
}

# Up to three names that are taken and look like this one.
near_names <- function(directory, name) {
  known <- tryCatch(table_names(directory), error = function(e) character())
  if (!length(known)) return(character())
  distance <- utils::adist(name, known, ignore.case = TRUE)[1, ] / pmax(nchar(name), nchar(known))
  utils::head(known[order(distance)][sort(distance) <= 0.4], 3)
}

# One look at /proc/locks (proc_locks(5)): process and inode of each flock on one file system; NULL where it shows none.
#
# The kernel gives the list page by page, and lets go of it in between: if anybody on the machine unlocks something meanwhile,
# the next page begins too late. So a list that is longer than a page is read until nothing new is in it.
read_locks <- function(device) {
  wanted <- strtoi(strsplit(device, ":", fixed = TRUE)[[1]], 16L)
  found <- character()
  quiet <- 0
  for (reading in 1:20) {
    text <- proc_text("/proc/locks")
    if (!nzchar(text) && .Call(C_locks_are_masked)) return(NULL)
    lines <- strsplit(text, "\n", fixed = TRUE)[[1]]
    # "12: FLOCK  ADVISORY  READ 4711 00:1b:42 0 EOF"; a blocked one has "->" in the second place
    lines <- sub("^[0-9]+: ", "", grep("^[0-9]+: FLOCK ", lines, value = TRUE))
    quiet <- if (all(lines %in% found)) quiet + 1 else 0
    found <- union(found, lines)
    if (quiet == 2 || nchar(text) < 3072) break
  }
  words <- do.call(rbind, strsplit(found, " +"))
  if (is.null(words)) words <- matrix("", 0, 5)
  place <- do.call(rbind, strsplit(words[, 5], ":", fixed = TRUE))
  if (is.null(place)) place <- matrix("", 0, 3)
  locks <- data.frame(kind = words[, 3], pid = as.numeric(words[, 4]), inode = as.numeric(place[, 3]))
  locks <- locks[strtoi(place[, 1], 16L) == wanted[1] & strtoi(place[, 2], 16L) == wanted[2] & locks$pid > 0, , drop = FALSE]
  # A process that has ended is left out: where a forked child keeps its lock, the kernel goes on naming the parent, whose number
  # may be another user's now.
  ours <- Filter(is_of_this_user, unique(locks$pid))
  locks[locks$pid %in% ours, , drop = FALSE]
}

is_of_this_user <- function(pid) isTRUE(file.info(sprintf("/proc/%d", pid), extra_cols = TRUE)$uid == effective_user())

# Where a process maps a file of this directory: its inode, path and size (proc_pid_maps(5)).
mappings <- function(pid, device) {
  lines <- strsplit(proc_text(sprintf("/proc/%d/maps", pid)), "\n", fixed = TRUE)[[1]]
  pattern <- "^([0-9a-f]+)-([0-9a-f]+) [^ ]+ [^ ]+ ([0-9a-f]+):([0-9a-f]+) ([0-9]+) +(.*)$"
  words <- lapply(regmatches(lines, regexec(pattern, lines, useBytes = TRUE)), as_utf8)
  words <- words[lengths(words) == 7]
  wanted <- strtoi(strsplit(device, ":", fixed = TRUE)[[1]], 16L)
  rows <- lapply(words, function(word) {
    if (any(strtoi(word[4:5], 16L) != wanted)) return(NULL)
    size <- as.numeric(paste0("0x", word[3])) - as.numeric(paste0("0x", word[2]))
    data.frame(inode = as.numeric(word[6]), path = word[7], size = size)
  })
  do.call(rbind, c(list(data.frame(inode = numeric(), path = character(), size = numeric())), rows))
}

published_at <- function(facts) {
  text <- facts["arrowshm.published"]
  if (is.na(text)) return(NULL)
  pattern <- "^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?)([+-])([0-9]{2}):([0-9]{2})$"
  words <- regmatches(text, regexec(pattern, text))[[1]]
  if (!length(words)) return(NULL)
  shift <- (as.numeric(words[5]) * 60 + as.numeric(words[6])) * 60
  as.POSIXct(words[2], "UTC", "%Y-%m-%dT%H:%M:%OS") - if (words[4] == "+") shift else -shift
}

fact <- function(facts, key) {
  value <- facts[paste0("arrowshm.", key)]
  if (is.na(value)) "" else unname(value)
}

# The publisher by its own account; `alive` is NULL where the file does not name it.
publisher_of <- function(directory, entry, locks = NULL) {
  facts <- entry$facts
  if (is.na(facts["arrowshm.protocol"])) return(holder(language = "another program"))
  pid <- suppressWarnings(as.integer(fact(facts, "pid")))
  token <- checked(.Call(C_token, directory, fact(facts, "token")), directory)
  if (token[1] == 1 && !is.null(locks)) {
    # The footer's pid is the publisher's own view: in another PID namespace it is some other process.
    pid <- as.integer(c(locks$pid[locks$inode == token[2] & locks$kind == "WRITE"], NA)[1])
  }
  holder(
    if (!is.na(pid)) pid, fact(facts, "language"), fact(facts, "kernel"), fact(facts, "notebook"), fact(facts, "script"),
    alive = token[1] == 1
  )
}

# What the file with this name says, and the locks as they were while it had the name; NULL if there is no such table. A disk
# gives the inode of a file that went to the next one: a table that came after the look at the locks may have the inode of a file,
# here or elsewhere, that was still locked then.
entry_of <- function(directory, name) checked(.Call(C_describe, directory, name), directory, name)

settled <- function(directory, name, device, locks, earlier) {
  for (attempt in 1:20) {
    entry <- entry_of(directory, name)
    if (is.null(entry)) return(NULL)
    if (identical(entry[c("inode", "changed")], earlier[c("inode", "changed")])) break
    earlier <- entry
    locks <- read_locks(device[1])
  }
  list(entry = entry, locks = locks)
}

# Everything that people see about one table; NULL if there is none of this name.
describe <- function(directory, name, device, locks, earlier, labels) {
  found <- settled(directory, name, device, locks, earlier)
  if (is.null(found)) return(NULL)
  entry <- found$entry
  locks <- found$locks
  pids <- lessees(directory, entry, device, locks)
  if (!length(pids) && entry$leased) pids <- lessees(directory, entry, device, locks <- read_locks(device[1]))
  publisher <- publisher_of(directory, entry, locks)
  holders <- lapply(sort(pids), labels)
  if (isTRUE(publisher$alive) && !isTRUE(publisher$pid %in% pids)) {
    holders <- c(holders, list(if (is.null(publisher$pid)) holder() else labels(publisher$pid)))
  }
  # Attached by a process that we cannot see.
  if (!length(pids) && entry$leased) holders <- c(holders, list(holder()))
  structure(class = "arrowshm_table_info", list(
    name = name, num_rows = entry$rows, num_columns = length(entry$types), nbytes = entry$size, columns = entry$types,
    published_at = published_at(entry$facts), publisher = publisher, holders = holders, pinned = entry$pinned,
    path = table_path(directory, name), countable = !is.null(locks), source = fact(entry$facts, "source"), older = list()
  ))
}

lessees <- function(directory, entry, device, locks) {
  pids <- unique(locks$pid[locks$inode == entry$inode & locks$kind == "READ"])
  if (!length(pids) || device[1] == device[2]) return(pids)
  # btrfs and overlay: files of other subvolumes have the same device in /proc/locks, and may have the same inode.
  if (!entry$leased) return(numeric())
  path <- normalizePath(directory, mustWork = FALSE)
  Filter(function(pid) any(dirname(mappings(pid, device[1])$path) == path & mappings(pid, device[1])$inode == entry$inode), pids)
}

# The versions that lost their name in this directory, and that somebody has attached: by the table's name.
older_versions <- function(directory, device, locks, labels) {
  path <- normalizePath(directory, mustWork = FALSE)
  found <- list()
  for (pid in sort(unique(locks$pid[locks$kind == "READ"]))) {
    maps <- mappings(pid, device[1])
    is_ours <- endsWith(maps$path, ".arrow (deleted)") & dirname(maps$path) == path & maps$inode %in% locks$inode[locks$pid == pid]
    for (inode in unique(maps$inode[is_ours])) {
      mine <- maps[maps$inode == inode & is_ours, ]
      key <- as.character(inode)
      if (is.null(found[[key]])) {
        name <- sub("\\.arrow \\(deleted\\)$", "", basename(mine$path[1]))
        found[[key]] <- list(name = name, nbytes = sum(mine$size), holders = list())
      }
      found[[key]]$holders <- c(found[[key]]$holders, list(labels(pid)))
    }
  }
  unname(found)
}

once_each <- function(f) {
  known <- list()
  function(key) {
    if (is.null(known[[as.character(key)]])) known[[as.character(key)]] <<- f(key)
    known[[as.character(key)]]
  }
}

look <- function(directory, names) {
  device <- checked(.Call(C_lock_device, directory), directory)
  if (is.null(device)) return(list())
  earlier <- lapply(names, entry_of, directory = directory)
  locks <- read_locks(device[1])
  labels <- once_each(look_up)
  tables <- Map(function(name, earlier) describe(directory, name, device, locks, earlier, labels), names, earlier)
  tables <- unname(Filter(Negate(is.null), tables))
  older <- older_versions(directory, device, locks, labels)
  lapply(tables, function(table) {
    table$older <- Filter(function(version) version$name == table$name, older)
    table
  })
}

unused_tables <- function(directory) {
  tables <- Filter(function(table) !length(table$holders) && !table$pinned, look(directory, table_names(directory)))
  stats <- vapply(tables, function(table) table$nbytes, 0)
  names(stats) <- vapply(tables, function(table) table$name, "")
  stats
}

# Bytes that can still be written: what the file system has left and, where files are memory, what memory has left.
room_left <- function(directory) {
  room <- .Call(C_file_system_room, directory, dirname(directory))
  limits <- c(Inf, if (room[1] > 0) room[2], if (room[3] == 1) memory_limits())
  max(0, min(limits))
}

memory_limits <- function() {
  lines <- strsplit(proc_text("/proc/meminfo"), "\n", fixed = TRUE)[[1]]
  kilobytes <- function(key) as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep(paste0("^", key, ":"), lines, value = TRUE)))
  limits <- 1024 * (kilobytes("MemAvailable") + kilobytes("SwapFree"))
  for (entry in strsplit(strsplit(proc_text("/proc/self/cgroup"), "\n", fixed = TRUE)[[1]], ":", fixed = TRUE)) {
    if (length(entry) < 3) next
    modern <- entry[2] == ""
    if (!modern && !"memory" %in% strsplit(entry[2], ",", fixed = TRUE)[[1]]) next
    for (root in if (modern) c("/sys/fs/cgroup", "/sys/fs/cgroup/unified") else "/sys/fs/cgroup/memory") {
      # In a container the path is the host's: what is not there is skipped, and the root is the container's own.
      path <- sub("/$", "", paste0(root, entry[3]))
      while (nchar(path) >= nchar(root)) {
        limits <- c(limits, cgroup_room(path, modern))
        path <- dirname(path)
      }
    }
  }
  limits
}

# The limit less what cannot be reclaimed: a cgroup's usage counts page cache, which gives way.
cgroup_room <- function(path, modern) {
  number <- function(file) suppressWarnings(as.numeric(sub("\n", "", proc_text(file.path(path, file)))))
  most <- number(if (modern) "memory.max" else "memory.limit_in_bytes")
  used <- number(if (modern) "memory.current" else "memory.usage_in_bytes")
  if (is.na(most) || is.na(used)) return(NULL)
  counts <- strsplit(strsplit(proc_text(file.path(path, "memory.stat")), "\n", fixed = TRUE)[[1]], " ", fixed = TRUE)
  stats <- vapply(counts, function(words) as.numeric(words[2]), 0)
  names(stats) <- vapply(counts, `[`, "", 1)
  prefix <- if ("total_active_file" %in% names(stats)) "total_" else ""
  most - used + sum(stats[paste0(prefix, c("active_file", "inactive_file", "slab_reclaimable"))], na.rm = TRUE)
}
