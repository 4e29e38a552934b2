"""A DuckDB relation <-> Arrow record batches, without loss.

DuckDB's own export cuts or reinterprets some types, unless a setting of the
user's connection says otherwise, which is not ours to change. So columns of
these types are cast in SQL to what Arrow has, and their DuckDB types are
recorded in the schema's metadata: attached in DuckDB they are cast back.

In Arrow, for everybody else: UUID, BIT, TIMETZ and BIGNUM are text,
HUGEINT and UHUGEINT are decimals (of 39 digits; inside other types of 38,
and a value that needs more is an error), ENUM is a dictionary of text. An
INTERVAL of more than 292 years of microseconds is an error.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from ..arrowtypes import is_text
from ..errors import UnsupportedSource, UnsupportedTarget
from .fitting import fitted
from .memory import DUCKDB_KEY, with_metadata
from .recast import recast_column

_AS_TEXT = {"UUID", "BIT", "TIME WITH TIME ZONE", "BIGNUM", "VARINT"}
_HUGE = {"HUGEINT", "UHUGEINT"}
_WIDE = pa.decimal256(39, 0)
_LONGEST = 2_562_047  # hours of an interval whose nanoseconds are 64 bits


# -- out of DuckDB -----------------------------------------------------------------------------------------------------


def encode(relation: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of a query, which runs while they are read."""
    names, types = list(relation.columns), list(map(str, relation.types))
    expressions = [_exported(name, type_) for name, type_ in zip(names, relation.types, strict=True)]
    if any(expressions):
        if twice := [name for name in names if names.count(name) > 1]:
            query = "SELECT * FROM r AS r({})".format(", ".join(map(_quoted, _distinct(names))))
            fix = f"Number them: `relation = relation.query('r', {query!r})`"
            raise UnsupportedSource("DuckDB relation", "another column has the same name", fix, twice[0])
        quoted = map(_quoted, names)
        relation = relation.project(
            ", ".join(f"{how or it} AS {it}" for how, it in zip(expressions, quoted, strict=True))
        )
    reader = pa.RecordBatchReader.from_stream(relation)
    huge = {number: types[number] for number in range(len(types)) if types[number] in _HUGE}
    fields = [field.with_type(_exact(field.type, type_)) for field, type_ in zip(reader.schema, types, strict=True)]
    how = [[name, str(field.type), type_] for name, field, type_ in zip(names, fields, types, strict=True)]
    schema = pa.schema(fields, {**(reader.schema.metadata or {}), DUCKDB_KEY: json.dumps(how).encode()})
    return schema, (_widened(batch, schema, huge) for batch in reader)


def _exact(arrow: pa.DataType, type_: str) -> pa.DataType:
    """The type, in our batches, of a column that DuckDB exports as this Arrow type."""
    if type_ in _HUGE:
        return _WIDE
    is_enum = type_.startswith("ENUM(") and pa.types.is_dictionary(arrow)
    return pa.dictionary(arrow.index_type, arrow.value_type, ordered=True) if is_enum else arrow


def _exported(name: str, type_: Any) -> str:
    """The SQL expression that Arrow can carry; empty where the column itself can be."""
    it = _quoted(name)
    if str(type_) in _HUGE:
        return ""  # see _widened
    if str(type_) == "INTERVAL":
        message = f"column {name!r} has an interval that is too long for Arrow".replace("'", "''")
        return f"CASE WHEN abs(datepart('hour', {it})) >= {_LONGEST} THEN error('{message}') ELSE {it} END"
    carrier = _carrier(type_)
    return f"CAST({it} AS {carrier})" if carrier != str(type_) else ""


def _carrier(type_: Any) -> str:
    """The DuckDB type that holds the same values and goes through Arrow as it is."""
    text = str(type_)
    if text in _AS_TEXT:
        return "VARCHAR"
    if text in _HUGE:
        return "DECIMAL(38,0)"
    if type_.id == "list":
        return f"{_carrier(type_.children[0][1])}[]"
    if type_.id == "array":
        return f"{_carrier(type_.children[0][1])}[{type_.children[1][1]}]"
    if type_.id == "map":
        return "MAP({}, {})".format(*(_carrier(child) for _, child in type_.children))
    if type_.id == "struct":
        inside = [(name, str(child), _carrier(child)) for name, child in type_.children]
        if all(before == after for _, before, after in inside):
            return text
        return "STRUCT({})".format(", ".join(f"{_quoted(name)} {after}" for name, _, after in inside))
    return text


def _distinct(names: list[str]) -> list[str]:
    """The names, each with a number after it where an earlier column has it. (DuckDB's names have no case.)"""
    made: list[str] = []
    for name in names:
        taken = {each.lower() for each in (*names[len(made) + 1 :], *made)}
        first = name.lower() not in {each.lower() for each in made}
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        made.append(name if first else next(each for each in numbered if each.lower() not in taken))
    return made


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _widened(batch: pa.RecordBatch, schema: pa.Schema, huge: dict[int, str]) -> pa.RecordBatch:
    """The true numbers in the 128 bits that DuckDB always exports as a decimal of 38 digits."""
    import numpy as np
    import pyarrow.compute as pc

    columns = batch.columns
    for number, field in enumerate(schema):
        if pa.types.is_dictionary(field.type) and field.type != columns[number].type:
            indices, dictionary = columns[number].indices, columns[number].dictionary
            columns[number] = pa.DictionaryArray.from_arrays(indices, dictionary, ordered=True)
    for number, type_ in huge.items():
        column = columns[number]
        column = column.storage if isinstance(column, pa.ExtensionArray) else column  # the lossless setting is on
        words = np.frombuffer(column.buffers()[1], np.uint64).reshape(-1, 2)[column.offset :][: len(column)]
        wide = np.zeros((len(column), 4), np.uint64)
        wide[:, :2] = words
        if type_ == "HUGEINT":
            wide[:, 2:] = (words[:, 1:].astype(np.int64) >> 63).astype(np.uint64)
        values = pa.Array.from_buffers(_WIDE, len(column), [None, pa.py_buffer(wide)])
        columns[number] = pc.if_else(column.is_valid(), values, pa.scalar(None, _WIDE))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


# -- into DuckDB -------------------------------------------------------------------------------------------------------


def decode(table: pa.Table) -> Any:
    """A relation over the table, which it scans where it lies; only what needs a cast is copied.

    Raises ``UnsupportedTarget`` for what could not be read later, and for what would be read as something else.
    """
    import duckdb

    if not table.num_columns:
        raise UnsupportedTarget("duckdb", "it has no tables without columns")
    recorded = _recorded(table)
    table = with_metadata(table, {k: v for k, v in (table.schema.metadata or {}).items() if k != DUCKDB_KEY} or None)
    for number, type_ in recorded.items():
        if type_ in _HUGE:  # no Arrow type becomes these
            text = recast_column(table.column(number), pa.string())
            table = table.set_column(number, table.schema.field(number).with_type(pa.string()), text)
    table = fitted(table, "duckdb")
    _check_times(table)
    _check_by_reading(table)
    recorded = {**_enums(table), **recorded}
    relation = duckdb.from_arrow(table)
    casts = {number for number, type_ in recorded.items() if str(relation.types[number]) != type_}
    if not casts or len(set(table.column_names)) < table.num_columns:
        return relation
    columns = [(number, _quoted(name)) for number, name in enumerate(table.column_names)]
    return relation.project(
        ", ".join(f"CAST({it} AS {recorded[n]}) AS {it}" if n in casts else it for n, it in columns)
    )


def _enums(table: pa.Table) -> dict[int, str]:
    """The ENUM types of ordered dictionaries: as text they would be ordered by their letters."""
    enums = {}
    for number, column in enumerate(table.columns):
        if not (pa.types.is_dictionary(column.type) and column.type.ordered and is_text(column.type.value_type)):
            continue
        dictionary = max((chunk.dictionary for chunk in column.chunks), key=len, default=pa.array([], pa.string()))
        values = dictionary.to_pylist()
        if values and None not in values and len(set(values)) == len(values):
            enums[number] = "ENUM({})".format(", ".join("'" + value.replace("'", "''") + "'" for value in values))
    return enums


def _recorded(table: pa.Table) -> dict[int, str]:
    """The DuckDB types of the columns that nobody has changed since."""
    entries = json.loads((table.schema.metadata or {}).get(DUCKDB_KEY, b"[]"))
    known = {(name, kind): type_ for name, kind, type_ in entries}
    fields = ((number, (field.name, str(field.type))) for number, field in enumerate(table.schema))
    return {number: known[key] for number, key in fields if key in known}


def _check_times(table: pa.Table) -> None:
    """Refuse values that DuckDB would silently cut, or fail over when it reads them."""
    import pyarrow.compute as pc

    from . import spans

    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_timestamp(kind) and kind.unit in ("s", "ms"):
            furthest = 2**63 // (10**6 if kind.unit == "s" else 10**3) - 1
            low, high = (bound.value or 0 for bound in pc.min_max(column).values())
            if low < -furthest or high > furthest:
                raise UnsupportedTarget("duckdb", "it has times that are too far from 1970", name)
        if pa.types.is_interval(kind) and spans.are_finer(column):
            raise UnsupportedTarget("duckdb", "its INTERVAL counts microseconds, and these are finer", name)


def _check_by_reading(table: pa.Table) -> None:
    """Read nested columns once, in a database of its own: after some errors every query of a database fails."""
    import duckdb

    for name, column in zip(table.column_names, table.columns, strict=True):
        if not _is_risky(column.type):
            continue
        try:
            with duckdb.connect() as connection:
                connection.from_arrow(pa.table({"x": column})).aggregate("count(x), count(hash(x))").fetchall()
        except duckdb.Error as error:
            raise UnsupportedTarget("duckdb", _first_line(error), name) from None


def _is_risky(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_) or (pa.types.is_dictionary(type_) and pa.types.is_nested(type_.value_type)))


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200].rstrip(".")
