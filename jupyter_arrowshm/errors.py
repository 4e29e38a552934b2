"""The errors of this package, as types with fields.

::

    ArrowSHMError
    ├── TableNotFound         no table has this name
    ├── TableExists           somebody else shared the table that has it
    ├── TableReplaced         another version has it now
    ├── TableLost             the machines of a cluster that had it are gone
    ├── PlaceNotFound         no place is called so
    ├── PlaceFailed           a place cannot be used, or does not do this
    ├── InvalidName           no table can have it
    ├── DamagedTable          its file is not a whole Arrow file
    ├── NewerProtocol         a newer release wrote it
    ├── UnsupportedSource     this object cannot be shared
    ├── UnsupportedTarget     this library cannot have that column
    ├── NoRoom                the table does not fit
    ├── Busy                  another process keeps a lock
    ├── LoadsItself           a function that loads a table attaches that table
    ├── LoadFailed            the files that a table is loaded from cannot be read
    ├── UnsafeDirectory       the directory of tables is open to others, or cannot be used
    ├── StoreFailed           the operating system refused a call
    ├── UnsupportedPlatform   this system lacks the file locks
    ├── InvalidQuery          a preview was asked for something that makes no sense
    └── QueryStopped          a preview came to its limit

A leaf: of ours, it imports only the words for sizes and times. Every
error can be pickled (it crosses process pools). Its ``what`` says what
happened, and ``remedy(speaker)`` what to do about it, in the language of
its reader.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from . import words

# Who says it: a function, a magic of a notebook, the command line, a client in another language.
Speaker = Literal["python", "magic", "cli", "julia", "r"]

_LIST = {
    "python": "tables()",
    "magic": "%shared",
    "cli": "jupyter arrowshm list",
    "julia": "tables()",
    "r": "shared_tables()",
}
_COLLECT = {
    "python": "gc()",
    "magic": "!jupyter arrowshm gc",
    "cli": "jupyter arrowshm gc",
    "julia": "ArrowSHM.gc()",
    "r": "collect_tables()",
}
_REPLACE = {
    "python": "replace=True",
    "magic": "--replace",
    "cli": "--replace",
    "julia": "replace=true",
    "r": "replace = TRUE",
}


def _unshare(name: str, speaker: Speaker) -> str:
    """The code that removes the table of this name."""
    if speaker == "magic":
        word = shlex.quote(name)
        return f"%unshare '{name}'" if word == name and name.startswith("-") else f"%unshare {word}"
    if speaker == "cli":
        return f"jupyter arrowshm unshare {'-- ' if name.startswith('-') else ''}{shlex.quote(name)}"
    if speaker == "r":
        return f"unshare_table({_quoted_in_r(name)})"
    return f"unshare({_quoted(name)})" if speaker == "julia" else f"jupyter_arrowshm.unshare({name!r})"


def _list(speaker: Speaker, place: str) -> str:
    """The code that lists the tables of a place; without one, of this machine."""
    if not place:
        return _LIST[speaker]
    if speaker in ("magic", "cli"):
        return f"{_LIST[speaker]} --from {shlex.quote(place)}"
    if speaker == "julia":
        return f"tables(from={_quoted(place)})"
    if speaker == "r":
        return f"shared_tables(from = {_quoted_in_r(place)})"
    return f"jupyter_arrowshm.place({place!r}).tables()"


def _quoted_in_r(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted(text: str) -> str:
    """A string literal of Julia's, which takes ``$`` for code."""
    return _quoted_in_r(text).replace("$", "\\$")


def _rebuild(cls: type[ArrowSHMError], state: dict[str, Any]) -> ArrowSHMError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    return error


class ArrowSHMError(Exception):
    """The root of the errors that this package raises."""

    @property
    def what(self) -> str:
        """The event, as a sentence."""
        return super().__str__()

    def remedy(self, speaker: Speaker = "python") -> str:
        """The remedy, in code that ``speaker`` understands; empty where the error itself says it."""
        return ""

    def says(self, speaker: Speaker = "python") -> str:
        """The event and the remedy, as one text."""
        return " ".join(filter(None, (self.what, self.remedy(speaker))))

    def __str__(self) -> str:
        return self.says()

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
    place: str = ""

    @property
    def what(self) -> str:
        text = f"there is no shared table {self.name!r}{f' from {self.place}' if self.place else ''}."
        return f"{text} It was removed {words.age(self.removed_at)}: {self.reason}." if self.removed_at else text

    def remedy(self, speaker: Speaker = "python") -> str:
        if self.removed_at:
            return "Share it again."
        if self.near:
            return f"Did you mean {' or '.join(map(repr, self.near))}?"
        return f"{_list(speaker, self.place)} lists what is shared{' with you' if self.place else ''}."


@dataclass(eq=False)
class TableExists(ArrowSHMError):
    """Somebody else published a table under this name, and ``replace`` was not asked for."""

    name: str
    publisher: str
    alive: bool
    published_at: dt.datetime | None = None

    @property
    def what(self) -> str:
        when = f" {words.age(self.published_at)}" if self.published_at else ""
        return f"{self.name!r} was shared by {self.publisher}{when}{'' if self.alive else ', which has ended'}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return f"Pick another name, or take it over with {_REPLACE[speaker]}."


@dataclass(eq=False)
class TableReplaced(ArrowSHMError):
    """The version of a table that was asked for is not at hand any more; another one has its name."""

    name: str

    @property
    def what(self) -> str:
        return f"{self.name!r} was replaced, and the older version is gone."

    def remedy(self, speaker: Speaker = "python") -> str:
        return "Look at the newer one."


@dataclass(eq=False)
class TableLost(ArrowSHMError, LookupError):
    """A table of a cluster has its name still, but rows of it are on no machine any more."""

    name: str
    place: str

    @property
    def what(self) -> str:
        return (
            f"{self.name!r} from {self.place} is lost: a machine that had rows of it, or Ray's process there, is gone."
        )

    def remedy(self, speaker: Speaker = "python") -> str:
        return "Share it again."


@dataclass(eq=False)
class PlaceNotFound(ArrowSHMError, LookupError):
    """No place is called so: no configured one, and no user of this machine. ``near`` holds names that look like it."""

    name: str
    near: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        return f"there is no place {self.name!r}, and no user of this name."

    def remedy(self, speaker: Speaker = "python") -> str:
        if self.near:
            return f"Did you mean {' or '.join(map(repr, self.near))}?"
        return (
            "A place is everyone, group:NAME, a user, a path or URI, ray:// for a Ray cluster, "
            "or a name that c.ArrowSHM.places gives to one."
        )


@dataclass(eq=False)
class PlaceFailed(ArrowSHMError):
    """A place cannot be used, or does not do what was asked for. ``reason`` says why, ``fix`` what to do."""

    place: str
    reason: str
    fix: str = ""

    @property
    def what(self) -> str:
        return f"{self.place} {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return self.fix


@dataclass(eq=False)
class InvalidName(ArrowSHMError, ValueError):
    """A table cannot be called this. ``reason`` says which rule it breaks."""

    name: str
    reason: str

    @property
    def what(self) -> str:
        shown = self.name if len(self.name) <= 60 else self.name[:57] + "..."
        return f"{shown!r} cannot be a table's name: {self.reason}."


@dataclass(eq=False)
class DamagedTable(ArrowSHMError):
    """The file behind a table's name is not a whole, uncompressed Arrow IPC file."""

    name: str
    path: str
    reason: str

    @property
    def what(self) -> str:
        return f"{self.name!r} cannot be read: {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return f"Share it again, or remove it with {_unshare(self.name, speaker)}."


@dataclass(eq=False)
class NewerProtocol(ArrowSHMError):
    """A newer release of this package wrote the table. ``protocol`` is the table's, ``supported`` is ours."""

    name: str
    protocol: str
    supported: str

    @property
    def what(self) -> str:
        return (
            f"{self.name!r} was shared by a newer jupyter-arrowshm: "
            f"it has protocol {self.protocol}, and this one knows {self.supported}."
        )

    def remedy(self, speaker: Speaker = "python") -> str:
        upgrade = {"magic": "%pip install --upgrade jupyter-arrowshm, then restart this kernel"}
        return f"To upgrade: {upgrade.get(speaker, 'pip install --upgrade jupyter-arrowshm')}."


@dataclass(eq=False)
class UnsupportedSource(ArrowSHMError, TypeError):
    """Arrow cannot carry this object. ``column`` is the label at fault, ``fix`` code or words that mend it."""

    kind: str
    reason: str
    fix: str
    column: str | None = None

    @property
    def what(self) -> str:
        where = f"column {self.column!r} of this {self.kind}" if self.column is not None else f"this {self.kind}"
        return f"{where} cannot be shared: {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return self.fix


@dataclass(eq=False)
class UnsupportedTarget(ArrowSHMError, TypeError):
    """A library has no type that fits ``column`` of a table. ``reason`` is what that library says.

    ``instead`` is a target that has one.
    """

    library: str
    reason: str
    column: str | None = None
    instead: str = "pyarrow"

    @property
    def what(self) -> str:
        what = "this table" if self.column is None else f"column {self.column!r}"
        return f"{self.library} cannot have {what}: {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        options = {"magic": f"with --to {self.instead}", "python": f'with to="{self.instead}"'}
        option = options.get(speaker, f"as {self.instead}")
        return f"Attach it {option}{'' if self.column is None else ', or without that column'}."


@dataclass(eq=False)
class NoRoom(ArrowSHMError):
    """The table does not fit: ``needed`` and ``free`` are bytes, ``unused`` the tables nobody uses, with theirs."""

    needed: int
    free: int
    directory: str
    unused: tuple[tuple[str, int], ...] = ()

    @property
    def what(self) -> str:
        needed, free = words.size(self.needed), words.size(self.free)
        return f"this table needs {needed}, but only {free} is free in {self.directory}."

    def remedy(self, speaker: Speaker = "python") -> str:
        more_room = (
            "More room: docker run --shm-size, an emptyDir with medium Memory in Kubernetes,"
            " or $JUPYTER_ARROWSHM_DIR on a larger disk."
        )
        if not self.unused:
            return more_room
        shown = ", ".join(f"{name} ({words.size(nbytes)})" for name, nbytes in self.unused[:5])
        more = f" and {len(self.unused) - 5} more" if len(self.unused) > 5 else ""
        first, _ = self.unused[0]
        return (
            f"Nobody uses {shown}{more}: {_unshare(first, speaker)} removes one, {_COLLECT[speaker]} all. {more_room}"
        )


@dataclass(eq=False)
class Busy(ArrowSHMError):
    """Another process kept a lock for longer than ``waited`` seconds. Trying again is safe."""

    lock: str
    waited: float

    @property
    def what(self) -> str:
        return f"{self.lock} was busy for {self.waited:g} s: another process, perhaps a stopped one, uses it."

    def remedy(self, speaker: Speaker = "python") -> str:
        return "Try again."


@dataclass(eq=False)
class LoadsItself(ArrowSHMError):
    """The function that loads a table attaches the same table, and would wait for itself for ever."""

    name: str

    @property
    def what(self) -> str:
        return f"{self.name!r} is being loaded by the very code that asks for it."

    def remedy(self, speaker: Speaker = "python") -> str:
        return "Read the data in that code, and attach the table outside of it."


@dataclass(eq=False)
class LoadFailed(ArrowSHMError):
    """What a table is loaded from cannot be read. Nothing was loaded; ``origin`` shows no passwords."""

    origin: str
    reason: str
    fix: str = ""

    @property
    def what(self) -> str:
        return f"{self.origin} cannot be loaded: {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return self.fix


@dataclass(eq=False)
class UnsafeDirectory(ArrowSHMError):
    """The directory of tables is not private to this user, or cannot be used. Nothing was read or written."""

    directory: str
    reason: str
    fix: str

    @property
    def what(self) -> str:
        return f"{self.directory} {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return f"{self.fix[0].upper()}{self.fix[1:]}."


@dataclass(eq=False)
class StoreFailed(ArrowSHMError):
    """The operating system refused a call, in a way no other error here describes (EIO, EMFILE, ...)."""

    directory: str
    code: int

    @property
    def what(self) -> str:
        return f"the directory of shared tables, {self.directory}, failed: {os.strerror(self.code)}."

    def remedy(self, speaker: Speaker = "python") -> str:
        if self.code in (errno.EMFILE, errno.ENFILE):
            return "Raise the limit on open files (ulimit -n), or drop attached tables."
        return "`dmesg` and the disk's health may tell more."


@dataclass(eq=False)
class UnsupportedPlatform(ArrowSHMError):
    """This system has no file locks that live and die with a memory mapping (Windows)."""

    platform: str

    @property
    def what(self) -> str:
        return f"sharing tables works on Linux, WSL 2 and macOS; {self.platform} lacks the file locks it needs."


@dataclass(eq=False)
class InvalidQuery(ArrowSHMError, ValueError):
    """A page, sort, filter or summary was asked for that makes no sense for this table. ``reason`` says why."""

    reason: str

    @property
    def what(self) -> str:
        return f"this cannot be shown: {self.reason}."


@dataclass(eq=False)
class QueryStopped(ArrowSHMError):
    """A preview came to its limit of time or memory, or was ended; the table itself is as it was."""

    reason: str
    fix: str = "Try fewer columns or a simpler filter, or attach the table"

    @property
    def what(self) -> str:
        return f"the preview {self.reason}."

    def remedy(self, speaker: Speaker = "python") -> str:
        return f"{self.fix}."
