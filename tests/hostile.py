"""Tables that would hurt whoever read them whole, as another program may put them into a store."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

NAMES = ("tall", "cell", "wide", "many", "deep")


def write(store: Path) -> None:
    """100 million rows; a cell of 2 GB; 10,000 columns; 100,000 batches; lists in lists, 50 deep, in 100 columns."""
    numbers = pa.Array.from_buffers(pa.float64(), 100_000_000, [None, _zeros(800_000_000)])
    tall = pa.record_batch({"x": numbers, "n": numbers.view(pa.int64())})
    offsets = pa.array([0, 5, 2_000_000_000, 2_000_000_005], pa.int64()).buffers()[1]
    cells = pa.Array.from_buffers(pa.large_binary(), 3, [None, offsets, _zeros(2_000_000_064)])
    cell = pa.record_batch({"binary": cells, "text": cells.view(pa.large_string())})
    wide = pa.record_batch({f"c{number}": pa.array([number, None]) for number in range(10_000)})
    small = pa.record_batch({f"c{number}": pa.array([number, 2.5]) for number in range(10)})
    lists: pa.Array = pa.array([1, 2])
    for _ in range(50):
        lists = pa.ListArray.from_arrays([0, 1, 2], lists)
    deep = pa.record_batch({f"d{number}": lists for number in range(100)})
    tables: dict[str, Iterable[pa.RecordBatch]] = {
        "tall": [tall],
        "cell": [cell],
        "wide": [wide],
        "many": [small] * 100_000,
        "deep": [deep],
    }
    for name, batches in tables.items():
        with (store / f"{name}.arrow").open("wb") as file:
            _write_sparse(file, batches)
        (store / f"{name}.arrow").chmod(0o400)


def questions(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What to ask of each: the path after its name, and the query."""
    yield "rows", {"name": name, "limit": 1000}
    yield "rows", {"name": name, "offset": 150_000, "limit": 1000, "cell": 10_000}
    yield "rows", {"name": name, "sort": [{"column": 0, "descending": True}]}
    yield "rows", {"name": name, "filter": {"column": 1, "op": "is not null"}, "limit": 1000}
    yield "rows", {"name": name, "filter": {"column": 1, "op": "==", "value": "7"}}
    yield "summary", {"name": name, "columns": [0, 1]}
    yield "summary", {"name": name}


def _write_sparse(file: BinaryIO, batches: Iterable[pa.RecordBatch]) -> None:
    """An Arrow file, whose large buffers of zeros are holes: they take no memory until they are read."""

    class Sink:
        closed = False

        def write(self, data: Any) -> int:
            view = memoryview(data).cast("B")
            if len(view) > 1 << 20 and not any(view[:4096]):  # a footer may be as large
                file.seek(len(view), os.SEEK_CUR)
            else:
                file.write(view)
            return len(view)

        def flush(self) -> None:
            pass

        def close(self) -> None:
            self.closed = True

    first = next(iter(batches))
    with pa.PythonFile(Sink(), "w") as sink, pa.ipc.new_file(sink, first.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _zeros(nbytes: int) -> pa.Buffer:
    return pa.py_buffer(mmap.mmap(-1, nbytes))
