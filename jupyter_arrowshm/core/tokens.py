"""A publisher's mark of life: one empty file for each publishing process, locked for as long as that process lives."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets

from .directory import LIVE, LOCK_TIMEOUT
from .lock import SHARED, Descriptor, claim, is_grantable, renew_in_children

_PATTERN = re.compile(r"[0-9a-f]{32}")


class _Token:
    """This process's mark of life: one id, and an empty locked file of that name in every directory it published to."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(16)
        self.files: dict[tuple[int, int], Descriptor] = {}

    def forked(self) -> None:
        """The child is a publisher of its own; its copies of the descriptors are closed already."""
        self.__init__()  # type: ignore[misc]


_token = _Token()
renew_in_children(_token)


def token_id() -> str:
    """The id that this process publishes under."""
    return _token.id


def show(at: int) -> str:
    """Make sure that this process's token lies in the directory, locked; the caller holds the directory lock.

    Without that lock a sweeper could find the file between its creation and its
    lock, and take it for a dead process's.
    """
    live = _open_live(at)
    with live:
        status = os.fstat(live.fd)
        key = (status.st_dev, status.st_ino)
        file = _token.files.get(key)
        if file is None or os.fstat(file.fd).st_nlink == 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_token.id, dir_fd=live.fd)
            file = Descriptor.open(_token.id, os.O_CREAT | os.O_EXCL | os.O_RDWR, dir_fd=live.fd)
            claim(file.fd, f"{LIVE}/{_token.id}", LOCK_TIMEOUT)
            _token.files[key] = file
    return _token.id


def _open_live(at: int) -> Descriptor:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return Descriptor.open(LIVE, flags, dir_fd=at)
    except FileNotFoundError:
        os.mkdir(LIVE, 0o700, dir_fd=at)
        return Descriptor.open(LIVE, flags, dir_fd=at)


def is_alive(at: int, token: str) -> bool:
    """Whether the process that published under ``token`` still runs: its token is locked."""
    if token == _token.id:
        return True
    if not _PATTERN.fullmatch(token):  # a footer may say anything: "..", or a path
        return False
    try:
        file = Descriptor.open(f"{LIVE}/{token}", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        # A process without a free descriptor must not take the others for dead, and remove their marks.
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG):
            return False
        raise
    with file:
        return not is_grantable(file.fd, SHARED)


def inode_of(at: int, token: str) -> int:
    """The inode of a token; 0 if it is gone already."""
    try:
        return os.stat(f"{LIVE}/{token}", dir_fd=at, follow_symlinks=False).st_ino
    except FileNotFoundError:
        return 0


def remove_dead(at: int) -> None:
    """Remove the tokens of processes that have ended; the caller holds the directory lock."""
    with _open_live(at) as live:
        for token in os.listdir(live.fd):
            if not is_alive(at, token):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(token, dir_fd=live.fd)
