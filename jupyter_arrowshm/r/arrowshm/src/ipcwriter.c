/* Batches of the C data interface as an Arrow IPC file ("IPC File Format" in the columnar specification), by write(2). */
#include "arrowshm.h"
#include "builder.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define METADATA_VERSION 4 /* V5 */
#define AT_ONCE ((size_t)64 << 20)
enum { SCHEMA_MESSAGE = 1, DICTIONARY_MESSAGE = 2, BATCH_MESSAGE = 3 };
enum { NULLABLE = 2, ORDERED = 1, KEYS_SORTED = 4 }; /* flags of ArrowSchema */

/* -- the schema -- */

static int unit_of(char letter) { return letter == 's' ? 0 : letter == 'm' ? 1 : letter == 'u' ? 2 : 3; }

/* The number of a type in the union `Type` of Schema.fbs, and its fields; 0 for one that we cannot write. */
static int type_slots(const char *format, struct slots *s) {
  s->count = 0;
  switch (*format) {
  case 'n': return 1;
  case 'b': return 6;
  case 'c': case 's': case 'i': case 'l': case 'C': case 'S': case 'I': case 'L': {
    int is_signed = *format >= 'a', letter = *format | 32;
    slot(s, 4, letter == 'c' ? 8 : letter == 's' ? 16 : letter == 'i' ? 32 : 64);
    slot(s, 1, is_signed);
    return 2;
  }
  case 'e': case 'f': case 'g': slot(s, 2, *format - 'e'); return 3;
  case 'z': return 4;
  case 'u': return 5;
  case 'Z': return 19;
  case 'U': return 20;
  case 'v': return format[1] == 'z' ? 23 : 24;
  case 'w': slot(s, 4, atoi(format + 2)); return 15;
  case 'd': {
    int precision = 0, scale = 0, bits = 128;
    sscanf(format, "d:%d,%d,%d", &precision, &scale, &bits);
    slot(s, 4, precision), slot(s, 4, scale), slot(s, 4, bits);
    return 7;
  }
  case 't':
    switch (format[1]) {
    case 'd': slot(s, 2, format[2] == 'm'); return 8;
    case 't': slot(s, 2, unit_of(format[2])), slot(s, 4, format[2] == 'u' || format[2] == 'n' ? 64 : 32); return 9;
    case 's': slot(s, 2, unit_of(format[2])), slot(s, format[4] ? 4 : 0, 0); return 10;
    case 'D': slot(s, 2, unit_of(format[2])); return 18;
    case 'i': slot(s, 2, format[2] == 'M' ? 0 : format[2] == 'D' ? 1 : 2); return 11;
    default: return 0;
    }
  case '+':
    switch (format[1]) {
    case 's': return 13;
    case 'l': return 12;
    case 'L': return 21;
    case 'm': slot(s, 1, 0); return 17;
    case 'w': slot(s, 4, atoi(format + 3)); return 16;
    case 'r': return 22;
    case 'v': return format[2] == 'L' ? 26 : 25;
    case 'u': slot(s, 2, format[2] == 'd'), slot(s, 4, 0); return 14;
    default: return 0;
    }
  default: return 0;
  }
}

static void put_pair(struct builder *b, size_t from, const char *key, size_t key_size, const char *value, size_t value_size) {
  struct slots s = {0};
  slot(&s, 4, 0), slot(&s, 4, 0);
  put_table(b, from, &s);
  for (int i = 0; i < 2; i++) {
    const char *text = i ? value : key;
    size_t size = i ? value_size : key_size;
    align(b, 4, 0);
    refer(b, s.at[i]);
    put_number(b, (int64_t)size, 4);
    put_bytes(b, text, size);
    put_bytes(b, NULL, 1);
  }
}

/* The metadata of the C data interface: counts and lengths as int32, in this machine's order. */
static void put_metadata(struct builder *b, size_t from, const char *metadata) {
  int32_t count, size;
  memcpy(&count, metadata, 4);
  const char *at = metadata + 4;
  size_t first = put_vector(b, from, count, 4);
  put_bytes(b, NULL, 4 * (size_t)count);
  for (int32_t i = 0; i < count; i++) {
    memcpy(&size, at, 4);
    const char *key = at + 4;
    size_t key_size = (size_t)size;
    at = key + size;
    memcpy(&size, at, 4);
    put_pair(b, first + 4 * (size_t)i, key, key_size, at + 4, (size_t)size);
    at += 4 + size;
  }
}

static int put_fields(struct builder *b, size_t from, const struct ArrowSchema *parent, int64_t *dictionaries, const char **unknown);

/* Dictionaries are numbered in the order in which a walk over the schema meets them. */
static int put_field(struct builder *b, size_t from, const struct ArrowSchema *field, int64_t *dictionaries, const char **unknown) {
  struct slots s = {0}, type = {0};
  const struct ArrowSchema *values = field->dictionary ? field->dictionary : field;
  int kind = type_slots(values->format, &type), has_metadata = field->metadata && *(const int32_t *)field->metadata > 0;
  if (!kind) return *unknown = values->format, -1;
  if (!strcmp(values->format, "+m")) type.values[0] = (values->flags & KEYS_SORTED) != 0;
  slot(&s, 4, 0);
  slot(&s, 1, (field->flags & NULLABLE) != 0);
  slot(&s, 1, kind);
  slot(&s, 4, 0);
  slot(&s, field->dictionary ? 4 : 0, 0);
  slot(&s, 4, 0);
  slot(&s, has_metadata ? 4 : 0, 0);
  put_table(b, from, &s);
  put_text(b, s.at[0], field->name ? field->name : "");
  put_table(b, s.at[3], &type);
  if (!strncmp(values->format, "ts", 2) && values->format[4]) put_text(b, type.at[1], values->format + 4);
  if (!strncmp(values->format, "+u", 2)) {
    int count = (int)values->n_children;
    put_vector(b, type.at[1], count, 4);
    const char *text = values->format + 4;
    for (int i = 0; i < count; i++) {
      put_number(b, atoi(text), 4);
      text = strchr(text, ',') ? strchr(text, ',') + 1 : text;
    }
  }
  if (field->dictionary) {
    struct slots encoding = {0}, indices = {0};
    slot(&encoding, 8, (*dictionaries)++);
    slot(&encoding, 4, 0);
    slot(&encoding, 1, (field->flags & ORDERED) != 0);
    put_table(b, s.at[4], &encoding);
    if (type_slots(field->format, &indices) != 2) return *unknown = field->format, -1;
    put_table(b, encoding.at[1], &indices);
  }
  if (put_fields(b, s.at[5], values, dictionaries, unknown)) return -1;
  if (has_metadata) put_metadata(b, s.at[6], field->metadata);
  return 0;
}

static int put_fields(struct builder *b, size_t from, const struct ArrowSchema *parent, int64_t *dictionaries, const char **unknown) {
  size_t first = put_vector(b, from, parent->n_children, 4);
  put_bytes(b, NULL, 4 * (size_t)parent->n_children);
  for (int64_t i = 0; i < parent->n_children; i++)
    if (put_field(b, first + 4 * (size_t)i, parent->children[i], dictionaries, unknown)) return -1;
  return 0;
}

static int put_schema(struct builder *b, size_t from, const struct ArrowSchema *schema, struct fault *fault) {
  struct slots s = {0};
  int64_t dictionaries = 0;
  const char *unknown = NULL;
  int has_metadata = schema->metadata && *(const int32_t *)schema->metadata > 0;
  slot(&s, 2, 0), slot(&s, 4, 0), slot(&s, has_metadata ? 4 : 0, 0);
  put_table(b, from, &s);
  if (put_fields(b, s.at[1], schema, &dictionaries, &unknown)) {
    char text[128];
    snprintf(text, sizeof text, "Arrow type \"%.60s\" is not one that R can write", unknown);
    return fail(fault, "unsupported", text, NULL);
  }
  if (has_metadata) put_metadata(b, s.at[2], schema->metadata);
  return 0;
}

/* -- bytes -- */

static int write_bytes(struct writer *writer, const void *data, size_t size, struct fault *fault) {
  const uint8_t *at = data;
  writer->written += (int64_t)size;
  while (writer->fd >= 0 && size) {
    ssize_t done = write(writer->fd, at, size < AT_ONCE ? size : AT_ONCE);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_system(fault, errno);
    at += done;
    size -= (size_t)done;
    if (done >= (ssize_t)AT_ONCE && interrupted()) return fail(fault, "interrupted", "", NULL);
  }
  return 0;
}

static size_t padding(int64_t size) { return (size_t)(-size & 63); }

static int pad(struct writer *writer, int64_t size, struct fault *fault) {
  static const uint8_t ZEROS[64];
  return write_bytes(writer, ZEROS, padding(size), fault);
}

/* Write a message whose header `put` has built, padded so that its body begins at a multiple of 64. */
static int write_message(struct writer *writer, struct builder *b, struct block *block, struct fault *fault) {
  if (b->failed) return fail(fault, "unsupported", "there is no memory left", NULL);
  align(b, 64, (size_t)(writer->written + 8));
  int32_t prefix[2] = {-1, (int32_t)b->size};
  block->offset = writer->written;
  block->metadata = (int32_t)b->size + 8;
  return write_bytes(writer, prefix, 8, fault) || write_bytes(writer, b->data, b->size, fault);
}

static size_t begin_message(struct builder *b, int kind, int64_t body) {
  struct slots s = {0};
  put_bytes(b, NULL, 4);
  slot(&s, 2, METADATA_VERSION), slot(&s, 1, kind), slot(&s, 4, 0), slot(&s, 8, body);
  put_table(b, 0, &s);
  return s.at[2];
}

/* -- batches -- */

struct plan { /* the nodes and buffers of a batch, in the order of the file */
  int64_t *nodes, *counts;
  size_t num_nodes, num_counts, num_buffers, room;
  struct part {
    const void *data;
    int64_t size;
    void *own;
  } *buffers;
  int64_t body;
  struct {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    int64_t number;
  } dictionaries[256];
  int num_dictionaries;
  int64_t next_dictionary;
  const char *wrong;
};

static void plan_free(struct plan *plan) {
  for (size_t i = 0; i < plan->num_buffers; i++) free(plan->buffers[i].own);
  free(plan->buffers);
  free(plan->nodes);
  free(plan->counts);
}

static void add_buffer(struct plan *plan, const void *data, int64_t size, void *own) {
  if (plan->num_buffers == plan->room) {
    struct part *more = realloc(plan->buffers, (plan->room = 2 * plan->room + 16) * sizeof *more);
    if (!more) {
      free(own);
      plan->wrong = "there is no memory left";
      return;
    }
    plan->buffers = more;
  }
  plan->buffers[plan->num_buffers++] = (struct part){data, size, own};
  plan->body += size + (int64_t)padding(size);
}

static void add_numbers(struct plan *plan, int64_t **list, size_t *count, int64_t first, int64_t second, int both) {
  int64_t *more = realloc(*list, (*count + 2) * sizeof *more);
  if (!more) {
    plan->wrong = "there is no memory left";
    return;
  }
  *list = more;
  more[(*count)++] = first;
  if (both) more[(*count)++] = second;
}

/* Bits from `offset` on, which begin in the middle of a byte in a slice. */
static void add_bits(struct plan *plan, const uint8_t *bits, int64_t offset, int64_t length) {
  int64_t size = (length + 7) / 8;
  if (offset % 8 == 0 || !size) {
    add_buffer(plan, bits + offset / 8, size, NULL);
    return;
  }
  uint8_t *own = calloc((size_t)size, 1);
  if (!own) {
    plan->wrong = "there is no memory left";
    return;
  }
  for (int64_t i = 0; i < length; i++)
    if (bits[(offset + i) / 8] >> ((offset + i) % 8) & 1) own[i / 8] |= (uint8_t)(1 << i % 8);
  add_buffer(plan, own, size, own);
}

int64_t width_of_format(const char *format) {
  switch (*format) {
  case 'c': case 'C': return 1;
  case 's': case 'S': case 'e': return 2;
  case 'i': case 'I': case 'f': return 4;
  case 'l': case 'L': case 'g': return 8;
  case 'w': return atoi(format + 2);
  case 'd': {
    int bits = 128;
    sscanf(format, "d:%*d,%*d,%d", &bits);
    return bits / 8;
  }
  case 't':
    if (!strcmp(format, "tdD") || !strcmp(format, "tts") || !strcmp(format, "ttm") || !strcmp(format, "tiM")) return 4;
    return strcmp(format, "tin") ? 8 : 16;
  default: return 0;
  }
}

static int64_t count_dictionaries(const struct ArrowSchema *schema) {
  int64_t count = schema->dictionary ? 1 + count_dictionaries(schema->dictionary) : 0;
  for (int64_t i = 0; !schema->dictionary && i < schema->n_children; i++) count += count_dictionaries(schema->children[i]);
  return count;
}

static int64_t load_offset(const void *buffer, int64_t i, int wide) {
  if (wide) return ((const int64_t *)buffer)[i];
  return ((const int32_t *)buffer)[i];
}

static void add_array(struct plan *plan, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t shift, int64_t length) {
  static const int64_t NO_OFFSETS[2];
  const char *format = schema->format;
  int64_t offset = array->offset + shift, nulls = 0;
  int is_union = !strncmp(format, "+u", 2), is_runs = !strcmp(format, "+r");
  if (shift < 0 || length < 0 || shift + length > array->length) plan->wrong = OUT_OF_ORDER;
  if (plan->wrong) return;
  const uint8_t *validity = *format == 'n' || is_union || is_runs || !array->n_buffers ? NULL : array->buffers[0];
  if (validity && array->null_count)
    for (int64_t i = 0; i < length; i++) nulls += !(validity[(offset + i) / 8] >> ((offset + i) % 8) & 1);
  if (*format == 'n') nulls = length;
  add_numbers(plan, &plan->nodes, &plan->num_nodes, length, nulls, 1);
  if (*format != 'n' && !is_union && !is_runs) {
    if (nulls) add_bits(plan, validity, offset, length);
    else add_buffer(plan, NULL, 0, NULL);
  }
  int64_t width = width_of_format(format), first = 0, rows = 0; /* the rows of children that are needed */
  int wide = *format == 'U' || *format == 'Z' || !strcmp(format, "+L");
  if (width || *format == 'w') {
    add_buffer(plan, (const uint8_t *)array->buffers[1] + offset * width, length * width, NULL);
  } else if (*format == 'b') {
    add_bits(plan, array->buffers[1], offset, length);
  } else if (strchr("uzUZ", *format) || !strcmp(format, "+l") || !strcmp(format, "+L") || !strcmp(format, "+m")) {
    const uint8_t *offsets = array->buffers[1];
    int64_t each = wide ? 8 : 4;
    if (!offsets || array->length == 0) offsets = (const uint8_t *)NO_OFFSETS, offset = 0, length = 0;
    first = load_offset(offsets, offset, wide);
    rows = load_offset(offsets, offset + length, wide) - first;
    if (first < 0 || rows < 0) {
      plan->wrong = OUT_OF_ORDER;
      return;
    }
    uint8_t *own = first ? malloc((size_t)((length + 1) * each)) : NULL; /* a slice has no more than its own texts */
    if (first && !own) plan->wrong = "there is no memory left";
    for (int64_t i = 0; own && i <= length; i++) {
      int64_t moved = load_offset(offsets, offset + i, wide) - first;
      memcpy(own + i * each, &moved, (size_t)each); /* little-endian, as the file */
    }
    add_buffer(plan, own ? own : offsets + offset * each, (length + 1) * each, own);
    if (*format != '+') add_buffer(plan, (const uint8_t *)array->buffers[2] + first, rows, NULL);
  } else if (!strncmp(format, "+v", 2)) {
    int64_t each = format[2] == 'L' ? 8 : 4;
    add_buffer(plan, (const uint8_t *)array->buffers[1] + offset * each, length * each, NULL);
    add_buffer(plan, (const uint8_t *)array->buffers[2] + offset * each, length * each, NULL);
    rows = array->children[0]->length;
  } else if (*format == 'v') {
    int64_t count = array->n_buffers - 3;
    const int64_t *sizes = count >= 0 ? array->buffers[array->n_buffers - 1] : NULL;
    add_buffer(plan, (const uint8_t *)array->buffers[1] + 16 * offset, 16 * length, NULL);
    for (int64_t i = 0; i < count; i++) add_buffer(plan, array->buffers[2 + i], sizes[i], NULL);
    add_numbers(plan, &plan->counts, &plan->num_counts, count > 0 ? count : 0, 0, 0);
  } else if (is_union) {
    add_buffer(plan, (const uint8_t *)array->buffers[0] + offset, length, NULL);
    if (format[2] == 'd') add_buffer(plan, (const uint8_t *)array->buffers[1] + 4 * offset, 4 * length, NULL);
  } else if (is_runs && offset) {
    plan->wrong = "a slice of a run-end encoded column cannot be shared";
  }
  if (schema->dictionary) {
    if (plan->num_dictionaries == 256) plan->wrong = "it has more than 256 factors";
    else {
      plan->dictionaries[plan->num_dictionaries].schema = schema->dictionary;
      plan->dictionaries[plan->num_dictionaries].array = array->dictionary;
      plan->dictionaries[plan->num_dictionaries++].number = plan->next_dictionary;
      plan->next_dictionary += count_dictionaries(schema); /* those inside of its values come after it */
    }
  }
  for (int64_t i = 0; i < array->n_children && !plan->wrong; i++) {
    const struct ArrowArray *child = array->children[i];
    if (!strcmp(format, "+s") || !strncmp(format, "+us", 3)) first = offset, rows = length;
    else if (format[1] == 'w') first = offset * atoi(format + 3), rows = length * atoi(format + 3);
    else if (!strncmp(format, "+ud", 3) || is_runs) rows = child->length;
    add_array(plan, schema->children[i], child, first, rows);
  }
}

/* A dictionary may not change in a file: what was written of each is kept, to be compared with the next batch's. */
struct written {
  int64_t number;
  uint8_t *bytes;
  int64_t size;
  struct written *next;
};

static struct block *add_block(struct block **blocks, int *count) {
  struct block *more = realloc(*blocks, (size_t)(*count + 1) * sizeof *more);
  if (!more) return NULL;
  *blocks = more;
  return &more[(*count)++];
}

static int write_batch(struct writer *writer, struct plan *plan, int64_t rows, int64_t dictionary, struct fault *fault) {
  struct builder b = {0};
  struct slots s = {0};
  size_t header = begin_message(&b, dictionary >= 0 ? DICTIONARY_MESSAGE : BATCH_MESSAGE, plan->body);
  if (dictionary >= 0) {
    struct slots outer = {0};
    slot(&outer, 8, dictionary), slot(&outer, 4, 0), slot(&outer, 1, 0);
    put_table(&b, header, &outer);
    header = outer.at[1];
  }
  slot(&s, 8, rows), slot(&s, 4, 0), slot(&s, 4, 0), slot(&s, 0, 0), slot(&s, plan->num_counts ? 4 : 0, 0);
  put_table(&b, header, &s);
  put_vector(&b, s.at[1], (int64_t)plan->num_nodes / 2, 8);
  put_bytes(&b, plan->nodes, plan->num_nodes * 8);
  put_vector(&b, s.at[2], (int64_t)plan->num_buffers, 8);
  int64_t at = 0;
  for (size_t i = 0; i < plan->num_buffers; i++) {
    put_number(&b, at, 8);
    put_number(&b, plan->buffers[i].size, 8);
    at += plan->buffers[i].size + (int64_t)padding(plan->buffers[i].size);
  }
  if (plan->num_counts) {
    put_vector(&b, s.at[4], (int64_t)plan->num_counts, 8);
    put_bytes(&b, plan->counts, plan->num_counts * 8);
  }
  if (writer->fd >= 0 && (double)(writer->written + plan->body) > writer->room) {
    char needed[32];
    snprintf(needed, sizeof needed, "%lld", (long long)(writer->written + plan->body));
    free(b.data);
    return fail(fault, "room", "", needed);
  }
  struct block *block = dictionary >= 0 ? add_block(&writer->dictionaries, &writer->num_dictionaries)
                                        : add_block(&writer->batches, &writer->num_batches);
  int wrong = block ? write_message(writer, &b, block, fault) : fail(fault, "unsupported", "there is no memory left", NULL);
  if (!wrong) block->body = plan->body;
  free(b.data);
  for (size_t i = 0; i < plan->num_buffers && !wrong; i++)
    wrong = write_bytes(writer, plan->buffers[i].data, (size_t)plan->buffers[i].size, fault) || pad(writer, plan->buffers[i].size, fault);
  return wrong ? -1 : 0;
}

int writer_dictionary(struct writer *writer, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t number,
                            struct fault *fault) {
  struct plan plan = {0};
  int wrong = 0;
  plan.next_dictionary = number + 1;
  add_array(&plan, schema, array, 0, array->length);
  if (plan.wrong) wrong = fail(fault, "unsupported", plan.wrong, NULL);
  for (int i = 0; i < plan.num_dictionaries && !wrong; i++)
    wrong = writer_dictionary(writer, plan.dictionaries[i].schema, plan.dictionaries[i].array, plan.dictionaries[i].number, fault);
  uint8_t *bytes = wrong ? NULL : malloc((size_t)plan.body + 8);
  int64_t size = 8;
  if (bytes) memcpy(bytes, &array->length, 8);
  for (size_t i = 0; bytes && i < plan.num_buffers; i++) {
    if (plan.buffers[i].size) memcpy(bytes + size, plan.buffers[i].data, (size_t)plan.buffers[i].size);
    size += plan.buffers[i].size;
  }
  struct written *before = writer->dictionary_state;
  while (before && before->number != number) before = before->next;
  if (!wrong && !bytes) wrong = fail(fault, "unsupported", "there is no memory left", NULL);
  if (!wrong && before && (before->size != size || memcmp(before->bytes, bytes, (size_t)size)))
    wrong = fail(fault, "unsupported", "its factors have other levels from one batch to the next; share one data.frame of it", NULL);
  if (!wrong && !before) {
    struct written *made = malloc(sizeof *made);
    wrong = made ? write_batch(writer, &plan, array->length, number, fault) : fail(fault, "unsupported", "there is no memory left", NULL);
    if (made) {
      *made = (struct written){number, bytes, size, writer->dictionary_state};
      writer->dictionary_state = made;
      bytes = NULL;
    }
  }
  free(bytes);
  plan_free(&plan);
  return wrong;
}

static int write_head(struct writer *writer, struct fault *fault) {
  struct builder b = {0};
  struct block ignored;
  writer->begun = 1;
  int wrong = write_bytes(writer, "ARROW1\0\0", 8, fault) || put_schema(&b, begin_message(&b, SCHEMA_MESSAGE, 0), writer->schema, fault) ||
              write_message(writer, &b, &ignored, fault);
  free(b.data);
  return wrong ? -1 : 0;
}

/* Append a batch: a struct array whose children are the columns of `writer->schema`. */
int writer_batch(struct writer *writer, const struct ArrowArray *array, struct fault *fault) {
  struct plan plan = {0};
  int wrong = writer->begun ? 0 : write_head(writer, fault);
  for (int64_t i = 0; i < array->n_children && !wrong; i++) {
    add_array(&plan, writer->schema->children[i], array->children[i], array->offset, array->length);
    if (plan.wrong) wrong = fail(fault, "unsupported", plan.wrong, writer->schema->children[i]->name);
  }
  for (int i = 0; i < plan.num_dictionaries && !wrong && !writer->late; i++)
    wrong = writer_dictionary(writer, plan.dictionaries[i].schema, plan.dictionaries[i].array, plan.dictionaries[i].number, fault);
  if (!wrong) wrong = write_batch(writer, &plan, array->length, -1, fault);
  plan_free(&plan);
  writer->rows += array->length;
  return wrong ? -1 : 0;
}

/* The bytes that the buffers of a batch have. */
int64_t writer_size_of(const struct ArrowSchema *schema, const struct ArrowArray *array) {
  struct plan plan = {0};
  for (int64_t i = 0; i < array->n_children; i++) add_array(&plan, schema->children[i], array->children[i], array->offset, array->length);
  int64_t size = plan.body;
  plan_free(&plan);
  return size;
}

static void put_blocks(struct builder *b, size_t from, const struct block *blocks, int count) {
  put_vector(b, from, count, 8);
  for (int i = 0; i < count; i++) {
    put_number(b, blocks[i].offset, 8);
    put_number(b, blocks[i].metadata, 8); /* int32 and its padding */
    put_number(b, blocks[i].body, 8);
  }
}

/* Write the end of the batches, and the footer with these facts. */
int writer_finish(struct writer *writer, const struct pair *facts, int num_facts, struct fault *fault) {
  static const int32_t END[2] = {-1, 0};
  struct builder b = {0};
  struct slots s = {0};
  if (!writer->begun && write_head(writer, fault)) return -1;
  put_bytes(&b, NULL, 4);
  slot(&s, 2, METADATA_VERSION), slot(&s, 4, 0), slot(&s, 4, 0), slot(&s, 4, 0), slot(&s, 4, 0);
  put_table(&b, 0, &s);
  int wrong = put_schema(&b, s.at[1], writer->schema, fault);
  put_blocks(&b, s.at[2], writer->dictionaries, writer->num_dictionaries);
  put_blocks(&b, s.at[3], writer->batches, writer->num_batches);
  size_t first = put_vector(&b, s.at[4], num_facts, 4);
  put_bytes(&b, NULL, 4 * (size_t)num_facts);
  for (int i = 0; i < num_facts; i++)
    put_pair(&b, first + 4 * (size_t)i, facts[i].key, strlen(facts[i].key), facts[i].value, strlen(facts[i].value));
  if (!wrong && b.failed) wrong = fail(fault, "unsupported", "there is no memory left", NULL);
  int32_t size = (int32_t)b.size;
  if (!wrong)
    wrong = write_bytes(writer, END, 8, fault) || write_bytes(writer, b.data, b.size, fault) || write_bytes(writer, &size, 4, fault) ||
            write_bytes(writer, "ARROW1", 6, fault);
  free(b.data);
  return wrong ? -1 : 0;
}

void writer_free(struct writer *writer) {
  for (struct written *one = writer->dictionary_state, *next; one; one = next) {
    next = one->next;
    free(one->bytes);
    free(one);
  }
  free(writer->dictionaries);
  free(writer->batches);
}
