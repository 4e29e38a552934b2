"""Attach against everything that changes names, and publishers that want the same name: thousands of times, no kill."""

from __future__ import annotations

import os
import random

import pytest
from faults.nursery import Nursery
from measures import footprint, leftovers

ATTACHES = int(os.environ.get("JUPYTER_ARROWSHM_ATTACHES", "4000"))


@pytest.mark.timeout(120 + ATTACHES // 50)
def test_attach_gives_a_whole_version_or_table_not_found(store, directory, parent, capsys):
    pick = random.Random()
    with Nursery(directory) as nursery:
        for kind in ("work", "work", "watch", "watch"):
            nursery.start(kind, pick.getrandbits(30))
        nursery.wait_for("=", ATTACHES // 2)
        assert not nursery.errors, nursery.errors[0]
    with capsys.disabled():
        print(f"\n{nursery.counts['=']:,} attached tables whole against {nursery.counts['+']:,} steps", end=" ")
    for table in store.tables():
        store.unshare(table.name)
    assert not footprint(parent)
    store.gc()
    assert leftovers(directory) == []


# What became of each try, and when; every process reads the same clock.
PUBLISH = """
import time
def publish(me, name, tries, replace):
    log = []
    for number in range(tries):
        begun = time.monotonic_ns()
        try: shm.share(pa.table({'who': [me], 'number': [number]}), name, replace=replace)
        except shm.TableExists: log.append(('refused', begun, time.monotonic_ns()))
        else: log.append(('shared', begun, time.monotonic_ns()))
    return log
"""


def test_one_of_several_publishers_gets_a_name_and_keeps_it(store, peer):
    publishers = [peer() for _ in range(3)]
    for one in publishers:
        one.run(PUBLISH)
    for name in (f"t{number}" for number in range(40)):
        for me, one in enumerate(publishers):
            one.start(f"log = publish({me}, {name!r}, 5, False)")
        for one in publishers:
            one.wait()
        became = [[entry[0] for entry in one.get("log")] for one in publishers]
        assert sorted(became) == [["refused"] * 5, ["refused"] * 5, ["shared"] * 5], "nobody asked to replace"
        assert store.attach(name).to_pylist() == [{"who": became.index(["shared"] * 5), "number": 4}]


def test_the_newest_of_several_replacements_is_never_lost(store, parent, peer):
    publishers = [peer() for _ in range(3)]
    for me, one in enumerate(publishers):
        one.run(PUBLISH)
        one.start(f"log = publish({me}, 't', 100, True)")
    store.attach("t", timeout=30)
    seen = [store.attach("t").to_pylist()[0] for _ in range(1000)]
    for one in publishers:
        one.wait()
    for me in range(len(publishers)):
        numbers = [row["number"] for row in seen if row["who"] == me]
        assert numbers == sorted(numbers), "an older version came back"
    logs = [one.get("log") for one in publishers]
    assert {entry[0] for log in logs for entry in log} == {"shared"}
    (last,) = store.attach("t").to_pylist()
    assert last["number"] == 99
    ended = logs[last["who"]][99][2]
    assert not any(begun > ended for log in logs for _, begun, _ in log), "a later one was lost"
    store.unshare("t")
    assert not footprint(parent)
