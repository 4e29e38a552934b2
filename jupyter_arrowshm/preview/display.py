"""Cells as the text that people read, of bounded length, made without touching more of a cell than is shown.

A scalar of pyarrow is a copy of its cell: of a 2 GB text, 2 GB. So text and
binary are read from their buffers, cell by cell, with bounds of our own.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import is_binary, is_text, plain
from .kind import check, decoded

ELLIPSIS = "…"
Texts = list[str | None]


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, of which the last tells that there are more."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def texts(array: pa.Array, positions: Sequence[int], limit: int) -> Texts:
    """These cells of an array, each as at most ``limit + 1`` characters: one more means that there is more.

    Raises
    ------
    pyarrow.ArrowInvalid
        A cell points out of its array.
    """
    if not len(positions):
        return []
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        found = texts(array.storage, positions, limit)
        return [text and _dashed(text) for text in found] if type_.extension_name == "arrow.uuid" else found
    if pa.types.is_dictionary(type_):
        return _of_dictionary(array, positions, limit)
    if pa.types.is_run_end_encoded(type_):
        return texts(array.values, _runs(array, positions), limit)
    if is_text(type_):
        return [
            cell if cell is None else bytes(cell).decode(errors="replace")[: limit + 1]
            # No character is longer than four bytes.
            for cell in cells(array, positions, 4 * (limit + 1))
        ]
    if is_binary(type_):
        return [cell if cell is None else cell.hex()[: limit + 1] for cell in cells(array, positions, limit // 2 + 1)]
    if pa.types.is_null(type_):
        return [None] * len(positions)
    if pa.types.is_nested(type_):
        return [_nested(array, position, limit) for position in positions]
    return [text and text[: limit + 1] for text in _simple(taken(array, positions))]


def numbers(array: pa.Array, positions: Sequence[int]) -> pa.Array:
    """These cells of an array of numbers or bools, as they are; float16, which few readers know, as float32."""
    found = decoded(taken(array, positions))
    check(found)  # they travel as they are
    return found.cast(pa.float32()) if pa.types.is_float16(found.type) else found


def _runs(array: pa.RunEndEncodedArray, positions: Sequence[int]) -> list[int]:
    # A slice of one row knows by itself which run it is in.
    return [array.slice(position, 1).find_physical_offset() for position in positions]


def taken(array: pa.Array, positions: Sequence[int]) -> pa.Array:
    """The rows at these positions, of an array of small cells; not of every type in the array's own type."""
    if isinstance(positions, range):
        return array.slice(positions.start, len(positions))
    if isinstance(array.type, pa.BaseExtensionType):
        return taken(array.storage, positions)
    if pa.types.is_run_end_encoded(array.type):
        return taken(array.values, _runs(array, positions))
    return array.take(pa.array(positions, pa.int64()))


def _of_dictionary(array: pa.DictionaryArray, positions: Sequence[int], limit: int) -> Texts:
    indices = taken(array.indices, positions).to_pylist()
    distinct = sorted({index for index in indices if index is not None})
    known: dict[int | None, str | None] = dict(zip(distinct, texts(array.dictionary, distinct, limit), strict=True))
    return [known.get(index) for index in indices]


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])) if len(text) == 32 else text


# -- text and binary ---------------------------------------------------------------------------------------------------


def cells(array: pa.Array, positions: Sequence[int], limit: int) -> Iterator[memoryview | bytes | None]:
    """At most the first ``limit`` bytes of each cell, in place."""
    buffers = array.buffers()
    is_valid = _validity(buffers[0])
    find = (
        _cell_of_view(buffers)
        if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type)
        else _cell_by_offsets(array.type, buffers)
    )
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
            raise pa.ArrowInvalid("a text ends where there is no data")
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
            raise pa.ArrowInvalid("a text ends where there is no data")
        cell: memoryview = data[buffer][start : start + min(length, limit)]
        return cell

    return find


# -- numbers and times -------------------------------------------------------------------------------------------------


def _simple(array: pa.Array) -> Texts:
    type_ = array.type
    if pa.types.is_duration(type_):
        return [None if value is None else _duration(value, type_.unit) for value in array.view(pa.int64()).to_pylist()]
    if pa.types.is_interval(type_):
        return [None if value is None else _interval(value) for value in array.to_pylist()]
    found = _with_zone(array) if pa.types.is_timestamp(type_) and type_.tz else array.cast(pa.string())
    if pa.types.is_timestamp(type_) or pa.types.is_time(type_):
        found = pc.replace_substring_regex(found, r"\.0+(Z|[+-]\d{4})?$", r"\1")
    cells: Texts = found.to_pylist()
    return cells


def _with_zone(array: pa.Array) -> pa.Array:
    wall = array.view(pa.timestamp(array.type.unit)).cast(pa.string())
    try:
        # What no calendar has, Arrow says of times without a zone; with one it shows a wrong year.
        return pc.if_else(pc.starts_with(wall, "<"), wall, array.cast(pa.string()))
    except pa.ArrowInvalid:  # no such time zone on this machine
        return pc.binary_join_element_wise(wall, "Z", "")


def _duration(value: int, unit: str) -> str:
    digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    seconds, part = divmod(abs(value), 10**digits)
    days, seconds = divmod(seconds, 86_400)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{part:0{digits}}" if part else ""
    return f"{'-' if value < 0 else ''}{f'{days} days ' if days else ''}{text}"


def _interval(value: Any) -> str:
    return f"{value.months} months {value.days} days {value.nanoseconds} ns"


# -- nested ------------------------------------------------------------------------------------------------------------


def _nested(array: pa.Array, position: int, limit: int) -> str | None:
    """Lists, structs and maps much as JSON has them; a null at the top is no text."""
    if is_null(array, position):
        return None
    writer = _Writer(limit + 1)
    writer.cell(array, position)
    return "".join(writer.parts)[: limit + 1]


def _is_nested(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_) and not pa.types.is_run_end_encoded(type_))


def is_null(array: pa.Array, position: int) -> bool:
    # Not by array[position]: the scalar of a struct copies all that is in it.
    return bool(array.slice(position, 1).null_count)


class _Writer:
    """Writes one cell until there is enough: the work is bounded by what is shown, however deep or long the cell."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.room -= len(text)

    def cell(self, array: pa.Array, position: int) -> None:
        type_ = array.type
        if isinstance(type_, pa.BaseExtensionType):
            self.cell(array.storage, position)
        elif not _is_nested(type_):
            self.leaves(array, range(position, position + 1))
        elif is_null(array, position):
            self.put("null")
        elif pa.types.is_struct(type_):
            self.struct(array, position)
        elif pa.types.is_union(type_):
            self.union(array, position)
        elif pa.types.is_map(type_):
            self.map(array[position].values)
        else:
            self.list(array[position].values)

    def leaves(self, array: pa.Array, positions: range) -> None:
        quote = is_text(plain(array.type))
        for index, text in enumerate(texts(array, positions, max(1, self.room))):
            if self.room <= 0:
                return
            self.put(", " if index else "")
            self.put("null" if text is None else json.dumps(text, ensure_ascii=False) if quote else text)

    def list(self, values: pa.Array) -> None:
        if _is_nested(plain(values.type)):
            self.sequence("[]", len(values), lambda index: self.cell(values, index))
            return
        self.put("[")
        shown = min(len(values), max(1, self.room))
        self.leaves(values, range(shown))
        self.put("]" if shown == len(values) else ", ")

    def struct(self, array: pa.StructArray, position: int) -> None:
        def field(index: int) -> None:
            self.put(f"{array.type.field(index).name[: max(0, self.room)]}: ")
            self.cell(array.field(index), position)

        self.sequence("{}", array.type.num_fields, field)

    def map(self, entries: pa.StructArray) -> None:
        keys, values = entries.field(0), entries.field(1)

        def entry(index: int) -> None:
            self.cell(keys, index)
            self.put(": ")
            self.cell(values, index)

        self.sequence("{}", len(entries), entry)

    def union(self, array: pa.UnionArray, position: int) -> None:
        # From the buffers: pyarrow's type_codes and offsets forget where a slice begins.
        buffers, index = array.buffers(), array.offset + position
        (code,) = struct.unpack_from("<b", buffers[1], index)
        child = array.field(array.type.type_codes.index(code))
        self.cell(child, struct.unpack_from("<i", buffers[2], 4 * index)[0] if array.type.mode == "dense" else position)

    def sequence(self, brackets: str, length: int, put: Callable[[int], None]) -> None:
        self.put(brackets[0])
        for index in range(length):
            if self.room <= 0:
                return
            if index:
                self.put(", ")
            put(index)
        self.put(brackets[1])
