"""Every test has a store of its own, on tmpfs or on a disk, and leaves nothing of it, whatever happens."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from conformance import pool as processes
from faults.record import FACTOR, VARIABLE, Record
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE
from jupyter_arrowshm.core.room import file_system

# The same examples each time: whether `make test` is green is up to the change at hand. `make torture` draws others.
hypothesis.settings.register_profile("same", derandomize=True)
if VARIABLE not in os.environ:
    hypothesis.settings.load_profile("same")

# Where no test says otherwise, nobody's tables: a forgotten fixture must fail rather than touch the user's store.
os.environ[ENVIRONMENT_VARIABLE] = "/nonexistent/jupyter-arrowshm-tests"

# What a shell runs in the background ignores Ctrl-C, and so would every process that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pool, client = processes.pool, processes.client

RECORD = pytest.StashKey[Record]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RECORD] = Record()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how often each fault was tried; with JUPYTER_ARROWSHM_TORTURE in the environment also in the page.

    Of two processes that run the tests, each would write its own counts there, so only a single one does.
    """
    record = config.stash[RECORD]
    alone = not config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if record.tries:
        terminalreporter.section("how often each fault was tried")
        for line in record.lines():
            terminalreporter.write_line(line)
        if VARIABLE in os.environ and FACTOR >= 1 and alone:
            record.write(long=FACTOR > 1)


def _has_tmpfs() -> bool:
    return os.path.isdir("/dev/shm") and file_system(os.stat("/dev/shm").st_dev) == "tmpfs"


@pytest.fixture(params=["tmpfs", "disk"])
def parent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An empty private directory to make stores in: once on tmpfs, once on a plain file system."""
    if request.param == "tmpfs":
        if not _has_tmpfs():
            pytest.skip("this machine has no tmpfs at /dev/shm")
        path = Path(f"/dev/shm/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    else:
        path = tmp_path / "parent"
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory(parent: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's tables are; not made yet. Also what the module-level functions and every peer use."""
    path = parent / "store"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    return path


@pytest.fixture
def store(directory: Path) -> shm.Store:
    return shm.Store(directory)


@pytest.fixture
def peer(directory: Path) -> Iterator[Callable[..., Peer]]:
    """Start another Python process with ``shm`` and ``pa`` imported, in the same store."""
    started: list[Peer] = []

    def start(**keywords: object) -> Peer:
        started.append(Peer(**keywords))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Note how often a fault was tried: ``tried("kill", 100)``; language and place are the test's."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}

    def note(row: str, count: int, *, language: str | None = None, place: str | None = None) -> None:
        language = language or parameters.get("language", "python")
        request.config.stash[RECORD].add(row, language, place or parameters.get("parent", "tmpfs"), count)

    return note
