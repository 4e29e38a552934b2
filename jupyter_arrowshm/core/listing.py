"""The present contents of a store: the tables, who uses them, and the older versions that still take memory."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
from collections.abc import Callable

from ..errors import TableNotFound
from . import arrowfile, leases, names, notes, pins, process, segment, tokens
from .directory import Directory
from .facts import Facts
from .leases import Locks
from .lock import Descriptor, entries
from .process import Holder, Publisher
from .segment import version_of
from .table import OlderVersion, TableInfo, Tables

_DELETED = " (deleted)"
Labels = Callable[[int], Holder]


class Listing:
    """Reads a directory. Footers are parsed once: a segment never changes.

    An unchanged table is the same object as the last time. New ones for
    a thousand tables, twice a second, had Python's collector of cycles look at
    everything that a Jupyter server has loaded, and nothing else ran for 0.1 s.

    Several threads may use it without a lock, which a child that was forked
    meanwhile would wait for in vain: each of them replaces a dictionary, or
    one entry of it, and what one of them overwrites is read again.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._summaries: dict[str, arrowfile.Summary | None] = {}  # by version
        self._tables: dict[str, TableInfo] = {}  # as they were seen last, by name
        self._users: dict[int, Holder] = {}  # as they were seen last, by process

    def tables(self) -> Tables:
        """Every table, by name, as one look at the locks shows them."""
        opened = self.directory.open()
        if opened is None:
            return Tables([])
        at = opened.fd
        named = self.names()
        earlier = {*self._summaries, *_versions(at, [name for name in named if name not in self._tables])}
        locks = self._locks(at)
        users: dict[int, Holder] = {}
        label = self._labels(users)
        found: list[TableInfo] = []
        seen: set[str] = set()
        known = self._tables
        for name in named:
            if (entry := segment.open_regular(at, name)) is not None:
                file, status = entry
                with file:
                    seen.add(version := version_of(status))
                    shown = locks if version in earlier else locks.again()
                    if (table := self._describe(at, name, file, status, shown, label)) is not None:
                        before = known.get(name)
                        found.append(before if before == table else table)
        older = _older(os.path.realpath(self.directory.path), locks, label)
        self._users = users
        self._tables = listed = {table.name: table for table in found}
        summaries = self._summaries
        self._summaries = {version: summaries[version] for version in seen if version in summaries}
        return Tables(
            [_with_older(table, older) for table in found] if older else found,
            tuple(version for version in older if version.name not in listed),
        )

    def table(self, name: str) -> TableInfo | None:
        """One table, with its older versions, without looking at the others; ``None`` if there is none of this name."""
        opened = self.directory.open()
        entry = segment.open_regular(opened.fd, name) if opened is not None else None
        if opened is None or entry is None:
            return None
        file, status = entry
        locks, label = self._locks(opened.fd), self._labels({})
        with file:
            table = self._describe(opened.fd, name, file, status, locks, label)
        older = _older(os.path.realpath(self.directory.path), locks, label)
        return table and _with_older(table, older)

    def _labels(self, users: dict[int, Holder]) -> Labels:
        """Look every process up once, and note it in ``users``. One that is ending keeps the name that it had."""
        earlier = self._users

        def label(pid: int) -> Holder:
            if pid not in users:
                found = process.look_up(pid)
                users[pid] = found if found.language else earlier.get(pid, found)
            return users[pid]

        return label

    def _locks(self, at: int) -> Locks:
        return Locks(self.directory.lock_device(at), everybody=self.directory.access.is_open)

    def names(self) -> list[str]:
        """The names that tables may have here; their files are not looked at."""
        opened = self.directory.open()
        if opened is None:
            return []
        return sorted(name for file in entries(opened.fd) if (name := names.of_file(file)) is not None)

    def not_found(self, name: str) -> TableNotFound:
        """The error that says which names look like this one, and what happened to it."""
        opened = self.directory.open()
        removed_at, reason = (opened and notes.read(opened.fd, name)) or (None, "")
        return TableNotFound(name, self.near(name), removed_at, reason)

    def near(self, name: str) -> tuple[str, ...]:
        """Up to three names that are taken and look like this one."""
        known = self.names()
        close = difflib.get_close_matches(name.casefold(), {other.casefold() for other in known}, n=3)
        return tuple(other for match in close for other in known if other.casefold() == match)[:3]

    def summary(self, at: int, name: str) -> tuple[str, arrowfile.Summary | None] | None:
        """Version and footer of the file with this name; the footer is ``None`` if the file is not a table."""
        opened = segment.open_regular(at, name)
        if opened is None:
            return None
        file, status = opened
        with file:
            return version_of(status), self._summarise(file, status)

    def _summarise(self, file: Descriptor, status: os.stat_result) -> arrowfile.Summary | None:
        version = version_of(status)
        summaries = self._summaries
        if version in summaries:
            return summaries[version]
        with io.FileIO(file.fd, closefd=False) as readable:
            try:
                summary = arrowfile.summarise(readable)
            except OSError:
                return None  # the file is read again later: it is unchanged when its disk answers
        self._summaries[version] = summary
        return summary

    def _describe(
        self, at: int, name: str, file: Descriptor, status: os.stat_result, locks: Locks, label: Labels
    ) -> TableInfo | None:
        summary = self._summarise(file, status)
        if summary is None:
            return None
        pids = self._attached_by(file, status, locks)
        hidden = False
        if not pids and leases.is_leased(file.fd):
            # Attached since we looked, or by a process that we cannot see.
            pids = self._attached_by(file, status, locks.again())
            hidden = not pids
        users = {pid: label(pid) for pid in sorted(pids)}
        if self.directory.access.is_mine:
            publisher, owner = _publisher(at, summary.facts, locks, label)
        else:
            publisher, owner = _publisher_elsewhere(summary.facts, status.st_uid, locks)
        if owner is not None:
            users.setdefault(owner.pid or 0, owner)
        held = tuple(users.values()) + ((Holder(),) if hidden else ())
        pinned = pins.is_pinned(at, name)
        return info(self.directory.path, name, status, summary, publisher, held, pinned, locks.visible)

    def _attached_by(self, file: Descriptor, status: os.stat_result, locks: Locks) -> set[int]:
        """The visible processes that have the table attached."""
        pids = locks.leases(status.st_ino)
        if not pids or leases.is_device(locks.device, status.st_dev):
            return pids
        # btrfs and overlay: files of other subvolumes have the same device in /proc/locks, and may have the same inode.
        if not leases.is_leased(file.fd):
            return set()
        path = os.path.realpath(self.directory.path)
        return {
            pid
            for pid in pids
            if any(os.path.dirname(one.path) == path for one in leases.mappings(pid, locks.device, status.st_ino))
        }


def _versions(at: int, table_names: list[str]) -> set[str]:
    """The files that have these names now.

    A disk gives the inode of a file that went to the next one. A table that
    came after the look at the locks may have the inode of a file, here or
    elsewhere, that was still locked then: of 513 tables that were replaced all
    the time, 4 were said to be in use by a process that never saw them.
    """
    found = set()
    for name in table_names:
        with contextlib.suppress(OSError):
            found.add(version_of(os.stat(name + names.SUFFIX, dir_fd=at, follow_symlinks=False)))
    return found


def info(
    path: str,
    name: str,
    status: os.stat_result,
    summary: arrowfile.Summary,
    publisher: Publisher,
    held: tuple[Holder, ...],
    pinned: bool,
    countable: bool = True,
) -> TableInfo:
    """The facts that people see about the file with this ``status``."""
    return TableInfo(
        name=name,
        num_rows=summary.num_rows,
        num_columns=len(summary.schema),
        num_batches=summary.num_batches,
        nbytes=status.st_size,
        published_at=summary.facts.published_at,
        publisher=publisher,
        holders=held,
        pinned=pinned,
        path=f"{path}/{name}{names.SUFFIX}",
        schema=summary.schema,
        source=summary.facts.source,
        countable=countable,
        version=version_of(status),
        last_attached=status.st_atime_ns,
        origin=summary.facts.origin,
        origin_columns=summary.facts.columns_of_origin,
        origin_where=summary.facts.origin_where,
    )


def _publisher(at: int, facts: Facts, locks: Locks, label: Labels) -> tuple[Publisher, Holder | None]:
    """The publisher, and the holder that it is while its token is locked."""
    alive = tokens.is_alive(at, facts.token)
    owner, pid = None, facts.pid
    if alive:
        # The footer's pid is the publisher's own view: in another PID namespace it is some other process.
        inode = tokens.inode_of(at, facts.token)
        pid = locks.owner(inode) or locks.again().owner(inode)
        owner = label(pid) if pid is not None else Holder()
    return publisher_of(facts, alive, pid), owner


def _publisher_elsewhere(facts: Facts, uid: int, locks: Locks) -> tuple[Publisher, Holder | None]:
    """As :func:`_publisher`, for a reader who may not look at the tokens of another user.

    Every publisher has its token locked, and /proc/locks shows that to everybody.
    """
    pid = facts.pid or 0
    alive = locks.holds_exclusive(pid) and process.user_id(pid) in (uid, None) if locks.visible else None
    publisher = publisher_of(facts, alive, facts.pid, process.user_name(uid))
    return publisher, publisher.as_holder() if alive and facts.ours else None


def publisher_of(facts: Facts, alive: bool | None, pid: int | None, user: str = "") -> Publisher:
    if not facts.ours:
        return Publisher(language="another program", user=user)
    return Publisher(pid, facts.language, facts.kernel, facts.notebook, facts.script, user=user, alive=alive)


def _older(path: str, locks: Locks, label: Labels) -> list[OlderVersion]:
    """The versions that lost their name in the directory of this path, and that somebody has attached."""
    found: dict[int, tuple[str, int, dict[int, Holder]]] = {}
    for pid, inodes in sorted(locks.by_process().items()):
        for mapping in leases.mappings(pid, locks.device):
            # Another directory on this file system may have tables, too: ours are those that lost a name here.
            is_ours = mapping.path.endswith(_DELETED) and os.path.dirname(mapping.path) == path
            if is_ours and mapping.inode in inodes:
                name = names.of_file(os.path.basename(mapping.path.removesuffix(_DELETED))) or ""
                _, size, users = found.get(mapping.inode, (name, 0, {}))
                users[pid] = label(pid)
                found[mapping.inode] = (name, max(size, mapping.end - mapping.start), users)
    return [OlderVersion(name, size, tuple(users.values())) for _, (name, size, users) in sorted(found.items())]


def _with_older(table: TableInfo, older: list[OlderVersion]) -> TableInfo:
    mine = tuple(version for version in older if version.name == table.name)
    if not mine:
        return table
    return TableInfo(**{**vars(table), "older": mine})  # dataclasses.replace would look up the types of the schema
