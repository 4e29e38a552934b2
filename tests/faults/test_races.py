"""Attach against everything that changes names; publishers and collectors of one name: thousands of times, no kill."""

from __future__ import annotations

import os
import random
import threading

import pyarrow as pa
import pytest
from faults.interception import works
from faults.record import LANGUAGES, times
from julia_peers import Julia
from measures import footprint, leftovers
from peers import Peer
from r_peers import R

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.lock import EXCLUSIVE, SHARED, Descriptor, try_lock, unlock


def test_attach_gives_a_whole_version_or_table_not_found(store, directory, parent, nurseries, tried, capsys):
    """Watchers of all languages against workers of all."""
    pick, all_ = random.Random(), [nurseries(language) for language in LANGUAGES]
    attaches = times(10_000, 500_000)
    try:
        for one in all_:
            for kind in ("work", "watch"):
                one.start(directory, kind, pick.getrandbits(30))
        while sum(one.counts["="] for one in all_) < attaches:
            for one in all_:
                one.wait_for("=", attaches // 100)
        for one in all_:
            assert not one.errors, one.errors[0]
            tried("attach", one.counts["="], language=one.language)
            with capsys.disabled():
                print(
                    f"\n{one.counts['=']:,} attached tables whole, {one.counts['+']:,} steps in {one.language}", end=" "
                )
    finally:
        for one in all_:
            one.clear()
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
        begun = time.time()
        try: shm.share(pa.table({'who': [me], 'number': [number]}), name, replace=replace)
        except shm.TableExists: log.append(('refused', begun, time.time()))
        else: log.append(('shared', begun, time.time()))
    return log
"""
# The same in Julia, whose log is read through JSON.
PUBLISH_JL = """
function publish(me, name, tries, replace)
    log = []
    for number in 0:tries - 1
        begun = time()
        became = try
            share(name, (who = [me], number = [number]); replace = replace)
            "shared"
        catch error
            error isa ArrowSHM.TableExists || rethrow()
            "refused"
        end
        push!(log, Any[became, begun, time()])
    end
    return log
end
"""

PUBLISH_R = """
publish <- function(me, name, tries, replace) lapply(seq_len(tries) - 1, function(number) {
  begun <- as.numeric(Sys.time())
  became <- tryCatch({
    share_table(data.frame(who = as.integer(me), number = as.integer(number)), name, replace = replace)
    "shared"
  }, TableExists = function(error) "refused")
  list(became, begun, as.numeric(Sys.time()))
})
"""
# How each language publishes, and collects; the value of a collection is the names of what it removed.
LOG = {
    Peer: ('log = publish({me}, "{name}", {tries}, {replace})', "log = shm.gc()", "log"),
    Julia: (
        'global log_ = publish({me}, "{name}", {tries}, {replace}); nothing',
        "global log_ = ArrowSHM.gc(); nothing",
        "log_",
    ),
    R: (
        'log_ <- publish({me}, "{name}", {tries}, {replace})',
        "log_ <- I(as.character(names(collect_tables())))",
        "log_",
    ),
}


@pytest.fixture
def publishers(peer, new_julia, new_r) -> list:
    """Two in Python, one in Julia and one in R, each with ``publish(me, name, tries, replace)``."""
    found = [peer(), peer(), new_julia(), new_r()]
    for one, code in zip(found, (PUBLISH, PUBLISH, PUBLISH_JL, PUBLISH_R), strict=True):
        one.run(code)
    found[2].run('publish(0, "warm", 2, false); unshare("warm")')
    return found


def publish(one, me: int, name: str, tries: int, replace: bool) -> None:
    truth = {Peer: str(replace), Julia: str(replace).lower(), R: str(replace).upper()}[type(one)]
    one.start(LOG[type(one)][0].format(me=me, name=name, tries=tries, replace=truth))


def log_of(one) -> list:
    return one.get(LOG[type(one)][2])


def count(tried, number: int) -> None:
    """So many by each of the publishers."""
    for language, publishers in (("python", 2), ("julia", 1), ("R", 1)):
        tried("owner", publishers * number, language=language)


def test_one_of_several_publishers_gets_a_name_and_keeps_it(store, publishers, tried):
    rounds, tries = times(40), 4
    for name in (f"t{number}" for number in range(rounds)):
        for me, one in enumerate(publishers):
            publish(one, me, name, tries, False)
        for one in publishers:
            one.wait()
        became = [[entry[0] for entry in log_of(one)] for one in publishers]
        assert sorted(became) == [*[["refused"] * tries] * 3, ["shared"] * tries], "nobody asked to replace"
        assert store.attach(name).to_pylist() == [{"who": became.index(["shared"] * tries), "number": tries - 1}]
    count(tried, rounds * tries)


def test_the_newest_of_several_replacements_is_never_lost(store, parent, publishers, tried):
    tries = times(60)
    for me, one in enumerate(publishers):
        publish(one, me, "t", tries, True)
    store.attach("t", wait=60)
    seen = [store.attach("t").to_pylist()[0] for _ in range(1000)]
    for one in publishers:
        one.wait()
    for me in range(len(publishers)):
        numbers = [row["number"] for row in seen if row["who"] == me]
        assert numbers == sorted(numbers), "an older version came back"
    logs = [log_of(one) for one in publishers]
    assert {entry[0] for log in logs for entry in log} == {"shared"}
    (last,) = store.attach("t").to_pylist()
    assert last["number"] == tries - 1
    ended = logs[last["who"]][tries - 1][2]
    assert not any(begun > ended for log in logs for _, begun, _ in log), "a later one was lost"
    store.unshare("t")
    assert not footprint(parent)
    count(tried, tries)


def test_of_several_collectors_each_table_goes_to_one_and_none_that_is_in_use(store, peer, publishers, tried):
    """One table that nobody uses, one that somebody attaches meanwhile, and four that collect at once."""
    for number in range(rounds := times(5, 15)):
        dying = peer()
        dying.run("for name in 'abc': shm.share(pa.table({'a': [1]}), name, replace=True)")
        kept = store.attach("a")
        dying.kill()
        for one in publishers:
            one.start(LOG[type(one)][1])
        try:
            table = store.attach("b")
        except shm.TableNotFound:
            table = None
        for one in publishers:
            one.wait()
        gone = sorted(name for one in publishers for name in log_of(one))
        assert gone == (["c"] if table else ["b", "c"]), f"round {number}"
        assert [info.name for info in store.tables()] == (["a", "b"] if table else ["a"])
        assert kept.num_rows == 1
        del kept, table
    count(tried, rounds)


@pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
def test_a_publisher_is_alive_whoever_looks_at_that_moment(store, directory, nursery):
    """A listing holds each token's lock for an instant: the publisher that wants it then must wait, not do without."""
    looking, locked = [], []

    def look(token):
        file = Descriptor.open(token, os.O_RDONLY)
        assert try_lock(file.fd, SHARED)
        looking.append(threading.Timer(0.2, lambda: unlock(file.fd)))
        looking[0].start()

    def decide(call):
        if call.name == "flock" and ".live/" in call.path and not looking:
            look(call.path)
        if call.name in ("rename", "renameat") and call.path.endswith("/t.arrow"):
            looking[0].join()
            (token,) = (directory / ".live").iterdir()
            with Descriptor.open(str(token), os.O_RDONLY) as file:
                locked.append(not try_lock(file.fd, EXCLUSIVE))

    _, result = nursery.intercept(directory, "share", 1_002, decide)
    assert (result, len(looking), locked) == ("ok", 1, [True])


@pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
def test_a_note_of_a_removed_table_that_goes_while_it_is_read(store, directory, nursery):
    """The next share of the name takes it away at any moment: the table is not found all the same."""
    note = directory / ".removed/t"

    def attach(at: int) -> list:
        note.parent.mkdir(0o700, exist_ok=True)
        note.write_text("nobody used it")
        looked = []

        def decide(call):
            if call.path == str(note):
                looked.append(call)
                if len(looked) == at:
                    note.unlink()

        _, result = nursery.intercept(directory, "attach", 1, decide)
        assert result == "TableNotFound", f"gone before {looked[at - 1] if at else 'nothing'}"
        return looked

    store.share(pa.table({"a": [1]}), "other")
    for number in range(1, len(attach(0)) + 1):
        attach(number)
