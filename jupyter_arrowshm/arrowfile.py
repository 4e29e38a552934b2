"""One table as one uncompressed Arrow IPC file: write it to a descriptor, read it from a buffer, tell its facts.

The format is the columnar specification's "IPC File Format". What we add are
flat ``arrowshm.*`` keys in the custom metadata of the footer, so any Arrow
reader can open the file; the table's own schema metadata is untouched.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import pyarrow as pa

from . import flatbuffer
from .errors import DamagedSegment, NewerProtocol, UnsupportedSource
from .lock import Descriptor

PROTOCOL = 1
MAGIC = b"ARROW1"
_HEAD, _TAIL = 8, len(MAGIC) + 4  # bytes before the first message; after the footer: its length, and MAGIC again
_DICTIONARIES, _BATCHES = 2, 3  # slots of the Footer (File.fbs): version, schema, dictionaries, recordBatches
BATCH_BYTES = 64 << 20  # small batches are put together up to about this size
_MAX_METADATA = 64 << 20  # bytes of a footer, or of one message's header, that a listing reads
_MAX_FACT = 4096  # bytes of one fact: PATH_MAX, as the longest is a path (limits.h)
_PREFIX = "arrowshm."
_PROTOCOL_KEY, _PROTOCOL = f"{_PREFIX}protocol".encode(), str(PROTOCOL).encode()
_WRITE_BYTES = 16 << 20  # per write(2): Ctrl-C and the progress bar wait for one at most
_MAX_PIECES = 512  # per writev(2); IOV_MAX is 1024
_OPTIONS = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)

# What a file that is no whole Arrow file raises, here or in pyarrow.
UNREADABLE = (pa.ArrowException, OSError, struct.error, UnicodeDecodeError)

Check = Callable[[int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Facts:
    """What the footer says beside the schema; every field may be missing in a file that somebody else wrote."""

    protocol: str | None = None
    id: str = ""
    name: str = ""
    rows: int | None = None
    published: str = ""
    boot: str = ""
    token: str = ""
    pid: int | None = None
    language: str = ""
    kernel: str = ""
    notebook: str = ""
    script: str = ""
    source: str = ""
    version: str = ""
    library: str = ""

    @property
    def ours(self) -> bool:
        return self.protocol is not None

    @property
    def published_at(self) -> dt.datetime | None:
        try:
            published = dt.datetime.fromisoformat(self.published)
        except ValueError:
            return None
        return published if published.tzinfo is not None else None

    def to_metadata(self) -> dict[str, str]:
        return {_PREFIX + key: str(value) for key, value in vars(self).items() if value not in (None, "")}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> Facts:
        """Facts of a footer. Keys it does not know, and values that do not parse, are passed over."""
        found: dict[str, object] = {}
        for key, value in (metadata or {}).items():
            field = key.decode(errors="replace").removeprefix(_PREFIX)
            if key.startswith(_PREFIX.encode()) and field in cls.__dataclass_fields__:
                text = value[:_MAX_FACT].decode(errors="replace")
                if field not in ("rows", "pid"):
                    found[field] = text
                elif text.isascii() and text.isdigit() and len(text) < 20:  # of int64
                    found[field] = int(text)
        return cls(**found)  # type: ignore[arg-type]


class Sink:
    """The file object that pyarrow writes to: gathers pieces and hands them to writev(2), copying no large buffer.

    write(2) into tmpfs takes 0.6 of the time of a memcpy into a fresh mapping,
    and a full directory is ENOSPC rather than SIGBUS.
    """

    closed = False

    def __init__(self, file: Descriptor, progress: Check | None = None) -> None:
        self.file = file
        self.written = 0
        self.error: BaseException | None = None
        self._pieces: list[memoryview] = []
        self._size = 0
        self._progress = progress

    def write(self, data: bytes | pa.Buffer) -> int:
        # pyarrow hands over large bodies as a zero-copy Buffer, which the piece keeps alive until it is written.
        piece = memoryview(data).cast("B")
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _WRITE_BYTES or len(self._pieces) >= _MAX_PIECES:
            self.flush()
        return len(piece)

    def flush(self) -> None:
        try:
            self._flush()
        except BaseException as error:
            # pyarrow may turn what we raise in its callback into an error of its own; the caller wants this one.
            self.error = error
            raise

    def _flush(self) -> None:
        pieces, self._pieces, self._size = self._pieces, [], 0
        index = 0
        while index < len(pieces):
            large = len(pieces[index]) > _WRITE_BYTES
            done = os.writev(self.file.fd, [pieces[index][:_WRITE_BYTES]] if large else pieces[index:])
            self.written += done
            if self._progress is not None:
                self._progress(self.written)
            # A short write is legal (write(2)): go on with what is left of the piece it ended in.
            while index < len(pieces) and done >= len(pieces[index]):
                done -= len(pieces[index])
                index += 1
            if done:
                pieces[index] = pieces[index][done:]

    def close(self) -> None:
        """pyarrow closes its sinks; the descriptor is not ours to close."""


class FileWriter:
    """Writes record batches of one schema as one file, runs of small batches put together up to ``BATCH_BYTES``.

    A single batch stays single and is not copied. Dictionaries that differ from
    batch to batch grow in order (the specification's delta dictionaries), as a
    file cannot replace one.
    """

    def __init__(
        self,
        file: Descriptor,
        schema: pa.Schema,
        facts: Facts,
        *,
        check_room: Check | None = None,
        progress: Check | None = None,
    ) -> None:
        if schema.serialize().size > _MAX_METADATA // 2:
            raise UnsupportedSource(
                "table",
                f"its schema takes more than {_MAX_METADATA >> 21} MB, which no list of tables would read",
                "Drop metadata: `table.replace_schema_metadata()`",
            )
        for field in schema:
            if _has_dictionary_of_dictionary(field.type):
                # pyarrow writes these without complaint, and nothing can read them.
                raise UnsupportedSource(
                    "table",
                    "an Arrow file cannot hold a dictionary of a dictionary",
                    "Decode one: `column.dictionary_decode()`",
                    field.name,
                )
        self.schema = schema
        self._check_room = check_room
        self._sink = Sink(file, progress)
        self._file = pa.PythonFile(self._sink, "w")
        self._writer = self._guard(
            lambda: pa.ipc.new_file(self._file, schema, options=_OPTIONS, metadata=facts.to_metadata())
        )
        self.num_batches = 0
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._empty: pa.RecordBatch | None = None  # zero rows with the dictionaries so far
        self._grows = any(_has_dictionary(field.type) for field in schema)

    def write(self, batch: pa.RecordBatch) -> None:
        nbytes = size_of(batch)
        if self._pending_bytes + nbytes > BATCH_BYTES:
            self.flush()
        self._pending.append(batch)
        self._pending_bytes += nbytes
        if self._pending_bytes >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        batches, self._pending, self._pending_bytes = self._pending, [], 0
        if not batches:
            return
        if self._check_room is not None:
            self._check_room(sum(map(size_of, batches)))
        if self._grows:
            batches = self._unify(batches)
        for batch in _combine(batches) if batches else ():
            self._write(batch)

    def _write(self, batch: pa.RecordBatch) -> None:
        self._guard(functools.partial(self._writer.write_batch, batch))
        self.num_batches += 1

    def close(self) -> int:
        """Write what is pending and the footer; returns the file's size in bytes."""
        self.flush()
        if self._empty is not None and not self.num_batches:
            self._write(self._empty)  # no row, but dictionaries: a pandas column has its categories there
        self._guard(self._writer.close)
        self._sink.flush()
        return self._sink.written

    def _unify(self, batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        known = [] if self._empty is None else [self._empty]
        try:
            # The zero-row batch comes first, so what was written stays a prefix of the unified dictionaries.
            unified = pa.Table.from_batches(known + batches).unify_dictionaries()
        except pa.ArrowException:
            return batches  # dictionaries of structs, or with nulls: equal ones can be written, others pyarrow refuses
        rows = [batch for batch in unified.to_batches() if batch.num_rows]
        if rows or self._empty is None:
            self._empty = (rows or batches)[-1].slice(0, 0)
        # Without rows nothing is written: pyarrow refuses a dictionary shorter than the last, and to grow an empty one.
        return rows

    def _guard(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except pa.ArrowException as error:
            if self._sink.error is not None:
                raise self._sink.error from None
            raise UnsupportedSource("table", str(error), "Cast the column to a plain type first.") from error


def size_of(data: pa.RecordBatch | pa.Table) -> int:
    """Bytes of the rows' buffers; where pyarrow cannot tell a slice's share (views), of the whole buffers."""
    try:
        return int(data.nbytes)
    except pa.ArrowException:
        return int(data.get_total_buffer_size())


def _combine(batches: list[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    if len(batches) == 1:
        return batches
    try:
        return [pa.concat_batches(batches)]
    except pa.ArrowException:
        return batches  # a type that pyarrow cannot concatenate keeps its batches


def _has_dictionary(type_: pa.DataType) -> bool:
    return any(map(pa.types.is_dictionary, _nested(type_)))


def _has_dictionary_of_dictionary(type_: pa.DataType) -> bool:
    found = filter(pa.types.is_dictionary, _nested(type_))
    return any(pa.types.is_dictionary(_storage(dictionary.value_type)) for dictionary in found)


def _nested(type_: pa.DataType) -> Iterator[pa.DataType]:
    """The type and all types that it is made of."""
    type_ = _storage(type_)
    yield type_
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        yield from _nested(type_.value_type)
    else:
        for index in range(type_.num_fields):
            yield from _nested(type_.field(index).type)


def _storage(type_: pa.DataType) -> pa.DataType:
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_


@dataclass(frozen=True)
class Summary:
    """What a listing shows of a file, read without touching its rows."""

    facts: Facts
    schema: pa.Schema
    num_rows: int
    num_batches: int


def summarise(file: BinaryIO) -> Summary | None:
    """The footer of an open file, by read(2): a file that shrinks meanwhile is an error here, not a SIGBUS.

    ``None`` if it is no Arrow file, or one that :func:`read` would refuse. Raises ``OSError`` where it cannot be read.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        head, tail = _read_at(file, 0, _HEAD), _read_at(file, size - _TAIL, _TAIL)
        (footer_bytes,) = struct.unpack_from("<i", tail)
        footer = _read_at(file, size - _TAIL - footer_bytes, footer_bytes)
        # Of a file pyarrow reads in a thread of its own, and a process that may start none would see no tables.
        reader = pa.ipc.open_file(pa.py_buffer(head + footer + tail))
        facts = Facts.from_metadata(reader.metadata)
        _check_names(reader.schema)
        rows = facts.rows if facts.rows is not None else _count_rows(file, footer)
        return Summary(facts, reader.schema, rows, reader.num_record_batches)
    except (pa.ArrowException, struct.error, UnicodeDecodeError):
        return None
    except OSError as error:
        if error.errno is None:  # pyarrow's word for metadata that is damaged
            return None
        raise


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    """These bytes of the file; ``struct.error`` where it has none there, or they are more than metadata ever is."""
    if offset < 0 or not 0 < size <= _MAX_METADATA:
        raise struct.error("no such place in this file")
    file.seek(offset)
    return file.read(size)


def _count_rows(file: BinaryIO, footer: bytes) -> int:
    """By the batches' headers: pyarrow before 26 would read, and decompress, all that is in them."""
    rows = 0
    for offset, size in _blocks(flatbuffer.Table.root(memoryview(footer), 0), _BATCHES):
        header = _header(memoryview(_read_at(file, offset, size)), 0)
        length = _length(header) if header else 0
        if length < 0:
            raise struct.error("a batch has fewer than no rows")
        rows += length
    return rows


def read(buffer: pa.Buffer, name: str, path: str, *, validate: bool = False) -> tuple[pa.Table, Mapping[bytes, bytes]]:
    """The table in ``buffer``, which it refers to and does not copy, and the footer's metadata (:class:`Facts`).

    Parameters
    ----------
    validate
        Check every length, offset and index first. A file without our footer
        is checked in any case: unchecked garbage can crash the process.

    Raises
    ------
    DamagedSegment
        It is no whole Arrow IPC file, fails the check, or is compressed.
    NewerProtocol
        A newer release wrote it.
    """
    reader, metadata = open_file(buffer, name, path)
    try:
        table = reader.read_all()
        if validate or _PROTOCOL_KEY not in metadata:
            table.validate(full=True)
            _check_names(table.schema)
            for column in table.columns:
                check_views(column)
    except UNREADABLE as error:
        raise damaged(error, name, path) from None
    return table, metadata


def _check_names(schema: pa.Schema) -> None:
    """A name that is no UTF-8 is a ``UnicodeDecodeError`` here, and not in whoever lists the columns of all tables."""
    list(schema.names)


def check_views(array: pa.Array | pa.ChunkedArray) -> None:
    """The views of rows that are null, too: validation leaves them out, and a cast or ``to_pandas`` crashes over them.

    Raises ``pyarrow.ArrowInvalid``.
    """
    if not _has_view(array.type):
        return
    if isinstance(array, pa.ChunkedArray):
        parts = array.chunks
    elif isinstance(array, pa.ExtensionArray):
        parts = [array.storage]
    elif isinstance(array, pa.DictionaryArray):
        parts = [array.dictionary]
    elif isinstance(array, (pa.StructArray, pa.UnionArray)):
        # pyarrow has no arrays of some types: of the parts only those are made that have to be looked at.
        indices = range(array.type.num_fields)
        parts = [array.field(index) for index in indices if _has_view(array.type.field(index).type)]
    elif not _is_view(array.type):  # lists, maps, runs
        parts = [array.values]
    else:
        # As binary: what stands there need not be UTF-8.
        views = [None, *array.buffers()[1:]]
        pa.Array.from_buffers(pa.binary_view(), len(array), views, offset=array.offset).validate(full=True)
        return
    for part in parts:
        check_views(part)


def _has_view(type_: pa.DataType) -> bool:
    return any(map(_is_view, _nested(type_)))


def _is_view(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(type_) or pa.types.is_binary_view(type_))


def open_file(buffer: pa.Buffer, name: str, path: str) -> tuple[pa.ipc.RecordBatchFileReader, Mapping[bytes, bytes]]:
    """As :func:`read`, but for the rows, of which nothing is looked at yet."""
    try:
        reader = pa.ipc.open_file(buffer)
        metadata = reader.metadata or {}
        # Only this one: Facts of everything take as long as all the rest of an attach.
        protocol = metadata.get(_PROTOCOL_KEY)
        if protocol != _PROTOCOL:
            if protocol is not None:
                raise NewerProtocol(name, protocol.decode(errors="replace"), str(PROTOCOL))
            if _is_compressed(buffer):
                raise DamagedSegment(name, path, "it is compressed, so it cannot be used where it lies")
    except UNREADABLE as error:
        raise damaged(error, name, path) from None
    return reader, metadata


def damaged(error: BaseException, name: str, path: str) -> DamagedSegment:
    """What one of the errors in ``UNREADABLE`` says of a table."""
    return DamagedSegment(name, path, f"it is not a whole Arrow file ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def batch_lengths(buffer: pa.Buffer) -> Iterator[int]:
    """The number of rows of each record batch, from its message alone, whose columns are not looked at.

    Raises ``struct.error`` for a file whose footer leads out of it.
    """
    return map(_length, _headers(buffer, _BATCHES))


def _length(batch: flatbuffer.Table) -> int:
    start = batch.field(0)  # RecordBatch: length, nodes, buffers, compression
    length: int = struct.unpack_from("<q", batch.data, start)[0] if start else 0
    return length


def _is_compressed(buffer: pa.Buffer) -> bool:
    """Whether a record batch or dictionary says BodyCompression (Message.fbs), which pyarrow does not tell."""
    dictionaries = (header.table(1) for header in _headers(buffer, _DICTIONARIES))  # DictionaryBatch: id, data
    batches = itertools.chain(filter(None, dictionaries), _headers(buffer, _BATCHES))
    return any(batch.field(3) for batch in batches)  # RecordBatch: length, nodes, buffers, compression


def _headers(buffer: pa.Buffer, slot: int) -> Iterator[flatbuffer.Table]:
    """The messages' headers that a slot of the footer lists."""
    data = memoryview(buffer)
    (footer_bytes,) = struct.unpack_from("<i", data, len(data) - _TAIL)
    footer = flatbuffer.Table.root(data, len(data) - _TAIL - footer_bytes)
    return filter(None, (_header(data, offset) for offset, _ in _blocks(footer, slot)))


def _blocks(footer: flatbuffer.Table, slot: int) -> Iterator[tuple[int, int]]:
    """Where the messages that a slot of the footer lists begin, and how long they are without their bodies."""
    start, count = footer.vector(slot)
    return (struct.unpack_from("<qi", footer.data, start + 24 * block) for block in range(count))


def _header(data: memoryview, offset: int) -> flatbuffer.Table | None:
    # Format versions before 0.15 lack the continuation marker.
    marker = struct.unpack_from("<I", data, offset)[0] == 0xFFFFFFFF
    return flatbuffer.Table.root(data, offset + (8 if marker else 4)).table(2)
