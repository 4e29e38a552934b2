"""A Jupyter server takes seconds to start: most tests of a module share one and its store, emptied after each."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import Server

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    path = Path(f"/dev/shm/arrowshm-test-{secrets.token_hex(4)}")
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def directory(parent: Path) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT_VARIABLE, str(parent / "store"))
        patch.setenv("JUPYTER_ARROWSHM_PLACES", json.dumps({"team": str(parent / "team")}))
        patch.setenv("JUPYTER_ARROWSHM_OPEN_PARENT", str(parent))
        yield parent / "store"


@pytest.fixture(autouse=True)
def store(directory: Path) -> Iterator[shm.Store]:
    store = shm.Store(directory)
    yield store
    for name in (*store.names(), *store.loaded.names()):
        store.unshare(name)


@pytest.fixture(scope="module")
def running(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "root")
    yield server
    server.kill()


@pytest.fixture
def server(directory: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a separate server for the test in the same store; keywords are the extension's configuration."""
    started: list[Server] = []

    def start(**config: object) -> Server:
        started.append(Server(tmp_path / f"server-{len(started)}", **config))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def description() -> dict[str, Any]:
    """rest-api.yml."""
    return yaml.safe_load((resources.files("jupyter_arrowshm.server") / "rest-api.yml").read_text())
