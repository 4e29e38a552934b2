"""Many processes load one file, are killed at random moments, and find it replaced meanwhile."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pytest
from conformance.client import Client, Refused
from faults.record import FACTOR, times
from peers import Peer
from pyarrow import parquet
from waiting import eventually

import jupyter_arrowshm as shm

ROWS = 200_000
LANGUAGES = ("python", "julia")
# Each waits for the file ``go``, so that all ask at the same instant; then it says what it has.
PRELUDES = {
    "python": """
import time, loading.watched
def attach(path, go):
    while not os.path.exists(go):
        time.sleep(0.001)
    t = shm.attach(path)
    return [sorted(set(t.column("version").to_pylist())), t.num_rows]
""",
    "julia": """
function attach_at(path, go)
    while !isfile(go)
        sleep(0.001)
    end
    t = attach(path)
    return [sort(unique(t.version)), length(t.version)]
end
""",
}
ATTACH = {
    "python": "got = attach({path!r}, {go!r})",
    "julia": 'global got = attach_at("{path}", "{go}"); nothing',
}


def write(path: Path, version: int) -> None:
    """Put another version in place, whole."""
    table = pa.table({"version": pa.repeat(version, ROWS), "text": pa.array([f"{n % 97}" for n in range(ROWS)])})
    parquet.write_table(table, path.with_suffix(".new"), row_group_size=20_000)
    os.rename(path.with_suffix(".new"), path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "t.parquet", 0)
    return tmp_path / "t.parquet"


class Readings:
    """What ``watched`` says of the readings of a round, whoever reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def forget(self, fail: int = 0) -> None:
        for path in self.folder.glob("*"):
            path.unlink()
        for number in range(fail):
            (self.folder / f"fail-{number}").touch()

    @property
    def lines(self) -> list[tuple[int, str]]:
        log = self.folder / "log"
        words = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(int(pid), what) for pid, what in words]

    def count(self, what: str) -> int:
        return [told for _, told in self.lines].count(what)

    @property
    def is_overlapping(self) -> bool:
        return (self.folder / "overlap").exists()

    def kill_reader(self) -> None:
        """Kill who reads now, if it has not ended meanwhile."""
        if self.lines and self.lines[-1][1] == "begins":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.lines[-1][0], signal.SIGKILL)


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    (tmp_path / "readings").mkdir()
    return Readings(tmp_path / "readings")


@pytest.fixture
def reader(client: Callable[..., Client], readings: Readings, tmp_path: Path) -> Callable[[str], Client]:
    """Start a process that attaches files, and whose readings are noted. What Julia finds as Python is watched, too."""
    programs = tmp_path / "bin"
    programs.mkdir()
    python = programs / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("watched.py")}" "$@"\n')
    python.chmod(0o700)
    (programs / "jupyter-arrowshm").touch()
    search = f"{programs}{os.pathsep}{os.environ['PATH']}"
    checkout = str(Path(__file__).parents[2])

    def start(language: str) -> Client:
        env = {"READING": str(readings.folder), "PATH": search}
        one = client(language, mortal=True, env={**env, "PYTHONPATH": checkout} if language == "julia" else env)
        one.process.run(PRELUDES[language])
        return one

    return start


def loaders(path: Path) -> list[int]:
    """The processes that load this file for Julia."""
    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if str(path) in (one.info["cmdline"] or [])]


class Outcome(NamedTuple):
    rows: list[object] | None
    error: str


def outcome(one: Client) -> Outcome:
    try:
        one.wait()
    except Refused as error:
        return Outcome(None, str(error))
    return Outcome(one.process.get("got"), "")


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_eight_processes_ask_at_once_while_loaders_fail_and_are_killed(
    store: shm.Store, reader: Callable[[str], Client], readings: Readings, path: Path, tried: Callable[..., None]
) -> None:
    """Each version is read once if nobody dies, and never twice at a time; everybody has all of it, or an error."""
    chance = random.Random(7)
    julias = 4 if FACTOR > 1 else 2  # they take long to start
    workers = [reader("julia" if number < julias else "python") for number in range(8)]
    go = path.with_name("go")
    for round_ in range(count := times(3, 100)):
        fails = chance.randint(1, 3) if round_ % 3 == 1 else 0
        killed = chance.sample(range(8), chance.randint(0, 2)) if round_ % 3 == 2 else []
        kills_reader = round_ % 3 == 2
        go.unlink(missing_ok=True)
        readings.forget(fails)
        write(path, round_ + 1)
        for one in workers:
            one.process.start(ATTACH[one.language].format(path=str(path), go=str(go)))
        go.touch()
        if kills_reader:
            if chance.random() < 0.7:  # in the middle of a reading
                eventually(lambda: readings.count("begins") > 0)
            time.sleep(chance.random() * 0.1)
            readings.kill_reader()
            for number in killed:
                workers[number].kill()
        outcomes = []
        for number, one in enumerate(workers):
            if number not in killed:
                with contextlib.suppress(EOFError, ConnectionError):  # it was the reader that was killed
                    outcomes.append(outcome(one))
                    continue
                assert kills_reader
                one.kill()
            workers[number] = reader(one.language)
        case = (round_, fails, killed, outcomes, readings.lines)
        assert not readings.is_overlapping, case
        whole = [[round_ + 1], ROWS]
        errors = [each.error for each in outcomes if each.rows != whole]
        if not kills_reader:
            assert len(outcomes) == 8 and len(errors) == fails, case
            assert all("it fails on purpose" in error for error in errors), case
            assert (readings.count("begins"), readings.count("ends")) == (1 + fails, 1), case
        else:
            # One of Julia's readers was killed: Julia itself lives, and says so.
            assert len(outcomes) >= 8 - len(killed) - 1, case
            assert all("the Python that reads it was killed" in error for error in errors) and len(errors) <= 1, case
        eventually(lambda: not loaders(path))  # of a Julia that was killed
        assert store.attach(path).num_rows == ROWS
        store.tables()  # it removes what the dead have left
        assert os.listdir(f"{store.directory}/.loaded/.loading") == [], case
        # One table, and no draft, of nobody.
        names = [name for name in os.listdir(store.loaded.directory) if not name.startswith(".")]
        drafts = [name for name in os.listdir(store.loaded.directory) if name.startswith(".new-")]
        assert len(names) == 1 and not drafts, (case, names, drafts)
    for language in LANGUAGES:
        tried("load file", count, language=language)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_a_file_that_is_replaced_while_it_is_read(peer: Callable[..., Peer], path: Path) -> None:
    """Each reader has one whole version, and never an older one than before."""
    peers = [peer() for _ in range(3)]
    for one in peers:
        one.run(f"""
def attach():
    t = shm.attach({str(path)!r})
    numbers = set(t.column("version").unique().to_pylist())
    return len(numbers), t.num_rows, numbers.pop()
""")
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
shm.attach(sys.argv[2])  # what a small file needs is not the table's
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
t = shm.attach(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, t.nbytes)
"""
    small = tmp_path / "small.parquet"
    parquet.write_table(pa.table({"a": [1], "b": [2.0]}), small)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(small)], capture_output=True, text=True, check=True
    )
    grown, nbytes = map(int, done.stdout.split())
    # At most two batches of 64 MB, as they are written; the table is in no process.
    assert nbytes >= 16 * rows and grown < 2 * (64 << 20) < nbytes
