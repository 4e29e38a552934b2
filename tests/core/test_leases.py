"""A table stays attached for as long as anything made from it lives, and not a moment longer."""

from __future__ import annotations

import mmap
import os

import pyarrow as pa
import pytest
from kernel import leases, needs_proc_locks

import jupyter_arrowshm as shm

pytestmark = needs_proc_locks

# Made from the attached table `t`, with numbers in `n`, text in `s` and categories in `c`.
KEEPERS = {
    "the table": "t",
    "a slice": "t.slice(3, 1)",
    "one column": "t['n']",
    "one chunk": "t['n'].chunk(0)",
    "a selection of columns": "t.select(['s'])",
    "a record batch": "t.to_batches()[0]",
    "a reader of batches": "t.to_reader()",
    "a buffer": "t['n'].chunk(0).buffers()[1]",
    "a slice of a buffer": "t['n'].chunk(0).buffers()[1].slice(8, 8)",
    "a memoryview": "memoryview(t['n'].chunk(0).buffers()[1])[:4]",
    "a dictionary": "t['c'].chunk(0).dictionary",
    "a filter of dictionary indices": "t.select(['c']).filter(pa.compute.greater(t['n'], 3))",
    "a NumPy view": "t['n'].chunk(0).to_numpy()",
    "a slice of a NumPy view": "t['n'].chunk(0).to_numpy()[5:6]",
    "a NumPy array by DLPack": "np.from_dlpack(t['n'].chunk(0))",
    "a capsule of the C stream interface": "t.__arrow_c_stream__()",
    "pandas": "shm.attach('t', to='pandas')",
    "a pandas column of numbers": "shm.attach('t', to='pandas')['n']",
    "a pandas column of ArrowDtype": "t.to_pandas(types_mapper=pd.ArrowDtype)['s']",
    "polars": "shm.attach('t', to='polars')",
    "a polars column": "shm.attach('t', to='polars')['s']",
    "a slice of a polars column": "shm.attach('t', to='polars')['n'][2:4]",
    "NumPy": "shm.attach('t', to='numpy')['n']",
    "DuckDB": "shm.attach('t', to='duckdb')",
    "the kind that was shared": "shm.attach('t', to='source')",
    "an attachment": "shm.attachment('t')",
}
# Objects with bytes of their own keep nothing attached.
COPIES = {
    "a filter": "t.select(['n', 's']).filter(pa.compute.greater(t['n'], 3))",
    "rows taken": "t.select(['n', 's']).take([1, 2])",
    "Python objects": "t.to_pylist()",
    "a sum": "pa.compute.sum(t['n'])",
    "a private table": "shm.attach('t', copy=True)",
    "a private selection": "shm.attach('t', columns=['s'], copy=True)",
    "private pandas": "shm.attach('t', to='pandas', copy=True)",
    "private polars": "shm.attach('t', to='polars', copy=True)",
    "private NumPy": "shm.attach('t', to='numpy', copy=True)",
    "a private attachment": "shm.attachment('t', copy=True)",
    "the facts": "(shm.info('t'), shm.tables(), repr(shm.tables()))",
}


@pytest.fixture
def shared(store: shm.Store, peer) -> str:
    """The path of a table whose publisher has ended, so that only leases hold it."""
    publisher = peer()
    publisher.run("t = pa.table({'n': range(10), 's': ['some text of a length'] * 10})")
    publisher.run("shm.share(t.append_column('c', t['s'].dictionary_encode()), 't')")
    publisher.kill()
    assert store.info("t").holders == ()
    return store.path("t")


def pids(store: shm.Store) -> list[int | None]:
    return [holder.pid for holder in store.info("t").holders]


def test_it_lasts_as_long_as_anything_that_refers_to_the_data(store, peer, shared) -> None:
    reader = peer()
    reader.run("import gc, numpy as np, pandas as pd, polars as pl, duckdb, pyarrow.compute")
    for what, expression in {**KEEPERS, **COPIES}.items():
        kept = what in KEEPERS
        reader.run(f"t = shm.attach('t')\nkept = {expression}\ndel t\ngc.collect()")
        assert pids(store) == ([reader.pid] if kept else []), f"{what} {'lost' if kept else 'kept'} it"
        assert set(leases(shared)) == ({reader.pid} if kept else set()), what
        reader.run("del kept\ngc.collect()")
        assert leases(shared) == [], f"it outlived {what}"
        assert store.info("t").holders == (), what


def test_a_process_counts_once_however_often_it_attaches(store, peer, shared) -> None:
    reader = peer()
    reader.run("kept = [shm.attach('t') for _ in range(3)]")
    assert leases(shared) == [reader.pid] * 3
    assert pids(store) == [reader.pid]
    reader.run("del kept[1:]")
    assert pids(store) == [reader.pid]
    reader.run("del kept")
    assert pids(store) == []


def test_every_process_counts(store, peer, shared) -> None:
    readers = [peer() for _ in range(3)]
    for reader in readers:
        reader.run("t = shm.attach('t')")
    assert pids(store) == sorted(reader.pid for reader in readers)
    readers[0].kill()
    assert pids(store) == sorted(reader.pid for reader in readers[1:])
    readers[1].quit()
    assert pids(store) == [readers[2].pid]
    assert readers[2].get("t.num_rows") == 10


def test_a_publisher_that_attaches_its_own_table_counts_once(store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    kept = store.attach("t")
    assert pids(store) == [os.getpid()]
    assert leases(store.path("t")) == [os.getpid()]
    del kept
    assert leases(store.path("t")) == []
    assert pids(store) == [os.getpid()]


def test_it_goes_when_the_last_reference_goes_in_another_thread(store, peer, shared) -> None:
    reader = peer()
    reader.run("import threading\nkept = [shm.attach('t')]")
    reader.run("thread = threading.Thread(target=kept.clear); thread.start(); thread.join()")
    assert leases(shared) == []


def test_a_failed_attach_leaves_none(store, shared) -> None:
    with pytest.raises(KeyError):
        store.attach("t", columns=["no such column"])
    with pytest.raises(ValueError, match="to='no such kind'"):
        store.attach("t", to="no such kind")
    assert leases(shared) == []


def _maps_without_a_descriptor() -> bool:
    try:
        mmap.mmap(-1, 1, trackfd=False).close()
    except TypeError:
        return False
    return True


def test_an_attached_table_needs_a_descriptor_only_where_mmap_keeps_one(store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    store.attach("t")
    before = len(os.listdir("/proc/self/fd"))
    kept = [store.attach("t") for _ in range(10)]
    assert len(os.listdir("/proc/self/fd")) - before == (0 if _maps_without_a_descriptor() else 10)
    del kept
    assert len(os.listdir("/proc/self/fd")) == before


def test_dropping_a_lease_after_its_name_and_its_store_are_gone(store, peer, shared) -> None:
    reader = peer()
    reader.run("import shutil\nt = shm.attach('t')")
    reader.run(f"shutil.rmtree({store.directory!r})")
    assert reader.get("t['n'].to_pylist()") == list(range(10))
    reader.run("del t")
    assert not os.path.exists(shared)
    assert store.tables() == []
