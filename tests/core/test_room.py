"""The room for tables: one answer, given by the limit that is reached first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import room
from jupyter_arrowshm.core.room import Room


def test_total_used_and_free_are_of_one_limit(store, parent) -> None:
    told = store.room()
    assert told.total == told.used + told.free and 0 < told.free < told.total
    found = os.statvfs(parent)
    memory = psutil.virtual_memory().total + psutil.swap_memory().total
    totals = {"file system": found.f_blocks * found.f_frsize, "memory": memory}
    assert told.total == totals.get(told.limited_by, told.total)
    if room.file_system(os.stat(parent).st_dev) != "tmpfs":
        assert told.limited_by == "file system"


@pytest.mark.parametrize("free", [-5, 0, 40, 140])
def test_what_a_limit_leaves_is_never_less_than_nothing_nor_more_than_all(free: int) -> None:
    told = Room.of(100, free, "container")
    assert (told.free, told.used) == (min(max(free, 0), 100), 100 - min(max(free, 0), 100))


def test_no_limit() -> None:
    assert room.NO_LIMIT.total == room.NO_LIMIT.used == 0 < room.NO_LIMIT.free


LOOKS = {
    "tables": lambda store: store.tables(),
    "names": lambda store: store.names(),
    "room": lambda store: store.room(),
    "capabilities": lambda store: store.capabilities(),
    "gc": lambda store: store.gc(),
    "collect": lambda store: store.collect("t", "a test wants it"),
    "version": lambda store: store.version("t"),
    "is_mine": lambda store: store.is_mine("t"),
    "is_littered": lambda store: store.is_littered(),
    "mapped": lambda store: store.mapped("1-1-1"),
    "not found": lambda store: store.info("t"),
    "attach": lambda store: store.attach("t", wait=0.01),
    "unshare": lambda store: store.unshare("t"),
    "pin": lambda store: store.pin("t"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_who_looks_makes_no_directory(store, parent: Path, look: str) -> None:
    with contextlib.suppress(shm.TableNotFound):
        LOOKS[look](store)
    assert list(parent.iterdir()) == []
