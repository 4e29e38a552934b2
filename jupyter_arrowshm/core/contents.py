"""The tables of one directory, and who uses them: everything that can be asked of a store, and changes nothing."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pyarrow as pa

from ..errors import Busy, DamagedTable, TableNotFound, TableReplaced
from . import arrowfile, directory, names, segment
from .access import PRIVATE, Access
from .directory import Directory
from .room import Room

# A method imports what no other needs, so that the first attach in a new process does not wait for what a list imports.
if TYPE_CHECKING:
    from typing_extensions import Self

    from .capabilities import Capabilities
    from .listing import Listing
    from .process import Holder
    from .table import TableInfo, Tables

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Look(NamedTuple):
    """A table that is shown, not used: the result of :meth:`Contents.look`.

    Attributes
    ----------
    version
        The :attr:`TableInfo.version` that was opened.
    reader
        Its file, in memory.
    batch_lengths
        Gives the number of rows of each record batch, from the batches' headers alone.
    """

    version: str
    reader: pa.ipc.RecordBatchFileReader
    batch_lengths: Callable[[], Iterator[int]]


def or_loaded(method: _Method) -> _Method:
    """Let a method that finds no shared table of a name look among the loaded ones."""

    @functools.wraps(method)
    def find(self: Contents, name: str, *args: Any, **keywords: Any) -> Any:
        try:
            return method(self, name, *args, **keywords)
        except TableNotFound:
            if not self._is_loaded(name):
                raise
        return method(self.loaded, name, *args, **keywords)

    return find  # type: ignore[return-value]


class Contents:
    """The half of :class:`Store` that asks."""

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, access: Access = PRIVATE) -> None:
        self._directory = Directory(directory, access)
        self._known: Listing | None = None

    def __repr__(self) -> str:
        return f"Store({self.directory!r})"

    @property
    def directory(self) -> str:
        """The directory's path, whether it exists yet or not."""
        return self._directory.path

    def path(self, name: str) -> str:
        """Where the table's Arrow file is, whether it exists or not."""
        return self._directory.file(name)

    @property
    def notice(self) -> str:
        """Where the tables are instead of ``/dev/shm``, and why; empty where nothing is out of the ordinary."""
        if self._directory.path != directory.default_path() or self._directory.path.startswith(directory.SHARED_MEMORY):
            return ""
        if os.environ.get(directory.ENVIRONMENT_VARIABLE):
            return ""
        return (
            f"{directory.SHARED_MEMORY} {directory.shared_memory_trouble()} here, so tables are files in "
            f"{self._directory.path}: shared and without copies all the same, but written to disk when memory is short"
        )

    @property
    def _listing(self) -> Listing:
        # Of two threads that come here first, one makes a listing that is forgotten: it is only a cache.
        if (known := self._known) is None:
            from .listing import Listing

            known = self._known = Listing(self._directory)
        return known

    def _not_found(self, name: str) -> TableNotFound:
        return self._listing.not_found(name)

    @functools.cached_property
    def loaded(self) -> Self:
        """The tables that were loaded from files (:meth:`attach`), under names of their own. They can be had again."""
        return type(self)(f"{self.directory}/{directory.LOADED}")

    def tables(self) -> Tables:
        """The tables shared now, by name, and who uses them. Prints as a table."""
        from . import collector
        from .table import Tables

        try:
            opened = self._directory.open()
            if opened is not None and self._directory.access.is_mine and collector.is_littered(opened.fd):
                # Nothing that is listed depends on it: what cannot be tidied (read-only, locked) can be listed.
                with contextlib.suppress(OSError, Busy):
                    collector.tidy(self._directory)
            tables = self._listing.tables()
        except OSError as error:
            raise self._directory.explain(error) from None
        return Tables(tables, tables.removed, self.loaded.tables()) if self._has_loaded else tables

    @or_loaded
    def info(self, name: str) -> TableInfo:
        """One row of :meth:`tables`. Raises ``TableNotFound``, or ``DamagedTable`` for a file that is not one."""
        try:
            table = self._listing.table(names.check(name))
        except OSError as error:
            raise self._directory.explain(error) from None
        if table is None and self._opened(name) is not None:
            raise DamagedTable(name, self.path(name), "it is not a whole Arrow file")
        if table is None:
            raise self._not_found(name)
        return table

    def names(self) -> list[str]:
        """The names that are taken, without looking at their files."""
        return self._listing.names()

    def version(self, name: str) -> str | None:
        """The :attr:`TableInfo.version` that has the name now; ``None`` if there is none. Costs two system calls."""
        entry = self._opened(name)
        if entry is None and self._is_loaded(name):
            entry = self.loaded._opened(name)
        return entry[0] if entry is not None else None

    @or_loaded
    def look(self, name: str, version: str = "") -> Look:
        """Open a table to show some of it, which is not a use: it may be removed meanwhile, and stays readable here.

        Parameters
        ----------
        version
            The :attr:`TableInfo.version` that is wanted; without it, the present one.

        Raises
        ------
        TableNotFound, DamagedTable, NewerProtocol
        TableReplaced
            The name leads to another version.
        """
        path = self.path(names.check(name))
        try:
            opened = self._directory.open()
            mapped = segment.map_unheld(opened.fd, name, path) if opened is not None else None
        except OSError as error:
            raise self._directory.explain(error) from None
        if mapped is None:
            raise self._not_found(name)
        buffer, status = mapped
        current = segment.version_of(status)
        if version not in ("", current):
            raise TableReplaced(name)
        reader, _ = arrowfile.open_file(buffer, name, path)
        return Look(current, reader, functools.partial(arrowfile.batch_lengths, buffer))

    def is_mine(self, name: str) -> bool:
        """Whether this process may replace the table without being asked to (docs/protocol.md, "Ownership")."""
        from . import publication

        names.check(name)
        try:
            opened = self._directory.open()
            entry = self._listing.summary(opened.fd, name) if opened is not None else None
            if opened is None or entry is None or entry[1] is None:
                return self._is_loaded(name)  # that can be had again, so anybody may remove it
            return publication.is_mine(opened.fd, entry[1].facts)
        except OSError as error:
            raise self._directory.explain(error) from None

    @property
    def _has_loaded(self) -> bool:
        """Whether there may be tables loaded from files: not in their own store, nor where other users read."""
        return not self._directory.access.is_open and os.path.basename(self.directory) != directory.LOADED

    def _is_loaded(self, name: str) -> bool:
        """Whether the name is that of a loaded table, and of no shared one."""
        return self._has_loaded and self._opened(name) is None and self.loaded._opened(name) is not None

    def _opened(self, name: str) -> tuple[str, arrowfile.Summary | None] | None:
        names.check(name)
        try:
            opened = self._directory.open()
            return self._listing.summary(opened.fd, name) if opened is not None else None
        except OSError as error:
            raise self._directory.explain(error) from None

    def mapped(self, version: str) -> list[tuple[int, int]]:
        """The address ranges where this process has that version attached; none if /proc does not say."""
        from . import leases

        opened = self._directory.open()
        if opened is None:
            return []
        device = self._directory.lock_device(opened.fd)
        return [(one.start, one.end) for one in leases.mappings("self", device, segment.inode_of(version))]

    @or_loaded
    def readers_by_path(self, name: str) -> list[Holder]:
        """Processes that map the table's file without having attached it: other Arrow readers. They hold nothing."""
        from . import leases, process

        table = self.info(name)
        opened = self._directory.open()
        assert opened is not None
        device, inode = self._directory.lock_device(opened.fd), segment.inode_of(table.version)
        known = leases.Locks(device).leases(inode)
        return [process.look_up(pid) for pid in leases.mappers(device, inode) if pid not in known]

    def damaged(self, name: str, error: BaseException) -> DamagedTable:
        """The error of ours for one of ``UNREADABLE``, which reading the rows of a table raised."""
        return arrowfile.damaged(error, name, self.path(name))

    def room(self) -> Room:
        """How much there is for tables, how much of that is in use by anyone, and which limit comes first."""
        return self._directory.room()

    def capabilities(self) -> Capabilities:
        """The abilities of this machine that the store uses, found by trying."""
        from . import capabilities

        try:
            return capabilities.probe(self._directory)
        except OSError as error:
            raise self._directory.explain(error) from None

    def is_littered(self) -> bool:
        """Whether processes that were killed left something that the next share or list removes."""
        from . import collector

        opened = self._directory.open()
        return opened is not None and self._directory.access.is_mine and collector.is_littered(opened.fd)
