"""The changes between two looks at the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core import Holder, TableInfo, Tables


@dataclass(frozen=True)
class Change:
    """One thing that happened to a table.

    Attributes
    ----------
    action
        ``published``, ``replaced``, ``removed``, ``attached``, ``released``,
        ``pinned`` or ``unpinned``.
    who
        Labels of the processes concerned.
    reason
        Why it was removed, where that is known.
    """

    action: str
    name: str
    who: tuple[str, ...] = ()
    reason: str = ""


def between(before: Tables, after: Tables) -> Iterator[Change]:
    """The changes that lead from one list to the next, in the order of names."""
    old, new = ({table.name: table for table in tables} for tables in (before, after))
    old_versions, new_versions = _users_of_older(before), _users_of_older(after)
    for name in sorted(old.keys() | new.keys() | old_versions.keys()):
        was, now = old.get(name), new.get(name)
        # A user who lets go of a version that has lost its name frees its memory.
        yield from _released(name, old_versions.get(name, ()), new_versions.get(name, ()))
        if was is None and now is None:
            continue
        if now is None:
            yield Change("removed", name)
        elif was is None:
            yield Change("published", name, (now.publisher.label,))
            yield from _users(name, (), _readers(now))
        elif was.version != now.version:
            yield Change("replaced", name, (now.publisher.label,))
            yield from _users(name, (), _readers(now))
        else:
            yield from _users(name, was.holders, now.holders)
        if now is not None and (was is not None and was.pinned) != now.pinned:
            yield Change("pinned" if now.pinned else "unpinned", name)


def _readers(table: TableInfo) -> tuple[Holder, ...]:
    return tuple(holder for holder in table.holders if holder.pid != table.publisher.pid)


def _users(name: str, before: tuple[Holder, ...], after: tuple[Holder, ...]) -> Iterator[Change]:
    # By pid: a notebook that is renamed stays the same user. Processes that cannot be seen are one.
    old, new = ({holder.pid: holder for holder in holders} for holders in (before, after))
    if came := tuple(new[pid].label for pid in new.keys() - old.keys()):
        yield Change("attached", name, tuple(sorted(came)))
    yield from _released(name, before, after)


def _released(name: str, before: Iterable[Holder], after: Iterable[Holder]) -> Iterator[Change]:
    still = {holder.pid for holder in after}
    if went := {holder.pid: holder.label for holder in before if holder.pid not in still}:
        yield Change("released", name, tuple(sorted(went.values())))


def _users_of_older(tables: Tables) -> dict[str, tuple[Holder, ...]]:
    """The users of versions that their names no longer lead to, by name."""
    users: dict[str, tuple[Holder, ...]] = {}
    for version in (*tables.removed, *(version for table in tables for version in table.older)):
        users[version.name] = users.get(version.name, ()) + version.holders
    return users
