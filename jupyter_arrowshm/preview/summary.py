"""The contents of a column: how much is missing, how many values there are, their range and distribution."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import is_binary, is_text, plain
from .bins import edges as float_edges
from .bins import whole_edges
from .cells import cells
from .damage import Damage
from .display import cut, is_null, taken, texts
from .extensions import PeriodType, innermost
from .kind import (
    as_binary,
    check,
    comparable,
    comparable_type,
    is_comparable,
    kind,
    missing,
    num_bytes,
    shown,
    type_name,
)
from .numbers import Numbers, spread
from .page import CELL, MAX_BYTES, NAME
from .patience import Patience, Unwanted
from .search import Search
from .source import Source
from .statistics import deviation, finite, lengths, mean_of_integers, quartiles

EXACT_ROWS = 1_000_000
SAMPLE_ROWS = 100_000  # of larger tables
_QUICK_ROWS = 10_000  # when time runs short, or each row may lie somewhere else
_MANY_CHUNKS = 10_000
_MAX_BYTES = 256_000_000  # of a column's values in memory
_LONG = 1000  # bytes of a text that are told apart when they are too large altogether
_TOP = 20
_FACTS = ("nulls", "distinct", "min", "max", "mean", "deviation", "quartiles", "lengths", "histogram", "top")
_EXACT_NUMBER = 1 << 53  # above it JSON's readers lose digits


@dataclass(frozen=True)
class Population:
    """The rows that are summarised: all of the table, or those of these numbers; ``matches`` of ``searched``.

    ``rows`` are in ascending order; where there are more than a million they are a sample of one hundred thousand.
    """

    rows: Sequence[int]
    matches: int
    searched: int
    is_whole: bool = False


def population(source: Source, search: Search | None = None) -> Population:
    """All rows, or those that a search has found so far; an even sample of them, if they are many."""
    if search is None:
        rows: Sequence[int] = range(source.num_rows)
        if len(rows) > EXACT_ROWS:
            rows = spread(len(rows), SAMPLE_ROWS)
        return Population(rows, source.num_rows, source.num_rows, is_whole=True)
    # Rows here and there of a large table take ten times as long as the same number of rows that follow each other.
    most = EXACT_ROWS if source.num_rows <= EXACT_ROWS else SAMPLE_ROWS
    places = None if len(search) <= most else spread(len(search), SAMPLE_ROWS)
    return Population(search.numbers(places), len(search), search.searched)


def _thinned(rows: Sequence[int], size: int) -> Sequence[int]:
    if len(rows) <= size:
        return rows
    places = spread(len(rows), size)
    return Numbers(rows.array.take(places.array)) if isinstance(rows, Numbers) else [rows[place] for place in places]


def summarise(
    source: Source, columns: Sequence[int], population: Population, patience: Patience
) -> list[dict[str, Any]]:
    """One summary for each column, of as many columns as there is time for, and as fit into 2 MB of JSON."""
    half = patience.within(patience.left / 2)
    summaries: list[dict[str, Any]] = []
    nbytes = 0
    for column in columns:
        if (patience.is_over() or nbytes > MAX_BYTES) and summaries:
            break
        if population.is_whole and column in source.summaries:
            summaries.append(source.summaries[column])
            continue
        is_quick = half.is_over() or source.num_chunks(column) > _MANY_CHUNKS
        rows = _thinned(population.rows, _QUICK_ROWS) if is_quick else population.rows
        summaries.append(_summary_of(_Column(source, column), rows, population))
        if population.is_whole and not is_quick:
            source.summaries[column] = summaries[-1]
        nbytes += len(json.dumps(summaries[-1]))
    return summaries


def values_of(source: Source, column: int, scalars: Sequence[pa.Scalar]) -> list[dict[str, Any]]:
    """Values of a column, as :func:`kind.comparable` has them, with their texts, and what a filter takes for each."""
    made = _Column(source, column)
    return [made.value(scalar) if scalar.is_valid else {"text": None, "value": None} for scalar in scalars]


def _summary_of(column: _Column, rows: Sequence[int], population: Population) -> dict[str, Any]:
    """A column that fails does not spoil the others, unless the table is damaged: then all of it is."""
    try:
        try:
            return column.summary(rows, population)
        except MemoryError:
            # A dictionary's one long text, say, that all rows have.
            return column.summary(_thinned(rows, _QUICK_ROWS), population)
    except (Damage, Unwanted):
        raise
    except Exception as error:  # Arrow, or Python, lacks something for this type
        reason = "more memory than there may be" if isinstance(error, MemoryError) else type(error).__name__
        problem = f"{type_name(column.type)}: this column could not be summed up ({reason})"
        return {**column.facts((), population), "problem": problem}


class _Column:
    """One column of the table; what is found of it becomes JSON (``rest-api.yml``, ``ColumnSummary``)."""

    def __init__(self, source: Source, number: int) -> None:
        self.source, self.number = source, number
        self.type = source.schema.field(number).type
        self.kind = kind(self.type)

    def summary(self, rows: Sequence[int], population: Population) -> dict[str, Any]:
        rows, values, is_whole = self._values(rows)
        facts = self.facts(rows, population)
        facts["nulls"] = values.null_count if values is not None else self._nulls(rows)
        if values is None:
            return facts
        whole = None if population.is_whole else self.source.summaries.get(self.number)
        if whole is not None:
            facts["whole"] = {key: whole[key] for key in ("rows", "exact", "nulls", "histogram", "top")}
        values = values.drop_null()
        if pa.types.is_floating(values.type):
            numbers = values.filter(pc.invert(pc.is_nan(values)))
            facts["nans"] = len(values) - len(numbers)
            # Arrow tells values apart by their bits: 0.0 and -0.0 are one number.
            values = pc.add(numbers, pa.scalar(0.0, values.type))
        counts = pc.value_counts(values)
        if whole is not None:
            facts["whole"]["found"] = self._found(values, counts, whole)
        if not len(values):
            return {**facts, "distinct": 0}
        least, most = pc.min_max(values).values()
        facts |= {"distinct": len(counts) if is_whole else None, "min": self.value(least), "max": self.value(most)}
        if self.kind in ("number", "time"):
            return facts | self._distribution(values, least.as_py(), most.as_py())
        order = pc.sort_indices(counts.field("counts"), [("", "descending")])[:_TOP]
        top = [{**self.value(one["values"]), "count": one["counts"].as_py()} for one in counts.take(order)]
        about = lengths(values, self.kind == "text") if is_whole and self.kind in ("text", "binary") else None
        return facts | {"top": top, "lengths": about}

    def facts(self, rows: Sequence[int], population: Population) -> dict[str, Any]:
        """The facts that are known without a look at the values of the rows."""
        return {
            "column": self.number,
            "name": cut(self.source.schema.field(self.number).name, NAME),
            "type": type_name(self.type),
            "kind": self.kind,
            "rows": len(rows),
            "exact": len(rows) == population.matches and population.searched == self.source.num_rows,
            **dict.fromkeys(_FACTS),
        }

    # -- the values ----------------------------------------------------------------------------------------------------

    def _values(self, rows: Sequence[int]) -> tuple[Sequence[int], pa.ChunkedArray | None, bool]:
        """The rows that can be looked at, their values as Arrow can compare them, and whether each is whole."""
        if not is_comparable(self.type):
            return rows, None, True
        is_long = is_text(self.type) or is_binary(self.type)
        if isinstance(rows, range) or not is_long:
            arrays = [taken(array, positions) for array, positions in self.source.pieces(self.number, rows)]
            for array in arrays:
                check(array)
            if not is_long or sum(map(num_bytes, arrays)) <= _MAX_BYTES:
                return rows, self._chunked([as_binary(comparable(array)) for array in arrays]), True
            rows = _thinned(rows, _QUICK_ROWS)
        pieces = self.source.pieces(self.number, rows)
        shown = [cell for array, positions in pieces for cell in cells(array, positions, _LONG + 1)]
        copies = pa.array([cell if cell is None else bytes(cell) for cell in shown], pa.binary())
        return rows, self._chunked([copies]), all(cell is None or len(cell) <= _LONG for cell in shown)

    def _chunked(self, arrays: list[pa.Array]) -> pa.ChunkedArray:
        return pa.chunked_array(arrays) if arrays else pa.chunked_array([], comparable_type(self.type))

    def _nulls(self, rows: Sequence[int]) -> int:
        return sum(
            missing(array.slice(positions.start, len(positions))).true_count
            if isinstance(positions, range)
            else sum(is_null(array, position) for position in positions)
            for array, positions in self.source.pieces(self.number, rows)
        )

    # -- what is said about them ---------------------------------------------------------------------------------------

    def value(self, scalar: pa.Scalar) -> dict[str, Any]:
        """How it is shown, and what a filter takes to find it."""
        value = scalar.as_py()
        if isinstance(value, bytes):
            is_utf8 = self.kind == "text"
            text = value.decode(errors="replace") if is_utf8 else value.hex()
            can_be_found = len(text) <= CELL and (not is_utf8 or text.encode() == value)
            return {"text": cut(text, CELL), **({"value": text} if can_be_found else {})}
        array, type_ = shown(pa.array([value], scalar.type), self.type), innermost(self.type)
        (shown_as,) = texts(array, type_ if isinstance(type_, PeriodType) else array.type, range(1), CELL)
        return {"text": shown_as, "value": _raw(bool(value) if self.kind == "bool" else value)}

    def _distribution(self, values: pa.ChunkedArray, least: Any, most: Any) -> dict[str, Any]:
        edges: list[Any]
        is_time = self.kind == "time"
        parts, spread = quartiles(values, is_time), None if is_time else deviation(values)
        if pa.types.is_integer(values.type):
            mean = mean_of_integers(values, least, most)
            edges = whole_edges(least, most, self._unit())
            if is_time:
                mean = round(mean)
        else:
            mean = pc.mean(values.cast(pa.float64(), safe=False)).as_py()
            values = finite(values)
            edges = float_edges(*(end.as_py() for end in pc.min_max(values).values())) if len(values) else []
        return {
            "mean": self._edge(mean),
            "deviation": self._edge(spread) if spread is not None else None,
            "quartiles": [self._edge(part) for part in parts] if parts else None,
            "histogram": self._histogram(values, edges),
        }

    def _unit(self) -> str | None:
        """The unit of a time; ``None`` for numbers, and for periods, whose lengths differ."""
        type_ = plain(self.type)
        if self.kind != "time" or isinstance(innermost(self.type), PeriodType):
            return None
        return "D" if pa.types.is_date32(type_) else "ms" if pa.types.is_date64(type_) else type_.unit

    def _histogram(self, values: pa.ChunkedArray, edges: list[Any]) -> dict[str, Any] | None:
        if not edges:
            return None
        return {"edges": [self._edge(edge) for edge in edges], "counts": self._counts(values, edges)}

    def _counts(self, values: pa.ChunkedArray, edges: list[Any]) -> list[int]:
        inner = [pc.sum(pc.less(values, pa.scalar(edge, values.type))).as_py() or 0 for edge in edges[1:-1]]
        return [after - before for before, after in itertools.pairwise([0, *inner, len(values)])]

    def _found(self, values: pa.ChunkedArray, counts: pa.StructArray, whole: dict[str, Any]) -> list[int]:
        """How many of the values are in each bin of another histogram, or are each of its frequent values."""
        if whole["histogram"]:
            is_whole = pa.types.is_integer(values.type)
            number = int if is_whole else float
            edges = [number(edge["value"]) for edge in whole["histogram"]["edges"]]
            return self._counts(values if is_whole else finite(values), edges)
        there, numbers = counts.flatten()
        wanted = [_stored(one.get("value"), self.kind) for one in whole["top"] or ()]
        places = pc.index_in(pa.array(wanted, there.type), value_set=there, skip_nulls=True)
        return [0 if place is None else numbers[place].as_py() for place in places.to_pylist()]

    def _edge(self, value: Any) -> dict[str, Any]:
        if self.kind == "time":
            type_ = comparable_type(self.type)
            if value.bit_length() < type_.bit_width:
                return self.value(pa.scalar(value, type_))
            return {"text": str(value), "value": _raw(value)}
        return {"text": f"{value:.15g}" if isinstance(value, float) else str(value), "value": _raw(value)}


def _stored(value: Any, kind: str) -> int | bytes | None:
    """A frequent value as Arrow compares it; ``None`` for one that no filter finds."""
    if value is None:
        return None
    if kind == "bool":
        return int(value)
    return value.encode() if kind == "text" else bytes.fromhex(value)


def _raw(value: Any) -> Any:
    """A value in JSON without losing a digit."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and abs(value) <= _EXACT_NUMBER:
        return value
    return str(value)
