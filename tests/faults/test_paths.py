"""No path of the store is followed to another place: not by a flag that is missing, not when it is exchanged meanwhile.

Every system call of the store is seen, in Python and in Julia, as a process really makes it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from faults.interception import Call, works
from faults.torture import version_table

import jupyter_arrowshm as shm

pytestmark = pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
OLD, NEW = 1_002, 2_004
ACTIONS = ("share", "writer", "attach", "pin", "unpin", "gc", "list", "unshare")
AT_FDCWD, AT_SYMLINK_NOFOLLOW = 0xFFFFFF9C, 0x100
O_TMPFILE = 0o20000000
EVERY = 8  # of a thing's system calls, at which the path is exchanged; another share of them for each thing


@pytest.fixture
def parent() -> Iterator[Path]:
    """One place: which file system it is makes no difference to a path."""
    path = Path(f"/tmp/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path)


def follows(call: Call, directory: str) -> str:
    """What could lead this call to another place than into the directory that was verified; nothing, if all is well."""
    flags = call.arguments[2] if call.name == "openat" else 0
    if call.name == "openat" and not flags & os.O_CLOEXEC:
        return "a child would inherit it"
    if call.name in ("open", "stat", "rename", "unlink", "access", "link"):
        return "it goes by a path"
    absolute = call.name in ("lstat", "mkdir") or call.arguments[0] & 0xFFFFFFFF == AT_FDCWD
    if call.name in ("newfstatat", "statx", "openat", "mkdirat", "unlinkat", "renameat", "lstat", "mkdir") and absolute:
        # The loaded tables have a store of their own, which is opened and verified as the first one is.
        if call.path not in (directory, f"{directory}/.loaded"):
            return "it goes by a path into the directory"
        wanted = os.O_DIRECTORY | os.O_NOFOLLOW
        if call.name == "openat" and flags & wanted != wanted:
            return "it would follow a link to the directory"
        at = {"newfstatat": 3, "statx": 2}.get(call.name)
        if at is not None and not call.arguments[at] & AT_SYMLINK_NOFOLLOW:
            return "it would follow a link to the directory"
    elif call.name == "openat" and not flags & os.O_NOFOLLOW and not flags & O_TMPFILE:
        safe = flags & os.O_CREAT and flags & os.O_EXCL
        if not safe and call.path not in (directory, f"{directory}/."):
            return "it would follow a link in the directory"
    return ""


def _put(store: shm.Store) -> None:
    store.share(pa.Table.from_batches(version_table(OLD)), "t", replace=True)


def test_no_call_follows_a_link(store, directory, nursery):
    _put(store)
    wrong, seen = [], 0
    for action in ACTIONS:
        if nursery.language == "julia" and action == "writer":
            continue
        _put(store)
        calls, result = nursery.intercept(directory, action, NEW)
        assert result == "ok" and calls
        seen += len(calls)
        wrong += [f"{action}: {call}, {why}" for call in calls if (why := follows(call, str(directory)))]
    assert wrong == []
    print(seen, "system calls")


def _ours(trap: Path) -> None:
    """A private directory of this user: in which nothing must be, and nothing may be read, all the same."""
    trap.chmod(0o700)


def _theirs(trap: Path) -> None:
    """A directory of somebody else's that is open to all."""
    trap.chmod(0o777)
    os.chown(trap, 65534, 65534)


TRAPS: list[tuple[Callable[[Path], None], bool]] = [(_ours, True)]  # and whether by a link
if os.geteuid() == 0:
    TRAPS += [(_theirs, True), (_theirs, False)]


def test_the_path_is_exchanged_at_any_system_call(store, directory, parent, nursery):
    """By a link to a private directory of ours or to one of somebody else's, or by that one itself."""
    away, exchanged = parent / "away", 0
    for first, action in enumerate(ACTIONS):
        if nursery.language == "julia" and action == "writer":
            continue
        _put(store)
        calls, _ = nursery.intercept(directory, action, NEW)
        for index in range(first % EVERY, len(calls), EVERY):
            prepare, linked = TRAPS[index % len(TRAPS)]
            trap = parent / f"trap-{action}-{index}"
            trap.mkdir()
            (trap / "t.arrow").write_bytes(b"bait: whoever reads it says that it is damaged")
            prepare(trap)

            def exchange(trap: Path = trap, linked: bool = linked) -> None:
                directory.rename(away)
                directory.symlink_to(trap, target_is_directory=True) if linked else trap.rename(directory)

            _put(store)
            _, result = nursery.intercept(
                directory, action, NEW, lambda call, at=index, go=exchange: go() if call.index == at else None
            )
            assert result.split("\t")[0] in ("ok", "UnsafeDirectory", "TableNotFound"), (action, calls[index], result)
            if away.exists():
                exchanged += 1
                assert os.listdir(directory) == ["t.arrow"], f"{action}: {calls[index]}"
                directory.unlink() if linked else directory.rename(trap)
                away.rename(directory)
    assert exchanged > 20
    _put(store)
    assert store.attach("t").num_rows == sum(batch.num_rows for batch in version_table(OLD))
    print(exchanged, "times")
