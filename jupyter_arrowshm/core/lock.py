"""File locks, and the descriptors that they belong to, in a process that may fork."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import ClassVar, Protocol

from ..errors import Busy, UnsupportedPlatform

if sys.platform == "win32":
    raise UnsupportedPlatform("Windows")
import fcntl

EXCLUSIVE, SHARED = fcntl.LOCK_EX, fcntl.LOCK_SH

# A child that another thread forks between a system call and the line that notes its result would keep a copy of the
# descriptor that nobody closes.
_not_forking = threading.RLock()


class Descriptor:
    """A file descriptor that is closed with its owner, and in every forked child.

    A child that kept a copy would keep what hangs on it: the directory lock, a
    token, or the memory of a table that was never published. Closing a copy
    never unlocks, so the parent notices nothing (flock(2), NOTES).
    """

    __slots__ = ("__weakref__", "fd")
    # By number. A WeakSet of them took a tenth of the time of an attach.
    _open: ClassVar[dict[int, weakref.ref[Descriptor]]] = {}

    def __init__(self, fd: int) -> None:
        self.fd = fd
        Descriptor._open[fd] = weakref.ref(self)

    @classmethod
    def open(cls, path: str, flags: int, mode: int = 0o600, *, dir_fd: int | None = None) -> Descriptor:
        with _not_forking:
            return cls(os.open(path, flags | os.O_CLOEXEC, mode, dir_fd=dir_fd))

    def close(self) -> None:
        with _not_forking:
            fd, self.fd = self.fd, -1
            if fd >= 0:
                # First: from the moment it is closed, another thread's may have its number.
                del Descriptor._open[fd]
                os.close(fd)

    def __del__(self) -> None:
        if self.fd >= 0:
            self.close()

    def __enter__(self) -> Descriptor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def close_all(cls) -> None:
        for reference in list(cls._open.values()):
            if (descriptor := reference()) is not None:
                descriptor.close()


def entries(at: int, name: str = ".") -> list[str]:
    """The names in a directory below this one, as ``os.listdir``.

    That reads on from where the descriptor stands, and duplicates of one stand at one place (dup(2)): of two threads
    each would miss names.
    """
    with Descriptor.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at) as own:
        return os.listdir(own.fd)


class Forked(Protocol):
    """An owner of locks, which nobody releases in a forked child, or of threads, which do not exist there."""

    def forked(self) -> None:
        """Recreate, in the child, what does not survive a fork."""


_renewed: weakref.WeakSet[Forked] = weakref.WeakSet()


def renew_in_children(owner: Forked) -> None:
    """Have ``owner.forked`` called in every forked child, for as long as somebody refers to the owner."""
    _renewed.add(owner)


def _forked() -> None:
    Descriptor.close_all()
    _not_forking.release()
    for owner in list(_renewed):
        owner.forked()


os.register_at_fork(before=_not_forking.acquire, after_in_parent=_not_forking.release, after_in_child=_forked)


def try_lock(fd: int, operation: int) -> bool:
    """``flock(fd, operation | LOCK_NB)``: whether the lock was granted at once."""
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def claim(fd: int, what: str, timeout: float) -> None:
    """Take an exclusive lock on a file of one's own, which others hold for an instant when they ask about it.

    Raises
    ------
    Busy
        Somebody kept it for ``timeout`` seconds. Without the lock its owner would pass for dead.
    """
    if not wait_for(functools.partial(try_lock, fd, EXCLUSIVE), timeout):
        raise Busy(what, timeout)


def unlock(fd: int) -> None:
    """Release the lock explicitly: closing alone would leave it to a child that forked meanwhile (flock(2), NOTES)."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_grantable(fd: int, operation: int) -> bool:
    """Whether the lock is free now. It is released explicitly: a child that forks meanwhile must not keep it."""
    if not try_lock(fd, operation):
        return False
    unlock(fd)
    return True


def wait_for(attempt: Callable[[], bool], timeout: float) -> bool:
    """Call ``attempt`` until it is true or ``timeout`` seconds are over, with growing pauses up to 5 ms."""
    deadline, pause = time.monotonic() + timeout, 0.0001
    while not attempt():
        if not time.monotonic() < deadline:  # also where the time is not a number
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.005)
    return True
