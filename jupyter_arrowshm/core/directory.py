"""The private directory that holds the tables: find it, make it, verify it, lock it, and say how much room is left.

Every change of names goes through :meth:`Directory.lock`. All paths inside are
relative to a directory descriptor, so that swapping the directory under our feet
cannot lead a system call elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArrowSHMError, Busy, StoreFailed, UnsafeDirectory
from . import names, room
from .access import PRIVATE, Access
from .lock import EXCLUSIVE, SHARED, Descriptor, try_lock, unlock, wait_for

ENVIRONMENT_VARIABLE = "JUPYTER_ARROWSHM_DIR"
LIVE, PINS = ".live", ".pins"
LOADED = ".loaded"  # a store of its own, of tables that can be had again
LOADING = ".loading"  # in it: the locks of those who load
DRAFT_PREFIX = ".new-"  # for files without a table's name yet: an unlocked one is abandoned
SHARED_MEMORY = "/dev/shm"
MIN_SHARED_MEMORY = 1 << 30  # Docker and Kubernetes give 64 MB: too little for tables
LOCK_TIMEOUT = 10.0  # s; the lock is held for microseconds, so a longer wait means a stopped process

# Their flock(2) is a lock of bytes at a server, which needs a file opened for writing, is not kept by a mapping, and
# stands in no /proc/locks of ours (flock(2), NOTES; mount.lustre(8)).
_WITHOUT_LOCKS = ("nfs", "nfs4", "cifs", "smb3", "lustre", "afs", "fuse.sshfs")
_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of flock(2), where a file system has none

_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def default_path() -> str:
    """The directory that Python, Julia and the server agree on (docs/protocol.md, "Which directory")."""
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        return chosen
    return f"{default_parent()}/jupyter-arrowshm-{os.geteuid()}"


def default_parent() -> str:
    """Where all users' directories are: ``/dev/shm``, or ``/tmp`` where that is of no use."""
    return "/tmp" if shared_memory_trouble() else SHARED_MEMORY


def shared_memory_trouble() -> str:
    """Why tables are not in ``/dev/shm``, as ``"is smaller than 1 GiB"``; empty where they are."""
    try:
        if not stat.S_ISDIR(os.lstat(SHARED_MEMORY).st_mode):
            return "is not a directory"
        kind = room.file_system(os.stat(SHARED_MEMORY).st_dev)
        status = os.statvfs(SHARED_MEMORY)
    except OSError:
        return "is missing"
    if kind != "tmpfs":
        return f"is on {kind}" if kind else "is of a kind that /proc does not tell"
    # A tmpfs mounted with size=0 has no limit and reports 0 blocks.
    large = status.f_blocks == 0 or status.f_blocks * status.f_frsize >= MIN_SHARED_MEMORY
    return "" if large else "is smaller than 1 GiB"


@dataclass
class _Opened:
    """A directory, and the facts that hold for it alone: another may be mounted over it."""

    file: Descriptor
    identity: tuple[int, int]
    lock_device: str = ""


class Directory:
    """One directory of tables.

    Parameters
    ----------
    path
        Absolute; its parent must exist. Without it, :func:`default_path`.
    access
        Whose it must be, and who may read it.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, access: Access = PRIVATE) -> None:
        self.access = access
        self.path = os.fspath(path) if path is not None else default_path()
        if not os.path.isabs(self.path):
            raise UnsafeDirectory(self.path, "is a relative path", "give an absolute one")
        self.checked: set[str] = set()  # versions of another user's tables that were found whole
        self._opened: _Opened | None = None

    def open(self, *, create: bool = False) -> Descriptor | None:
        """The verified directory, or ``None`` where there is none and ``create`` is false.

        Raises
        ------
        UnsafeDirectory
            It is a symbolic link, somebody else's, open to others, or cannot be made.
        """
        opened = self._opened
        if create and not self.access.is_mine:
            raise UnsafeDirectory(self.path, f"belongs to user {self.access.uid}", "only its owner can change it")
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            if not create:
                return None
        except OSError as error:
            raise self._refused(error) from None
        else:
            # Compared each time: the directory may have been removed and made anew.
            if opened is not None and opened.file.fd >= 0 and (status.st_dev, status.st_ino) == opened.identity:
                self._verify(status)
                if not (create and self._is_unfinished(status)):
                    return opened.file
        return self._reopen(create)

    def _reopen(self, create: bool) -> Descriptor | None:
        try:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(self.path, 0o700)
            opened = Descriptor.open(self.path, _DIRECTORY_FLAGS)
            status = os.fstat(opened.fd)
        except OSError as error:
            if error.errno == errno.ENOENT and not create:  # removed this instant
                return None
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise StoreFailed(self.path, error.errno) from None
            if error.errno == errno.EACCES:
                with contextlib.suppress(OSError):  # naming the owner says more than that it may not be opened
                    self._verify(os.lstat(self.path))
            raise self._refused(error) from None
        self._verify(status)
        if create and self.access.is_open:
            self._open_to_others(opened.fd, status)
        if (kind := room.file_system(status.st_dev)) in _WITHOUT_LOCKS:
            raise self._without_locks(f"is on {kind}, a network file system")
        if create:
            for name in (LIVE, PINS):
                with contextlib.suppress(FileExistsError):
                    self._try(os.mkdir, name, 0o700, dir_fd=opened.fd)
        # The old descriptor is not closed here: another thread may be using it. Its last reference closes it.
        self._opened = _Opened(opened, (status.st_dev, status.st_ino))
        return opened

    def _try(self, call: Callable[..., None], *args: object, **keywords: object) -> None:
        try:
            call(*args, **keywords)
        except FileExistsError:
            raise
        except OSError as error:
            raise self._refused(error) from None

    def _is_unfinished(self, status: os.stat_result) -> bool:
        """Whether a process that was killed while it made an open directory left it closed to those who may read it."""
        access = self.access
        return access.is_open and (
            stat.S_IMODE(status.st_mode) != access.directory_mode
            or (access.group is not None and status.st_gid != access.group)
        )

    def _open_to_others(self, fd: int, status: os.stat_result) -> None:
        """Let the readers in: mkdir(2) obeys the umask, and knows no group."""
        if self.access.group is not None and status.st_gid != self.access.group:
            self._try(os.chmod, fd, 0o700)  # not a moment for the members of another group
            self._try(os.chown, fd, -1, self.access.group)
        if stat.S_IMODE(os.fstat(fd).st_mode) != self.access.directory_mode:
            self._try(os.chmod, fd, self.access.directory_mode)

    def _verify(self, status: os.stat_result) -> None:
        if status.st_uid != self.access.uid:
            whose = "you" if self.access.is_mine else f"user {self.access.uid}"
            raise UnsafeDirectory(self.path, f"belongs to user {status.st_uid}, not to {whose}", self._way_round)
        if status.st_mode & 0o077 & ~self.access.directory_mode:
            if not self.access.is_mine:
                raise UnsafeDirectory(self.path, "can be written by others than its owner", "ask its owner to mend it")
            what = "can be written by other users" if self.access.is_open else "is open to other users"
            raise UnsafeDirectory(self.path, what, f"run chmod {self.access.directory_mode:o} {self.path}")

    def _without_locks(self, reason: str) -> UnsafeDirectory:
        return UnsafeDirectory(
            self.path,
            f"{reason}: its locks do not tell who uses a table",
            f"set ${ENVIRONMENT_VARIABLE} to a directory in {SHARED_MEMORY} or on a disk of this machine",
        )

    @property
    def _way_round(self) -> str:
        if self.access.is_mine and not self.access.is_open:
            return f"ask its owner to remove it, or set ${ENVIRONMENT_VARIABLE} to a directory of yours"
        return "ask its owner or an administrator to remove it"  # each user's is where others look for it

    def _refused(self, error: OSError) -> UnsafeDirectory:
        if error.errno == errno.EACCES and not self.access.is_mine:
            return UnsafeDirectory(
                self.path, "is not open to you", "ask its owner to share with a group that you are in"
            )
        # In /dev/shm nobody can remove what another user put there.
        remove = "remove it"
        with contextlib.suppress(OSError):
            remove = remove if os.lstat(self.path).st_uid == os.geteuid() else self._way_round
        reason, fix = {
            errno.ELOOP: ("is a symbolic link", remove),
            errno.ENOTDIR: ("is not a directory", remove),
            errno.ENOENT: ("has no parent directory", "make that first"),
        }.get(
            error.errno or 0,
            (
                f"cannot be used ({os.strerror(error.errno or 0)})",
                f"set ${ENVIRONMENT_VARIABLE} to a directory of yours",
            ),
        )
        if error.errno == errno.ENOTDIR and os.path.islink(self.path):
            # O_NOFOLLOW with O_DIRECTORY reports a link as ENOTDIR (open(2)).
            reason = "is a symbolic link"
        return UnsafeDirectory(self.path, reason, fix)

    @contextlib.contextmanager
    def lock(self, timeout: float = LOCK_TIMEOUT) -> Iterator[int]:
        """Hold the directory lock; gives the descriptor of the directory that the path leads to now.

        It sits on ``.live``, which only the owner can open: the directory itself can be locked by all who may list it.
        Every holder opens a descriptor of its own: flock belongs to the open
        file description, so two threads that shared one would both be let in.

        Raises
        ------
        Busy
            Another process held it for ``timeout`` seconds.
        """
        while True:
            directory = self.open(create=True)
            assert directory is not None
            try:
                held = Descriptor.open(LIVE, _DIRECTORY_FLAGS, dir_fd=directory.fd)
            except FileNotFoundError:  # removed this instant, alone or with the directory
                with contextlib.suppress(FileExistsError, FileNotFoundError):
                    os.mkdir(LIVE, 0o700, dir_fd=directory.fd)
                continue
            with held:
                if not wait_for(functools.partial(try_lock, held.fd, EXCLUSIVE), timeout):
                    raise Busy(self.path, timeout)
                try:
                    # While we waited, the directory may have been removed and made anew.
                    if self.open() is directory:
                        yield directory.fd
                        return
                finally:
                    # Unlock explicitly: a child forked meanwhile has a copy, and closing ours would leave it the lock.
                    unlock(held.fd)

    def lock_device(self, fd: int) -> str:
        """How /proc/locks writes the device of this directory, as ``"00:1b"``.

        It is the superblock's number, which differs from ``st_dev`` on overlay
        and btrfs: learned from a lock of our own (proc_pid_fdinfo(5)).
        """
        opened = self._opened
        if opened is None or opened.file.fd != fd:  # another thread has opened the directory anew meanwhile
            return _learn_lock_device(fd) or _number(fd)
        if not opened.lock_device:
            opened.lock_device = _learn_lock_device(fd) or _number(fd)
        return opened.lock_device

    def file(self, name: str) -> str:
        """Where the table of this name is, whether it exists or not."""
        return f"{self.path}/{name}{names.SUFFIX}"

    def explain(self, error: OSError) -> ArrowSHMError:
        """Our error for one of the operating system's, in words that people understand."""
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR):
            return self._refused(error)
        if error.errno in _NO_LOCKS:
            return self._without_locks(f"is on a file system without locks ({os.strerror(error.errno)})")
        return StoreFailed(self.path, error.errno or errno.EIO)

    def room(self) -> room.Room:
        """How much there is for tables; where there is no directory yet, for the one that would be made."""
        try:
            opened = self.open()
            return room.left(opened.fd if opened is not None else os.path.dirname(self.path))
        except OSError as error:
            raise self._refused(error) if error.errno == errno.ENOENT else self.explain(error) from None


def _number(fd: int) -> str:
    """The device of ``st_dev``, in the form of /proc/locks."""
    device = os.fstat(fd).st_dev
    return f"{os.major(device):02x}:{os.minor(device):02x}"


def _learn_lock_device(fd: int) -> str | None:
    """Nobody else needs this lock, and the reader of another user's directory can make no file there to lock."""
    try:
        with Descriptor.open(".", _DIRECTORY_FLAGS, dir_fd=fd) as probe:
            try_lock(probe.fd, SHARED)
            for line in Path(f"/proc/self/fdinfo/{probe.fd}").read_text().splitlines():
                if line.startswith("lock:"):
                    return line.split()[6].rpartition(":")[0]
    except OSError:
        pass
    return None
