"""A table as one compressed Arrow file, for a place that is not this machine's memory, and what such a file says."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

import pyarrow as pa

from .. import tabular
from ..errors import NoRoom, TableExists
from ..kinds import Shareable
from . import arrowfile, extension, process, room, tokens
from .facts import Facts
from .filewriter import FileWriter
from .listing import publisher_of
from .lock import Descriptor
from .publication import Progress, Request, facts_of
from .table import TableInfo

COMPRESSION = "zstd"
_PIECE = 1 << 24  # bytes of one record batch: while one is fetched, the one before is written
_OWNERSHIP = ("token", "pid", "language", "kernel", "notebook", "script", "program")  # the facts that say who shared it
_principal: dict[str, Any] = {}  # those of the program in whose name this process shares, if it is not its own


def take_over(fd: int) -> tabular.Source:
    """The table of an open file that a program in another language has written, as it writes those of its store.

    What this process then shares in other places, it shares in that program's name.
    """
    written = pa.py_buffer(mmap.mmap(fd, 0, prot=mmap.PROT_READ))
    reader = pa.ipc.open_file(written)
    facts = Facts.from_metadata(reader.metadata)
    _principal.update({fact: getattr(facts, fact) for fact in _OWNERSHIP})
    batches = map(reader.get_batch, range(reader.num_record_batches))
    return tabular.Source(reader.schema, batches, facts.source, facts.rows, written.size)


def _facts_of(request: Request) -> Facts:
    return replace(facts_of(request, tokens.token_id(), process.myself()), **_principal)


def pack(source: Shareable, name: str, progress: Progress | None = None) -> BinaryIO:
    """Write the table to a compressed Arrow file, with the footer that a shared one has.

    Whatever goes wrong with the table goes wrong before anything is sent. The file has no name: a process that is
    killed leaves no rows behind.

    Raises
    ------
    UnsupportedSource
    NoRoom
        In the directory for temporary files.
    """
    table = tabular.to_arrow(source)
    request = Request(name, table.schema, table.num_rows, table.nbytes, table.kind)
    facts = _facts_of(request)
    packed = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 (the caller closes it)
    rows = 0

    def written(nbytes: int) -> None:
        # What is left to do is known in rows alone: how well they compress is not.
        if progress is not None:
            progress(nbytes, nbytes * table.num_rows // rows if table.num_rows and rows else None)

    try:
        with Descriptor(os.dup(packed.fileno())) as file:
            writer = FileWriter(
                file, table.schema, facts, progress=written, compression=COMPRESSION, batch_bytes=_PIECE
            )
            for batch in table.batches:
                rows += batch.num_rows
                writer.write(batch)
            writer.close()
    except OSError as error:
        packed.close()
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = tempfile.gettempdir()
        raise NoRoom(table.nbytes or 0, room.left(where).free, where, ()) from None
    except BaseException:
        packed.close()
        raise
    return packed


def describe(file: BinaryIO, name: str, path: str, nbytes: int, version: str) -> TableInfo | None:
    """The facts about a table in a file that lies elsewhere; ``None`` if it is not one. Who uses it is not known."""
    summary = arrowfile.summarise(file)
    return None if summary is None else _described(summary, name, path, nbytes, version)


def _described(
    summary: arrowfile.Summary, name: str, path: str, nbytes: int, version: str, machines: int | None = None
) -> TableInfo:
    facts = summary.facts
    return TableInfo(
        name=name,
        num_rows=summary.num_rows,
        num_columns=len(summary.schema),
        num_batches=summary.num_batches,
        nbytes=nbytes,
        published_at=facts.published_at,
        publisher=publisher_of(facts, None, facts.pid),
        holders=(),
        pinned=False,
        path=path,
        schema=summary.schema,
        source=facts.source,
        countable=None,
        version=version,
        machines=machines,
    )


def check_owner(file: BinaryIO, name: str) -> None:
    """The rule of ownership for a file that lies elsewhere, where nobody can see whether its publisher lives.

    Raises
    ------
    TableExists
        Neither this process shared it, nor an earlier run of the same kernel, notebook or script.
    """
    summary = arrowfile.summarise(file)
    _check_publisher(summary.facts if summary is not None else Facts(), name)


def _check_publisher(facts: Facts, name: str) -> None:
    own = {"token": tokens.token_id(), "kernel": process.myself().kernel_id, "program": process.program()} | _principal
    if not any(own[fact] and own[fact] == getattr(facts, fact) for fact in ("token", "kernel", "program")):
        publisher = publisher_of(facts, None, facts.pid)
        raise TableExists(name, publisher.label, True, facts.published_at)


@dataclass(frozen=True)
class Entry:
    """A table of a place that is no directory of files: its schema, and what the footer of a file would say."""

    name: str
    schema: pa.Schema
    num_rows: int
    num_batches: int
    nbytes: int
    metadata: dict[str, str]

    @classmethod
    def new(cls, name: str, schema: pa.Schema, source: str, num_rows: int, num_batches: int, nbytes: int) -> Entry:
        """One that this process publishes now."""
        facts = _facts_of(Request(name, schema, num_rows, source=source))
        return cls(name, schema, num_rows, num_batches, nbytes, facts.to_metadata())

    @property
    def facts(self) -> Facts:
        return Facts.from_metadata({key.encode(): value.encode() for key, value in self.metadata.items()})

    @property
    def source(self) -> str:
        """The kind of object that was shared."""
        return self.facts.source or "pyarrow"

    def described(self, path: str, version: str, machines: int) -> TableInfo:
        """The facts about the table, of which ``machines`` have a copy."""
        summary = arrowfile.Summary(self.facts, extension.stored(self.schema), self.num_rows, self.num_batches)
        return _described(summary, self.name, path, self.nbytes, version, machines)

    def check_owner(self) -> None:
        """As :func:`check_owner`."""
        _check_publisher(self.facts, self.name)
