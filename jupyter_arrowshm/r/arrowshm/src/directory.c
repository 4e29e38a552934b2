/* The private directory that holds the tables: find it, make it, verify it, lock it (docs/protocol.md). It is opened anew for
 * each operation, so that no descriptor of ours is left to a forked child; only tokens stay open. */
#define _GNU_SOURCE
#include "arrowshm.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#endif
#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif
#ifndef O_NOATIME
#define O_NOATIME 0
#endif

#define major_of(device) ((unsigned)major(device))
#define minor_of(device) ((unsigned)minor(device))
#define MIN_SHARED_MEMORY (1LL << 30) /* Docker and Kubernetes give 64 MB: too little for tables */
#define SHARED_MEMORY "/dev/shm"
#define MOST_NOTES 100
#define PATH(x) Rf_translateCharUTF8(STRING_ELT(x, 0))
static const int DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const int READ_FLAGS = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK; /* a FIFO without O_NONBLOCK hangs */
const int LOOK_FLAGS = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME;

int fail(struct fault *fault, const char *kind, const char *text, const char *more) {
  fault->kind = kind;
  fault->code = 0;
  snprintf(fault->text, sizeof fault->text, "%s", text);
  snprintf(fault->more, sizeof fault->more, "%s", more ? more : "");
  return -1;
}

int fail_system(struct fault *fault, int code) {
  fail(fault, code == ENOSPC || code == EDQUOT ? "room" : "system", strerror(code), NULL);
  fault->code = code;
  return -1;
}

SEXP fault_to_r(const struct fault *fault) {
  const char *names[] = {"kind", "code", "text", "more", ""};
  SEXP made = PROTECT(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(made, 0, Rf_mkString(fault->kind));
  SET_VECTOR_ELT(made, 1, Rf_ScalarInteger(fault->code));
  SET_VECTOR_ELT(made, 2, Rf_ScalarString(Rf_mkCharCE(fault->text, CE_UTF8)));
  SET_VECTOR_ELT(made, 3, Rf_ScalarString(Rf_mkCharCE(fault->more, CE_UTF8)));
  Rf_setAttrib(made, R_ClassSymbol, Rf_mkString("arrowshm_fault"));
  UNPROTECT(1);
  return made;
}

static void check_interrupt(void *unused) {
  (void)unused;
  R_CheckUserInterrupt();
}

/* Whether the user wants to stop. We close and unlock what we have before we tell R. */
int interrupted(void) { return R_ToplevelExec(check_interrupt, NULL) == FALSE; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void random_hex(char *text, int bytes) {
  unsigned char data[16] = {0};
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, data, (size_t)bytes);
  if (fd >= 0) close(fd);
  if (got != bytes) { /* no /dev here: still another one each time */
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    uint64_t seed[2] = {(uint64_t)time.tv_sec << 32 ^ (uint64_t)time.tv_nsec, (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)&time};
    memcpy(data, seed, sizeof data);
  }
  for (int i = 0; i < bytes; i++) snprintf(text + 2 * i, 3, "%02x", data[i]);
}

/* -- locks -- */

/* 1 if flock(2) granted the lock at once, 0 if not, -1 if it failed. */
int try_lock(int fd, int operation, struct fault *fault) {
  for (;;) {
    if (flock(fd, operation | LOCK_NB) == 0) return 1;
    if (errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return fail_system(fault, errno);
  }
}

/* Take a lock that others may hold for a moment. */
int have_lock(int fd, int operation, const char *what, double timeout, struct fault *fault) {
  double deadline = now() + timeout;
  long pause = 100000; /* ns, up to 5 ms */
  for (;;) {
    int got = try_lock(fd, operation, fault);
    if (got) return got < 0 ? -1 : 0;
    if (now() >= deadline) return fail(fault, "busy", what, NULL);
    struct timespec time = {0, pause};
    nanosleep(&time, NULL);
    pause = 2 * pause < 5000000 ? 2 * pause : 5000000;
    if (interrupted()) return fail(fault, "interrupted", "", NULL);
  }
}

/* Whether the lock is free now. It is released explicitly: a child that forks meanwhile must not keep it. */
int is_granted(int fd, int operation) {
  struct fault ignored;
  if (try_lock(fd, operation, &ignored) != 1) return 0;
  flock(fd, LOCK_UN);
  return 1;
}

/* -- the directory -- */

/* The number of a user, or of a group, by its name (getpwnam(3)); NA if there is none. */
SEXP C_number_of(SEXP name, SEXP is_group) {
  const char *text = CHAR(STRING_ELT(name, 0));
  struct group *group = Rf_asLogical(is_group) ? getgrnam(text) : NULL;
  struct passwd *user = Rf_asLogical(is_group) ? NULL : getpwnam(text);
  return Rf_ScalarReal(group ? (double)group->gr_gid : user ? (double)user->pw_uid : NA_REAL);
}

/* The numbers of the groups that this process is in (getgroups(2)), by their names. */
SEXP C_groups(void) {
  char number[32];
  int most = getgroups(0, NULL), own = 1;
  gid_t *found = (gid_t *)R_alloc((size_t)most + 1, sizeof *found);
  int count = getgroups(most, found);
  for (int i = 0; i < count; i++) own &= found[i] != getegid();
  if (own) found[count++] = getegid();
  SEXP groups = PROTECT(Rf_allocVector(REALSXP, count)), names = PROTECT(Rf_allocVector(STRSXP, count));
  for (int i = 0; i < count; i++) {
    struct group *group = getgrgid(found[i]);
    snprintf(number, sizeof number, "%lu", (unsigned long)found[i]);
    REAL(groups)[i] = (double)found[i];
    SET_STRING_ELT(names, i, Rf_mkCharCE(group ? group->gr_name : number, CE_UTF8));
  }
  Rf_setAttrib(groups, R_NamesSymbol, names);
  UNPROTECT(2);
  return groups;
}

SEXP C_has_large_shared_memory(void) {
#ifdef __linux__
  struct stat status;
  struct statfs kind;
  struct statvfs size;
  if (lstat(SHARED_MEMORY, &status) || !S_ISDIR(status.st_mode) || statfs(SHARED_MEMORY, &kind) || statvfs(SHARED_MEMORY, &size))
    return Rf_ScalarLogical(0);
  /* A tmpfs mounted with size=0 has no limit and reports 0 blocks. */
  long long bytes = (long long)size.f_blocks * (long long)size.f_frsize;
  return Rf_ScalarLogical(kind.f_type == 0x01021994 && (size.f_blocks == 0 || bytes >= MIN_SHARED_MEMORY)); /* TMPFS_MAGIC */
#else
  return Rf_ScalarLogical(0);
#endif
}

/* The name of a file system whose flock(2) locks bytes at a server: a mapping does not keep such a lock (flock(2), NOTES). */
static const char *network_file_system(int fd) {
#ifdef __linux__
  static const struct {
    unsigned long number;
    const char *name;
  } KNOWN[] = {{0x6969, "nfs"}, {0x517B, "smb"}, {0xFE534D42, "smb3"}, {0xFF534D42, "cifs"}, {0x0BD00BD0, "lustre"}, {0x5346414F, "afs"}};
  struct statfs kind;
  if (fstatfs(fd, &kind)) return NULL;
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (((unsigned long)kind.f_type & 0xFFFFFFFF) == KNOWN[i].number) return KNOWN[i].name;
  if (((unsigned long)kind.f_type & 0xFFFFFFFF) == 0x65735546) { /* FUSE: which one, says mountinfo alone */
    struct stat status;
    char line[8192], number[64];
    FILE *mounts = fstat(fd, &status) ? NULL : fopen("/proc/self/mountinfo", "re");
    int found = 0;
    snprintf(number, sizeof number, " %u:%u ", major_of(status.st_dev), minor_of(status.st_dev));
    while (mounts && fgets(line, sizeof line, mounts)) found |= strstr(line, number) && strstr(line, " - fuse.sshfs ");
    if (mounts) fclose(mounts);
    if (found) return "fuse.sshfs";
  }
#else
  (void)fd;
#endif
  return NULL;
}

static int refused(const char *path, int code, struct fault *fault) {
  char text[256];
  struct stat status;
  /* O_NOFOLLOW with O_DIRECTORY reports a link as ENOTDIR (open(2)). */
  int is_there = lstat(path, &status) == 0, is_link = is_there && S_ISLNK(status.st_mode);
  /* In /dev/shm nobody can remove what another user put there. */
  const char *removal = is_there && status.st_uid != geteuid() ? "ask its owner or an administrator to remove it" : "remove it";
  if (code == EMFILE || code == ENFILE) return fail_system(fault, code);
  if (code == ELOOP || (code == ENOTDIR && is_link)) return fail(fault, "unsafe", "is a symbolic link", removal);
  if (code == ENOTDIR) return fail(fault, "unsafe", "is not a directory", removal);
  if (code == ENOENT) return fail(fault, "unsafe", "has no parent directory", "make that first");
  snprintf(text, sizeof text, "cannot be used (%s)", strerror(code));
  return fail(fault, "unsafe", text, "set $JUPYTER_ARROWSHM_DIR to a directory of yours");
}

/* R says it: the path, with an attribute `access` (owner, mode, group) where others than the owner may read. */
struct where where_of(SEXP directory) {
  SEXP access = Rf_getAttrib(directory, Rf_install("access"));
  struct where where = {PATH(directory), geteuid(), 0700, (gid_t)-1};
  if (Rf_length(access) == 3) {
    where.owner = (uid_t)REAL(access)[0];
    where.mode = (mode_t)REAL(access)[1];
    if (!R_IsNA(REAL(access)[2])) where.group = (gid_t)REAL(access)[2];
  }
  return where;
}

int is_private(struct where where) { return where.mode == 0700; }

static int verify(struct where where, const struct stat *status, struct fault *fault) {
  char text[256];
  int mine = where.owner == geteuid();
  if (status->st_uid != where.owner) {
    snprintf(text, sizeof text, mine ? "belongs to user %ld, not to you" : "belongs to user %ld, not to user %ld", (long)status->st_uid, (long)where.owner);
    return fail(fault, "unsafe", text, is_private(where) ? "ask its owner to remove it, or set $JUPYTER_ARROWSHM_DIR to a directory of yours" : "ask its owner or an administrator to remove it");
  }
  if (!(status->st_mode & 0077 & ~where.mode)) return 0;
  if (!mine) return fail(fault, "unsafe", "can be written by others than its owner", "ask its owner to mend it");
  snprintf(text, sizeof text, "run chmod %o %.200s", (unsigned)where.mode, where.path);
  return fail(fault, "unsafe", is_private(where) ? "is open to other users" : "can be written by other users", text);
}

/* mkdir(2) obeys the umask, and knows no group. A process that was killed here may have left the directory closed. */
static int let_readers_in(int fd, struct where where, const struct stat *status, struct fault *fault) {
  int other_group = where.group != (gid_t)-1 && status->st_gid != where.group;
  if (!other_group && (status->st_mode & 0777) == where.mode) return 0;
  /* Not a moment for the members of another group. */
  int wrong = other_group && (fchmod(fd, 0700) || fchown(fd, (uid_t)-1, where.group));
  return wrong || fchmod(fd, where.mode) ? refused(where.path, errno, fault) : 0;
}

void directory_close(struct directory *directory) {
  if (directory->locked >= 0) {
    /* Explicitly: a child forked meanwhile has a copy, and closing ours would leave it the lock. */
    flock(directory->locked, LOCK_UN);
    close(directory->locked);
  }
  if (directory->fd >= 0) close(directory->fd);
  directory->fd = directory->locked = -1;
}

/* Open and verify the directory; `fd` is -1 if there is none and `create` is false. */
int directory_open(struct where where, int create, struct directory *directory, struct fault *fault) {
  const char *path = where.path;
  struct stat status;
  int made = 0;
  directory->fd = directory->locked = -1;
  if (*path != '/') return fail(fault, "unsafe", "is a relative path", "give an absolute one");
  int fd = open(path, DIRECTORY_FLAGS);
  if (fd < 0 && errno == ENOENT && create) {
    if (mkdir(path, 0700) && errno != EEXIST) return refused(path, errno, fault);
    made = 1;
    fd = open(path, DIRECTORY_FLAGS);
  }
  if (fd < 0) {
    int code = errno;
    if (code == ENOENT && !create) return 0;
    if (code == EACCES && lstat(path, &status) == 0 && verify(where, &status, fault)) return -1;
    if (code == EACCES && where.owner != geteuid())
      return fail(fault, "unsafe", "is not open to you", "ask its owner to share with a group that you are in");
    return refused(path, code, fault);
  }
  directory->fd = fd;
  if (fstat(fd, &status)) {
    fail_system(fault, errno);
    directory_close(directory);
    return -1;
  }
  directory->device = status.st_dev;
  directory->inode = status.st_ino;
  const char *network = network_file_system(fd);
  int wrong = verify(where, &status, fault);
  if (!wrong && create && !is_private(where)) wrong = let_readers_in(fd, where, &status, fault);
  if (!wrong && network) {
    char text[256];
    snprintf(text, sizeof text, "is on %s, a network file system: its locks do not tell who uses a table", network);
    wrong = fail(fault, "unsafe", text, "set $JUPYTER_ARROWSHM_DIR to a directory in /dev/shm or on a disk of this machine");
  }
  const char *parts[] = {LIVE, PINS};
  for (int i = 0; i < 2 && !wrong && create; i++)
    if ((made || fstatat(fd, parts[i], &status, AT_SYMLINK_NOFOLLOW)) && mkdirat(fd, parts[i], 0700) && errno != EEXIST)
      wrong = errno == ENOSPC || errno == EDQUOT ? fail_system(fault, errno) : refused(path, errno, fault);
  if (wrong) directory_close(directory);
  return wrong;
}

/* Open the directory, making it if need be, and hold its lock, which is on .live. The descriptor is one for this occasion:
 * a shared one would let in every thread. */
int directory_lock(struct where where, struct directory *directory, struct fault *fault) {
  for (;;) {
    if (directory_open(where, 1, directory, fault)) return -1;
    directory->locked = openat(directory->fd, LIVE, DIRECTORY_FLAGS);
    if (directory->locked < 0) {
      int code = errno;
      directory_close(directory);
      if (code == ENOENT) continue; /* removed this instant */
      return fail_system(fault, code);
    }
    if (have_lock(directory->locked, LOCK_EX, where.path, LOCK_TIMEOUT, fault)) {
      directory_close(directory);
      return -1;
    }
    /* While we waited, the directory may have been removed and made anew. */
    struct stat status;
    if (lstat(where.path, &status) == 0 && status.st_dev == directory->device && status.st_ino == directory->inode) return 0;
    directory_close(directory);
  }
}

/* The table's file, if it is a regular file of the directory's owner: a descriptor; -1 if there is none; -2 and errno if it failed. */
int table_open(int at, const char *name, int flags, struct stat *status) {
  char file[MAX_FILE_NAME];
  snprintf(file, sizeof file, "%s" SUFFIX, name);
  if (fstat(at, status)) return -2;
  uid_t owner = status->st_uid;
  if (owner != geteuid()) flags &= ~O_NOATIME; /* which is for the owner of a file alone */
  int fd = openat(at, file, flags);
  if (fd < 0) /* absent; a link; a socket; somebody else's, twice; a device */
    return errno == ENOENT || errno == ELOOP || errno == ENXIO || errno == EACCES || errno == EPERM || errno == ENODEV ? -1 : -2;
  int code = fstat(fd, status) ? errno : 0;
  if (!code && S_ISREG(status->st_mode) && status->st_uid == owner) return fd;
  close(fd);
  errno = code;
  return code ? -2 : -1;
}

int exists_at(int at, const char *folder, const char *name) {
  char path[2 * MAX_FILE_NAME];
  struct stat status;
  snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
  return fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The names in a directory below `at`, as a list that ends with NULL; NULL if it cannot be read. */
static char **entries(int at, const char *name) {
  int fd = openat(at, name, DIRECTORY_FLAGS);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  if (!stream) {
    if (fd >= 0) close(fd);
    return NULL;
  }
  size_t count = 0, room = 16;
  char **found = malloc(room * sizeof *found);
  struct dirent *entry;
  while (found && (entry = readdir(stream))) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (count + 1 == room) {
      char **more = realloc(found, (room *= 2) * sizeof *found);
      if (!more) break;
      found = more;
    }
    if ((found[count] = strdup(entry->d_name))) count++;
  }
  if (found) found[count] = NULL;
  closedir(stream);
  return found;
}

static void entries_free(char **found) {
  for (char **entry = found; entry && *entry; entry++) free(*entry);
  free(found);
}

/* -- tokens -- */

static struct {
  char id[33];
  struct {
    dev_t device;
    ino_t inode;
    int fd;
  } files[64];
  int count;
} token;
static int has_handler;

/* A child is a publisher of its own. It closes its copies and unlocks nothing (docs/protocol.md, "Descriptors and locks"). */
static void forked(void) {
  for (int i = 0; i < token.count; i++) close(token.files[i].fd);
  token.count = 0;
  token.id[0] = '\0';
}

const char *token_id(void) {
  if (!has_handler) has_handler = pthread_atfork(NULL, NULL, forked) == 0;
  if (!token.id[0]) random_hex(token.id, 16);
  return token.id;
}

static int open_live(int at) {
  int fd = openat(at, LIVE, DIRECTORY_FLAGS);
  if (fd >= 0 || errno != ENOENT) return fd;
  if (mkdirat(at, LIVE, 0700) && errno != EEXIST) return -1;
  return openat(at, LIVE, DIRECTORY_FLAGS);
}

/* Make sure that this process's token is in the directory, locked; the caller holds the directory lock, without which a
 * sweeper could find the file between its creation and its lock, and take it for a dead process's. */
int token_show(int at, struct fault *fault) {
  struct stat status, own;
  const char *id = token_id();
  int live = open_live(at);
  if (live < 0 || fstat(live, &status)) {
    fail_system(fault, errno);
    if (live >= 0) close(live);
    return -1;
  }
  int known = 0;
  while (known < token.count && (token.files[known].device != status.st_dev || token.files[known].inode != status.st_ino)) known++;
  if (known < token.count) {
    if (fstat(token.files[known].fd, &own) == 0 && own.st_nlink > 0) {
      close(live);
      return 0;
    }
    close(token.files[known].fd);
    token.files[known] = token.files[--token.count];
  }
  unlinkat(live, id, 0);
  int fd = openat(live, id, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    fail_system(fault, errno);
    close(live);
    return -1;
  }
  char what[64];
  snprintf(what, sizeof what, LIVE "/%s", id);
  /* A listing asks every token for an instant; if we gave up then, this process would pass for dead. */
  if (have_lock(fd, LOCK_EX, what, LOCK_TIMEOUT, fault)) {
    unlinkat(live, id, 0);
    close(fd);
    close(live);
    return -1;
  }
  close(live);
  if (token.count == (int)(sizeof token.files / sizeof *token.files)) { /* of many stores the oldest is let go of */
    close(token.files[0].fd);
    memmove(token.files, token.files + 1, (size_t)--token.count * sizeof *token.files);
  }
  token.files[token.count].device = status.st_dev;
  token.files[token.count].inode = status.st_ino;
  token.files[token.count++].fd = fd;
  return 0;
}

/* A footer may say anything: "..", or a path. */
static int is_token(const char *text) { return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32; }

/* Whether the process that published under this token still runs: its token is locked. */
int token_is_alive(int at, const char *text) {
  char path[64];
  if (!is_token(text)) return 0;
  if (!strcmp(text, token.id)) return 1;
  snprintf(path, sizeof path, LIVE "/%s", text);
  int fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  /* A process that has no descriptor left must not take the others for dead and remove their tables. */
  if (fd < 0) return errno != ENOENT && errno != ELOOP && errno != ENAMETOOLONG && errno != ENOTDIR;
  int alive = !is_granted(fd, LOCK_SH);
  close(fd);
  return alive;
}

/* -- pins and notes -- */

int pin_make(int at, const char *name, struct fault *fault) {
  char path[MAX_FILE_NAME];
  if (mkdirat(at, PINS, 0700) && errno != EEXIST) return fail_system(fault, errno);
  snprintf(path, sizeof path, PINS "/%s", name);
  int fd = openat(at, path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return fail_system(fault, errno);
  close(fd);
  return 0;
}

void pin_remove(int at, const char *name) {
  char path[MAX_FILE_NAME];
  snprintf(path, sizeof path, PINS "/%s", name);
  unlinkat(at, path, 0);
}

/* Note why the table was removed; the caller holds the directory lock. In a full directory nothing is noted. */
void note_write(int at, const char *name, const char *reason) {
  char path[MAX_FILE_NAME];
  if (mkdirat(at, REMOVED, 0700) && errno != EEXIST) return;
  snprintf(path, sizeof path, REMOVED "/%s", name);
  int fd = openat(at, path, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ssize_t written = write(fd, reason, strlen(reason));
  (void)written;
  close(fd);
  char **found = entries(at, REMOVED);
  size_t count = 0;
  while (found && found[count]) count++;
  for (; count > MOST_NOTES; count--) { /* the oldest, one by one: there is seldom more than one too many */
    struct stat status, oldest_status = {0};
    const char *oldest = NULL;
    for (char **entry = found; *entry; entry++) {
      snprintf(path, sizeof path, REMOVED "/%s", *entry);
      if (fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW)) continue;
      if (!oldest || status.st_mtim.tv_sec < oldest_status.st_mtim.tv_sec ||
          (status.st_mtim.tv_sec == oldest_status.st_mtim.tv_sec && status.st_mtim.tv_nsec < oldest_status.st_mtim.tv_nsec)) {
        oldest = *entry;
        oldest_status = status;
      }
    }
    if (!oldest) break;
    snprintf(path, sizeof path, REMOVED "/%s", oldest);
    unlinkat(at, path, 0);
  }
  entries_free(found);
}

/* -- sweeping -- */

void lost_add(struct lost *lost, int fd) {
  int *more = realloc(lost->fds, (lost->count + 1) * sizeof *more);
  if (!more) {
    close(fd);
    return;
  }
  lost->fds = more;
  lost->fds[lost->count++] = fd;
}

/* To be called without the directory lock: freeing a GiB takes 130 ms. */
void lost_close(struct lost *lost) {
  for (size_t i = 0; i < lost->count; i++) close(lost->fds[i]);
  free(lost->fds);
  lost->fds = NULL;
  lost->count = 0;
}

/* Remove dead tokens, abandoned drafts and pins without a table; the caller holds the directory lock. */
int sweep(int at, struct lost *lost, struct fault *fault) {
  char path[2 * MAX_FILE_NAME];
  int live = open_live(at);
  if (live < 0) return fail_system(fault, errno);
  close(live);
  char **found = entries(at, LIVE);
  for (char **entry = found; entry && *entry; entry++)
    if (!token_is_alive(at, *entry)) {
      snprintf(path, sizeof path, LIVE "/%s", *entry);
      unlinkat(at, path, 0);
    }
  entries_free(found);
  found = entries(at, ".");
  for (char **entry = found; entry && *entry; entry++) {
    if (strncmp(*entry, DRAFT_PREFIX, strlen(DRAFT_PREFIX))) continue;
    int fd = openat(at, *entry, READ_FLAGS);
    struct fault ignored;
    if (fd < 0) continue;
    /* A draft has a name either under the directory lock, which we hold, or while its writer keeps it locked. */
    if (try_lock(fd, LOCK_SH, &ignored) == 1) unlinkat(at, *entry, 0);
    lost_add(lost, fd);
  }
  entries_free(found);
  found = entries(at, PINS);
  for (char **entry = found; entry && *entry; entry++) {
    snprintf(path, sizeof path, "%s" SUFFIX, *entry);
    if (!exists_at(at, "", path)) pin_remove(at, *entry);
  }
  entries_free(found);
  return 0;
}

/* Whether a sweep would find something, asked without the directory lock. */
static int is_littered(int at) {
  int littered = 0;
  char **found = entries(at, ".");
  for (char **entry = found; entry && *entry; entry++) littered |= !strncmp(*entry, DRAFT_PREFIX, strlen(DRAFT_PREFIX));
  entries_free(found);
  found = entries(at, LIVE);
  for (char **entry = found; entry && *entry && !littered; entry++) littered |= !token_is_alive(at, *entry);
  entries_free(found);
  return littered;
}

/* -- for R -- */

/* The names that tables have here; NULL where there is no directory. Sweeps where there is something to sweep. */
SEXP C_table_names(SEXP path, SEXP tidy) {
  struct fault fault;
  struct directory directory;
  struct lost lost = {0};
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  if (directory.fd < 0) return R_NilValue;
  if (Rf_asLogical(tidy) && is_littered(directory.fd)) {
    directory_close(&directory);
    if (directory_lock(where_of(path), &directory, &fault)) return fault_to_r(&fault);
    int wrong = sweep(directory.fd, &lost, &fault);
    directory_close(&directory);
    lost_close(&lost);
    if (wrong) return fault_to_r(&fault);
    if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
    if (directory.fd < 0) return R_NilValue;
  }
  char **found = entries(directory.fd, "."), name[MAX_FILE_NAME];
  directory_close(&directory);
  R_xlen_t count = 0;
  for (char **entry = found; entry && *entry; entry++) count += is_table_file(*entry, name);
  SEXP names = PROTECT(Rf_allocVector(STRSXP, count));
  count = 0;
  for (char **entry = found; entry && *entry; entry++)
    if (is_table_file(*entry, name)) SET_STRING_ELT(names, count++, Rf_mkCharCE(name, CE_UTF8));
  entries_free(found);
  UNPROTECT(1);
  return names;
}

/* NULL if the text can name a table, else the rule it breaks. */
SEXP C_check_name(SEXP name) {
  SEXP text = STRING_ELT(name, 0);
  char reason[256];
  if (text == NA_STRING) return Rf_mkString("it is NA");
  const char *bytes = Rf_getCharCE(text) == CE_BYTES || Rf_getCharCE(text) == CE_UTF8 ? CHAR(text) : Rf_translateCharUTF8(text);
  return check_name(bytes, strlen(bytes), reason, sizeof reason) ? R_NilValue : Rf_mkString(reason);
}

/* How /proc/locks writes the device of this directory, as "00:1b": the superblock's number, which differs from `st_dev` on
 * overlay and btrfs. It is read from a lock of our own (proc_pid_fdinfo(5)). Second: how it writes `st_dev`. */
SEXP C_lock_device(SEXP path) {
  struct fault fault;
  struct directory directory;
  char device[64], learned[64] = "", name[64] = "", info[64], line[256];
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  if (directory.fd < 0) return R_NilValue;
  snprintf(device, sizeof device, "%02x:%02x", major_of(directory.device), minor_of(directory.device));
  int probe = O_TMPFILE ? openat(directory.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0400) : -1;
  if (probe < 0) { /* if we are killed here, it is removed like an abandoned draft */
    char random[17];
    random_hex(random, 8);
    snprintf(name, sizeof name, DRAFT_PREFIX "%s", random);
    probe = openat(directory.fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0400);
  }
  if (probe >= 0 && try_lock(probe, LOCK_SH, &fault) == 1) {
    snprintf(info, sizeof info, "/proc/self/fdinfo/%d", probe);
    FILE *file = fopen(info, "re");
    while (file && fgets(line, sizeof line, file)) {
      char found[64];
      if (sscanf(line, "lock: %*s %*s %*s %*s %*s %63s", found) == 1 && strrchr(found, ':')) {
        *strrchr(found, ':') = '\0';
        snprintf(learned, sizeof learned, "%s", found);
      }
    }
    if (file) fclose(file);
  }
  if (*name) unlinkat(directory.fd, name, 0);
  if (probe >= 0) close(probe);
  directory_close(&directory);
  SEXP made = PROTECT(Rf_allocVector(STRSXP, 2));
  SET_STRING_ELT(made, 0, Rf_mkChar(*learned ? learned : device));
  SET_STRING_ELT(made, 1, Rf_mkChar(device));
  UNPROTECT(1);
  return made;
}

/* Total and free bytes of the file system of a directory, or of its parent before it is made (0 in all: no limit), and whether its
 * files are memory. */
SEXP C_file_system_room(SEXP path, SEXP parent) {
  struct statvfs size;
  int fd = open(PATH(path), DIRECTORY_FLAGS);
  if (fd < 0) fd = open(PATH(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  SEXP made = PROTECT(Rf_allocVector(REALSXP, 3));
  double *values = REAL(made);
  values[0] = values[1] = values[2] = 0;
  if (fd >= 0 && fstatvfs(fd, &size) == 0) {
    values[0] = (double)size.f_blocks * (double)size.f_frsize;
    values[1] = (double)size.f_bavail * (double)size.f_frsize;
#ifdef __linux__
    struct statfs kind;
    values[2] = fstatfs(fd, &kind) == 0 && kind.f_type == 0x01021994;
#endif
  }
  if (fd >= 0) close(fd);
  UNPROTECT(1);
  return made;
}

/* Whether the token is locked, and its inode. */
SEXP C_token(SEXP path, SEXP text) {
  struct fault fault;
  struct directory directory;
  struct stat status;
  char file[64];
  const char *id = CHAR(STRING_ELT(text, 0));
  double values[2] = {0, 0};
  if (directory_open(where_of(path), 0, &directory, &fault)) return fault_to_r(&fault);
  if (directory.fd >= 0 && is_token(id)) {
    values[0] = token_is_alive(directory.fd, id);
    snprintf(file, sizeof file, LIVE "/%s", id);
    if (fstatat(directory.fd, file, &status, AT_SYMLINK_NOFOLLOW) == 0) values[1] = (double)status.st_ino;
  }
  directory_close(&directory);
  SEXP made = PROTECT(Rf_allocVector(REALSXP, 2));
  memcpy(REAL(made), values, sizeof values);
  UNPROTECT(1);
  return made;
}

/* Whether an empty /proc/locks is what a container has in the kernel's place: then it lacks a lock of our own, too. */
SEXP C_locks_are_masked(void) {
  struct fault ignored;
  char byte;
  int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC), masked = 1;
  if (fd >= 0) {
    if (try_lock(fd, LOCK_SH, &ignored) == 1) masked = read(fd, &byte, 1) != 1;
    close(fd);
  }
  return Rf_ScalarLogical(masked);
}
