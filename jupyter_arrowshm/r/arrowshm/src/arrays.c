/* The record batches of a mapped file: where the values of each column lie. Nothing is copied, and the sizes of all buffers are
 * checked here; what the values themselves say (offsets, indices) is checked where they are read, or in `validate_array`. */
#include "arrowshm.h"
#include "flatbuffer.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct batch { /* a RecordBatch message on its way to arrays */
  struct flatbuffer fb;
  struct table *table;
  const uint8_t *body;
  int64_t body_size, nodes, num_nodes, buffers, num_buffers, counts, num_counts;
  int64_t next_node, next_buffer, next_count;
  const char *wrong;
};

static struct array *give_up(struct batch *batch, struct array *array, const char *why) {
  if (!batch->wrong) batch->wrong = why;
  return array;
}

static struct buffer take_buffer(struct batch *batch) {
  struct buffer none = {NULL, 0};
  if (batch->next_buffer >= batch->num_buffers) {
    batch->wrong = "a buffer is missing";
    return none;
  }
  int64_t at = batch->buffers + 16 * batch->next_buffer++;
  int64_t offset = fb_read(&batch->fb, at, 8), size = fb_read(&batch->fb, at + 8, 8);
  if (offset < 0 || size < 0 || offset > batch->body_size || size > batch->body_size - offset) {
    batch->wrong = "a buffer lies outside of the file";
    return none;
  }
  struct buffer found = {batch->body + offset, size};
  return found;
}

/* Bytes of one value; 0 for what is not of one width. Booleans are not. */
static int64_t width_of(const char *format) {
  switch (*format) {
  case 'c': case 'C': return 1;
  case 's': case 'S': case 'e': return 2;
  case 'i': case 'I': case 'f': return 4;
  case 'l': case 'L': case 'g': return 8;
  case 'd': {
    const char *comma = strchr(format, ',');
    comma = comma ? strchr(comma + 1, ',') : NULL;
    return comma ? atoi(comma + 1) / 8 : 16;
  }
  case 't':
    if (!strcmp(format, "tdD") || !strcmp(format, "tts") || !strcmp(format, "ttm") || !strcmp(format, "tiM")) return 4;
    return strcmp(format, "tin") ? 8 : 16;
  default: return 0;
  }
}

int64_t size_of_list(const struct type *type) { return atoi(type->format + 3); }

static struct array *build(struct batch *batch, const struct type *type);

static void build_children(struct batch *batch, const struct type *type, struct array *array) {
  if (!type->num_children) return;
  array->children = calloc((size_t)type->num_children, sizeof *array->children);
  for (int i = 0; array->children && i < type->num_children && !batch->wrong; i++) {
    array->children[i] = build(batch, type->children[i]);
    array->num_children = i + 1;
  }
  if (!array->children) batch->wrong = "there is no memory left";
}

static struct array *build(struct batch *batch, const struct type *type) {
  const char *format = type->format;
  struct array *array = calloc(1, sizeof *array);
  if (!array) return give_up(batch, array, "there is no memory left");
  if (batch->next_node >= batch->num_nodes) return give_up(batch, array, "a column is missing");
  int64_t at = batch->nodes + 16 * batch->next_node++;
  int64_t n = array->length = fb_read(&batch->fb, at, 8);
  array->null_count = fb_read(&batch->fb, at + 8, 8);
  if (n < 0 || n > INT64_MAX / 64) return give_up(batch, array, "a column has an impossible length");
  int is_union = !strncmp(format, "+u", 2);
  if (*format != 'n' && !is_union && strcmp(format, "+r")) {
    struct buffer validity = take_buffer(batch);
    if (validity.size && array->null_count && validity.size < (n + 7) / 8) return give_up(batch, array, "a validity bitmap is too short");
    if (validity.size && array->null_count) array->validity = validity.data;
  }
  int64_t width = width_of(format);
  struct buffer *buffers = array->buffers;
  if (width) {
    buffers[0] = take_buffer(batch);
    if (buffers[0].size / width < n) return give_up(batch, array, "a column has fewer values than rows");
  } else if (*format == 'b') {
    buffers[0] = take_buffer(batch);
    if (buffers[0].size < (n + 7) / 8) return give_up(batch, array, "a column has fewer values than rows");
  } else if (*format == 'w') {
    buffers[0] = take_buffer(batch);
    int64_t each = atoi(format + 2);
    if (each && buffers[0].size / each < n) return give_up(batch, array, "a column has fewer values than rows");
  } else if (strchr("uzUZ", *format) || !strcmp(format, "+l") || !strcmp(format, "+L") || !strcmp(format, "+m")) {
    int64_t each = *format == 'U' || *format == 'Z' || !strcmp(format, "+L") ? 8 : 4;
    buffers[0] = take_buffer(batch);
    if (n && buffers[0].size / each < n + 1) return give_up(batch, array, "a column has fewer offsets than rows");
    if (*format != '+') buffers[1] = take_buffer(batch);
  } else if (!strncmp(format, "+v", 2)) {
    int64_t each = format[2] == 'L' ? 8 : 4;
    buffers[0] = take_buffer(batch);
    buffers[1] = take_buffer(batch);
    if (buffers[0].size / each < n || buffers[1].size / each < n) return give_up(batch, array, "a column has fewer offsets than rows");
  } else if (*format == 'v') {
    buffers[0] = take_buffer(batch);
    if (buffers[0].size / 16 < n) return give_up(batch, array, "a column has fewer values than rows");
    int64_t count = batch->next_count < batch->num_counts ? fb_read(&batch->fb, batch->counts + 8 * batch->next_count++, 8) : -1;
    if (count < 0 || count > batch->num_buffers - batch->next_buffer) return give_up(batch, array, "a buffer is missing");
    array->variadic = calloc((size_t)count + 1, sizeof *array->variadic);
    if (!array->variadic) return give_up(batch, array, "there is no memory left");
    for (array->num_variadic = 0; array->num_variadic < count; array->num_variadic++)
      array->variadic[array->num_variadic] = take_buffer(batch);
  } else if (is_union) {
    buffers[0] = take_buffer(batch);
    if (buffers[0].size < n) return give_up(batch, array, "a column has fewer values than rows");
    if (format[2] == 'd') {
      buffers[1] = take_buffer(batch);
      if (buffers[1].size / 4 < n) return give_up(batch, array, "a column has fewer offsets than rows");
    }
  }
  if (batch->wrong) return array;
  build_children(batch, type, array);
  if (batch->wrong) return array;
  for (int i = 0; i < array->num_children; i++) {
    int64_t least = !strcmp(format, "+s") || !strncmp(format, "+us", 3) ? n : 0;
    if (!strncmp(format, "+w", 2)) {
      int64_t each = size_of_list(type);
      if (each < 0 || (each && n > INT64_MAX / 64 / each)) return give_up(batch, array, "a list has an impossible length");
      least = n * each;
    }
    if (array->children[i]->length < least) return give_up(batch, array, "a part of a column has fewer values than rows");
  }
  if (type->has_dictionary) {
    for (int i = 0; i < batch->table->num_dictionaries; i++)
      if (batch->table->dictionaries[i].id == type->dictionary) array->dictionary = &batch->table->dictionaries[i];
    if (!array->dictionary) return give_up(batch, array, "a dictionary is missing");
  }
  return array;
}

static void array_free(struct array *array) {
  if (!array) return;
  for (int i = 0; i < array->num_children; i++) array_free(array->children[i]);
  free(array->children);
  free(array->variadic);
  free(array);
}

void table_free(struct table *table) {
  for (int i = 0; table->batches && i < table->footer.num_batches; i++) array_free(table->batches[i]);
  free(table->batches);
  for (int i = 0; i < table->num_dictionaries; i++) {
    for (int j = 0; j < table->dictionaries[i].num_chunks; j++) array_free(table->dictionaries[i].chunks[j]);
    free(table->dictionaries[i].chunks);
  }
  free(table->dictionaries);
  footer_free(&table->footer);
}

static int collect_dictionaries(struct table *table, struct type *type) {
  for (int i = 0; i < type->num_children; i++)
    if (collect_dictionaries(table, type->children[i])) return -1;
  if (!type->has_dictionary) return 0;
  if (collect_dictionaries(table, type->values)) return -1;
  for (int i = 0; i < table->num_dictionaries; i++)
    if (table->dictionaries[i].id == type->dictionary) return 0;
  struct dictionary *more = realloc(table->dictionaries, (size_t)(table->num_dictionaries + 1) * sizeof *more);
  if (!more) return -1;
  table->dictionaries = more;
  memset(&more[table->num_dictionaries], 0, sizeof *more);
  more[table->num_dictionaries].id = type->dictionary;
  more[table->num_dictionaries++].type = type->values;
  return 0;
}

/* Open the message of a block: fill `batch` up to its body, and return the position of the header; 0 if it is damaged. */
static int64_t open_block(struct table *table, struct block block, int kind, struct batch *batch) {
  memset(batch, 0, sizeof *batch);
  if (block.metadata < 8 || block.offset < 0 || block.body < 0 || block.offset > table->size - block.metadata ||
      block.body > table->size - block.offset - block.metadata)
    return 0;
  const uint8_t *start = table->data + block.offset;
  int prefix = memcmp(start, "\377\377\377\377", 4) ? 4 : 8; /* before 0.15 there was no 0xFFFFFFFF */
  batch->fb.data = start + prefix;
  batch->fb.size = block.metadata - prefix;
  batch->table = table;
  batch->body = start + block.metadata;
  batch->body_size = block.body;
  int64_t message = fb_root(&batch->fb);
  if (fb_number(&batch->fb, message, 1, 1, 0) != kind) return 0;
  return fb_table(&batch->fb, message, 2);
}

static int open_batch(struct batch *batch, int64_t header, struct fault *fault) {
  batch->nodes = fb_vector(&batch->fb, header, 1, 16, &batch->num_nodes);
  batch->buffers = fb_vector(&batch->fb, header, 2, 16, &batch->num_buffers);
  batch->counts = fb_vector(&batch->fb, header, 4, 8, &batch->num_counts);
  if (fb_field(&batch->fb, header, 3)) return fail(fault, "damaged", "it is compressed, so it cannot be used where it lies", NULL);
  if (batch->fb.bad) return fail(fault, "damaged", "a batch of it is damaged", NULL);
  return 0;
}

/* Read all batches of a table whose data and footer are there; `full` looks at the values, too. */
int table_read(struct table *table, int full, struct fault *fault) {
  struct type *schema = table->footer.schema;
  struct batch batch;
  if (collect_dictionaries(table, schema)) return fail(fault, "damaged", "there is no memory left", NULL);
  for (int i = 0; i < table->footer.num_dictionaries; i++) {
    int64_t header = open_block(table, table->footer.dictionaries[i], 2, &batch);
    int64_t id = fb_number(&batch.fb, header, 0, 8, 0), data = fb_table(&batch.fb, header, 1);
    int is_delta = fb_number(&batch.fb, header, 2, 1, 0) != 0;
    struct dictionary *dictionary = NULL;
    for (int j = 0; j < table->num_dictionaries; j++)
      if (table->dictionaries[j].id == id) dictionary = &table->dictionaries[j];
    if (!header || !data || batch.fb.bad) return fail(fault, "damaged", "a dictionary of it is damaged", NULL);
    if (!dictionary) continue;
    if (dictionary->num_chunks && !is_delta) return fail(fault, "damaged", "a dictionary of it is there twice", NULL);
    if (open_batch(&batch, data, fault)) return -1;
    struct array **more = realloc(dictionary->chunks, (size_t)(dictionary->num_chunks + 1) * sizeof *more);
    if (!more) return fail(fault, "damaged", "there is no memory left", NULL);
    dictionary->chunks = more;
    struct array *chunk = more[dictionary->num_chunks++] = build(&batch, dictionary->type);
    if (batch.wrong || batch.fb.bad) return fail(fault, "damaged", batch.wrong ? batch.wrong : "a dictionary of it is damaged", NULL);
    dictionary->length += chunk->length;
  }
  table->batches = calloc((size_t)table->footer.num_batches + 1, sizeof *table->batches);
  if (!table->batches) return fail(fault, "damaged", "there is no memory left", NULL);
  for (int i = 0; i < table->footer.num_batches; i++) {
    int64_t header = open_block(table, table->footer.batches[i], 3, &batch);
    if (!header || batch.fb.bad) return fail(fault, "damaged", "a batch of it is damaged", NULL);
    if (open_batch(&batch, header, fault)) return -1;
    struct array *whole = table->batches[i] = calloc(1, sizeof *whole);
    if (!whole) return fail(fault, "damaged", "there is no memory left", NULL);
    whole->length = fb_number(&batch.fb, header, 0, 8, 0);
    if (whole->length < 0 || whole->length > (int64_t)1 << 52) return fail(fault, "damaged", "a batch has an impossible length", NULL);
    build_children(&batch, schema, whole);
    if (batch.wrong || batch.fb.bad) return fail(fault, "damaged", batch.wrong ? batch.wrong : "a batch of it is damaged", NULL);
    for (int j = 0; j < whole->num_children; j++)
      if (whole->children[j]->length != whole->length) return fail(fault, "damaged", "its columns differ in length", NULL);
    table->rows += whole->length;
  }
  for (int i = 0; full && i < table->footer.num_batches; i++)
    for (int j = 0; j < schema->num_children; j++)
      if (validate_array(schema->children[j], table->batches[i]->children[j], fault)) return -1;
  for (int i = 0; full && i < table->num_dictionaries; i++)
    for (int j = 0; j < table->dictionaries[i].num_chunks; j++)
      if (validate_array(table->dictionaries[i].type, table->dictionaries[i].chunks[j], fault)) return -1;
  return 0;
}

/* The index of a dictionary-encoded row, as it is in the file. An unsigned one that is too large is -1, too. */
int64_t index_at(const struct type *type, const struct array *array, int64_t row) {
  const uint8_t *data = array->buffers[0].data;
#define INDEX(kind) { kind value; memcpy(&value, data + row * (int64_t)sizeof value, sizeof value); return (int64_t)value; }
  switch (*type->format) {
  case 'c': INDEX(int8_t)
  case 'C': INDEX(uint8_t)
  case 's': INDEX(int16_t)
  case 'S': INDEX(uint16_t)
  case 'i': INDEX(int32_t)
  case 'I': INDEX(uint32_t)
  default: INDEX(int64_t)
  }
}

/* The chunk that holds a dictionary's value, and its row there; NULL if there is no such value. */
struct array *dictionary_at(const struct dictionary *dictionary, int64_t index, int64_t *row) {
  if (index < 0 || index >= dictionary->length) return NULL;
  int i = 0;
  while (index >= dictionary->chunks[i]->length) index -= dictionary->chunks[i++]->length;
  *row = index;
  return dictionary->chunks[i];
}

int is_there(const struct array *array, int64_t row) { return !array->validity || array->validity[row / 8] >> (row % 8) & 1; }

int64_t offset_at(const struct buffer *buffer, int64_t row, int wide) {
  int64_t value = 0;
  if (wide) memcpy(&value, buffer->data + 8 * row, 8);
  else {
    int32_t narrow;
    memcpy(&narrow, buffer->data + 4 * row, 4);
    value = narrow;
  }
  return value;
}

/* Check every offset and index of a column (the columnar specification, "Physical Memory Layout"). */
int validate_array(const struct type *type, const struct array *array, struct fault *fault) {
  static const char OUTSIDE[] = "a value of it lies outside of the file";
  const char *format = type->format;
  int64_t n = array->length;
  if (type->has_dictionary) {
    for (int64_t i = 0; i < n; i++) {
      int64_t index = is_there(array, i) ? index_at(type, array, i) : 0;
      if (is_there(array, i) && (index < 0 || index >= array->dictionary->length)) return fail(fault, "damaged", OUTSIDE, NULL);
    }
    return 0;
  }
  int wide = *format == 'U' || *format == 'Z' || !strcmp(format, "+L") || !strcmp(format, "+vL");
  if (n && (strchr("uzUZ", *format) || !strcmp(format, "+l") || !strcmp(format, "+L") || !strcmp(format, "+m"))) {
    int64_t end = *format == '+' ? array->children[0]->length : array->buffers[1].size, before = offset_at(&array->buffers[0], 0, wide);
    for (int64_t i = 0; i < n; i++) {
      int64_t next = offset_at(&array->buffers[0], i + 1, wide);
      if (before < 0 || next < before || next > end) return fail(fault, "damaged", OUTSIDE, NULL);
      before = next;
    }
  } else if (!strncmp(format, "+v", 2)) {
    for (int64_t i = 0; i < n; i++) {
      int64_t start = offset_at(&array->buffers[0], i, wide), size = offset_at(&array->buffers[1], i, wide);
      if (start < 0 || size < 0 || size > array->children[0]->length || start > array->children[0]->length - size)
        return fail(fault, "damaged", OUTSIDE, NULL);
    }
  } else if (*format == 'v') {
    for (int64_t i = 0; i < n; i++) {
      int32_t words[4];
      memcpy(words, array->buffers[0].data + 16 * i, 16);
      if (!is_there(array, i) || (words[0] >= 0 && words[0] <= 12)) continue;
      if (words[0] < 0 || words[2] < 0 || words[2] >= array->num_variadic || words[3] < 0 ||
          (int64_t)words[3] + words[0] > array->variadic[words[2]].size)
        return fail(fault, "damaged", OUTSIDE, NULL);
    }
  } else if (!strncmp(format, "+u", 2)) {
    int64_t row;
    for (int64_t i = 0; i < n; i++)
      if (union_child(type, array, i, &row) < 0) return fail(fault, "damaged", OUTSIDE, NULL);
  } else if (!strcmp(format, "+r")) {
    int64_t before = 0;
    const struct array *ends = array->children[0];
    if (array->children[1]->length < ends->length) return fail(fault, "damaged", OUTSIDE, NULL);
    for (int64_t i = 0; i < ends->length; i++) {
      int64_t end = index_at(type->children[0], ends, i);
      if (end <= before) return fail(fault, "damaged", OUTSIDE, NULL);
      before = end;
    }
    if (before < n) return fail(fault, "damaged", OUTSIDE, NULL);
  }
  for (int i = 0; i < array->num_children; i++)
    if (validate_array(type->children[i], array->children[i], fault)) return -1;
  return 0;
}

/* Which child of a union has the value of this row, and where in that child; -1 if none has. */
int union_child(const struct type *type, const struct array *array, int64_t row, int64_t *at) {
  int tag = (int8_t)array->buffers[0].data[row], child = 0;
  const char *text = type->format + 4;
  for (; *text; text++, child++) {
    char *end;
    if (strtol(text, &end, 10) == tag) break;
    if (*end != ',') return -1;
    text = end;
  }
  if (!*text || child >= array->num_children) return -1;
  *at = type->format[2] == 'd' ? offset_at(&array->buffers[1], row, 0) : row;
  return *at < 0 || *at >= array->children[child]->length ? -1 : child;
}
