"""The order of all rows of a sorted view: the table is sorted in runs, and merged only where somebody looks.

Four bytes are kept for each row. A run is sorted in some hundredths of a second, so the
work can stop after any of them and go on later; where there are very many rows, runs are
longer, because each has a part in every page. The rows at some places of the view are found
by regular samples of the runs (Shi and Schaeffer, "Parallel sorting by regular sampling",
1992), which leave a few hundred rows of each run to be merged.
"""

from __future__ import annotations

import mmap
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc

from .condition import Columns, Condition
from .display import taken
from .kind import comparable
from .numbers import Numbers
from .patience import Patience
from .selection import Key
from .source import Slice, Source

SORTED_ROWS = 128_000_000  # of all orders that are kept at once: half of the memory that a preview worker may have
_RUN_ROWS = 1 << 17  # of a run at least: eight such are sorted in a third of the time that one of a million takes
_MANY_RUNS = 1 << 8  # about as many at most: each has a part in every page
_SPAN = 1 << 31  # rows of the table that a run may come from: their numbers are kept in 32 bits
_STEP = 128  # every so many rows of a run, one is a sample


@dataclass(frozen=True)
class _Run:
    """Rows of one part of the table, sorted; ``rows`` are counted from ``first``, in 32 bits."""

    first: int
    rows: pa.UInt32Array


class Order(Sequence[int]):
    """The numbers of the rows of a view, in its order, once :meth:`go_on` has come to the end of the table.

    Equal rows keep the table's order; nulls come last, and NaN before them, either way. ``length`` is the number of
    rows that match ``condition``, or of all.
    """

    def __init__(self, source: Source, condition: Condition | None, keys: Sequence[Key], length: int) -> None:
        self._source, self._condition, self._length = source, condition, length
        self._columns = [key.column for key in keys]
        self._by = [(str(place), "descending" if key.descending else "ascending") for place, key in enumerate(keys)]
        self._run_rows = max(_RUN_ROWS, length // _MANY_RUNS)
        # In one piece: among what a sort needs for a moment, a hundred pieces would keep three times their memory.
        self._memory = mmap.mmap(-1, max(1, 4 * length), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._runs: list[_Run] = []
        self._run_of_sample: pa.UInt32Array | None = None  # in the samples' order; None: not at the end yet
        self._searched = self._sorted = 0
        self._parts = self._sorted_parts()

    @property
    def is_done(self) -> bool:
        return self._run_of_sample is not None

    @property
    def done(self) -> float:
        """The share of the table that is sorted: 1 only at the end, as then the rows can be looked at."""
        return 1.0 if self.is_done else self._searched / (self._source.num_rows + 1)

    def go_on(self, patience: Patience) -> None:
        """Sort until the end of the table, or until time is over. Raises ``Unwanted``, and can go on after that."""
        while not self.is_done:
            if (searched := next(self._parts, None)) is None:
                self._finish()
            else:
                self._searched = searched
            if patience.is_over():
                break

    def close(self) -> None:
        """Sort no further: the work that is under way refers to this order, and would keep it until a collection."""
        self._parts.close()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        return iter(self[:])

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> list[int]: ...

    def __getitem__(self, place: int | slice) -> int | list[int]:
        places = range(self._length)[place]
        if isinstance(places, int):
            return self._at(places, places + 1)[0]
        if not places:
            return []
        first, last = sorted((places[0], places[-1]))
        rows = self._at(first, last + 1)
        return rows[:: places.step] if places.step != 1 else rows

    # -- sorting -------------------------------------------------------------------------------------------------------

    def _sorted_parts(self) -> Generator[int, None, None]:
        """Sort run after run; gives the number of rows that were looked at so far."""
        columns = sorted({*self._columns, *(self._condition.columns if self._condition else ())})
        begin = num_kept = 0
        kept: list[pa.Table] = []
        searched = 0
        for first, arrays in self._slices(columns):
            if num_kept >= self._run_rows or first - begin >= _SPAN:
                self._add_run(begin, kept)
                yield searched
                kept, num_kept = [], 0
            if not kept:
                begin = first
            part = self._part(dict(zip(columns, arrays, strict=True)), first - begin)
            searched = first + len(arrays[0])
            if part.num_rows:
                kept.append(part)
                num_kept += part.num_rows
            elif not kept:
                yield searched
        if kept:
            self._add_run(begin, kept)
            yield searched

    def _slices(self, columns: list[int]) -> Iterator[Slice]:
        for first, arrays in self._source.slices(columns):
            for begin in range(0, len(arrays[0]), self._run_rows):
                yield first + begin, [array.slice(begin, self._run_rows) for array in arrays]

    def _part(self, columns: Columns, after: int) -> pa.Table:
        """Keys and row numbers of a slice that lies ``after`` so many rows of its run."""
        arrays = [columns[column] for column in self._columns]
        if self._condition is None:
            mask = pa.repeat(pa.scalar(True), len(arrays[0]))
            arrays = [comparable(one) for one in arrays]
        else:
            mask = self._condition.mask(columns)
            # Arrow cannot take single rows of runs and views; a dictionary is decoded when few rows are left.
            arrays = [one if pa.types.is_dictionary(one.type) else comparable(one) for one in arrays]
            arrays = [comparable(one.filter(mask)) for one in arrays]
        rows = pc.add(pc.indices_nonzero(mask).cast(pa.uint32()), pa.scalar(after, pa.uint32()))
        return pa.table([*arrays, rows], [*(name for name, _ in self._by), "row"])

    def _add_run(self, first: int, parts: list[pa.Table]) -> None:
        table = pa.concat_tables(parts)
        rows = table["row"].take(pc.sort_indices(table, self._by)).combine_chunks()
        place, size = 4 * self._sorted, 4 * len(rows)
        self._memory[place : place + size] = memoryview(rows.buffers()[1])[:size]
        kept = pa.py_buffer(self._memory).slice(place, size)
        self._runs.append(_Run(first, pa.Array.from_buffers(pa.uint32(), len(rows), [None, kept])))
        self._sorted += len(rows)

    def _finish(self) -> None:
        places = pa.array(range(0, max((len(run.rows) for run in self._runs), default=0), _STEP), pa.int64())
        some = [run.rows.take(places[: -(-len(run.rows) // _STEP)]) for run in self._runs]
        runs = [pa.repeat(pa.scalar(number, pa.uint32()), len(rows)) for number, rows in enumerate(some)]
        numbers = [pc.add(rows.cast(pa.int64()), run.first) for run, rows in zip(self._runs, some, strict=True)]
        # In the table's order, which is that of the runs, too.
        rows = pa.concat_arrays([pa.array([], pa.int64()), *(one.take(pc.array_sort_indices(one)) for one in numbers)])
        self._run_of_sample = pa.concat_arrays([pa.array([], pa.uint32()), *runs]).take(self._sort(Numbers(rows)))

    # -- looking -------------------------------------------------------------------------------------------------------

    def _at(self, first: int, end: int) -> list[int]:
        """The rows at the places from ``first`` to before ``end``."""
        assert self._run_of_sample is not None
        # Before the sample of number j there are at most j * _STEP rows, and at least (_STEP - 1) * runs fewer.
        begins = self._samples_before(first // _STEP)
        ends = self._samples_before(-(-(end + len(self._runs) * (_STEP - 1)) // _STEP))
        before = 0
        numbers: list[pa.Array] = []
        for run, begin, stop in zip(self._runs, begins, ends, strict=True):
            begin = max(0, begin - 1) * _STEP
            before += begin
            some = run.rows.slice(begin, stop * _STEP - begin).cast(pa.int64())
            numbers.append(pc.add(some, run.first))
        rows = pa.concat_arrays(numbers)
        # In the table's order they are taken from one batch after the other, and equal ones need no further key.
        rows = rows.take(pc.array_sort_indices(rows))
        order = self._sort(Numbers(rows))
        found: list[int] = rows.take(order.slice(first - before, end - first)).to_pylist()
        return found

    def _samples_before(self, number: int) -> list[int]:
        """How many samples of each run there are among the first ``number`` of all."""
        assert self._run_of_sample is not None
        counted = pc.value_counts(self._run_of_sample.slice(0, number)).flatten()
        counts = dict(zip(*(part.to_pylist() for part in counted), strict=True))
        return [counts.get(run, 0) for run in range(len(self._runs))]

    def _sort(self, rows: Numbers) -> pa.UInt64Array:
        """The order of these rows, of which equal ones stay as they are."""
        if not len(rows):
            return pa.array([], pa.uint64())
        keys = [
            pa.chunked_array([comparable(taken(*piece)) for piece in self._source.pieces(column, rows)])
            for column in self._columns
        ]
        return pc.sort_indices(pa.table(keys, [name for name, _ in self._by]), self._by)
