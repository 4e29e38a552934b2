"""The only code that removes what nobody holds.

The kernel itself frees a file that has lost its name. This module removes the
marks of processes that have ended (:func:`sweep`) and tables nobody uses
(:func:`collect`). A removed file's descriptor is closed outside the directory
lock: freeing a GiB takes 130 ms.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from . import listing, names, notes, pins, segment, tokens
from .directory import DRAFT_PREFIX, LIVE, LOADED, LOADING, PINS, Directory
from .lock import EXCLUSIVE, SHARED, Descriptor, entries, is_grantable, try_lock

_LOCK_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def sweep(at: int) -> list[Descriptor]:
    """Remove dead tokens, abandoned drafts and pins without a table; the caller holds the directory lock.

    Returns the files that lost their names, to be closed after that lock is released.
    """
    tokens.remove_dead(at)
    removed = []
    for entry in entries(at):
        if entry.startswith(DRAFT_PREFIX) and (file := segment.open_any(at, entry)) is not None:
            # A draft has a name either under the directory lock, which we hold, or while its writer keeps it locked.
            if try_lock(file.fd, SHARED):
                _unlink(at, entry)
            removed.append(file)
    for lock in _abandoned_locks(at):
        # Whoever waits for it with the file open sees that it has no name, and makes the next one.
        with contextlib.suppress(OSError):
            os.unlink(lock, dir_fd=at)
    with contextlib.suppress(FileNotFoundError):
        for name in _list(at, PINS):
            if not _exists(at, name + names.SUFFIX):
                _unlink(at, f"{PINS}/{name}")
    return removed


def _abandoned_locks(at: int) -> Iterator[str]:
    """The lock files of processes that were killed while they loaded a table."""
    for name in _list(at, LOADING):
        with contextlib.suppress(OSError), Descriptor.open(f"{LOADING}/{name}", _LOCK_FILE, dir_fd=at) as file:
            if is_grantable(file.fd, SHARED):
                yield f"{LOADING}/{name}"


def is_littered(at: int) -> bool:
    """Whether :func:`sweep` would find something, asked without the directory lock."""
    if any(entry.startswith(DRAFT_PREFIX) for entry in entries(at)):
        return True
    return not all(tokens.is_alive(at, token) for token in _list(at, LIVE)) or any(_abandoned_locks(at))


def collect(directory: Directory, catalogue: listing.Listing, name: str, reason: str) -> int | None:
    """Remove the table if nobody holds it and it is not pinned; its bytes, or ``None`` if it stays.

    Leaves a note with the reason, so that "not found" can say what happened to it.
    """
    if directory.open() is None:  # the lock would make it
        return None
    with contextlib.ExitStack() as later, directory.lock() as at:
        opened = segment.open_regular(at, name)
        if opened is None:
            return None
        file, status = opened
        later.enter_context(file)
        if pins.is_pinned(at, name):
            return None
        entry = catalogue.summary(at, name)
        if entry is None or entry[1] is None or tokens.is_alive(at, entry[1].facts.token):
            return None
        # Refused: somebody has it attached. Granted: nobody can attach it before it has lost its name.
        if not try_lock(file.fd, EXCLUSIVE):
            return None
        _unlink(at, name + names.SUFFIX)
        notes.write(at, name, reason)
        return status.st_size


def tidy(directory: Directory) -> None:
    """:func:`sweep`, by itself."""
    with contextlib.ExitStack() as later, directory.lock() as at:
        for file in sweep(at):
            later.enter_context(file)


def collect_all(directory: Directory, catalogue: listing.Listing) -> dict[str, int]:
    """Sweep, then remove every unpinned table that nobody holds; the names and bytes of those removed."""
    if directory.open() is None:
        return {}
    tidy(directory)
    removed = {}
    for name in catalogue.names():
        if (nbytes := collect(directory, catalogue, name, "nobody used it when gc() was called")) is not None:
            removed[name] = nbytes
    return removed


def make_room(directory: Directory, needed: int) -> None:
    """Remove loaded tables that nobody uses, the longest unused first, until ``needed`` bytes are free.

    They are the only ones with a name that go without being asked for: they can be had again.
    """
    is_loaded = os.path.basename(directory.path) == LOADED
    loaded = directory if is_loaded else Directory(f"{directory.path}/{LOADED}")
    catalogue = listing.Listing(loaded)
    for table in sorted(catalogue.tables(), key=lambda table: table.last_attached):
        if directory.room().free >= needed:
            return
        if table.unused and not table.pinned:
            collect(loaded, catalogue, table.name, "the room was needed, and nobody used it")


def _list(at: int, name: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return entries(at, name)
    return []


def _exists(at: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _unlink(at: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=at)
