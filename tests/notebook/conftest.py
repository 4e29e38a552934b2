"""Kernels are slow to start: a module's kernels are reused, and emptied between its tests."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from notebooks import Desk, Notebook

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


@pytest.fixture(scope="module")
def _desk() -> Iterator[Desk]:
    # Socket paths must be short, and tables are best in memory: use /dev/shm if there is one.
    root = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")
    place = root / f"arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}"
    place.mkdir(0o700)
    desk = Desk(place)
    try:
        yield desk
    finally:
        desk.close()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def desk(_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Notebooks that share one empty store."""
    _desk.begin()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(_desk.parent / "store"))
    yield _desk
    _desk.end()


@pytest.fixture
def parent(desk: Desk) -> Path:
    """The kernels' store, on one file system: the place of the tables is the store's concern, and tested there."""
    return desk.parent


@pytest.fixture
def model(desk: Desk) -> Notebook:
    return desk.open("model.ipynb")


@pytest.fixture
def report(desk: Desk) -> Notebook:
    return desk.open("report.ipynb")
