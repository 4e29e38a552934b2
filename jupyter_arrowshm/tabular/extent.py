"""Where the bytes of a table, column or array are: in the shared memory, or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from ..arrowtypes import has_arrays, nested
from .memory import rows_only

_TABLES = ("pyarrow", "pandas", "geopandas", "polars")


def copied(value: Any, kind: str, start: int, size: int) -> dict[str, int]:
    """Bytes per column of ``value`` that are not in the mapping ``[start, start + size)``; only columns that have some.

    This goes by the addresses of buffers and arrays; nothing is computed. In
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
    elif library in _TABLES and not isinstance(value, type) and hasattr(value, "shape"):
        for _, arrays in _columns(value, library):
            yield from (address for array in arrays for address, _ in _blocks(array))


def _columns(value: Any, library: str) -> Iterable[tuple[str, Iterable[Any]]]:
    """The columns of a table of this library, each with the arrays behind it."""
    if library == "duckdb":
        return ()
    if library in ("pandas", "geopandas"):
        from . import frames

        return frames.parts(value)
    if library == "numpy":
        columns = value if isinstance(value, dict) else {"value": value}
        return ((name, [array]) for name, array in columns.items())
    if library == "polars":
        import polars as pl

        frame = value.to_frame() if isinstance(value, pl.Series) else value
        # polars computes a dictionary anew to hand over categories, which took as long as the rest of an attach. It
        # keeps the categories themselves once for the process.
        frame = frame.with_columns(*(one.to_physical() for one in frame if isinstance(one.dtype, pl.Categorical)))
        value = frame.to_arrow(compat_level=pl.CompatLevel.newest()) if frame.width else rows_only(0)
    numbers = [number for number, field in enumerate(value.schema) if has_arrays(field.type)]
    return ((value.schema.names[number], [value.column(number)]) for number in numbers)


def _blocks(array: Any) -> Iterator[tuple[int, int]]:
    """Address and length of each piece of memory behind a NumPy or Arrow array."""
    if isinstance(array, pa.ChunkedArray):
        for chunk in array.chunks:
            yield from _blocks(chunk)
    elif isinstance(array, pa.Array):
        yield from ((buffer.address, buffer.size) for buffer in array.buffers() if buffer is not None and buffer.size)
        for dictionary in _dictionaries(array):
            yield from _blocks(dictionary)
    elif array.nbytes:
        yield array.__array_interface__["data"][0], array.nbytes
        mask = getattr(array, "mask", None)  # only masked arrays have one; a shared "nothing is masked" has no extent
        if mask is not None and mask.ndim:
            yield mask.__array_interface__["data"][0], mask.nbytes


def _dictionaries(array: pa.Array) -> Iterator[pa.Array]:
    """The dictionaries of an array and of its parts; they are not among its buffers."""
    if not any(map(pa.types.is_dictionary, nested(array.type))):
        return
    if isinstance(array, pa.ExtensionArray):
        yield from _dictionaries(array.storage)
    elif isinstance(array, pa.DictionaryArray):
        yield array.dictionary
    elif pa.types.is_struct(array.type) or pa.types.is_union(array.type):
        for number in range(array.type.num_fields):
            yield from _dictionaries(array.field(number))
    else:
        for part in [array.keys, array.items] if pa.types.is_map(array.type) else [array.values]:
            yield from _dictionaries(part)
