"""How long attaching a table takes, against

    open+mmap+close  of the same file, on tmpfs: what the kernel alone costs, from Python
    map and read     the same, and pyarrow's open_file and read_all: no lock, no check (decision 4)
    SharedMemory     multiprocessing.shared_memory and an IPC stream: the usual recipe
    Feather          pyarrow.feather.read_table(memory_map=True), on tmpfs
    pickle           pickle.load from a file on disk that is in the page cache

in turns, in one run: first getting the table, then getting and dropping it. ``attach`` should take the same time
at every size.

Then a table of texts that polars shared, attached as polars, pyarrow and pandas, against polars' own ``to_arrow`` and
``to_pandas`` of the frame in the same process, whose memory is there already, and of the frame that it reads from the
file of the table, as another kernel would: the time, and how many bytes of unshared memory each way took.
"""

from __future__ import annotations

import mmap
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pyarrow as pa
import tables
import timing
from peers import Block
from publish import write
from pyarrow import feather

from jupyter_arrowshm import Store, tabular
from jupyter_arrowshm.kinds import Kind

Get = Callable[[], object]


@contextmanager
def ways(table: pa.Table, memory: Path, disk: Path) -> Iterator[dict[str, Get]]:
    store = Store(memory / "store")
    store.share(table, "table")
    path = store.path("table")
    sized = pa.MockOutputStream()
    write(sized, table)
    segment = SharedMemory(create=True, size=sized.size())
    write(pa.FixedSizeBufferWriter(pa.py_buffer(segment.buf)), table)
    feather.write_feather(table, str(memory / "table.feather"), compression="uncompressed")
    with open(disk / "table.pickle", "wb") as file:
        pickle.dump(table, file, protocol=5)

    def floor() -> mmap.mmap:
        fd = os.open(path, os.O_RDONLY)
        mapping = mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ)
        os.close(fd)
        return mapping

    def map_and_read() -> pa.Table:
        return pa.ipc.open_file(pa.py_buffer(floor())).read_all()

    def shared_memory() -> object:
        attached = Block(name=segment.name)
        return attached, pa.ipc.open_stream(pa.py_buffer(attached.buf)).read_all()

    def unpickle() -> pa.Table:
        with open(disk / "table.pickle", "rb") as file:
            return pickle.load(file)

    try:
        yield {
            "open+mmap+close": floor,
            "attach": lambda: store.attach("table"),
            "map and read": map_and_read,
            "SharedMemory + IPC": shared_memory,
            "Feather on tmpfs": lambda: feather.read_table(str(memory / "table.feather"), memory_map=True),
            "unpickle": unpickle,
        }
    finally:
        store.unshare("table")
        segment.close()
        segment.unlink()
        (memory / "table.feather").unlink()
        (disk / "table.pickle").unlink()


def getting(get: Get) -> timing.Way:
    def way() -> Callable[[], object]:
        had = [get()]
        return had.clear

    return way


def getting_and_dropping(get: Get) -> timing.Way:
    def way() -> None:
        get()

    return way


def texts(memory: Path, rows: int, rounds: int) -> list[timing.Result]:
    """polars' texts in each library, against polars' own conversion; prints the bytes."""
    import polars as pl

    frame = tables.texts(rows)
    store = Store(memory / "store")
    store.share(frame, "table")
    path = store.path("table")
    own: dict[Kind, Callable[[pl.DataFrame], object]] = {
        "polars": lambda frame: pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.newest())),
        "pyarrow": pl.DataFrame.to_arrow,
        "pandas": pl.DataFrame.to_pandas,
    }
    results = []
    for to, convert in own.items():
        gets: dict[str, Get] = {
            f"{to}: polars' own": partial(convert, frame),
            f"{to}: polars' own, of the file": lambda convert=convert: convert(pl.read_ipc(path)),
            f"{to}: attach": partial(store.attach, "table", to=to),
        }
        ways = {name: getting(get) for name, get in gets.items()}
        results += timing.compare(f"{rows:,} rows of polars' texts as {to}", ways, rounds, budget=10)
        copied = sum(store.attachment("table", to=to).copied.values())
        owned = sum(tabular.copied(convert(frame), to, 0, 1).values()) if to != "polars" else 0
        print(f"as {to}: {copied:,} bytes copied, by polars' own conversion {owned:,}", file=sys.stderr)
    store.unshare("table")
    return results


def main() -> None:
    arguments = timing.parser(__doc__, "1GiB", 2000).parse_args()
    timing.need(6 * arguments.size)
    results = []
    attach: dict[str, float] = {}
    kinds = {
        "1 MB of numbers": lambda: tables.numbers(10**6),
        f"{arguments.size / 2**20:,.0f} MiB of numbers": lambda: tables.numbers(arguments.size),
        "flights, 19 columns": tables.flights,
    }
    with timing.places() as (memory, disk):
        for label, make in kinds.items():
            print(label, "...", file=sys.stderr)
            with ways(make(), memory, disk) as gets:
                for verb, how in (("get", getting), ("get and drop", getting_and_dropping)):
                    found = timing.compare(
                        f"{verb}: {label}", {name: how(get) for name, get in gets.items()}, arguments.repeat, budget=2
                    )
                    attach.setdefault(label, found[1].median)
                    results += found
        results += texts(memory, min(10**6, arguments.size // 64), min(20, arguments.repeat))
    timing.report(results, arguments.json)
    if not arguments.json:
        small, large, _ = attach.values()
        print(f"\nattach of the large table takes {large / small:.2f} of the time of the small one")


if __name__ == "__main__":
    main()
