"""How long eight processes take until each of them has the rows of one Parquet file, and has summed a column:

    attach        shm.attach of the path, as pandas: one process loads the file, the others wait for it
    pandas        each process reads it with pandas.read_parquet
    polars        ... polars.read_parquet
    pyarrow       ... pyarrow.parquet.read_table

in turns, in one run; the file is in the page cache. Then, once each, in new processes: by how many bytes the machine's
memory grew from when each had read a small file until all of them have the rows, as a multiple of the table. It should
be at most 1.2 for ``attach``.

Last, ``attach`` of the path when the table is loaded, against ``attach`` of a table that was shared by name. It should
take at most 2 ms longer.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import tables
import timing
from pyarrow import parquet

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

_COLUMN = "c1"
# Each gives the rows and the sum of a column.
_WAYS: dict[str, Callable[[str], tuple[Any, Any]]] = {
    "attach": lambda path: _summed(shm.attach(path, to="pandas")),
    "pandas": lambda path: _summed(pd.read_parquet(path)),
    "polars": lambda path: _summed(pl.read_parquet(path)),
    "pyarrow": lambda path: _summed(parquet.read_table(path)),
}


def _summed(rows: Any) -> tuple[Any, Any]:
    column = rows[_COLUMN]
    return rows, pc.sum(column).as_py() if isinstance(rows, pa.Table) else column.sum()


def _work(commands: Connection) -> None:
    """A worker: reads the path that it is told in the way that it is told, and has the rows until the next message."""
    commands.send(None)
    while (command := commands.recv()) is not None:
        way, path = command
        rows, total = _WAYS[way](path)
        commands.send(total)
        commands.recv()
        del rows
        gc.collect()
        commands.send(None)


class Workers:
    """Processes that have imported everything, and wait."""

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(number)]
        self._processes = [context.Process(target=_work, args=(theirs,), daemon=True) for _, theirs in pipes]
        self._commands = [ours for ours, _ in pipes]
        for process in self._processes:
            process.start()
        self._answers()

    def read(self, way: str, path: Path) -> None:
        self._tell((way, str(path)))

    def drop(self) -> None:
        self._tell("drop")

    def memory(self) -> int:
        return timing.memory(process.pid for process in self._processes if process.pid)

    def stop(self) -> None:
        for commands in self._commands:
            with contextlib.suppress(BrokenPipeError):  # it was killed for want of memory, say
                commands.send(None)
        for process in self._processes:
            process.join(10)

    def _tell(self, message: object) -> None:
        for commands in self._commands:
            commands.send(message)
        self._answers()

    def _answers(self) -> None:
        for commands in self._commands:
            commands.recv()


@contextlib.contextmanager
def workers(number: int) -> Iterator[Workers]:
    started = Workers(number)
    try:
        yield started
    finally:
        started.stop()


@dataclass(frozen=True)
class Held:
    """By how many tables the machine's memory grew while all workers have the rows."""

    way: str
    memory: float


def timed(started: Workers, way: str, path: Path) -> timing.Way:
    def clean() -> None:
        started.drop()
        shm.gc()

    def read() -> Callable[[], object]:
        started.read(way, path)
        return clean

    return read


def held(way: str, path: Path, small: Path, number: int, nbytes: int) -> Held:
    with workers(number) as started:
        started.read(way, small)  # what a library imports or starts for any file is not the table's
        started.drop()
        before = started.memory()
        started.read(way, path)
        grown = started.memory() - before
        started.drop()
    shm.gc()
    return Held(way, grown / nbytes)


def main() -> None:
    parser = timing.parser(__doc__, "512MiB", 5)
    parser.add_argument("--workers", type=int, default=8, help="processes (default %(default)s)")
    arguments = parser.parse_args()
    timing.need((4 * arguments.workers + 3) * arguments.size)  # pandas takes more than three times the table, each time
    size = f"{arguments.size / 2**20:,.0f} MiB"
    with timing.places() as (memory, disk):
        os.environ[ENVIRONMENT_VARIABLE] = str(memory / "store")
        path = disk / "table.parquet"
        small = disk / "small.parquet"
        parquet.write_table(tables.numbers(arguments.size), path)
        parquet.write_table(tables.numbers(1000), small)
        print("time ...", file=sys.stderr)
        with workers(arguments.workers) as started:
            ways = {way: timed(started, way, path) for way in _WAYS}
            results = timing.compare(f"{size} of Parquet, {arguments.workers} processes", ways, arguments.repeat, 60)
        print("memory ...", file=sys.stderr)
        grown = [held(way, path, small, arguments.workers, arguments.size) for way in _WAYS]
        print("attach again ...", file=sys.stderr)
        shm.share(tables.numbers(arguments.size), "table")
        again = {"a name": functools.partial(_attach, "table"), "the path": functools.partial(_attach, path)}
        results += timing.compare(f"attach, {size}, loaded before", again, 200)
    timing.report(results, arguments.json, held=grown)
    if not arguments.json:
        name, other = results[-2:]
        print(f"the path takes {(other.median - name.median) / 1e6:.2f} ms longer")
        print(f"\n{'':8}  memory, in tables")
        for each in grown:
            print(f"{each.way:8}  {each.memory:17.2f}")


def _attach(name: str | Path) -> Callable[[], object]:
    return [shm.attach(name)].clear


if __name__ == "__main__":
    main()
