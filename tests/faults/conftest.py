"""The programs that faults are tried on, and the table that says how often they were (docs/reliability.md)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import julia.conftest
import pytest
from faults.nursery import Nursery
from faults.speaker import PHRASES, Speaker
from julia_peers import CHECKOUT, FLAGS, Julia, environment

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

julia_program = julia.conftest.julia_program
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def nurseries(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Nursery]]:
    started: dict[str, Nursery] = {}

    def get(language: str) -> Nursery:
        if language not in started:
            if language == "python":
                command = [sys.executable, str(HERE / "torture.py")]
                env = {"PYTHONPATH": str(CHECKOUT)}
            else:
                command = [request.getfixturevalue("julia_program"), *FLAGS, str(HERE / "torture.jl")]
                env = environment()
            started[language] = Nursery(language, command, env)
        return started[language]

    yield get
    for one in started.values():
        one.end()


@pytest.fixture(params=["python", "julia"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def nursery(language: str, nurseries: Callable[[str], Nursery], directory: Path) -> Iterator[Nursery]:
    """This language's processes, in this test's store; they are gone after it."""
    one = nurseries(language)
    yield one
    one.clear()


@pytest.fixture(scope="session")
def julia_pool() -> Iterator[list[Julia]]:
    """Julia processes that one test after the other uses: to start and to compile takes seconds."""
    started: list[Julia] = []
    yield started
    for one in started:
        one.kill()


@pytest.fixture
def new_julia(
    request: pytest.FixtureRequest, julia_pool: list[Julia], directory: Path
) -> Iterator[Callable[[], Julia]]:
    """Give a Julia process, another one each time, in this test's store; afterwards it has nothing attached."""
    given: list[Julia] = []

    def give() -> Julia:
        if len(given) == len(julia_pool):
            julia_pool.append(Julia(request.getfixturevalue("julia_program")))
        given.append(julia_pool[len(given)])
        given[-1].run(f"ENV[{json.dumps(ENVIRONMENT_VARIABLE)}] = {json.dumps(str(directory))}")
        return given[-1]

    yield give
    for one in given:
        if one.process.poll() is None:
            one.run("Session.clear()")
        else:
            julia_pool.remove(one)
            one.kill()


@pytest.fixture
def speaker(language: str, peer: Callable[..., Any], new_julia: Callable[..., Any]) -> Callable[[], Speaker]:
    """Start a process of this language that shares, attaches and drops one table, ``t``."""
    return lambda: Speaker(peer() if language == "python" else new_julia(), PHRASES[language])
