"""What share, attach, list, preview and load cost as tables grow: at the smallest size, and what each more of it adds.

Each line is fitted to the medians of three or four sizes; small sizes count as much as large ones (least squares of the
relative error). `off` is how far the worst median is from the line: where it is large, the cost is not one line.

Run by `python benchmarks/slopes.py`; --json for programs, with the medians.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import tables
import timing
from pyarrow import parquet

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE
from jupyter_arrowshm.looking.answers import OpenTables, answer
from jupyter_arrowshm.looking.questions import Question, RowsQuestion, SummaryQuestion

GB = 10**9
MILLION = 10**6


@dataclass(frozen=True)
class Case:
    """One line. ``make`` prepares a size, and gives what is timed; ``per`` of the sizes are one ``unit``."""

    action: str
    of: str
    sizes: Sequence[int]
    per: int
    unit: str
    make: Callable[[int], contextlib.AbstractContextManager[timing.Way]]


@dataclass(frozen=True)
class Line:
    """Nanoseconds: ``floor`` at the smallest size, and ``slope`` for each ``unit``."""

    action: str
    of: str
    floor: float
    slope: float
    unit: str
    off: float
    sizes: Sequence[int]
    medians: Sequence[float]


def fit(case: Case, medians: Sequence[float]) -> Line:
    sizes, times = np.array(case.sizes) / case.per, np.array(medians)
    slope, at_zero = np.polyfit(sizes, times, 1, w=1 / times)
    off = np.max(np.abs(at_zero + slope * sizes - times) / times)
    return Line(case.action, case.of, medians[0], float(slope), case.unit, float(off), case.sizes, list(medians))


def sharing(table: Any) -> Iterator[timing.Way]:
    def way() -> Callable[[], object]:
        shm.share(table, "made", replace=True)
        return lambda: shm.unshare("made")

    yield way


def attaching(table: Any, to: Any = "pyarrow", pieces: int = 1) -> Iterator[timing.Way]:
    if pieces > 1:
        with shm.writer("made", table.schema, replace=True) as writer:
            for _ in range(pieces):
                writer.write(table)
    else:
        shm.share(table, "made", replace=True)

    def way() -> Callable[[], object]:
        had = [shm.attach("made", to=to)]
        return had.clear

    yield way
    shm.unshare("made")


def looking(table: Any, question: Question, *, known: bool = True) -> Iterator[timing.Way]:
    """``known``: the table was looked at before, by the same process."""
    shm.share(table, "made", replace=True)
    opened = OpenTables()

    def way() -> None:
        found = answer(opened if known else OpenTables(), question)
        assert "error" not in found.head, found.head

    yield way
    shm.unshare("made")


def sorting(rows: int) -> Iterator[timing.Way]:
    """All rows, by a float: until the last page could be shown."""
    shm.share(tables.wide(rows, 2), "made", replace=True)
    question = rows_question(sort='[{"column": 0}]')

    def way() -> None:
        OpenTables().view(question).select(wanted=rows)

    yield way
    shm.unshare("made")


def listing(number: int) -> Iterator[timing.Way]:
    tiny = pa.table({"a": [1]})
    for name in range(number):
        shm.share(tiny, f"t{name}")

    def way() -> None:
        assert len(shm.tables()) == number

    yield way
    for name in range(number):
        shm.unshare(f"t{name}")


def held(number: int) -> Iterator[timing.Way]:
    """One table, attached by so many processes."""
    shm.share(pa.table({"a": [1]}), "t")
    with ExitStack() as stack:
        for _ in range(number):
            peer = Peer()
            stack.callback(peer.kill)
            peer.run("t = shm.attach('t')")

        def way() -> None:
            assert len(shm.info("t").holders) == number + 1

        yield way
    shm.unshare("t")


def loading(folder: Path, nbytes: int) -> Iterator[timing.Way]:
    file = folder / f"{nbytes}.parquet"
    parquet.write_table(tables.numbers(nbytes), file)

    def way() -> Callable[[], object]:
        had = [shm.attach(str(file))]

        def drop() -> None:
            had.clear()
            for table in shm.tables().loaded:
                shm.unshare(table.name)

        return drop

    yield way
    file.unlink()


def loaded(folder: Path, files: int) -> Iterator[timing.Way]:
    """A folder of so many files that was loaded before: whether it has changed is asked each time."""
    for number in range(files):
        parquet.write_table(pa.table({"a": [number]}), folder / f"{number}.parquet")
    shm.attach(str(folder))

    def way() -> Callable[[], object]:
        had = [shm.attach(str(folder))]
        return had.clear

    yield way
    for file in folder.iterdir():
        file.unlink()
    for table in shm.tables().loaded:
        shm.unshare(table.name)


def rows_question(**words: Any) -> RowsQuestion:
    return RowsQuestion(name="made", **{**_NOTHING_SAID, **words})


_NOTHING_SAID: dict[str, Any] = dict.fromkeys(("directory", "version", "columns", "sort", "filter"), "")


def in_pieces(nbytes: int, pieces: int) -> pa.Table:
    whole = tables.numbers(nbytes)
    length = -(-whole.num_rows // pieces)
    return pa.concat_tables([pa.table(batch) for batch in whole.to_batches(max_chunksize=length)])


def cases(disk: Path, directory: str) -> list[Case]:
    _NOTHING_SAID["directory"] = directory
    bytes_ = (10**6, 10**7, 10**8, 5 * 10**8)
    columns, pieces, rows = (10, 100, 500, 2_000), (1, 10, 100, 1_000), (10**5, 10**6, 4 * 10**6, 16 * 10**6)
    shown = (5, 20, 50, 200)
    middle = rows_question(offset=50_000)
    summary = SummaryQuestion(name="made", **{**_NOTHING_SAID, "columns": "[0]"})

    def case(action: str, of: str, sizes: Sequence[int], per: int, unit: str, make: Callable[[int], Any]) -> Case:
        return Case(action, of, sizes, per, unit, contextlib.contextmanager(make))

    def frame(count: int) -> pd.DataFrame:
        return tables.wide(1_000, count).to_pandas()

    texts, source = tables.texts, "source"
    return [
        case("share", "numbers", bytes_, GB, "GB", lambda n: sharing(tables.numbers(n))),
        case("share", "numbers and texts", bytes_, GB, "GB", lambda n: sharing(tables.mixed(n))),
        case("share", "columns of 1,000 numbers", columns, 1, "column", lambda n: sharing(tables.wide(1_000, n))),
        case("share", "a pandas frame, 1,000 rows", columns, 1, "column", lambda n: sharing(frame(n))),
        case("share", "100 MB in pieces", pieces, 1, "piece", lambda n: sharing(in_pieces(10**8, n))),
        case("attach", "numbers", bytes_, GB, "GB", lambda n: attaching(tables.numbers(n))),
        case("attach", "columns", columns, 1, "column", lambda n: attaching(tables.wide(1_000, n))),
        case("attach", "columns, as pandas", columns, 1, "column", lambda n: attaching(frame(n), "pandas")),
        case("attach", "record batches", pieces, 1, "batch", lambda n: attaching(tables.wide(1_000, 4), pieces=n)),
        case("attach", "polars' texts, as polars", rows[:3], MILLION, "million", lambda n: attaching(texts(n), source)),
        case("attach", "polars' texts, as pyarrow", rows[:3], MILLION, "million", lambda n: attaching(texts(n))),
        case("list", "tables", (1, 10, 100, 1_000), 1, "table", listing),
        case("look at one", "processes that use it", (1, 2, 4, 8), 1, "process", held),
        case("page of 100 rows", "rows", rows, MILLION, "million", lambda n: looking(tables.wide(n, 4), middle)),
        case("page of 100 rows", "columns", shown, 1, "column", lambda n: looking(tables.wide(60_000, n), middle)),
        case("sort all", "rows, by a float", rows, MILLION, "million", sorting),
        case(
            "summary of a column", "rows", rows, MILLION, "million",
            lambda n: looking(tables.wide(n, 1), summary, known=False),
        ),
        case("load Parquet", "numbers", bytes_[:3], GB, "GB", lambda n: loading(disk, n)),
        case("attach a loaded folder", "files", (1, 10, 100, 400), 1, "file", lambda n: loaded(disk, n)),
    ]  # fmt: skip


def measured(case: Case, rounds: int) -> Line:
    medians = []
    for size in case.sizes:
        with case.make(size) as way:
            medians.append(timing.compare(case.of, {str(size): way}, rounds, budget=1)[0].median)
    return fit(case, medians)


def main() -> None:
    arguments = timing.parser(__doc__, "1GiB", 100).parse_args()
    lines = []
    with timing.places() as (memory, disk):
        os.environ[ENVIRONMENT_VARIABLE] = directory = str(memory / "store")
        (disk / "data").mkdir()
        for case in cases(disk / "data", directory):
            print(f"{case.action}: {case.of} ...", file=sys.stderr)
            lines.append(measured(case, arguments.repeat))
    timing.report([], arguments.json, lines=lines)
    if not arguments.json:
        print(f"\n{'':24}{'':28}{'smallest':>10}  {'each more':>24}  {'off':>5}")
        for line in lines:
            each = f"{timing.text(line.slope)} per {line.unit}"
            print(f"{line.action:24}{line.of:28}{timing.text(line.floor):>10}  {each:>24}  {line.off:5.0%}")


if __name__ == "__main__":
    main()
