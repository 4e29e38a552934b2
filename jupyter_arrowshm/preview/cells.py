"""Cells of text and binary, read from their buffers, with bounds of our own.

A pyarrow scalar is a copy of its cell: 2 GB for a text of 2 GB.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from ..arrowtypes import is_view
from .damage import Damage


def cells(array: pa.Array, positions: Sequence[int], limit: int) -> Iterator[memoryview | bytes | None]:
    """At most the first ``limit`` bytes of each cell, in place."""
    buffers = array.buffers()
    is_valid = _validity(buffers[0])
    find = _cell_of_view(buffers) if is_view(array.type) else _cell_by_offsets(array.type, buffers)
    for position in positions:
        index = array.offset + position
        yield find(index, limit) if is_valid(index) else None


def _validity(bitmap: pa.Buffer | None) -> Callable[[int], object]:
    if bitmap is None:
        return lambda index: True
    bits = memoryview(bitmap)
    return lambda index: bits[index >> 3] >> (index & 7) & 1


def _bytes(buffer: pa.Buffer | None) -> memoryview:
    return memoryview(buffer) if buffer is not None else memoryview(b"")


def _cell_by_offsets(type_: pa.DataType, buffers: list[pa.Buffer | None]) -> Callable[[int, int], memoryview]:
    data = _bytes(buffers[-1])
    if pa.types.is_fixed_size_binary(type_):
        width: int = type_.byte_width
        return lambda index, limit: data[index * width : index * width + min(width, limit)]
    width = 8 if pa.types.is_large_string(type_) or pa.types.is_large_binary(type_) else 4
    offsets = _bytes(buffers[1])
    pair = struct.Struct("<qq" if width == 8 else "<ii")

    def find(index: int, limit: int) -> memoryview:
        start, stop = pair.unpack_from(offsets, index * width)
        if not 0 <= start <= stop <= len(data):
            raise Damage("a text ends where there is no data")
        cell: memoryview = data[start : min(stop, start + limit)]
        return cell

    return find


def _cell_of_view(buffers: list[pa.Buffer | None]) -> Callable[[int, int], memoryview]:
    """Columnar format, "Variable-size Binary View Layout": up to 12 bytes in place, others in a buffer."""
    views, data = _bytes(buffers[1]), [_bytes(buffer) for buffer in buffers[2:]]

    def find(index: int, limit: int) -> memoryview:
        length, _, buffer, start = struct.unpack_from("<iiii", views, 16 * index)
        if 0 <= length <= 12:
            return views[16 * index + 4 :][: min(length, limit)]
        if length < 0 or not 0 <= buffer < len(data) or not 0 <= start <= len(data[buffer]) - length:
            raise Damage("a text ends where there is no data")
        cell: memoryview = data[buffer][start : start + min(length, limit)]
        return cell

    return find
