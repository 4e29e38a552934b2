"""Who has which table attached: the shared locks that are leases, as the kernel lists them.

Nothing here is written down anywhere: the kernel's own lock table is the
state, so it cannot disagree with the processes that live.
"""

from __future__ import annotations

import errno
import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from .lock import EXCLUSIVE, SHARED, is_grantable, try_lock, wait_for

# Kind, pid, inode; with a device between.
_LOCK_LINE = r"^\d+: FLOCK +\S+ +(READ|WRITE) +(-?\d+) 0*{:x}:0*{:x}:(\d+) "
_ONE_PAGE = 3072  # bytes of /proc/locks that the kernel gives in one piece: with room for a line less than a page
_QUIET, _MOST_READS = 2, 20  # readings that bring nothing new, and all
_ASK_TIMEOUT = 0.1  # s; another process that asks holds the lock for microseconds


class Locks:
    """One look at /proc/locks (proc_locks(5)): the processes that hold a flock, by inode, on one file system.

    ``visible`` is false where there is no such file, or an empty one in its
    place; then "in use" is known (:func:`is_leased`), but not by whom.
    ``everybody`` also counts the processes of other users, who may read an open directory.
    """

    def __init__(self, device: str, *, everybody: bool = False) -> None:
        self.device = device
        self._everybody = everybody
        self._pids: dict[tuple[int, str], set[int]] = {}
        try:
            locks = _read_locks(device)
            self.visible = True
        except OSError:
            locks, self.visible = set(), False
        for kind, pid, inode in locks:
            self._pids.setdefault((int(inode), kind), set()).add(int(pid))
        self._counts = functools.cache(_is_alive if everybody else _is_mine)

    def again(self) -> Locks:
        """The same, as it is now."""
        return Locks(self.device, everybody=self._everybody)

    def leases(self, inode: int) -> set[int]:
        """The visible processes with a shared lock on this inode.

        One that has ended is left out: where a forked child keeps its lock, the
        kernel goes on naming the parent, whose number may be another user's now.
        """
        return {pid for pid in self._pids.get((inode, "READ"), ()) if pid > 0 and self._counts(pid)}

    def owner(self, inode: int) -> int | None:
        """The visible process with an exclusive lock on this inode: the owner of the token."""
        return next((pid for pid in self._pids.get((inode, "WRITE"), ()) if pid > 0 and self._counts(pid)), None)

    def holds_exclusive(self, pid: int) -> bool:
        """Whether this process has an exclusive lock, as every publisher has on its token, on any file here."""
        return any(kind == "WRITE" and pid in pids for (_, kind), pids in self._pids.items())

    def by_process(self) -> dict[int, set[int]]:
        """The inodes on which each visible process has a shared lock."""
        inodes: dict[int, set[int]] = {}
        for inode, kind in self._pids:
            for pid in self.leases(inode) if kind == "READ" else ():
                inodes.setdefault(pid, set()).add(inode)
        return inodes


def _read_locks(device: str) -> set[tuple[str, str, str]]:
    """Kind, process and inode of each flock on one file system.

    The kernel gives the list page by page, and lets go of it in between: if
    anybody on the machine unlocks something meanwhile, the next page begins
    too late, and up to a fifth of the list was seen to be missing. So we read
    it until nothing new is in it.
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
        leased = not is_grantable(fd, EXCLUSIVE)
        # Refused a shared lock too: that is not a lease, but somebody who asks the same question, or a collector.
        return not leased or is_grantable(fd, SHARED)

    wait_for(settled, _ASK_TIMEOUT)
    return leased


def _device(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(":")
    return int(major, 16), int(minor, 16)


def is_device(text: str, device: int) -> bool:
    """Whether /proc/locks writes this ``st_dev`` so; on overlay and btrfs it has one device for many."""
    return _device(text) == (os.major(device), os.minor(device))


def _is_mine(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    """Also where /proc hides the processes of others (proc(5), hidepid)."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


@dataclass(frozen=True)
class Mapping:
    """One line of /proc/<pid>/maps: a file of this inode in a process's memory, from ``start`` up to ``end``."""

    inode: int
    path: str
    start: int
    end: int


def mappings(pid: int | str, device: str, inode: int | None = None) -> list[Mapping]:
    """Where ``pid`` (or ``"self"``) maps this inode, or any of the device (proc_pid_maps(5)).

    Nowhere, if we may not look at it.
    """
    try:
        text = os.fsdecode(Path(f"/proc/{pid}/maps").read_bytes())
    except OSError:
        return []
    wanted, found = _device(device), []
    # Not splitlines(): of a path's characters the kernel escapes the line feed alone.
    for line in text.split("\n")[:-1]:
        addresses, _, _, where, number, *path = line.split(maxsplit=5)
        if inode in (None, int(number)) and _device(where) == wanted:
            start, _, end = addresses.partition("-")
            found.append(Mapping(int(number), path[0] if path else "", int(start, 16), int(end, 16)))
    return found


def mappers(device: str, inode: int) -> list[int]:
    """Every process that maps this inode, with a lease or without, as far as we may look at it."""
    try:
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    return [pid for pid in pids if mappings(pid, device, inode)]
