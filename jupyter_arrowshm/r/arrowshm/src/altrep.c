/* Columns that are not R's yet (ALTREP). A column of doubles, integers or integer64 that is whole and without nulls *is* the
 * mapping. Every other one is made when somebody first wants all of it; single values are read where they lie. */
#include "arrowshm.h"
#include <R_ext/Altrep.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct column {
  struct table *table; /* kept by the pointer's protected value */
  struct type *type;
  int number;
  void *values; /* in the mapping; NULL where they have to be made */
  int is_checked; /* for the value that R takes for NA */
};

static R_altrep_class_t real_class, integer_class, logical_class, text_class;

static struct column *column_of(SEXP x) { return R_ExternalPtrAddr(R_altrep_data1(x)); }

static void column_free(SEXP pointer) {
  free(R_ExternalPtrAddr(pointer));
  R_ClearExternalPtr(pointer);
}

static R_xlen_t length_of(SEXP x) { return (R_xlen_t)column_of(x)->table->rows; }

/* The batch that has a row, and its row there. */
static const struct array *batch_of(const struct column *column, int64_t *row) {
  int i = 0;
  while (*row >= column->table->batches[i]->length) *row -= column->table->batches[i++]->length;
  return column->table->batches[i]->children[column->number];
}

/* The smallest integer is R's NA. It is looked for when the values are first wanted, not by attaching. */
static void check(struct column *column) {
  if (column->is_checked) return;
  column->is_checked = 1;
  int64_t n = column->table->rows;
  int found = 0;
  if (*column->type->format == 'l') {
    const int64_t *values = column->values;
    for (int64_t i = 0; i < n; i++) found |= values[i] == INT64_MIN;
    if (found) warn_once(column->type, "holds -9223372036854775808, which R's integer64 takes for NA");
  } else if (*column->type->format != 'g') {
    const int32_t *values = column->values;
    for (int64_t i = 0; i < n; i++) found |= values[i] == INT_MIN;
    if (found) warn_once(column->type, "holds -2147483648, which R's integers take for NA");
  }
}

static SEXP made(SEXP x) {
  SEXP values = R_altrep_data2(x);
  if (values != R_NilValue) return values;
  struct column *column = column_of(x);
  values = PROTECT(Rf_allocVector(TYPEOF(x), length_of(x)));
  int64_t at = 0;
  for (int i = 0; i < column->table->footer.num_batches; i++) {
    const struct array *array = column->table->batches[i]->children[column->number];
    vector_fill(values, at, column->type, array, 0, array->length);
    at += array->length;
  }
  R_set_altrep_data2(x, values);
  UNPROTECT(1);
  return values;
}

static void *data_of(SEXP x, Rboolean writable) {
  struct column *column = column_of(x);
  if (R_altrep_data2(x) == R_NilValue && column->values) {
    check(column);
    /* R asks for a writable vector also to read it. The mapping is private: what is written are pages of this process alone. */
    if (!writable || make_writable(column->table)) return column->values;
  }
  return (void *)DATAPTR_RO(made(x));
}

static const void *data_or_null(SEXP x) {
  struct column *column = column_of(x);
  if (R_altrep_data2(x) != R_NilValue) return DATAPTR_RO(R_altrep_data2(x));
  if (column->values) check(column);
  return column->values;
}

static double real_at(SEXP x, R_xlen_t i) {
  struct column *column = column_of(x);
  int64_t row = i;
  double value;
  if (R_altrep_data2(x) != R_NilValue) return REAL_ELT(R_altrep_data2(x), i);
  if (column->values) {
    check(column);
    return ((double *)column->values)[i];
  }
  const struct array *array = batch_of(column, &row);
  fill_doubles(&value, column->type, array, row, 1);
  return value;
}

static int integer_at(SEXP x, R_xlen_t i) {
  struct column *column = column_of(x);
  int64_t row = i;
  int value;
  if (R_altrep_data2(x) != R_NilValue) return TYPEOF(x) == LGLSXP ? LOGICAL_ELT(R_altrep_data2(x), i) : INTEGER_ELT(R_altrep_data2(x), i);
  if (column->values) {
    check(column);
    return ((int *)column->values)[i];
  }
  const struct array *array = batch_of(column, &row);
  fill_integers(&value, column->type, array, row, 1);
  return value;
}

static SEXP text_of(SEXP x, R_xlen_t i) {
  struct column *column = column_of(x);
  int64_t row = i;
  if (R_altrep_data2(x) != R_NilValue) return STRING_ELT(R_altrep_data2(x), i);
  const struct array *array = batch_of(column, &row);
  return text_at(column->type, array, row);
}

static void set_text(SEXP x, R_xlen_t i, SEXP value) { SET_STRING_ELT(made(x), i, value); }

static const void *text_data_or_null(SEXP x) { return R_altrep_data2(x) == R_NilValue ? NULL : DATAPTR_RO(R_altrep_data2(x)); }

static void *text_data(SEXP x, Rboolean writable) {
  (void)writable;
  return (void *)DATAPTR_RO(made(x));
}

static Rboolean inspect(SEXP x, int before, int deep, int per, void (*subtree)(SEXP, int, int, int)) {
  (void)before, (void)deep, (void)per, (void)subtree;
  Rprintf(" column of a shared table (%s)\n", column_of(x)->values ? "the mapping itself" : R_altrep_data2(x) == R_NilValue ? "not made yet" : "made");
  return TRUE;
}

void altrep_init(DllInfo *dll) {
  real_class = R_make_altreal_class("shared_real", "arrowshm", dll);
  integer_class = R_make_altinteger_class("shared_integer", "arrowshm", dll);
  logical_class = R_make_altlogical_class("shared_logical", "arrowshm", dll);
  text_class = R_make_altstring_class("shared_text", "arrowshm", dll);
  R_altrep_class_t all[] = {real_class, integer_class, logical_class, text_class};
  for (int i = 0; i < 4; i++) {
    R_set_altrep_Length_method(all[i], length_of);
    R_set_altrep_Inspect_method(all[i], inspect);
    R_set_altvec_Dataptr_method(all[i], i == 3 ? text_data : data_of);
    R_set_altvec_Dataptr_or_null_method(all[i], i == 3 ? text_data_or_null : data_or_null);
  }
  R_set_altreal_Elt_method(real_class, real_at);
  R_set_altinteger_Elt_method(integer_class, integer_at);
  R_set_altlogical_Elt_method(logical_class, integer_at);
  R_set_altstring_Elt_method(text_class, text_of);
  R_set_altstring_Set_elt_method(text_class, set_text);
}

/* The values of a column where they lie, if they are as R has them: of one batch, without nulls, and aligned. */
static void *values_in_place(struct table *table, const struct type *type, int number) {
  const char *format = type->format;
  int bytes = *format == 'g' || (*format == 'l' && has_bit64()) ? 8 : *format == 'i' || !strcmp(format, "tdD") || !strcmp(format, "tiM") ? 4 : 0;
  if (table->footer.num_batches != 1 || type->has_dictionary || !bytes) return NULL;
  const struct array *array = table->batches[0]->children[number];
  const uint8_t *data = array->buffers[0].data;
  return array->validity || (uintptr_t)data % (uintptr_t)bytes ? NULL : (void *)data;
}

static SEXP column_for(SEXP handle, struct table *table, int number) {
  struct type *type = table->footer.schema->children[number];
  SEXP pattern = PROTECT(vector_for(type, table, 0));
  int kind = TYPEOF(pattern);
  if (kind == VECSXP || table->rows == 0) {
    UNPROTECT(1);
    return column_now(table, type, number);
  }
  struct column *column = calloc(1, sizeof *column);
  if (!column) Rf_error("there is no memory left");
  *column = (struct column){table, type, number, values_in_place(table, type, number), 0};
  SEXP pointer = PROTECT(R_MakeExternalPtr(column, R_NilValue, handle));
  R_RegisterCFinalizerEx(pointer, column_free, FALSE);
  R_altrep_class_t class = kind == REALSXP ? real_class : kind == INTSXP ? integer_class : kind == LGLSXP ? logical_class : text_class;
  SEXP vector = PROTECT(R_new_altrep(class, pointer, R_NilValue));
  Rf_copyMostAttrib(pattern, vector);
  UNPROTECT(3);
  return vector;
}

/* The columns of an attached table, by their numbers from 1. */
SEXP C_columns(SEXP handle, SEXP which, SEXP bit64) {
  struct table *table = table_of(handle);
  set_bit64(Rf_asLogical(bit64));
  R_xlen_t n = XLENGTH(which);
  SEXP columns = PROTECT(Rf_allocVector(VECSXP, n));
  for (R_xlen_t i = 0; i < n; i++) SET_VECTOR_ELT(columns, i, column_for(handle, table, INTEGER(which)[i] - 1));
  UNPROTECT(1);
  return columns;
}

/* The table that a vector is a column of; NULL if it is not one. */
struct table *table_of_column(SEXP x) {
  if (!ALTREP(x)) return NULL;
  int ours = R_altrep_inherits(x, real_class) || R_altrep_inherits(x, integer_class) || R_altrep_inherits(x, logical_class) ||
             R_altrep_inherits(x, text_class);
  return ours ? column_of(x)->table : NULL;
}

/* Whether a column is the mapping itself. */
SEXP C_in_place(SEXP x) {
  return Rf_ScalarLogical(table_of_column(x) && column_of(x)->values && R_altrep_data2(x) == R_NilValue);
}
