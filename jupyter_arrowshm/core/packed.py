"""A table as one compressed Arrow file, for a place that is not this machine's memory, and what such a file says."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

import pyarrow as pa

from ..errors import TableExists
from ..kinds import Shareable
from . import arrowfile, process, tokens
from .facts import Facts
from .listing import publisher_of
from .publication import Progress
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
    if summary is None:
        return None
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
    )


def check_owner(file: BinaryIO, name: str) -> None:
    """The rule of ownership for a file that lies elsewhere, where nobody can see whether its publisher lives.

    Raises
    ------
    TableExists
        Neither this process shared it, nor an earlier run of the same kernel, notebook or script.
    """
    summary = arrowfile.summarise(file)
    facts = summary.facts if summary is not None else Facts()
    pairs = (
        (facts.token, tokens.token_id()),
        (facts.kernel, process.myself().kernel_id),
        (facts.program, process.program()),
    )
    if not any(theirs and theirs == ours for theirs, ours in pairs):
        publisher = publisher_of(facts, None, facts.pid)
        raise TableExists(name, publisher.label, True, facts.published_at)
