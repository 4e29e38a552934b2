"""Record batches made to fit a schema: by name, and cast only where that loses nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from ..errors import UnsupportedSource


def fit(batch: pa.RecordBatch, schema: pa.Schema, order: Iterable[int], kind: str) -> pa.RecordBatch:
    """The batch with column ``order[i]`` as field ``i`` of the schema."""
    columns = [_fit_column(batch, at, number, schema, kind) for number, at in enumerate(order)]
    if not columns:
        return batch
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _fit_column(batch: pa.RecordBatch, at: int, number: int, schema: pa.Schema, kind: str) -> pa.Array:
    column, field = batch.column(at), schema.field(number)
    if column.null_count and not field.nullable:
        fix = f"Fill them, or allow them: {_set_field(number, 'with_nullable(True)')}"
        raise UnsupportedSource(kind, "it has nulls, and the writer's schema forbids them", fix, field.name)
    if column.type == field.type:
        return column
    reason = f"{column.type} is not {field.type}"
    if _family(column.type) in ("null", _family(field.type)):
        try:
            fitted = column.cast(field.type, safe=True)
            # A safe cast may still round: float64 to float32, decimals to floats.
            if column.null_count == len(column) or _same_values(fitted.cast(column.type, safe=True), column):
                return fitted
            reason = f"some values of {column.type} are not {field.type}"
        except (pa.ArrowException, TypeError) as error:
            reason += f" ({error})"
    fix = f"Convert it, or take its type: {_set_field(number, f'with_type(pa.table(batch).schema.field({at}).type)')}"
    raise UnsupportedSource(kind, reason, fix, field.name)


def _set_field(number: int, change: str) -> str:
    return f"`schema = schema.set({number}, schema.field({number}).{change})`"


def _same_values(one: pa.Array, other: pa.Array) -> bool:
    if one.equals(other):
        return True
    if not pa.types.is_floating(other.type):
        return False
    # NaN differs from itself.
    import pyarrow.compute as pc

    nan = pc.is_nan(other)
    return bool(nan.equals(pc.is_nan(one)) and one.filter(pc.invert(nan)).equals(other.filter(pc.invert(nan))))


def _family(kind: pa.DataType) -> str:
    """Types among which a cast keeps the meaning; the type itself where there is no other."""
    types = pa.types
    if types.is_dictionary(kind):
        return _family(kind.value_type)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "bytes"
    if types.is_timestamp(kind):
        return f"timestamp {kind.tz}"  # casting a naive time to one with a zone is a guess
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return f"list of {_family(kind.value_type)}"
    for name in ("null", "date", "time", "duration"):
        if getattr(types, f"is_{name}")(kind):
            return name
    return str(kind)
