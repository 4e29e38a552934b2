"""Looks at the tables in a thread of its own, tells what changed, and removes what nobody has used for long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from logging import Logger

from ..core import Store, Tables
from ..errors import ArrowSHMError
from . import changes, metrics
from .keeper import Keeper, Rules, clock

BUSY_INTERVAL = 0.5  # s between looks while somebody watches
IDLE_INTERVAL = 5.0  # s otherwise
WATCHED_FOR = 60.0  # s after a list was asked for


class Monitor:
    """One for each server. Two servers of one user may look at the same tables; each tells its own front ends.

    Parameters
    ----------
    tell
        Called in this thread with each change.

    Attributes
    ----------
    problem
        Why unused tables are not removed now; ``None`` where all is well.
    """

    def __init__(self, store: Store, rules: Rules, tell: Callable[[changes.Change], None], log: Logger) -> None:
        self.store = store
        self.keeper = Keeper(rules)
        self.problem: str | None = None
        self._tell, self._log = tell, log
        self._tables: Tables | None = None
        self._reasons: dict[str, str] = {}
        self._watched_until = 0.0
        self._wake = threading.Event()
        self._stopped = False
        self._look = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="arrowshm-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        self._thread.join()

    def look(self) -> Tables:
        """The tables now, for somebody who watches them."""
        self._watched_until = time.monotonic() + WATCHED_FOR
        tables = self._look_once()
        self._wake.set()
        return tables

    @contextlib.contextmanager
    def removing(self, name: str, reason: str) -> Iterator[None]:
        """Say why a table is about to go, for the change that will be seen; taken back if it does not go."""
        self._reasons[name] = reason
        try:
            yield
        except BaseException:
            self._reasons.pop(name, None)
            raise

    def _run(self) -> None:
        while not self._stopped:
            self._attempt()
            watched = time.monotonic() < self._watched_until
            self._wake.wait(BUSY_INTERVAL if watched else IDLE_INTERVAL)
            if self._wake.is_set():
                self._wake.clear()
                # Woken by somebody who looks, which is done already: the next look is due when it would have been.
                if not self._stopped:
                    time.sleep(BUSY_INTERVAL)

    def _attempt(self) -> None:
        """Look, and remove what is due. After any error the next time may be better: this thread must not die."""
        problem = None
        try:
            self._remove_unused(self._look_once())
        except Exception as error:  # also from other libraries, whose code runs where a table has their types
            is_ours = isinstance(error, ArrowSHMError)
            problem = error.says("magic") if isinstance(error, ArrowSHMError) else f"{type(error).__name__}: {error}"
            if problem != self.problem:
                self._log.warning("arrowshm: unused tables are not removed now: %s", problem, exc_info=not is_ours)
        self.problem = problem
        metrics.PROBLEM.set(problem is not None)

    def _look_once(self) -> Tables:
        with self._look:
            tables = self.store.tables()
            tables = Tables(tables.everything, (*tables.removed, *tables.loaded.removed))
            before, self._tables = self._tables, tables
            self.keeper.see(tables, clock())
            # Tables that were there when the server began are not news.
            news = list(changes.between(before, tables)) if before is not None else []
            for change in news:
                # A name that was taken again meanwhile was removed for that reason, too: the next removal has its own.
                reason = self._reasons.pop(change.name, "") if change.action in ("removed", "replaced") else ""
                self._tell(replace(change, reason=reason) if change.action == "removed" else change)
        metrics.update(tables, self.store)
        return tables

    def _remove_unused(self, tables: Tables) -> None:
        room = self.store.room()
        failed = None
        for table, reason in self.keeper.due(tables, clock(), room.free, room.total):
            try:
                with self.removing(table.name, reason):
                    removed = self.store.collect(table.name, reason)
            except Exception as error:  # the others go all the same
                failed = error
                continue
            if removed is not None:
                self._log.info("arrowshm: removed the table %s: %s", table.name, reason)
            else:
                self._reasons.pop(table.name, None)
        if failed is not None:
            raise failed
