"""The cost of previews of a large table over HTTP, against pandas, which reads the whole file and then slices:

    page               100 rows of all columns, somewhere in the table
    sort, filter       the first page of a view that is new each time
    next page          of a view that was found before
    sort all           until the last page of a sorted view is there, once
    sorted page        100 rows somewhere in a sorted view, after that
    summary            of one column
    brush              a range of a histogram that is new each time: the rows, and the charts of three columns
    find               a text that is new each time, and then the next cell that has it
    group              the mean of a number by the 1,000 values of a category
    300, 2000 columns  a page of 40 of them, the charts of 12, and a text that is looked for in all; half are text
    pandas             read_feather of the same file, then iloc of 100 rows

and their cost for the server, over many previews of tables that are dangerous to read whole: its memory, and
how long its event loop did not answer.

Run by `python benchmarks/preview.py [--rows 100000000] [--previews 1000]`; --json for programs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import psutil
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import hostile
from server import LAG_METER
from servers import Server
from timing import need

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--previews", type=int, default=1000, help="of the hostile tables")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    need(60 * arguments.rows)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, tempfile.TemporaryDirectory() as disk:
        os.environ[ENVIRONMENT_VARIABLE] = f"{memory}/store"
        os.environ["PYTHONPATH"] = disk
        lags = Path(disk, "lags")
        Path(disk, "lag_meter.py").write_text(LAG_METER.format(path=str(lags)))
        store = shm.Store()
        share(store, arguments.rows)
        config = "c.ServerApp.jpserver_extensions = {'lag_meter': True}\n"
        server = Server(Path(disk, "server"), config_file=config)
        try:
            found = time_previews(server, store, arguments.rows, arguments.repeat)
            store.unshare("large")
            for columns in (300, 2000):
                found |= time_wide(server, store, columns, arguments.repeat)
            found |= cost_to_the_server(server, Path(memory, "store"), arguments.previews, lags)
        finally:
            server.kill()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{arguments.rows:,} rows, {os.cpu_count()} CPUs")
    for name, value in found.items():
        print(f"{name:<44} {value:>12,.1f}")


def share(store: shm.Store, rows: int) -> None:
    """A random number, a number in order, a category and a text."""
    rng = np.random.default_rng(1)
    words = pa.array([f"word {number}" for number in range(1000)])
    columns = {"x": pa.float64(), "n": pa.int64(), "k": pa.dictionary(pa.int16(), pa.string()), "t": pa.string()}
    with store.writer("large", pa.schema(columns)) as writer:
        for first in range(0, rows, 1_000_000):
            length = min(1_000_000, rows - first)
            codes = pa.array(rng.integers(0, 1000, length, dtype=np.int16))
            kinds = pa.DictionaryArray.from_arrays(codes, words)
            some = {"x": rng.random(length), "n": np.arange(first, first + length), "k": kinds, "t": words.take(codes)}
            writer.write(pa.table(some, schema=pa.schema(columns)))


def ask(server: Server, name: str, what: str = "rows", **query: object) -> int:
    text = {key: value if isinstance(value, (int, str)) else json.dumps(value) for key, value in query.items()}
    return server.get(f"arrowshm/tables/{name}/{what}?{urlencode(text)}").status


def sort_all(server: Server, rows: int, keys: list[dict[str, object]]) -> None:
    """Ask for the last page until it has rows, as a browser does."""
    query = urlencode({"sort": json.dumps(keys), "offset": rows - 100})
    while pa.ipc.open_stream(server.get(f"arrowshm/tables/large/rows?{query}").data).read_all().num_rows == 0:
        pass


def times(call: Callable[[], object], repeat: int) -> tuple[float, float]:
    """The median and the 95th percentile, in ms."""
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1] if repeat > 1 else taken[0]


def time_previews(server: Server, store: shm.Store, rows: int, repeat: int) -> dict[str, float]:
    random_, count = random.Random(1), itertools.count()

    def sort(*keys: dict[str, object]) -> dict[str, object]:
        # The text is different each time: a view that was found is remembered.
        return {"sort": json.dumps(keys, indent=next(count))}

    def filter(column: int, op: str, value: object) -> dict[str, object]:
        return {"filter": json.dumps({"column": column, "op": op, "value": value}, indent=next(count))}

    def brush() -> dict[str, object]:
        least = random_.random() / 2
        limits = [{"column": 0, "op": ">=", "value": least}, {"column": 0, "op": "<", "value": least + 0.25}]
        return {"filter": json.dumps({"and": limits})}

    by_x, by_n, by_k = {"column": 0}, {"column": 1, "descending": True}, {"column": 2}
    everything: dict[str, Callable[[], int]] = {
        "page": lambda: ask(server, "large", offset=random_.randrange(rows)),
        "sort by a number": lambda: ask(server, "large", **sort(by_x)),
        "sort by what is in order, downwards": lambda: ask(server, "large", **sort(by_n)),
        "sort by category and number": lambda: ask(server, "large", **sort(by_k, by_x)),
        "sort by text": lambda: ask(server, "large", **sort({"column": 3})),
        "filter, half of the rows": lambda: ask(server, "large", **filter(0, "<", 0.5)),
        "filter, one row of all": lambda: ask(server, "large", **filter(1, "==", rows - 1)),
        "filter, text contains": lambda: ask(server, "large", **filter(3, "contains", "word 99")),
        "next page of a sorted view": lambda: ask(server, "large", sort=[by_x], offset=random_.randrange(9900)),
        "sorted page": lambda: ask(server, "large", sort=[by_x], offset=random_.randrange(rows - 100)),
        "brush, rows": lambda: ask(server, "large", **brush()),
        "brush, charts of 3 columns": lambda: ask(server, "large", "summary", columns=[0, 1, 2], **brush()),
        "find, first": lambda: ask(server, "large", "find", text=f"word {next(count) % 1000}"),
        "find, next": lambda: ask(server, "large", "find", text="word 77", row=random_.randrange(rows), direction=1),
        "group": lambda: ask(server, "large", "group", by=2, of=0, measure="mean"),
        "summary of one column": lambda: ask(server, "large", "summary", columns=[random_.randrange(4)]),
    }
    found = {}
    for name, call in everything.items():
        if name == "sorted page":
            found["sort all, ms"] = times(lambda: sort_all(server, rows, [by_x]), 1)[0]
        if (status := call()) != 200:  # once off the clock: page tables, the worker's start
            found[f"{name}: refused, status"] = float(status)
            continue
        slow = times(call, 1)[0] > 1000
        found[f"{name}, p50 ms"], found[f"{name}, p95 ms"] = times(call, 5 if slow else repeat)
    found["pandas, read the file and slice, ms"] = times(lambda: read_in_pandas(store.path("large"), rows), 1)[0]
    return found


def time_wide(server: Server, store: shm.Store, columns: int, repeat: int) -> dict[str, float]:
    """20,000 rows of as many columns, every other one of text."""
    rng, count = np.random.default_rng(1), itertools.count()
    words = pa.array([f"word {number}" for number in range(1000)])
    made = [
        rng.random(20_000) if i % 2 else words.take(pa.array(rng.integers(0, 1000, 20_000))) for i in range(columns)
    ]
    store.share(pa.table(made, [f"c{i}" for i in range(columns)]), "wide")
    first = itertools.cycle(range(0, columns - 40, 40))
    everything: dict[str, Callable[[], int]] = {
        "page of 40": lambda: ask(server, "wide", columns=list(range(begin := next(first), begin + 40))),
        "charts of 12": lambda: ask(server, "wide", "summary", columns=list(range(begin := next(first), begin + 12))),
        "find": lambda: ask(server, "wide", "find", text=f"word {next(count) % 1000}"),
    }
    found = {}
    for name, call in everything.items():
        assert (status := call()) == 200, (name, status)
        title = f"{columns:,} columns, {name}"
        found[f"{title}, p50 ms"], found[f"{title}, p95 ms"] = times(call, repeat)
    store.unshare("wide")
    return found


def read_in_pandas(path: str, rows: int) -> None:
    import pandas

    frame = pandas.read_feather(path)
    assert len(frame.iloc[rows // 2 : rows // 2 + 100]) == min(100, rows - rows // 2)


def cost_to_the_server(server: Server, store: Path, previews: int, lags: Path) -> dict[str, float]:
    hostile.write(store)
    # The list of these tables comes first; it is not measured here.
    server.tables()
    process = psutil.Process(server.process.pid)
    questions = [question for name in hostile.NAMES for question in hostile.questions(name)]
    # The slow ones run once each, the others again and again.
    quick = []
    for what, query in questions:
        begun = time.monotonic()
        ask(server, query["name"], what, **{key: value for key, value in query.items() if key != "name"})
        if time.monotonic() - begun < 0.5:
            quick.append((what, query))
    before = process.memory_info().rss
    lags.write_text("")
    time.sleep(10)
    unasked = [1000 * float(line) for line in lags.read_text().split()]
    lags.write_text("")
    largest = before
    for what, query in itertools.islice(itertools.cycle(quick), previews):
        ask(server, query["name"], what, **{key: value for key, value in query.items() if key != "name"})
        largest = max(largest, process.memory_info().rss)
    delays = [1000 * float(line) for line in lags.read_text().split()]
    return {
        "previews of hostile tables": float(previews),
        "the server grew by, MiB": (process.memory_info().rss - before) / 2**20,
        "and at most by, MiB": (largest - before) / 2**20,
        "event loop late, p99 ms": statistics.quantiles(delays, n=100)[-1],
        "event loop late, at most ms": max(delays),
        "without previews, p99 ms": statistics.quantiles(unasked, n=100)[-1],
        "without previews, at most ms": max(unasked),
    }


if __name__ == "__main__":
    main()
