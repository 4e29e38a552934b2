"""Cells as the text that people read, of bounded length, made without touching more of a cell than is shown."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .. import words
from ..arrowtypes import is_binary, is_text, plain
from . import geometry, layout, period
from .cells import cells
from .extensions import GeometryType, IntervalType, PeriodType
from .kind import check, decoded, is_bool8, missing, shape_name, storage_of, without_views
from .numbers import Numbers

ELLIPSIS = "…"
Texts = list[str | None]
_ENDS = {"left": "[)", "right": "(]", "both": "[]", "neither": "()"}


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters; the last one tells that there are more."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def texts(array: pa.Array, type_: pa.DataType, positions: Sequence[int], limit: int) -> Texts:
    """These cells of an array, each as at most ``limit + 1`` characters: one more means that there is more.

    Parameters
    ----------
    type_
        The type that the table has for them (:attr:`Source.schema`). The array is of that type, or of its storage's.

    Raises
    ------
    pyarrow.ArrowInvalid
        A cell points out of its array.
    """
    if not len(positions):
        return []
    if isinstance(type_, pa.BaseExtensionType):
        return _of_extension(storage_of(array), type_, positions, limit)
    if pa.types.is_dictionary(type_):
        return _of_dictionary(array, type_.value_type, positions, limit)
    if pa.types.is_run_end_encoded(type_):
        return texts(array.values, type_.value_type, _runs(array, positions), limit)
    if is_text(type_):
        return [
            cell if cell is None else bytes(cell).decode(errors="replace")[: limit + 1]
            # No character is longer than four bytes.
            for cell in cells(array, positions, 4 * (limit + 1))
        ]
    if layout.is_interval(type_):
        return [value if value is None else _older_interval(value) for value in taken(array, positions).to_pylist()]
    if is_binary(type_):
        return [cell if cell is None else cell.hex()[: limit + 1] for cell in cells(array, positions, limit // 2 + 1)]
    if pa.types.is_null(type_):
        return [None] * len(positions)
    if pa.types.is_nested(type_):
        return [_nested(array, type_, position, limit) for position in positions]
    return [text and text[: limit + 1] for text in _simple(taken(array, positions))]


def _of_extension(array: pa.Array, type_: pa.BaseExtensionType, positions: Sequence[int], limit: int) -> Texts:
    if isinstance(type_, PeriodType):
        numbers = taken(array, positions).to_pylist()
        return [number if number is None else period.text(number, type_.frequency) for number in numbers]
    if isinstance(type_, (IntervalType, pa.FixedShapeTensorType)):
        return [_nested(array, type_, position, limit) for position in positions]
    if isinstance(type_, GeometryType):
        some = cells(array, positions, geometry.num_bytes(limit + 1))
        return [cell if cell is None else _shape(cell, limit + 1) for cell in some]
    if is_bool8(type_):
        stored = taken(array, positions).to_pylist()
        return [number if number is None else "true" if number else "false" for number in stored]
    found = texts(array, type_.storage_type, positions, limit)
    return [text and _dashed(text) for text in found] if type_.extension_name == "arrow.uuid" else found


def _shape(wkb: memoryview | bytes, limit: int) -> str:
    text = geometry.text(wkb, limit)
    return (bytes(wkb[:limit]).hex() if text is None else text)[:limit]


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
        stored = taken(array.storage, positions)
        return pa.ExtensionArray.from_storage(array.type, stored) if is_bool8(array.type) else stored
    if pa.types.is_run_end_encoded(array.type):
        return taken(array.values, _runs(array, positions))
    places = positions.array if isinstance(positions, Numbers) else pa.array(positions, pa.int64())
    return without_views(array).take(places)


def _of_dictionary(array: pa.DictionaryArray, type_: pa.DataType, positions: Sequence[int], limit: int) -> Texts:
    indices = taken(array.indices, positions).to_pylist()
    distinct = sorted({index for index in indices if index is not None})
    known: dict[int | None, str | None] = dict(
        zip(distinct, texts(array.dictionary, type_, distinct, limit), strict=True)
    )
    return [known.get(index) for index in indices]


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])) if len(text) == 32 else text


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
        # For times without a zone Arrow says when no calendar has them; with one it shows a wrong year.
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
    return _span((value.months, "month"), (value.days, "day"), (value.nanoseconds, "ns"))


def _older_interval(value: int | bytes) -> str:
    if isinstance(value, int):
        return _span((value, "month"))
    days, milliseconds = struct.unpack("<ii", value)
    return _span((days, "day"), (milliseconds, "ms"))


def _span(*parts: tuple[int, str]) -> str:
    said = [f"{number} {unit}" if unit.endswith("s") else words.count(number, unit) for number, unit in parts if number]
    return " ".join(said) or words.count(0, parts[0][1])


# -- nested ------------------------------------------------------------------------------------------------------------


def _nested(array: pa.Array, type_: pa.DataType, position: int, limit: int) -> str | None:
    """Lists, structs and maps, much as in JSON; a null at the top is not text."""
    if is_null(array, position):
        return None
    writer = _Writer(limit + 1)
    writer.cell(array, type_, position, is_inside=False)
    return "".join(writer.parts)[: limit + 1]


def _is_nested(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_) and not pa.types.is_run_end_encoded(type_))


def is_null(array: pa.Array, position: int) -> bool:
    # Not by array[position]: the scalar of a struct copies all that is in it.
    one = array.slice(position, 1)
    if pa.types.is_union(one.type):  # which has no nulls of its own, but those inside
        return bool(missing(one)[0].as_py())
    return bool(one.null_count)


def is_special(type_: pa.DataType) -> bool:
    """Whether an extension's cells have a text of their own, however they are stored."""
    return isinstance(type_, (PeriodType, IntervalType, GeometryType, pa.FixedShapeTensorType))


def member_of_union(array: pa.UnionArray, type_: pa.UnionType, position: int) -> tuple[pa.Array, pa.DataType, int]:
    """The array that the value at this position is in, its type, and the position there."""
    # From the buffers: pyarrow's type_codes and offsets forget where a slice begins.
    buffers, index = array.buffers(), array.offset + position
    (code,) = struct.unpack_from("<b", buffers[1], index)
    number = type_.type_codes.index(code)
    place = struct.unpack_from("<i", buffers[2], 4 * index)[0] if type_.mode == "dense" else position
    return array.field(number), type_.field(number).type, place


class _Writer:
    """Writes one cell until there is enough: the work is bounded by what is shown, however deep or long the cell."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.room -= len(text)

    def cell(self, array: pa.Array, type_: pa.DataType, position: int, *, is_inside: bool = True) -> None:
        if isinstance(type_, IntervalType):
            self.interval(storage_of(array), type_.storage_type, position, type_.closed)
        elif isinstance(type_, GeometryType):
            self.leaves(array, type_, range(position, position + 1), is_inside=False)
        elif isinstance(type_, pa.FixedShapeTensorType):
            self.tensor(storage_of(array), type_, position)
        elif isinstance(type_, pa.BaseExtensionType) and not is_bool8(type_):
            self.cell(storage_of(array), type_.storage_type, position, is_inside=is_inside)
        elif not _is_nested(type_):
            self.leaves(array, type_, range(position, position + 1), is_inside)
        elif is_null(array, position):
            self.put("null")
        elif pa.types.is_struct(type_):
            self.struct(array, type_, position)
        elif pa.types.is_union(type_):
            self.union(array, type_, position, is_inside)
        elif pa.types.is_map(type_):
            self.map(array[position].values, type_)
        else:
            self.list(array[position].values, type_.value_type)

    def leaves(self, array: pa.Array, type_: pa.DataType, positions: Sequence[int], is_inside: bool = True) -> None:
        quote = is_inside and is_text(plain(type_))
        for index, text in enumerate(texts(array, type_, positions, max(1, self.room))):
            if self.room <= 0:
                return
            self.put(", " if index else "")
            self.put("null" if text is None else json.dumps(text, ensure_ascii=False) if quote else text)

    def list(self, values: pa.Array, type_: pa.DataType) -> None:
        if _is_nested(plain(type_)):
            self.sequence("[]", len(values), lambda index: self.cell(values, type_, index))
            return
        self.put("[")
        shown = min(len(values), max(1, self.room))
        self.leaves(values, type_, range(shown))
        self.put("]" if shown == len(values) else ", ")

    def tensor(self, array: pa.FixedSizeListArray, type_: pa.FixedShapeTensorType, position: int) -> None:
        """The shape, and as much of the values as there is room for."""
        if is_null(array, position):
            self.put("null")
            return
        self.put(f"{shape_name(type_)}: ")
        # Items lie in the order of the stored shape; the permutation says which dimension comes first.
        strides = [math.prod(type_.shape[number + 1 :]) for number in range(len(type_.shape))]
        order = type_.permutation or range(len(type_.shape))
        dimensions = [(type_.shape[number], strides[number]) for number in order]
        first = (array.offset + position) * type_.storage_type.list_size
        self.block(array.values, type_.value_type, dimensions, first)

    def block(self, values: pa.Array, type_: pa.DataType, dimensions: Sequence[tuple[int, int]], first: int) -> None:
        (length, stride), *inner = dimensions
        if inner:
            self.sequence("[]", length, lambda index: self.block(values, type_, inner, first + index * stride))
            return
        shown = min(length, max(1, self.room))
        self.put("[")
        self.leaves(values, type_, [first + index * stride for index in range(shown)])
        self.put("]" if shown == length else ", ")

    def struct(self, array: pa.StructArray, type_: pa.StructType, position: int) -> None:
        if [field.name for field in type_] == ["left", "right", "closed"]:  # what an interval of pandas is shared as
            (closed,) = texts(array.field(2), type_.field(2).type, range(position, position + 1), 10)
            if closed in _ENDS:
                self.interval(array, type_, position, closed)
                return

        def field(index: int) -> None:
            self.put(f"{type_.field(index).name[: max(0, self.room)]}: ")
            self.cell(array.field(index), type_.field(index).type, position)

        self.sequence("{}", type_.num_fields, field)

    def interval(self, array: pa.StructArray, type_: pa.StructType, position: int, closed: str) -> None:
        self.sequence(_ENDS[closed], 2, lambda index: self.cell(array.field(index), type_.field(index).type, position))

    def map(self, entries: pa.StructArray, type_: pa.MapType) -> None:
        keys, values = entries.field(0), entries.field(1)

        def entry(index: int) -> None:
            self.cell(keys, type_.key_type, index)
            self.put(": ")
            self.cell(values, type_.item_type, index)

        self.sequence("{}", len(entries), entry)

    def union(self, array: pa.UnionArray, type_: pa.UnionType, position: int, is_inside: bool) -> None:
        self.cell(*member_of_union(array, type_, position), is_inside=is_inside)

    def sequence(self, brackets: str, length: int, put: Callable[[int], None]) -> None:
        self.put(brackets[0])
        for index in range(length):
            if self.room <= 0:
                return
            if index:
                self.put(", ")
            put(index)
        self.put(brackets[1])
