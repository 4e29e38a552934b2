"""A Julia notebook among Python's, on a real server: labels, counts and events."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import julia_kernel
import julia_peers
import pytest
from servers import Server

SHARE = "shm.share(pa.table({'fare': [12.5, 9.0]}), 'trips')"


@pytest.fixture(scope="module")
def running(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows a Julia kernel."""
    kernels = tmp_path_factory.mktemp("jupyter") / "kernels"
    julia_kernel.specify(kernels, julia_peers.program(), **{julia_kernel.COMPILE: "min"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(kernels.parent))
        server = Server(tmp_path_factory.mktemp("server") / "root")
    yield server
    server.kill()


def test_two_python_notebooks_and_a_julia_one(running: Server) -> None:
    load, report = running.notebook("load.ipynb"), running.notebook("report.ipynb")
    model = running.notebook("work/model.ipynb", "julia", "using ArrowSHM")
    running.tables()
    listener = running.listen()

    load.run(SHARE)
    assert listener.until("published", "trips")["who"] == ["load.ipynb (python)"]
    model.run("@attach trips")
    assert listener.until("attached", "trips")["who"] == ["model.ipynb (julia)"]
    report.run("trips = shm.attach('trips')")
    assert listener.until("attached", "trips")["who"] == ["report.ipynb (python)"]
    assert running.users("trips") == ["load.ipynb (python)", "model.ipynb (julia)", "report.ipynb (python)"]
    (julia,) = (user for user in running.tables()["trips"]["holders"] if user["language"] == "julia")
    assert (julia["kernel_id"], julia["notebook_path"]) == (model.id, "work/model.ipynb")

    model.run("@detach trips")
    assert listener.until("released", "trips")["who"] == ["model.ipynb (julia)"]
    assert running.users("trips") == ["load.ipynb (python)", "report.ipynb (python)"]

    model.run('share("fares", (x = [1, 2],))')
    assert listener.until("published", "fares")["who"] == ["model.ipynb (julia)"]
    report.run("fares = shm.attach('fares')")
    assert listener.until("attached", "fares")["who"] == ["report.ipynb (python)"]
    model.rename("forecast.ipynb")
    assert running.users("fares") == ["forecast.ipynb (julia)", "report.ipynb (python)"]
    listener.close()


def test_a_restarted_julia_replaces_its_table(running: Server) -> None:
    model = running.notebook("model.ipynb", "julia", "using ArrowSHM")
    model.run('share("fares", (x = [1],))')
    model.restart()
    assert running.tables()["fares"]["publisher"]["alive"] is False
    model.run('share("fares", (x = [1, 2],))')
    assert running.tables()["fares"]["num_rows"] == 2
    assert running.users("fares") == ["model.ipynb (julia)"]


def test_a_killed_julia_uses_nothing_any_more(running: Server) -> None:
    load = running.notebook("load.ipynb")
    model = running.notebook("model.ipynb", "julia", "using ArrowSHM")
    load.run(SHARE)
    model.run('@attach trips\nshare("fares", (x = [1],))')
    running.tables()
    listener = running.listen()
    (julia,) = (user for user in running.tables()["trips"]["holders"] if user["language"] == "julia")
    os.kill(julia["pid"], signal.SIGKILL)
    assert listener.until("released", "trips")["who"] == ["model.ipynb (julia)"]
    assert running.users("trips") == ["load.ipynb (python)"] and running.users("fares") == []
    assert running.tables()["fares"]["publisher"]["alive"] is False
    listener.close()
