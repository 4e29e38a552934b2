"""Share, attach and remove tables in one directory."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

import pyarrow as pa

from .. import tabular
from ..errors import TableNotFound
from ..kinds import Kind, Shareable
from . import attached, directory, names, segment
from .attached import Attachment
from .contents import Contents, or_loaded

# A method imports what no other needs, so that the first attach in a new process does not wait for what share imports.
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .publication import Progress, Writer
    from .table import TableInfo

Validate = Literal["full"] | None


class AttachOptions(TypedDict, total=False):
    """The arguments of :meth:`Store.attach` besides the name and the kind."""

    columns: Sequence[str] | None
    copy: bool
    wait: float | None
    validate: Validate
    load: Callable[[], Shareable] | None
    where: str | None
    progress: Progress | None


class Store(Contents):
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

    def writer(self, name: str, schema: pa.Schema, *, replace: bool = False, pin: bool = False) -> Writer:
        """Write a table batch by batch, for tables that do not fit into memory twice.

        Used as a context manager. The table appears, whole, when the block
        ends; an exception inside the block leaves nothing behind. Raises as
        :meth:`share`.
        """
        from .publication import Publication, Request, Writer

        names.check(name)
        return Writer(Publication(self._directory, self._listing, Request(name, schema, replace=replace, pin=pin)))

    @or_loaded
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

    @or_loaded
    def pin(self, name: str) -> None:
        """Never remove this table automatically. Raises ``TableNotFound``."""
        from . import pins

        with self._changing(name) as at:
            pins.pin(at, name)

    @or_loaded
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
