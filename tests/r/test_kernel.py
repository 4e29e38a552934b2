"""R notebooks beside Python's: real kernels of IRkernel, cells through the Jupyter protocol, what a page would show."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from notebooks import Notebook
from r_peers import environment
from waiting import eventually

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Kernels' sockets have short paths."""
    root = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")
    path = root / f"arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}"
    path.mkdir(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT_VARIABLE, str(path / "store"))
        yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def start(r_program: str, place: Path) -> Iterator[Callable[[str], Notebook]]:
    """A notebook of IRkernel, as its kernelspec starts it."""
    has = [r_program, "--no-echo", "-e", "quit(status = !requireNamespace('IRkernel', quietly = TRUE))"]
    if subprocess.run(has, env=environment(), check=False).returncode:
        pytest.skip("R has no IRkernel: apt-get install r-cran-irkernel")
    started: list[Notebook] = []

    def start(name: str) -> Notebook:
        program = ["--no-echo", "-e", "IRkernel::main(commandArgs(TRUE)[[2]])", "--args"]
        libraries = {"R_LIBS": environment()["R_LIBS"], "LC_ALL": "C.UTF-8"}
        started.append(Notebook(name, place, load=False, python=r_program, program=program, **libraries))
        started[-1].ok("library(arrowshm)")
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def model(start: Callable[[str], Notebook]) -> Notebook:
    return start("model.ipynb")


@pytest.fixture(scope="module")
def load(place: Path) -> Iterator[Notebook]:
    """A Python notebook that has shared the flights."""
    notebook = Notebook("load.ipynb", place)
    try:
        notebook.ok("from jupyter_arrowshm.cli.demo import read_flights\nflights = read_flights()\n%share flights")
        yield notebook
    finally:
        notebook.stop()


def users(name: str) -> list[str]:
    return sorted(str(user) for user in shm.info(name).holders)


def test_what_python_shared(load: Notebook, model: Notebook) -> None:
    model.ok('flights <- attach_table("flights")')
    assert users("flights") == ["load.ipynb (python)", "model.ipynb (R)"]
    (user,) = (user for user in shm.info("flights").holders if user.language == "R")
    assert user.kernel_id == model.id and not user.child and str(user.pid) in model.ok("Sys.getpid()")
    total = load.get("int(flights['dep_delay'].to_pandas().sum())")
    assert total in model.ok("as.character(sum(flights$dep_delay, na.rm = TRUE))")
    (shown,) = model.run("head(flights)").displays  # IRkernel's way to show a value
    assert "dep_delay" in shown["text/html"] and "EWR" in shown["text/html"]
    (shown,) = model.run("shared_tables()").displays
    html = shown["text/html"]
    assert "336,776 rows x 19 columns" in html and "model.ipynb (R), load.ipynb (python)" in html.replace(
        "load.ipynb (python), model.ipynb (R)", "model.ipynb (R), load.ipynb (python)"
    )
    assert "load.ipynb (python)" in shown["text/plain"] and "model.ipynb (R)" in load.ok("%shared")
    model.ok("detach_table(flights)")
    assert users("flights") == ["load.ipynb (python)"]


def test_what_r_shares(load: Notebook, model: Notebook) -> None:
    model.ok('delays <- data.frame(carrier = c("AA", "UA"), mean = c(1.5, NA))\nshare_table(delays, "delays")')
    load.ok("%attach delays --to pyarrow")
    assert load.get("delays.to_pydict()") == "{'carrier': ['AA', 'UA'], 'mean': [1.5, None]}"
    publisher = shm.info("delays").publisher
    assert (publisher.label, publisher.kernel_id) == ("model.ipynb (R)", model.id)
    model.ok('share_table(delays, "delays")')
    load.ok("%detach delays")
    model.ok('unshare_table("delays")')


def test_a_mistake_is_one_line(model: Notebook) -> None:
    ran = model.run('attach_table("flihgts")')
    assert ran.status == "error"
    assert 'there is no shared table "flihgts". Did you mean "flights"?' in "\n".join([ran.errors, *ran.traceback])
    assert "checked" not in ran.errors, "no call of ours"


def test_tab(load: Notebook, model: Notebook) -> None:
    """Names of tables after `attach_table("`; for all else R's own."""

    def matches(code: str) -> list[str]:
        request = model.client.complete(code, len(code))
        while (reply := model.client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request:
            pass
        return list(reply["content"]["matches"])

    assert matches('attach_table("fl') == ["flights"]
    assert matches('x <- attach_table("') == ["flights"]
    assert "attach_table" in matches("attach_ta")
    assert "mean" in matches("mea")


def test_gc_alone_ends_the_use(load: Notebook, model: Notebook) -> None:
    """Nobody calls detach_table(): what no variable has any more is collected."""
    model.ok('flights <- attach_table("flights")\ndelay <- flights$dep_delay\nsum(delay, na.rm = TRUE)')
    model.ok("rm(flights); invisible(gc())")
    assert users("flights") == ["load.ipynb (python)", "model.ipynb (R)"], "one column has it in use"
    model.ok("rm(delay); invisible(gc())")
    assert users("flights") == ["load.ipynb (python)"]


def test_r_has_an_older_version(load: Notebook, model: Notebook) -> None:
    load.ok("import pyarrow as pa\nfirst = pa.table({'a': [1000.25, 2000.5]})\n%share first as versions")
    model.ok('old <- attach_table("versions")')
    load.ok("second = pa.table({'a': [3.5]})\n%share second as versions --replace")
    assert [str(user) for version in shm.info("versions").older for user in version.holders] == ["model.ipynb (R)"]
    assert "3000.75" in model.ok("as.character(sum(old$a))") and "3.5" in model.ok('attach_table("versions")$a[1]')
    model.ok("rm(old); invisible(gc())")
    assert shm.info("versions").older == ()
    load.ok("%unshare versions --force")


def test_a_kernel_that_is_killed(load: Notebook, start: Callable[[str], Notebook]) -> None:
    """Its lease goes with it; the table that it shared stays, and the older version with who has that."""
    dying = start("dying.ipynb")
    dying.ok('flights <- attach_table("flights")\nshare_table(data.frame(a = c(1, NA)), "mine")')
    assert "dying.ipynb (R)" in users("flights")
    load.ok("%attach mine")
    dying.kill()
    eventually(lambda: users("flights") == ["load.ipynb (python)"])
    assert shm.info("mine").publisher.alive is False
    load.ok("import pyarrow as pa\nother = pa.table({'a': [2]})\n%share other as mine --replace")
    assert [str(user) for version in shm.info("mine").older for user in version.holders] == ["load.ipynb (python)"]
    load.ok("%detach mine\n%unshare mine --force")
