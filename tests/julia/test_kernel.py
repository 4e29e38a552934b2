"""Julia notebooks beside Python's: real kernels, cells through the Jupyter protocol, what a page would show."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from julia_kernel import COMPILE, PROGRAM
from julia_peers import LOOP, Julia
from notebooks import Notebook

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import process
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

KERNEL = Path(__file__).parent.parent / "julia_kernel.py"


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
def directory(place: Path) -> Path:
    return place / "store"


@pytest.fixture(scope="module")
def start(julia_program: str, place: Path) -> Iterator[Callable[..., Notebook]]:
    """A Julia notebook as with this version of IJulia."""
    started: list[Notebook] = []

    def start(name: str, ijulia: str = "1.34", compiled: str = "min") -> Notebook:
        environment = {PROGRAM: julia_program, COMPILE: compiled, "ARROWSHM_IJULIA": ijulia}
        started.append(Notebook(name, place, load=False, program=[str(KERNEL)], **environment))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def model(start: Callable[..., Notebook]) -> Notebook:
    notebook = start("model.ipynb", compiled="yes")
    notebook.ok("using ArrowSHM")
    return notebook


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


def test_a_cell_and_its_value(model: Notebook) -> None:
    ran = model.run('println("one"); 1 + 1')
    assert (ran.status, ran.text, ran.value) == ("ok", "one\n", {"text/plain": "2"})
    assert model.run("nothing").value is None


def test_what_python_shared(load: Notebook, model: Notebook) -> None:
    said = model.ok("@attach flights")
    assert said.startswith("flights: 336,776 rows x 19 columns, ") and said.endswith(", attached")
    assert users("flights") == ["load.ipynb (python)", "model.ipynb (julia)"]
    (user,) = (user for user in shm.info("flights").holders if user.language == "julia")
    assert user.kernel_id == model.id and not user.child and str(user.pid) == model.ok("getpid()")
    assert model.ok("sum(skipmissing(flights.dep_delay))") == load.get("int(flights['dep_delay'].to_pandas().sum())")

    ran = model.run("flights")
    assert ran.value is not None and ran.value["text/plain"].splitlines()[0].startswith("flights: 336,776 rows")
    html = ran.value["text/html"]
    assert html.count("<tr>") == 12 and "<th>dep_delay</th>" in html and "and 336,766 more rows" in html

    ran = model.run("tables()")
    assert ran.value is not None
    assert "<td>336,776</td>" in ran.value["text/html"] and "model.ipynb (julia)" in ran.value["text/html"]
    assert "load.ipynb (python)" in ran.value["text/plain"]
    assert "model.ipynb (julia)" in load.ok("%shared")

    # `flights` was shown, so that `Out` has it, and it was the last value but one.
    assert model.ok("@detach flights") == "flights: detached"
    assert users("flights") == ["load.ipynb (python)"]


def test_what_julia_shares(load: Notebook, model: Notebook) -> None:
    said = model.ok('delays = (carrier = ["AA", "UA"], mean = [1.5, missing])\n@share delays')
    assert said.startswith("delays: 2 rows x 2 columns, ") and said.endswith(", shared")
    load.ok("%attach delays")
    assert load.get("delays.to_pydict()") == "{'carrier': ['AA', 'UA'], 'mean': [1.5, None]}"
    publisher = shm.info("delays").publisher
    assert (publisher.label, publisher.kernel_id) == ("model.ipynb (julia)", model.id)
    assert model.ok("@share delays").endswith(", shared"), "a kernel replaces its own"
    load.ok("%detach delays")
    model.ok('unshare("delays")')


def test_what_julia_shares_elsewhere(model: Notebook, tmp_path: Path) -> None:
    team = shm.place(str(tmp_path / "team"))
    model.ok(f'ENV["PATH"] = "{Path(sys.executable).parent}:$(ENV["PATH"])"')  # where the Python package is
    model.ok(f"fares = (fare = [1.5, 2.5],); team = {json.dumps(team.name)}")
    for _ in range(2):  # a kernel replaces its own
        said = model.ok("@share fares to=team")
        assert said.startswith("fares: 2 rows x 1 column, ") and said.endswith(f", shared in {team.name}")
    assert team.info("fares").publisher.label == "model.ipynb (julia)"
    assert team.attach("fares").to_pydict() == {"fare": [1.5, 2.5]}
    team.share(pa.table({"a": [1]}), "other")
    ran = model.run('@share "other" fares to=team')
    assert ran.status == "error" and ran.traceback[0].startswith('"other" was shared by ')
    assert ran.traceback[0].endswith("take it over with replace=true.") and "\n" not in ran.traceback[0]
    model.ok('@share "other" fares to=team replace=true; unshare("fares"; from=team)')
    assert team.names() == ["other"] and team.attach("other").column_names == ["fare"]


def test_a_mistake_is_told_in_the_first_line(model: Notebook) -> None:
    ran = model.run("@attach flihgts")
    assert ran.status == "error" and ran.traceback[0].startswith('there is no shared table "flihgts".')
    ran = model.run('error("mine")')
    assert ran.status == "error" and ran.traceback[0] == "mine"
    assert model.ok("1 + 1") == "2"


def test_an_interrupt_while_waiting_for_a_table(model: Notebook) -> None:
    request = model.start('println("begun")\n@attach late wait=1000')
    model.until(request, "begun")
    model.interrupt()
    ran = model.wait(request)
    assert ran.status == "error" and "InterruptException" in ran.traceback[0]
    assert model.ok("1 + 1") == "2"


@pytest.mark.parametrize("ijulia", ["1.21", "1.34"])
def test_tab(start: Callable[..., Notebook], ijulia: str) -> None:
    """Columns, tables and public names, not files and internals; for all else Julia's own."""
    shm.share(pa.table({"fare": [1.5], "fées": [2], 'a "b"': [3]}), "taxi", replace=True)
    shm.share(pa.table({"x": [1]}), "taxi-2", replace=True)
    notebook = start("tab.ipynb", ijulia)
    notebook.ok('using ArrowSHM\n@attach taxi\nplain = Dict("fare" => 1)\nmodule Inner; t = Main.taxi; end')
    for code, expected in {
        'taxi["': ['a \\"b\\"', "fare", "fées"],
        'sum(taxi["fa': ["fare"],
        'é = 1; Inner.t["fé': ["fées"],
        'attach("tax': ["taxi", "taxi-2"],
        'y = ArrowSHM.info( "taxi-': ["taxi-2"],
        '@attach t2 = "taxi-': ["taxi-2"],
        "@attach tax": ["taxi"],
        "ArrowSHM.is": ["isolder"],
        "ArrowSHM.pi": ["pin"],
        "ArrowSHM.Table": ["TableExists", "TableNotFound"],
        "taxi.fa": ["fare"],
        'plain["fa': ['"fare"]'],
        "ArrowSHM.words_si": ["words_size"],
    }.items():
        assert notebook.complete(code) == expected, code
    notebook.stop()


def test_a_write_into_a_column_is_one_line(model: Notebook) -> None:
    model.ok('share("written", (fare = collect(1.0:100.0), tip = [missing; 2:100]); replace = true)\n@attach written')
    for code in ("written.fare[1] = 2", "written.tip[1] = 2", "written.fare .= 0", "sort!(written.fare, rev = true)"):
        ran = model.run(code)
        assert ran.status == "error"
        assert (
            "read-only. Copy it, as in `fare = copy(trips.fare)`" in ran.traceback[0] and "\n" not in ran.traceback[0]
        )
    # The remedy.
    assert (
        model.ok("fare = copy(written.fare); fare[1] = 2; tip = copy(written.tip); tip[1] = 2; fare[1] + tip[1]")
        == "4.0"
    )
    model.ok('unshare("written")')


@pytest.mark.parametrize("ijulia", ["1.21", "1.30", "1.34"])
def test_what_a_notebook_drops_is_collected_after_the_cell(start: Callable[..., Notebook], ijulia: str) -> None:
    shm.share(pa.table({"x": [1, 2, 3]}), "trips", replace=True)
    mine = users("trips")
    notebook = start("drop.ipynb", ijulia)
    assert notebook.ok('using ArrowSHM\nArrowSHM.kernel_id(ARGS) == ""') == str(ijulia != "1.21").lower()
    for drop in ("trips = nothing", "trips = 1; println(trips)"):
        notebook.ok("@attach trips")
        notebook.ok("1 + 1")
        assert users("trips") == sorted([*mine, "drop.ipynb (julia)"]), "what a variable has is kept"
        notebook.ok(drop)
        assert users("trips") == mine
    notebook.ok("@attach trips")
    notebook.ok("trips")
    notebook.ok("trips = nothing")
    assert users("trips") == sorted([*mine, "drop.ipynb (julia)"]), "Out has it"
    # What was shown goes with @detach: a table of an earlier attach, a column, a view, what an error is about.
    assert notebook.ok("@attach trips\ntrips.x").startswith("trips: ")
    notebook.ok("view(trips.x, 1:2)")
    assert notebook.run("trips.x[10]").status == "error"
    assert notebook.ok("@detach trips") == "trips: detached"
    assert users("trips") == mine
    notebook.ok("@attach trips\nkept = trips.x; 0")
    assert "still attached" in notebook.ok("@detach trips"), "a variable has it"
    notebook.ok("kept = nothing")
    notebook.ok("GC.gc()")
    notebook.ok("@attach trips")
    notebook.ok("trips")
    assert notebook.ok("@detach trips") == "trips: detached"
    notebook.stop()


def test_every_way_to_start_a_kernel_or_a_script(new_julia: Callable[..., Julia], tmp_path: Path) -> None:
    script = tmp_path / "etl.jl"
    script.write_text(LOOP)
    kernel = "/run/kernel-v2-12ab-34cd.json"
    for options, label, kernel_id in [
        (("-i", "-e", LOOP, kernel), "model.ipynb (julia)", "12ab-34cd"),
        (("-i", "-t", "1", str(script), kernel), "model.ipynb (julia)", "12ab-34cd"),
        (("-t", "1", str(script)), "etl.jl", ""),
    ]:
        julia = new_julia(*options, env={"JPY_SESSION_NAME": "work/model.ipynb"})
        julia.run("empty!(ARGS)")  # as IJulia does
        julia.run('share("mine", (x = [1],); replace = true)')
        julia.run('mine = attach("mine")')
        mine = shm.info("mine")
        for user in (mine.publisher, *mine.holders, process.look_up(julia.pid)):
            assert (user.label, user.language, user.kernel_id) == (label, "julia", kernel_id)
        assert julia.get('string(ArrowSHM.info("mine").holders[1])') == label
        julia.kill()


def test_kill_of_a_julia_notebook(load: Notebook, start: Callable[..., Notebook]) -> None:
    notebook = start("killed.ipynb")
    notebook.ok("using ArrowSHM\n@attach flights\nx = (a = [1],)\n@share x")
    assert users("flights") == ["killed.ipynb (julia)", "load.ipynb (python)"]
    assert users("x") == ["killed.ipynb (julia)"]
    pid = int(notebook.ok("getpid()"))
    os.kill(pid, signal.SIGKILL)
    while len(users("flights")) > 1:  # a process takes a moment to die
        pass
    assert users("flights") == ["load.ipynb (python)"] and users("x") == []
    assert shm.attach("x").to_pydict() == {"a": [1]}
    assert notebook.manager.provisioner.process.wait() == 1, "the kernel has died with it"
