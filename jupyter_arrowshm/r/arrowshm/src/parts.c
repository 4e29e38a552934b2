/* What R/writing.R says of a column, as the C data interface's structs. They live until the .Call ends (R_alloc), and refer to
 * R's vectors where Arrow's values are the same. A missing value of R is a null. */
#include "arrowshm.h"
#include <limits.h>
#include <string.h>

enum { NULLABLE = 2, ORDERED = 1 };

static SEXP part_of(SEXP part, const char *name) {
  SEXP names = Rf_getAttrib(part, R_NamesSymbol);
  for (R_xlen_t i = 0; i < XLENGTH(part); i++)
    if (!strcmp(CHAR(STRING_ELT(names, i)), name)) return VECTOR_ELT(part, i);
  return R_NilValue;
}

static int is_integer64(SEXP values) { return Rf_inherits(values, "integer64"); }

/* Whether a value is R's "missing"; NaN is a number. */
static int is_missing(SEXP values, R_xlen_t i, int is_count) {
  switch (TYPEOF(values)) {
  case LGLSXP: return LOGICAL_ELT(values, i) == NA_LOGICAL;
  case INTSXP: return INTEGER_ELT(values, i) == NA_INTEGER;
  case REALSXP: {
    double value = REAL_ELT(values, i);
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return is_integer64(values) ? bits == INT64_MIN : is_count ? ISNAN(value) : R_IsNA(value);
  }
  case STRSXP: return STRING_ELT(values, i) == NA_STRING;
  case VECSXP: return VECTOR_ELT(values, i) == R_NilValue;
  default: return 0;
  }
}

/* Whether any value of a plain vector may be missing: most have none, and this loop is one that the compiler makes fast. */
static int may_miss(SEXP values, R_xlen_t n) {
  int found = 0;
  if (TYPEOF(values) == REALSXP && !is_integer64(values)) {
    const double *data = REAL_RO(values);
    for (R_xlen_t i = 0; i < n; i++) found |= data[i] != data[i];
    return found;
  }
  if (TYPEOF(values) == REALSXP) {
    const double *data = REAL_RO(values);
    int64_t bits;
    for (R_xlen_t i = 0; i < n; i++) {
      memcpy(&bits, data + i, sizeof bits);
      found |= bits == INT64_MIN;
    }
    return found;
  }
  if (TYPEOF(values) == INTSXP) {
    const int *data = INTEGER_RO(values);
    for (R_xlen_t i = 0; i < n; i++) found |= data[i] == NA_INTEGER;
    return found;
  }
  return TYPEOF(values) != RAWSXP;
}

static void *room(size_t size) { return memset(R_alloc(size + 8, 1), 0, size + 8); }

/* Offsets, of 4 bytes or of 8, and the bytes of texts or of raw vectors, one after the other. */
static void put_bytes_of(SEXP values, R_xlen_t n, int wide, const void **buffers) {
  int64_t total = 0;
  for (R_xlen_t i = 0; i < n; i++)
    if (!is_missing(values, i, 0)) total += TYPEOF(values) == STRSXP ? LENGTH(STRING_ELT(values, i)) : XLENGTH(VECTOR_ELT(values, i));
  if (!wide && total > INT_MAX) Rf_error("its texts are larger than 2 GiB");
  char *offsets = room((size_t)(n + 1) * (wide ? 8 : 4)), *data = room((size_t)total);
  int64_t at = 0;
  for (R_xlen_t i = 0; i < n; i++) {
    if (!is_missing(values, i, 0)) {
      SEXP value = TYPEOF(values) == STRSXP ? STRING_ELT(values, i) : VECTOR_ELT(values, i);
      int64_t size = XLENGTH(value);
      if (size) memcpy(data + at, TYPEOF(value) == RAWSXP ? (const void *)RAW_RO(value) : CHAR(value), (size_t)size);
      at += size;
    }
    if (wide) memcpy(offsets + 8 * (i + 1), &at, 8);
    else ((int32_t *)offsets)[i + 1] = (int32_t)at;
  }
  buffers[1] = offsets;
  buffers[2] = data;
}

void part_to_arrow(SEXP part, const char *name, struct ArrowSchema *schema, struct ArrowArray *array) {
  SEXP values = part_of(part, "values"), children = part_of(part, "children"), dictionary = part_of(part, "dictionary");
  SEXP missing = part_of(part, "missing");
  const char *format = Rf_translateCharUTF8(STRING_ELT(part_of(part, "format"), 0));
  R_xlen_t n = (R_xlen_t)Rf_asReal(part_of(part, "length"));
  const void **buffers = room(3 * sizeof *buffers);
  memset(schema, 0, sizeof *schema);
  memset(array, 0, sizeof *array);
  schema->format = format;
  schema->name = name;
  schema->flags = NULLABLE | (Rf_asLogical(part_of(part, "ordered")) == 1 ? ORDERED : 0);
  array->length = n;
  array->buffers = buffers;
  array->n_buffers = 3;
  int is_count = *format == 't' || *format == 'l';
  uint8_t *validity = NULL;
  int looks = missing != R_NilValue || (*format != '+' && *format != 'n' && may_miss(values, n));
  for (R_xlen_t i = 0; i < n && looks; i++) {
    int gone = missing != R_NilValue ? LOGICAL_ELT(missing, i) == 1 : is_missing(values, i, is_count);
    if (!gone) continue;
    if (!validity) validity = memset(room((size_t)(n + 7) / 8), 0xFF, (size_t)(n + 7) / 8);
    validity[i / 8] &= (uint8_t)~(1 << i % 8);
    array->null_count++;
  }
  buffers[0] = validity;
  if (*format == 'b') {
    uint8_t *bits = room((size_t)(n + 7) / 8);
    for (R_xlen_t i = 0; i < n; i++)
      if (LOGICAL_ELT(values, i) == 1) bits[i / 8] |= (uint8_t)(1 << i % 8);
    buffers[1] = bits;
  } else if (strchr("uUz", *format)) {
    put_bytes_of(values, n, *format == 'U', buffers);
  } else if (is_count && TYPEOF(values) == REALSXP && !is_integer64(values)) { /* whole numbers, kept in doubles */
    int64_t *counts = room((size_t)n * sizeof *counts);
    for (R_xlen_t i = 0; i < n; i++) counts[i] = is_missing(values, i, 1) ? 0 : (int64_t)REAL_ELT(values, i);
    buffers[1] = counts;
  } else if (*format != '+' && *format != 'n') {
    buffers[1] = n ? DATAPTR_RO(values) : room(0);
  } else if (!strcmp(format, "+l")) {
    buffers[1] = INTEGER_RO(values);
  }
  if (dictionary != R_NilValue) {
    schema->dictionary = room(sizeof *schema);
    array->dictionary = room(sizeof *array);
    part_to_arrow(dictionary, "", schema->dictionary, array->dictionary);
  }
  int64_t count = children == R_NilValue ? 0 : XLENGTH(children);
  SEXP names = Rf_getAttrib(children, R_NamesSymbol);
  schema->n_children = array->n_children = count;
  schema->children = room((size_t)count * sizeof *schema->children);
  array->children = room((size_t)count * sizeof *array->children);
  for (int64_t i = 0; i < count; i++) {
    schema->children[i] = room(sizeof *schema);
    array->children[i] = room(sizeof *array);
    const char *child = Rf_translateCharUTF8(STRING_ELT(names, i));
    part_to_arrow(VECTOR_ELT(children, i), child, schema->children[i], array->children[i]);
  }
}
