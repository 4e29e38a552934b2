"""A table that is loaded by a function, by whoever asks first."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from faults.record import FACTOR
from peers import Peer
from waiting import eventually

import jupyter_arrowshm as shm

ROWS = 50_000
# In a peer. Each call of the function adds to the log, where one that overlaps another would show.
LOAD = f"""
import time
def load():
    with open(log, "a") as file:
        file.write(f"{{os.getpid()}} begins\\n")
    time.sleep(seconds)
    if fails:
        raise LookupError(f"process {{os.getpid()}} found nothing")
    with open(log, "a") as file:
        file.write(f"{{os.getpid()}} ends\\n")
    return pa.table({{"a": pa.array(range({ROWS}))}})
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def loader(peer: Callable[..., Peer], log: Path) -> Callable[..., Peer]:
    def start(seconds: float = 0.1, fails: bool = False) -> Peer:
        one = peer()
        one.run(f"log, seconds, fails = {str(log)!r}, {seconds}, {fails}\n{LOAD}")
        return one

    return start


ATTACH = "sum_of_a = shm.attach('t', load=load).column('a').to_numpy().sum()"
WHOLE = ROWS * (ROWS - 1) // 2


def leftovers(store: shm.Store) -> list[str]:
    return os.listdir(f"{store.directory}/.loaded/.loading")


def test_of_many_who_ask_at_once_one_loads(store, loader, log) -> None:
    peers = [loader() for _ in range(4)]
    for one in peers:
        one.start(ATTACH)
    for one in peers:
        one.wait()
    assert [one.get("sum_of_a") for one in peers] == [WHOLE] * 4
    assert len(log.read_text().splitlines()) == 2
    assert leftovers(store) == []


def test_a_table_that_is_shared_is_attached_as_it_is(store) -> None:
    store.share(pa.table({"a": [7]}), "t")
    assert store.attach("t", load=lambda: pytest.fail("it is there")).to_pydict() == {"a": [7]}


def test_the_kinds_and_columns_are_those_of_attach(store) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=pandas.Index([5, 6], name="n"))
    got = store.attach("t", load=lambda: frame, to="source", columns=["b"])
    pandas.testing.assert_frame_equal(got, frame[["b"]])
    assert store.info("t").source == "pandas" and store.info("t").origin == ""


def test_whoever_waits_loads_when_the_loader_dies(store, loader, log) -> None:
    first, second = loader(seconds=60), loader()
    first.start(ATTACH)
    eventually(log.exists)
    second.start(ATTACH)
    time.sleep(0.3)
    assert len(log.read_text().splitlines()) == 1  # it waits
    first.kill()
    second.wait()
    assert second.get("sum_of_a") == WHOLE
    assert leftovers(store) == []


def test_an_error_is_that_of_the_function_and_the_next_one_loads(store, loader, log) -> None:
    fails, works = loader(seconds=0.3, fails=True), loader()
    fails.start(ATTACH)
    eventually(log.exists)
    works.start(ATTACH)
    with pytest.raises(LookupError, match=f"process {fails.pid} found nothing"):
        fails.wait()
    works.wait()
    assert works.get("sum_of_a") == WHOLE
    assert leftovers(store) == []


def test_the_lock_of_a_loader_that_was_killed_goes_with_the_next_list(store, loader, log) -> None:
    one, other = loader(seconds=60), loader(seconds=60)
    one.start(ATTACH)
    eventually(log.exists)
    other.start(ATTACH.replace("'t'", "'u'"))
    eventually(lambda: len(leftovers(store)) == 2)
    one.kill()
    eventually(lambda: not store.tables() and leftovers(store) == ["u"])
    assert not store.loaded.is_littered()


@pytest.mark.parametrize("wait", [-1, float("nan")])
def test_a_wait_is_a_number_of_seconds(store, wait) -> None:
    with pytest.raises(ValueError, match="wait is a number of seconds, 0 or more"):
        store.attach("t", load=lambda: pytest.fail("it loads"), wait=wait)


def test_waiting_has_a_deadline_where_it_was_asked_for(store, loader, log) -> None:
    slow = loader(seconds=60)
    slow.start(ATTACH)
    eventually(log.exists)
    with pytest.raises(shm.Busy) as raised:
        store.attach("t", load=lambda: pytest.fail("somebody else loads"), wait=0.2)
    assert str(raised.value).startswith("the loading of 't' was busy for 0.2 s")


def test_a_function_that_asks_for_its_own_table_is_told_so(store) -> None:
    def load() -> pa.Table:
        return store.attach("t", load=load)

    with pytest.raises(shm.LoadsItself, match="'t' is being loaded by the very code that asks for it"):
        store.attach("t", load=load)
    assert leftovers(store) == []
    # Another table is another matter.
    inner = store.attach("outer", load=lambda: store.attach("inner", load=lambda: pa.table({"a": [1]})))
    assert inner.num_rows == 1 and store.names() == ["inner", "outer"]


def test_somebody_who_shares_the_name_meanwhile_wins(store, peer) -> None:
    other = peer()

    def load() -> pa.Table:
        other.run("shm.share(pa.table({'a': [99]}), 't')")
        return pa.table({"a": [1]})

    assert store.attach("t", load=load).to_pydict() == {"a": [99]}


def test_threads_of_one_process_load_once_too(store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    calls = []

    def load() -> pa.Table:
        calls.append(1)
        time.sleep(0.1)
        return pa.table({"a": [1]})

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: store.attach("t", load=load), range(8)))
    assert len(calls) == 1 and all(table.num_rows == 1 for table in tables)


def test_where_and_load_go_with_what_they_are_for(store) -> None:
    with pytest.raises(ValueError, match="where= is for files"):
        store.attach("t", where="a > 1")
    with pytest.raises(ValueError, match="load= goes with the name of a table"):
        store.attach("./t.parquet", load=lambda: None)
    with pytest.raises(shm.InvalidName):
        store.attach("a b", load=lambda: None)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_loaders_that_are_killed_at_random_moments(store, loader, log, tried) -> None:
    """At most one loads at a time, everybody who lives has the whole table, and nothing is left behind."""
    chance = random.Random(6)
    for _ in range(count := max(1, round(10 * FACTOR))):
        log.unlink(missing_ok=True)
        peers = [loader(seconds=0.02, fails=chance.random() < 0.2) for _ in range(4)]
        for one in peers:
            one.start(ATTACH)
        time.sleep(chance.random() * 0.1)
        killed = chance.sample(peers, 2)
        for one in killed:
            one.kill()
        for one in peers:
            if one not in killed:
                try:
                    one.wait()
                    assert one.get("sum_of_a") == WHOLE
                except LookupError as error:
                    assert str(one.pid) in str(error)
                one.end()
        begun = None
        for line in log.read_text().splitlines() if log.exists() else []:
            pid, what = line.split()
            if what == "ends":
                assert pid == begun
            begun = pid if what == "begins" else None
        if "t" in store.names():
            store.unshare("t")
        assert leftovers(store) == []
    tried("load", count)
