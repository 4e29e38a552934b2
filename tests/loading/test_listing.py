"""Loaded tables are listed apart, reached by their names like others, and go first."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import directory, room
from jupyter_arrowshm.server.keeper import Keeper, Rules

TABLE = pa.table({"a": range(1000)})


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    parquet.write_table(TABLE, tmp_path / "trips.parquet")
    return tmp_path / "trips.parquet"


@pytest.fixture
def name(store, trips) -> str:
    """The name of a loaded table, beside a shared one."""
    store.share(TABLE.slice(0, 5), "zones")
    store.attach(trips)
    (table,) = store.tables().loaded
    return table.name


def test_they_are_listed_apart(store, name, trips) -> None:
    tables = store.tables()
    assert [table.name for table in tables] == store.names() == ["zones"]
    assert [table.name for table in tables.everything] == ["zones", name]
    shared, loaded = str(tables).split("\n\n")
    assert "zones" in shared and name not in shared
    assert loaded.split("\n")[0].split() == ["loaded", "rows", "columns", "size", "when", "from", "in", "use", "by"]
    assert str(trips) in loaded and "unused" in loaded
    html = tables._repr_html_()
    assert name in html and "zones" in html


def test_they_are_reached_by_their_names(store, name) -> None:
    held = store.attach(name)
    assert held.equals(TABLE) and store.info(name).in_use_by == "1"
    assert store.version(name) == store.info(name).version and store.mapped(store.version(name))
    assert store.look(name).reader.num_record_batches == 1
    store.pin(name)
    assert store.info(name).pinned
    store.unpin(name)
    assert store.is_mine(name)
    store.unshare(name)
    assert held.equals(TABLE)
    with pytest.raises(shm.TableNotFound):
        store.info(name)
    assert [version.name for version in store.tables().loaded.removed] == [name]


def test_a_shared_table_of_that_name_comes_first_and_neither_harms_the_other(store, name, trips) -> None:
    store.share(pa.table({"b": [1]}), name)
    assert store.attach(name).column_names == ["b"]
    assert store.attach(trips).equals(TABLE)
    store.unshare(name)
    assert store.attach(name).equals(TABLE)


def test_gc_removes_them_unless_they_are_pinned_or_in_use(store, name) -> None:
    held = store.attach(name)
    assert store.gc() == {}
    del held
    store.pin(name)
    assert store.gc() == {}
    store.unpin(name)
    assert list(store.gc()) == [name]


def test_they_make_room_for_what_is_shared(store, name, monkeypatch) -> None:
    """Where a table does not fit, those that can be had again go, and no shared one."""
    size = store.info(name).nbytes

    def left(path: object) -> room.Room:
        files = [*os.scandir(store.directory), *os.scandir(f"{store.directory}/.loaded")]
        used = sum(file.stat().st_size for file in files if file.name.endswith(".arrow"))
        return room.Room(size + 70_000, used, size + 70_000 - used, "file system")

    monkeypatch.setattr(directory.room, "left", left)
    held = store.attach(name)
    with pytest.raises(shm.NoRoom):
        store.share(TABLE, "more")
    assert store.attach(name).equals(held)
    del held
    store.share(TABLE, "more")
    assert store.names() == ["more", "zones"] and not store.tables().loaded


def test_the_keeper_removes_them_first(store, name) -> None:
    keeper = Keeper(Rules(idle_timeout=0, min_free=0.5))
    facts = {**vars(store.info("zones")), "holders": ()}
    shared = shm.TableInfo(**{**facts, "name": "shared", "version": "1"})
    loaded = shm.TableInfo(**{**facts, "name": "loaded", "version": "2", "origin": "/trips.parquet"})
    keeper.see([shared], 0.0)  # unused for longer
    keeper.see([shared, loaded], 1.0)
    due = keeper.due([shared, loaded], 2.0, free=0, total=10**9)
    assert [table.name for table, _ in due] == ["loaded", "shared"]
    enough = keeper.due([shared, loaded], 2.0, free=5 * 10**8 - 1, total=10**9)
    assert [table.name for table, _ in enough] == ["loaded"]
