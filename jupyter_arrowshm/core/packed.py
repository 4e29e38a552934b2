"""A table as one compressed Arrow file, for a place that is not this machine's memory, and what such a file says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from ..errors import TableExists
from ..kinds import Shareable
from . import arrowfile, extension, process, tokens
from .facts import Facts
from .listing import publisher_of
from .publication import Progress, Request, facts_of
from .store import Store
from .table import TableInfo

COMPRESSION = "zstd"
_PIECE = 1 << 24  # bytes of one record batch: while one is fetched, the one before is written


def pack(source: Shareable, name: str, progress: Progress | None = None) -> BinaryIO:
    """Write the table to a compressed Arrow file, with the footer that a shared one has.

    The rows are written to the disk uncompressed first: a store knows how to write each kind of table, and what goes
    wrong with it goes wrong before anything is sent. The result has no name, and what is written before it has one for
    a moment only: a process that is killed leaves no rows behind.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-arrowshm-") as directory:
        store = Store(directory)
        store.share(source, name, progress=progress)
        rows = pa.memory_map(store.path(name))
    packed = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (the caller closes it)
    try:
        reader = pa.ipc.open_file(rows)
        options = pa.ipc.IpcWriteOptions(compression=COMPRESSION)
        with pa.ipc.new_file(packed, reader.schema, options=options, metadata=reader.metadata) as writer:
            for index in range(reader.num_record_batches):
                batch = reader.get_batch(index)
                piece = max(1, batch.num_rows * _PIECE // max(1, batch.nbytes))
                for start in range(0, max(1, batch.num_rows), piece):
                    writer.write_batch(batch.slice(start, piece))
        packed.flush()
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
    pairs = (
        (facts.token, tokens.token_id()),
        (facts.kernel, process.myself().kernel_id),
        (facts.program, process.program()),
    )
    if not any(theirs and theirs == ours for theirs, ours in pairs):
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
        facts = facts_of(Request(name, schema, num_rows, source=source), tokens.token_id(), process.myself())
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
