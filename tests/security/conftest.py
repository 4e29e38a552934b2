"""One place for each store: a directory that others may pass through and write to, as /dev/shm and /tmp are."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def parent() -> Iterator[Path]:
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    path = Path(f"{root}/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.mkdir()
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)
