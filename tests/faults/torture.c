/* What torture.R needs of the kernel and R does not give: fork(2) without ceremony, a filter of seccomp(2), a descriptor sent
 * over a socket. To be called by `.C`, which passes pointers. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void torture_begin(void) { signal(SIGCHLD, SIG_IGN); } /* nobody waits: the kernel reaps */

void torture_fork(int *pid) { *pid = (int)fork(); }

void torture_exit(int *code) { _exit(*code); }

void torture_close(int *fd) { close(*fd); }

/* One call, less than PIPE_BUF: lines of several processes do not mix. */
void torture_say(char **line) {
  if (write(1, *line, strlen(*line)) < 0) _exit(1);
}

/* Put this thread, and what it forks, under a filter; with `*fd` 1 it becomes the descriptor that the filter answers to. */
void torture_install(unsigned char *program, int *size, int *fd) {
  struct sock_fprog filter = {(unsigned short)(*size / 8), (struct sock_filter *)program};
  int flags = *fd ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  *fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

void torture_send(int *socket, int *fd) {
  char byte = '.', control[CMSG_SPACE(sizeof *fd)] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof *fd);
  memcpy(CMSG_DATA(header), fd, sizeof *fd);
  if (sendmsg(*socket, &message, 0) != 1) _exit(1);
}
