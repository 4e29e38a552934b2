"""What the kernel itself says of files and processes, read without the package: the tests' second witness."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from waiting import eventually

_MAP = [] if os.geteuid() == 0 else ["--map-root-user"]
# Commands that start another one where it has its own process numbers, or may mount what nobody else sees.
PID_NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *_MAP]
MOUNT_NAMESPACE = ["unshare", "--mount", *_MAP]


def works(*command: str) -> bool:
    """Whether this command can be run here: what tests that need it are gated by."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_pid_namespace = pytest.mark.skipif(not works(*PID_NAMESPACE, "true"), reason="no PID namespaces for this user")
needs_mount_namespace = pytest.mark.skipif(
    not works(*MOUNT_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"), reason="no mounts for this user"
)
needs_proc_locks = pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="this kernel has no /proc/locks")
_LEASE = re.compile(r"^\d+: FLOCK +\S+ +READ +(-?\d+) \S+:(\d+) 0 EOF$", re.MULTILINE)


def leases(path: str | os.PathLike[str]) -> list[int]:
    """The processes with a shared flock on this file, each as often as it has one; sorted."""
    inode = str(os.stat(path).st_ino)
    # The kernel lets go of the list between two pages: while other processes lock and unlock, which those of the
    # tests beside do all the time, one read may miss a line or have it many times. Three that agree do not.
    reads: list[list[int]] = []

    def agree() -> bool:
        with open("/proc/locks") as file:
            reads.append(sorted(int(pid) for pid, number in _LEASE.findall(file.read()) if number == inode))
        return len(reads) >= 3 and reads[-1] == reads[-2] == reads[-3]

    eventually(agree)
    return reads[-1]


def mappings(path: str, pid: int | str = "self") -> Iterator[tuple[int, int, str]]:
    """Start, end and permissions of what a process maps of this file, deleted or not."""
    with open(f"/proc/{pid}/maps") as file:
        for line in file:
            addresses, permissions, _, _, _, *name = line.rstrip("\n").split(maxsplit=5)
            if name and name[0].removesuffix(" (deleted)") == path:
                start, end = addresses.split("-")
                yield int(start, 16), int(end, 16), permissions


def private_bytes(pid: int | str = "self") -> int:
    """The memory that only this process has, in bytes: what it alone costs."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(("Private_Clean", "Private_Dirty")))
