"""R processes to drive from the tests, and a store for all languages; nothing is left of either."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from r_peers import R, program

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


@pytest.fixture(scope="session")
def r_program() -> str:
    return program()


@pytest.fixture(scope="module")
def r_process(r_program: str) -> Iterator[R]:
    started = R(r_program)
    yield started
    started.kill()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One store, on tmpfs where there is one: what differs on a disk is tested in Python."""
    parent = tmp_path
    if os.path.isdir("/dev/shm"):
        parent = Path(f"/dev/shm/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
        parent.mkdir(0o700)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(parent / "store"))
    yield parent / "store"
    shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture
def store(directory: Path) -> shm.Store:
    return shm.Store(directory)


@pytest.fixture
def r(r_process: R, directory: Path) -> Iterator[R]:
    """The module's R, in this test's store; afterwards it has nothing attached any more."""
    r_process.run(f"Sys.setenv({ENVIRONMENT_VARIABLE} = {json.dumps(str(directory))})")
    yield r_process
    if r_process.process.poll() is None:
        r_process.run("Session$clear()")


@pytest.fixture
def new_r(r_program: str, directory: Path) -> Iterator[Callable[..., R]]:
    """Start another R in this test's store, for tests that kill it."""
    started: list[R] = []

    def start(*options: str, **keywords: Any) -> R:
        started.append(R(r_program, *options, **keywords))
        return started[-1]

    yield start
    for one in started:
        one.kill()
