"""One immutable file of the store: a draft that gets a name at once and whole, and a mapping that is a lease."""

from __future__ import annotations

import contextlib
import errno
import functools
import mmap
import os
import secrets
import stat
import sys
import time

import pyarrow as pa

from ..errors import Busy, DamagedTable
from . import names
from .access import PRIVATE, Access
from .directory import DRAFT_PREFIX, LOCK_TIMEOUT
from .lock import SHARED, Descriptor, claim, try_lock, unlock, wait_for

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO without O_NONBLOCK hangs
_LOOK = _READ | getattr(os, "O_NOATIME", 0)  # the time of access is that of the last attach, and no look may change it
_TRACE_EVERY = (
    1_000_000_000  # ns; a trace of each use of a table that is attached in a loop would take a tenth of its time
)
_WRITE = os.O_RDWR
OPEN_TIMEOUT = 0.5  # s; who asks holds a lock for microseconds, and any reader of an open store could keep it for ever
_DESCRIPTORS = "/proc/self/fd"
# mmap keeps a descriptor of its own up to Python 3.12. A lease needs none on Linux.
_MAP = {"trackfd": False} if sys.version_info >= (3, 13) and sys.platform == "linux" else {}


class Draft:
    """A segment before it has a name. If the process is killed, the kernel frees it.

    Where the file system has no O_TMPFILE, or the system no /proc, it is a dot file that its writer
    keeps locked: an unlocked one is abandoned (docs/protocol.md, "Sharing").
    """

    def __init__(self, at: int) -> None:
        self.name = ""
        try:
            os.stat(_DESCRIPTORS)  # without it an unnamed file can never have a name
            self.file = Descriptor.open(".", os.O_TMPFILE | _WRITE, 0o600, dir_fd=at)
        except (AttributeError, OSError) as error:
            # EISDIR: a kernel before 3.11; EOPNOTSUPP: the file system; EINVAL, ENOENT: gVisor and FUSE.
            if isinstance(error, OSError) and error.errno not in (
                errno.EISDIR,
                errno.EOPNOTSUPP,
                errno.EINVAL,
                errno.ENOENT,
            ):
                raise
            self.name = DRAFT_PREFIX + secrets.token_hex(8)
            flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | _WRITE
            self.file = Descriptor.open(self.name, flags, 0o600, dir_fd=at)
            try:
                claim(self.file.fd, self.name, LOCK_TIMEOUT)
            except BaseException:
                self.discard(at)
                raise

    def publish(self, at: int, name: str, access: Access = PRIVATE) -> Descriptor | None:
        """Give the file its name, over whatever has it; the caller holds the directory lock.

        Returns the segment that lost the name, to be closed outside the lock:
        freeing a GiB takes 130 ms.
        """
        if access.group is not None:
            os.fchown(self.file.fd, -1, access.group)
        os.fchmod(self.file.fd, access.file_mode)
        # This time distinguishes the version from the next, and the kernel's own clock stands still for milliseconds.
        os.utime(self.file.fd, ns=(now := time.time_ns(), now))
        target = name + names.SUFFIX
        linked = self.name or DRAFT_PREFIX + secrets.token_hex(8)
        try:
            if not self.name:
                # linkat(2) of an O_TMPFILE; it never replaces, hence the dot name and the rename.
                os.link(f"{_DESCRIPTORS}/{self.file.fd}", linked, dst_dir_fd=at, follow_symlinks=True)
            old = open_any(at, target)
            # Before the rename: a reader that finds the name must find it unlocked.
            unlock(self.file.fd)
            os.rename(linked, target, src_dir_fd=at, dst_dir_fd=at)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(linked, dir_fd=at)
            raise
        self.name = ""
        self.file.close()
        return old

    def discard(self, at: int) -> None:
        """Forget the file. Harmless after :meth:`publish` and in a forked child."""
        if self.name and self.file.fd >= 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.name, dir_fd=at)
        self.file.close()


def open_any(at: int, file_name: str) -> Descriptor | None:
    """A descriptor of the file with this name, to keep its memory past an unlink; ``None`` if there is none."""
    try:
        return Descriptor.open(file_name, _READ, dir_fd=at)
    except FileNotFoundError:
        return None
    except OSError:  # a link, a socket, no permission: nothing whose memory we could hold
        return None


def open_regular(at: int, name: str) -> tuple[Descriptor, os.stat_result] | None:
    """The table's file, if it is a regular file of the directory's owner; ``None`` if something else has the name."""
    owner = os.fstat(at).st_uid
    # O_NOATIME is for the owner of a file alone.
    file = _open(at, name, _LOOK if owner == os.geteuid() else _READ)
    if file is None:
        return None
    status = os.fstat(file.fd)
    if _is_table(status, owner):
        return file, status
    file.close()
    return None


def _open(at: int, name: str, flags: int) -> Descriptor | None:
    try:
        return Descriptor.open(name + names.SUFFIX, flags, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM, errno.ENODEV):
            return None  # absent; a link; a socket; somebody else's, twice; a device
        raise


def _is_table(status: os.stat_result, owner: int) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid == owner


def map_shared(
    at: int, name: str, path: str, timeout: float, access: Access = PRIVATE
) -> tuple[pa.Buffer, os.stat_result] | None:
    """Map the file that has this name now; ``None`` if there is none.

    Where others may read, they may lock, too: there a table that somebody keeps locked is mapped without a lease after
    ``OPEN_TIMEOUT``. Its data stays as valid, but the use is not counted.

    The lease is a shared flock(2). It belongs to the open file description, which
    the mapping itself keeps (mmap(2), NOTES): it lasts until the last buffer
    that refers to the mapping is gone, or the process is.

    Raises
    ------
    Busy
        Somebody kept the file locked for ``timeout`` seconds.
    DamagedTable
        The file is empty.
    """
    while (file := _open(at, name, _READ)) is not None:
        with file:
            if (
                not try_lock(file.fd, SHARED)
                and not wait_for(
                    # A process that asks whether the table is in use, or a collector, holds it for a moment.
                    functools.partial(try_lock, file.fd, SHARED),
                    OPEN_TIMEOUT if access.is_open else timeout,
                )
                and not access.is_open
            ):
                raise Busy(path, timeout)
            status = os.fstat(file.fd)
            if not _is_table(status, access.uid):
                return None
            if status.st_nlink == 0:
                continue  # it lost its name between our open and our lock: the lease would be on an older version
            _leave_trace(file, status)
            return _map(file, status, name, path)
    return None


def _leave_trace(file: Descriptor, status: os.stat_result) -> None:
    """Note the use in the file's time of access, for a process that now and then removes long unused tables."""
    now = time.time_ns()
    if abs(now - status.st_atime_ns) < _TRACE_EVERY:
        return
    with contextlib.suppress(OSError):  # where nothing may be written, nothing is removed either
        os.utime(file.fd, ns=(now, status.st_mtime_ns))


def map_unheld(at: int, name: str, path: str) -> tuple[pa.Buffer, os.stat_result] | None:
    """Like :func:`map_shared` without the lease: for a look that must not keep the table (docs/protocol.md, "Looking").

    The mapping stays readable, whatever happens to the name.
    """
    opened = open_regular(at, name)
    if opened is None:
        return None
    file, status = opened
    with file:
        return _map(file, status, name, path)


def read_whole(at: int, name: str, path: str) -> tuple[pa.Buffer, os.stat_result] | None:
    """Like :func:`map_unheld`, but a copy: nothing that its owner does to the file afterwards can change it."""
    opened = open_regular(at, name)
    if opened is None:
        return None
    file, status = opened
    with file:
        buffer, read = pa.allocate_buffer(status.st_size), 0
        while got := os.preadv(file.fd, [memoryview(buffer)[read:]], read) if read < status.st_size else 0:
            read += got
    if read < status.st_size or not read:
        raise DamagedTable(name, path, "it was cut short")
    return buffer, status


def _map(file: Descriptor, status: os.stat_result, name: str, path: str) -> tuple[pa.Buffer, os.stat_result]:
    if status.st_size == 0:
        raise DamagedTable(name, path, "it is empty")
    return pa.py_buffer(mmap.mmap(file.fd, status.st_size, prot=mmap.PROT_READ, **_MAP)), status


def version_of(status: os.stat_result) -> str:
    """Distinguish one version of a name from the next: an inode stays taken for as long as somebody maps it.

    The time is that of the last write: an attach, which notes its own, changes the file's ctime.
    """
    return f"{status.st_dev:x}-{status.st_ino:x}-{status.st_mtime_ns:x}"


def inode_of(version: str) -> int:
    """The inode that a version of :func:`version_of` names."""
    return int(version.split("-")[1], 16)
