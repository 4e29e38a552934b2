"""Stands between a process and the kernel: every system call of the store can be the one at which a fault comes.

A process that installs :data:`NOTIFY` on itself (seccomp(2)) and sends the descriptor that it gets here waits in each
of its calls until :class:`Interception` has answered: go on, fail with this error, write less, or it is killed. Nothing
of the process is changed, so this holds for Python and Julia alike, and takes neither a compiler nor ptrace(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import platform
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

END = -4711  # closing this descriptor, which cannot be, says that what was to be intercepted is over
KILL, SHORT = "kill", "short"

# asm/unistd_64.h: what a store is made of. The numbers of other processors differ, and were not tried.
_CALLS = {
    "x86_64": {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "mmap": 9, "pread64": 17,
        "writev": 20, "access": 21, "flock": 73, "rename": 82, "mkdir": 83, "unlink": 87, "fchmod": 91, "fstatfs": 138,
        "getdents64": 217, "openat": 257, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263, "renameat": 264,
        "linkat": 265, "faccessat": 269, "renameat2": 316, "statx": 332, "faccessat2": 439,
    }
}.get(platform.machine(), {})  # fmt: skip
_NAMES = {number: name for name, number in _CALLS.items()}
_SECCOMP, _PIDFD_GETFD = 317, 438
_PR_SET_NO_NEW_PRIVS, _SECCOMP_SET_MODE_FILTER, _NEW_LISTENER = 38, 1, 8
_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1  # linux/seccomp.h
_EOPNOTSUPP, _EAGAIN, _O_TMPFILE_BIT = 95, 11, 0o20000000
_FORKS = (56, 57, 58, 435)  # clone, fork, vfork, clone3

# Classic BPF (linux/filter.h): load a word of struct seccomp_data, jump if equal or if a bit is set, return.
_LOAD, _EQUAL, _BIT, _RETURN = 0x20, 0x15, 0x45, 0x06


def _program(*steps: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<HBBI", code, yes, no, value) for code, yes, no, value in steps)


def _argument(index: int) -> int:
    return 16 + 8 * index  # its lower half


def _notify() -> bytes:
    mmap, write = _CALLS["mmap"], _CALLS["write"]
    others = [number for number in _CALLS.values() if number not in (mmap, write)]
    return _program(
        (_LOAD, 0, 0, 0),
        (_EQUAL, 0, 2, mmap),  # of a file only
        (_LOAD, 0, 0, _argument(4)),
        (_EQUAL, len(others) + 3, len(others) + 4, 0xFFFFFFFF),
        (_EQUAL, 0, 2, write),  # but for what it says on its standard output
        (_LOAD, 0, 0, _argument(0)),
        (_EQUAL, len(others), len(others) + 1, 1),
        *((_EQUAL, len(others) - index, 0, number) for index, number in enumerate(others)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _NOTIFY),
    )


def _no_tmpfile() -> bytes:
    return _program(
        (_LOAD, 0, 0, 0),
        (_EQUAL, 0, 3, _CALLS["openat"]),
        (_LOAD, 0, 0, _argument(2)),
        (_BIT, 0, 1, _O_TMPFILE_BIT),
        (_RETURN, 0, 0, _ERRNO | _EOPNOTSUPP),
        (_RETURN, 0, 0, _ALLOW),
    )


def _no_fork() -> bytes:
    return _program(
        (_LOAD, 0, 0, 0),
        *((_EQUAL, len(_FORKS) - index, 0, number) for index, number in enumerate(_FORKS)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EAGAIN),
    )


NOTIFY = _notify() if _CALLS else b""
NO_TMPFILE = _no_tmpfile() if _CALLS else b""  # as on a file system without O_TMPFILE
NO_FORK = _no_fork() if _CALLS else b""  # as with a full process table: neither a process nor a thread can be started
_libc = ctypes.CDLL(None, use_errno=True)


def install(program: bytes, *, listen: bool = False) -> int:
    """Put this thread, and what it forks, under a filter; with ``listen`` gives the descriptor that it answers to."""
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    flags = _NEW_LISTENER if listen else 0
    number = _libc.syscall(_SECCOMP, _SECCOMP_SET_MODE_FILTER, flags, filter_)
    if number < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return int(number)


@functools.cache
def works() -> bool:
    """Whether this system lets a process be intercepted; tried in one."""
    return (
        bool(_CALLS) and subprocess.run([sys.executable, __file__], stderr=subprocess.PIPE, check=False).returncode == 0
    )


# Where each call says what it is about: a descriptor's place among the arguments, and that of a name in it.
_PLACES = {
    "open": (None, 0), "stat": (None, 0), "lstat": (None, 0), "access": (None, 0), "rename": (None, 1),
    "mkdir": (None, 0), "unlink": (None, 0), "openat": (0, 1), "mkdirat": (0, 1), "newfstatat": (0, 1),
    "unlinkat": (0, 1), "renameat": (2, 3), "renameat2": (2, 3), "linkat": (2, 3), "faccessat": (0, 1),
    "faccessat2": (0, 1), "statx": (0, 1), "mmap": (4, None),
}  # fmt: skip
_LOOKS = (
    "read",
    "pread64",
    "fstat",
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "fstatfs",
    "access",
    "faccessat2",
    "close",
)


@dataclass(frozen=True)
class Call:
    """A system call about the store that has not been made yet: the ``index``-th of its process."""

    index: int
    name: str
    pid: int
    arguments: tuple[int, ...]
    path: str

    @property
    def looks(self) -> bool:
        """Whether it changes nothing that others could see."""
        return self.name in (*_LOOKS, "getdents64")

    @property
    def creates(self) -> bool:
        return self.name == "openat" and bool(self.arguments[2] & (os.O_CREAT | _O_TMPFILE_BIT))

    @property
    def unnamed(self) -> bool:
        return self.name == "openat" and bool(self.arguments[2] & _O_TMPFILE_BIT)

    def __str__(self) -> str:
        return f"{self.name} of {self.path}, call {self.index}"


def _path(name: str, pid: int, arguments: Sequence[int]) -> str:
    """What a call is about, as the kernel will see it."""
    fd, text = _PLACES.get(name, (0, None))
    path = ""
    with contextlib.suppress(OSError):
        if text is not None:
            memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
            try:
                path = os.fsdecode(os.pread(memory, 512, arguments[text]).partition(b"\0")[0])
            finally:
                os.close(memory)
        if fd is not None and not path.startswith("/"):
            path = os.readlink(f"/proc/{pid}/fd/{arguments[fd] & 0xFFFFFFFF}") + (f"/{path}" if path else "")
    return path


Verdict = str | int | None  # KILL, SHORT, an errno; nothing: it is made as it is


class Interception:
    """Answers one process's calls until it is gone."""

    def __init__(self, listener: int) -> None:
        self._listener = listener

    def serve(
        self,
        decide: Callable[[Call], Verdict],
        directory: Callable[[], str] = lambda: "/",
        patience: float | None = 60,
    ) -> list[Call]:
        """``decide`` what becomes of each call about a directory; gives those that came until :data:`END`.

        It is a failure that nothing comes for ``patience`` seconds.
        """
        seen: list[Call] = []
        over = False
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        try:
            while True:
                events = poll.poll(None if patience is None else 1000 * patience)
                assert events, f"it does not go on after {seen}"
                if events[0][1] & select.POLLHUP:
                    return seen
                with contextlib.suppress(FileNotFoundError):  # it was killed meanwhile
                    request = bytearray(80)
                    fcntl.ioctl(self._listener, _RECEIVE, request)
                    identity, pid, _, number, _, _, *arguments = struct.unpack("<QIIiIQ6Q", request)
                    name = _NAMES[number]
                    over = over or (name == "close" and arguments[0] & 0xFFFFFFFF == END & 0xFFFFFFFF)
                    verdict = None
                    path = "" if over else _path(name, pid, arguments)
                    if f"{path}/".startswith(f"{directory().rstrip('/')}/"):
                        call = Call(len(seen), name, pid, tuple(arguments), path)
                        seen.append(call)
                        verdict = decide(call)
                    if verdict == KILL:
                        os.kill(pid, signal.SIGKILL)
                    elif verdict == SHORT:
                        self._answer(identity, value=_write_half(call))
                    elif verdict is not None:
                        self._answer(identity, error=int(verdict))
                    else:
                        self._answer(identity, flags=_CONTINUE)
        finally:
            os.close(self._listener)

    def _answer(self, identity: int, *, value: int = 0, error: int = 0, flags: int = 0) -> None:
        fcntl.ioctl(self._listener, _SEND, struct.pack("<QqiI", identity, value, -error, flags))


def _write_half(call: Call) -> int:
    """Do a write(2) or writev(2) in the process's place, but of half of its (first) piece; the bytes written."""
    pidfd = os.pidfd_open(call.pid)
    fd = _libc.syscall(_PIDFD_GETFD, pidfd, ctypes.c_int(call.arguments[0]), 0)
    os.close(pidfd)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    memory = os.open(f"/proc/{call.pid}/mem", os.O_RDONLY)
    try:
        address, size = call.arguments[1:3]
        if call.name == "writev":
            address, size = struct.unpack("<QQ", os.pread(memory, 16, address))
        return os.write(fd, os.pread(memory, max(1, size // 2), address))
    finally:
        os.close(memory)
        os.close(fd)


def _try() -> None:
    ours, theirs = socket.socketpair()
    if not os.fork():
        try:
            socket.send_fds(theirs, [b"."], [install(NOTIFY, listen=True)])
            os.stat("/")
        finally:
            os._exit(0)
    theirs.close()
    _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
    assert any(call.path == "/" for call in Interception(listener).serve(lambda call: None))


def _become(command: Sequence[str], listeners: str) -> None:
    """Become another program, whose calls are answered by whoever listens to this socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(listeners)
        socket.send_fds(connection, [b"."], [install(NOTIFY, listen=True)])
    os.execvp(command[0], command)


if __name__ == "__main__":
    _become(sys.argv[2:], sys.argv[1]) if sys.argv[2:] else _try()
