"""How long publishing a table takes, against

    memcpy          one thread copies as many bytes into a fresh tmpfs mapping
    SharedMemory    multiprocessing.shared_memory, pa.FixedSizeBufferWriter and an IPC stream: the usual recipe
    Feather         pyarrow.feather.write_feather, uncompressed, on tmpfs
    pickle          pickle protocol 5 to a file on disk (not synced)

in turns, in one run. ``share`` of one large batch should take at most 0.65 of memcpy.
"""

from __future__ import annotations

import mmap
import os
import pickle
import sys
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pyarrow as pa
import tables
import timing
from pyarrow import feather

from jupyter_arrowshm import Store


def ways(table: pa.Table, memory: Path, disk: Path) -> dict[str, timing.Way]:
    store = Store(memory / "store")
    source = np.ones(table.nbytes, np.uint8)
    sized = pa.MockOutputStream()
    write(sized, table)

    def memcpy() -> Callable[[], object]:
        path = memory / "memcpy"
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.ftruncate(fd, len(source))
        mapping = mmap.mmap(fd, len(source))
        os.close(fd)
        np.copyto(np.frombuffer(mapping, np.uint8), source)
        return lambda: (mapping.close(), path.unlink())

    def share() -> Callable[[], object]:
        store.share(table, "table")
        return lambda: store.unshare("table")

    def shared_memory() -> Callable[[], object]:
        segment = SharedMemory(create=True, size=sized.size())
        buffer = pa.py_buffer(segment.buf)
        write(pa.FixedSizeBufferWriter(buffer), table)
        del buffer
        return lambda: (segment.close(), segment.unlink())

    def to_feather() -> Callable[[], object]:
        feather.write_feather(table, str(memory / "table.feather"), compression="uncompressed")
        return (memory / "table.feather").unlink

    def to_pickle() -> Callable[[], object]:
        with open(disk / "table.pickle", "wb") as file:
            pickle.dump(table, file, protocol=5)
        return (disk / "table.pickle").unlink

    return {
        "memcpy to tmpfs": memcpy,
        "share": share,
        "SharedMemory + IPC": shared_memory,
        "Feather on tmpfs": to_feather,
        "pickle to disk": to_pickle,
    }


def write(sink: pa.NativeFile, table: pa.Table) -> None:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def main() -> None:
    arguments = timing.parser(__doc__, "1GiB", 7).parse_args()
    timing.need(4 * arguments.size)
    results = []
    with timing.places() as (memory, disk):
        for label, make in (("numbers", tables.numbers), ("mixed, with strings", tables.mixed)):
            table = make(arguments.size)
            group = f"publish {table.nbytes / 2**20:,.0f} MiB, {table.num_columns} columns, {label}"
            print(group, "...", file=sys.stderr)
            results += timing.compare(group, ways(table, memory, disk), arguments.repeat, budget=30)
            del table
    timing.report(results, arguments.json)


if __name__ == "__main__":
    main()
