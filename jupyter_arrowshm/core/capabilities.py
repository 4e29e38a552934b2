"""The abilities of the machine that a store uses, found by trying."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass

from . import names, room
from .directory import Directory
from .leases import Locks
from .lock import SHARED, try_lock
from .segment import Draft


@dataclass(frozen=True)
class Capabilities:
    """The abilities that were found.

    Attributes
    ----------
    file_system
        The type of the file system that the tables are on (``"tmpfs"``), empty where /proc does not say.
    lists_locks
        Whether /proc/locks can be read.
    counts_users
        Whether a lock of our own stands in it, so that users of a table can be counted.
    has_unnamed_files
        Whether a table can be written before it has a name (O_TMPFILE): a process that dies leaves nothing behind.
    writes_any_name
        Whether file names may have any character; they may not where the locale is not UTF-8.
    """

    file_system: str
    lists_locks: bool
    counts_users: bool
    has_unnamed_files: bool
    writes_any_name: bool


def probe(directory: Directory) -> Capabilities:
    """Try them in this directory; if it does not exist, in one beside it, which is removed again."""
    if directory.open() is not None:
        return _probe(directory)
    with tempfile.TemporaryDirectory(prefix="jupyter-arrowshm-probe-", dir=os.path.dirname(directory.path)) as beside:
        return _probe(Directory(beside))


def _probe(directory: Directory) -> Capabilities:
    with directory.lock() as at:
        draft = Draft(at)
        try:
            try_lock(draft.file.fd, SHARED)
            locks = Locks(directory.lock_device(at))
            counts_users = bool(locks.leases(os.fstat(draft.file.fd).st_ino))
        finally:
            draft.discard(at)
        file_system = room.file_system(os.fstat(at).st_dev) or ""
    return Capabilities(
        file_system,
        locks.visible,
        counts_users,
        has_unnamed_files=not draft.name,
        writes_any_name=names.can_be_any(),
    )
