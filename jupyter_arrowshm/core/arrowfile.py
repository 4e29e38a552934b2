"""One Arrow IPC file (the columnar specification's "IPC File Format"): the table in it, read from a buffer, its facts.

Our own additions are in ``facts``; ``filewriter`` writes the file.
"""

from __future__ import annotations

import itertools
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from ..arrowtypes import check_views
from ..errors import ArrowSHMError, DamagedTable, NewerProtocol
from . import extension, flatbuffer
from .facts import MAX_METADATA, PROTOCOL, PROTOCOL_KEY, PROTOCOL_VALUE, Facts

MAGIC = b"ARROW1"
_HEAD, _TAIL = 8, len(MAGIC) + 4  # bytes before the first message; after the footer: its length, and MAGIC again
_DICTIONARIES, _BATCHES = 2, 3  # slots of the Footer (File.fbs): version, schema, dictionaries, recordBatches

# The errors that a file that is not a whole Arrow file raises, here or in pyarrow.
UNREADABLE = (pa.ArrowException, OSError, struct.error, UnicodeDecodeError)


class Block(NamedTuple):
    """Where a message lies in a file: its place, its size without its body, and that of its body, in bytes."""

    offset: int
    size: int
    body: int


@dataclass(frozen=True)
class Summary:
    """The part of a file that a listing shows, read without touching its rows.

    The schema's types are those that are stored (:mod:`extension`).
    """

    facts: Facts
    schema: pa.Schema
    num_rows: int
    num_batches: int


def summarise(file: BinaryIO) -> Summary | None:
    """The footer of an open file, by read(2): a file that shrinks meanwhile is an error here, not a SIGBUS.

    ``None`` if it is not an Arrow file, or one that :func:`read` would refuse. Raises ``OSError`` if it cannot be read.
    """
    try:
        head, (footer, tail) = _read_at(file, 0, _HEAD), _read_footer(file)
        # pyarrow reads a file in a thread of its own, and a process that may not start one would see no tables.
        reader = pa.ipc.open_file(pa.py_buffer(head + extension.hide(footer) + tail))
        facts = Facts.from_metadata(reader.metadata)
        _check_names(reader.schema)
        rows = facts.rows if facts.rows is not None else _count_rows(file, footer)
        return Summary(facts, reader.schema, rows, reader.num_record_batches)
    except (pa.ArrowException, struct.error, UnicodeDecodeError):
        return None
    except OSError as error:
        if error.errno is None:  # this is how pyarrow reports damaged metadata
            return None
        raise


def blocks(file: BinaryIO) -> tuple[list[Block], list[Block]]:
    """The dictionaries and the record batches of an open file, by its footer. Raises ``struct.error``, ``OSError``."""
    footer = flatbuffer.Table.root(memoryview(_read_footer(file)[0]), 0)
    found = list(_blocks(footer, _DICTIONARIES)), list(_blocks(footer, _BATCHES))
    if not all(0 < block.size <= MAX_METADATA and block.body >= 0 for block in itertools.chain(*found)):
        raise struct.error("a batch has no possible size")
    return found


def length(message: bytes) -> int:
    """The number of rows of a record batch, by its message without the body. Raises ``struct.error``."""
    header = _header(memoryview(message), 0)
    rows = _length(header) if header else 0
    if rows < 0:
        raise struct.error("a batch has fewer than no rows")
    return rows


def _read_footer(file: BinaryIO) -> tuple[bytes, bytes]:
    """The footer, and the bytes after it."""
    size = file.seek(0, os.SEEK_END)
    tail = _read_at(file, size - _TAIL, _TAIL)
    (footer_bytes,) = struct.unpack_from("<i", tail)
    return _read_at(file, size - _TAIL - footer_bytes, footer_bytes), tail


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Read these bytes of the file; ``struct.error`` if there are none, or more than metadata ever takes."""
    if offset < 0 or not 0 < size <= MAX_METADATA:
        raise struct.error("no such place in this file")
    file.seek(offset)
    return file.read(size)


def _count_rows(file: BinaryIO, footer: bytes) -> int:
    """Count by the batches' headers: pyarrow before 26 would read, and decompress, everything in them."""
    batches = _blocks(flatbuffer.Table.root(memoryview(footer), 0), _BATCHES)
    return sum(length(_read_at(file, block.offset, block.size)) for block in batches)


def read(buffer: pa.Buffer, name: str, path: str, *, validate: bool = False) -> tuple[pa.Table, Mapping[bytes, bytes]]:
    """The table in ``buffer``, which it refers to and does not copy, and the footer's metadata (:class:`Facts`).

    Parameters
    ----------
    validate
        Check every length, offset and index first. A file without our footer
        is checked in any case: unchecked garbage can crash the process.

    Raises
    ------
    DamagedTable
        It is not a whole Arrow IPC file, fails the check, or is compressed.
    NewerProtocol
        A newer release wrote it.
    """
    reader, metadata = open_file(buffer, name, path)
    try:
        table = reader.read_all()
        if validate or PROTOCOL_KEY not in metadata:
            table.validate(full=True)
            _check_names(table.schema)
            for column in table.columns:
                check_views(column)
    except ArrowSHMError:
        raise
    except Exception as error:
        raise _refused(error, name, path) from None
    return table, metadata


def _check_names(schema: pa.Schema) -> None:
    """A name that is not UTF-8 is a ``UnicodeDecodeError`` here, not where the columns of all tables are listed."""
    list(schema.names)


def open_file(buffer: pa.Buffer, name: str, path: str) -> tuple[pa.ipc.RecordBatchFileReader, Mapping[bytes, bytes]]:
    """Like :func:`read`, without looking at the rows yet."""
    try:
        reader = pa.ipc.open_file(buffer)
        metadata = reader.metadata or {}
        # Read only this key: parsing all Facts takes as long as the rest of an attach.
        protocol = metadata.get(PROTOCOL_KEY)
        if protocol != PROTOCOL_VALUE:
            if protocol is not None:
                raise NewerProtocol(name, protocol.decode(errors="replace"), str(PROTOCOL))
            if is_compressed(buffer):
                raise DamagedTable(name, path, "it is compressed, so it cannot be used where it lies")
            if _is_foreign(buffer):
                raise DamagedTable(name, path, "it was written on a machine of the other byte order")
    except ArrowSHMError:
        raise
    except Exception as error:
        raise _refused(error, name, path) from None
    return reader, metadata


def _refused(error: Exception, name: str, path: str) -> DamagedTable:
    if isinstance(error, UNREADABLE):
        return damaged(error, name, path)
    # The error comes from another library's code, which reads the types that it has registered.
    told = f"{type(error).__name__}: {_first_line(error)}"
    return DamagedTable(name, path, f"a library that is imported here cannot read one of its types ({told})")


def damaged(error: BaseException, name: str, path: str) -> DamagedTable:
    """The error of ours for one of those in ``UNREADABLE``."""
    return DamagedTable(name, path, f"it is not a whole Arrow file ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def batch_lengths(buffer: pa.Buffer) -> Iterator[int]:
    """The number of rows of each record batch, from its message alone, without looking at its columns.

    Raises ``struct.error`` for a file whose footer leads out of it.
    """
    return map(_length, _headers(buffer, _BATCHES))


def _length(batch: flatbuffer.Table) -> int:
    start = batch.field(0)  # RecordBatch: length, nodes, buffers, compression
    length: int = struct.unpack_from("<q", batch.data, start)[0] if start else 0
    return length


def is_compressed(buffer: pa.Buffer) -> bool:
    """Whether a record batch or dictionary says BodyCompression (Message.fbs), which pyarrow does not tell."""
    dictionaries = (header.table(1) for header in _headers(buffer, _DICTIONARIES))  # DictionaryBatch: id, data
    batches = itertools.chain(filter(None, dictionaries), _headers(buffer, _BATCHES))
    return any(batch.field(3) for batch in batches)  # RecordBatch: length, nodes, buffers, compression


def _is_foreign(buffer: pa.Buffer) -> bool:
    """Whether the values have another byte order than this machine's: pyarrow would copy each of them."""
    schema = _footer(memoryview(buffer)).table(1)
    place = schema.field(0) if schema else 0  # Schema: endianness, fields, metadata
    is_big = bool(schema and place and struct.unpack_from("<h", schema.data, place)[0])
    return is_big != (sys.byteorder == "big")


def _footer(data: memoryview) -> flatbuffer.Table:
    (footer_bytes,) = struct.unpack_from("<i", data, len(data) - _TAIL)
    return flatbuffer.Table.root(data, len(data) - _TAIL - footer_bytes)


def _headers(buffer: pa.Buffer, slot: int) -> Iterator[flatbuffer.Table]:
    """The messages' headers that a slot of the footer lists."""
    data = memoryview(buffer)
    return filter(None, (_header(data, block.offset) for block in _blocks(_footer(data), slot)))


def _blocks(footer: flatbuffer.Table, slot: int) -> Iterator[Block]:
    """Where the messages lie that a slot of the footer lists."""
    start, count = footer.vector(slot)
    return (Block(*struct.unpack_from("<qi4xq", footer.data, start + 24 * number)) for number in range(count))


def _header(data: memoryview, offset: int) -> flatbuffer.Table | None:
    # Format versions before 0.15 lack the continuation marker.
    marker = struct.unpack_from("<I", data, offset)[0] == 0xFFFFFFFF
    return flatbuffer.Table.root(data, offset + (8 if marker else 4)).table(2)
