"""Share, attach, list and remove tables in one directory."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, TypeVar, overload

import pyarrow as pa

from .. import tabular
from ..errors import Busy, DamagedTable, TableNotFound, TableReplaced
from ..kinds import Kind, Shareable
from . import arrowfile, attached, directory, names, segment
from .access import PRIVATE, Access
from .attached import Attachment
from .directory import Directory
from .room import Room

# A method imports what no other needs, so that the first attach in a new process does not wait for what share imports.
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .capabilities import Capabilities
    from .listing import Listing
    from .process import Holder
    from .publication import Progress, Writer
    from .table import TableInfo, Tables

Validate = Literal["full"] | None
_Method = TypeVar("_Method", bound=Callable[..., Any])


class AttachOptions(TypedDict, total=False):
    """The arguments of :meth:`Store.attach` besides the name and the kind."""

    columns: Sequence[str] | None
    copy: bool
    wait: float | None
    validate: Validate
    load: Callable[[], Shareable] | None
    where: str | None
    progress: Progress | None


class Look(NamedTuple):
    """A table that is shown, not used: the result of :meth:`Store.look`.

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


def _or_loaded(method: _Method) -> _Method:
    """Let a method that finds no shared table of a name look among the loaded ones."""

    @functools.wraps(method)
    def find(self: Store, name: str, *args: Any, **keywords: Any) -> Any:
        try:
            return method(self, name, *args, **keywords)
        except TableNotFound:
            if not self._is_loaded(name):
                raise
        return method(self.loaded, name, *args, **keywords)

    return find  # type: ignore[return-value]


class Store:
    """A directory of shared tables.

    Parameters
    ----------
    directory
        Absolute path of a directory of your own. Without it, the one that all
        notebooks of this user share: ``$JUPYTER_ARROWSHM_DIR`` or a directory
        in ``/dev/shm``.
    access
        Whose the directory must be, and who may read it: its owner alone if nothing else is said.

    Notes
    -----
    Every method may be called from several threads. No method keeps a file
    open; what holds a table is the data that :meth:`attach` returned.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None, *, access: Access = PRIVATE) -> None:
        self._directory = Directory(directory, access)
        self._known: Listing | None = None

    def __repr__(self) -> str:
        return f"Store({self.directory!r})"

    @property
    def directory(self) -> str:
        """The directory's path, whether it exists yet or not."""
        return self._directory.path

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
    def loaded(self) -> Store:
        """The tables that were loaded from files (:meth:`attach`), under names of their own. They can be had again."""
        return Store(f"{self.directory}/{directory.LOADED}")

    def share(
        self,
        source: Shareable,
        name: str,
        *,
        replace: bool = False,
        pin: bool = False,
        progress: Progress | None = None,
    ) -> TableInfo:
        """Copy a table into shared memory under a name, once; every ``attach`` then uses that copy.

        Parameters
        ----------
        source
            A pyarrow, pandas, polars or DuckDB table, a dict of NumPy arrays, a
            stream of record batches, or anything with the Arrow PyCapsule
            interface (``__arrow_c_stream__``, ``__arrow_c_array__``).
        name
            1 to 200 bytes without white space or ``/``.
        replace
            Take the name over even if somebody else's table has it now. The same
            process may always replace its own table; once that has ended, so may
            the same kernel, notebook or script when it runs again. Processes that
            have the older version attached keep it.
        pin
            Never remove the table automatically, even if nobody uses it.
        progress
            Called now and then with the bytes written so far, and with the
            approximate total (``None`` where that is not known).

        Raises
        ------
        InvalidName, TableExists, UnsupportedSource
        NoRoom
            Nothing of the table stays behind.
        UnsafeDirectory
            The directory is not private to this user.
        Busy
            Another process kept the directory locked.
        """
        from .publication import Publication, Request

        names.check(name)
        table = tabular.to_arrow(source)
        publishing = Publication(
            self._directory,
            self._listing,
            Request(name, table.schema, table.num_rows, table.nbytes, table.kind, replace, pin),
            progress,
        )
        try:
            if isinstance(table.batches, list):
                publishing.write_all(table.batches)
            else:
                for batch in table.batches:
                    publishing.write(batch)
            return publishing.finish()
        except BaseException:
            publishing.abort()
            raise

    @overload
    def attach(
        self, name: str | os.PathLike[str], *, to: Literal["pyarrow"] = "pyarrow", **options: Unpack[AttachOptions]
    ) -> pa.Table: ...

    @overload
    def attach(self, name: str | os.PathLike[str], *, to: Kind, **options: Unpack[AttachOptions]) -> Any: ...

    def attach(
        self,
        name: str | os.PathLike[str],
        *,
        to: Kind = "pyarrow",
        columns: Sequence[str] | None = None,
        copy: bool = False,
        wait: float | None = None,
        validate: Validate = None,
        load: Callable[[], Shareable] | None = None,
        where: str | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """The table of this name: the shared memory itself, and copies of what its library cannot use there.

        The data stays valid for as long as anything refers to it, whatever
        happens to the name, the publisher or the directory. A table without
        a byte of data (no rows, or only nulls) holds nothing, and is not counted as a use.

        Parameters
        ----------
        name
            The name of a table; or the path or URI of a Parquet, Arrow, CSV, JSON
            or ORC file, or of a directory of them (it has a ``/`` in it): then the
            file is loaded once on this machine, for all who attach it, and again
            when it has changed.
        to
            ``"pyarrow"`` (a ``pyarrow.Table``), ``"pandas"``, ``"polars"``,
            ``"duckdb"``, ``"numpy"`` (a dict of arrays), or ``"source"``: the kind
            that was shared. pandas and NumPy get read-only views of numbers and
            times (with nulls among them only where pandas shared them); what they
            cannot view is copied (:meth:`attachment` says what). So are columns of
            which pyarrow cannot select or order the rows, such as polars' texts;
            ``"stored"`` gives a ``pyarrow.Table`` of the types that are stored,
            without a copy, to hand on to a library that knows them.
        columns
            Only these, in this order; the name of one column is that column.
        copy
            A private, writable copy instead, that keeps nothing attached.
        wait
            Seconds to wait until somebody shares a table of this name.
        validate
            ``"full"`` checks every offset and index first (120 ms per GiB). Files
            that were not written by this package always are.
        load
            Called without arguments where no table has this name: the result is
            shared under it, then attached. Of all processes that ask at the same
            time one loads, and the others wait for its table, ``wait`` seconds at
            most; if it fails or dies, the next one loads.
        where
            With a path: only the rows for which this holds, as ``"fare > 10 and
            city in ['Bergen', 'Oslo']"``.
        progress
            Called now and then while the table is loaded, here or by another
            process, with the bytes written so far, and with the approximate total
            (``None`` where that is not known).

        Raises
        ------
        TableNotFound, DamagedTable, NewerProtocol
        LoadFailed
            The files of this path cannot be read.
        Busy
            Somebody kept the file locked, or was still loading after ``wait`` seconds.
        """
        opened = self.open_table(name, columns, copy, wait, validate, load, where, progress)
        if copy or to not in ("pyarrow", "stored"):
            return attached.convert(opened, to, copy).value
        return opened.table if to == "stored" else attached.usable(opened)

    def attachment(
        self, name: str | os.PathLike[str], *, to: Kind = "pyarrow", **options: Unpack[AttachOptions]
    ) -> Attachment:
        """Like :meth:`attach`, with what was copied, and why the kind differs from the one asked for, if it does."""
        return attached.convert(self.open_table(name, **options), to, options.get("copy", False))

    def open_table(
        self,
        name: str | os.PathLike[str],
        columns: Sequence[str] | None = None,
        copy: bool = False,
        wait: float | None = None,
        validate: Validate = None,
        load: Callable[[], Shareable] | None = None,
        where: str | None = None,
        progress: Progress | None = None,
    ) -> attached.Opened:
        """As :meth:`attach`, but the types and the columns are as they are stored."""
        if load is None and where is None and not names.is_address(name):
            assert isinstance(name, str)
            how = attached.Request(columns, wait or 0, validate == "full", copy)
            try:
                return attached.open_table(self._directory, self._not_found, name, how)
            except TableNotFound:
                if not self._is_loaded(name):
                    raise
            return self.loaded.open_table(name, columns, copy, validate=validate)
        from .loads import open_loaded

        return open_loaded(self, name, columns, wait, validate, load, where, progress)

    @_or_loaded
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

    def damaged(self, name: str, error: BaseException) -> DamagedTable:
        """The error of ours for one of ``UNREADABLE``, which reading the rows of a table raised."""
        return arrowfile.damaged(error, name, self.path(name))

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

    def writer(self, name: str, schema: pa.Schema, *, replace: bool = False, pin: bool = False) -> Writer:
        """Write a table batch by batch, for tables that do not fit into memory twice.

        Used as a context manager. The table appears, whole, when the block
        ends; an exception inside the block leaves nothing behind. Raises as
        :meth:`share`.
        """
        from .publication import Publication, Request, Writer

        names.check(name)
        return Writer(Publication(self._directory, self._listing, Request(name, schema, replace=replace, pin=pin)))

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

    @_or_loaded
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

    @property
    def _has_loaded(self) -> bool:
        """Whether there may be tables loaded from files: not in their own store, nor where other users read."""
        return not self._directory.access.is_open and os.path.basename(self.directory) != directory.LOADED

    def _is_loaded(self, name: str) -> bool:
        """Whether the name is that of a loaded table, and of no shared one."""
        return self._has_loaded and self._opened(name) is None and self.loaded._opened(name) is not None

    def version(self, name: str) -> str | None:
        """The :attr:`TableInfo.version` that has the name now; ``None`` if there is none. Costs two system calls."""
        entry = self._opened(name)
        if entry is None and self._is_loaded(name):
            entry = self.loaded._opened(name)
        return entry[0] if entry is not None else None

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

    @_or_loaded
    def readers_by_path(self, name: str) -> list[Holder]:
        """Processes that map the table's file without having attached it: other Arrow readers. They hold nothing."""
        from . import leases, process

        table = self.info(name)
        opened = self._directory.open()
        assert opened is not None
        device, inode = self._directory.lock_device(opened.fd), segment.inode_of(table.version)
        known = leases.Locks(device).leases(inode)
        return [process.look_up(pid) for pid in leases.mappers(device, inode) if pid not in known]

    def names(self) -> list[str]:
        """The names that are taken, without looking at their files."""
        return self._listing.names()

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

    def path(self, name: str) -> str:
        """Where the table's Arrow file is, whether it exists or not."""
        return self._directory.file(name)

    @_or_loaded
    def unshare(self, name: str) -> None:
        """Remove the name. Processes that have the table attached keep it; the memory is freed when the last lets go.

        Raises ``TableNotFound``.
        """
        from . import notes, pins

        with contextlib.ExitStack() as later, self._changing(name) as at:
            if (file := segment.open_any(at, name + names.SUFFIX)) is not None:
                later.enter_context(file)
            # The pin first: killed in between, we leave a table without a pin, not a pin for the next of this name.
            pins.unpin(at, name)
            os.unlink(name + names.SUFFIX, dir_fd=at)
            notes.forget(at, name)

    @_or_loaded
    def pin(self, name: str) -> None:
        """Never remove this table automatically. Raises ``TableNotFound``."""
        from . import pins

        with self._changing(name) as at:
            pins.pin(at, name)

    @_or_loaded
    def unpin(self, name: str) -> None:
        """The opposite of :meth:`pin`. Raises ``TableNotFound``."""
        from . import pins

        with self._changing(name) as at:
            pins.unpin(at, name)

    def collect(self, name: str, reason: str) -> int | None:
        """Remove one table if nobody uses it and it is not pinned, noting why; its bytes, or ``None`` if it stays."""
        from . import collector

        if self._is_loaded(name):
            return self.loaded.collect(name, reason)
        try:
            return collector.collect(self._directory, self._listing, names.check(name), reason)
        except OSError as error:
            raise self._directory.explain(error) from None

    def room(self) -> Room:
        """How much there is for tables, how much of that is in use by anyone, and which limit comes first."""
        return self._directory.room()

    @contextlib.contextmanager
    def _changing(self, name: str) -> Iterator[int]:
        """The directory lock, and a table of this name."""
        names.check(name)
        if self._directory.open() is None:
            raise self._not_found(name)
        try:
            with self._directory.lock() as at:
                if (opened := segment.open_regular(at, name)) is None:
                    raise self._not_found(name)
                opened[0].close()
                yield at
        except OSError as error:
            raise self._directory.explain(error) from None

    def gc(self) -> dict[str, int]:
        """Remove every table that nobody uses and that is not pinned; the names and bytes of what went."""
        from . import collector

        try:
            removed = collector.collect_all(self._directory, self._listing)
        except OSError as error:
            raise self._directory.explain(error) from None
        return {**removed, **self.loaded.gc()} if self._has_loaded else removed


def default_store() -> Store:
    """The store that all notebooks of this user share, as the environment says now."""
    return _store_of(os.environ.get(directory.ENVIRONMENT_VARIABLE), os.geteuid())


@functools.lru_cache(maxsize=8)
def _store_of(chosen: str | None, user: int) -> Store:
    return Store()
