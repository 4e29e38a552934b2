"""Julia processes to drive from the tests, and a store for both languages; nothing is left of either."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from julia_peers import LOOP, Julia, program

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


@pytest.fixture(scope="session")
def julia_program() -> str:
    return program()


@pytest.fixture(scope="module")
def julia_process(julia_program: str) -> Iterator[Julia]:
    started = Julia(julia_program)
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
def julia(julia_process: Julia, directory: Path) -> Iterator[Julia]:
    """The module's Julia, in this test's store; afterwards it has nothing attached any more."""
    julia_process.run(f"ENV[{json.dumps(ENVIRONMENT_VARIABLE)}] = {json.dumps(str(directory))}")
    yield julia_process
    if julia_process.process.poll() is None:
        julia_process.run("Session.clear()")


@pytest.fixture
def new_julia(julia_program: str, directory: Path) -> Iterator[Callable[..., Julia]]:
    """Start another Julia in this test's store, for tests that kill it. It interprets: it does not live to compile."""
    started: list[Julia] = []

    def start(*options: str, **keywords: Any) -> Julia:
        started.append(Julia(julia_program, "--compile=min", *(options or ("-e", LOOP)), **keywords))
        return started[-1]

    yield start
    for one in started:
        one.kill()
