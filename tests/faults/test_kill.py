"""SIGKILL at random times, and before and after every system call; nothing is torn, and nothing is left."""

from __future__ import annotations

import errno
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from faults.interception import KILL, NO_TMPFILE, Call, Verdict, works
from faults.nursery import Nursery, is_running
from faults.record import times
from faults.torture import NAMES, check
from measures import footprint, leftovers, users

import jupyter_arrowshm as shm

OLD, NEW = 1_002, 2_002  # of 100 rows and a few
TINY = pa.table({"a": [1]})


def test_processes_killed_at_random_tear_nothing_and_leave_nothing(store, directory, parent, nursery, tried, capsys):
    seed = random.randrange(1 << 32)
    pick, kills = random.Random(seed), times(100, 2500)

    def start(kind: str) -> int:
        filter_ = NO_TMPFILE if works() and pick.random() < 0.3 else b""
        return nursery.start(directory, kind, pick.getrandbits(30), filter_)

    watchers, workers = [start("watch") for _ in range(2)], [start("work") for _ in range(4)]
    nursery.wait_for("=", 5)
    started = [*watchers, *workers]
    for _ in range(kills):
        time.sleep(pick.expovariate(1 / 0.02))
        victim = pick.randrange(len(workers))
        nursery.kill(workers[victim])
        workers[victim] = start("work")
        started.append(workers[victim])
        assert not nursery.errors, f"seed {seed}: {nursery.errors[0]}"
        if pick.random() < 0.1:
            alive = {*watchers, *workers}
            assert all(holder.pid in {*alive, None} for table in store.tables() for holder in table.holders)
    assert all(map(is_running, [*watchers, *workers]))
    for pid in workers:
        nursery.kill(pid)

    # The watchers still live: they and nobody else may hold anything.
    tables = store.tables()
    assert {holder.pid for table in tables for holder in table.holders} <= set(watchers)
    assert {holder.pid for version in tables.removed for holder in version.holders} <= set(watchers)
    assert not nursery.errors, f"seed {seed}: {nursery.errors[0]}"
    with capsys.disabled():
        print(f"\n{kills} kills, {nursery.counts['+']:,} steps, {nursery.counts['=']:,} attached tables whole", end=" ")
    nursery.clear()
    assert not any(map(is_running, started))

    found = {table.name: table for table in store.tables()}
    assert all(table.unused and not table.older for table in found.values())
    for name in found:
        check(store.attach(name))
    store.share(TINY, "last")
    named = {(directory / f"{name}.arrow").stat().st_ino for name in [*found, "last"]}
    assert footprint(parent).keys() == named
    marks = [path for path in leftovers(directory) if not path.startswith(".pins/")]
    assert len(marks) == 1, f"our token, and nobody else's mark: {marks}"
    assert {path.removeprefix(".pins/") for path in leftovers(directory)} - {*marks} <= set(found)
    assert {table.name for table in store.tables() if table.pinned} <= set(NAMES)

    for name in [*found, "last"]:
        store.unshare(name)
    assert leftovers(directory) == marks
    assert not footprint(parent)
    assert not list(directory.glob("*.arrow"))
    assert users(parent) <= {os.getpid()}
    tried("kill", kills)


# -- every system call -------------------------------------------------------------------------------------------------

# What a process does, what the name leads to when it was killed on the way, and what when it was not.
ACTIONS = {
    "share": ({OLD, NEW}, NEW),
    "writer": ({OLD, NEW}, NEW),
    "attach": ({OLD}, OLD),
    "unshare": ({OLD, None}, None),
    "pin": ({OLD}, OLD),
    "unpin": ({OLD}, OLD),
    "gc": ({OLD, None}, None),
    "list": ({OLD}, OLD),
}


@pytest.fixture
def left(parent: Path, nursery: Nursery) -> Callable[[shm.Store], None]:
    """Put a table under ``t`` whose publisher has ended: what a collector may take."""
    other = shm.Store(parent / "template")
    template = Path(other.path("t"))
    nursery.intercept(template.parent, "share", OLD)

    def leave(store: shm.Store) -> None:
        path = Path(store.path("t"))
        shutil.copyfile(template, path.with_name("new"))
        path.with_name("new").chmod(0o400)
        path.with_name("new").rename(path)

    return leave


@pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
def test_killed_at_any_system_call(store, directory, parent, nursery, language, left, tried):
    """Each kill comes before a call, and so after the one before it. Those that only look are passed over."""
    store.share(TINY, "ours")
    (token,) = leftovers(directory)
    kills = 0
    for action, unnamed in [*((action, True) for action in ACTIONS), ("share", False), ("writer", False)]:
        if language == "julia" and action == "writer":
            continue
        may_be, must_be = ACTIONS[action]

        def version() -> int | None:
            try:
                return check(store.attach("t"))
            except shm.TableNotFound:
                return None

        def prepare(action: str = action) -> None:
            left(store)
            store.unpin("t") if action != "unpin" else store.pin("t")
            store.share(TINY, "ours")  # what sweeps
            assert leftovers(directory) == [token, *([".pins/t"] if action == "unpin" else [])], f"after {action}"

        def killed_at(call: Call, at: int, unnamed: bool = unnamed) -> Verdict:
            if call.index >= at:
                return KILL
            return None if unnamed or not call.unnamed else errno.EOPNOTSUPP

        prepare()
        calls, result = nursery.intercept(directory, action, NEW, lambda call: killed_at(call, 1 << 30))
        assert result == "ok", (action, result)
        assert version() == must_be, action
        for point in calls:
            for _ in range(0 if point.looks else times(1, 10)):
                prepare()
                nursery.intercept(directory, action, NEW, lambda call, at=point.index: killed_at(call, at))
                assert version() in may_be, f"{action}, killed before {point}"
                kills += 1
    prepare()
    store.unshare("t")
    assert footprint(parent).keys() == {os.stat(store.path("ours")).st_ino, os.stat(parent / "template/t.arrow").st_ino}
    assert users(parent) == {os.getpid()}
    tried("kill point", kills)
