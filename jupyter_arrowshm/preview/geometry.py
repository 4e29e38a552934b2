"""Geometry in well-known binary as well-known text, without the libraries of geometry: a server has none of them.

The formats are those of ISO 19125 and 13249-3 (OGC Simple Features), which
GeoArrow's ``geoarrow.wkb`` holds; PostGIS's flags for Z, M and SRID are read, too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_NAMES = {
    1: "POINT",
    2: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
    7: "GEOMETRYCOLLECTION",
}
_POINT, _LINE, _POLYGON, _COLLECTION = 1, 2, 3, 7
_Z, _M, _SRID = 0x8000_0000, 0x4000_0000, 0x2000_0000
_BYTES_PER_CHARACTER = 16
_DEEPEST = 32  # collections in collections


def num_bytes(limit: int) -> int:
    """How much of a geometry is enough for ``limit`` characters of its text."""
    return _BYTES_PER_CHARACTER * (limit + 1)


def text(wkb: bytes | memoryview, limit: int) -> str | None:
    """At most the first ``limit`` characters of the text, or a few more; None if these are not bytes of a geometry."""
    writer = _Writer(bytes(wkb), limit)
    try:
        writer.geometry(with_name=True)
    except _Full:
        pass
    except (struct.error, KeyError, RecursionError):
        return None
    return "".join(writer.parts)


class _Full(Exception):
    """There is enough text."""


class _Writer:
    def __init__(self, wkb: bytes, room: int) -> None:
        self.wkb = wkb
        self.room = room
        self.at = 0
        self.depth = 0
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.room -= len(text)
        if self.room <= 0:
            raise _Full

    def read(self, form: str) -> tuple[float, ...]:
        found = struct.unpack_from(form, self.wkb, self.at)
        self.at += struct.calcsize(form)
        return found

    def count(self, order: str) -> int:
        return int(self.read(f"{order}I")[0])

    def geometry(self, *, with_name: bool) -> None:
        (little,) = self.read("B")
        order = "<" if little else ">"
        code = self.count(order)
        kind, more = code & 0xFFFF, (code >> 16) << 16
        dimensions = {0: "", 1: "Z", 2: "M", 3: "ZM"}[kind // 1000]
        kind %= 1000
        dimensions = dimensions or ("Z" if more & _Z else "") + ("M" if more & _M else "")
        if more & _SRID:
            self.count(order)
        name = _NAMES[kind]
        if with_name:
            self.put(f"{name} {dimensions} " if dimensions else f"{name} ")
        point = f"{order}{2 + len(dimensions)}d"
        if kind == _POINT:
            self.point(point)
        elif kind == _LINE:
            self.points(order, point)
        elif kind == _POLYGON:
            self.list(self.count(order), lambda: self.points(order, point))
        else:
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _Full
            self.list(self.count(order), lambda: self.geometry(with_name=kind == _COLLECTION))
            self.depth -= 1

    def list(self, count: int, put: Callable[[], None]) -> None:
        if not count:
            self.put("EMPTY")
            return
        self.put("(")
        for index in range(count):
            if index:
                self.put(", ")
            put()
        self.put(")")

    def points(self, order: str, point: str) -> None:
        self.list(self.count(order), lambda: self.put(_numbers(self.read(point))))

    def point(self, point: str) -> None:
        numbers = self.read(point)
        # The standard has no empty point; it is written as one of NaNs.
        self.put("EMPTY" if all(number != number for number in numbers) else f"({_numbers(numbers)})")


def _numbers(numbers: tuple[float, ...]) -> str:
    return " ".join(repr(number).removesuffix(".0") for number in numbers)
