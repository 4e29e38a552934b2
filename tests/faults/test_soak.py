"""Eight processes of all languages do everything they can, and die at random, for minutes; then nothing is left."""

from __future__ import annotations

import itertools
import os
import random
import time

from faults.interception import NO_TMPFILE, works
from faults.record import LANGUAGES, times
from measures import footprint, leftovers, users


def test_soak(store, directory, parent, nurseries, tried, capsys):
    """Processes of all languages share, attach and die at random; in the end no memory, file or mapping is left."""
    seconds = times(15, 900)
    pick, all_ = random.Random(), [nurseries(language) for language in LANGUAGES]
    open_before = [one.open_files() for one in all_]

    def start(one):
        filter_ = NO_TMPFILE if works() and pick.random() < 0.3 else b""
        return one.start(directory, pick.choice(["work", "work", "work", "watch"]), pick.getrandbits(30), filter_)

    running = [(one, start(one)) for one in itertools.islice(itertools.cycle(all_), 8)]
    until = time.monotonic() + seconds
    kills = most = 0
    try:
        while time.monotonic() < until:
            time.sleep(pick.expovariate(1 / 0.3))
            index = pick.randrange(len(running))
            one, pid = running[index]
            one.kill(pid)
            running[index] = (one, start(one))
            kills += 1
            assert not one.errors, one.errors[0]
            if kills % 10 == 0:
                most = max(most, sum(footprint(parent).values()))
    finally:
        for one in all_:
            errors = list(one.errors)
            with capsys.disabled():
                print(f"\n{one.counts['+']:,} steps, {one.counts['=']:,} tables attached in {one.language}", end=" ")
            one.clear()
            assert not errors, errors[0]
    with capsys.disabled():
        print(f"\n{kills} kills, at most {most >> 20} MiB in use", end=" ")
    for table in store.tables():
        store.unpin(table.name)
    store.gc()
    assert list(store.tables()) == [] and store.tables().removed == ()
    assert not footprint(parent)
    assert leftovers(directory) == []
    assert users(parent) <= {os.getpid()}
    assert [one.open_files() for one in all_] == open_before
    for one in all_:
        tried("soak", seconds / 60, language=one.language)
