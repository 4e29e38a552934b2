"""Many processes load one file, are killed at random moments, and find it replaced meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from faults.record import FACTOR
from peers import Peer
from pyarrow import parquet

import jupyter_arrowshm as shm

ROWS = 200_000
# Opening the file for its rows is noted, and the end of the reading; a peer may be told to fail.
WATCHED = """
from jupyter_arrowshm.loading import Files
read = Files.read
def watched(self):
    with open(log, "a") as file:
        file.write(f"{os.getpid()} begins\\n")
    if fails:
        raise shm.LoadFailed(self.address, "it fails on purpose")
    source = read(self)
    def batches(all):
        for batch in all:
            yield batch
        with open(log, "a") as file:
            file.write(f"{os.getpid()} ends\\n")
    return type(source)(source.schema, batches(source.batches), source.kind, source.num_rows, source.nbytes)
Files.read = watched
def attach():
    t = shm.attach(path)
    numbers = set(t.column("version").unique().to_pylist())
    return len(numbers), t.num_rows, numbers.pop()
"""


def write(path: Path, version: int) -> None:
    """Put another version in place, whole."""
    table = pa.table({"version": pa.repeat(version, ROWS), "text": pa.array([f"{n % 97}" for n in range(ROWS)])})
    parquet.write_table(table, path.with_suffix(".new"), row_group_size=20_000)
    os.rename(path.with_suffix(".new"), path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "t.parquet", 0)
    return tmp_path / "t.parquet"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def reader(peer: Callable[..., Peer], path: Path, log: Path) -> Callable[..., Peer]:
    def start(fails: bool = False) -> Peer:
        one = peer()
        one.run(f"log, path, fails = {str(log)!r}, {str(path)!r}, {fails}\n{WATCHED}")
        return one

    return start


def overlaps(log: Path) -> bool:
    """Whether one process began to read before another had ended; one that was killed never says that it ended."""
    begun = ""
    for line in log.read_text().splitlines():
        pid, what = line.split()
        if what == "ends" and pid != begun:
            return True
        begun = pid
    return False


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_many_at_once_read_each_version_once(
    store: shm.Store, reader: Callable[..., Peer], path: Path, log: Path
) -> None:
    peers = [reader() for _ in range(8)]
    for version in range(1, 1 + max(2, round(4 * FACTOR))):
        write(path, version)
        log.unlink(missing_ok=True)
        for one in peers:
            one.start("got = attach()")
        for one in peers:
            one.wait()
            assert one.get("got") == (1, ROWS, version)
        assert len(log.read_text().splitlines()) == 2, log.read_text()


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_readers_that_are_killed_and_that_fail(
    store: shm.Store, reader: Callable[..., Peer], path: Path, log: Path, tried: Callable[..., None]
) -> None:
    chance = random.Random(7)
    for _ in range(count := max(1, round(8 * FACTOR))):
        write(path, chance.randrange(10**6))
        log.unlink(missing_ok=True)
        peers = [reader(fails=chance.random() < 0.25) for _ in range(4)]
        for one in peers:
            one.start("got = attach()")
        time.sleep(chance.random() * 0.15)
        killed = chance.sample(peers, 2)
        for one in killed:
            one.kill()
        for one in (one for one in peers if one not in killed):
            try:
                one.wait()
                assert one.get("got")[:2] == (1, ROWS)
            except shm.LoadFailed as error:
                assert "it fails on purpose" in str(error)
            one.end()
        assert not log.exists() or not overlaps(log)
        store.gc()
        # The lock file of one that was killed has its name until the next one loads.
        assert all(name.endswith(".arrow") or name.startswith(".") for name in os.listdir(store.loaded.directory))
    store.attach(path)
    assert os.listdir(f"{store.directory}/.loaded/.loading") == []
    tried("load file", count)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_a_file_that_is_replaced_while_it_is_read(reader: Callable[..., Peer], path: Path) -> None:
    """Each reader has one whole version, and never an older one than before."""
    peers = [reader() for _ in range(3)]
    for one in peers:
        one.start("got = [attach() for _ in range(15)]")
    for version in range(1, 12):
        write(path, version)
        time.sleep(0.05)
    for one in peers:
        one.wait()
        got = one.get("got")
        assert all(numbers == 1 and rows == ROWS for numbers, rows, _ in got)
        assert [version for *_, version in got] == sorted(version for *_, version in got)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_loading_needs_the_memory_of_the_table_and_a_little(store: shm.Store, tmp_path: Path) -> None:
    """A file that is larger than half of the memory can be loaded: rows go into the table as they are read."""
    rows = 24_000_000
    path = tmp_path / "large.parquet"
    with parquet.ParquetWriter(path, pa.schema({"a": pa.int64(), "b": pa.float64()})) as writer:
        for part in np.array_split(np.arange(rows), 24):
            writer.write_table(pa.table({"a": part, "b": part.astype(float)}))
    code = """
import resource, sys, jupyter_arrowshm as shm, pyarrow.dataset, pyarrow.parquet
shm.attach(sys.argv[1], where="a < 0")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
t = shm.attach(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, t.nbytes)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    grown, nbytes = map(int, done.stdout.split())
    # Two batches of 64 MB, as they are written, and the rows that are read meanwhile; the table is in no process.
    assert nbytes >= 16 * rows and grown < 200 << 20 < nbytes
