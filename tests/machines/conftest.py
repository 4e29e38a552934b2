"""The place of a store is part of what these tests choose, so it is not tried on tmpfs and on a disk each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "parent"
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_kernels_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_PATH"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    monkeypatch.setenv("PATH", os.defpath)  # where a Julia of the user's is not
