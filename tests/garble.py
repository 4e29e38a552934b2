"""Arrow files with something wrong in them: where the numbers of a file are, and what to write there instead."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from jupyter_arrowshm.flatbuffer import Table

# What a length, an offset, a tag or an index is when it goes wrong: around zero, around every width, far outside.
WRONG = (
    *(0, 1, 2, 3, 7, 8, 11, 12, 13, 64, 127, 128, 255, 256, 4096),
    *(2**bits - less for bits in (15, 16, 31, 32, 40, 47, 62, 63) for less in (0, 1)),
)


@dataclass
class Places:
    """Of one file: spans of metadata, spans of buffers, and where its 64-bit lengths and offsets are."""

    metadata: list[tuple[int, int]] = field(default_factory=list)
    buffers: list[tuple[int, int]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)


def places(data: bytes) -> Places:
    """Of an Arrow IPC file ("IPC File Format" in the columnar specification) that is whole."""
    view, found = memoryview(data), Places()
    (nbytes,) = struct.unpack_from("<i", view, len(data) - 10)
    start = len(data) - 10 - nbytes
    found.metadata.append((start, nbytes + 4))
    footer = Table.root(view[start:], 0)
    for slot, header in ((2, 2), (3, 3)):  # dictionaries, record batches
        at, count = footer.vector(slot)
        for block in range(start + at, start + at + 24 * count, 24):
            found.words += [block, block + 8, block + 16]
            offset, length, _ = struct.unpack_from("<qi4xq", view, block)
            found.metadata.append((offset, length))
            _batch(view, offset, length, header == 2, found)
    return found


def _batch(view: memoryview, offset: int, length: int, is_dictionary: bool, found: Places) -> None:
    message = Table.root(view[offset + 8 :], 0)
    batch = message.table(2)
    if is_dictionary and batch is not None:
        batch = batch.table(1)
    assert batch is not None
    begin = offset + 8
    if rows := batch.field(0):
        found.words.append(begin + rows)
    for slot in (1, 2):
        at, count = batch.vector(slot)
        found.words += [begin + at + 8 * k for k in range(2 * count)]
    at, count = batch.vector(2)
    for k in range(count):
        where, nbytes = struct.unpack_from("<qq", view, begin + at + 16 * k)
        if nbytes:
            found.buffers.append((offset + length + where, nbytes))


def garble(data: bytes, where: Places, random: random.Random) -> bytes:
    """A copy of which one thing, sometimes more, is wrong."""
    copy = bytearray(data)
    for _ in range(1 if random.random() < 0.8 else random.randint(2, 4)):
        way = random.random()
        if way < 0.25:
            _write(copy, random.choice(where.words), 8, random)
        elif way < 0.45:
            start, nbytes = random.choice(where.metadata)
            size = random.choice((1, 2, 4, 4))
            _write(copy, start + random.randrange(nbytes) // size * size, size, random)
        elif way < 0.85 and where.buffers:
            start, nbytes = random.choice(where.buffers)
            size = min(random.choice((1, 4, 4, 8)), nbytes)
            _write(copy, start + random.randrange(nbytes) // size * size, size, random)
        elif way < 0.95:
            for _ in range(random.randint(1, 8)):
                copy[random.randrange(len(copy))] = random.randrange(256)
        else:
            cut, length = random.randrange(len(copy)), random.randint(1, 64)
            copy[cut : cut + length] = b"" if random.random() < 0.5 else random.randbytes(length)
    return bytes(copy)


def _write(data: bytearray, at: int, size: int, random: random.Random) -> None:
    if at + size > len(data):
        return
    value = random.choice(WRONG) * random.choice((1, 1, 1, -1))
    if random.random() < 0.3:  # near to what it was
        value = int.from_bytes(data[at : at + size], "little") + random.choice((-8, -4, -1, 1, 4, 8, 16))
    data[at : at + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")
