"""A quick look at a view: rows counted or summed up by the values of a column, and the points of a small chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import InvalidQuery
from .condition import Columns, Condition, check_column
from .kind import comparable, comparable_type, is_comparable, kind
from .numbers import spread
from .patience import Patience
from .source import Slice, Source
from .summary import values_of
from .threads import ahead

MAX_GROUPS = 100_000  # that are told apart
MOST_SHOWN = 1000
MAX_POINTS = 5000
# What is asked of each slice; all of them would take twice as long.
_ASKED: dict[str, tuple[str, ...]] = {
    "count": ("count_all",),
    "sum": ("sum",),
    "mean": ("sum", "count"),
    "min": ("min",),
    "max": ("max",),
}
MEASURES = tuple(_ASKED)
_AGAIN = {"min": "min", "max": "max"}  # of what was summed up before; else the sum


def group(
    source: Source, condition: Condition | None, by: int, of: int, measure: str, patience: Patience
) -> dict[str, Any]:
    """The rows that match, by the values of column ``by`` (``rest-api.yml``, ``Groups``).

    ``measure`` is ``count``, or ``sum``, ``mean``, ``min`` or ``max`` of column ``of``, a number, in doubles. The first
    1,000 groups are given: of numbers and times in their order, of all else those with the largest values.

    Raises
    ------
    InvalidQuery
        The columns cannot be used so, or there are more than 100,000 groups.
    """
    if measure not in MEASURES:
        raise InvalidQuery(f"a measure is one of {', '.join(MEASURES)}")
    key = _type_of(source, by)
    if measure != "count" and kind(_type_of(source, of)) not in ("number", "bool"):
        raise InvalidQuery(f"{source.schema.field(of).name[:60]!r} has no numbers to sum up")
    columns = [by] if measure == "count" else [by, of]
    asked = _ASKED[measure]
    found = pa.table([pa.array([], comparable_type(key)), *[[]] * len(asked)], ["key", *asked])
    parts: list[pa.Table] = []
    searched = 0
    for seen, part in _parts(source, condition, columns, asked):
        searched = seen
        parts.append(part)
        if sum(map(len, parts)) > MAX_GROUPS:
            parts = [_merged(parts, asked)]
            if parts[0].num_rows > MAX_GROUPS:
                raise InvalidQuery(
                    f"{source.schema.field(by).name[:60]!r} has more than {MAX_GROUPS:,} different values"
                )
        if patience.is_over():
            break
    found = _merged(parts, asked) if parts else found
    values = found[asked[0]]
    if measure == "mean":
        values = pc.divide(values, found["count"].cast(pa.float64()))
    is_ordered = kind(key) in ("number", "time")
    ordered = pa.table([found["key"], values], ["key", "value"])
    order = pc.sort_indices(
        ordered, [("key", "ascending")] if is_ordered else [("value", "descending"), ("key", "ascending")]
    )
    shown = ordered.take(order[:MOST_SHOWN]).combine_chunks()
    keys = values_of(source, by, list(shown["key"]))
    return {
        "groups": [{**one, "result": value} for one, value in zip(keys, shown["value"].to_pylist(), strict=True)],
        "total": found.num_rows,
        "searched": searched,
    }


def points(source: Source, rows: Sequence[int], x: int, y: int, patience: Patience) -> dict[str, Any]:
    """Up to 5,000 of these rows, spread evenly, as points (``rest-api.yml``, ``Points``); times in their units."""
    for column in (x, y):
        if kind(_type_of(source, column)) not in ("number", "time", "bool"):
            raise InvalidQuery(f"{source.schema.field(column).name[:60]!r} has no numbers for a chart")
    chosen = list(rows) if len(rows) <= MAX_POINTS else [rows[place] for place in spread(len(rows), MAX_POINTS)]
    patience.is_over()
    order = sorted(range(len(chosen)), key=chosen.__getitem__)
    sides = []
    for column in (x, y):
        arrays = [
            comparable(array.take(pa.array(positions, pa.int64())))
            for array, positions in source.pieces(column, [chosen[place] for place in order])
        ]
        values = pa.chunked_array([one.cast(pa.float64(), safe=False) for one in arrays], pa.float64())
        sides.append(values.combine_chunks())
    kept = pc.and_(pc.is_finite(sides[0]), pc.is_finite(sides[1])).fill_null(False)
    return {
        "x": sides[0].filter(kept).to_pylist(),
        "y": sides[1].filter(kept).to_pylist(),
        "rows": len(chosen),
        "is_sample": len(chosen) < len(rows),
    }


def _type_of(source: Source, column: int) -> pa.DataType:
    field = source.schema.field(check_column(column, source.schema))
    if not is_comparable(field.type):
        raise InvalidQuery(f"column {field.name[:60]!r} of {str(field.type)[:60]} cannot be used for this")
    return field.type


def _parts(
    source: Source, condition: Condition | None, columns: list[int], asked: Sequence[str]
) -> Iterator[tuple[int, pa.Table]]:
    """The groups of one slice of the table after the other, and how many rows were looked at so far."""
    wanted = sorted({*columns, *(condition.columns if condition else ())})

    def groups(one: Slice) -> tuple[int, pa.Table]:
        first, arrays = one
        return first + len(arrays[0]), _groups(dict(zip(wanted, arrays, strict=True)), condition, columns, asked)

    return ahead(source.slices(wanted), groups)


def _groups(known: Columns, condition: Condition | None, columns: list[int], asked: Sequence[str]) -> pa.Table:
    key = known[columns[0]]
    entries = key.dictionary if pa.types.is_dictionary(key.type) else None
    key = _normal(key) if entries is None else key.indices
    table = pa.table([key], ["key"])
    if len(columns) > 1:
        value = comparable(known[columns[1]]).cast(pa.float64(), safe=False)
        # Not a number: left out, as a null is.
        table = table.append_column("value", pc.if_else(pc.is_nan(value), None, value))
    if condition is not None:
        table = table.filter(condition.mask(known))
    groups = table.group_by("key", use_threads=False).aggregate(
        [([] if one == "count_all" else "value", one) for one in asked]
    )
    groups = groups.select(["key", *(one if one == "count_all" else f"value_{one}" for one in asked)])
    groups = groups.rename_columns(["key", *asked])
    if entries is not None:
        # Only now: to decode each row takes longer than the rest. Equal entries become one group with the slices.
        groups = groups.set_column(0, "key", _normal(entries).take(groups["key"]))
    return groups


def _normal(keys: pa.Array) -> pa.Array:
    keys = comparable(keys)
    # 0.0 and -0.0 are one number.
    return pc.add(keys, pa.scalar(0.0, keys.type)) if pa.types.is_floating(keys.type) else keys


def _merged(parts: list[pa.Table], asked: Sequence[str]) -> pa.Table:
    again = [(one, _AGAIN.get(one, "sum")) for one in asked]
    merged = pa.concat_tables(parts).group_by("key").aggregate(again)
    return merged.select(["key", *(f"{one}_{how}" for one, how in again)]).rename_columns(["key", *asked])
