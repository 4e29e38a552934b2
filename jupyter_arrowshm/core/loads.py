"""Load once per machine: one process loads a name, the others wait for its table (docs/protocol.md, "Loading").

The lock is a file of its own for each name, which the death of its holder frees. It says how far the loading is.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from ..errors import Busy, LoadFailed, LoadsItself, NoRoom, TableExists, TableNotFound
from ..loading import Files, Origin
from . import names
from .attached import Attachment, convert
from .directory import LOADING, Directory
from .facts import Facts
from .listing import Listing
from .lock import EXCLUSIVE, Descriptor, try_lock, unlock, wait_for
from .publication import Progress, Publication, Request

if TYPE_CHECKING:
    from ..kinds import Shareable
    from .attached import Opened
    from .store import Store

_TELL_EVERY = 0.2  # s between two notes of how far it is
_LOOK_EVERY = 0.1  # s between two looks at them
_FOREVER = float("inf")
_ATTEMPTS = 5  # at loading files that change while they are read

# The lock files of what this thread loads: a function that attaches what it loads would wait for itself.
_mine: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("loading", default=())


class Turn:
    """The right to load one name, for as long as :func:`turn` is left open."""

    def __init__(self, file: Descriptor, progress: Progress) -> None:
        self._file, self._progress = file, progress
        self._told = 0.0

    def tell(self, written: int, total: int | None) -> None:
        """Note how far the loading is, for those who wait, and for whoever asked here."""
        self._progress(written, total)
        if (now := time.monotonic()) - self._told >= _TELL_EVERY:
            self._told = now
            with contextlib.suppress(OSError):  # a full disk: the table itself will say so
                os.pwrite(self._file.fd, f"{written:19} {total or 0:19}\n".encode(), 0)


@contextlib.contextmanager
def turn(store: Store, name: str, wait: float | None, progress: Progress | None = None) -> Iterator[Turn]:
    """Wait until nobody else loads ``name`` in this store, and keep others waiting.

    Parameters
    ----------
    wait
        Seconds; ``None`` waits for as long as the process that loads lives.
    progress
        Called now and then with how far the loading is, here or in another process.

    Raises
    ------
    Busy
        Somebody else was still loading after ``wait`` seconds.
    LoadsItself
        This very thread loads it: it would wait for itself.
    """
    if wait is not None and not wait >= 0:
        raise ValueError(f"wait is a number of seconds, 0 or more, not {wait!r}")
    loaded = Directory(store.loaded.directory)
    path = f"{loaded.path}/{LOADING}/{name}"
    if path in _mine.get():
        raise LoadsItself(name)
    tell = progress or (lambda written, total: None)
    try:
        Directory(store.directory).open(create=True)  # it holds the other one
        file = _locked(loaded, name, _FOREVER if wait is None else wait, tell)
    except OSError as error:
        raise loaded.explain(error) from None
    if file is None:
        raise Busy(f"the loading of {name!r}", wait or 0)
    before = _mine.set((*_mine.get(), path))
    with file:
        try:
            yield Turn(file, tell)
        finally:
            _mine.reset(before)
            # Its name first: whoever then has the lock sees that the file is gone, and opens the next one.
            with contextlib.suppress(OSError):
                if os.fstat(file.fd).st_nlink and (opened := loaded.open()) is not None:
                    os.unlink(f"{LOADING}/{name}", dir_fd=opened.fd)  # unless the directory was made anew meanwhile
            unlock(file.fd)


def _locked(loaded: Directory, name: str, timeout: float, waiting: Progress) -> Descriptor | None:
    """The lock file of this name, locked; ``None`` after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        file = _open(loaded, name)
        while not wait_for(functools.partial(try_lock, file.fd, EXCLUSIVE), min(_LOOK_EVERY, timeout)):
            if time.monotonic() >= deadline:
                file.close()
                return None
            with contextlib.suppress(ValueError):  # nothing is told yet
                written, total = map(int, os.pread(file.fd, 64, 0).split())
                waiting(written, total or None)
        if os.fstat(file.fd).st_nlink:
            return file
        unlock(file.fd)
        file.close()


def _open(loaded: Directory, name: str) -> Descriptor:
    while True:
        opened = loaded.open(create=True)
        assert opened is not None
        with contextlib.suppress(FileExistsError):
            os.mkdir(LOADING, 0o700, dir_fd=opened.fd)
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            return Descriptor.open(f"{LOADING}/{name}", flags, 0o600, dir_fd=opened.fd)
        except OSError as error:
            if error.errno != errno.ENOENT:  # else it was removed this instant, with all that is in it
                raise


def open_loaded(
    store: Store,
    name: str | os.PathLike[str],
    columns: Sequence[str] | None,
    wait: float | None,
    validate: Literal["full"] | None,
    load: Callable[[], Shareable] | None,
    where: str | None,
    progress: Progress | None,
) -> Opened:
    """``Store.attach`` of a table that may have to be loaded first, as far as the opened file."""
    if names.is_address(name):
        if load is not None:
            raise ValueError("load= goes with the name of a table, which has no '/' in it")
        origin = Files(name, columns, where)
        attempt = functools.partial(store.loaded.open_table, origin.name, columns, validate=validate)
        return _open_origin(store, origin, wait, attempt, progress)
    assert isinstance(name, str)
    if where is not None or load is None:
        raise ValueError("where= is for files and clusters: filter a shared table once it is attached")
    attempt = functools.partial(store.open_table, names.check(name), columns, validate=validate)
    return _open_or_call(store, name, wait, load, attempt, progress)


def attach_origin(
    store: Store,
    origin: Origin,
    to: str,
    *,
    columns: Sequence[str] | None = None,
    copy: bool = False,
    wait: float | None = None,
    validate: Literal["full"] | None = None,
    where: str | None = None,
    progress: Progress | None = None,
) -> Attachment:
    """``Store.attachment`` of an origin that is not a path: loaded if this machine does not have its version yet."""
    if where is not None:
        raise ValueError("where= is for files and clusters: filter a shared table once it is attached")
    attempt = functools.partial(store.loaded.open_table, origin.name, columns, validate=validate)
    return convert(_open_origin(store, origin, wait, attempt, progress), to, copy)


def _open_or_call(
    store: Store,
    name: str,
    wait: float | None,
    load: Callable[[], Shareable],
    attempt: Callable[[], Opened],
    progress: Progress | None,
) -> Opened:
    while True:
        with contextlib.suppress(TableNotFound):
            return attempt()
        with turn(store, name, wait, progress) as mine:
            with contextlib.suppress(TableNotFound):  # somebody loaded it while we waited
                return attempt()
            # A table that somebody shared by hand meanwhile is the one that was asked for.
            with contextlib.suppress(TableExists):
                store.share(load(), name, progress=mine.tell)


def _open_origin(
    store: Store,
    origin: Origin,
    wait: float | None,
    attempt: Callable[[], Opened],
    progress: Progress | None,
) -> Opened:
    version = origin.version()

    def current() -> Opened | None:
        with contextlib.suppress(TableNotFound):
            opened = attempt()
            facts = Facts.from_metadata(opened.metadata)
            # The address, too: the name has but eight digits of it.
            if (facts.origin, facts.origin_version) == (origin.address, version):
                return opened
        return None

    for _ in range(_ATTEMPTS):
        if (opened := current()) is not None:
            return opened
        with turn(store, origin.name, wait, progress) as mine:
            version = origin.version()
            if (opened := current()) is not None:
                return opened
            _publish(store, origin, version, mine.tell)
            # pyarrow keeps the memory that it has decoded the files into, which may be more than the table takes.
            pa.default_memory_pool().release_unused()
            version = origin.version()
            if (opened := current()) is not None:
                return opened
    raise LoadFailed(origin.address, "it changes all the time while it is read")


def _publish(store: Store, origin: Origin, version: str, progress: Progress) -> None:
    """Load the rows of an origin. Rows that were read while it changed may be a mixture, and nobody gets them."""
    source = origin.read()
    rows = 0

    def written(nbytes: int, _: int | None) -> None:
        progress(nbytes, nbytes * source.num_rows // rows if source.num_rows and rows else None)

    loaded = Directory(store.loaded.directory)
    publishing = Publication(
        loaded,
        Listing(loaded),
        Request(origin.name, source.schema, source=source.kind, replace=True, origin=origin, origin_version=version),
        written,
    )
    try:
        for batch in source.batches:
            rows += batch.num_rows
            publishing.write(batch)
        if publishing.is_in_pieces():
            publishing = publishing.in_one_batch()
        if origin.version() == version:
            publishing.finish()
    except NoRoom as error:
        # Its own list is of loaded tables; a shared one that nobody uses goes only when a person says so.
        shared = tuple((table.name, table.nbytes) for table in store.tables() if table.unused and not table.pinned)
        raise NoRoom(error.needed, error.free, error.directory, (*shared, *error.unused)) from None
    finally:
        publishing.abort()
