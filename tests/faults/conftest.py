"""The programs that faults are tried on, and the table that says how often they were (docs/reliability.md)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import julia.conftest
import pytest
import r.conftest
import r_peers
from conformance.client import Client
from faults.nursery import Nursery
from faults.record import LANGUAGES
from julia_peers import CHECKOUT, FLAGS, Julia, environment
from r_peers import R

julia_program = julia.conftest.julia_program
r_program = r.conftest.r_program
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def torture_in_c(r_program: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What torture.R is helped by, compiled."""
    folder = tmp_path_factory.mktemp("torture")
    shutil.copy(HERE / "torture.c", folder)
    subprocess.run([r_program, "CMD", "SHLIB", "torture.c"], cwd=folder, check=True, capture_output=True)
    return folder / "torture.so"


@pytest.fixture(scope="session")
def nurseries(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Nursery]]:
    started: dict[str, Nursery] = {}

    def get(language: str) -> Nursery:
        if language not in started:
            if language == "python":
                command = [sys.executable, str(HERE / "torture.py")]
                env = {"PYTHONPATH": str(CHECKOUT)}
            elif language == "R":
                program, helper = request.getfixturevalue("r_program"), request.getfixturevalue("torture_in_c")
                command = [program, *R.flags, f"--file={HERE / 'torture.R'}", "--args", str(helper)]
                env = {**r_peers.environment(), "TMPDIR": r_peers.temporary()}
            else:
                command = [request.getfixturevalue("julia_program"), *FLAGS, str(HERE / "torture.jl")]
                env = environment()
            started[language] = Nursery(language, command, env)
        return started[language]

    yield get
    for one in started.values():
        one.end()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def nursery(language: str, nurseries: Callable[[str], Nursery], directory: Path) -> Iterator[Nursery]:
    """This language's processes, in this test's store; they are gone after it."""
    one = nurseries(language)
    yield one
    one.clear()


@pytest.fixture
def new_julia(client: Callable[..., Client]) -> Callable[[], Julia]:
    """Give a Julia process, another one each time, in this test's store; afterwards it has nothing attached."""
    return lambda: client("julia").process


@pytest.fixture
def new_r(client: Callable[..., Client]) -> Callable[[], R]:
    """The same in R."""
    return lambda: client("R").process


@pytest.fixture
def speaker(language: str, client: Callable[..., Client]) -> Callable[[], Client]:
    """Give a process of this language that shares, attaches and drops tables when it is told to."""
    return lambda: client(language)
