/* Reading FlatBuffers (flatbuffers.dev, "Internals"). A position that lies outside of the data makes the whole of it `bad`, and
 * reads as 0: callers look once, at the end. Position 0 stands for "absent". */
#ifndef ARROWSHM_FLATBUFFER_H
#define ARROWSHM_FLATBUFFER_H

#include <stdint.h>
#include <string.h>

struct flatbuffer {
  const uint8_t *data;
  int64_t size;
  int bad;
  int64_t budget; /* how many tables a reader may still make something of */
};

static inline int64_t fb_read(struct flatbuffer *fb, int64_t at, int bytes) {
  if (at < 0 || at > fb->size - bytes) return fb->bad = 1, 0;
  switch (bytes) {
  case 1: return (int8_t)fb->data[at];
  case 2: {
    int16_t value;
    memcpy(&value, fb->data + at, sizeof value);
    return value;
  }
  case 4: {
    int32_t value;
    memcpy(&value, fb->data + at, sizeof value);
    return value;
  }
  default: {
    int64_t value;
    memcpy(&value, fb->data + at, sizeof value);
    return value;
  }
  }
}

/* Where an unsigned offset at this position leads. */
static inline int64_t fb_follow(struct flatbuffer *fb, int64_t at) {
  int64_t to = at + (int64_t)(uint32_t)fb_read(fb, at, 4);
  if (to <= at || to > fb->size - 4) return fb->bad = 1, 0;
  return to;
}

static inline int64_t fb_root(struct flatbuffer *fb) { return fb_follow(fb, 0); }

/* The position of a table's field; 0 if it is not there. */
static inline int64_t fb_field(struct flatbuffer *fb, int64_t table, int slot) {
  if (table <= 0) return 0;
  int64_t vtable = table - fb_read(fb, table, 4), size = (uint16_t)fb_read(fb, vtable, 2);
  if (fb->bad || vtable < 0 || 4 + 2 * slot + 2 > size) return 0;
  int64_t offset = (uint16_t)fb_read(fb, vtable + 4 + 2 * slot, 2);
  return offset ? table + offset : 0;
}

static inline int64_t fb_number(struct flatbuffer *fb, int64_t table, int slot, int bytes, int64_t otherwise) {
  int64_t at = fb_field(fb, table, slot);
  return at ? fb_read(fb, at, bytes) : otherwise;
}

static inline int64_t fb_table(struct flatbuffer *fb, int64_t table, int slot) {
  int64_t at = fb_field(fb, table, slot);
  return at ? fb_follow(fb, at) : 0;
}

/* The position of a vector's first element, and how many there are, all of them inside of the data. */
static inline int64_t fb_vector(struct flatbuffer *fb, int64_t table, int slot, int bytes, int64_t *count) {
  int64_t at = fb_table(fb, table, slot);
  *count = at ? (int64_t)(uint32_t)fb_read(fb, at, 4) : 0;
  if (at && *count > (fb->size - at - 4) / bytes) return fb->bad = 1, *count = 0;
  return at ? at + 4 : 0;
}

static inline int64_t fb_text(struct flatbuffer *fb, int64_t table, int slot, int64_t *length) {
  return fb_vector(fb, table, slot, 1, length);
}

#endif
