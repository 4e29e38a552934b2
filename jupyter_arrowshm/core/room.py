"""How much can still be written: what the file system has left and, where files are memory, what memory has left."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def left(fd: int) -> int:
    """Bytes that can still be written to the file system of this descriptor."""
    found = os.fstatvfs(fd)
    free = found.f_bavail * found.f_frsize if found.f_blocks else sys.maxsize
    if file_system(os.fstat(fd).st_dev) == "tmpfs":
        # A page of tmpfs is memory: past a cgroup's limit comes the OOM killer, not ENOSPC.
        free = min(free, memory_left())
    return max(0, free)


def file_system(device: int) -> str | None:
    """The type of the file system with this ``st_dev``, from proc_pid_mountinfo(5); ``None`` where that is not told."""
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


def memory_left() -> int:
    """Bytes of memory that this process may still fill: the system's and every enclosing cgroup's, where it is told."""
    import psutil

    left = [sys.maxsize]
    with contextlib.suppress(OSError):  # /proc may be hidden, or mounted with subset=pid
        left = [psutil.virtual_memory().available + psutil.swap_memory().free]
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
                if (free := _cgroup_left(path, limit, usage)) is not None:
                    left.append(free)
                path = path.parent
    return max(0, min(left))


def _cgroup_left(path: Path, limit: str, usage: str) -> int | None:
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
    return int(most) - used + sum(int(counts.get(prefix + key, 0)) for key in reclaimable)
