"""Where a preview gets rows from: a table in memory, or an Arrow file with more batches than can be opened at once."""

from __future__ import annotations

import bisect
import functools
import itertools
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from . import layout
from .damage import Damage, reading
from .extensions import recognised
from .kind import check
from .numbers import Numbers

SLICE_ROWS = 1 << 20  # that are looked at in one go, between two looks at the clock
_FEW_ROWS = 1 << 16  # smaller batches are put together
_FEW_CELLS = 200_000  # batches x columns that are opened at once: 25 times as many took 7 s

Piece = tuple[pa.Array, Sequence[int]]
Slice = tuple[int, list[pa.Array]]


class Source(ABC):
    """Rows by number. Arrays are given out as they lie in memory; those that Arrow looks into are checked first.

    Attributes
    ----------
    schema
        With pandas' own types where a column has them; the arrays are of those types, or of what is stored for them.
    summaries
        Those of all rows that were made so far, by column: a filter's are compared with them.
    is_cut
        Whether these are only the first rows of a file.
    is_at_hand
        Whether they lie in memory as they are; else each has to be decoded or fetched first.
    """

    schema: pa.Schema
    num_rows: int
    is_cut = False
    is_at_hand = True

    def __init__(self) -> None:
        self.summaries: dict[int, dict[str, Any]] = {}
        self._checked: set[tuple[int, int]] = set()

    @abstractmethod
    def _ends(self, column: int) -> Sequence[int]:
        """For each chunk of a column, the number of the row after its last."""

    @abstractmethod
    def _chunk(self, column: int, index: int) -> pa.Array: ...

    @abstractmethod
    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]: ...

    def num_chunks(self, column: int) -> int:
        """The number of places that the rows of a column lie in."""
        return len(self._ends(column))

    def pieces(self, column: int, rows: Sequence[int]) -> Iterator[Piece]:
        """These rows of a column, in this order: chunks, and positions in them.

        Raises :class:`Damage` for a column that points out of itself.
        """
        ends = self._ends(column)
        at = 0
        while at < len(rows):
            index = bisect.bisect_right(ends, rows[at])
            first, last = ends[index - 1] if index else 0, ends[index]
            stop = at + 1
            if isinstance(rows, range):
                stop = min(len(rows), at + last - rows[at])
            elif isinstance(rows, Numbers):
                stop = bisect.bisect_left(rows, last, at)
            else:
                while stop < len(rows) and first <= rows[stop] < last:
                    stop += 1
            some = rows[at:stop]
            yield self._checked_chunk(column, index), _moved(some, first)
            at = stop

    def take(self, column: int, rows: range) -> pa.Array:
        """Rows that follow each other, checked, as one array: for work on whole columns."""
        arrays = [array.slice(some[0], len(some)) for array, some in self.pieces(column, rows)]
        for array in arrays:
            check(array)
        return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)

    def _checked_chunk(self, column: int, index: int) -> pa.Array:
        with reading:
            chunk = self._chunk(column, index)
        # Once for each: the contents of a list or a dictionary can only be checked as a whole. Text and binary are
        # left to the code that reads single cells (Arrow would read all of a 2 GB cell), and whole columns to slices().
        inside = chunk.type.num_fields or isinstance(chunk.type, (pa.DictionaryType, pa.BaseExtensionType))
        if (column, index) not in self._checked:
            if inside:
                check(chunk)
            else:
                with reading:
                    chunk.validate()  # its buffers are as long as it says: a garbled batch has more rows than bytes
            self._checked.add((column, index))
        return chunk

    def slices(self, columns: Sequence[int]) -> Iterator[Slice]:
        """All rows of some columns, in order, some at a time: the number of the first, and the checked arrays."""
        first = 0
        for batch in self._combined(list(columns)):
            yield first, batch.columns
            first += batch.num_rows

    def _combined(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        """The batches, small ones put together: a kernel's call costs as much as the work on thousands of rows."""
        small: list[pa.RecordBatch] = []
        rows = 0
        batches = self._batches(columns)
        while True:
            with reading:
                batch = next(batches, None)
            if batch is None:
                break
            for column in batch.columns:
                check(column)
            if batch.num_rows < _FEW_ROWS:
                small.append(batch)
                rows += batch.num_rows
                if rows < _FEW_ROWS:
                    continue
            yield from _together(small)
            if batch.num_rows >= _FEW_ROWS:
                yield batch
            small, rows = [], 0
        yield from _together(small)


class TableSource(Source):
    """A table in memory."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__()
        self.schema, self.num_rows = recognised(table.schema), table.num_rows
        if (schema := layout.schema_with_arrays(table.schema)) is not None:
            table = pa.Table.from_batches(map(layout.with_arrays, table.to_batches()), schema)
        self._table = table
        self._known_ends: dict[int, list[int]] = {}

    def _ends(self, column: int) -> Sequence[int]:
        if column not in self._known_ends:
            chunks = self._table.column(column).iterchunks()
            self._known_ends[column] = list(itertools.accumulate(map(len, chunks)))
        return self._known_ends[column]

    def _chunk(self, column: int, index: int) -> pa.Array:
        return self._table.column(column).chunk(index)

    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        return iter(self._table.select(columns).to_batches(max_chunksize=SLICE_ROWS))


class FileSource(Source):
    """An Arrow file that lies in memory and has too many batches to open them all: each is opened when it is looked at.

    Raises :class:`Damage`, or what ``lengths`` raises, for a file that is damaged.
    """

    def __init__(self, reader: pa.ipc.RecordBatchFileReader, lengths: list[int]) -> None:
        super().__init__()
        self._reader = reader
        self.schema = recognised(reader.schema)
        if lengths and min(lengths) < 0:
            raise Damage("a batch has fewer than no rows")
        self._lengths = lengths
        self._known_ends = list(itertools.accumulate(lengths))
        self.num_rows = self._known_ends[-1] if self._known_ends else 0
        if self.num_rows > sys.maxsize:
            raise Damage("its batches have more rows than there are numbers")
        # Rows are taken column by column, from as many batches as a page has rows.
        self._lacks_arrays = layout.schema_with_arrays(reader.schema) is not None
        self._batch = functools.lru_cache(max(1, _FEW_CELLS // max(1, len(self.schema))))(self._get_batch)

    def _ends(self, column: int) -> Sequence[int]:
        return self._known_ends

    def _chunk(self, column: int, index: int) -> pa.Array:
        batch = self._batch(index)
        if batch.num_rows != self._lengths[index]:
            raise Damage("a batch has another length than it says")
        return batch.column(column)

    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        for index in range(self._reader.num_record_batches):
            batch = self._get_batch(index).select(columns)
            for first in range(0, batch.num_rows, SLICE_ROWS):
                yield batch.slice(first, SLICE_ROWS)

    def _get_batch(self, index: int) -> pa.RecordBatch:
        batch = self._reader.get_batch(index)
        return layout.with_arrays(batch) if self._lacks_arrays else batch


def of_file(reader: pa.ipc.RecordBatchFileReader, lengths: Callable[[], Iterable[int]]) -> Source:
    """What is in an Arrow file that lies in memory, opened in a time that does not depend on its size.

    ``lengths`` gives the number of rows of each record batch, for a file that has too many to open them all.
    """
    with reading:
        if reader.num_record_batches > 1 and reader.num_record_batches * len(reader.schema) > _FEW_CELLS:
            return FileSource(reader, list(lengths()))
        return TableSource(reader.read_all())


def of_table(table: pa.Table, *, is_cut: bool) -> Source:
    """A table in memory: with ``is_cut``, the first rows of a file."""
    source = TableSource(table)
    source.is_cut = is_cut
    return source


def _together(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if len(batches) < 2:
        return batches
    try:
        return [pa.concat_batches(batches)]
    except pa.ArrowException:
        return batches  # a type that pyarrow cannot concatenate


def _moved(rows: Sequence[int], by: int) -> Sequence[int]:
    if isinstance(rows, range):
        return range(rows.start - by, rows.stop - by)
    return rows.moved(by) if isinstance(rows, Numbers) else [row - by for row in rows]
