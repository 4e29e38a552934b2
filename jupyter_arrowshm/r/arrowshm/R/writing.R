# R's vectors as Arrow's, by the rule of docs/types.md. src/parts.c makes arrays of what is said here; of anything but a data.frame
# nanoarrow makes a stream.

kind_of <- function(data) {
  known <- c(tibble = "tbl_df", data.table = "data.table", "data.frame" = "data.frame", arrow = "ArrowTabular", arrow = "RecordBatchReader")
  found <- names(known)[vapply(known, function(class) inherits(data, class), TRUE)]
  if (length(found)) found[1] else class(data)[1]
}

# What to write of a data.frame, or a stream of anything else that nanoarrow takes.
as_arrow <- function(data, kind) {
  if (inherits(data, "data.frame")) {
    if (anyDuplicated(names(data))) {
      stop_unsupported(kind, "two columns have one name", "make.unique(names(data)) tells them apart.", names(data)[anyDuplicated(names(data))])
    }
    check_row_names(data)
    return(struct_part(data, kind))
  }
  tryCatch(nanoarrow::as_nanoarrow_array_stream(data), error = function(error) {
    stop_unsupported(kind, "it is not a table", "as.data.frame() may make one of it.")
  })
}

check_row_names <- function(data) {
  if (.row_names_info(data) > 0 && is.character(attr(data, "row.names"))) {
    warning("row names are not shared; make a column of them first: data$name <- row.names(data)", call. = FALSE)
  }
}

# An array to be: `values` are R's own where Arrow has the same, and `missing` says which elements of a list are not there.
part <- function(format, values = NULL, length = base::length(values), children = NULL, missing = NULL, dictionary = NULL, ordered = FALSE) {
  list(
    format = format, values = values, length = as.double(length), children = children, missing = missing, dictionary = dictionary,
    ordered = ordered
  )
}

struct_part <- function(data, kind, depth = 0) {
  columns <- lapply(seq_along(data), function(i) as_column(data[[i]], names(data)[i], kind, depth))
  names(columns) <- enc2utf8(as.character(names(data)))
  part("+s", length = nrow(data), children = columns)
}

check_range <- function(values, column, kind) {
  if (any(abs(values) >= 2^63 | is.infinite(values), na.rm = TRUE)) {
    stop_unsupported(kind, "a time in it is beyond what Arrow's 64 bits of microseconds hold", "", column)
  }
}

MOST_LEVELS <- 60 # as many as are read

as_column <- function(x, name, kind, depth = 0) {
  fail <- function(reason, remedy = "") stop_unsupported(kind, reason, remedy, name)
  if (inherits(x, "nanoarrow_vctr")) fail("it is nanoarrow's", "Share as.vector() of it, or the array itself.")
  if (depth > MOST_LEVELS) fail(sprintf("it is nested more than %d levels deep", MOST_LEVELS))
  if (inherits(x, "POSIXlt")) x <- as.POSIXct(x)
  if (inherits(x, "data.frame")) {
    return(struct_part(x, kind, depth + 1))
  }
  if (!is.null(dim(x))) fail("it is a matrix", "as.data.frame() makes columns of it.")
  if (is.factor(x)) return(factor_part(x))
  if (inherits(x, "Date")) {
    days <- if (is.integer(x)) as.vector(unclass(x)) else as.integer(floor(as.numeric(x)))
    return(part("tdD", days))
  }
  if (inherits(x, "POSIXct")) {
    zone <- attr(x, "tzone")
    zone <- if (is.null(zone) || !nzchar(zone[1])) Sys.timezone() else zone[1]
    values <- round(as.numeric(x) * 1e6)
    check_range(values, name, kind)
    return(part(paste0("tsu:", if (is.na(zone)) "UTC" else zone), values))
  }
  if (inherits(x, "hms")) {
    values <- round(as.numeric(x, units = "secs") * 1e6)
    if (all(values >= 0 & values < 86400e6, na.rm = TRUE)) return(part("ttu", values))
  }
  if (inherits(x, "difftime")) {
    values <- round(as.numeric(x, units = "secs") * 1e6)
    check_range(values, name, kind)
    return(part("tDu", values))
  }
  if (inherits(x, "integer64")) return(part("l", x))
  if (is.list(x)) return(list_part(x, name, kind, depth + 1))
  if (is.complex(x)) fail("Arrow has no complex numbers", "Share Re() and Im() of it.")
  if (is.raw(x)) return(part("C", as.vector(x)))
  if (is.object(x) && !inherits(x, "AsIs")) {
    warning(sprintf("column %s: its class %s is not shared, its values are", quoted(name), quoted(class(x)[1])), call. = FALSE)
  }
  if (is.character(x)) return(text_part(as.character(x), fail))
  if (is.logical(x)) return(part("b", as.vector(x)))
  if (is.integer(x)) return(part("i", as.vector(x)))
  if (is.double(x)) return(part("g", as.vector(unclass(x))))
  fail(sprintf("its type, %s, is not one of Arrow's", typeof(x)))
}

text_part <- function(x, fail) {
  y <- enc2utf8(x)
  bad <- Encoding(x) == "bytes" | !validUTF8(y)
  if (any(bad & !is.na(x))) fail("a text in it is not UTF-8", "iconv() with the encoding that it has helps.")
  large <- sum(as.numeric(nchar(y, "bytes")), na.rm = TRUE) > .Machine$integer.max
  part(if (large) "U" else "u", y)
}

factor_part <- function(x) {
  part("i", as.integer(x) - 1L, dictionary = part("u", enc2utf8(levels(x))), ordered = is.ordered(x))
}

# A list of raw vectors is binary; of anything else, lists. NULL is a null.
list_part <- function(x, name, kind, depth) {
  missing <- vapply(x, is.null, TRUE)
  sizes <- lengths(x)
  frames <- vapply(x, inherits, TRUE, "data.frame")
  sizes[frames] <- vapply(x[frames], nrow, 0L)
  if (sum(as.numeric(sizes)) > .Machine$integer.max) stop_unsupported(kind, "its lists have more than 2147483647 values", "", name)
  offsets <- c(0L, as.integer(cumsum(sizes)))
  whole <- x
  x <- x[!missing]
  if (length(x) && all(vapply(x, is.raw, TRUE))) return(part("z", unname(lapply(whole, identity))))
  values <- if (!length(x)) {
    logical()
  } else {
    kinds <- unique(lapply(x, function(part) c(typeof(part), class(part), attr(part, "tzone"), attr(part, "units"))))
    plain <- all(vapply(x, function(part) is.atomic(part) && !is.object(part), TRUE))
    if (length(kinds) > 1 && !plain || plain && !can_join(x)) {
      stop_unsupported(kind, "its elements are of different types", "Make them one type first.", name)
    }
    joined(x)
  }
  child <- as_column(values, name, kind, depth)
  part("+l", offsets, length(missing), children = list(item = child), missing = missing)
}

# Texts and numbers do not go together; logical, integer and double do.
can_join <- function(x) {
  types <- unique(vapply(x, typeof, ""))
  length(types) == 1 || all(types %in% c("integer", "double")) || all(lengths(x)[vapply(x, is.logical, TRUE)] == 0)
}

joined <- function(x) {
  x <- unname(x)
  first <- x[[1]]
  if (inherits(first, "data.frame")) return(do.call(rbind, c(x, list(stringsAsFactors = FALSE, make.row.names = FALSE))))
  if (is.factor(first)) {
    levels <- unique(unlist(lapply(x, levels)))
    return(factor(unlist(lapply(x, as.character)), levels, ordered = is.ordered(first)))
  }
  if (is.list(first)) return(unlist(x, recursive = FALSE, use.names = FALSE))
  values <- unlist(x, use.names = FALSE)
  if (is.object(first)) {
    attributes(values) <- attributes(first)[setdiff(names(attributes(first)), "names")]
  }
  values
}

# Called from C: whether these can be a factor's levels.
are_levels <- function(texts) !anyNA(texts) && !anyDuplicated(texts)
