/* An attached table as the C data interface's structs, for whoever reads Arrow itself: the buffers are the mapping. A consumer may
 * keep any part of an array longer than the whole, and release it from any thread, so each part holds the table for itself, and
 * nothing here calls R. */
#include "arrowshm.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERED = 1, NULLABLE = 2, KEYS_SORTED = 4 };

/* -- schemas -- */

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  if (schema->dictionary && schema->dictionary->release) schema->dictionary->release(schema->dictionary);
  free(schema->dictionary);
  free((char *)schema->format);
  free((char *)schema->name);
  free((char *)schema->metadata);
  schema->release = NULL;
}

/* Counts and lengths as int32, in this machine's order; NULL where there is no metadata. */
static char *metadata_of(const struct type *type) {
  size_t size = 4;
  for (int i = 0; i < type->num_metadata; i++) size += 8 + strlen(type->metadata[i].key) + strlen(type->metadata[i].value);
  char *made = type->num_metadata ? malloc(size) : NULL, *at = made;
  if (!made) return NULL;
  int32_t number = type->num_metadata;
  memcpy(at, &number, 4), at += 4;
  for (int i = 0; i < type->num_metadata; i++)
    for (int j = 0; j < 2; j++) {
      const char *text = j ? type->metadata[i].value : type->metadata[i].key;
      number = (int32_t)strlen(text);
      memcpy(at, &number, 4);
      memcpy(at + 4, text, (size_t)number);
      at += 4 + number;
    }
  return made;
}

static int export_schema(const struct type *type, const int *which, int count, struct ArrowSchema *out);

static struct ArrowSchema *new_schema(const struct type *type) {
  struct ArrowSchema *made = calloc(1, sizeof *made);
  if (made && export_schema(type, NULL, type->num_children, made)) free(made), made = NULL;
  return made;
}

/* `which` of the children, counted from 1; all of them without it. */
static int export_schema(const struct type *type, const int *which, int count, struct ArrowSchema *out) {
  memset(out, 0, sizeof *out);
  out->release = release_schema;
  out->format = strdup(type->format);
  out->name = strdup(type->name);
  out->metadata = metadata_of(type);
  out->flags = (type->nullable ? NULLABLE : 0) | (type->ordered ? ORDERED : 0) | (type->sorted ? KEYS_SORTED : 0);
  out->children = calloc((size_t)count + 1, sizeof *out->children);
  int failed = !out->format || !out->name || !out->children || (type->num_metadata && !out->metadata);
  for (int i = 0; i < count && !failed; i++) {
    failed = !(out->children[i] = new_schema(type->children[which ? which[i] - 1 : i]));
    if (!failed) out->n_children = i + 1;
  }
  if (type->values && !failed) failed = !(out->dictionary = new_schema(type->values));
  if (failed) release_schema(out);
  return failed ? ENOMEM : 0;
}

/* -- arrays -- */

struct owner {
  struct table *table;
  int64_t *sizes; /* of a view's buffers */
  const void *buffers[];
};

static void release_array(struct ArrowArray *array) {
  struct owner *owner = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  if (array->dictionary && array->dictionary->release) array->dictionary->release(array->dictionary);
  free(array->dictionary);
  table_drop(owner->table);
  free(owner->sizes);
  free(owner);
  array->release = NULL;
}

/* How many of `struct array`'s own buffers a type has, after its validity. */
static int count_buffers(const char *format) {
  if (*format == 'n' || !strcmp(format, "+r") || !strcmp(format, "+s") || !strncmp(format, "+w", 2)) return 0;
  if (strchr("uzUZ", *format) || !strncmp(format, "+v", 2) || !strncmp(format, "+ud", 3)) return 2;
  return 1;
}

static int export_array(struct table *table, const struct type *type, const struct array *array, const int *which, int count,
                        struct ArrowArray *out);

static struct ArrowArray *new_array(struct table *table, const struct type *type, const struct array *array) {
  struct ArrowArray *made = calloc(1, sizeof *made);
  if (made && export_array(table, type, array, NULL, array->num_children, made)) free(made), made = NULL;
  return made;
}

static int export_array(struct table *table, const struct type *type, const struct array *array, const int *which, int count,
                        struct ArrowArray *out) {
  const char *format = type->format;
  int has_validity = *format != 'n' && strcmp(format, "+r") && strncmp(format, "+u", 2), own = count_buffers(format), n = 0;
  struct owner *owner = calloc(1, sizeof *owner + (size_t)(4 + array->num_variadic) * sizeof(void *));
  memset(out, 0, sizeof *out);
  if (!owner) return ENOMEM;
  owner->table = table_keep(table);
  out->release = release_array;
  out->private_data = owner;
  out->length = array->length;
  out->null_count = *format == 'n' ? array->length : array->validity ? -1 : 0; /* to be counted: the file may say anything */
  out->buffers = owner->buffers;
  if (has_validity) owner->buffers[n++] = array->validity;
  for (int i = 0; i < own; i++) owner->buffers[n++] = array->buffers[i].data;
  int failed = 0;
  if (*format == 'v') {
    failed = !(owner->sizes = calloc((size_t)array->num_variadic + 1, sizeof *owner->sizes));
    for (int64_t i = 0; i < array->num_variadic && !failed; i++) {
      owner->buffers[n++] = array->variadic[i].data;
      owner->sizes[i] = array->variadic[i].size;
    }
    owner->buffers[n++] = owner->sizes;
  }
  out->n_buffers = n;
  out->children = calloc((size_t)count + 1, sizeof *out->children);
  failed |= !out->children;
  for (int i = 0; i < count && !failed; i++) {
    int child = which ? which[i] - 1 : i;
    failed = !(out->children[i] = new_array(table, type->children[child], array->children[child]));
    if (!failed) out->n_children = i + 1;
  }
  if (array->dictionary && !failed)
    failed = !(out->dictionary = new_array(table, type->values, array->dictionary->chunks[0]));
  if (failed) release_array(out);
  return failed ? ENOMEM : 0;
}

/* -- the stream of a table's batches -- */

struct stream {
  struct table *table;
  int next, count;
  int which[];
};

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  struct stream *own = stream->private_data;
  return export_schema(own->table->footer.schema, own->which, own->count, out);
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct stream *own = stream->private_data;
  memset(out, 0, sizeof *out);
  if (own->next == own->table->footer.num_batches) return 0;
  return export_array(own->table, own->table->footer.schema, own->table->batches[own->next++], own->which, own->count, out);
}

static const char *stream_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return "there is no memory left";
}

static void stream_release(struct ArrowArrayStream *stream) {
  struct stream *own = stream->private_data;
  table_drop(own->table);
  free(own);
  stream->release = NULL;
}

/* Whether each dictionary below is one array, as the C data interface wants it. A damaged file may have none. */
static int is_whole(const struct table *table, const struct type *type) {
  for (int i = 0; i < type->num_children; i++)
    if (!is_whole(table, type->children[i])) return 0;
  for (int i = 0; type->has_dictionary && i < table->num_dictionaries; i++)
    if (table->dictionaries[i].id == type->dictionary && table->dictionaries[i].num_chunks != 1 && table->footer.num_batches) return 0;
  return !type->values || is_whole(table, type->values);
}

/* Make a nanoarrow stream of the table's batches, with these columns (from 1). */
SEXP C_stream(SEXP handle, SEXP which, SEXP stream) {
  struct fault fault;
  struct table *table = table_of(handle);
  struct ArrowArrayStream *out = R_ExternalPtrAddr(stream);
  int count = (int)XLENGTH(which);
  for (int i = 0; i < count; i++) {
    const struct type *type = table->footer.schema->children[INTEGER(which)[i] - 1];
    if (!is_whole(table, type)) return fail(&fault, "parts", type->name, NULL), fault_to_r(&fault);
  }
  struct stream *own = calloc(1, sizeof *own + (size_t)count * sizeof(int));
  if (!own) Rf_error("there is no memory left");
  own->table = table_keep(table);
  own->count = count;
  if (count) memcpy(own->which, INTEGER(which), (size_t)count * sizeof(int));
  *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, own};
  return R_NilValue;
}
