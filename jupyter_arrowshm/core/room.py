"""How much can still be written: what the file system has left and, where files are memory, what memory has left."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Room:
    """How many bytes there are for tables, and what ends first.

    Attributes
    ----------
    total, used, free
        Bytes; ``total = used + free``; ``used`` counts everybody's. Where there is no limit, all but ``free`` are 0.
    limited_by
        The limit that is reached first: ``"file system"``, ``"memory"`` (of the machine, with its
        swap), or ``"container"`` (a memory control group's limit, cgroups(7)); empty where there is none.
    """

    total: int
    used: int
    free: int
    limited_by: str

    @classmethod
    def of(cls, total: int, free: int, limited_by: str) -> Room:
        free = min(max(0, free), total)
        return cls(total, total - free, free, limited_by)


NO_LIMIT = Room(0, 0, sys.maxsize, "")


def left(where: int | str) -> Room:
    """The room on the file system of this descriptor or path: the limit that is reached first."""
    status = os.statvfs(where)
    limits = [NO_LIMIT]
    if status.f_blocks:  # a tmpfs mounted with size=0 has no limit
        limits.append(Room.of(status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize, "file system"))
    if file_system(os.stat(where).st_dev) == "tmpfs":
        # A page of tmpfs is memory: past a cgroup's limit comes the OOM killer, not ENOSPC.
        limits += memory_limits()
    return min(limits, key=lambda room: room.free)


def file_system(device: int) -> str | None:
    """The type of the file system with this ``st_dev``, from proc_pid_mountinfo(5); ``None`` where that is unknown."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        text = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    except OSError:
        return None
    # Not splitlines(): of a path's characters the kernel escapes the line feed, and few others.
    for line in text.split("\n")[:-1]:
        mount, _, rest = line.partition(" - ")
        if mount.split(" ", 3)[2] == number:
            return rest.split(" ", 1)[0]
    return None


def memory_limits() -> list[Room]:
    """The memory that this process may fill: the system's and every enclosing cgroup's, where they are known."""
    import psutil

    limits = []
    with contextlib.suppress(OSError):  # /proc may be hidden, or mounted with subset=pid
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        limits.append(Room.of(memory.total + swap.total, memory.available + swap.free, "memory"))
    try:
        entries = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        entries = []
    for entry in entries:
        _, controllers, group = entry.split(":", 2)
        if controllers == "":
            roots, limit, usage = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            roots, limit, usage = ["/sys/fs/cgroup/memory"], "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        for root in roots:
            path = Path(root + group.rstrip("/"))
            # In a container the path is the host's: what is not there is skipped, and the root is the container's own.
            while len(path.parts) >= len(Path(root).parts):
                if (room := _cgroup_room(path, limit, usage)) is not None:
                    limits.append(room)
                path = path.parent
    return limits


def _cgroup_room(path: Path, limit: str, usage: str) -> Room | None:
    """The limit less what cannot be reclaimed: a cgroup's usage counts page cache, which gives way."""
    try:
        most = (path / limit).read_text().strip()
        if most == "max":
            return None
        used = int((path / usage).read_text())
        counts = dict(line.split() for line in (path / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    prefix = "total_" if "total_active_file" in counts else ""
    reclaimable = ("active_file", "inactive_file", "slab_reclaimable")
    free = int(most) - used + sum(int(counts.get(prefix + key, 0)) for key in reclaimable)
    return Room.of(int(most), free, "container")
