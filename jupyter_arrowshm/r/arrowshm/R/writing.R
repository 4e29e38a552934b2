# R's vectors as Arrow arrays, by the rule of docs/types.md. nanoarrow makes the arrays of plain vectors; the rules for the
# others are ours, since its own cut times off after the microsecond, and need the arrow package for nested lists.

kind_of <- function(data) {
  known <- c(tibble = "tbl_df", data.table = "data.table", "data.frame" = "data.frame", arrow = "ArrowTabular", arrow = "RecordBatchReader")
  found <- names(known)[vapply(known, function(class) inherits(data, class), TRUE)]
  if (length(found)) found[1] else class(data)[1]
}

# The schema and the one array of a data.frame, or a stream of anything else that nanoarrow takes.
as_arrow <- function(data, kind) {
  if (inherits(data, "data.frame")) {
    if (anyDuplicated(names(data))) {
      stop_unsupported(kind, "two columns have one name", "make.unique(names(data)) tells them apart.", names(data)[anyDuplicated(names(data))])
    }
    check_row_names(data)
    array <- struct_array(data, kind)
    return(list(schema = nanoarrow::infer_nanoarrow_schema(array), source = array))
  }
  stream <- tryCatch(nanoarrow::as_nanoarrow_array_stream(data), error = function(error) {
    stop_unsupported(kind, "it is not a table", "as.data.frame() may make one of it.")
  })
  list(schema = NULL, source = stream)
}

check_row_names <- function(data) {
  if (.row_names_info(data) > 0 && is.character(attr(data, "row.names"))) {
    warning("row names are not shared; make a column of them first: data$name <- row.names(data)", call. = FALSE)
  }
}

modify <- function(schema, length, validity, buffers = list(), children = NULL, dictionary = NULL) {
  array <- nanoarrow::nanoarrow_array_init(schema)
  nulls <- if (is.null(validity)) 0L else sum(!validity)
  bits <- if (nulls) nanoarrow::as_nanoarrow_array(validity, schema = nanoarrow::na_bool())$buffers[[2]]
  changes <- list(length = length, null_count = nulls, buffers = c(list(bits), buffers))
  if (!is.null(children)) changes$children <- children
  if (!is.null(dictionary)) changes$dictionary <- dictionary
  # Without its own check, which takes twice as long for each level of lists: what we put together is right by construction.
  nanoarrow::nanoarrow_array_modify(array, changes, validate = FALSE)
}

schema_of <- function(array) nanoarrow::infer_nanoarrow_schema(array)

struct_array <- function(data, kind, depth = 0) {
  columns <- lapply(seq_along(data), function(i) as_column(data[[i]], names(data)[i], kind, depth))
  names(columns) <- names(data)
  schema <- nanoarrow::na_struct(lapply(columns, schema_of), nullable = TRUE)
  modify(schema, nrow(data), NULL, children = columns)
}

# 64-bit whole numbers from doubles that hold them.
int64_array <- function(values, schema) {
  missing <- is.na(values)
  values[missing] <- 0
  stored <- nanoarrow::as_nanoarrow_array(as.double(values), schema = nanoarrow::na_int64())
  modify(schema, length(values), if (any(missing)) !missing, list(stored$buffers[[2]]))
}

check_range <- function(values, column, kind) {
  if (any(abs(values) >= 2^63 | is.infinite(values), na.rm = TRUE)) {
    stop_unsupported(kind, "a time in it is beyond what Arrow's 64 bits of microseconds hold", "", column)
  }
}

# nanoarrow takes twice as long for each level of nesting.
MOST_LEVELS <- 12

as_column <- function(x, name, kind, depth = 0) {
  fail <- function(reason, remedy = "") stop_unsupported(kind, reason, remedy, name)
  if (inherits(x, "nanoarrow_array")) return(x)
  if (depth > MOST_LEVELS) fail(sprintf("it is nested more than %d levels deep", MOST_LEVELS))
  if (inherits(x, "POSIXlt")) x <- as.POSIXct(x)
  if (inherits(x, "data.frame")) {
    return(struct_array(x, kind, depth + 1))
  }
  if (!is.null(dim(x))) fail("it is a matrix", "as.data.frame() makes columns of it.")
  if (is.factor(x)) return(factor_array(x))
  if (inherits(x, "Date")) return(date_array(x))
  if (inherits(x, "POSIXct")) {
    zone <- attr(x, "tzone")
    zone <- if (is.null(zone) || !nzchar(zone[1])) Sys.timezone() else zone[1]
    values <- round(as.numeric(x) * 1e6)
    check_range(values, name, kind)
    return(int64_array(values, nanoarrow::na_timestamp("us", if (is.na(zone)) "UTC" else zone)))
  }
  if (inherits(x, "hms")) {
    values <- round(as.numeric(x, units = "secs") * 1e6)
    if (all(values >= 0 & values < 86400e6, na.rm = TRUE)) return(int64_array(values, nanoarrow::na_time64("us")))
  }
  if (inherits(x, "difftime")) {
    values <- round(as.numeric(x, units = "secs") * 1e6)
    check_range(values, name, kind)
    return(int64_array(values, nanoarrow::na_duration("us")))
  }
  if (inherits(x, "integer64")) return(nanoarrow::as_nanoarrow_array(x, schema = nanoarrow::na_int64()))
  if (is.list(x)) return(list_array(x, name, kind, depth + 1))
  if (is.complex(x)) fail("Arrow has no complex numbers", "Share Re() and Im() of it.")
  if (is.raw(x)) return(nanoarrow::as_nanoarrow_array(as.integer(x), schema = nanoarrow::na_uint8()))
  if (is.object(x) && !inherits(x, "AsIs")) {
    warning(sprintf("column %s: its class %s is not shared, its values are", quoted(name), quoted(class(x)[1])), call. = FALSE)
  }
  if (is.character(x)) return(text_array(as.character(x), fail))
  if (is.logical(x)) return(nanoarrow::as_nanoarrow_array(as.logical(x), schema = nanoarrow::na_bool()))
  if (is.integer(x)) return(nanoarrow::as_nanoarrow_array(as.vector(x), schema = nanoarrow::na_int32()))
  if (is.double(x)) return(double_array(x))
  fail(sprintf("its type, %s, is not one of Arrow's", typeof(x)))
}

# NA is a null, NaN is a number.
double_array <- function(x) {
  x <- as.vector(unclass(x))
  missing <- is.na(x) & !is.nan(x)
  whole <- nanoarrow::as_nanoarrow_array(x, schema = nanoarrow::na_double())
  if (!anyNA(x)) return(whole)
  modify(nanoarrow::na_double(), length(x), if (any(missing)) !missing, list(nanoarrow::as_nanoarrow_buffer(x)))
}

text_array <- function(x, fail) {
  bad <- Encoding(x) == "bytes" | !validUTF8(y <- enc2utf8(x))
  if (any(bad & !is.na(x))) fail("a text in it is not UTF-8", "iconv() with the encoding that it has helps.")
  large <- sum(as.numeric(nchar(y, "bytes")), na.rm = TRUE) > .Machine$integer.max
  nanoarrow::as_nanoarrow_array(y, schema = if (large) nanoarrow::na_large_string() else nanoarrow::na_string())
}

date_array <- function(x) {
  days <- floor(as.numeric(x))
  nanoarrow_days <- nanoarrow::as_nanoarrow_array(as.integer(days), schema = nanoarrow::na_int32())
  missing <- is.na(days)
  modify(nanoarrow::na_date32(), length(x), if (any(missing)) !missing, list(nanoarrow_days$buffers[[2]]))
}

factor_array <- function(x) {
  codes <- as.integer(x) - 1L
  levels <- nanoarrow::as_nanoarrow_array(enc2utf8(levels(x)), schema = nanoarrow::na_string())
  schema <- nanoarrow::na_dictionary(nanoarrow::na_string(), nanoarrow::na_int32(), ordered = is.ordered(x))
  stored <- nanoarrow::as_nanoarrow_array(codes, schema = nanoarrow::na_int32())
  missing <- is.na(codes)
  modify(schema, length(codes), if (any(missing)) !missing, list(stored$buffers[[2]]), dictionary = levels)
}

# A list of raw vectors is binary; of anything else, lists. NULL is a null.
list_array <- function(x, name, kind, depth) {
  missing <- vapply(x, is.null, TRUE)
  sizes <- lengths(x)
  frames <- vapply(x, inherits, TRUE, "data.frame")
  sizes[frames] <- vapply(x[frames], nrow, 0L)
  if (sum(as.numeric(sizes)) > .Machine$integer.max) stop_unsupported(kind, "its lists have more than 2147483647 values", "", name)
  offsets <- c(0L, as.integer(cumsum(sizes)))
  validity <- if (any(missing)) !missing
  x <- x[!missing]
  if (length(x) && all(vapply(x, is.raw, TRUE))) {
    bytes <- nanoarrow::as_nanoarrow_buffer(as.raw(unlist(x)))
    return(modify(nanoarrow::na_binary(), length(missing), validity, list(offsets, bytes)))
  }
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
  child <- if (!length(x)) nanoarrow::as_nanoarrow_array(logical(), schema = nanoarrow::na_bool()) else as_column(values, name, kind, depth)
  schema <- nanoarrow::nanoarrow_schema_modify(nanoarrow::na_list(schema_of(child)), list(children = list(item = schema_of(child))))
  modify(schema, length(missing), validity, list(offsets), children = list(child))
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
    return(factor(unlist(lapply(x, as.character)), levels))
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
