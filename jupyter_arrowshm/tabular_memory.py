"""Where the bytes of a table are: a private copy of them, and which of a result's are not in a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

# Our keys in the schema's metadata: how to undo what the way through Arrow loses. JSON, never pickle.
PANDAS_KEY = b"arrowshm.pandas"
NUMPY_KEY = b"arrowshm.numpy"


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


def copied(value: Any, kind: str, start: int, size: int) -> dict[str, int]:
    """Bytes per column of ``value`` that are not in the mapping ``[start, start + size)``; only columns that have some.

    Judged by the addresses of buffers and arrays; nothing is computed. Of
    object columns only the pointers count, not the Python objects. A DuckDB
    relation scans the table where it is, so it has none.
    """
    sizes: dict[str, int] = {}
    for name, arrays in _columns(value, kind.partition(".")[0]):
        blocks = {block for array in arrays for block in _blocks(array)}
        outside = sum(length for address, length in blocks if not start <= address < start + size)
        if outside:
            sizes[name] = sizes.get(name, 0) + outside
    return sizes


def addresses(value: Any) -> Iterator[int]:
    """Where the memory behind a table, column, array or buffer begins, piece by piece; nothing for other objects."""
    library = type(value).__module__.partition(".")[0]
    if isinstance(value, pa.Buffer):
        yield value.address
    elif isinstance(value, pa.Array | pa.ChunkedArray) or (
        library == "numpy" and hasattr(value, "__array_interface__")
    ):
        yield from (address for address, _ in _blocks(value))
    elif library in ("pyarrow", "pandas", "polars") and not isinstance(value, type) and hasattr(value, "shape"):
        for _, arrays in _columns(value, library):
            yield from (address for array in arrays for address, _ in _blocks(array))


def _columns(value: Any, library: str) -> Iterable[tuple[str, Iterable[Any]]]:
    """The columns of a table of this library, each with the arrays behind it."""
    if library == "duckdb":
        return ()
    if library == "pandas":
        from . import tabular_pandas

        return tabular_pandas.parts(value)
    if library == "numpy":
        return ((name, [array]) for name, array in value.items())
    if library == "polars":
        import polars as pl

        frame = value.to_frame() if isinstance(value, pl.Series) else value
        value = frame.to_arrow(compat_level=pl.CompatLevel.newest()) if frame.width else rows_only(0)
    return zip(value.column_names, ([column] for column in value.columns), strict=True)


def _blocks(array: Any) -> Iterator[tuple[int, int]]:
    """Address and length of each piece of memory behind a NumPy or Arrow array."""
    if isinstance(array, pa.ChunkedArray):
        for chunk in array.chunks:
            yield from _blocks(chunk)
    elif isinstance(array, pa.Array):
        yield from ((buffer.address, buffer.size) for buffer in array.buffers() if buffer is not None and buffer.size)
        storage = array.storage if isinstance(array, pa.ExtensionArray) else array
        if isinstance(storage, pa.DictionaryArray):
            yield from _blocks(storage.dictionary)
    elif array.nbytes:
        yield array.__array_interface__["data"][0], array.nbytes
        mask = getattr(array, "mask", None)  # of a masked array; a shared "nothing is masked" has no extent
        if mask is not None and mask.ndim:
            yield mask.__array_interface__["data"][0], mask.nbytes
