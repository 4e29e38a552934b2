/* The small batches of a stream as larger ones, and the levels of its factors as one set. What is appended is copied, and given to the
 * writer as one array; a file has each dictionary once, so those that grow from batch to batch are written after the last one. */
#include "arrowshm.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
  uint8_t *data;
  int64_t size, room;
};

struct levels { /* the distinct values of a dictionary, in the order in which they came, and a hash table of them */
  struct bytes offsets, text;
  int64_t count, *slots, num_slots, *map, map_size;
  int64_t null_level; /* the number of the null among them, which no slot has, and 1; 0 if none is null */
};

struct gathered {
  const struct ArrowSchema *schema;
  int64_t length, nulls, width, num_children;
  struct bytes validity, first, second; /* `first`: values, bits, or offsets; `second`: the bytes of texts */
  struct gathered **children;
  struct levels *levels;
};

static uint8_t *extend(struct bytes *bytes, int64_t size) {
  if (bytes->size + size > bytes->room) {
    int64_t room = 2 * (bytes->size + size) + 64;
    uint8_t *more = realloc(bytes->data, (size_t)room);
    if (!more) return NULL;
    bytes->data = more;
    bytes->room = room;
  }
  uint8_t *end = bytes->data + bytes->size;
  bytes->size += size;
  return end;
}

static int append_bytes(struct bytes *bytes, const void *data, int64_t size) {
  uint8_t *to = size ? extend(bytes, size) : NULL;
  if (!to) return size ? -1 : 0;
  memcpy(to, data, (size_t)size);
  return 0;
}

/* Bits of `from` behind the first `at` ones; ones where there is no `from`. */
static int append_bits(struct bytes *bytes, int64_t at, const uint8_t *from, int64_t offset, int64_t length) {
  int64_t more = (at + length + 7) / 8 - bytes->size;
  uint8_t *added = extend(bytes, more > 0 ? more : 0);
  if (!added && more > 0) return -1;
  if (more > 0) memset(added, 0, (size_t)more);
  for (int64_t i = 0; i < length; i++)
    if (!from || from[(offset + i) / 8] >> ((offset + i) % 8) & 1) bytes->data[(at + i) / 8] |= (uint8_t)(1 << (at + i) % 8);
  return 0;
}

static int is_bytes(const char *format) { return strchr("uzUZ", *format) && !format[1]; }
static int is_list(const char *format) { return !strcmp(format, "+l") || !strcmp(format, "+L") || !strcmp(format, "+m"); }
static int is_wide(const char *format) { return *format == 'U' || *format == 'Z' || !strcmp(format, "+L"); }

/* Whether batches of this type can be gathered: of views, unions and run ends none can. */
int can_gather(const struct ArrowSchema *schema) {
  const char *format = schema->format;
  if (schema->dictionary) return is_bytes(schema->dictionary->format) && !schema->dictionary->dictionary;
  if (!(*format == 'n' || *format == 'b' || *format == 'w' || width_of_format(format) || is_bytes(format) || is_list(format) ||
        !strcmp(format, "+s") || !strncmp(format, "+w", 2)))
    return 0;
  for (int64_t i = 0; i < schema->n_children; i++)
    if (!can_gather(schema->children[i])) return 0;
  return 1;
}

int has_levels(const struct ArrowSchema *schema) {
  int found = schema->dictionary != NULL;
  for (int64_t i = 0; i < schema->n_children; i++) found |= has_levels(schema->children[i]);
  return found;
}

struct gathered *gather_new(const struct ArrowSchema *schema) {
  struct gathered *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->schema = schema;
  made->width = width_of_format(schema->format);
  int failed = schema->dictionary && !(made->levels = calloc(1, sizeof *made->levels));
  made->children = calloc((size_t)schema->n_children + 1, sizeof *made->children);
  for (int64_t i = 0; i < schema->n_children && made->children && !failed; i++) {
    failed = !(made->children[i] = gather_new(schema->children[i]));
    if (!failed) made->num_children = i + 1;
  }
  if (failed || !made->children) {
    gather_free(made);
    return NULL;
  }
  return made;
}

static void bytes_free(struct bytes *bytes) { free(bytes->data); }

void gather_free(struct gathered *one) {
  if (!one) return;
  for (int64_t i = 0; i < one->num_children; i++) gather_free(one->children[i]);
  free(one->children);
  bytes_free(&one->validity), bytes_free(&one->first), bytes_free(&one->second);
  if (one->levels) {
    bytes_free(&one->levels->offsets), bytes_free(&one->levels->text);
    free(one->levels->slots);
    free(one->levels->map);
    free(one->levels);
  }
  free(one);
}

/* -- levels -- */

static uint64_t hash_of(const uint8_t *text, int64_t size) { /* FNV-1a */
  uint64_t hash = 14695981039346656037ULL;
  for (int64_t i = 0; i < size; i++) hash = (hash ^ text[i]) * 1099511628211ULL;
  return hash;
}

static int64_t level_offset(const struct levels *levels, int64_t i) { return ((const int64_t *)levels->offsets.data)[i]; }

static int64_t *slot_of(const struct levels *levels, const uint8_t *text, int64_t size) {
  for (uint64_t at = hash_of(text, size);; at++) {
    int64_t *slot = &levels->slots[at % (uint64_t)levels->num_slots];
    if (!*slot) return slot;
    int64_t start = level_offset(levels, *slot - 1);
    if (level_offset(levels, *slot) - start == size && !memcmp(levels->text.data + start, text, (size_t)size)) return slot;
  }
}

/* The number of this value, which is added if it is new; -1 without memory. NULL is the null. */
static int64_t level_of(struct levels *levels, const uint8_t *text, int64_t size) {
  static const int64_t ZERO;
  if (!text && levels->null_level) return levels->null_level - 1;
  if (!levels->offsets.size && append_bytes(&levels->offsets, &ZERO, sizeof ZERO)) return -1;
  if (!levels->text.data && (!extend(&levels->text, 1) || (levels->text.size = 0))) return -1;
  if (!text) {
    if (append_bytes(&levels->offsets, &levels->text.size, sizeof levels->text.size)) return -1;
    levels->null_level = ++levels->count;
    return levels->count - 1;
  }
  if (2 * (levels->count + 1) > levels->num_slots) {
    struct levels larger = *levels;
    larger.num_slots = 4 * (levels->count + 16);
    larger.slots = calloc((size_t)larger.num_slots, sizeof *larger.slots);
    if (!larger.slots) return -1;
    for (int64_t i = 0; i < levels->count; i++) {
      if (i + 1 == levels->null_level) continue;
      int64_t start = level_offset(levels, i);
      *slot_of(&larger, levels->text.data + start, level_offset(levels, i + 1) - start) = i + 1;
    }
    free(levels->slots);
    *levels = larger;
  }
  int64_t *slot = slot_of(levels, text, size);
  if (*slot) return *slot - 1;
  if (append_bytes(&levels->text, text, size) || append_bytes(&levels->offsets, &levels->text.size, sizeof levels->text.size)) return -1;
  *slot = ++levels->count;
  return levels->count - 1;
}

static int64_t offset_in(const void *buffer, int64_t i, int wide) { return wide ? ((const int64_t *)buffer)[i] : ((const int32_t *)buffer)[i]; }

static int is_valid(const struct ArrowArray *array, int64_t i) {
  const uint8_t *validity = array->buffers[0];
  return !validity || array->null_count == 0 || validity[i / 8] >> (i % 8) & 1;
}

/* For each value of a batch's dictionary its number among the levels. */
static const char *map_levels(struct gathered *one, const struct ArrowArray *values) {
  struct levels *levels = one->levels;
  int wide = is_wide(one->schema->dictionary->format);
  if (levels->map_size < values->length) {
    int64_t *more = realloc(levels->map, (size_t)values->length * sizeof *more);
    if (!more) return "there is no memory left";
    levels->map = more;
    levels->map_size = values->length;
  }
  for (int64_t i = 0; i < values->length; i++) {
    int64_t row = values->offset + i;
    int64_t start = offset_in(values->buffers[1], row, wide), size = offset_in(values->buffers[1], row + 1, wide) - start;
    if (start < 0 || size < 0) return OUT_OF_ORDER;
    const uint8_t *text = size ? (const uint8_t *)values->buffers[2] + start : (const uint8_t *)"";
    levels->map[i] = level_of(levels, is_valid(values, row) ? text : NULL, size);
    if (levels->map[i] < 0) return "there is no memory left";
    if (one->schema->flags & 1 && levels->map[i] != i) return "its ordered factors have another order of levels from one batch to the next";
  }
  return NULL;
}

static int64_t index_in(const void *buffer, int64_t i, const char *format) {
  switch (*format) {
  case 'c': return ((const int8_t *)buffer)[i];
  case 'C': return ((const uint8_t *)buffer)[i];
  case 's': return ((const int16_t *)buffer)[i];
  case 'S': return ((const uint16_t *)buffer)[i];
  case 'i': return ((const int32_t *)buffer)[i];
  case 'I': return ((const uint32_t *)buffer)[i];
  default: return ((const int64_t *)buffer)[i];
  }
}

static const char *append_indices(struct gathered *one, const struct ArrowArray *array, int64_t offset, int64_t length) {
  static const char NO_MEMORY[] = "there is no memory left";
  const char *format = one->schema->format, *wrong = map_levels(one, array->dictionary);
  int64_t most = strchr("cC", *format) ? (*format == 'c' ? INT8_MAX : UINT8_MAX) : strchr("sS", *format) ? (*format == 's' ? INT16_MAX : UINT16_MAX) : INT_MAX;
  uint8_t *to = extend(&one->first, length * one->width);
  if (wrong) return wrong;
  if (append_bits(&one->validity, one->length, NULL, 0, length) || (!to && length)) return NO_MEMORY;
  for (int64_t i = 0; i < length; i++) {
    int64_t index = is_valid(array, offset + i) ? index_in(array->buffers[1], offset + i, format) : -1;
    if (index >= array->dictionary->length) return "an index of its factors is beyond their levels";
    int64_t level = index < 0 ? -1 : one->levels->map[index];
    if (level > most) return "its factors have more levels than the type of their codes can tell apart";
    if (level < 0) {
      one->nulls++;
      one->validity.data[(one->length + i) / 8] &= (uint8_t)~(1 << (one->length + i) % 8);
      level = 0;
    }
    memcpy(to + i * one->width, &level, (size_t)one->width); /* little-endian, as the file */
  }
  one->length += length;
  return NULL;
}

/* Append rows of an array; why not, if it cannot be. */
const char *gather_append(struct gathered *one, const struct ArrowArray *array, int64_t shift, int64_t length) {
  static const char NO_MEMORY[] = "there is no memory left";
  const char *format = one->schema->format;
  int64_t offset = array->offset + shift, first = offset, rows = length;
  if (one->levels) return append_indices(one, array, offset, length);
  if (*format != 'n') {
    const uint8_t *validity = array->null_count == 0 ? NULL : array->buffers[0];
    for (int64_t i = 0; i < length && validity; i++) one->nulls += !(validity[(offset + i) / 8] >> ((offset + i) % 8) & 1);
    if (append_bits(&one->validity, one->length, validity, offset, length)) return NO_MEMORY;
  }
  if (one->width) {
    if (append_bytes(&one->first, (const uint8_t *)array->buffers[1] + offset * one->width, length * one->width)) return NO_MEMORY;
  } else if (*format == 'b') {
    if (append_bits(&one->first, one->length, array->buffers[1], offset, length)) return NO_MEMORY;
  } else if (is_bytes(format) || is_list(format)) {
    int wide = is_wide(format), each = wide ? 8 : 4;
    int64_t last = 0;
    if (!one->first.size && append_bytes(&one->first, &last, each)) return NO_MEMORY;
    last = offset_in(one->first.data, one->length, wide);
    first = length ? offset_in(array->buffers[1], offset, wide) : 0;
    rows = length ? offset_in(array->buffers[1], offset + length, wide) - first : 0;
    if (first < 0 || rows < 0) return OUT_OF_ORDER;
    if (!wide && last + rows > INT_MAX) return "its texts or lists are larger than 2 GiB";
    uint8_t *to = extend(&one->first, length * each);
    if (!to && length) return NO_MEMORY;
    for (int64_t i = 1; i <= length; i++) {
      int64_t end = last + offset_in(array->buffers[1], offset + i, wide) - first;
      memcpy(to + (i - 1) * each, &end, (size_t)each);
    }
    if (*format != '+' && append_bytes(&one->second, (const uint8_t *)array->buffers[2] + first, rows)) return NO_MEMORY;
  } else if (!strncmp(format, "+w", 2)) {
    first = offset * atoi(format + 3);
    rows = length * atoi(format + 3);
  }
  one->length += length;
  for (int64_t i = 0; i < one->num_children; i++) {
    if (first + rows > array->children[i]->length) return OUT_OF_ORDER;
    const char *wrong = gather_append(one->children[i], array->children[i], first, rows);
    if (wrong) return wrong;
  }
  return NULL;
}

/* -- what was gathered, as arrays -- */

struct view {
  struct ArrowArray array, dictionary, *children[];
};

static void view_free(struct ArrowArray *array) {
  for (int64_t i = 0; i < array->n_children; i++) view_free(array->children[i]);
  free(array->buffers);
  free(array->private_data);
}

/* An array that lies in `one`, until more is appended; NULL without memory. */
static struct ArrowArray *view_of(const struct gathered *one) {
  struct view *made = calloc(1, sizeof *made + (size_t)one->num_children * sizeof *made->children);
  const void **buffers = calloc(3, sizeof *buffers);
  if (!made || !buffers) return free(made), free(buffers), NULL;
  made->array.private_data = made;
  made->array.buffers = buffers;
  made->array.length = one->length;
  made->array.null_count = one->nulls;
  made->array.n_buffers = 3;
  made->array.children = made->children;
  buffers[0] = one->nulls ? one->validity.data : NULL;
  buffers[1] = one->first.data;
  buffers[2] = one->second.data;
  if (one->levels) made->array.dictionary = &made->dictionary; /* written after the last batch */
  for (int64_t i = 0; i < one->num_children; i++) {
    if (!(made->children[i] = view_of(one->children[i]))) return view_free(&made->array), NULL;
    made->array.n_children = i + 1;
  }
  return &made->array;
}

static void clear(struct gathered *one) {
  one->length = one->nulls = one->validity.size = one->first.size = one->second.size = 0;
  for (int64_t i = 0; i < one->num_children; i++) clear(one->children[i]);
}

/* Write what was gathered as one batch, and begin anew. */
int gather_flush(struct gathered *one, struct writer *writer, struct fault *fault) {
  if (!one->length && writer->begun) return 0;
  struct ArrowArray *array = view_of(one);
  if (!array) return fail(fault, "unsupported", "there is no memory left", NULL);
  int wrong = writer_batch(writer, array, fault);
  view_free(array);
  clear(one);
  return wrong;
}

/* Write the dictionaries, in the order in which a walk over the schema meets them. */
int gather_dictionaries(const struct gathered *one, struct writer *writer, int64_t *number, struct fault *fault) {
  if (one->levels) {
    const struct levels *levels = one->levels;
    int wide = is_wide(one->schema->dictionary->format);
    if (!wide && levels->text.size > INT_MAX) return fail(fault, "unsupported", "the levels of its factors are larger than 2 GiB", NULL);
    int32_t *narrow = calloc((size_t)levels->count + 1, sizeof *narrow);
    if (!narrow) return fail(fault, "unsupported", "there is no memory left", NULL);
    for (int64_t i = 0; i <= levels->count && levels->count; i++) narrow[i] = (int32_t)level_offset(levels, i);
    uint8_t *validity = levels->null_level ? malloc((size_t)levels->count / 8 + 1) : NULL;
    if (levels->null_level && !validity) return free(narrow), fail(fault, "unsupported", "there is no memory left", NULL);
    if (validity) {
      memset(validity, 0xff, (size_t)levels->count / 8 + 1);
      validity[(levels->null_level - 1) / 8] &= (uint8_t)~(1 << (levels->null_level - 1) % 8);
    }
    const void *buffers[3] = {validity, wide && levels->count ? (const void *)levels->offsets.data : narrow, levels->text.data};
    struct ArrowArray array = {.length = levels->count, .null_count = validity != NULL, .n_buffers = 3, .buffers = buffers};
    int wrong = writer_dictionary(writer, one->schema->dictionary, &array, (*number)++, fault);
    free(narrow);
    free(validity);
    return wrong;
  }
  for (int64_t i = 0; i < one->num_children; i++)
    if (gather_dictionaries(one->children[i], writer, number, fault)) return -1;
  return 0;
}
