"""Tables that other users of this machine may read: a second directory of the publisher, which only its owner writes.

::

    /dev/shm/jupyter-arrowshm-1000-open     0755: everyone may read
    /dev/shm/jupyter-arrowshm-1000-g1005    0750: the members of group 1005
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from ..core import (
    EVERYONE,
    Access,
    Attachment,
    Look,
    Progress,
    Store,
    TableInfo,
    Tables,
    default_parent,
    members_of,
    of_user,
    wait_for,
)
from ..core import user_name as name_of
from ..errors import PlaceFailed, TableNotFound, UnsafeDirectory
from ..kinds import Kind, Shareable
from .pages import copied

PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"  # the directory of the users' open directories, instead of /dev/shm
GROUP = "group:"
_CLOCK = 100_000_000  # ns; a directory's time has the kernel's ticks: two changes within one are told apart by nothing
_DIRECTORY = re.compile(r"jupyter-arrowshm-(\d+)-(open|g(\d+))")


def parent() -> str:
    """Where all users' open directories are."""
    return os.environ.get(PARENT) or default_parent()


class OwnOpenStore:
    """The tables of this user that everyone may read, or the members of a group: ``everyone``, ``group:students``."""

    writable = True
    kind = "yours"

    def __init__(self, name: str, description: str, suffix: str, access: Access) -> None:
        self.name, self.description = name, description
        self.read_as = name_of(os.geteuid())
        self.store = Store(f"{parent()}/jupyter-arrowshm-{os.geteuid()}-{suffix}", access=access)

    def __repr__(self) -> str:
        return f"<place {self.name}: {self.description}>"

    @property
    def exists(self) -> bool:
        """Whether anything was shared there yet."""
        return os.path.lexists(self.store.directory)

    def share(
        self, source: Shareable, name: str, *, replace: bool = False, progress: Progress | None = None
    ) -> TableInfo:
        return self.store.share(source, name, replace=replace, progress=progress)

    def attach(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Any:
        return self.store.attach(name, to=to, **options)

    def attachment(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Attachment:
        return self.store.attachment(name, to=to, **options)

    def head(self, name: str, rows: int = 10, *, offset: int = 0) -> pa.Table:
        return copied(self.store.attach(name).slice(max(0, offset), rows))

    def look(self, name: str, version: str = "") -> Look:
        return self.store.look(name, version)

    def names(self) -> list[str]:
        return self.store.names()

    def tables(self) -> Tables:
        return self.store.tables()

    def info(self, name: str) -> TableInfo:
        return self.store.info(name)

    def is_mine(self, name: str) -> bool:
        return self.store.is_mine(name)

    def unshare(self, name: str) -> None:
        self.store.unshare(name)


class UserStores:
    """The tables that another user lets this one read. Of two of one name, the newer counts."""

    writable = False
    kind = "user"

    def __init__(self, uid: int) -> None:
        self.uid, self.name = uid, name_of(uid)
        self.read_as = self.name
        self._listed: Sequence[tuple[int, str]] | None = None
        self._known: list[Store] = []
        self.description = f"tables of {self.name}, read without a copy"

    def __repr__(self) -> str:
        return f"<place {self.name}: {self.description}>"

    def _stores(self) -> list[Store]:
        """Those that this user may read: a group that it is not in is as if it did not exist."""
        return [store for store in self._all() if os.access(store.directory, os.R_OK | os.X_OK)]

    def _all(self) -> list[Store]:
        listed = _open_directories()
        if listed is not self._listed:
            where = parent()
            self._known = [_store_of(f"{where}/{file}", uid) for uid, file in listed if uid == self.uid]
            self._listed = listed
        return self._known

    def _with(self, name: str) -> Store:
        """The store that has the newest table of this name."""
        if len(every := self._all()) == 1:
            return every[0]  # it says itself if it has no such table, or if it is not open to this user
        stores = self._stores()
        found = [(version, store) for store in stores if (version := store.version(name)) is not None]
        if not found:
            raise TableNotFound(name, place=self.name)
        return max(found, key=lambda one: int(one[0].rpartition("-")[2], 16))[1]

    def share(
        self, source: Shareable, name: str, *, replace: bool = False, progress: Progress | None = None
    ) -> TableInfo:
        raise self._not_yours()

    def attach(self, name: str, *, to: Kind = "pyarrow", wait: float | None = None, **options: Any) -> Any:
        return self._waiting(name, wait, lambda store: store.attach(name, to=to, **options))

    def attachment(self, name: str, *, to: Kind = "pyarrow", wait: float | None = None, **options: Any) -> Attachment:
        found: Attachment = self._waiting(name, wait, lambda store: store.attachment(name, to=to, **options))
        return found

    def head(self, name: str, rows: int = 10, *, offset: int = 0) -> pa.Table:
        return copied(self.attach(name).slice(max(0, offset), rows))

    def look(self, name: str, version: str = "") -> Look:
        """Where it lies: nothing is copied. Of what it says, nothing is checked."""
        try:
            return self._with(name).look(name, version)
        except TableNotFound as error:
            raise TableNotFound(name, error.near, place=self.name) from None

    def _waiting(self, name: str, wait: float | None, use: Callable[[Store], Any]) -> Any:
        found: list[Store] = []

        def shared() -> bool:
            found[:] = [store for store in self._stores() if store.version(name) is not None][:1]
            return bool(found)

        if wait is not None and not wait_for(shared, wait):
            raise TableNotFound(name, place=self.name)
        try:
            return use(self._with(name))
        except TableNotFound as error:
            raise TableNotFound(name, error.near, place=self.name) from None

    def names(self) -> list[str]:
        return sorted({name for store in self._stores() for name in store.names()})

    def tables(self) -> Tables:
        newest: dict[str, TableInfo] = {}
        for store in self._stores():
            for table in store.tables():
                known = newest.get(table.name)
                if known is None or known.version.rpartition("-")[2] < table.version.rpartition("-")[2]:
                    newest[table.name] = table
        return Tables([newest[name] for name in sorted(newest)])

    def info(self, name: str) -> TableInfo:
        try:
            return self._with(name).info(name)
        except TableNotFound as error:
            raise TableNotFound(name, error.near, place=self.name) from None

    def is_mine(self, name: str) -> bool:
        return False

    def unshare(self, name: str) -> None:
        raise self._not_yours()

    def _not_yours(self) -> PlaceFailed:
        return PlaceFailed(
            self.name,
            f"holds the tables of {self.name}, which nobody else can change",
            "Share to everyone, or to a group.",
        )


@functools.lru_cache(maxsize=100)
def _store_of(path: str, uid: int) -> Store:
    """One for each directory: it remembers which tables were checked."""
    return Store(path, access=of_user(uid))


def _open_directories() -> Sequence[tuple[int, str]]:
    """User ids and names of all open directories, whether they are what they seem to be or not."""
    where = parent()
    try:
        changed = os.stat(where).st_mtime_ns
        if time.time_ns() - changed < _CLOCK:
            return _listed(where)
    except OSError:
        return ()
    return _remembered(where, changed)


@functools.lru_cache(maxsize=8)
def _remembered(where: str, changed: int) -> Sequence[tuple[int, str]]:
    return _listed(where)


def _listed(where: str) -> Sequence[tuple[int, str]]:
    matches = map(_DIRECTORY.fullmatch, sorted(os.listdir(where)))
    return [(int(match[1]), match[0]) for match in matches if match]


def everyone() -> OwnOpenStore:
    """This user's tables that everyone may read."""
    return OwnOpenStore("everyone", "your tables that every user of this machine may read", "open", EVERYONE)


def of_group(group: str) -> OwnOpenStore:
    """This user's tables that the members of a group may read. Raises ``PlaceFailed`` if the user is not in it."""
    import grp

    mine = {os.getegid(), *os.getgroups()}
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        gid = int(group) if group.isdecimal() else -1
    if gid not in mine:
        known = ", ".join(sorted(_group_name(one) for one in mine))
        raise PlaceFailed(f"{GROUP}{group}", "is not a group that you are in", f"You are in {known}.")
    return _of_group(gid)


def readers() -> list[OwnOpenStore]:
    """Those that this user may make: for everyone, and for each of its groups that may have other members."""
    mine = sorted({os.getegid(), *os.getgroups()} - {0}, key=_group_name)
    return [everyone(), *(_of_group(gid) for gid in mine if _group_name(gid) != name_of(os.geteuid()))]


def _of_group(gid: int) -> OwnOpenStore:
    group = _group_name(gid)
    text = f"your tables that the members of the group {group} may read"
    return OwnOpenStore(f"{GROUP}{group}", text, f"g{gid}", members_of(gid))


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def own() -> list[OwnOpenStore]:
    """Those of this user that exist."""
    found = []
    for uid, file in _open_directories():
        if uid == os.geteuid():
            match = _DIRECTORY.fullmatch(file)
            assert match is not None
            found.append(_of_group(int(match[3])) if match[3] else everyone())
    return found


def others() -> list[UserStores]:
    """The users whose open directories this one may read; a directory that is not its user's is left out."""
    found = {}
    for uid, file in _open_directories():
        path = f"{parent()}/{file}"
        if uid == os.geteuid() or uid in found or not os.access(path, os.R_OK | os.X_OK):
            continue
        try:
            _store_of(path, uid).names()
        except UnsafeDirectory:
            continue
        found[uid] = UserStores(uid)
    return list(found.values())
