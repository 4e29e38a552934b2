"""Who uses which table: the publisher's token, and the locks that are leases.

Nothing here is written down anywhere: the kernel's own lock table is the
state, so it cannot disagree with the processes that live.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from ..errors import Busy
from .directory import LIVE
from .lock import EXCLUSIVE, SHARED, Descriptor, try_lock, unlock, wait_for

# Kind, pid, inode; with a device between.
_LOCK_LINE = r"^\d+: FLOCK +\S+ +(READ|WRITE) +(-?\d+) 0*{:x}:0*{:x}:(\d+) "
_ONE_PAGE = 3072  # bytes of /proc/locks that the kernel gives in one piece: with room for a line less than a page
_QUIET, _MOST_READS = 2, 20  # readings that bring nothing new, and all
_ASK_TIMEOUT = 0.1  # s; whoever else asks holds the lock for microseconds
_TOKEN_TIMEOUT = 10.0  # s; the same, but we cannot do without


# -- publishers' tokens ------------------------------------------------------------------------------------------------


class _Token:
    """This process's mark of life: one id, and an empty locked file of that name in every directory it published to."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(16)
        self.files: dict[tuple[int, int], Descriptor] = {}

    def forked(self) -> None:
        # The descriptors are closed already (Descriptor.close_all): the child is a publisher of its own.
        self.__init__()  # type: ignore[misc]


_token = _Token()
os.register_at_fork(after_in_child=_token.forked)


def token_id() -> str:
    """The id that this process publishes under."""
    return _token.id


def show_token(directory: int) -> str:
    """Make sure that this process's token lies in the directory, locked; the caller holds the directory lock.

    Without that lock a sweeper could find the file between its creation and its
    lock, and take it for a dead process's.
    """
    live = _open_live(directory)
    with live:
        found = os.fstat(live.fd)
        key = (found.st_dev, found.st_ino)
        file = _token.files.get(key)
        if file is None or os.fstat(file.fd).st_nlink == 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_token.id, dir_fd=live.fd)
            file = Descriptor.open(_token.id, os.O_CREAT | os.O_EXCL | os.O_RDWR, dir_fd=live.fd)
            # Whoever lists the tables asks every token for an instant; refused, this process would pass for dead.
            if not wait_for(functools.partial(try_lock, file.fd, EXCLUSIVE), _TOKEN_TIMEOUT):
                raise Busy(f"{LIVE}/{_token.id}", _TOKEN_TIMEOUT)
            _token.files[key] = file
    return _token.id


def _open_live(directory: int) -> Descriptor:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return Descriptor.open(LIVE, flags, dir_fd=directory)
    except FileNotFoundError:
        os.mkdir(LIVE, 0o700, dir_fd=directory)
        return Descriptor.open(LIVE, flags, dir_fd=directory)


def is_alive(directory: int, token: str) -> bool:
    """Whether the process that published under ``token`` still runs: its token is locked."""
    if token == _token.id:
        return True
    if not token.isalnum():  # a footer may say anything: "..", or a path
        return False
    try:
        file = Descriptor.open(f"{LIVE}/{token}", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        # Whoever has no descriptor left must not take the others for dead, and remove their marks.
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG):
            return False
        raise
    with file:
        return not _granted(file.fd, SHARED)


def _granted(fd: int, operation: int) -> bool:
    """Whether the lock could be had now. It is given back aloud: a child that forks meanwhile must not keep it."""
    if not try_lock(fd, operation):
        return False
    unlock(fd)
    return True


def token_inode(directory: int, token: str) -> int:
    """The inode of a token; 0 if it is gone by now."""
    try:
        return os.stat(f"{LIVE}/{token}", dir_fd=directory, follow_symlinks=False).st_ino
    except FileNotFoundError:
        return 0


def remove_dead_tokens(directory: int) -> None:
    """Remove the tokens of processes that have ended; the caller holds the directory lock."""
    with _open_live(directory) as live:
        for token in os.listdir(live.fd):
            if not is_alive(directory, token):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(token, dir_fd=live.fd)


# -- leases ------------------------------------------------------------------------------------------------------------


class Locks:
    """One look at /proc/locks (proc_locks(5)): the processes that hold a flock, by inode, on one file system.

    ``visible`` is false where there is no such file, or an empty one in its
    place; then "in use" can be told (:func:`is_leased`), but not by whom.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._pids: dict[tuple[int, str], set[int]] = {}
        try:
            found = _read_locks(device)
            self.visible = True
        except OSError:
            found, self.visible = set(), False
        for kind, pid, inode in found:
            self._pids.setdefault((int(inode), kind), set()).add(int(pid))
        self._is_mine = functools.cache(_is_mine)

    def leases(self, inode: int) -> set[int]:
        """The visible processes with a shared lock on this inode.

        One that has ended is left out: where a forked child keeps its lock, the
        kernel goes on naming the parent, whose number may be another user's now.
        """
        return {pid for pid in self._pids.get((inode, "READ"), ()) if pid > 0 and self._is_mine(pid)}

    def owner(self, inode: int) -> int | None:
        """The visible process with an exclusive lock on this inode: whose token it is."""
        return next((pid for pid in self._pids.get((inode, "WRITE"), ()) if pid > 0 and self._is_mine(pid)), None)

    def leased(self) -> set[int]:
        """All inodes with a shared lock."""
        return {inode for inode, kind in self._pids if kind == "READ"}


def _read_locks(device: str) -> set[tuple[str, str, str]]:
    """Kind, process and inode of each flock on one file system.

    The kernel gives the list by the page, and lets go of it between two: where
    anybody on the machine unlocks something meanwhile, the next page begins
    too late, and up to a fifth of the list was seen to be missing. So it is
    read until nothing new is in it.
    """
    line = re.compile(_LOCK_LINE.format(*_device(device)), re.MULTILINE)
    found: set[tuple[str, str, str]] = set()
    quiet = 0
    for _ in range(_MOST_READS):
        text = Path("/proc/locks").read_text()
        if not text and _is_masked():
            raise FileNotFoundError(errno.ENOENT, "no locks are shown", "/proc/locks")
        seen = set(line.findall(text))
        quiet = quiet + 1 if seen <= found else 0
        found |= seen
        if quiet == _QUIET or len(text) < _ONE_PAGE:
            break
    return found


def _is_masked() -> bool:
    """Whether an empty list is what a container has in the kernel's place: then it lacks a lock of our own, too."""
    with open("/proc/locks") as file:
        try_lock(file.fileno(), SHARED)
        return not file.read()


def is_leased(fd: int) -> bool:
    """Whether anybody has this segment attached, asked of the lock itself: right also for processes nobody can see."""
    leased = True

    def settled() -> bool:
        nonlocal leased
        leased = not _granted(fd, EXCLUSIVE)
        # Refused a shared lock too: that is no lease, but somebody who asks the same question, or a collector.
        return not leased or _granted(fd, SHARED)

    wait_for(settled, _ASK_TIMEOUT)
    return leased


def _device(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(":")
    return int(major, 16), int(minor, 16)


def _is_mine(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


@dataclass(frozen=True)
class Mapping:
    """One line of /proc/<pid>/maps: a file of this inode in a process's memory, from ``start`` up to ``end``."""

    path: str
    start: int
    end: int


def mappings(pid: int | str, device: str, inode: int) -> list[Mapping]:
    """Where ``pid`` (or ``"self"``) maps this inode (proc_pid_maps(5)); nowhere, if we may not look at it."""
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/maps").read_bytes())
    except OSError:
        return []
    wanted, found = _device(device), []
    # Not splitlines(): of a path's characters the kernel escapes the line feed alone.
    for line in text.split("\n")[:-1]:
        addresses, _, _, where, number, *path = line.split(maxsplit=5)
        if int(number) == inode and _device(where) == wanted:
            start, _, end = addresses.partition("-")
            found.append(Mapping(path[0] if path else "", int(start, 16), int(end, 16)))
    return found


def mappers(device: str, inode: int) -> list[int]:
    """Every process that maps this inode, with a lease or without; of those that we may look at."""
    try:
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    return [pid for pid in pids if mappings(pid, device, inode)]
