"""Which tables nobody uses any more, since when, and which of them must go."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass

from .. import words
from ..core import TableInfo

_SAME_TIME = dt.timedelta(seconds=2)


@dataclass(frozen=True)
class Rules:
    """When an unused table is removed.

    Attributes
    ----------
    idle_timeout
        Seconds that nobody has used it; 0 means never.
    max_bytes
        All tables together; 0 means no limit.
    min_free
        Part of the directory's room that is kept free, from 0 to 1.
    """

    idle_timeout: float = 86_400
    max_bytes: int = 0
    min_free: float = 0.1


def clock() -> float:
    """Seconds of a clock that nobody can set, and that goes on while the machine is suspended (clock_gettime(2))."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Keeper:
    """Remembers, by a clock that nobody can set, since when each version has been unused.

    A use between two looks counts, too: an attach leaves a trace.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._since: dict[str, float] = {}
        self._traces: dict[str, int] = {}
        self._goes: dict[str, dt.datetime] = {}

    def see(self, tables: Iterable[TableInfo], now: float) -> None:
        """Take note of what is unused at ``now``, in seconds of :func:`clock`."""
        unused = {table.version: table for table in tables if table.unused and not table.pinned}
        before = self._since
        self._since = {
            version: before[version] if version in before and self._traces[version] == table.last_attached else now
            for version, table in unused.items()
        }
        self._traces = {version: table.last_attached for version, table in unused.items()}
        self._goes = {version: self._told(version, now) for version in unused}

    def _told(self, version: str, now: float) -> dt.datetime:
        """The time of removal that people are shown; their clock may be set meanwhile."""
        left = self._since[version] + self.rules.idle_timeout - now
        goes = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=left)
        told = self._goes.get(version, goes)
        # A list must not look changed each time somebody asks for it.
        return told if abs(goes - told) < _SAME_TIME else goes

    def goes_at(self, table: TableInfo) -> dt.datetime | None:
        """When the table is removed if nobody uses it; ``None`` if it stays."""
        return self._goes.get(table.version) if self.rules.idle_timeout else None

    def due(self, tables: Iterable[TableInfo], now: float, free: int, total: int) -> list[tuple[TableInfo, str]]:
        """The tables to remove, and why; ``free`` and ``total`` are the directory's bytes.

        Loaded ones first, as they can be had again, and of each sort the longest unused.
        """
        known = list(tables)
        unused = [table for table in known if table.version in self._since]
        unused.sort(key=lambda table: (not table.origin, self._since[table.version]))
        taken = sum(table.nbytes for table in known)
        due = []
        for table in unused:
            if self.rules.idle_timeout and now - self._since[table.version] >= self.rules.idle_timeout:
                reason = f"nobody had used it for {_span(self.rules.idle_timeout)}"
            elif self.rules.max_bytes and taken > self.rules.max_bytes:
                reason = f"all tables together were larger than {words.size(self.rules.max_bytes)}, and nobody used it"
            elif total and free < self.rules.min_free * total:
                reason = f"less than {self.rules.min_free:.0%} of the room was free, and nobody used it"
            else:
                continue
            due.append((table, reason))
            taken -= table.nbytes
            free += table.nbytes
        return due


def _span(seconds: float) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit and seconds % unit == 0:
            return words.count(int(seconds // unit), name)
    return words.count(round(seconds), "second")
