"""Just enough of the FlatBuffers encoding ("FlatBuffers Internals") to see which fields a table has."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of the FlatBuffers encoding ("FlatBuffer Internals"): just enough to see which fields are there."""

    data: memoryview
    at: int

    @classmethod
    def root(cls, data: memoryview, start: int) -> Table:
        return cls(data, start + struct.unpack_from("<I", data, start)[0])

    def field(self, slot: int) -> int:
        """Where the field's value is; 0 if it is absent."""
        vtable = self.at - struct.unpack_from("<i", self.data, self.at)[0]
        if 4 + 2 * slot >= struct.unpack_from("<H", self.data, vtable)[0]:
            return 0
        offset: int = struct.unpack_from("<H", self.data, vtable + 4 + 2 * slot)[0]
        return self.at + offset if offset else 0

    def table(self, slot: int) -> Table | None:
        place = self.field(slot)
        return Table.root(self.data, place) if place else None

    def vector(self, slot: int) -> tuple[int, int]:
        """Where the vector's elements begin, and how many there are."""
        place = self.field(slot)
        if not place:
            return 0, 0
        start = place + struct.unpack_from("<I", self.data, place)[0]
        return start + 4, struct.unpack_from("<I", self.data, start)[0]
