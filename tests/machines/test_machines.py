"""Machines that are smaller, or odder, than a developer's: sharing works there, or says what is wrong; so does doctor.

Each is made of a real one: what is missing is taken away in a mount namespace, by a filter of system calls, by a
cgroup. One process does all the steps on each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import interception
from kernel import MOUNT_NAMESPACE, PID_NAMESPACE, needs_mount_namespace, needs_pid_namespace, works
from peers import Peer

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

USER = os.geteuid()
OTHERS_PROC = [word for word in PID_NAMESPACE if word != "--mount-proc"] + ["--mount"]
SUBSET = ["mount", "-t", "proc", "-o", "subset=pid", "none", "/proc"]
# With a layer on another file system, files have a device number that is not that of their locks.
OVERLAY = "mount -t tmpfs none $PWD && cd $PWD && mkdir low up work over && mount -t tmpfs none low"
OVERLAY += " && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work over"

needs_subset = pytest.mark.skipif(not works(*PID_NAMESPACE, *SUBSET), reason="this /proc has no subset=pid")
needs_overlay = pytest.mark.skipif(
    not works(*MOUNT_NAMESPACE, "sh", "-c", f"cd /mnt && {OVERLAY}"),
    reason="no overlay file systems for this user",
)
needs_interception = pytest.mark.skipif(not interception.works(), reason="no filters of system calls here")


@dataclass
class Machine:
    """How it is made in a peer, in ``{there}``; by how many a table is then seen to be used; and what doctor says."""

    make: str
    uses: tuple[str, ...] = ("1", "2", "1")
    says: str = ""
    remedy: str = ""
    prefix: tuple[str, ...] = tuple(MOUNT_NAMESPACE)
    directory: str = "{there}/store"
    marks: tuple[pytest.MarkDecorator, ...] = (needs_mount_namespace,)


DEV = """
os.makedirs("{there}/dev/shm" if {shm} else "{there}/dev")
for name in ("null", "zero", "random", "urandom"):
    open("{there}/dev/" + name, "x").close()
    mount("--bind", "/dev/" + name, "{there}/dev/" + name)
mount("--rbind", "{there}/dev", "/dev")
empty_tmp()
"""
SEEN = "who uses a table can be seen (/proc/locks)"
UNSEEN = "who uses a table cannot be seen here, only whether anybody does (/proc/locks cannot be read)"
MACHINES = {
    "64 MB of /dev/shm": Machine(
        "mount('-t', 'tmpfs', '-o', 'size=64m', 'none', '/dev/shm'); empty_tmp()",
        says="/dev/shm is smaller than 1 GiB here, so tables are files in /tmp/",
        remedy="docker run --shm-size=4g",
        directory="",
    ),
    "no /dev/shm": Machine(
        DEV.replace("{shm}", "False"),
        says="/dev/shm is missing here, so tables are files in /tmp/",
        remedy="docker run --shm-size=4g",
        directory="",
    ),
    "/dev/shm on the disk": Machine(
        DEV.replace("{shm}", "True"), says="/dev/shm is on ", remedy="docker run --shm-size=4g", directory=""
    ),
    "no /proc": Machine(
        "mount('-t', 'tmpfs', 'none', '/proc')",
        ("in use", "in use", "in use"),
        UNSEEN,
        "mount /proc whole",
    ),
    "an empty /proc/locks": Machine(
        "mount('--bind', '/dev/null', '/proc/locks')", ("in use", "in use", "in use"), UNSEEN, "mount /proc whole"
    ),
    "no /proc, the default directory": Machine(
        "empty_tmp(); mount('-t', 'tmpfs', 'none', '/proc')",
        ("in use", "in use", "in use"),
        "/dev/shm is of a kind that /proc does not tell here",
        "mount /proc whole",
        directory="",
    ),
    "processes alone in /proc": Machine(
        f"subprocess.run({SUBSET!r}, check=True); mount('-t', 'tmpfs', 'none', '{{there}}')",
        ("in use", "in use", "in use"),
        "how much memory is left cannot be seen",
        "mount /proc whole",
        tuple(PID_NAMESPACE),
        marks=(needs_subset,),
    ),
    "a container": Machine(
        "pass", says="a container: processes outside it", prefix=tuple(PID_NAMESPACE), marks=(needs_pid_namespace,)
    ),
    "/proc of another PID namespace": Machine(
        "pass",
        says="/proc is that of other processes",
        prefix=tuple(OTHERS_PROC),
        marks=(needs_pid_namespace,),
    ),
    "an overlay": Machine(
        f"subprocess.run(['sh', '-c', {OVERLAY!r}], cwd='{{there}}', check=True)",
        says="tables are in {there}/over/store (set by $JUPYTER_ARROWSHM_DIR), on overlay",
        directory="{there}/over/store",
        marks=(needs_overlay,),
    ),
    "no O_TMPFILE": Machine(
        "from faults import interception; interception.install(interception.NO_TMPFILE)",
        says="no unnamed files (O_TMPFILE) can be had here",
        prefix=(),
        marks=(needs_interception,),
    ),
    "noexec, nosuid, nodev": Machine(
        "mount('-t', 'tmpfs', '-o', 'noexec,nosuid,nodev', 'none', '{there}')", says="tables are in {there}/store"
    ),
    "nothing of one's own to write in": Machine(
        "mount('-t', 'tmpfs', '-o', 'ro', 'none', os.environ['HOME']); os.environ.pop('TMPDIR', None)",
        says="tables are in {there}/store",
    ),
    "no place for temporary files": Machine(
        "os.environ.update(TMPDIR='/nonexistent', HOME='/nonexistent')", says="tables are in {there}/store", prefix=()
    ),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=one.marks) for name, one in MACHINES.items()])
def test_sharing_works_or_says_what_is_wrong(peer: Callable[..., Peer], parent: Path, name: str) -> None:
    machine, there = MACHINES[name], str(parent)
    directory = machine.directory.format(there=there)
    home = parent.parent / "home"
    home.mkdir()
    one = peer(prefix=machine.prefix, env={ENVIRONMENT_VARIABLE: directory, "HOME": str(home)})
    one.run("import subprocess\nfrom machines.walk_here import *")
    one.run(machine.make.format(there=there))
    assert one.get("shm.Store().directory") == (directory or f"/tmp/jupyter-arrowshm-{USER}")
    assert tuple(one.get("walk()")) == machine.uses
    found = one.get("findings()")
    (remedy,) = [remedy for finding, remedy in found.items() if machine.says.format(there=there) in finding]
    assert machine.remedy in remedy and bool(machine.remedy) == bool(remedy)
    assert (SEEN in found) == (machine.uses == ("1", "2", "1")), found
    # Whether the sidebar is installed is up to the environment of these tests, and not to the machine.
    others = [finding for finding, remedy in found.items() if remedy and "the sidebar" not in finding]
    assert machine.remedy or others == []
    one.quit()
