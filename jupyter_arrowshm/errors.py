"""What can go wrong, as types with fields.

A leaf: it imports nothing of ours but the words for sizes and times. Every
error can be pickled (it crosses process pools), and its text says what
happened and what to do about it.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import words


def _rebuild(cls: type[ArrowSHMError], state: dict[str, Any]) -> ArrowSHMError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


class ArrowSHMError(Exception):
    """The root of the errors that this package raises."""

    def __reduce__(self) -> tuple[Callable[..., ArrowSHMError], tuple[type, dict[str, Any]]]:
        # Exception pickles `args`, which the keyword fields below never reach.
        return _rebuild, (type(self), dict(self.__dict__))


@dataclass(eq=False)
class TableNotFound(ArrowSHMError, LookupError):
    """No table has this name.

    ``near`` holds up to three names that look like it; ``removed_at`` and
    ``reason`` say when and why one of this name was removed, if it was.
    """

    name: str
    near: tuple[str, ...] = ()
    removed_at: dt.datetime | None = None
    reason: str = ""

    def __str__(self) -> str:
        text = f"no shared table {self.name!r}."
        if self.removed_at:
            return f"{text} It was removed {words.age(self.removed_at)}: {self.reason}. Share it again."
        if self.near:
            return f"{text} Did you mean {' or '.join(map(repr, self.near))}?"
        return f"{text} tables() lists what is shared."


@dataclass(eq=False)
class TableExists(ArrowSHMError):
    """Somebody else published a table under this name, and ``replace`` was not asked for."""

    name: str
    publisher: str
    alive: bool
    published_at: dt.datetime | None = None

    def __str__(self) -> str:
        when = f" {words.age(self.published_at)}" if self.published_at else ""
        gone = "" if self.alive else ", which has ended"
        return (
            f"{self.name!r} was shared by {self.publisher}{when}{gone}; "
            "pick another name, or take it over with replace=True."
        )


@dataclass(eq=False)
class InvalidName(ArrowSHMError, ValueError):
    """A table cannot be called this. ``reason`` says which rule it breaks."""

    name: str
    reason: str

    def __str__(self) -> str:
        shown = self.name if len(self.name) <= 60 else self.name[:57] + "..."
        return f"{shown!r} cannot be a table's name: {self.reason}."


@dataclass(eq=False)
class NoRoom(ArrowSHMError):
    """The table does not fit: ``needed`` and ``free`` are bytes, ``unused`` the tables nobody uses, with theirs."""

    needed: int
    free: int
    directory: str
    unused: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        text = f"needs {words.size(self.needed)}, but only {words.size(self.free)} is free in {self.directory}."
        if self.unused:
            shown = ", ".join(f"{name} ({words.size(nbytes)})" for name, nbytes in self.unused[:5])
            more = f" and {len(self.unused) - 5} more" if len(self.unused) > 5 else ""
            text += f" Nobody uses {shown}{more}: unshare() them, or gc() frees all."
        return text + (
            " More room: docker run --shm-size, an emptyDir with medium Memory in Kubernetes,"
            " or $JUPYTER_ARROWSHM_DIR on a larger disk."
        )


@dataclass(eq=False)
class UnsafeDirectory(ArrowSHMError):
    """The directory of tables is not private to this user, or cannot be used. Nothing was read or written."""

    directory: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.directory} {self.reason}: {self.remedy}."


@dataclass(eq=False)
class DamagedTable(ArrowSHMError):
    """The file behind a table's name is no whole, uncompressed Arrow IPC file."""

    name: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name!r} cannot be read: {self.reason}. Share it again, or remove it with unshare({self.name!r})."


@dataclass(eq=False)
class NewerProtocol(ArrowSHMError):
    """A newer release of this package wrote the table. ``protocol`` is the table's, ``supported`` is ours."""

    name: str
    protocol: str
    supported: str

    def __str__(self) -> str:
        return (
            f"{self.name!r} was shared by a newer jupyter-arrowshm (protocol {self.protocol}, "
            f"this one knows {self.supported}): pip install --upgrade jupyter-arrowshm "
            "in the environment of this process."
        )


@dataclass(eq=False)
class Busy(ArrowSHMError):
    """Another process kept a lock for longer than ``waited`` seconds. Trying again is safe."""

    what: str
    waited: float

    def __str__(self) -> str:
        return (
            f"{self.what} was busy for {self.waited:g} s: another process, perhaps a stopped one, uses it. Try again."
        )


@dataclass(eq=False)
class UnsupportedSource(ArrowSHMError, TypeError):
    """Arrow cannot carry this object. ``column`` is the label at fault, ``remedy`` code or words that fix it."""

    kind: str
    reason: str
    remedy: str
    column: str | None = None

    def __str__(self) -> str:
        where = f"column {self.column!r} of this {self.kind}" if self.column is not None else f"this {self.kind}"
        return f"{where} cannot be shared: {self.reason}. {self.remedy}"


@dataclass(eq=False)
class UnsupportedTarget(ArrowSHMError, TypeError):
    """A library has nothing that ``column`` of a table could be there. ``reason`` is what that library says."""

    library: str
    reason: str
    column: str | None = None

    def __str__(self) -> str:
        what, without = "this table", ""
        if self.column is not None:
            what, without = f"column {self.column!r}", ", or without that column"
        return f"{self.library} cannot have {what}: {self.reason}. Attach it as pyarrow{without}."


@dataclass(eq=False)
class InvalidQuery(ArrowSHMError, ValueError):
    """A page, sort, filter or summary was asked for that makes no sense for this table. ``reason`` says why."""

    reason: str

    def __str__(self) -> str:
        return f"this cannot be shown: {self.reason}."


@dataclass(eq=False)
class QueryStopped(ArrowSHMError):
    """A preview came to its limit of time or memory, or was ended; the table itself is as it was."""

    reason: str
    remedy: str = "Try fewer columns or a simpler filter, or attach the table"

    def __str__(self) -> str:
        return f"the preview {self.reason}. {self.remedy}."


@dataclass(eq=False)
class TableReplaced(ArrowSHMError):
    """The version of a table that was asked for is not at hand any more; another one has its name."""

    name: str

    def __str__(self) -> str:
        return f"{self.name!r} was replaced, and the older version is gone. Look at the newer one."


@dataclass(eq=False)
class StoreFailed(ArrowSHMError):
    """The operating system refused a call, in a way no other error here describes (EIO, EMFILE, ...)."""

    directory: str
    code: int

    def __str__(self) -> str:
        text = f"the directory of shared tables, {self.directory}, failed: {os.strerror(self.code)}."
        if self.code in (errno.EMFILE, errno.ENFILE):
            return f"{text} Raise the limit on open files (ulimit -n), or drop attached tables."
        return f"{text} `dmesg` and the disk's health may tell more."


@dataclass(eq=False)
class UnsupportedPlatform(ArrowSHMError):
    """This system has no file locks that live and die with a memory mapping (Windows)."""

    platform: str

    def __str__(self) -> str:
        return f"sharing tables works on Linux, WSL 2 and macOS; {self.platform} lacks the file locks it needs."
