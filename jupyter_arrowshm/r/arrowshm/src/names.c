/* The rules for a table's name (docs/protocol.md, "Names"). */
#include "arrowshm.h"
#include "unicode_tables.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_BYTES 200
#define MAX_CODES (4 * MAX_BYTES) /* no code point of one byte or more decomposes into more than four */

static int in_ranges(const uint32_t (*ranges)[2], size_t count, uint32_t code) {
  for (size_t i = 0; i < count; i++)
    if (code >= ranges[i][0] && code <= ranges[i][1]) return 1;
  return 0;
}

/* The next code point, or -1 where the bytes are not UTF-8. */
static int32_t next_code(const unsigned char **at, const unsigned char *end) {
  static const uint32_t SMALLEST[] = {0, 0, 0x80, 0x800, 0x10000};
  uint32_t code = *(*at)++;
  int more = code < 0x80 ? 0 : code >= 0xF0 && code < 0xF8 ? 3 : code >= 0xE0 ? 2 : code >= 0xC0 ? 1 : -1;
  if (code >= 0xF8 || more < 0) return -1;
  if (more) code &= 0x3F >> more;
  int length = more + 1;
  for (; more; more--) {
    if (*at == end || (**at & 0xC0) != 0x80) return -1;
    code = code << 6 | (*(*at)++ & 0x3F);
  }
  if (code < SMALLEST[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return -1;
  return (int32_t)code;
}

static int combining(uint32_t code) {
  for (size_t i = 0; i < COUNT(COMBINING); i++)
    if (COMBINING[i][0] == code) return (int)COMBINING[i][1];
  return 0;
}

static size_t decompose(uint32_t code, uint32_t *codes) {
  if (code >= 0xAC00 && code < 0xD7A4) { /* Hangul, by arithmetic (the Unicode standard, 3.12) */
    uint32_t index = code - 0xAC00, last = index % 28;
    codes[0] = 0x1100 + index / 588;
    codes[1] = 0x1161 + index % 588 / 28;
    codes[2] = 0x11A7 + last;
    return last ? 3 : 2;
  }
  for (size_t i = 0; code >= 0xC0 && i < COUNT(DECOMPOSED); i++)
    if (DECOMPOSED[i][0] == code) {
      size_t length = decompose(DECOMPOSED[i][1], codes);
      if (DECOMPOSED[i][2]) codes[length++] = DECOMPOSED[i][2];
      return length;
    }
  codes[0] = code;
  return 1;
}

static uint32_t compose(uint32_t first, uint32_t second) {
  if (first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176)
    return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28;
  if (first >= 0xAC00 && first < 0xD7A4 && (first - 0xAC00) % 28 == 0 && second > 0x11A7 && second < 0x11C3)
    return first + second - 0x11A7;
  for (size_t i = 0; i < COUNT(DECOMPOSED); i++)
    if (DECOMPOSED[i][3] && DECOMPOSED[i][1] == first && DECOMPOSED[i][2] == second) return DECOMPOSED[i][0];
  return 0;
}

/* Whether the text is in normalization form C: it is what decomposing and composing it gives (Unicode, 3.11). */
static int is_composed(const uint32_t *text, size_t length) {
  uint32_t codes[MAX_CODES];
  size_t count = 0, starter = 0, kept = 0;
  for (size_t i = 0; i < length; i++) count += decompose(text[i], codes + count);
  for (size_t i = 1; i < count; i++) /* marks in the order of their classes; a stable sort of short runs */
    for (size_t j = i; j && combining(codes[j]) && combining(codes[j - 1]) > combining(codes[j]); j--) {
      uint32_t code = codes[j];
      codes[j] = codes[j - 1];
      codes[j - 1] = code;
    }
  int has_starter = 0, before = -1; /* the class of the last mark that was kept after the starter */
  for (size_t i = 0; i < count; i++) {
    int class = combining(codes[i]);
    uint32_t whole = has_starter && before < class ? compose(codes[starter], codes[i]) : 0;
    if (whole) {
      codes[starter] = whole;
      continue;
    }
    if (class == 0) {
      starter = kept;
      has_starter = 1;
      before = -1;
    } else {
      before = class;
    }
    codes[kept++] = codes[i];
  }
  return kept == length && memcmp(codes, text, length * sizeof *codes) == 0;
}

/* Whether `name` can name a table; if not, `reason` says which rule it breaks. */
int check_name(const char *name, size_t length, char *reason, size_t size) {
  uint32_t codes[MAX_BYTES];
  size_t count = 0;
  const unsigned char *at = (const unsigned char *)name, *end = at + length;
  if (length == 0) return snprintf(reason, size, "it is empty"), 0;
  if (*name == '.') return snprintf(reason, size, "it begins with a dot"), 0;
  while (at < end) {
    int32_t code = next_code(&at, end);
    if (code < 0) return snprintf(reason, size, "it is not valid UTF-8"), 0;
    if (code == '/') return snprintf(reason, size, "it holds a '/'; use '-' or '.' instead"), 0;
    if (in_ranges(WHITE_SPACE, COUNT(WHITE_SPACE), (uint32_t)code))
      return snprintf(reason, size, "it holds white space; use '_' instead"), 0;
    if (in_ranges(INVISIBLE, COUNT(INVISIBLE), (uint32_t)code))
      return snprintf(reason, size, "it holds the invisible character U+%04X", (unsigned)code), 0;
    if (count < MAX_BYTES) codes[count++] = (uint32_t)code;
  }
  if (length <= MAX_BYTES && !is_composed(codes, count))
    return snprintf(reason, size, "it is not in Unicode normalization form C; stringi::stri_trans_nfc() makes it so"), 0;
  if (length > MAX_BYTES) return snprintf(reason, size, "it is longer than %d bytes", MAX_BYTES), 0;
  return 1;
}

/* Whether a file of the store is a table by its name, which is copied to `name`. */
int is_table_file(const char *file, char *name) {
  char reason[128];
  size_t length = strlen(file), suffix = strlen(SUFFIX);
  if (length <= suffix || length >= MAX_FILE_NAME || strcmp(file + length - suffix, SUFFIX) != 0) return 0;
  memcpy(name, file, length - suffix);
  name[length - suffix] = '\0';
  return check_name(name, length - suffix, reason, sizeof reason);
}
