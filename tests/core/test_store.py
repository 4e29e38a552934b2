"""The questions of the magics, the sidebar and the server to a store, beside the tables themselves."""

from __future__ import annotations

import os

import pandas as pd
import pyarrow as pa
import pytest
from kernel import mappings, needs_proc_locks

import jupyter_arrowshm as shm

TABLE = pa.table({"a": range(1000)})


def test_the_version_that_has_a_name(store) -> None:
    assert store.version("t") is None
    first = store.share(TABLE, "t")
    assert store.version("t") == first.version
    second = store.share(TABLE, "t")
    assert store.version("t") == second.version != first.version
    store.unshare("t")
    assert store.version("t") is None


def test_whose_a_table_is(store, peer, tmp_path) -> None:
    """`is_mine` says whether this process may replace a table without saying so."""
    assert not store.is_mine("t")
    store.share(TABLE, "t")
    assert store.is_mine("t")
    other = peer(script=str(tmp_path / "other.py"))
    assert other.get("shm.Store().is_mine('t')") is False
    other.run("shm.share(pa.table({'a': [1]}), 't', replace=True)")
    assert other.get("shm.Store().is_mine('t')") is True and not store.is_mine("t")
    other.quit()
    again = peer(script=str(tmp_path / "other.py"))  # the same script, run again
    assert again.get("shm.Store().is_mine('t')") is True


def test_where_a_version_is_mapped(store, directory) -> None:
    """`mapped` gives the addresses at which this process has a version mapped, even an older one."""
    old = store.share(TABLE, "t")
    assert store.mapped(old.version) == []
    table = store.attach("t")
    new = store.share(TABLE.slice(1), "t")
    (found,) = store.mapped(old.version)
    address = table["a"].chunk(0).buffers()[1].address
    assert found[0] <= address < found[1]
    assert found in [(start, end) for start, end, _ in mappings(str(directory / "t.arrow"), os.getpid())]
    assert store.mapped(new.version) == []
    del table
    assert store.mapped(old.version) == []


@needs_proc_locks
def test_one_table_is_collected_if_nobody_needs_it(store, peer) -> None:
    reader, publisher = peer(), peer()
    publisher.run("shm.share(pa.table({'a': range(1000)}), 't'); shm.share(pa.table({'a': [1]}), 'pinned', pin=True)")
    nbytes = store.info("t").nbytes
    assert store.collect("t", "a test wants it") is None  # who shared it lives
    reader.run("t = shm.attach('t')")
    publisher.quit()
    assert store.collect("t", "a test wants it") is None and store.collect("pinned", "a test wants it") is None
    reader.run("del t")
    assert store.collect("t", "a test wants it") == nbytes and store.names() == ["pinned"]
    with pytest.raises(shm.TableNotFound, match="a test wants it"):
        store.attach("t")
    assert store.collect("t", "a test wants it") is None


def test_notes_of_what_was_removed_are_a_hundred(store, directory, peer) -> None:
    publisher = peer()
    publisher.run("table = pa.table({'a': [1]})\nfor i in range(102): shm.share(table, f't{i}')")
    publisher.quit()
    assert len(store.gc()) == 102
    assert len(list((directory / ".removed").iterdir())) == 100


def test_some_columns_of_a_frame_come_with_its_index(store) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=pd.Index(["x", "y"], name="key"))
    store.share(frame, "t")
    pd.testing.assert_frame_equal(store.attach("t", columns=["b"], to="source"), frame[["b"]])


def test_a_store_whose_path_leads_through_a_file(parent) -> None:
    """Every question says so in the same way, and none takes the path for an empty store."""
    (parent / "file").write_text("")
    store = shm.Store(parent / "file" / "store")
    questions = (
        store.tables, store.gc, store.names, store.room, lambda: store.info("t"), lambda: store.version("t"),
        lambda: store.is_mine("t"), lambda: store.mapped("1-1"), lambda: store.collect("t", "why"),
        lambda: store.pin("t"), lambda: store.unpin("t"), lambda: store.unshare("t"), lambda: store.attach("t"),
        lambda: store.share(TABLE, "t"),
    )  # fmt: skip
    for question in questions:
        with pytest.raises(shm.ArrowSHMError, match="store"):
            question()
    assert (parent / "file").read_text() == ""
