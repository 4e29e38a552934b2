/* Arrow's values as R's, by the rule of docs/types.md. A value that R cannot hold is told once for each column; one that lies
 * outside of the file is an error, here, where it is read. */
#include "arrowshm.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT (1LL << 53) /* whole numbers up to this are exact in a double */
#define MOST_DIGITS 15    /* of a decimal that a double gives back as it was */
static int bit64;

void set_bit64(int available) { bit64 = available; }
int has_bit64(void) { return bit64; }

/* Signal the error of one of R/errors.R's functions; it does not return. */
static void stop_with(const char *function, const char *why) {
  SEXP space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("arrowshm"))));
  SEXP call = PROTECT(Rf_lang2(Rf_install(function), PROTECT(Rf_mkString(why))));
  Rf_eval(call, space);
  UNPROTECT(4);
  Rf_error("this column cannot be read: %s", why);
}

static void damaged(const char *why) { stop_with("stop_damaged_column", why); }
static void beyond_r(const char *why) { stop_with("stop_beyond_r", why); }

static const char OUTSIDE[] = "a value of it lies outside of the file";

void warn_once(struct type *type, const char *what) {
  if (type->warned) return;
  type->warned = 1;
  Rf_warningcall(R_NilValue, "column '%s' %s", type->name, what);
}

static double missing_double(const struct type *type) {
  if (*type->format != 'l' || !bit64) return NA_REAL;
  int64_t smallest = INT64_MIN; /* bit64's NA_integer64_ */
  double value;
  memcpy(&value, &smallest, sizeof value);
  return value;
}

static double half_to_double(uint16_t half) {
  int exponent = half >> 10 & 31, fraction = half & 1023;
  double value = exponent == 31 ? (fraction ? R_NaN : R_PosInf) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return half & 0x8000 ? -value : value;
}

static int is_text(const struct type *type) { return strchr("uU", *type->format) || !strcmp(type->format, "vu"); }

static void decimal_facts(const struct type *type, int *precision, int *scale, int *bytes) {
  int bits = 128;
  *precision = *scale = 0;
  sscanf(type->format, "d:%d,%d,%d", precision, scale, &bits);
  *bytes = bits / 8;
}

/* A decimal's digits, from a little-endian two's complement of 4 to 32 bytes. */
static void decimal_text(const struct type *type, const struct array *array, int64_t row, char *text, size_t size) {
  int precision, scale, bytes, count = 0;
  uint32_t words[8];
  char digits[96];
  decimal_facts(type, &precision, &scale, &bytes);
  if (bytes > 32 || bytes < 4) damaged("a decimal of it has an impossible width");
  const uint8_t *data = array->buffers[0].data + row * bytes;
  int negative = data[bytes - 1] >> 7;
  memset(words, negative ? 0xFF : 0, sizeof words);
  memcpy(words, data, (size_t)bytes);
  if (negative)
    for (int i = 0, carry = 1; i < 8; i++) {
      uint64_t word = (uint64_t)(uint32_t)~words[i] + (uint64_t)carry;
      words[i] = (uint32_t)word;
      carry = (int)(word >> 32);
    }
  for (int any = 1; any;) {
    uint64_t rest = 0;
    any = 0;
    for (int i = 7; i >= 0; i--) {
      rest = rest << 32 | words[i];
      words[i] = (uint32_t)(rest / 10);
      any |= words[i] != 0;
      rest %= 10;
    }
    digits[count++] = (char)('0' + rest);
  }
  while (count <= scale && count < 90) digits[count++] = '0';
  size_t at = 0;
  if (negative) text[at++] = '-';
  while (count > 0 && at < size - 2) {
    if (count == scale) text[at++] = '.';
    text[at++] = digits[--count];
  }
  for (int i = scale; i < 0 && at < size - 1; i++) text[at++] = '0';
  text[at] = '\0';
}

/* The run that holds a row of a run-end encoded array. */
static int64_t run_of(const struct type *type, const struct array *array, int64_t row) {
  const struct array *ends = array->children[0];
  int64_t low = 0, high = ends->length;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (index_at(type->children[0], ends, middle) > row) high = middle;
    else low = middle + 1;
  }
  if (low >= ends->length || low >= array->children[1]->length) damaged(OUTSIDE);
  return low;
}

static const struct array *value_of(const struct type *type, const struct array *array, int64_t row, int64_t *at) {
  const struct array *chunk = dictionary_at(array->dictionary, index_at(type, array, row), at);
  if (!chunk) damaged(OUTSIDE);
  return chunk;
}

/* Where the bytes of a text or binary value are. */
static const uint8_t *bytes_at(const struct type *type, const struct array *array, int64_t row, int64_t *size) {
  const char *format = type->format;
  if (*format == 'w') {
    *size = atoi(format + 2);
    return array->buffers[0].data + row * *size;
  }
  if (*format == 'v') {
    const uint8_t *view = array->buffers[0].data + 16 * row;
    int32_t words[4];
    memcpy(words, view, 16);
    *size = words[0];
    if (words[0] >= 0 && words[0] <= 12) return view + 4;
    if (words[0] < 0 || words[2] < 0 || words[2] >= array->num_variadic || words[3] < 0 ||
        (int64_t)words[3] + words[0] > array->variadic[words[2]].size)
      damaged(OUTSIDE);
    return array->variadic[words[2]].data + words[3];
  }
  int wide = *format == 'U' || *format == 'Z';
  int64_t start = offset_at(&array->buffers[0], row, wide), end = offset_at(&array->buffers[0], row + 1, wide);
  if (start < 0 || end < start || end > array->buffers[1].size) damaged(OUTSIDE);
  *size = end - start;
  return array->buffers[1].data + start;
}

/* The text of a row: of a text, a dictionary of them, a run of them, or a decimal with many digits. */
SEXP text_at(struct type *type, const struct array *array, int64_t row) {
  if (!is_there(array, row)) return NA_STRING;
  if (type->has_dictionary) {
    const struct array *chunk = value_of(type, array, row, &row);
    return text_at(type->values, chunk, row);
  }
  if (*type->format == 'd') {
    char text[128];
    decimal_text(type, array, row, text, sizeof text);
    return Rf_mkChar(text);
  }
  if (!strcmp(type->format, "+r")) return text_at(type->children[1], array->children[1], run_of(type, array, row));
  int64_t size;
  const uint8_t *bytes = bytes_at(type, array, row, &size);
  if (size > INT_MAX) beyond_r("a text in it is longer than R's texts can be");
  if (size && memchr(bytes, 0, (size_t)size)) beyond_r("a text in it has a NUL character");
  return Rf_mkCharLenCE(size ? (const char *)bytes : "", (int)size, CE_UTF8);
}

/* The levels of a factor; R's NULL where the values are not distinct texts. */
static SEXP levels_of(struct dictionary *dictionary) {
  if (dictionary->levels) return dictionary->levels;
  SEXP levels = R_NilValue;
  if (is_text(dictionary->type) && !dictionary->type->has_dictionary && dictionary->length < INT_MAX) {
    int64_t at = 0;
    levels = PROTECT(Rf_allocVector(STRSXP, (R_xlen_t)dictionary->length));
    for (int i = 0; i < dictionary->num_chunks; i++)
      for (int64_t row = 0; row < dictionary->chunks[i]->length; row++)
        SET_STRING_ELT(levels, (R_xlen_t)at++, text_at(dictionary->type, dictionary->chunks[i], row));
    SEXP call = PROTECT(Rf_lang2(Rf_install("are_levels"), levels));
    SEXP space = PROTECT(R_FindNamespace(PROTECT(Rf_mkString("arrowshm"))));
    if (!Rf_asLogical(Rf_eval(call, space))) levels = R_NilValue;
    UNPROTECT(4);
  }
  R_PreserveObject(levels);
  return dictionary->levels = levels;
}

static struct dictionary *dictionary_of(const struct type *type, struct table *table) {
  for (int i = 0; i < table->num_dictionaries; i++)
    if (table->dictionaries[i].id == type->dictionary) return &table->dictionaries[i];
  damaged("a dictionary of it is missing");
  return NULL;
}

static SEXP with_class(SEXP vector, const char *first, const char *second, const char *units) {
  SEXP class = PROTECT(Rf_allocVector(STRSXP, second ? 2 : 1));
  SET_STRING_ELT(class, 0, Rf_mkChar(first));
  if (second) SET_STRING_ELT(class, 1, Rf_mkChar(second));
  Rf_setAttrib(vector, R_ClassSymbol, class);
  if (units) Rf_setAttrib(vector, Rf_install("units"), PROTECT(Rf_mkString(units))), UNPROTECT(1);
  UNPROTECT(1);
  return vector;
}

static SEXP frame(int columns, int64_t rows) {
  SEXP made = PROTECT(Rf_allocVector(VECSXP, columns)), numbers = PROTECT(Rf_allocVector(INTSXP, 2));
  Rf_setAttrib(made, R_NamesSymbol, PROTECT(Rf_allocVector(STRSXP, columns)));
  INTEGER(numbers)[0] = NA_INTEGER; /* row names that take no memory, as .set_row_names() makes them */
  INTEGER(numbers)[1] = -(int)rows;
  Rf_setAttrib(made, R_RowNamesSymbol, numbers);
  with_class(made, "data.frame", NULL, NULL);
  UNPROTECT(3);
  return made;
}

static void set_column(SEXP made, int i, const char *name, SEXP column) {
  SET_VECTOR_ELT(made, i, column);
  SET_STRING_ELT(Rf_getAttrib(made, R_NamesSymbol), i, Rf_mkCharCE(name, CE_UTF8));
}

/* An R vector for this many values of a type, with the attributes that it has in R; the values are still to be filled in. */
SEXP vector_for(struct type *type, struct table *table, int64_t length) {
  const char *format = type->format;
  R_xlen_t n = (R_xlen_t)length;
  SEXP made;
  if (type->has_dictionary) {
    SEXP levels = levels_of(dictionary_of(type, table));
    if (levels == R_NilValue) return vector_for(type->values, table, length);
    made = PROTECT(Rf_allocVector(INTSXP, n));
    Rf_setAttrib(made, R_LevelsSymbol, levels);
    with_class(made, type->ordered ? "ordered" : "factor", type->ordered ? "factor" : NULL, NULL);
    UNPROTECT(1);
    return made;
  }
  switch (*format) {
  case 'n': case 'b': return Rf_allocVector(LGLSXP, n);
  case 'c': case 'C': case 's': case 'S': case 'i': return Rf_allocVector(INTSXP, n);
  case 'l':
    made = PROTECT(Rf_allocVector(REALSXP, n));
    if (bit64) with_class(made, "integer64", NULL, NULL);
    break;
  case 'u': case 'U': return Rf_allocVector(STRSXP, n);
  case 'z': case 'Z': case 'w': return Rf_allocVector(VECSXP, n);
  case 'v': return Rf_allocVector(format[1] == 'u' ? STRSXP : VECSXP, n);
  case 'd': {
    int precision, scale, bytes;
    decimal_facts(type, &precision, &scale, &bytes);
    return Rf_allocVector(precision <= MOST_DIGITS ? REALSXP : STRSXP, n);
  }
  case 't':
    if (format[1] == 'i') {
      if (format[2] == 'M') return Rf_allocVector(INTSXP, n);
      if (length > INT_MAX) beyond_r("it has more rows than a data.frame can");
      made = PROTECT(frame(format[2] == 'D' ? 2 : 3, length));
      int i = 0;
      if (format[2] == 'n') set_column(made, i++, "months", Rf_allocVector(INTSXP, n));
      set_column(made, i++, "days", Rf_allocVector(INTSXP, n));
      if (format[2] == 'D') set_column(made, i, "milliseconds", Rf_allocVector(INTSXP, n));
      else set_column(made, i, "nanoseconds", Rf_allocVector(REALSXP, n));
      break;
    }
    made = PROTECT(Rf_allocVector(!strcmp(format, "tdD") ? INTSXP : REALSXP, n));
    if (format[1] == 'd') with_class(made, "Date", NULL, NULL);
    else if (format[1] == 't') with_class(made, "hms", "difftime", "secs");
    else if (format[1] == 'D') with_class(made, "difftime", NULL, "secs");
    else {
      with_class(made, "POSIXct", "POSIXt", NULL);
      /* Without a zone: R shows the clock that was stored, as UTC does. */
      SEXP zone = PROTECT(Rf_ScalarString(Rf_mkCharCE(format[4] ? format + 4 : "UTC", CE_UTF8)));
      Rf_setAttrib(made, Rf_install("tzone"), zone);
      UNPROTECT(1);
    }
    break;
  case '+':
    if (format[1] == 'r') return vector_for(type->children[1], table, length);
    if (format[1] != 's') return Rf_allocVector(VECSXP, n);
    if (length > INT_MAX) beyond_r("it has more rows than a data.frame can");
    made = PROTECT(frame(type->num_children, length));
    for (int i = 0; i < type->num_children; i++) set_column(made, i, type->children[i]->name, vector_for(type->children[i], table, length));
    break;
  default: return Rf_allocVector(REALSXP, n);
  }
  UNPROTECT(1);
  return made;
}

static int64_t per_second(char unit) { return unit == 's' ? 1 : unit == 'm' ? 1000 : unit == 'u' ? 1000000 : 1000000000; }

#define LOAD(kind, name) kind name; memcpy(&name, data + i * (int64_t)sizeof name, sizeof name)
#define FOR_EACH_THERE(missing) for (int64_t i = row; i < row + length; i++, out++) if (!is_there(array, i)) *out = missing; else

void fill_doubles(double *out, struct type *type, const struct array *array, int64_t row, int64_t length) {
  const uint8_t *data = array->buffers[0].data;
  const char *format = type->format;
  int lossy = 0;
  if (type->has_dictionary) {
    double missing = missing_double(type->values);
    FOR_EACH_THERE(missing) {
      int64_t at;
      const struct array *chunk = value_of(type, array, i, &at);
      fill_doubles(out, type->values, chunk, at, 1);
    }
    return;
  }
  switch (*format) {
  case 'I': FOR_EACH_THERE(NA_REAL) { LOAD(uint32_t, value); *out = value; } break;
  case 'l':
    if (bit64) {
      double missing = missing_double(type);
      FOR_EACH_THERE(missing) { LOAD(int64_t, value); lossy |= value == INT64_MIN; memcpy(out, &value, sizeof value); }
      if (lossy) warn_once(type, "holds -9223372036854775808, which R's integer64 takes for NA");
    } else {
      FOR_EACH_THERE(NA_REAL) { LOAD(int64_t, value); lossy |= value > EXACT || value < -EXACT; *out = (double)value; }
      if (lossy) warn_once(type, "holds whole numbers that R's doubles cannot hold exactly; install.packages(\"bit64\") helps");
    }
    break;
  case 'L':
    FOR_EACH_THERE(NA_REAL) { LOAD(uint64_t, value); lossy |= value > (uint64_t)EXACT; *out = (double)value; }
    if (lossy) warn_once(type, "holds whole numbers that R's doubles cannot hold exactly");
    break;
  case 'e': FOR_EACH_THERE(NA_REAL) { LOAD(uint16_t, value); *out = half_to_double(value); } break;
  case 'f': FOR_EACH_THERE(NA_REAL) { LOAD(float, value); *out = value; } break;
  case 'g':
    if (!array->validity) memcpy(out, data + 8 * row, 8 * (size_t)length);
    else FOR_EACH_THERE(NA_REAL) { LOAD(double, value); *out = value; }
    break;
  case 'd':
    FOR_EACH_THERE(NA_REAL) {
      char text[128];
      decimal_text(type, array, i, text, sizeof text);
      *out = R_atof(text);
    }
    break;
  case 't': {
    int is_date = format[1] == 'd', narrow = format[1] == 't' && (format[2] == 's' || format[2] == 'm');
    int64_t per = is_date ? 86400000 : per_second(format[2]);
    FOR_EACH_THERE(NA_REAL) {
      int64_t value;
      if (narrow) { LOAD(int32_t, small); value = small; }
      else { LOAD(int64_t, large); value = large; }
      *out = (double)((long double)value / (long double)per);
      lossy |= per > 1 && !is_date ? (int64_t)llroundl((long double)*out * (long double)per) != value : value > EXACT || value < -EXACT;
    }
    if (lossy) warn_once(type, "holds times of a precision that R's doubles cannot hold; they are rounded");
    break;
  }
  case '+':
    for (int64_t i = 0; i < length; i++) fill_doubles(out + i, type->children[1], array->children[1], run_of(type, array, row + i), 1);
    break;
  default: for (int64_t i = 0; i < length; i++) out[i] = NA_REAL;
  }
}

void fill_integers(int *out, struct type *type, const struct array *array, int64_t row, int64_t length) {
  const uint8_t *data = array->buffers[0].data;
  const char *format = type->format;
  if (type->has_dictionary) {
    struct dictionary *dictionary = array->dictionary;
    int factor = levels_of(dictionary) != R_NilValue;
    FOR_EACH_THERE(NA_INTEGER) {
      int64_t at, index = index_at(type, array, i);
      const struct array *chunk = dictionary_at(dictionary, index, &at);
      if (!chunk) damaged(OUTSIDE);
      if (factor) *out = (int)index + 1;
      else fill_integers(out, type->values, chunk, at, 1);
    }
    return;
  }
  switch (*format) {
  case 'b': FOR_EACH_THERE(NA_LOGICAL) *out = data[i / 8] >> (i % 8) & 1; break;
  case 'c': FOR_EACH_THERE(NA_INTEGER) *out = (int8_t)data[i]; break;
  case 'C': FOR_EACH_THERE(NA_INTEGER) *out = data[i]; break;
  case 's': FOR_EACH_THERE(NA_INTEGER) { LOAD(int16_t, value); *out = value; } break;
  case 'S': FOR_EACH_THERE(NA_INTEGER) { LOAD(uint16_t, value); *out = value; } break;
  case 'i': case 't': {
    int lossy = 0;
    FOR_EACH_THERE(NA_INTEGER) { LOAD(int32_t, value); lossy |= value == INT_MIN; *out = value; }
    if (lossy) warn_once(type, "holds -2147483648, which R's integers take for NA");
    break;
  }
  case '+':
    for (int64_t i = 0; i < length; i++) fill_integers(out + i, type->children[1], array->children[1], run_of(type, array, row + i), 1);
    break;
  default: for (int64_t i = 0; i < length; i++) out[i] = NA_INTEGER;
  }
}

static void fill_missing(SEXP vector, int64_t at) {
  switch (TYPEOF(vector)) {
  case LGLSXP: LOGICAL(vector)[at] = NA_LOGICAL; break;
  case INTSXP: INTEGER(vector)[at] = NA_INTEGER; break;
  case REALSXP:
    if (Rf_inherits(vector, "integer64")) {
      int64_t smallest = INT64_MIN;
      memcpy(REAL(vector) + at, &smallest, sizeof smallest);
    } else REAL(vector)[at] = NA_REAL;
    break;
  case STRSXP: SET_STRING_ELT(vector, (R_xlen_t)at, NA_STRING); break;
  default:
    if (Rf_inherits(vector, "data.frame"))
      for (R_xlen_t i = 0; i < XLENGTH(vector); i++) fill_missing(VECTOR_ELT(vector, i), at);
  }
}

static struct table *filling; /* whose values are being made: nested ones need its dictionaries */

static void fill_interval(SEXP made, int64_t at, struct type *type, const struct array *array, int64_t row) {
  const uint8_t *data = array->buffers[0].data;
  if (type->format[2] == 'D') {
    memcpy(INTEGER(VECTOR_ELT(made, 0)) + at, data + 8 * row, 4);
    memcpy(INTEGER(VECTOR_ELT(made, 1)) + at, data + 8 * row + 4, 4);
    return;
  }
  int64_t nanoseconds;
  memcpy(INTEGER(VECTOR_ELT(made, 0)) + at, data + 16 * row, 4);
  memcpy(INTEGER(VECTOR_ELT(made, 1)) + at, data + 16 * row + 4, 4);
  memcpy(&nanoseconds, data + 16 * row + 8, 8);
  REAL(VECTOR_ELT(made, 2))[at] = (double)nanoseconds;
  if (nanoseconds > EXACT || nanoseconds < -EXACT) warn_once(type, "holds whole numbers that R's doubles cannot hold exactly");
}

/* One element of a list: a vector of its values. */
static SEXP element(struct type *type, const struct array *array, int64_t start, int64_t size) {
  if (start < 0 || size < 0 || start > array->length || size > array->length - start) damaged(OUTSIDE);
  SEXP made = PROTECT(vector_for(type, filling, size));
  vector_fill(made, 0, type, array, start, size);
  UNPROTECT(1);
  return made;
}

static SEXP list_element(struct type *type, const struct array *array, int64_t row) {
  const char *format = type->format;
  if (strchr("zZwv", *format)) {
    int64_t size;
    const uint8_t *bytes = bytes_at(type, array, row, &size);
    SEXP made = Rf_allocVector(RAWSXP, (R_xlen_t)size);
    if (size) memcpy(RAW(made), bytes, (size_t)size);
    return made;
  }
  if (format[1] == 'u') {
    int64_t at;
    int child = union_child(type, array, row, &at);
    if (child < 0) damaged(OUTSIDE);
    if (!is_there(array->children[child], at)) return R_NilValue;
    return element(type->children[child], array->children[child], at, 1);
  }
  if (format[1] == 'w') {
    int64_t size = size_of_list(type);
    return element(type->children[0], array->children[0], row * size, size);
  }
  int wide = format[1] == 'L' || !strcmp(format, "+vL");
  int64_t start = offset_at(&array->buffers[0], row, wide);
  int64_t size = format[1] == 'v' ? offset_at(&array->buffers[1], row, wide) : offset_at(&array->buffers[0], row + 1, wide);
  if (format[1] != 'v' && __builtin_sub_overflow(size, start, &size)) damaged(OUTSIDE);
  return element(type->children[0], array->children[0], start, size);
}

static void fill_list(SEXP vector, int64_t at, struct type *type, const struct array *array, int64_t row, int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    if (!is_there(array, row + i)) {
      fill_missing(vector, at + i);
    } else if (type->has_dictionary) {
      int64_t place;
      const struct array *chunk = value_of(type, array, row + i, &place);
      vector_fill(vector, at + i, type->values, chunk, place, 1);
    } else if (!strcmp(type->format, "+r")) {
      vector_fill(vector, at + i, type->children[1], array->children[1], run_of(type, array, row + i), 1);
    } else if (!strcmp(type->format, "+s")) {
      for (int j = 0; j < type->num_children; j++)
        vector_fill(VECTOR_ELT(vector, j), at + i, type->children[j], array->children[j], row + i, 1);
    } else if (*type->format == 't') {
      fill_interval(vector, at + i, type, array, row + i);
    } else {
      SET_VECTOR_ELT(vector, (R_xlen_t)(at + i), list_element(type, array, row + i));
    }
  }
}

/* Fill in values `row` ... of an array, from position `at` of a vector that `vector_for` made. */
void vector_fill(SEXP vector, int64_t at, struct type *type, const struct array *array, int64_t row, int64_t length) {
  switch (TYPEOF(vector)) {
  case LGLSXP: fill_integers(LOGICAL(vector) + at, type, array, row, length); break;
  case INTSXP: fill_integers(INTEGER(vector) + at, type, array, row, length); break;
  case REALSXP: fill_doubles(REAL(vector) + at, type, array, row, length); break;
  case STRSXP:
    for (int64_t i = 0; i < length; i++) SET_STRING_ELT(vector, (R_xlen_t)(at + i), text_at(type, array, row + i));
    break;
  default: fill_list(vector, at, type, array, row, length);
  }
}

/* A whole column, made now: of a type whose values R keeps in a list. */
SEXP column_now(struct table *table, struct type *type, int number) {
  SEXP made = PROTECT(vector_for(type, table, table->rows));
  int64_t at = 0;
  filling = table;
  for (int i = 0; i < table->footer.num_batches; i++) {
    const struct array *array = table->batches[i]->children[number];
    vector_fill(made, at, type, array, 0, array->length);
    at += array->length;
  }
  UNPROTECT(1);
  return made;
}
