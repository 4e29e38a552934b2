"""The first rows of a sorted view, by number: 10,000, found in one pass over the table."""

from __future__ import annotations

import array
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import is_binary, is_text
from ..errors import InvalidQuery, QueryStopped
from .condition import Condition, check_column
from .kind import check, comparable, each, is_comparable, num_bytes
from .numbers import spread
from .patience import Patience
from .source import Slice, Source
from .threads import ahead

VIEW_ROWS = 10_000  # that are found at once
MAX_KEYS = 8
_SAMPLE_ROWS = 1 << 12  # that give a first idea of which rows come first
_SPARE = 24  # more of them than are expected before the last row that is wanted
_PARTS, _PART_ROWS = 16, 1 << 13  # of a long table, whose first rows bound what may come first in all of it
_LONG_ROWS = 1 << 20
_MANY_ROWS = 1 << 18  # that are kept of long texts before some are forgotten, for which the others are copied
_MAX_BYTES = 256_000_000  # of the texts of a slice that are copied


@dataclass(frozen=True)
class Key:
    """One column to sort by."""

    column: int
    descending: bool


@dataclass(frozen=True)
class Selection:
    """Attributes
    ----------
    rows
        Numbers of the rows, in the view's order.
    matches, searched
        How many rows match, of how many that were looked at: of all, unless time ran out.
    """

    rows: Sequence[int]
    matches: int
    searched: int


def parse_sort(text: str, schema: pa.Schema) -> tuple[Key, ...]:
    """The keys to sort by that this JSON describes (``rest-api.yml``, ``sort``). Raises ``InvalidQuery``."""
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise InvalidQuery(f'sort is a JSON list of up to {MAX_KEYS} of {{"column": 0, "descending": false}}')
    parsed = []
    for key in keys:
        if not isinstance(key, dict) or not {"column"} <= set(key) <= {"column", "descending"}:
            raise InvalidQuery('what to sort by is {"column": 0, "descending": false}')
        field = schema.field(check_column(key["column"], schema))
        if not is_comparable(field.type):
            raise InvalidQuery(f"column {field.name[:60]!r} of {str(field.type)[:60]} has no order to sort by")
        parsed.append(Key(key["column"], bool(key.get("descending"))))
    return tuple(parsed)


def select_sorted(
    source: Source, condition: Condition | None, keys: Sequence[Key], patience: Patience, most: int
) -> Selection:
    """The first rows by these keys, and then by number: ``most`` of them.

    Raises
    ------
    QueryStopped
        Sorting was not done in time.
    """
    wanted = sorted({*(key.column for key in keys), *(condition.columns if condition else ())})
    parts = _Best(keys, most)
    for part in _parts(source, wanted):
        parts.add(parts.rows_of(part, wanted, condition)[0])
    best = _Best(keys, most, parts.last())
    matches = 0
    for rows, found in ahead(source.slices(wanted), lambda one: best.rows_of(one, wanted, condition)):
        matches += found
        best.add(rows)
        if patience.is_over():
            raise QueryStopped(f"took longer than {patience.seconds:g} s and was stopped")
    return Selection(best.rows(), matches, source.num_rows)


def _parts(source: Source, columns: Sequence[int]) -> Iterator[Slice]:
    """Rows from here and there in a long table, as :meth:`Source.slices` gives all."""
    if source.num_rows <= _LONG_ROWS or not source.is_at_hand:
        return
    for part in range(_PARTS):
        first = part * (source.num_rows - _PART_ROWS) // (_PARTS - 1)
        rows = range(first, first + _PART_ROWS)
        pieces = [next(source.pieces(column, rows)) for column in columns]
        # What lies in several batches would have to be copied.
        if all(len(some) == len(rows) for _, some in pieces):
            arrays = [array.slice(some[0], len(some)) for array, some in pieces]
            for array in arrays:
                check(array)
            yield first, arrays


@dataclass(frozen=True)
class _Rows:
    """Some rows: their keys, of which dictionaries are not decoded yet, and their numbers."""

    keys: list[pa.Array]
    numbers: pa.Int64Array

    def filter(self, mask: pa.BooleanArray) -> _Rows:
        return _Rows([key.filter(mask) for key in self.keys], self.numbers.filter(mask))

    def take(self, places: pa.Int64Array) -> _Rows:
        return _Rows([key.take(places) for key in self.keys], self.numbers.take(places))

    @property
    def is_large(self) -> bool:
        """Whether no copy should be made of most of them."""
        texts = [key for key in self.keys if is_text(key.type) or is_binary(key.type)]
        return sum(map(num_bytes, texts)) > _MAX_BYTES


class _Best:
    """The first rows by some keys, and then by number, of those that were added: slice after slice, from the top.

    ``last`` are the keys of a row that all rows that are wanted come before, or are equal to. Without it, each slice of
    a column that rises, sorted from its end, would have the first rows of all so far.
    """

    def __init__(self, keys: Sequence[Key], most: int, last: list[pa.Scalar] | None = None) -> None:
        self._keys, self._most = keys, most
        self._order = [(str(i), "descending" if key.descending else "ascending") for i, key in enumerate(keys)]
        self._order.append(("row", "ascending"))
        self._kept: list[pa.Table] = []
        self._rows = 0
        # Of a row that was added, an equal one of a later slice comes too late. In one piece: threads look at it.
        self._last = (last, True) if last is not None else None

    def last(self) -> list[pa.Scalar] | None:
        """The keys of the last of the first rows; ``None`` if there are fewer than are wanted."""
        return self._cut() if self._rows >= self._most else None

    def rows_of(self, one: Slice, numbers: list[int], condition: Condition | None) -> tuple[_Rows, int]:
        """Those of a slice that may be among the first, of columns of these ``numbers``, and how many match.

        Any thread may call it.
        """
        first, arrays = one
        columns = dict(zip(numbers, arrays, strict=True))
        mask = condition.mask(columns) if condition else None
        matches = len(arrays[0]) if mask is None else mask.true_count
        keys = [columns[key.column] for key in self._keys]
        # A dictionary is decoded when few rows are left; Arrow cannot take single rows of runs and views.
        keys = [one if pa.types.is_dictionary(one.type) else comparable(one) for one in keys]
        known = self._last
        if known is not None:
            last, or_equal = known
            # By the first key alone: the others are compared in the few rows that are left.
            is_ahead = self._are_ahead(keys[:1], last, or_equal or len(keys) > 1)
            mask = is_ahead if mask is None else pc.and_(mask, is_ahead)
        places = pc.indices_nonzero(pa.repeat(pa.scalar(True), len(keys[0])) if mask is None else mask)
        kept = keys if mask is None else [one.filter(mask) for one in keys]
        rows = _Rows(kept, pc.add(places.cast(pa.int64()), first))
        if known is not None and len(keys) > 1:
            rows = rows.filter(self._are_ahead(rows.keys, last, or_equal))
        return rows if rows.is_large else self._without_most(rows), matches

    def add(self, rows: _Rows) -> None:
        """Add some rows of :meth:`rows_of`, which come after all that were added."""
        if len(rows.numbers):
            self._kept.append(self._table(rows))
            self._rows += len(rows.numbers)
        if self._rows >= self._most + (_MANY_ROWS if rows.is_large else self._most):
            self._cut()

    def rows(self) -> Sequence[int]:
        """The numbers of the first. The keys are not copied: one may be a text of 2 GB."""
        numbers = array.array("q")
        if self._kept:
            table, order = self._sorted()
            for chunk in table["row"].take(order).chunks:
                numbers.frombytes(memoryview(chunk.buffers()[1])[8 * chunk.offset : 8 * (chunk.offset + len(chunk))])
        return numbers

    def _without_most(self, rows: _Rows) -> _Rows:
        """Of many rows those that may be among the first, and not many more: a sort of a million takes 0.2 s."""
        total = len(rows.numbers)
        if total <= 4 * max(self._most, _SAMPLE_ROWS):
            return rows
        sample = self._table(rows.take(spread(total, _SAMPLE_ROWS).array))
        order = pc.sort_indices(sample, self._order)
        # Twice as many as are wanted, if the sample is like the whole; where it is not, four times as many, and so on.
        rank = 2 * self._most * _SAMPLE_ROWS // total + _SPARE
        while rank < _SAMPLE_ROWS:
            *keys, number = (column[order[rank].as_py()] for column in sample.columns)
            is_ahead = self._are_ahead(rows.keys, keys, pc.less_equal(rows.numbers, number))
            if is_ahead.true_count >= self._most:
                return rows.filter(is_ahead)
            rank *= 4
        return rows

    def _cut(self) -> list[pa.Scalar]:
        """Forget all but the first, of which the last has these keys."""
        table, order = self._sorted()
        table = table.take(order).combine_chunks()
        self._kept, self._rows = [table], table.num_rows
        last = [column[-1] for column in table.columns[:-1]]
        self._last = last, False
        return last

    def _table(self, rows: _Rows) -> pa.Table:
        return pa.table([*map(comparable, rows.keys), rows.numbers], [name for name, _ in self._order])

    def _sorted(self) -> tuple[pa.Table, pa.Array]:
        table = pa.concat_tables(self._kept)
        return table, pc.sort_indices(table, self._order)[: self._most]

    def _are_ahead(
        self, keys: list[pa.Array], last: list[pa.Scalar], earlier: pa.BooleanArray | bool
    ) -> pa.BooleanArray:
        """Which rows come before one with the keys ``last``; of equal ones, those that are ``earlier``."""
        for column, value, key in reversed(list(zip(keys, last, self._keys, strict=False))):
            ahead = _comes_before(column, value, key.descending, or_equal=earlier is True)
            earlier = ahead if isinstance(earlier, bool) else pc.or_(ahead, pc.and_(_is_equal(column, value), earlier))
        return earlier


def _comes_before(array: pa.Array, value: pa.Scalar, descending: bool, or_equal: bool) -> pa.BooleanArray:
    """Which values come before ``value``; NaN comes after the numbers, and null after all, either way."""
    if not value.is_valid:
        return pa.repeat(pa.scalar(True), len(array)) if or_equal else each(array, pc.is_valid)
    if _is_nan(value):
        return each(array, pc.is_valid if or_equal else lambda values: pc.invert(pc.is_nan(values)))
    if or_equal:
        return each(array, lambda values: (pc.greater_equal if descending else pc.less_equal)(values, value))
    return each(array, lambda values: (pc.greater if descending else pc.less)(values, value))


def _is_equal(array: pa.Array, value: pa.Scalar) -> pa.BooleanArray:
    if not value.is_valid:
        return each(array, pc.is_null, missing=True)
    return each(array, lambda values: pc.is_nan(values) if _is_nan(value) else pc.equal(values, value))


def _is_nan(value: pa.Scalar) -> bool:
    return bool(pa.types.is_floating(value.type) and value.as_py() != value.as_py())
