/* What a client does with a table, each in one call that leaves neither a lock nor a file half made: share, attach, remove,
 * pin, collect, describe (docs/protocol.md). */
#define _GNU_SOURCE
#include "arrowshm.h"
#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif

#define TRACE_EVERY 1000000000LL /* ns; a trace of each use of a table that is attached in a loop would take a tenth of its time */

static const char *text_of(SEXP x) { return Rf_translateCharUTF8(STRING_ELT(x, 0)); }

/* -- drafts -- */

struct version {
  int known;
  dev_t device;
  ino_t inode;
  struct timespec changed;
};

static struct {
  int fd;
  char name[64]; /* empty where the file system has unnamed files */
} draft = {-1, ""};

/* A child must not keep the memory of a table that was never published; the parent's dot file is the parent's. */
static void forked(void) {
  if (draft.fd >= 0) close(draft.fd);
  draft.fd = -1;
  draft.name[0] = '\0';
}

static int draft_open(int at, struct fault *fault) {
  struct stat status;
  draft.name[0] = '\0';
  draft.fd = -1;
  if (O_TMPFILE && stat("/proc/self/fd", &status) == 0) { /* without it an unnamed file can never have a name */
    draft.fd = openat(at, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (draft.fd >= 0) return 0;
    /* EISDIR: a kernel before 3.11; EOPNOTSUPP: the file system; EINVAL, ENOENT: gVisor and FUSE. */
    if (errno != EISDIR && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOENT) return fail_system(fault, errno);
  }
  char random[17];
  random_hex(random, 8);
  snprintf(draft.name, sizeof draft.name, DRAFT_PREFIX "%s", random);
  draft.fd = openat(at, draft.name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
  if (draft.fd < 0) return draft.name[0] = '\0', fail_system(fault, errno);
  if (have_lock(draft.fd, LOCK_EX, draft.name, LOCK_TIMEOUT, fault)) {
    unlinkat(at, draft.name, 0);
    close(draft.fd);
    draft.fd = -1;
    return -1;
  }
  return 0;
}

static void draft_discard(struct where where) {
  struct directory directory;
  struct fault ignored;
  if (draft.fd < 0) return;
  if (*draft.name && directory_open(where, 0, &directory, &ignored) == 0 && directory.fd >= 0) {
    unlinkat(directory.fd, draft.name, 0);
    directory_close(&directory);
  }
  close(draft.fd);
  draft.fd = -1;
  draft.name[0] = '\0';
}

/* Give the draft its name, over whatever has it; the caller holds the directory lock. */
static int draft_publish(int at, struct where where, const char *name, struct lost *lost, struct fault *fault) {
  char target[MAX_FILE_NAME], linked[64], random[17], path[64];
  struct timespec now[2];
  snprintf(target, sizeof target, "%s" SUFFIX, name);
  /* This time distinguishes the version from the next, and the kernel's own clock stands still for milliseconds. */
  clock_gettime(CLOCK_REALTIME, &now[0]);
  now[1] = now[0];
  if (where.group != (gid_t)-1 && fchown(draft.fd, (uid_t)-1, where.group)) return fail_system(fault, errno);
  if (fchmod(draft.fd, where.mode & 0444) || futimens(draft.fd, now)) return fail_system(fault, errno);
  snprintf(linked, sizeof linked, "%s", draft.name);
  if (!*draft.name) { /* linkat(2) never replaces, hence the dot name and the rename */
    random_hex(random, 8);
    snprintf(linked, sizeof linked, DRAFT_PREFIX "%s", random);
    snprintf(path, sizeof path, "/proc/self/fd/%d", draft.fd);
    if (linkat(AT_FDCWD, path, at, linked, AT_SYMLINK_FOLLOW)) return fail_system(fault, errno);
  }
  int old = openat(at, target, READ_FLAGS);
  if (old >= 0) lost_add(lost, old);
  /* Before the rename: a reader that finds the name must find it unlocked. */
  flock(draft.fd, LOCK_UN);
  if (renameat(at, linked, at, target)) {
    fail_system(fault, errno);
    unlinkat(at, linked, 0);
    return -1;
  }
  draft.name[0] = '\0';
  close(draft.fd);
  draft.fd = -1;
  return 0;
}

/* -- ownership -- */

static int is_same(const char *ours, const char *theirs) { return theirs && *theirs && !strcmp(ours, theirs); }

/* Whether the name may be given to another table: 0, and `allowed` is the version that has it now; or "exists". */
static int check_owner(int at, const char *name, int replace, const char *kernel, const char *program, struct version *allowed,
                       struct fault *fault) {
  struct stat status;
  struct footer footer;
  struct fault ignored;
  int fd = table_open(at, name, LOOK_FLAGS, &status), mine = 0;
  if (fd == -2) return fail_system(fault, errno);
  if (fd < 0) return allowed->known = 0;
  int same = allowed->known && allowed->device == status.st_dev && allowed->inode == status.st_ino &&
             allowed->changed.tv_sec == status.st_mtim.tv_sec && allowed->changed.tv_nsec == status.st_mtim.tv_nsec;
  *allowed = (struct version){1, status.st_dev, status.st_ino, status.st_mtim};
  if (replace || same) {
    close(fd);
    return 0;
  }
  fail(fault, "exists", "", NULL);
  if (footer_of_file(fd, status.st_size, &footer, &ignored) == 0) {
    const char *token = fact(&footer, "token");
    mine = is_same(token_id(), token);
    /* Not while it lives: workers of one script that start together would each end with another version. */
    if (!mine && (is_same(kernel, fact(&footer, "kernel")) || is_same(program, fact(&footer, "program"))))
      mine = !token_is_alive(at, token ? token : "");
    footer_free(&footer);
  }
  close(fd);
  return mine ? 0 : -1;
}

/* -- sharing -- */

struct request {
  struct where where;
  const char *name, *kernel, *program;
  int replace, pin;
  struct pair facts[32];
  int num_facts;
};

static void add_fact(struct request *request, const char *key, const char *value) {
  if (!value || !*value) return;
  request->facts[request->num_facts].key = (char *)key;
  request->facts[request->num_facts++].value = (char *)value;
}

static int publish(struct request *request, struct version allowed, struct lost *lost, struct fault *fault) {
  struct directory directory;
  char note[MAX_FILE_NAME];
  if (directory_lock(request->where, &directory, fault)) return -1;
  int at = directory.fd, had_pin = exists_at(at, PINS, request->name);
  int wrong = check_owner(at, request->name, request->replace, request->kernel, request->program, &allowed, fault) ||
              sweep(at, lost, fault) || token_show(at, fault) || (request->pin && pin_make(at, request->name, fault)) ||
              draft_publish(at, request->where, request->name, lost, fault);
  if (wrong && request->pin && !had_pin) pin_remove(at, request->name);
  if (!wrong) {
    snprintf(note, sizeof note, REMOVED "/%s", request->name);
    unlinkat(at, note, 0);
  }
  directory_close(&directory);
  return wrong;
}

static void read_boot(char *text, size_t size) {
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  *text = '\0';
  if (!file) return;
  if (fgets(text, (int)size, file)) text[strcspn(text, "\n")] = '\0';
  fclose(file);
}

#define GATHER ((int64_t)64 << 20) /* bytes; as many as Python's writer has in a batch */

/* Keep a small batch of a stream to be written with the next ones; a large one is written as it is. */
static int add_batch(struct gathered *gathered, int64_t *pending, struct writer *writer, const struct ArrowArray *array, struct fault *fault) {
  int64_t size = writer_size_of(writer->schema, array);
  int is_large = size >= GATHER && !writer->late;
  if (*pending && *pending + size > GATHER) {
    if (gather_flush(gathered, writer, fault)) return -1;
    *pending = 0;
  }
  if (is_large) return writer_batch(writer, array, fault);
  const char *why = gather_append(gathered, array, 0, array->length);
  if (why) return fail(fault, "unsupported", why, NULL);
  *pending += size + 1; /* batches without rows, too */
  return 0;
}

/* The next batch, whose `release` is NULL after the last one. */
static int next_batch(struct ArrowArrayStream *stream, struct ArrowArray *array, struct fault *fault) {
  memset(array, 0, sizeof *array);
  if (interrupted()) return fail(fault, "interrupted", "", NULL);
  if (!stream->get_next(stream, array)) return 0;
  const char *said = stream->get_last_error(stream);
  array->release = NULL;
  return fail(fault, "unsupported", said ? said : "its stream broke off", NULL);
}

/* A single batch is written as it is, without a copy; of more, small ones are gathered where their types can be. */
static int write_stream(struct ArrowArrayStream *stream, struct writer *writer, struct fault *fault) {
  struct ArrowArray array, next;
  struct gathered *gathered = NULL;
  int64_t pending = 0, number = 0;
  int wrong = next_batch(stream, &array, fault);
  while (!wrong && array.release) {
    wrong = next_batch(stream, &next, fault);
    if (!wrong && next.release && !gathered && can_gather(writer->schema)) {
      gathered = gather_new(writer->schema);
      writer->late = has_levels(writer->schema);
      if (!gathered) wrong = fail(fault, "unsupported", "there is no memory left", NULL);
    }
    if (!wrong) wrong = gathered ? add_batch(gathered, &pending, writer, &array, fault) : writer_batch(writer, &array, fault);
    array.release(&array);
    array = next;
  }
  if (array.release) array.release(&array);
  if (!wrong && pending) wrong = gather_flush(gathered, writer, fault);
  if (!wrong && writer->late) wrong = gather_dictionaries(gathered, writer, &number, fault);
  gather_free(gathered);
  return wrong;
}

/* Share the batches of a stream, or what R/writing.R says of a data.frame. `facts` are of R's side, by name. With `elsewhere` the file
 * gets no name: it stays open, to be handed to another program, until C_discard. */
SEXP C_share(SEXP path, SEXP name, SEXP replace, SEXP pin, SEXP facts, SEXP source, SEXP room, SEXP elsewhere) {
  static int has_handler;
  int named = !Rf_asLogical(elsewhere);
  struct fault fault;
  struct directory directory;
  struct version allowed = {0};
  struct lost lost = {0};
  char boot[64], pid[32], rows[32], id[33], published[64];
  struct request request = {where_of(path), text_of(name), "", "", Rf_asLogical(replace), Rf_asLogical(pin), {{NULL, NULL}}, 0};
  struct ArrowSchema own_schema = {0};
  struct ArrowArrayStream *stream = Rf_inherits(source, "nanoarrow_array_stream") ? R_ExternalPtrAddr(source) : NULL;
  struct ArrowArray own_array = {0};
  struct writer writer = {0};
  if (!stream) part_to_arrow(source, "", &own_schema, &own_array); /* R may jump out of this: before anything is open */
  if (!has_handler) has_handler = pthread_atfork(NULL, NULL, forked) == 0;
  draft_discard(request.where); /* of a stream that R jumped out of */
  time_t seconds;
  struct timespec now;
  struct tm time;
  clock_gettime(CLOCK_REALTIME, &now);
  seconds = now.tv_sec;
  gmtime_r(&seconds, &time);
  size_t length = strftime(published, sizeof published, "%Y-%m-%dT%H:%M:%S", &time);
  snprintf(published + length, sizeof published - length, ".%06ld+00:00", now.tv_nsec / 1000);
  random_hex(id, 16);
  read_boot(boot, sizeof boot);
  snprintf(pid, sizeof pid, "%ld", (long)getpid());
  add_fact(&request, "arrowshm.protocol", PROTOCOL);
  add_fact(&request, "arrowshm.id", id);
  add_fact(&request, "arrowshm.name", request.name);
  add_fact(&request, "arrowshm.published", published);
  add_fact(&request, "arrowshm.boot", boot);
  add_fact(&request, "arrowshm.token", token_id());
  add_fact(&request, "arrowshm.pid", pid);
  SEXP keys = Rf_getAttrib(facts, R_NamesSymbol);
  for (R_xlen_t i = 0; i < XLENGTH(facts) && i < 16; i++) {
    const char *key = CHAR(STRING_ELT(keys, i)), *value = Rf_translateCharUTF8(STRING_ELT(facts, i));
    add_fact(&request, key, value);
    if (!strcmp(key, "arrowshm.kernel")) request.kernel = value;
    if (!strcmp(key, "arrowshm.program")) request.program = value;
  }
  if (directory_lock(request.where, &directory, &fault)) return fault_to_r(&fault);
  int wrong = named && (check_owner(directory.fd, request.name, request.replace, request.kernel, request.program, &allowed, &fault) ||
                        token_show(directory.fd, &fault));
  if (!wrong) wrong = draft_open(directory.fd, &fault);
  directory_close(&directory);
  if (wrong) return fault_to_r(&fault);
  writer.fd = draft.fd;
  writer.schema = &own_schema;
  if (stream && stream->get_schema(stream, &own_schema)) wrong = fail(&fault, "unsupported", "its stream has no schema", NULL);
  if (!wrong && strcmp(writer.schema->format, "+s")) wrong = fail(&fault, "unsupported", "it is not a table", NULL);
  writer.room = Rf_asReal(room);
  if (!wrong) wrong = stream ? write_stream(stream, &writer, &fault) : writer_batch(&writer, &own_array, &fault);
  snprintf(rows, sizeof rows, "%lld", (long long)writer.rows);
  add_fact(&request, "arrowshm.rows", rows);
  if (!wrong) wrong = writer_finish(&writer, request.facts, request.num_facts, &fault);
  if (!wrong && named) wrong = publish(&request, allowed, &lost, &fault);
  if (wrong && !strcmp(fault.kind, "room") && !*fault.more)
    snprintf(fault.more, sizeof fault.more, "%lld", (long long)writer.written);
  if (wrong) draft_discard(request.where);
  lost_close(&lost);
  writer_free(&writer);
  int64_t columns = wrong ? 0 : writer.schema->n_children;
  if (own_schema.release) own_schema.release(&own_schema);
  if (wrong) return fault_to_r(&fault);
  SEXP made = PROTECT(Rf_allocVector(REALSXP, 4)); /* rows, columns, bytes; -1, or the descriptor of the file without a name */
  REAL(made)[0] = (double)writer.rows;
  REAL(made)[1] = (double)columns;
  REAL(made)[2] = (double)writer.written;
  REAL(made)[3] = (double)draft.fd;
  UNPROTECT(1);
  return made;
}

/* Forget the file that got no name. */
SEXP C_discard(SEXP path) {
  draft_discard(where_of(path));
  return R_NilValue;
}

/* The bytes that the file of a data.frame will have, but for its footer. */
SEXP C_measure(SEXP source) {
  struct fault fault;
  struct ArrowSchema schema;
  struct ArrowArray array;
  struct writer writer = {0};
  part_to_arrow(source, "", &schema, &array);
  writer.fd = -1;
  writer.schema = &schema;
  int wrong = writer_batch(&writer, &array, &fault);
  writer_free(&writer);
  return wrong ? fault_to_r(&fault) : Rf_ScalarReal((double)writer.written);
}

/* -- attaching -- */

static struct table *attached;
static pthread_mutex_t attached_lock = PTHREAD_MUTEX_INITIALIZER;

struct table *table_keep(struct table *table) {
  __atomic_add_fetch(&table->users, 1, __ATOMIC_ACQ_REL);
  return table;
}

/* From any thread; the lease ends with the last user. */
void table_drop(struct table *table) {
  if (__atomic_sub_fetch(&table->users, 1, __ATOMIC_ACQ_REL)) return;
  pthread_mutex_lock(&attached_lock);
  struct table **link = &attached;
  while (*link && *link != table) link = &(*link)->next;
  if (*link) *link = table->next;
  pthread_mutex_unlock(&attached_lock);
  table_free(table);
  munmap(table->data, (size_t)table->size);
  free(table);
}

static void table_close(SEXP handle) {
  struct table *table = R_ExternalPtrAddr(handle);
  if (!table) return;
  R_ClearExternalPtr(handle);
  for (int i = 0; i < table->num_dictionaries; i++) { /* R's, and so not to be let go of by another thread */
    if (table->dictionaries[i].levels) R_ReleaseObject(table->dictionaries[i].levels);
    table->dictionaries[i].levels = NULL;
  }
  table_drop(table);
}

struct table *table_of(SEXP handle) {
  struct table *table = R_ExternalPtrAddr(handle);
  if (!table) Rf_error("this table was attached in another R session; attach it again");
  return table;
}

/* The numbers of the attachments that a list of columns keeps; and, of such numbers, whether they are still there. */
SEXP C_attachments(SEXP columns) {
  R_xlen_t n = XLENGTH(columns);
  SEXP numbers = PROTECT(Rf_allocVector(REALSXP, n));
  for (R_xlen_t i = 0; i < n; i++) {
    struct table *table = table_of_column(VECTOR_ELT(columns, i));
    REAL(numbers)[i] = table ? table->number : NA_REAL;
  }
  UNPROTECT(1);
  return numbers;
}

SEXP C_are_attached(SEXP numbers) {
  R_xlen_t n = XLENGTH(numbers);
  SEXP found = PROTECT(Rf_allocVector(LGLSXP, n));
  for (R_xlen_t i = 0; i < n; i++) {
    pthread_mutex_lock(&attached_lock);
    struct table *table = attached;
    while (table && table->number != REAL(numbers)[i]) table = table->next;
    LOGICAL(found)[i] = table != NULL;
    pthread_mutex_unlock(&attached_lock);
  }
  UNPROTECT(1);
  return found;
}

/* From now on R may write into the vectors. The mapping is private: the kernel copies each page that is written to. */
int make_writable(struct table *table) {
  if (!table->writable) table->writable = mprotect(table->data, (size_t)table->size, PROT_READ | PROT_WRITE) == 0;
  return table->writable;
}

static void leave_trace(int fd, const struct stat *status) {
  struct timespec times[2];
  clock_gettime(CLOCK_REALTIME, &times[0]);
  long long age = (long long)(times[0].tv_sec - status->st_atim.tv_sec) * 1000000000LL + times[0].tv_nsec - status->st_atim.tv_nsec;
  times[1] = (struct timespec){0, UTIME_OMIT};
  /* Where nothing may be written, nothing is removed either. */
  if ((age < 0 ? -age : age) >= TRACE_EVERY && futimens(fd, times)) errno = 0;
}

static SEXP facts_to_r(const struct footer *footer) {
  SEXP values = PROTECT(Rf_allocVector(STRSXP, footer->num_facts)), names = PROTECT(Rf_allocVector(STRSXP, footer->num_facts));
  for (int i = 0; i < footer->num_facts; i++) {
    const char *value = footer->facts[i].value;
    SET_STRING_ELT(names, i, Rf_mkCharCE(footer->facts[i].key, CE_UTF8));
    SET_STRING_ELT(values, i, Rf_mkCharLenCE(value, (int)strnlen(value, 4096), CE_UTF8));
  }
  Rf_setAttrib(values, R_NamesSymbol, names);
  UNPROTECT(2);
  return values;
}

static SEXP types_to_r(const struct type *schema) {
  SEXP formats = PROTECT(Rf_allocVector(STRSXP, schema->num_children)), names = PROTECT(Rf_allocVector(STRSXP, schema->num_children));
  for (int i = 0; i < schema->num_children; i++) {
    SET_STRING_ELT(names, i, Rf_mkCharCE(schema->children[i]->name, CE_UTF8));
    SET_STRING_ELT(formats, i, Rf_mkCharCE(schema->children[i]->format, CE_UTF8));
  }
  Rf_setAttrib(formats, R_NamesSymbol, names);
  UNPROTECT(2);
  return formats;
}

/* Map the file that has this name now. Where others may read, they may lock, too: there a table that somebody keeps locked is
 * mapped without a lease after half a second. Its data stays as valid, but the use is not counted. */
static int map_shared(
  struct where where, const char *name, struct table *table, struct stat *status, struct fault *fault
) {
  for (;;) {
    struct directory directory;
    if (directory_open(where, 0, &directory, fault)) return -1;
    if (directory.fd < 0) return fail(fault, "absent", "", NULL);
    int fd = table_open(directory.fd, name, READ_FLAGS, status);
    int code = errno;
    directory_close(&directory);
    if (fd == -2) return fail_system(fault, code);
    if (fd < 0) return fail(fault, "absent", "", NULL);
    /* A process that asks whether the table is in use, or a collector, holds it for a moment. */
    int is_open = !is_private(where);
    if (have_lock(fd, LOCK_SH, where.path, is_open ? OPEN_TIMEOUT : LOCK_TIMEOUT, fault) && !(is_open && !strcmp(fault->kind, "busy")))
      return close(fd), -1;
    if (fstat(fd, status)) return fail_system(fault, errno), close(fd), -1;
    if (status->st_nlink == 0) { /* it lost its name between our open and our lock: this would be an older version */
      close(fd);
      continue;
    }
    if (status->st_size == 0) return close(fd), fail(fault, "damaged", "it is empty", NULL);
    leave_trace(fd, status);
    /* Private, so that R's writing in place changes no page of the file; it is read-only as long as nobody writes. */
    void *data = mmap(NULL, (size_t)status->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    code = errno;
    close(fd); /* the mapping keeps the open file description, and with it the lease */
    if (data == MAP_FAILED) return fail_system(fault, code);
    table->data = data;
    table->size = status->st_size;
    return 0;
  }
}

static int is_among(const char *text, SEXP known) {
  for (R_xlen_t i = 0; i < XLENGTH(known); i++)
    if (!strcmp(text, CHAR(STRING_ELT(known, i)))) return 1;
  return 0;
}

/* Attach the table: its handle, which is the lease, with its facts, columns, rows and version. Where others may read, a table is
 * checked in full, but for the versions that are `checked`. */
SEXP C_attach(SEXP path, SEXP name, SEXP validate, SEXP checked) {
  struct fault fault;
  struct stat status;
  char version[96];
  struct where where = where_of(path);
  struct table *table = calloc(1, sizeof *table);
  if (!table) Rf_error("there is no memory left");
  table->users = 1;
  if (map_shared(where, text_of(name), table, &status, &fault)) {
    free(table);
    return fault_to_r(&fault);
  }
  snprintf(version, sizeof version, "%ju-%ju-%jd-%ld", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino, (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  int full = Rf_asLogical(validate) || (!is_private(where) && !is_among(version, checked));
  SEXP handle = PROTECT(R_MakeExternalPtr(table, R_NilValue, R_NilValue));
  R_RegisterCFinalizerEx(handle, table_close, FALSE); /* not at exit: the kernel does it faster */
  int wrong = footer_of_memory(table->data, table->size, &table->footer, &fault);
  if (!wrong) {
    const char *protocol = fact(&table->footer, "protocol");
    if (protocol && strcmp(protocol, PROTOCOL)) wrong = fail(&fault, "newer", protocol, NULL);
    else wrong = table_read(table, full || !protocol, &fault);
  }
  if (wrong) {
    table_close(handle);
    UNPROTECT(1);
    return fault_to_r(&fault);
  }
  static double attachments;
  table->number = ++attachments;
  pthread_mutex_lock(&attached_lock);
  table->next = attached;
  attached = table;
  pthread_mutex_unlock(&attached_lock);
  const char *names[] = {"handle", "facts", "types", "rows", "size", "inode", "changed", "batches", "version", "number", ""};
  SEXP made = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(made, 0, handle);
  SET_VECTOR_ELT(made, 1, facts_to_r(&table->footer));
  SET_VECTOR_ELT(made, 2, types_to_r(table->footer.schema));
  SET_VECTOR_ELT(made, 3, Rf_ScalarReal((double)table->rows));
  SET_VECTOR_ELT(made, 4, Rf_ScalarReal((double)table->size));
  SET_VECTOR_ELT(made, 5, Rf_ScalarReal((double)status.st_ino));
  SET_VECTOR_ELT(made, 6, Rf_ScalarReal((double)status.st_mtim.tv_sec + 1e-9 * (double)status.st_mtim.tv_nsec));
  SET_VECTOR_ELT(made, 7, Rf_ScalarInteger(table->footer.num_batches));
  SET_VECTOR_ELT(made, 8, Rf_mkString(version));
  SET_VECTOR_ELT(made, 9, Rf_ScalarReal(table->number));
  UNPROTECT(2);
  return made;
}

/* -- looking -- */

/* 0: free; 1: leased; asked of the lock itself, and so right for processes that nobody can see. */
static int is_leased(int fd) {
  for (int i = 0; i < 50; i++) {
    if (is_granted(fd, LOCK_EX)) return 0;
    /* Refused a shared lock, too: that is not a lease, but somebody who asks the same, or a collector. */
    if (is_granted(fd, LOCK_SH)) return 1;
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
  }
  return 1;
}

/* What a listing shows of a table but for who uses it; NULL if there is none of this name, or it is not a table. */
SEXP C_describe(SEXP path, SEXP name) {
  struct fault fault;
  struct directory directory;
  struct stat status;
  struct footer footer;
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  if (directory.fd < 0) return R_NilValue;
  int fd = table_open(directory.fd, text_of(name), LOOK_FLAGS, &status), code = errno;
  int pinned = exists_at(directory.fd, PINS, text_of(name));
  directory_close(&directory);
  if (fd == -2) return fail_system(&fault, code), fault_to_r(&fault);
  if (fd < 0) return R_NilValue;
  if (footer_of_file(fd, status.st_size, &footer, &fault)) {
    close(fd);
    return R_NilValue;
  }
  const char *told = fact(&footer, "rows");
  size_t digits = told ? strspn(told, "0123456789") : 0;
  int64_t rows = digits && digits < 19 && !told[digits] ? atoll(told) : count_rows(fd, status.st_size, &footer);
  int leased = is_leased(fd);
  close(fd);
  if (rows < 0) {
    footer_free(&footer);
    return R_NilValue;
  }
  const char *names[] = {"facts", "types", "rows", "size", "inode", "changed", "batches", "leased", "pinned", ""};
  SEXP made = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(made, 0, facts_to_r(&footer));
  SET_VECTOR_ELT(made, 1, types_to_r(footer.schema));
  SET_VECTOR_ELT(made, 2, Rf_ScalarReal((double)rows));
  SET_VECTOR_ELT(made, 3, Rf_ScalarReal((double)status.st_size));
  SET_VECTOR_ELT(made, 4, Rf_ScalarReal((double)status.st_ino));
  SET_VECTOR_ELT(made, 5, Rf_ScalarReal((double)status.st_mtim.tv_sec + 1e-9 * (double)status.st_mtim.tv_nsec));
  SET_VECTOR_ELT(made, 6, Rf_ScalarInteger(footer.num_batches));
  SET_VECTOR_ELT(made, 7, Rf_ScalarLogical(leased));
  SET_VECTOR_ELT(made, 8, Rf_ScalarLogical(pinned));
  footer_free(&footer);
  UNPROTECT(1);
  return made;
}

/* -- removing -- */

/* Remove the name; those who have the table attached keep it. */
SEXP C_unshare(SEXP path, SEXP name) {
  struct fault fault;
  struct directory directory;
  char file[MAX_FILE_NAME], note[MAX_FILE_NAME];
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  int is_there = directory.fd >= 0;
  directory_close(&directory);
  if (!is_there) return fail(&fault, "absent", "", NULL), fault_to_r(&fault); /* the lock would make the directory */
  if (directory_lock(where_of(path), &directory, &fault)) return fault_to_r(&fault);
  snprintf(file, sizeof file, "%s" SUFFIX, text_of(name));
  snprintf(note, sizeof note, REMOVED "/%s", text_of(name));
  int held = openat(directory.fd, file, READ_FLAGS), wrong = 0;
  pin_remove(directory.fd, text_of(name));
  if (unlinkat(directory.fd, file, 0)) wrong = errno == ENOENT ? fail(&fault, "absent", "", NULL) : fail_system(&fault, errno);
  else unlinkat(directory.fd, note, 0);
  directory_close(&directory);
  if (held >= 0) close(held);
  return wrong ? fault_to_r(&fault) : R_NilValue;
}

/* Pin the table, or take its pin away. */
SEXP C_pin(SEXP path, SEXP name, SEXP pinned) {
  struct fault fault;
  struct directory directory;
  struct stat status;
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  int is_there = directory.fd >= 0, wrong = 0;
  directory_close(&directory);
  if (!is_there) return fail(&fault, "absent", "", NULL), fault_to_r(&fault);
  if (directory_lock(where_of(path), &directory, &fault)) return fault_to_r(&fault);
  int fd = table_open(directory.fd, text_of(name), LOOK_FLAGS, &status);
  if (fd == -2) wrong = fail_system(&fault, errno);
  else if (fd < 0) wrong = fail(&fault, "absent", "", NULL);
  else if (Rf_asLogical(pinned)) wrong = pin_make(directory.fd, text_of(name), &fault);
  else pin_remove(directory.fd, text_of(name));
  directory_close(&directory);
  if (fd >= 0) close(fd);
  return wrong ? fault_to_r(&fault) : R_NilValue;
}

/* Remove the table if nobody holds it and it is not pinned: its bytes, or NULL if it stays. */
SEXP C_collect(SEXP path, SEXP name) {
  static const char REASON[] = "nobody used it when collect_tables() was called";
  struct fault fault;
  struct directory directory;
  struct stat status;
  struct footer footer;
  char file[MAX_FILE_NAME];
  if (directory_lock(where_of(path), &directory, &fault)) return fault_to_r(&fault);
  int at = directory.fd, removed = 0, wrong = 0;
  int fd = table_open(at, text_of(name), LOOK_FLAGS, &status);
  if (fd == -2) wrong = fail_system(&fault, errno);
  if (fd >= 0 && !exists_at(at, PINS, text_of(name)) && footer_of_file(fd, status.st_size, &footer, &fault) == 0) {
    const char *token = fact(&footer, "token");
    /* Refused: somebody has it attached. Granted: nobody can attach it before it has lost its name. */
    if (!token_is_alive(at, token ? token : "") && try_lock(fd, LOCK_EX, &fault) == 1) {
      snprintf(file, sizeof file, "%s" SUFFIX, text_of(name));
      if (unlinkat(at, file, 0)) wrong = fail_system(&fault, errno);
      else {
        removed = 1;
        note_write(at, text_of(name), REASON);
      }
      flock(fd, LOCK_UN);
    }
    footer_free(&footer);
  }
  directory_close(&directory);
  if (fd >= 0) close(fd);
  if (wrong) return fault_to_r(&fault);
  return removed ? Rf_ScalarReal((double)status.st_size) : R_NilValue;
}

/* -- the table of calls -- */

SEXP C_sha256(SEXP);
SEXP C_has_large_shared_memory(void);
SEXP C_table_names(SEXP, SEXP);
SEXP C_check_name(SEXP);
SEXP C_lock_device(SEXP);
SEXP C_file_system_room(SEXP, SEXP);
SEXP C_number_of(SEXP, SEXP);
SEXP C_groups(void);
SEXP C_token(SEXP, SEXP);
SEXP C_locks_are_masked(void);
SEXP C_columns(SEXP, SEXP, SEXP);
SEXP C_in_place(SEXP);
SEXP C_stream(SEXP, SEXP, SEXP);

#define CALL(name, count) {#name, (DL_FUNC)&name, count}
static const R_CallMethodDef CALLS[] = {
    CALL(C_share, 8), CALL(C_discard, 1), CALL(C_measure, 1), CALL(C_attach, 4), CALL(C_number_of, 2), CALL(C_groups, 0), CALL(C_describe, 2), CALL(C_unshare, 2), CALL(C_pin, 3), CALL(C_collect, 2),
    CALL(C_sha256, 1), CALL(C_has_large_shared_memory, 0), CALL(C_table_names, 2), CALL(C_check_name, 1), CALL(C_lock_device, 1),
    CALL(C_file_system_room, 2), CALL(C_token, 2), CALL(C_locks_are_masked, 0), CALL(C_columns, 3), CALL(C_in_place, 1), CALL(C_stream, 3),
    CALL(C_attachments, 1), CALL(C_are_attached, 1), {NULL, NULL, 0}};

attribute_visible void R_init_arrowshm(DllInfo *dll) {
  R_registerRoutines(dll, NULL, CALLS, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
  altrep_init(dll);
}
