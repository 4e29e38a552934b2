"""One table written as one Arrow IPC file (the columnar specification's "IPC File Format")."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from typing import TypeVar

import pyarrow as pa

from ..arrowtypes import nested
from ..errors import UnsupportedSource
from ..tabular import weight
from . import refusals
from .facts import Facts
from .gathered import Gathered, Pieces, can_gather, gathered
from .lock import Descriptor

BATCH_BYTES = 64 << 20  # small batches are combined up to about this size
SMALL_BATCH = 256 << 10  # bytes; copying such ones is quicker than gathering their pieces
_WRITE_BYTES = 16 << 20  # per write(2): Ctrl-C and the progress bar wait for one at most
_MAX_PIECES = 512  # per writev(2); IOV_MAX is 1024

Check = Callable[[int], None]
T = TypeVar("T")


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
        self.promised: dict[int, tuple[int, Pieces]] = {}  # of a Gathered batch
        self._pieces: list[memoryview] = []
        self._size = 0
        self._progress = progress
        self.release: Callable[[memoryview], None] | None = None  # told of each piece that is written

    def write(self, data: bytes | pa.Buffer) -> int:
        # pyarrow hands over large bodies as a zero-copy Buffer, which the piece keeps alive until it is written.
        if self.promised and isinstance(data, pa.Buffer) and self.promised.get(data.address, (0,))[0] == data.size:
            size, pieces = self.promised.pop(data.address)
            for piece in pieces():
                self._add(piece)
            return size
        self._add(piece := memoryview(data).cast("B"))
        return len(piece)

    def _add(self, piece: memoryview) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _WRITE_BYTES or len(self._pieces) >= _MAX_PIECES:
            self.flush()

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
                if self.release is not None:
                    self.release(pieces[index])
                index += 1
            if done:
                if self.release is not None:
                    self.release(pieces[index][:done])
                pieces[index] = pieces[index][done:]

    def close(self) -> None:
        """pyarrow closes its sinks; the descriptor is not ours to close."""


class FileWriter:
    """Writes record batches of one schema as one file.

    Runs of small batches are combined up to ``BATCH_BYTES``; rows that are all in memory become one batch.

    A single batch stays single and is not copied. Dictionaries that differ from
    batch to batch grow in order (the specification's delta dictionaries), as a
    file cannot replace one.

    With ``compression`` no batch is larger than about ``batch_bytes``: a reader decompresses one at a time.
    """

    def __init__(
        self,
        file: Descriptor,
        schema: pa.Schema,
        facts: Facts,
        *,
        check_room: Check | None = None,
        progress: Check | None = None,
        compression: str | None = None,
        batch_bytes: int | None = None,
    ) -> None:
        refusals.check(schema)
        self.schema = schema
        self._check_room = check_room
        self._batch_bytes, self._cuts = batch_bytes or BATCH_BYTES, compression is not None
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, compression=compression)
        self._sink = Sink(file, progress)
        self._file = pa.PythonFile(self._sink, "w")
        self._writer = self._guard(
            lambda: pa.ipc.new_file(self._file, schema, options=options, metadata=facts.to_metadata())
        )
        self.num_batches = 0
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._weighed: weight.Known = {}  # dictionaries of what is pending
        self._trims = weight.can_hold_more(schema)
        self._gathers = compression is None and can_gather(schema)
        self._empty: pa.RecordBatch | None = None  # zero rows with the dictionaries so far
        self._grows = any(_has_dictionary(field.type) for field in schema)
        self._apart: int | None = None  # a column whose dictionaries pyarrow could not put into one

    def write(self, batch: pa.RecordBatch) -> None:
        if self._trims:
            batch = weight.compact(batch)
        nbytes = weight.weigh_batch(batch, self._weighed)
        if self._pending_bytes + nbytes > self._batch_bytes:
            self.flush()
        self._pending.append(batch)
        self._pending_bytes += nbytes
        if self._pending_bytes >= self._batch_bytes:
            self.flush()

    def can_gather(self, batches: int) -> bool:
        """Whether so many batches would be fewer if :meth:`write_all` wrote them."""
        return batches > 1 and self._gathers

    def write_all(self, batches: list[pa.RecordBatch], release: Callable[[memoryview], None] | None = None) -> None:
        """Write rows that are all in memory, as one batch where that can be; ``release`` is told what is written."""
        self._sink.release = release
        for one in self._gather(batches):
            self._sink.promised = one.pieces
            self._write(one.batch)
            batches = []
            if one.pieces:
                raise RuntimeError(
                    "pyarrow wrote a batch in an unknown way, so nothing was shared. Please report this."
                )
        for batch in batches:
            self.write(batch)

    def _gather(self, batches: list[pa.RecordBatch]) -> list[Gathered]:
        """Few batches of all these rows; none where these are few already, or smaller ones are quicker to copy."""
        if len(batches) < 2 or not self._gathers:
            return []
        if sum(batch.nbytes for batch in batches) < max(BATCH_BYTES, SMALL_BATCH * len(batches)):
            return []
        try:
            return list(gathered(self._unify(batches) if self._grows else batches))
        except OSError:  # ulimit -v, or a limit of mappings
            return []

    def flush(self) -> None:
        batches, self._pending = self._pending, []
        nbytes, self._pending_bytes = self._pending_bytes, 0
        self._weighed.clear()
        if not batches:
            return
        if self._check_room is not None:
            self._check_room(nbytes)
        if self._grows:
            batches = self._unify(batches)
        for batch in _combine(batches) if batches else ():
            step = max(1, batch.num_rows * self._batch_bytes // max(1, nbytes)) if self._cuts else batch.num_rows
            for start in range(0, max(1, batch.num_rows), max(1, step)):
                self._write(batch.slice(start, step) if self._cuts else batch)

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
        # The zero-row batch comes first, so what was written stays a prefix of the unified dictionaries.
        table = pa.Table.from_batches(known + batches)
        try:
            unified = table.unify_dictionaries()
        except pa.ArrowException:
            # Dictionaries of structs, or with nulls: equal ones can be written, others pyarrow refuses.
            self._apart = next((n for n in range(table.num_columns) if not _can_unify(table.select([n]))), None)
            return batches
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
            if self._apart is not None:
                raise refusals.dictionaries_that_differ(self.schema, self._apart) from error
            raise UnsupportedSource("table", str(error), "Cast the column to a plain type first.") from error


def _can_unify(column: pa.Table) -> bool:
    try:
        column.unify_dictionaries()
    except pa.ArrowException:
        return False
    return True


def _combine(batches: list[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    if len(batches) == 1:
        return batches
    try:
        return [pa.concat_batches(batches)]
    except pa.ArrowException:
        return batches  # a type that pyarrow cannot concatenate keeps its batches


def _has_dictionary(type_: pa.DataType) -> bool:
    return any(map(pa.types.is_dictionary, nested(type_)))
