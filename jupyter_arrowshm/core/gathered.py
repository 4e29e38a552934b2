"""Many record batches in memory, as one of which no value is copied before it is written.

pyarrow writes a batch buffer by buffer, and hands each buffer to the file object as it is. So the one batch is made of
addresses that nothing is stored at, and where pyarrow hands over such a buffer, the file gets the pieces of the many
batches instead. Only what must change is made anew, piece by piece: validity and offsets (the columnar specification's
"Physical Memory Layout").
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from ..arrowtypes import nested

_MAX_OFFSET = (1 << 31) - 1  # of 32 bits
_ROWS = 1 << 20  # whose offsets are made at a time

Pieces = Callable[[], Iterable[memoryview]]


class Apart(Exception):
    """These rows cannot be in one batch."""


def can_gather(schema: pa.Schema) -> bool:
    """Whether every type of the schema can be put together without a copy of its values."""
    return all(_is_plain(part) for field in schema for part in nested(field.type))


def _is_plain(type_: pa.DataType) -> bool:
    types = pa.types
    has_offsets = types.is_list(type_) or types.is_large_list(type_) or _offset_bytes(type_)
    is_whole = types.is_struct(type_) or types.is_fixed_size_list(type_) or types.is_dictionary(type_)
    return bool(has_offsets or is_whole or types.is_null(type_) or _is_fixed(type_))


def _is_fixed(type_: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(type_) or pa.types.is_decimal(type_) or pa.types.is_fixed_size_binary(type_))


def _offset_bytes(type_: pa.DataType) -> int:
    types = pa.types
    if types.is_string(type_) or types.is_binary(type_) or types.is_list(type_):
        return 4
    return 8 if types.is_large_string(type_) or types.is_large_binary(type_) or types.is_large_list(type_) else 0


class Gathered:
    """One record batch with the rows of several.

    Attributes
    ----------
    batch
        To be handed to pyarrow's writer, and to nobody else: its buffers cannot be read.
    pieces
        By the address of a buffer, its length in bytes and what is to be written for it. The writer takes out what it
        has written; nothing is left when the whole batch is.

    Raises
    ------
    Apart
        Texts or lists are longer than 32-bit offsets reach, or a column has several dictionaries.
    OSError
        There is not as much address space.
    """

    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self.pieces: dict[int, tuple[int, Pieces]] = {}
        batches = [batch for batch in batches if batch.num_rows] or batches[:1]
        schema = batches[0].schema
        columns = [
            self._array(field.type, [batch.column(number) for batch in batches]) for number, field in enumerate(schema)
        ]
        self.batch = pa.RecordBatch.from_arrays(columns, schema=schema)

    def _array(self, type_: pa.DataType, chunks: list[Any]) -> pa.Array:
        if isinstance(type_, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(type_, self._array(type_.storage_type, [c.storage for c in chunks]))
        rows, nulls = sum(map(len, chunks)), sum(chunk.null_count for chunk in chunks)
        if pa.types.is_null(type_):
            return pa.nulls(rows)
        if pa.types.is_dictionary(type_):
            if not all(chunk.dictionary.equals(chunks[0].dictionary) for chunk in chunks[1:]):
                raise Apart
            indices = self._array(type_.index_type, [chunk.indices for chunk in chunks])
            return pa.DictionaryArray.from_arrays(indices, chunks[0].dictionary, ordered=type_.ordered, safe=False)
        validity = (
            self._promise((rows + 7) // 8, lambda: _bits([chunk.is_valid() for chunk in chunks])) if nulls else None
        )
        buffers, children = [validity], []
        if pa.types.is_struct(type_):
            fields = range(type_.num_fields)
            children = [self._array(type_.field(n).type, [chunk.field(n) for chunk in chunks]) for n in fields]
        elif pa.types.is_fixed_size_list(type_):
            size = type_.list_size
            children = [self._array(type_.value_type, [c.values.slice(c.offset * size, len(c) * size) for c in chunks])]
        elif width := _offset_bytes(type_):
            bounds = [_bounds(chunk, width) for chunk in chunks]
            buffers.append(self._offsets(chunks, bounds, width))
            if type_.num_fields:
                parts = [c.values.slice(first, last - first) for c, (first, last) in zip(chunks, bounds, strict=True)]
                children = [self._array(type_.value_type, parts)]
            else:
                buffers.append(self._slices([(c.buffers()[2], *ends) for c, ends in zip(chunks, bounds, strict=True)]))
        elif pa.types.is_boolean(type_):
            buffers.append(self._promise((rows + 7) // 8, lambda: _bits([_without_nulls(chunk) for chunk in chunks])))
        else:
            width = type_.bit_width // 8
            spans = [(c.buffers()[1], c.offset * width, (c.offset + len(c)) * width) for c in chunks]
            buffers.append(self._slices(spans))
        return pa.Array.from_buffers(type_, rows, buffers, nulls, 0, children or None)

    def _slices(self, spans: list[tuple[pa.Buffer | None, int, int]]) -> pa.Buffer:
        def pieces() -> Iterator[memoryview]:
            for buffer, first, last in spans:
                if last > first:
                    yield memoryview(buffer)[first:last]  # type: ignore[arg-type]

        return self._promise(sum(last - first for _, first, last in spans), pieces)

    def _offsets(self, chunks: list[Any], bounds: list[tuple[int, int]], width: int) -> pa.Buffer:
        total, rows = sum(last - first for first, last in bounds), sum(map(len, chunks))
        if width == 4 and total > _MAX_OFFSET:
            raise Apart
        if not rows:
            return pa.py_buffer(bytes(width))
        # pyarrow asks the last offset how long the values are. No other page of these is ever touched.
        known = mmap.mmap(-1, (rows + 1) * width, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        known[-width:] = total.to_bytes(width, sys.byteorder)
        return self._promised(pa.py_buffer(known), lambda: _rebased(chunks, bounds, width))

    def _promise(self, size: int, pieces: Pieces) -> pa.Buffer:
        if not size:
            return pa.py_buffer(b"")
        # Memory that nobody may write to is not counted by the kernel, and none is used as long as nobody reads it.
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        return self._promised(pa.py_buffer(mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ)), pieces)

    def _promised(self, buffer: pa.Buffer, pieces: Pieces) -> pa.Buffer:
        self.pieces[buffer.address] = buffer.size, pieces
        return buffer


def _bounds(chunk: Any, width: int) -> tuple[int, int]:
    offsets = chunk.buffers()[1]
    if not len(chunk) or offsets is None or not offsets.size:
        return 0, 0
    view = memoryview(offsets).cast("q" if width == 8 else "i")
    return view[chunk.offset], view[chunk.offset + len(chunk)]


def _rebased(chunks: list[Any], bounds: list[tuple[int, int]], width: int) -> Iterator[memoryview]:
    """The offsets of all chunks, one behind the other."""
    import numpy as np

    kind, base = np.dtype(f"i{width}"), 0
    for chunk, (first, last) in zip(chunks, bounds, strict=True):
        if len(chunk):
            offsets = np.frombuffer(chunk.buffers()[1], kind)[chunk.offset :][: len(chunk)]
            for start in range(0, len(chunk), _ROWS):
                yield memoryview((offsets[start : start + _ROWS] + kind.type(base - first)).data).cast("B")
        base += last - first
    yield memoryview(np.array([base], kind).data).cast("B")


def _without_nulls(chunk: Any) -> pa.Array:
    return pa.Array.from_buffers(chunk.type, len(chunk), [None, chunk.buffers()[1]], 0, chunk.offset)


def _bits(chunks: list[pa.Array]) -> list[memoryview]:
    """The bits of arrays of booleans without nulls, one behind the other."""
    together = pa.concat_arrays(chunks)
    return [memoryview(together.buffers()[1])[: (len(together) + 7) // 8]]


def gathered(batches: list[pa.RecordBatch]) -> Iterator[Gathered]:
    """All rows, in order, in as few batches as can be."""
    while batches:
        fits, most = 0, len(batches)
        number = most
        while fits < most:
            try:
                one, fits = Gathered(batches[:number]), number
            except Apart:
                most = number - 1
            number = (fits + most + 1) // 2
        yield one
        batches = batches[fits:]
