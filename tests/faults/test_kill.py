"""SIGKILL at random times over processes that share, replace, attach, write, unshare, pin and collect without a pause.

``JUPYTER_ARROWSHM_KILLS`` is the number of kills on tmpfs and on a disk together.
"""

from __future__ import annotations

import os
import random
import time

import pyarrow as pa
import pytest
from faults.nursery import Nursery, is_running
from faults.torture import NAMES, check
from measures import footprint, leftovers, users

KILLS = int(os.environ.get("JUPYTER_ARROWSHM_KILLS", "300"))


@pytest.mark.timeout(60 + KILLS)
def test_processes_killed_at_random_tear_nothing_and_leave_nothing(store, directory, parent, capsys):
    seed = random.randrange(1 << 32)
    pick, kills = random.Random(seed), max(1, KILLS // 2)
    with Nursery(directory) as nursery:
        watchers = [nursery.start("watch", pick.getrandbits(30)) for _ in range(2)]
        workers = [nursery.start("work", pick.getrandbits(30)) for _ in range(4)]
        nursery.wait_for("=", 5)
        started = [*watchers, *workers]
        for _ in range(kills):
            time.sleep(pick.expovariate(1 / 0.02))
            victim = pick.randrange(len(workers))
            nursery.kill(workers[victim])
            workers[victim] = nursery.start("work", pick.getrandbits(30))
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
    assert not any(map(is_running, started))

    found = {table.name: table for table in store.tables()}
    assert all(table.unused and not table.older for table in found.values())
    for name in found:
        check(store.attach(name))
    store.share(pa.table({"a": [1]}), "last")
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
