"""What the machine can do for a store, found by trying."""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import names, room
from .directory import Directory
from .leases import Locks
from .lock import SHARED, try_lock
from .segment import Draft


@dataclass(frozen=True)
class Capabilities:
    """What was found.

    Attributes
    ----------
    file_system
        The type of the file system that the tables are on (``"tmpfs"``), empty where /proc does not tell.
    lists_locks
        Whether /proc/locks can be read.
    counts_users
        Whether a lock of our own stands in it, so that users of a table can be counted.
    has_unnamed_files
        Whether a table can be written before it has a name (O_TMPFILE): nothing of it is left by a process that dies.
    writes_any_name
        Whether file names may have any character, which they may not where the locale is not UTF-8.
    memory_is_the_limit
        Whether memory ends before the file system does.
    """

    file_system: str
    lists_locks: bool
    counts_users: bool
    has_unnamed_files: bool
    writes_any_name: bool
    memory_is_the_limit: bool


def probe(directory: Directory) -> Capabilities:
    """Try them in this directory, which is made if there is none."""
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
        memory_is_the_limit=file_system == "tmpfs" and room.memory_left() <= directory.room(),
    )
