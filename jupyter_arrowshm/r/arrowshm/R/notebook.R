print.arrowshm_tables <- function(x, ...) {
  if (!nrow(x)) {
    cat("No table is shared. share_table(data, \"name\") shares one.\n")
    return(invisible(x))
  }
  shown <- format(x)
  print.data.frame(shown, row.names = FALSE, right = FALSE)
  invisible(x)
}

format.arrowshm_tables <- function(x, ...) {
  data.frame(
    table = printable(x$name),
    size = mapply(function(rows, columns, nbytes) paste(words_shape(rows, columns), words_size(nbytes), sep = ", "), x$rows, x$columns, x$nbytes),
    `in use by` = x$in_use_by,
    note = paste0(ifelse(x$pinned, "pinned ", ""), ifelse(x$older_versions > 0, "an older version is in use", "")),
    check.names = FALSE, stringsAsFactors = FALSE
  )
}

print.arrowshm_table_info <- function(x, ...) {
  cat(printable(x$name), ": ", words_shape(x$num_rows, x$num_columns), ", ", words_size(x$nbytes), "; in use by ", in_use_by(x), "\n", sep = "")
  invisible(x)
}
