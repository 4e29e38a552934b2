"""Arrow files with something wrong in them: where the numbers of a file are, and what to write there instead."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

# What a length, an offset, a tag or an index is when it goes wrong: around zero, around every width, far outside.
WRONG = (
    *(0, 1, 2, 3, 7, 8, 11, 12, 13, 64, 127, 128, 255, 256, 4096),
    *(2**bits - less for bits in (15, 16, 31, 32, 40, 47, 62, 63) for less in (0, 1)),
)

# The tables of File.fbs, Message.fbs and Schema.fbs: for each slot the bytes of its number, the name of its table,
# or the list that it is, of numbers, structs or tables.
TABLES: dict[str, tuple[Any, ...]] = {
    "Footer": (2, "Schema", [24], [24], ["KeyValue"]),
    "Schema": (2, ["Field"], ["KeyValue"], [8]),
    "Field": ([1], 1, 1, "Type", "DictionaryEncoding", ["Field"], ["KeyValue"]),
    "Type": (4, 4, 4),  # of most types; a time zone and the codes of a union are lists
    "DictionaryEncoding": (8, "Type", 1, 2),
    "KeyValue": ([1], [1]),
    "Message 2": (2, 1, "DictionaryBatch", 8, ["KeyValue"]),
    "Message 3": (2, 1, "RecordBatch", 8, ["KeyValue"]),
    "DictionaryBatch": (8, "RecordBatch", 1),
    "RecordBatch": (8, [16], [16], "BodyCompression", [8]),
    "BodyCompression": (1, 1),
}
TAIL = 10  # bytes after the footer: its length, and the end of the file


@dataclass
class Places:
    """Of one file: where its numbers are as ``(at, bytes)``, and spans of metadata and of buffers."""

    words: list[tuple[int, int]] = field(default_factory=list)  # 64-bit: counts, places in the file, null counts
    tags: list[tuple[int, int]] = field(default_factory=list)  # smaller: types, widths, units, flags
    vtables: list[tuple[int, int]] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)  # that lead to a table or a list
    counts: list[tuple[int, int]] = field(default_factory=list)  # of lists
    metadata: list[tuple[int, int]] = field(default_factory=list)
    buffers: list[tuple[int, int]] = field(default_factory=list)
    footer: int = 0


def places(data: bytes) -> Places:
    """Of an Arrow IPC file ("IPC File Format" in the columnar specification) that is whole."""
    found = Places()
    (nbytes,) = struct.unpack_from("<i", data, len(data) - TAIL)
    found.footer = len(data) - TAIL - nbytes
    found.metadata.append((found.footer, nbytes + 4))
    found.counts.append((len(data) - TAIL, 4))
    walk = _Walk(data, found)
    _, blocks = walk.table("Footer", found.footer)[0]
    for header, (start, count) in blocks.items():  # dictionaries, record batches
        for block in range(start, start + 24 * count, 24):
            offset, length = struct.unpack_from("<qi", data, block)
            found.metadata.append((offset, length))
            found.counts.append((offset + 4, 4))
            for name, lists in walk.table(f"Message {header}", offset + 8):
                if name == "RecordBatch":
                    walk.buffers(offset + length, *lists[2])
    return found


class _Walk:
    """Follows the FlatBuffers encoding from table to table, and notes every number on the way."""

    def __init__(self, data: bytes, found: Places) -> None:
        self.data, self.found = data, found

    def number(self, form: str, at: int) -> int:
        value: int = struct.unpack_from(f"<{form}", self.data, at)[0]
        return value

    def table(self, name: str, offset: int) -> list[tuple[str, dict[int, tuple[int, int]]]]:
        """Each table's name, and where its lists of numbers are and how long, by slot."""
        at = offset + self.number("I", offset)
        vtable = at - self.number("i", at)
        size = self.number("H", vtable)
        self.found.offsets += [(offset, 4), (at, 4)]
        self.found.vtables += [(place, 2) for place in range(vtable, vtable + size, 2)]
        lists: dict[int, tuple[int, int]] = {}
        tables = [(name, lists)]
        for slot, kind in enumerate(TABLES[name][: (size - 4) // 2]):
            if not (here := self.number("H", vtable + 4 + 2 * slot)):
                continue
            here += at
            if isinstance(kind, str):
                tables += self.table(kind, here)
            elif isinstance(kind, int):
                (self.found.words if kind == 8 else self.found.tags).append((here, kind))
            else:
                start, count = self.list(here)
                if isinstance(kind[0], str):
                    for element in range(start, start + 4 * count, 4):
                        tables += self.table(kind[0], element)
                elif kind[0] > 1:
                    lists[slot] = start, count
                    self.found.words += [(word, 8) for word in range(start, start + kind[0] * count, 8)]
        return tables

    def buffers(self, body: int, start: int, count: int) -> None:
        for at in range(start, start + 16 * count, 16):
            where, nbytes = self.number("q", at), self.number("q", at + 8)
            if nbytes:
                self.found.buffers.append((body + where, nbytes))

    def list(self, offset: int) -> tuple[int, int]:
        start = offset + self.number("I", offset)
        self.found.offsets.append((offset, 4))
        self.found.counts.append((start, 4))
        return start + 4, self.number("I", start)


@dataclass(frozen=True)
class Sample:
    """A whole file."""

    name: str
    data: bytes
    places: Places


def garble(sample: Sample, others: Sequence[Sample], random: random.Random) -> bytes:
    """A copy of which one thing, sometimes more, is wrong; or that is torn, or put together with half of another."""
    data = bytearray(sample.data)
    if random.random() < 0.1:
        return bytes(random.choice(TEARS)(data, sample, random.choice(others), random))
    for _ in range(1 if random.random() < 0.8 else random.randint(2, 4)):
        (way,) = random.choices(list(WAYS), list(WAYS.values()))
        way(data, sample.places, random)
    return bytes(data)


# -- numbers that are wrong --------------------------------------------------------------------------------------------

Way = Callable[[bytearray, Places, random.Random], None]


def _number(kind: str) -> Way:
    def write(data: bytearray, places: Places, random: random.Random) -> None:
        if where := getattr(places, kind):
            _write(data, *random.choice(where), random)

    return write


def _inside(kind: str, sizes: Sequence[int]) -> Way:
    def write(data: bytearray, places: Places, random: random.Random) -> None:
        if where := getattr(places, kind):
            start, nbytes = random.choice(where)
            size = min(random.choice(sizes), nbytes)
            _write(data, start + random.randrange(nbytes) // size * size, size, random)

    return write


def _graft(data: bytearray, places: Places, random: random.Random) -> None:
    """One offset leads to what another leads to: a table is in two places, or deep in others."""
    (here, _), (there, _) = random.choice(places.offsets), random.choice(places.offsets)
    target = there + int.from_bytes(data[there : there + 4], "little")
    data[here : here + 4] = ((target - here) % 2**32).to_bytes(4, "little")


def _swap(data: bytearray, places: Places, random: random.Random) -> None:
    """Two numbers for each other: a block of another batch, an offset of another column."""
    (here, size), (there, _) = random.choice(places.words), random.choice(places.words)
    data[here : here + size], data[there : there + size] = data[there : there + size], data[here : here + size]


def _noise(data: bytearray, places: Places, random: random.Random) -> None:
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] = random.randrange(256)


# How often each, in percent.
WAYS: dict[Way, int] = {
    _number("words"): 20,
    _number("tags"): 8,
    _number("vtables"): 8,
    _number("offsets"): 4,
    _number("counts"): 4,
    _graft: 4,
    _swap: 4,
    _inside("metadata", (1, 2, 4, 4)): 8,
    _inside("buffers", (1, 4, 4, 8)): 34,
    _noise: 6,
}


def _write(data: bytearray, at: int, size: int, random: random.Random) -> None:
    value = random.choice(WRONG) * random.choice((1, 1, 1, -1))
    if random.random() < 0.3:  # near to what it was
        value = int.from_bytes(data[at : at + size], "little") + random.choice((-8, -4, -1, 1, 4, 8, 16))
    data[at : at + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")


# -- files that are torn -----------------------------------------------------------------------------------------------

Tear = Callable[[bytearray, Sample, Sample, random.Random], bytearray]


def _cut_short(data: bytearray, sample: Sample, other: Sample, random: random.Random) -> bytearray:
    return data[: random.randrange(len(data))]


def _cut_inside(data: bytearray, sample: Sample, other: Sample, random: random.Random) -> bytearray:
    """Some bytes are missing, or are other ones, and the end is what it was."""
    at, length = random.randrange(len(data)), random.randint(1, 64)
    data[at : at + length] = b"" if random.random() < 0.5 else random.randbytes(length)
    return data


def _half_and_half(data: bytearray, sample: Sample, other: Sample, random: random.Random) -> bytearray:
    return data[: random.randrange(len(data))] + other.data[random.randrange(len(other.data)) :]


def _other_footer(data: bytearray, sample: Sample, other: Sample, random: random.Random) -> bytearray:
    return data[: sample.places.footer] + other.data[other.places.footer :]


def _other_body(data: bytearray, sample: Sample, other: Sample, random: random.Random) -> bytearray:
    """The footer stays where it was, and finds half of another file where its batches were."""
    half, end = random.randrange(sample.places.footer), sample.places.footer
    return data[:half] + other.data[half:end].ljust(end - half, b"\0") + data[end:]


TEARS: tuple[Tear, ...] = (_cut_short, _cut_inside, _half_and_half, _other_footer, _other_body)
