"""Notes on tables that were removed because nobody used them: one small file each, for "not found" to read.

Nothing depends on a note. The next table of its name removes it, and only the
newest :data:`MOST` are kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os

from .lock import Descriptor

REMOVED = ".removed"
MOST = 100
_MAX_BYTES = 500  # of a reason, which is one sentence


def write(at: int, name: str, reason: str) -> None:
    """Note why the table was removed; the caller holds the directory lock. In a full directory nothing is noted."""
    with contextlib.suppress(OSError):
        with contextlib.suppress(FileExistsError):
            os.mkdir(REMOVED, 0o700, dir_fd=at)
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW
        with Descriptor.open(f"{REMOVED}/{name}", flags, dir_fd=at) as file:
            os.write(file.fd, reason.encode()[:_MAX_BYTES])
        _keep_newest(at)


def read(at: int, name: str) -> tuple[dt.datetime, str] | None:
    """When the last table of this name was removed, and why; ``None`` if it was not, or too long ago."""
    try:
        with Descriptor.open(f"{REMOVED}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at) as file:
            when = dt.datetime.fromtimestamp(os.fstat(file.fd).st_mtime, dt.timezone.utc)
            return when, os.read(file.fd, _MAX_BYTES).decode(errors="replace")
    except OSError:
        return None


def forget(at: int, name: str) -> None:
    """The name has a table again; the caller holds the directory lock."""
    with contextlib.suppress(OSError):
        os.unlink(f"{REMOVED}/{name}", dir_fd=at)


def _keep_newest(at: int) -> None:
    with Descriptor.open(REMOVED, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at) as opened:
        with os.scandir(opened.fd) as entries:
            known = sorted(entries, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
        for entry in known[:-MOST]:
            os.unlink(entry.name, dir_fd=opened.fd)
