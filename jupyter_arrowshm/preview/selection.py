"""The first rows of a sorted view, by number: 10,000, found in one pass over the table."""

from __future__ import annotations

import array
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InvalidQuery, QueryStopped
from .condition import Columns, Condition, check_column
from .kind import comparable, each, is_comparable
from .patience import Patience
from .source import Source

VIEW_ROWS = 10_000  # that are found at once
MAX_KEYS = 8
_SAMPLE_ROWS = 1 << 18  # that give a first idea of which rows come first
_SAMPLE_RUNS = 64  # of rows that follow each other


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
    wanted = [key.column for key in keys] + sorted(condition.columns if condition else ())
    best = _Best(keys, most)
    if source.num_rows > 4 * _SAMPLE_ROWS:
        # Without an idea of which values come first, all of a table that is sorted the other way would be kept.
        sample = _Best(keys, most)
        for first, columns in _samples(source, wanted):
            sample.add(first, columns, condition.mask(columns) if condition else None)
        sample.cut()
        best.last = sample.last
    matches = 0
    for first, columns in _slices(source, wanted):
        mask = condition.mask(columns) if condition else None
        matches += len(columns[keys[0].column]) if mask is None else mask.true_count
        best.add(first, columns, mask)
        if patience.is_over():
            raise QueryStopped(f"took longer than {patience.seconds:g} s and was stopped")
    return Selection(best.rows(), matches, source.num_rows)


def _slices(source: Source, columns: Iterable[int]) -> Iterator[tuple[int, Columns]]:
    wanted = sorted(set(columns))
    for first, arrays in source.slices(wanted):
        yield first, dict(zip(wanted, arrays, strict=True))


def _samples(source: Source, columns: Sequence[int]) -> Iterator[tuple[int, Columns]]:
    """Some thousand rows here and there."""
    length = _SAMPLE_ROWS // _SAMPLE_RUNS
    for run in range(_SAMPLE_RUNS):
        first = run * (source.num_rows - length) // (_SAMPLE_RUNS - 1)
        rows = range(first, first + length)
        yield first, {column: source.take(column, rows) for column in set(columns)}


class _Best:
    """The first rows by some keys, and then by number, of those that were added.

    Attributes
    ----------
    last
        The keys and the number of a row; those after it are not kept.
    """

    def __init__(self, keys: Sequence[Key], most: int) -> None:
        self.last: list[pa.Scalar] | None = None
        self._most = most
        self._keys = keys
        self._order = [(str(i), "descending" if key.descending else "ascending") for i, key in enumerate(keys)]
        self._order.append(("row", "ascending"))
        self._kept: list[pa.Table] = []
        self._rows = 0

    def add(self, first: int, columns: Columns, mask: pa.BooleanArray | None) -> None:
        arrays = [columns[key.column] for key in self._keys]
        # A dictionary is decoded when few rows are left; Arrow cannot take single rows of runs and views.
        arrays = [one if pa.types.is_dictionary(one.type) else comparable(one) for one in arrays]
        mask = self._before_last(first, arrays, mask)
        if mask is None:
            rows = pc.indices_nonzero(pa.repeat(pa.scalar(True), len(arrays[0])))
        else:
            rows = pc.indices_nonzero(mask)
            arrays = [one.filter(mask) for one in arrays]
        if len(rows):
            rows = pc.add(rows.cast(pa.int64()), first)
            self._kept.append(pa.table([*map(comparable, arrays), rows], [name for name, _ in self._order]))
            self._rows += len(rows)
        if self._rows >= self._most + _SAMPLE_ROWS:
            self.cut()

    def cut(self) -> None:
        """Forget all but the first."""
        if not self._kept:
            return
        table, order = self._sorted()
        table = table.take(order).combine_chunks()
        self._kept, self._rows = [table], table.num_rows
        if table.num_rows == self._most:
            self.last = [column[-1] for column in table.columns]

    def rows(self) -> Sequence[int]:
        """The numbers of the first. The keys are not copied: one may be a text of 2 GB."""
        numbers = array.array("q")
        if self._kept:
            table, order = self._sorted()
            for chunk in table["row"].take(order).chunks:
                numbers.frombytes(memoryview(chunk.buffers()[1])[8 * chunk.offset : 8 * (chunk.offset + len(chunk))])
        return numbers

    def _sorted(self) -> tuple[pa.Table, pa.Array]:
        table = pa.concat_tables(self._kept)
        return table, pc.sort_indices(table, self._order)[: self._most]

    def _before_last(self, first: int, arrays: list[pa.Array], mask: pa.BooleanArray | None) -> pa.BooleanArray | None:
        """Which rows of a slice may be among the first; ``None``: all."""
        if self.last is None:
            return mask
        *values, row = self.last
        # Among equal rows, the first by number are wanted.
        earlier: pa.BooleanArray | bool = first <= row.as_py()
        for column, value, key in reversed(list(zip(arrays, values, self._keys, strict=True))):
            before = _comes_before(column, value, key.descending)
            if earlier is not False:
                equal = _is_equal(column, value)
                before = pc.or_(before, equal if earlier is True else pc.and_(equal, earlier))
            earlier = before
        return earlier if mask is None else pc.and_(earlier, mask)


def _comes_before(array: pa.Array, value: pa.Scalar, descending: bool) -> pa.BooleanArray:
    """Which values come before ``value``; NaN comes after the numbers, and null after all, either way."""
    if not value.is_valid:
        return each(array, pc.is_valid)
    if _is_nan(value):
        return each(array, lambda values: pc.invert(pc.is_nan(values)))
    return each(array, lambda values: pc.greater(values, value) if descending else pc.less(values, value))


def _is_equal(array: pa.Array, value: pa.Scalar) -> pa.BooleanArray:
    if not value.is_valid:
        return each(array, pc.is_null, missing=True)
    return each(array, lambda values: pc.is_nan(values) if _is_nan(value) else pc.equal(values, value))


def _is_nan(value: pa.Scalar) -> bool:
    return bool(pa.types.is_floating(value.type) and value.as_py() != value.as_py())
