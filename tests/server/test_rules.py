"""The rules for removing unused tables, and the events from two lists."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from jupyter_arrowshm.core.process import Holder, Publisher
from jupyter_arrowshm.core.table import OlderVersion, TableInfo, Tables
from jupyter_arrowshm.server.changes import between
from jupyter_arrowshm.server.keeper import Keeper, Rules


def table(name: str, *users: int, nbytes: int = 100, version: str = "1", pinned: bool = False) -> TableInfo:
    return TableInfo(
        name=name,
        num_rows=1,
        num_columns=1,
        num_batches=1,
        nbytes=nbytes,
        published_at=None,
        publisher=Publisher(pid=1, language="python", alive=1 in users),
        holders=tuple(Holder(pid, "python") for pid in users),
        pinned=pinned,
        path="",
        schema=pa.schema([]),
        version=f"{name}-{version}",
    )


def older(name: str, *users: int) -> OlderVersion:
    return OlderVersion(name, 100, tuple(Holder(pid, "python") for pid in users))


def due(keeper: Keeper, tables: list[TableInfo], now: float, free: int = 1000, total: int = 1000) -> list[str]:
    return [one.name for one, _ in keeper.due(tables, now, free, total)]


def test_a_table_goes_when_it_was_unused_for_long_enough_without_a_break():
    keeper, tables = Keeper(Rules(idle_timeout=10)), [table("a")]
    keeper.see(tables, 0)
    assert due(keeper, tables, 9) == [] and due(keeper, tables, 10) == ["a"]
    keeper.see([table("a", 5)], 9)
    keeper.see(tables, 12)
    assert due(keeper, tables, 21) == [] and due(keeper, tables, 22) == ["a"]


def test_the_time_of_removal_is_told_by_the_clock_that_removes():
    """A machine that was suspended, and a wall clock that was set: only the time that is left counts."""
    keeper, tables = Keeper(Rules(idle_timeout=100)), [table("a")]
    told = []
    for now in (0, 1, 60):
        keeper.see(tables, now)
        told.append(keeper.goes_at(tables[0]))
        left = told[-1] - dt.datetime.now(dt.timezone.utc)
        assert abs(left.total_seconds() - (100 - now)) < 5
    assert told[0] == told[1], "a list that is asked for again has not changed"


def test_a_new_version_begins_anew():
    keeper = Keeper(Rules(idle_timeout=10))
    keeper.see([table("a")], 0)
    keeper.see([table("a", version="2")], 9)
    assert due(keeper, [table("a", version="2")], 18) == []


def test_pinned_used_and_timeless_tables_stay():
    tables = [table("pinned", pinned=True), table("used", 5), table("unused")]
    keeper = Keeper(Rules(idle_timeout=0))
    keeper.see(tables, 0)
    assert due(keeper, tables, 1e9) == [] and keeper.goes_at(tables[2]) is None
    keeper = Keeper(Rules(idle_timeout=1))
    keeper.see(tables, 0)
    assert due(keeper, tables, 1e9) == ["unused"]


@pytest.mark.parametrize(
    ("rules", "free", "gone"),
    [
        (Rules(max_bytes=250), 1000, ["b"]),
        (Rules(max_bytes=150), 1000, ["b", "a"]),
        (Rules(min_free=0.1), 50, ["b"]),
        (Rules(min_free=0.3), 150, ["b", "a"]),
        (Rules(min_free=0.1), 500, []),
    ],
)
def test_under_pressure_the_longest_unused_go_first_and_no_more_than_needed(rules, free, gone):
    keeper, tables = Keeper(rules), [table("a"), table("b"), table("c", 5)]
    keeper.see([table("b")], 0)
    keeper.see(tables, 1)
    assert due(keeper, tables, 2, free) == gone


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [table("a", 1)], [("published", "a", ("python (pid 1)",))]),
        ([table("a", 1)], [], [("removed", "a", ())]),
        ([table("a", 1)], [table("a", 1, 2)], [("attached", "a", ("python (pid 2)",))]),
        ([table("a", 1, 2)], [table("a", 2)], [("released", "a", ("python (pid 1)",))]),
        ([table("a", 1)], [table("a", 1, version="2")], [("replaced", "a", ("python (pid 1)",))]),
        ([table("a", 1)], [table("a", 1, pinned=True)], [("pinned", "a", ())]),
        ([table("a", 1, pinned=True)], [table("a", 1)], [("unpinned", "a", ())]),
        ([table("a", 1)], [table("a", 1)], []),
        ([table("a", 1)], [replace(table("a", 1), nbytes=5)], []),
        # Versions that the name no longer leads to.
        (Tables([], (older("a", 2, 3),)), Tables([], (older("a", 3),)), [("released", "a", ("python (pid 2)",))]),
        (
            [replace(table("a", 1), older=(older("a", 2),))],
            [table("a", 1)],
            [("released", "a", ("python (pid 2)",))],
        ),
        ([table("a", 1, 2)], Tables([], (older("a", 2),)), [("removed", "a", ())]),
    ],
)
def test_changes(before, after, expected):
    before, after = (one if isinstance(one, Tables) else Tables(one) for one in (before, after))
    assert [(change.action, change.name, change.who) for change in between(before, after)] == expected
