"""Where the bytes of a table, column or array are: in the shared memory, or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from .memory import rows_only


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
        from . import frames

        return frames.parts(value)
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
