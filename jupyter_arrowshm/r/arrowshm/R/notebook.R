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

escaped <- function(text) {
  text <- gsub("&", "&amp;", printable(text), fixed = TRUE)
  gsub("\"", "&quot;", gsub(">", "&gt;", gsub("<", "&lt;", text, fixed = TRUE), fixed = TRUE), fixed = TRUE)
}

# What a notebook shows (the package repr, which comes with IRkernel).
repr_html.arrowshm_tables <- function(obj, ...) {
  if (!nrow(obj)) return("<p>No table is shared. <code>share_table(data, \"name\")</code> shares one.</p>")
  shown <- format(obj)
  rows <- do.call(mapply, c(list(function(...) paste0("<tr>", paste0("<td>", escaped(c(...)), "</td>", collapse = ""), "</tr>")), unname(as.list(shown))))
  head <- paste0("<th>", escaped(names(shown)), "</th>", collapse = "")
  paste0("<table class=\"arrowshm\"><thead><tr>", head, "</tr></thead><tbody>\n", paste(rows, collapse = "\n"), "\n</tbody></table>")
}

repr_text.arrowshm_tables <- function(obj, ...) paste(utils::capture.output(print(obj)), collapse = "\n")

repr_html.arrowshm_table_info <- function(obj, ...) NULL
repr_text.arrowshm_table_info <- function(obj, ...) paste(utils::capture.output(print(obj)), collapse = "\n")

WITH_NAME <- "(attach_table|unshare_table|pin_table|unpin_table|table_info)\\( *[\"'][^\"']*$"

# Names of tables after `attach_table("`; for everything else R's own completion, or that which was set before.
complete_names <- function(environment) {
  utils <- asNamespace("utils")
  line <- substr(environment$linebuffer, 1, environment$end)
  if (grepl(WITH_NAME, line)) {
    names <- tryCatch(table_names(default_directory()), error = function(e) character())
    whole <- utils$.guessTokenFromLine(update = FALSE)$token
    utils$.setFileComp(FALSE)
    environment$comps <- substring(names[startsWith(names, whole)], 1L + nchar(whole) - nchar(environment$token))
    return(invisible())
  }
  if (is.function(session$completer)) return(session$completer(environment))
  utils::rc.options(custom.completer = NULL)
  on.exit(utils::rc.options(custom.completer = complete_names))
  utils$.completeToken()
}
