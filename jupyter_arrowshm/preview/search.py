"""The rows that a filter finds: a bit for each row of the table, as far as it was searched."""

from __future__ import annotations

import bisect
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc

from .condition import Condition
from .numbers import Numbers
from .patience import Patience, Unwanted
from .source import SLICE_ROWS, Slice, Source
from .threads import THREADS, ahead

_FEWEST_ROWS = 1 << 10  # that are looked at in one go
_FEW_COLUMNS = 16
_COUNTING = 1.0  # s that matches are counted for when there are enough to show


class Search(Sequence[int]):
    """The numbers of the rows that match, in the table's order; goes on where it was when more of them are wanted.

    Attributes
    ----------
    searched
        How many rows were looked at, from the top of the table.
    """

    def __init__(self, source: Source, condition: Condition) -> None:
        self.searched = 0
        self._num_rows = source.num_rows
        self._masks: list[tuple[int, pa.BooleanArray]] = []
        self._before: list[int] = []  # how many matches there are before each mask
        self._matches = 0
        self._condition = condition
        self._columns = sorted(condition.columns)
        self._slices = _slices(source, self._columns)

    def go_on(self, patience: Patience, wanted: int = sys.maxsize) -> None:
        """Search until the end of the table, until time is over, or until soon after ``wanted`` rows were found."""
        counting = patience.within(_COUNTING)
        if self._matches >= wanted:
            return
        unwanted: Unwanted | None = None
        enough = threading.Event()
        # Many columns are many short calls, most of them in Python: threads would wait for each other.
        threads = 1 if len(self._columns) > _FEW_COLUMNS else THREADS
        for first, mask in ahead(self._slices, self._mask, enough.is_set, threads):
            self._masks.append((first, mask))
            self._before.append(self._matches)
            self._matches += mask.true_count
            self.searched = first + len(mask)
            if enough.is_set():
                continue
            try:
                if (counting if self._matches >= wanted else patience).is_over():
                    enough.set()
            except Unwanted as error:  # raised at once, it would lose the slices that were taken
                unwanted = error
                enough.set()
        if unwanted is not None:
            raise unwanted

    def _mask(self, one: Slice) -> tuple[int, pa.BooleanArray]:
        first, arrays = one
        return first, self._condition.mask(dict(zip(self._columns, arrays, strict=True)))

    def __len__(self) -> int:
        return self._matches

    def __iter__(self) -> Iterator[int]:
        return self.at(range(self._matches))

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> list[int]: ...

    def __getitem__(self, place: int | slice) -> int | list[int]:
        places = range(self._matches)[place]
        return list(self.at(places)) if isinstance(places, range) else next(self.at((places,)))

    def has(self, row: int) -> bool:
        """Whether the row, which was looked at, matches."""
        first, mask = self._masks[self._index(row)]
        return bool(mask[row - first].as_py())

    def before(self, row: int) -> int:
        """How many rows before this one match, which was looked at."""
        index = self._index(row)
        first, mask = self._masks[index]
        return self._before[index] + int(mask.slice(0, row - first).true_count)

    def _index(self, row: int) -> int:
        return bisect.bisect_right(self._masks, row, key=lambda one: one[0]) - 1

    def numbers(self, places: Numbers | None = None) -> Numbers:
        """The rows at these places among all that match, or all of them."""
        parts: list[tuple[int, pa.BooleanArray, pa.Int64Array | None]] = []
        begin = 0
        for (first, mask), before in zip(self._masks, self._before, strict=True):
            inside = None
            if places is not None:
                end = bisect.bisect_left(places, before + mask.true_count, begin)
                inside = places[begin:end].moved(before).array
                begin = end
            parts.append((first, mask, inside))
        return Numbers(pa.concat_arrays([pa.array([], pa.int64()), *ahead(iter(parts), _numbers)]))

    def at(self, places: Sequence[int]) -> Iterator[int]:
        """The rows at these places among all that match, which are in ascending order."""
        before = begin = 0
        for first, mask in self._masks:
            count = mask.true_count
            end = bisect.bisect_left(places, before + count, begin)
            if end > begin:
                numbers = pc.indices_nonzero(mask)
                if end - begin < count:
                    numbers = numbers.take(pa.array([place - before for place in places[begin:end]], pa.int64()))
                yield from pc.add(numbers.cast(pa.int64()), first).to_pylist()
            before, begin = before + count, end


def _slices(source: Source, columns: list[int]) -> Iterator[Slice]:
    # A text may be looked for in a thousand columns: between two looks at the clock there are no more cells for that.
    length = max(_FEWEST_ROWS, SLICE_ROWS // max(1, len(columns)))
    for first, arrays in source.slices(columns):
        for begin in range(0, len(arrays[0]), length):
            yield first + begin, [array.slice(begin, length) for array in arrays]


def _numbers(part: tuple[int, pa.BooleanArray, pa.Int64Array | None]) -> pa.Int64Array:
    """The rows of a mask that begins at row ``first``: all that match, or those at some places among these."""
    first, mask, places = part
    numbers = pc.indices_nonzero(mask)
    return pc.add((numbers if places is None else numbers.take(places)).cast(pa.int64()), first)
