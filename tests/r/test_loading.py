"""Files in R: Python loads them once, and R attaches the table."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from r_peers import signals

import jupyter_arrowshm as shm

TRIPS = pa.table({"fare": [7.5, 12.0, 40.0], "city": ["Bergen", "Oslo", "Oslo"]})


@pytest.fixture
def trips(tmp_path: Path, r: Any) -> Path:
    """A file, and an R that finds this Python by ``PATH``."""
    path = tmp_path / "trips 2026.parquet"
    pq.write_table(TRIPS, path)
    search = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    r.run(f"Sys.setenv(PATH = {json.dumps(search)}); setwd({json.dumps(str(tmp_path))})")
    return path


def test_a_file_is_loaded_once_and_again_when_it_has_changed(r: Any, store: shm.Store, trips: Path) -> None:
    r.run('t <- attach_table("./trips 2026.parquet")')
    assert r.get("sum(t$fare)") == 59.5 and r.get("t$city") == TRIPS["city"].to_pylist()
    assert r.get("arrowshm:::in_place(t$fare)") is True
    [table] = store.loaded.tables()
    assert (table.origin, [holder.pid for holder in table.holders]) == (str(trips), [r.pid])
    assert store.attach(trips).equals(TRIPS)
    assert [one.version for one in store.loaded.tables()] == [table.version]
    pq.write_table(TRIPS.slice(1), trips)
    assert r.get('nrow(attach_table("./trips 2026.parquet"))') == 2 and r.get("nrow(t)") == 3


def test_a_part_of_a_file(r: Any, store: shm.Store, trips: Path) -> None:
    r.run("""t <- attach_table("./trips 2026.parquet", c("city", "fare"), where = "fare > 10 and city == 'Oslo'")""")
    assert r.get("names(t)") == ["city", "fare"] and r.get("t$fare") == [12, 40]
    [table] = store.loaded.tables()
    assert store.attach(trips, columns=["city", "fare"], where="fare > 10 and city == 'Oslo'").num_rows == 2
    assert [one.version for one in store.loaded.tables()] == [table.version]


def test_a_loaded_table_by_its_name(r: Any, store: shm.Store, trips: Path) -> None:
    store.attach(trips)
    [name] = store.loaded.names()
    assert r.get(f'nrow(attach_table("{name}"))') == r.get(f'table_info("{name}")$num_rows') == 3
    r.run(f'pin_table("{name}")')
    assert store.info(name).pinned
    r.run(f'unpin_table("{name}"); unshare_table("{name}")')
    assert not store.loaded.names()
    with signals(f"^TableNotFound: there is no shared table .{name}"):
        r.run(f'table_info("{name}")')
    store.attach(trips)
    assert r.get("names(collect_tables())") == name and not store.loaded.names()


def test_errors_are_of_one_line(r: Any, store: shm.Store, trips: Path) -> None:
    for call, said in {
        '"/nowhere/x.parquet"': "^LoadFailed: /nowhere/x.parquet cannot be loaded: there is no such file",
        '"./trips 2026.parquet", "citi"': "^LoadFailed: no column 'citi' in .*Did you mean 'city'",
        '"./trips 2026.parquet", where = "fare = 1"': "^LoadFailed: this filter cannot be read .*write == to compare",
        '"./trips 2026.parquet", 1': "columns of a file are chosen by their names",
        '"trips", where = "fare > 1"': "where is for files",
    }.items():
        with signals(said):
            r.run(f"attach_table({call})")
    r.run('path <- Sys.getenv("PATH"); Sys.setenv(PATH = "/nonexistent")')
    with signals(
        "^NoPython: files are read and written by the Python package jupyter-arrowshm, .*pip install jupyter-arrowshm"
    ):
        r.run('attach_table("./trips 2026.parquet")')
    r.run("Sys.setenv(PATH = path)")
    assert not store.loaded.names()
