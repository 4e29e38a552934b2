/* Shared declarations. A function that can fail returns 0 or -1 and then fills a `struct fault`; nothing here jumps out of
 * a function that holds a lock or a descriptor, so that an interrupt or an R error can leave neither behind. */
#ifndef ARROWSHM_H
#define ARROWSHM_H

#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define SUFFIX ".arrow"
#define LIVE ".live"
#define PINS ".pins"
#define REMOVED ".removed"
#define DRAFT_PREFIX ".new-"
#define OPEN_TIMEOUT 0.5 /* s; who asks holds a lock for microseconds, and any reader of an open store could keep it for ever */
#define LOCK_TIMEOUT 10.0 /* s; the lock is held for microseconds, so a longer wait means a stopped process */
#define MAX_FILE_NAME 260
#define PROTOCOL "1"

/* -- faults: what went wrong, for R to make a condition of (R/errors.R) -- */

struct fault {
  const char *kind; /* "unsafe", "busy", "system", "room", "exists", "absent", "damaged", "newer", "interrupted", ... */
  int code;         /* errno of "system" */
  char text[1024];
  char more[512];
};
int fail(struct fault *fault, const char *kind, const char *text, const char *more);
int fail_system(struct fault *fault, int code);
SEXP fault_to_r(const struct fault *fault);

/* -- names.c, sha256.c -- */

int check_name(const char *name, size_t length, char *reason, size_t size);
int is_table_file(const char *file, char *name);

/* -- directory.c: the private directory, its lock, tokens, pins, notes -- */

struct directory {
  int fd;     /* -1 if there is none */
  int locked; /* descriptor of the directory lock, or -1 */
  dev_t device;
  ino_t inode;
};
struct lost { /* files that lost their name, to be closed after the directory lock is released */
  int *fds;
  size_t count;
};
struct where { /* a directory: whose it must be, the mode that its owner makes it with, and its group (-1: the owner's own) */
  const char *path;
  uid_t owner;
  mode_t mode;
  gid_t group;
};
extern const int READ_FLAGS, LOOK_FLAGS;
struct where where_of(SEXP directory);
int is_private(struct where where);
int directory_open(struct where where, int create, struct directory *directory, struct fault *fault);
int directory_lock(struct where where, struct directory *directory, struct fault *fault);
void directory_close(struct directory *directory);
int try_lock(int fd, int operation, struct fault *fault);
int have_lock(int fd, int operation, const char *what, double timeout, struct fault *fault);
int is_granted(int fd, int operation);
int table_open(int at, const char *name, int flags, struct stat *status);
int exists_at(int at, const char *folder, const char *name);
void random_hex(char *text, int bytes);
const char *token_id(void);
int token_show(int at, struct fault *fault);
int token_is_alive(int at, const char *token);
int pin_make(int at, const char *name, struct fault *fault);
void pin_remove(int at, const char *name);
void note_write(int at, const char *name, const char *reason);
int sweep(int at, struct lost *lost, struct fault *fault);
void lost_add(struct lost *lost, int fd);
void lost_close(struct lost *lost);
int interrupted(void);

/* -- arrowfile.c: what is in a file's footer, and where its batches are -- */

struct block {
  int64_t offset, body;
  int32_t metadata;
};
struct pair {
  char *key, *value;
};
struct type; /* one field of a schema */
struct footer {
  struct pair *facts; /* all of custom_metadata; the values end with a NUL */
  int num_facts;
  struct type *schema; /* a struct whose children are the columns */
  struct block *dictionaries, *batches;
  int num_dictionaries, num_batches;
};
const char *fact(const struct footer *footer, const char *key); /* without the prefix; NULL if there is none */
int footer_of_file(int fd, int64_t size, struct footer *footer, struct fault *fault);
int footer_of_memory(const uint8_t *data, int64_t size, struct footer *footer, struct fault *fault);
void footer_free(struct footer *footer);
int64_t count_rows(int fd, int64_t size, const struct footer *footer);

/* A type in the words of the C data interface ("Format strings"). */
struct type {
  char *name, *format;
  int nullable, ordered, sorted, has_dictionary; /* `sorted`: a map's keys */
  int64_t dictionary; /* id, where the column is dictionary-encoded; `format` is then that of the indices */
  int id_of_values;   /* position in the list of dictionaries, -1 if none */
  int num_children;
  struct type **children;
  struct type *values; /* of the dictionary */
  struct pair *metadata;
  int num_metadata;
  int warned; /* that R cannot hold a value of it: once */
};
void type_free(struct type *type);

/* -- arrays.c: the values of one batch, where they lie in the mapping -- */

struct buffer {
  const uint8_t *data;
  int64_t size;
};
struct array {
  int64_t length, null_count;
  const uint8_t *validity; /* NULL where every value is there */
  struct buffer buffers[3];
  struct buffer *variadic; /* of views */
  int64_t num_variadic;
  struct array **children;
  int num_children;
  struct dictionary *dictionary;
};
struct dictionary {
  int64_t id;
  struct type *type;
  struct array **chunks;
  int num_chunks;
  int64_t length;
  SEXP levels; /* a factor's, preserved; R's NULL where it cannot be a factor's; a C NULL while nobody has asked */
};
struct table {
  struct table *next; /* of all that this process has attached */
  int users;          /* the handle, and what was exported of it; to be changed atomically */
  double number;
  uint8_t *data;
  int64_t size;
  int writable;
  struct footer footer;
  int64_t rows;
  struct array **batches;
  struct dictionary *dictionaries;
  int num_dictionaries;
};
int table_read(struct table *table, int full, struct fault *fault);
void table_free(struct table *table);
struct table *table_keep(struct table *table);
void table_drop(struct table *table);
int64_t index_at(const struct type *type, const struct array *array, int64_t row);
struct array *dictionary_at(const struct dictionary *dictionary, int64_t index, int64_t *row);
int validate_array(const struct type *type, const struct array *array, struct fault *fault);
int union_child(const struct type *type, const struct array *array, int64_t row, int64_t *at);
int64_t offset_at(const struct buffer *buffer, int64_t row, int wide);
int is_there(const struct array *array, int64_t row);
int64_t size_of_list(const struct type *type);

/* -- convert.c, altrep.c: columns as R's vectors -- */

SEXP vector_for(struct type *type, struct table *table, int64_t length);
void vector_fill(SEXP vector, int64_t at, struct type *type, const struct array *array, int64_t row, int64_t length);
void fill_doubles(double *out, struct type *type, const struct array *array, int64_t row, int64_t length);
void fill_integers(int *out, struct type *type, const struct array *array, int64_t row, int64_t length);
SEXP text_at(struct type *type, const struct array *array, int64_t row);
void warn_once(struct type *type, const char *what);
void set_bit64(int available);
int has_bit64(void);
int make_writable(struct table *table);
struct table *table_of(SEXP handle);
struct table *table_of_column(SEXP column);
SEXP column_now(struct table *table, struct type *type, int number);
void altrep_init(DllInfo *dll);

/* -- writing: the C data interface's structs, and the file -- */

struct ArrowSchema {
  const char *format, *name, *metadata;
  int64_t flags, n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};
struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};
void part_to_arrow(SEXP part, const char *name, struct ArrowSchema *schema, struct ArrowArray *array);
struct writer {
  int fd; /* -1: only count */
  int64_t written, rows;
  const struct ArrowSchema *schema;
  struct block *dictionaries, *batches;
  int num_dictionaries, num_batches;
  int begun;
  int late;    /* dictionaries are written after the batches, by who gathers them */
  double room; /* bytes that the file may have */
  void *dictionary_state;
};
int writer_batch(struct writer *writer, const struct ArrowArray *array, struct fault *fault);
int writer_finish(struct writer *writer, const struct pair *facts, int num_facts, struct fault *fault);
void writer_free(struct writer *writer);
int writer_dictionary(struct writer *writer, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t number,
                      struct fault *fault);
int64_t writer_size_of(const struct ArrowSchema *schema, const struct ArrowArray *array);
/* Why a source that nobody has checked cannot be written: lengths that are taken from its offsets would be wrong. */
#define OUT_OF_ORDER "its offsets are not in order, or lead out of its values"
int64_t width_of_format(const char *format);

/* -- gather.c: small batches of a stream as one -- */

struct gathered;
int can_gather(const struct ArrowSchema *schema);
int has_levels(const struct ArrowSchema *schema);
struct gathered *gather_new(const struct ArrowSchema *schema);
void gather_free(struct gathered *one);
const char *gather_append(struct gathered *one, const struct ArrowArray *array, int64_t shift, int64_t length);
int gather_flush(struct gathered *one, struct writer *writer, struct fault *fault);
int gather_dictionaries(const struct gathered *one, struct writer *writer, int64_t *number, struct fault *fault);

#endif
