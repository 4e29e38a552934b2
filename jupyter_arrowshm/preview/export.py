"""The first rows of a view as a file to save: CSV, Parquet or Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..arrowtypes import is_binary, is_text, is_view, nested, plain
from ..errors import InvalidQuery
from . import layout
from .cells import cells
from .display import cut, numbers, taken, texts
from .extensions import PeriodType, innermost
from .kind import check, comparable_type, decoded, is_comparable
from .page import MAX_COLUMNS, travels
from .patience import Patience
from .source import Source

MAX_ROWS = 100_000
MAX_BYTES = 16_000_000
FORMATS = ("csv", "parquet", "arrow")
_BLOCK = 1000  # rows that are taken at once
_CELL = 10_000  # characters of a nested cell in CSV, which has no such thing


@dataclass(frozen=True)
class File:
    """``is_cut``: the view has more rows or columns than the file."""

    data: bytes
    num_rows: int
    is_cut: bool


def export(source: Source, rows: Sequence[int], columns: Sequence[int], format: str, patience: Patience) -> File:
    """The first of these rows, as many as 100,000 rows, 200 columns, about 16 MB and the time allow.

    Text, numbers and times keep their type, but not how they are stored: a
    dictionary, runs or a view become plain values. A column that this format
    has no type for, or with values that are not of its type, is text, as a page shows it.

    Raises
    ------
    InvalidQuery
        There is no such format.
    """
    if format not in FORMATS:
        raise InvalidQuery(f"a file's format is {', '.join(FORMATS)}, not {format[:20]!r}")
    chosen = columns[:MAX_COLUMNS]
    tables = [_table(source, chosen, rows[:0], format)]
    done = nbytes = 0
    while done < min(len(rows), MAX_ROWS) and (not patience.is_over() or not done):
        table = _table(source, chosen, rows[done : min(done + _BLOCK, MAX_ROWS)], format)
        nbytes += table.nbytes
        if done and nbytes > MAX_BYTES:
            break
        tables.append(table)
        done += min(_BLOCK, MAX_ROWS - done, len(rows) - done)
    is_cut = done < len(rows) or len(chosen) < len(columns)
    table = pa.concat_tables(tables)
    if (data := _written(table, format)) is None:
        for place, number in enumerate(chosen):
            if _written(table.select([place]), format) is None:
                column = _column(source, number, rows[:done], as_text=True)
                table = table.set_column(place, table.schema.field(place).name, column)
        data = _written(table, format)
    if data is None:
        raise InvalidQuery(f"a file of {format} cannot hold this; try another format")
    return File(data, done, is_cut)


def _table(source: Source, columns: Sequence[int], rows: Sequence[int], format: str) -> pa.Table:
    arrays = [_column(source, number, rows, format == "csv") for number in columns]
    return pa.table(arrays, [source.schema.field(number).name for number in columns])


def _column(source: Source, number: int, rows: Sequence[int], as_text: bool) -> pa.ChunkedArray:
    type_ = source.schema.field(number).type
    wanted = plain(type_)
    pieces = source.pieces(number, rows)
    if travels(type_):
        wanted = pa.float32() if pa.types.is_float16(wanted) else wanted
        arrays = [numbers(array, positions) for array, positions in pieces]
    elif is_text(type_) or (is_binary(type_) and not as_text):
        wanted = pa.large_string() if is_text(type_) else pa.large_binary()
        arrays = [_copied(array, positions, wanted) for array, positions in pieces]
    elif as_text or isinstance(innermost(type_), PeriodType) or any(map(_is_unheard_of, nested(type_))):
        wanted = pa.string()
        arrays = [pa.array(_texts(array, type_, positions), wanted) for array, positions in pieces]
    elif is_comparable(type_):
        wanted = comparable_type(wanted) if is_view(wanted) else wanted
        arrays = [decoded(taken(array, positions)) for array, positions in pieces]
    else:
        wanted = layout.without_extensions(type_)
        slices = (array.slice(position, 1) for array, positions in pieces for position in positions)
        arrays = [array if array.type == wanted else layout.with_type(array, wanted) for array in slices]
    if not pa.types.is_nested(wanted):  # which was checked as a whole, and is again for each slice of it
        for array in arrays:
            check(array)
    return pa.chunked_array(arrays, wanted)


def _is_unheard_of(type_: pa.DataType) -> bool:
    """Whether pyarrow has no arrays of this type, or writes Parquet that it cannot read: lists of exactly no items."""
    return layout.is_interval(type_) or (pa.types.is_fixed_size_list(type_) and type_.list_size == 0)


def _copied(array: pa.Array, positions: Sequence[int], type_: pa.DataType) -> pa.Array:
    values = [cell if cell is None else bytes(cell) for cell in cells(array, positions, MAX_BYTES + 1)]
    if any(cell is not None and len(cell) > MAX_BYTES for cell in values):
        raise InvalidQuery("a cell is larger than a file may be")
    if is_text(type_):  # as a page shows it where it is not UTF-8
        return pa.array([cell if cell is None else cell.decode(errors="replace") for cell in values], type_)
    return pa.array(values, type_)


def _texts(array: pa.Array, type_: pa.DataType, positions: Sequence[int]) -> list[str | None]:
    return [text and cut(text, _CELL) for text in texts(array, type_, positions, _CELL)]


def _written(table: pa.Table, format: str) -> bytes | None:
    """``None`` where the format has no such types, or no such values of theirs."""
    sink = pa.BufferOutputStream()
    try:
        # Parquet would cut decimals of more digits than their type has, and readers of Arrow may refuse them.
        table.validate(full=True)
        if format == "csv":
            import pyarrow.csv

            pyarrow.csv.write_csv(table, sink)
        elif format == "parquet":
            import pyarrow.parquet

            pyarrow.parquet.write_table(table.combine_chunks(), sink)
        else:
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table.combine_chunks())
    except (pa.ArrowException, OSError):  # some of Parquet's own errors are an OSError
        return None
    return bytes(sink.getvalue())
