/* Building FlatBuffers from front to back: a table is written before what it refers to, whose place is filled in later. */
#ifndef ARROWSHM_BUILDER_H
#define ARROWSHM_BUILDER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct builder {
  uint8_t *data;
  size_t size, room;
  int failed; /* there was no memory */
};

static inline void put_bytes(struct builder *b, const void *data, size_t size) {
  if (b->failed) return;
  if (b->size + size > b->room) {
    size_t room = 2 * (b->size + size) + 256;
    uint8_t *more = realloc(b->data, room);
    if (!more) {
      b->failed = 1;
      return;
    }
    b->data = more;
    b->room = room;
  }
  if (data) memcpy(b->data + b->size, data, size);
  else memset(b->data + b->size, 0, size);
  b->size += size;
}

static inline void put_number(struct builder *b, int64_t value, size_t bytes) { put_bytes(b, &value, bytes); }

static inline void align(struct builder *b, size_t size, size_t ahead) {
  while (!b->failed && (b->size + ahead) % size) put_bytes(b, NULL, 1);
}

/* The offset at `slot` leads to what is written next. */
static inline void refer(struct builder *b, size_t slot) {
  uint32_t offset = (uint32_t)(b->size - slot);
  if (!b->failed) memcpy(b->data + slot, &offset, 4);
}

#define MAX_SLOTS 8
struct slots {
  int count, bytes[MAX_SLOTS]; /* 0: the field is left out */
  int64_t values[MAX_SLOTS];
  size_t at[MAX_SLOTS]; /* where each value was written */
};

static inline void slot(struct slots *slots, int bytes, int64_t value) {
  slots->bytes[slots->count] = bytes;
  slots->values[slots->count++] = value;
}

/* Write a table; `from` is the offset that is to lead to it. Offsets among its fields are of 4 bytes, and filled in later. */
static inline void put_table(struct builder *b, size_t from, struct slots *slots) {
  uint16_t places[MAX_SLOTS + 2];
  size_t end = 4;
  for (int i = 0; i < slots->count; i++) {
    size_t bytes = (size_t)slots->bytes[i];
    if (bytes) end = (end + bytes - 1) / bytes * bytes;
    places[i + 2] = (uint16_t)(bytes ? end : 0);
    end += bytes;
  }
  places[0] = (uint16_t)(2 * (slots->count + 2));
  places[1] = (uint16_t)end;
  align(b, 8, places[0]); /* the table, which follows, begins at a multiple of 8 */
  size_t vtable = b->size;
  put_bytes(b, places, places[0]);
  refer(b, from);
  size_t table = b->size;
  put_number(b, (int64_t)(table - vtable), 4);
  put_bytes(b, NULL, end - 4);
  for (int i = 0; i < slots->count && !b->failed; i++) {
    slots->at[i] = table + places[i + 2];
    if (slots->bytes[i]) memcpy(b->data + slots->at[i], &slots->values[i], (size_t)slots->bytes[i]);
  }
}

static inline void put_text(struct builder *b, size_t from, const char *text) {
  align(b, 4, 0);
  refer(b, from);
  put_number(b, (int64_t)strlen(text), 4);
  put_bytes(b, text, strlen(text) + 1);
}

/* Write the head of a vector; its elements, of this alignment, follow. Returns where they begin. */
static inline size_t put_vector(struct builder *b, size_t from, int64_t count, size_t alignment) {
  align(b, 4, 0);
  align(b, alignment, 4);
  refer(b, from);
  put_number(b, count, 4);
  return b->size;
}

#endif
