"""The tables that are never collected: one empty file for each, under the table's name."""

from __future__ import annotations

import contextlib
import os

from .directory import PINS
from .lock import Descriptor


def pin(at: int, name: str) -> None:
    """Mark the table as never to be collected; the caller holds the directory lock."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(PINS, 0o700, dir_fd=at)
    Descriptor.open(f"{PINS}/{name}", os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, dir_fd=at).close()


def unpin(at: int, name: str) -> None:
    """The opposite of :func:`pin`; the caller holds the directory lock."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{PINS}/{name}", dir_fd=at)


def is_pinned(at: int, name: str) -> bool:
    """Whether the table of this name is pinned."""
    try:
        os.stat(f"{PINS}/{name}", dir_fd=at, follow_symlinks=False)
    except (FileNotFoundError, PermissionError):  # the latter: another user's, who alone can see it
        return False
    return True
