"""One table on its way into the store: from the check of its name to the moment everybody sees it."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import functools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from .. import tabular
from .._version import __version__
from ..errors import NoRoom, TableExists
from ..loading import Origin
from . import arrowfile, collector, extension, names, notes, pins, process, segment, tokens
from .directory import Directory
from .drained import Drained
from .facts import PROTOCOL, Facts
from .filewriter import FileWriter
from .listing import Listing, info, publisher_of
from .table import TableInfo

_SLACK = 1 << 16  # bytes for the schema, the footer and padding
Progress = Callable[[int, "int | None"], None]  # bytes written so far; of how many, where that is known


@dataclass(frozen=True)
class Request:
    """A table to publish and its name, as far as they are known before the first row."""

    name: str
    schema: pa.Schema
    num_rows: int | None = None
    nbytes: int | None = None
    source: str = "pyarrow"
    replace: bool = False
    pin: bool = False
    origin: Origin | None = None
    origin_version: str = ""


class Publication:
    """Write batches, then :meth:`finish`; nothing is visible before, and :meth:`abort` leaves nothing behind."""

    def __init__(
        self,
        directory: Directory,
        catalogue: Listing,
        request: Request,
        progress: Progress | None = None,
    ) -> None:
        self._directory, self._catalogue, self._request = directory, catalogue, request
        self._who = process.myself()
        self._rows = 0
        if request.nbytes is not None:
            self._check_room(request.nbytes + _SLACK)
        with self._explained(), directory.lock() as at:
            self._allowed = self._check_owner(at, "")
            # Under the lock: a draft that has a name is nobody's until it is locked.
            token = self._show_token(at)
            self._draft = segment.Draft(at)
        self._facts = facts_of(request, token, self._who)
        with self._aborting():
            self._writer = FileWriter(
                self._draft.file,
                request.schema,
                self._facts,
                check_room=self._check_room if request.nbytes is None else None,
                progress=(lambda written: progress(written, request.nbytes)) if progress else None,
            )

    @property
    def schema(self) -> pa.Schema:
        return self._request.schema

    def write(self, batch: pa.RecordBatch) -> None:
        with self._aborting():
            self._rows += batch.num_rows
            self._writer.write(batch)

    def write_all(self, batches: list[pa.RecordBatch]) -> None:
        """Write rows that are all in memory: as one batch, where that can be."""
        with self._aborting():
            self._rows += sum(batch.num_rows for batch in batches)
            self._writer.write_all(batches)

    def in_one_batch(self) -> Publication:
        """What was written so far, with as few record batches as can be, so that pandas and NumPy need no copy of it.

        Use the result in place of this. The memory of this one goes while that one grows.
        """
        with self._aborting():
            self._writer.close()
            drained = Drained(self._draft.file)
            other = Publication(self._directory, self._catalogue, self._request)
            try:
                other._rows = self._rows
                other._writer.write_all(drained.batches, drained.release)
            except BaseException:
                other.abort()
                raise
        self.abort()
        return other

    def is_in_pieces(self) -> bool:
        """Whether :meth:`in_one_batch` would make fewer batches of what was written so far."""
        with self._aborting():
            self._writer.flush()
        return self._writer.can_gather(self._writer.num_batches)

    def finish(self) -> TableInfo:
        """Give the table its name.

        Raises
        ------
        TableExists
            Somebody else took the name while we wrote.
        """
        name = self._request.name
        with self._aborting(), contextlib.ExitStack() as later:
            self._writer.close()
            with self._directory.lock() as at:
                self._check_owner(at, self._allowed)
                for file in collector.sweep(at):
                    later.enter_context(file)
                # Again: the directory may have been removed and made anew since we began.
                self._show_token(at)
                with self._pinning(at):
                    if (old := self._draft.publish(at, name, self._directory.access)) is not None:
                        later.enter_context(old)
                notes.forget(at, name)
                pinned = pins.is_pinned(at, name)
                status = os.stat(name + names.SUFFIX, dir_fd=at, follow_symlinks=False)
        return info(
            self._directory.path,
            name,
            status,
            arrowfile.Summary(
                self._facts, extension.stored(self._request.schema), self._rows, self._writer.num_batches
            ),
            publisher_of(self._facts, not self._request.origin, self._who.pid),
            () if self._request.origin else (self._who,),
            pinned,
        )

    def _show_token(self, at: int) -> str:
        """A loaded table has none: its loader holds it no more than anybody else does, as it can be loaded again."""
        return "" if self._request.origin else tokens.show(at)

    @contextlib.contextmanager
    def _pinning(self, at: int) -> Iterator[None]:
        """Pin first, if asked to: the table is never seen without its pin. If publishing fails, the pin goes again."""
        name, was_pinned = self._request.name, pins.is_pinned(at, self._request.name)
        try:
            if self._request.pin:
                pins.pin(at, name)
            yield
        except BaseException:
            if not was_pinned:
                pins.unpin(at, name)
            raise

    def abort(self) -> None:
        if (opened := self._directory.open()) is not None:
            self._draft.discard(opened.fd)
        self._draft.file.close()

    @contextlib.contextmanager
    def _aborting(self) -> Iterator[None]:
        try:
            with self._explained():
                yield
        except BaseException:
            self.abort()
            raise

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._no_room() from None
            raise self._directory.explain(error) from None

    def _check_owner(self, at: int, allowed: str) -> str:
        """The version that has the name now, if it is ours, or is ``allowed``, or replacing was asked for."""
        name, request = self._request.name, self._request
        entry = self._catalogue.summary(at, name)
        if entry is None:
            return ""
        version, summary = entry
        if request.replace or version == allowed:
            return version
        facts = summary.facts if summary is not None else Facts()
        if is_mine(at, facts):
            return version
        publisher = publisher_of(facts, tokens.is_alive(at, facts.token), facts.pid)
        raise TableExists(name, publisher.label, publisher.alive is not False, facts.published_at)

    def _check_room(self, needed: int) -> None:
        if needed > self._directory.room().free:
            collector.make_room(self._directory, needed)
        if needed > self._directory.room().free:
            raise self._no_room(needed)

    def _no_room(self, needed: int | None = None) -> NoRoom:
        if needed is None:
            needed = self._request.nbytes or 0
        unused = tuple((t.name, t.nbytes) for t in self._catalogue.tables() if t.unused and not t.pinned)
        return NoRoom(needed, self._directory.room().free, self._directory.path, unused)


class Writer:
    """Streams batches into a table that appears when the ``with`` block ends (:func:`jupyter_arrowshm.writer`).

    Attributes
    ----------
    info
        The table, once the block has ended; before, ``None``.
    """

    def __init__(self, publication: Publication) -> None:
        self._publication = publication
        self.info: TableInfo | None = None

    def write(self, data: object) -> None:
        """Append a record batch, or any table of the writer's schema. Do not change its memory before the block ends.

        Raises
        ------
        UnsupportedSource
            It does not have the writer's columns and types.
        NoRoom
            The table is given up; what was there under the name stays.
        """
        for batch in tabular.to_batch(data, self._publication.schema):
            self._publication.write(batch)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self.info = self._publication.finish()
        else:
            self._publication.abort()


def is_mine(at: int, facts: Facts) -> bool:
    """Whether this process published the file, or its kernel before a restart, or an earlier run of its program."""
    if facts.token and facts.token == tokens.token_id():
        return True
    same_kernel = facts.kernel and facts.kernel == process.myself().kernel_id
    same_program = facts.program and facts.program == process.program()
    # Not while it lives: workers of one script that start together would each end with another version.
    return bool(same_kernel or same_program) and not tokens.is_alive(at, facts.token)


def facts_of(request: Request, token: str, who: process.Holder) -> Facts:
    """What a table that is published now says about itself and its publisher."""
    return Facts(
        protocol=str(PROTOCOL),
        id=os.urandom(16).hex(),
        name=request.name,
        rows=request.num_rows,
        published=dt.datetime.now(dt.timezone.utc).isoformat(timespec="microseconds"),
        boot=_boot_id(),
        token=token,
        pid=who.pid,
        language=who.language,
        kernel=who.kernel_id,
        notebook=who.notebook,
        script=who.script,
        program=process.program(),
        source=request.source,
        version=__version__,
        library=f"pyarrow {pa.__version__}",
        **_of_origin(request.origin, request.origin_version),
    )


def _of_origin(origin: Origin | None, version: str) -> dict[str, str]:
    if origin is None:
        return {}
    return {
        "origin": origin.address,
        "origin_version": version,
        "origin_columns": json.dumps(origin.columns, ensure_ascii=False) if origin.columns is not None else "",
        "origin_where": origin.where,
    }


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
