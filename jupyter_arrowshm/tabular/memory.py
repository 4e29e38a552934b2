"""Arrow tables as they are kept: a private copy of one, its schema's metadata, its rows without columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

# Our keys in the schema's metadata: how to restore what the conversion to Arrow loses. JSON, never pickle.
PANDAS_KEY = b"arrowshm.pandas"
NUMPY_KEY = b"arrowshm.numpy"
ARRAY_KEY = b"arrowshm.array"
DUCKDB_KEY = b"arrowshm.duckdb"
OUR_KEYS = (PANDAS_KEY, NUMPY_KEY, ARRAY_KEY, DUCKDB_KEY)


def rows_only(num_rows: int) -> pa.Table:
    """A table of no columns: only a selection of one that had some keeps its number of rows."""
    return pa.table({"": pa.nulls(num_rows)}).select([])


def with_metadata(table: pa.Table, metadata: dict[bytes, bytes] | None) -> pa.Table:
    """The table with this as its schema's metadata. (pyarrow's own loses the rows of a table without columns.)"""
    if table.num_columns:
        return table.replace_schema_metadata(metadata)
    return pa.table({"": pa.nulls(table.num_rows)}).replace_schema_metadata(metadata).select([])


def deep_copy(table: pa.Table) -> pa.Table:
    """The table in one buffer of its own, of the exact size. (pyarrow has no deep copy; a stream through memory is.)"""
    measure = pa.MockOutputStream()
    _stream(measure, table)
    buffer = pa.allocate_buffer(measure.size())
    _stream(pa.FixedSizeBufferWriter(buffer), table)
    return pa.ipc.open_stream(buffer).read_all()


def _stream(sink: Any, table: pa.Table) -> None:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def private_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A copy of one column, as :func:`deep_copy`."""
    return deep_copy(pa.table({"": column})).column(0)
