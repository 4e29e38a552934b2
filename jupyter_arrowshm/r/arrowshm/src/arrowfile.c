/* The footer of an Arrow IPC file: its schema, its batches, and our facts (File.fbs, Schema.fbs, Message.fbs of Arrow's format).
 * Everything in it is somebody else's claim: every position is checked before it is read. */
#include "arrowshm.h"
#include "flatbuffer.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 64
static const char MAGIC[] = "ARROW1";
enum { HEAD = 8, TAIL = 10 };

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

static char *read_text(struct flatbuffer *fb, int64_t table, int slot) {
  int64_t length, at = fb_text(fb, table, slot, &length);
  return at ? copy_text((const char *)fb->data + at, (size_t)length) : copy_text("", 0);
}

static struct pair *read_pairs(struct flatbuffer *fb, int64_t table, int slot, int *count) {
  int64_t length, at = fb_vector(fb, table, slot, 4, &length);
  *count = 0;
  if (!at || length == 0) return NULL;
  struct pair *pairs = calloc((size_t)length, sizeof *pairs);
  for (int64_t i = 0; pairs && i < length; i++) {
    int64_t entry = fb_follow(fb, at + 4 * i);
    if (fb->bad) break;
    pairs[i].key = read_text(fb, entry, 0);
    pairs[i].value = read_text(fb, entry, 1);
    *count = (int)i + 1;
  }
  return pairs;
}

static void pairs_free(struct pair *pairs, int count) {
  for (int i = 0; i < count; i++) {
    free(pairs[i].key);
    free(pairs[i].value);
  }
  free(pairs);
}

void type_free(struct type *type) {
  if (!type) return;
  for (int i = 0; i < type->num_children; i++) type_free(type->children[i]);
  free(type->children);
  type_free(type->values);
  pairs_free(type->metadata, type->num_metadata);
  free(type->name);
  free(type->format);
  free(type);
}

static const char *integer_format(int64_t bits, int is_signed) {
  switch (bits) {
  case 8: return is_signed ? "c" : "C";
  case 16: return is_signed ? "s" : "S";
  case 32: return is_signed ? "i" : "I";
  case 64: return is_signed ? "l" : "L";
  default: return "";
  }
}

/* The "format string" of the C data interface; empty for a type that we do not know. */
static char *read_format(struct flatbuffer *fb, int64_t table, int kind) {
  static const char UNITS[] = "smun";
  char text[512] = "";
#define NUMBER(slot, size, otherwise) fb_number(fb, table, slot, size, otherwise)
#define UNIT(slot, otherwise) UNITS[NUMBER(slot, 2, otherwise) & 3]
  switch (kind) {
  case 1: return copy_text("n", 1);
  case 2: snprintf(text, sizeof text, "%s", integer_format(NUMBER(0, 4, 0), NUMBER(1, 1, 0) != 0)); break;
  case 3: snprintf(text, sizeof text, "%c", "efg?"[NUMBER(0, 2, 0) & 3]); break;
  case 4: return copy_text("z", 1);
  case 5: return copy_text("u", 1);
  case 6: return copy_text("b", 1);
  case 7: snprintf(text, sizeof text, "d:%d,%d,%d", (int)NUMBER(0, 4, 0), (int)NUMBER(1, 4, 0), (int)NUMBER(2, 4, 128)); break;
  case 8: snprintf(text, sizeof text, "td%c", NUMBER(0, 2, 1) ? 'm' : 'D'); break;
  case 9: {
    char unit = UNIT(0, 1);
    if ((NUMBER(1, 4, 32) == 64) != (unit == 'u' || unit == 'n')) break;
    snprintf(text, sizeof text, "tt%c", unit);
    break;
  }
  case 10: {
    char *zone = read_text(fb, table, 1);
    snprintf(text, sizeof text, "ts%c:%.400s", UNIT(0, 0), zone ? zone : "");
    free(zone);
    break;
  }
  case 11: snprintf(text, sizeof text, "ti%c", "MDn?"[NUMBER(0, 2, 0) & 3]); break;
  case 12: return copy_text("+l", 2);
  case 13: return copy_text("+s", 2);
  case 14: {
    int64_t count, at = fb_vector(fb, table, 1, 4, &count), length;
    length = snprintf(text, sizeof text, "+u%c:", NUMBER(0, 2, 0) ? 'd' : 's');
    if (!at) break; /* the caller numbers the children */
    for (int64_t i = 0; i < count && length < (int64_t)sizeof text - 8; i++)
      length += snprintf(text + length, sizeof text - (size_t)length, "%s%d", i ? "," : "", (int)fb_read(fb, at + 4 * i, 4));
    break;
  }
  case 15: snprintf(text, sizeof text, "w:%d", (int)NUMBER(0, 4, 0)); break;
  case 16: snprintf(text, sizeof text, "+w:%d", (int)NUMBER(0, 4, 0)); break;
  case 17: return copy_text("+m", 2);
  case 18: snprintf(text, sizeof text, "tD%c", UNIT(0, 1)); break;
  case 19: return copy_text("Z", 1);
  case 20: return copy_text("U", 1);
  case 21: return copy_text("+L", 2);
  case 22: return copy_text("+r", 2);
  case 23: return copy_text("vz", 2);
  case 24: return copy_text("vu", 2);
  case 25: return copy_text("+vl", 3);
  case 26: return copy_text("+vL", 3);
  default: break;
  }
  return copy_text(text, strlen(text));
}

static int children_fit(const struct type *type) {
  const char *format = type->format;
  if (!strncmp(format, "+l", 2) || !strncmp(format, "+L", 2) || !strncmp(format, "+v", 2) || !strncmp(format, "+w", 2))
    return type->num_children == 1;
  if (!strcmp(format, "+m")) return type->num_children == 1 && !strcmp(type->children[0]->format, "+s") && type->children[0]->num_children == 2;
  if (!strcmp(format, "+r")) return type->num_children == 2 && strlen(type->children[0]->format) == 1 && strchr("sil", *type->children[0]->format);
  if (!strncmp(format, "w:", 2)) return atoi(format + 2) >= 0;
  return format[0] == '+' || type->num_children == 0;
}

static struct type *read_field(struct flatbuffer *fb, int64_t field, int depth) {
  struct type *type = calloc(1, sizeof *type);
  if (!type || depth > MAX_DEPTH || --fb->budget < 0 || fb->bad) {
    fb->bad = 1; /* a table may be named twice: without the budget, a small file could be a huge tree */
    return type;
  }
  type->id_of_values = -1;
  type->name = read_text(fb, field, 0);
  type->nullable = fb_number(fb, field, 1, 1, 0) != 0;
  int kind = (int)fb_number(fb, field, 2, 1, 0);
  int64_t of_type = fb_table(fb, field, 3), encoding = fb_table(fb, field, 4), count;
  type->format = read_format(fb, of_type, kind);
  type->sorted = kind == 17 && fb_number(fb, of_type, 0, 1, 0) != 0;
  type->metadata = read_pairs(fb, field, 6, &type->num_metadata);
  int64_t at = fb_vector(fb, field, 5, 4, &count);
  if (at && count && !fb->bad) type->children = calloc((size_t)count, sizeof *type->children);
  for (int64_t i = 0; type->children && i < count && !fb->bad; i++) {
    type->children[i] = read_field(fb, fb_follow(fb, at + 4 * i), depth + 1);
    if (!type->children[i]) fb->bad = 1;
    else type->num_children = (int)i + 1;
  }
  if (fb->bad || !type->name || !type->format || !*type->format || strchr(type->format, '?') || !children_fit(type)) {
    fb->bad = 1;
    return type;
  }
  if (!strncmp(type->format, "+u", 2) && !type->format[4] && type->num_children) { /* numbered from 0 */
    char text[512];
    int length = snprintf(text, sizeof text, "%s", type->format);
    for (int i = 0; i < type->num_children && length < 500; i++)
      length += snprintf(text + length, sizeof text - (size_t)length, "%s%d", i ? "," : "", i);
    free(type->format);
    type->format = copy_text(text, strlen(text));
  }
  if (encoding) {
    struct type *values = calloc(1, sizeof *values);
    int64_t indices = fb_table(fb, encoding, 1);
    if (!values) return fb->bad = 1, type;
    *values = *type;
    values->name = copy_text("", 0);
    values->nullable = 1;
    values->metadata = NULL;
    values->num_metadata = 0;
    type->children = NULL;
    type->num_children = 0;
    type->values = values;
    type->has_dictionary = 1;
    type->dictionary = fb_number(fb, encoding, 0, 8, 0);
    type->ordered = fb_number(fb, encoding, 2, 1, 0) != 0;
    const char *format = indices ? integer_format(fb_number(fb, indices, 0, 4, 0), fb_number(fb, indices, 1, 1, 0) != 0) : "i";
    type->format = copy_text(format, strlen(format));
    if (!*format) fb->bad = 1;
  }
  return type;
}

static struct block *read_blocks(struct flatbuffer *fb, int64_t table, int slot, int *count) {
  int64_t length, at = fb_vector(fb, table, slot, 24, &length);
  *count = 0;
  struct block *blocks = at && length ? calloc((size_t)length, sizeof *blocks) : NULL;
  for (int64_t i = 0; blocks && i < length; i++) {
    blocks[i].offset = fb_read(fb, at + 24 * i, 8);
    blocks[i].metadata = (int32_t)fb_read(fb, at + 24 * i + 8, 4);
    blocks[i].body = fb_read(fb, at + 24 * i + 16, 8);
    *count = (int)i + 1;
  }
  return blocks;
}

void footer_free(struct footer *footer) {
  pairs_free(footer->facts, footer->num_facts);
  type_free(footer->schema);
  free(footer->dictionaries);
  free(footer->batches);
  memset(footer, 0, sizeof *footer);
}

const char *fact(const struct footer *footer, const char *key) {
  for (int i = 0; i < footer->num_facts; i++)
    if (!strncmp(footer->facts[i].key, "arrowshm.", 9) && !strcmp(footer->facts[i].key + 9, key)) return footer->facts[i].value;
  return NULL;
}

static int parse(const uint8_t *data, int64_t size, struct footer *footer, struct fault *fault) {
  struct flatbuffer fb = {data, size, 0, size};
  int64_t count, root = fb_root(&fb), schema = fb_table(&fb, root, 1);
  footer->facts = read_pairs(&fb, root, 4, &footer->num_facts);
  footer->dictionaries = read_blocks(&fb, root, 2, &footer->num_dictionaries);
  footer->batches = read_blocks(&fb, root, 3, &footer->num_batches);
  struct type *whole = footer->schema = calloc(1, sizeof *whole);
  if (!whole || !schema || fb.bad) goto damaged;
  whole->format = copy_text("+s", 2);
  whole->name = copy_text("", 0);
  whole->metadata = read_pairs(&fb, schema, 2, &whole->num_metadata);
  if (fb_number(&fb, schema, 0, 2, 0)) {
    footer_free(footer);
    return fail(fault, "damaged", "it was written on a machine of the other byte order", NULL);
  }
  int64_t at = fb_vector(&fb, schema, 1, 4, &count);
  if (at && count && !fb.bad) whole->children = calloc((size_t)count, sizeof *whole->children);
  for (int64_t i = 0; whole->children && i < count && !fb.bad; i++) {
    whole->children[i] = read_field(&fb, fb_follow(&fb, at + 4 * i), 0);
    if (!whole->children[i]) fb.bad = 1;
    else whole->num_children = (int)i + 1;
  }
  if (!fb.bad) return 0;
damaged:
  footer_free(footer);
  return fail(fault, "damaged", "it is not a whole Arrow file", NULL);
}

static int64_t little(const uint8_t *data, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; i--) value = value << 8 | data[i];
  return bytes == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static int64_t footer_length(const uint8_t *tail, int64_t size) {
  int64_t length = little(tail, 4);
  return memcmp(tail + 4, MAGIC, 6) || length <= 0 || length > size - HEAD - TAIL ? -1 : length;
}

int footer_of_memory(const uint8_t *data, int64_t size, struct footer *footer, struct fault *fault) {
  memset(footer, 0, sizeof *footer);
  int64_t length = size < HEAD + TAIL || memcmp(data, MAGIC, 6) ? -1 : footer_length(data + size - TAIL, size);
  if (length < 0) return fail(fault, "damaged", size ? "it is not a whole Arrow file" : "it is empty", NULL);
  return parse(data + size - TAIL - length, length, footer, fault);
}

static int read_all(int fd, uint8_t *data, int64_t size, int64_t at) {
  while (size > 0) {
    ssize_t got = pread(fd, data, (size_t)size, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    data += got;
    at += got;
    size -= got;
  }
  return 0;
}

/* By read(2): a file that shrinks meanwhile is an error here, not a SIGBUS. */
int footer_of_file(int fd, int64_t size, struct footer *footer, struct fault *fault) {
  uint8_t head[6], tail[TAIL];
  memset(footer, 0, sizeof *footer);
  int64_t length = -1;
  if (size >= HEAD + TAIL && !read_all(fd, head, 6, 0) && !memcmp(head, MAGIC, 6) && !read_all(fd, tail, TAIL, size - TAIL))
    length = footer_length(tail, size);
  uint8_t *data = length > 0 ? malloc((size_t)length) : NULL;
  if (!data || read_all(fd, data, length, size - TAIL - length)) {
    free(data);
    return fail(fault, "damaged", "it is not a whole Arrow file", NULL);
  }
  int wrong = parse(data, length, footer, fault);
  free(data);
  return wrong;
}

/* The rows of a file whose footer does not say how many, by its batches' headers; -1 if they cannot be read. */
int64_t count_rows(int fd, int64_t size, const struct footer *footer) {
  int64_t rows = 0;
  for (int i = 0; i < footer->num_batches; i++) {
    struct block block = footer->batches[i];
    if (block.metadata < 8 || block.offset < 0 || block.offset > size - block.metadata) return -1;
    uint8_t *data = malloc((size_t)block.metadata);
    int64_t length = -1;
    if (data && !read_all(fd, data, block.metadata, block.offset)) {
      int64_t start = little(data, 4) == -1 ? 8 : 4; /* before 0.15 there was no 0xFFFFFFFF */
      struct flatbuffer fb = {data + start, block.metadata - start, 0, 0};
      int64_t header = fb_table(&fb, fb_root(&fb), 2);
      length = fb_number(&fb, header, 0, 8, 0);
      if (fb.bad) length = -1;
    }
    free(data);
    if (length < 0) return -1;
    rows += length;
  }
  return rows;
}
