"""What the pages tell people to run, runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import julia.conftest
import pyarrow as pa
import pytest
from julia_peers import Julia
from notebooks import Notebook
from r_peers import R
from r_peers import program as r_program

import jupyter_arrowshm as shm

CHECKOUT = Path(__file__).parents[2]
READERS = "how-to/other-readers"
julia_program = julia.conftest.julia_program


def snippets(page: str, language: str) -> list[str]:
    text = (CHECKOUT / "docs" / f"{page}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    """On one file system, with a path that is short enough for sockets."""
    root = Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")
    path = root / f"arrowshm-test-{os.getpid()}-{tmp_path.name[-8:]}"
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path)


def test_the_tutorial(parent: Path, store: shm.Store) -> None:
    """Each cell of the tutorial runs in the notebook that it is in."""
    notebooks: dict[str, Notebook] = {}
    try:
        for cell in snippets("tutorial", "python"):
            name = re.match(r"(?:%%.*\n)?# in the (\w+) notebook\n", cell)
            assert name, cell
            if name[1] not in notebooks:
                notebooks[name[1]] = Notebook(f"{name[1]}.ipynb", parent, load=False)
            notebooks[name[1]].ok(cell)
        assert sorted(notebooks) == ["first", "second"]
        assert not store.tables()
    finally:
        for notebook in notebooks.values():
            notebook.stop()


README = "../README"
TRIPS = "import pandas as pd\ntrips = df = pd.DataFrame({'city': ['Bern', 'Basel'], 'fare': [1.5, 2.5]})\n"


def test_the_readme_in_notebooks(parent: Path, store: shm.Store) -> None:
    """Each line is a cell, with its comment, as somebody copies it."""
    first, magics, loading, widgets, _ = snippets(README, "python")
    one, other = (Notebook(f"{name}.ipynb", parent, load=False) for name in ("one", "other"))
    try:
        one.ok(TRIPS)
        for line in filter(None, first.splitlines()):
            for notebook in (one, other) if line.startswith("%load_ext") else (one if "%share " in line else other,):
                notebook.ok(line)
        assert other.get("trips.shape") == "(2, 2)" and store.names() == ["trips"]
        for line in filter(None, magics.splitlines()):
            one.ok(line)
        assert store.names() == ["sample", "trips"]
        one.ok(TRIPS)
        one.ok(f"import os\nos.chdir({str(parent)!r})\ndf.to_parquet('trips.parquet')\ndf.to_csv('trips.csv')")
        store.unshare("trips")
        for line in filter(None, loading.splitlines()):
            one.ok(line)
        assert store.names() == ["sample", "trips"] and len(store.tables().loaded) == 2
        assert one.get("len(long)") == "0", "no fare is above 10"
        assert "TablePreview(" in one.ok(widgets)
    finally:
        one.stop()
        other.stop()


def test_the_readme_in_a_script_and_in_a_terminal(store: shm.Store, peer, tmp_path: Path) -> None:
    *_, script = snippets(README, "python")
    prelude = "import pyarrow as pa\nbatches = pa.table(df.to_dict('list')).to_batches()\nschema = batches[0].schema\n"
    (tmp_path / "script.py").write_text(TRIPS + prelude + script + "print(table.num_rows, len(df))")
    said = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
    assert said.stdout == "2 2\n" and said.stderr == ""
    assert store.names() == ["trips"]
    program = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    *_, terminal = snippets(README, "sh")
    done = subprocess.run(
        ["sh", "-e"], input=terminal, capture_output=True, text=True, check=True, env={**os.environ, "PATH": program}
    )
    assert done.stdout.count("trips") > 2 and store.path("trips") in done.stdout and store.names() == []


def test_the_readme_in_julia(store: shm.Store, julia_program: str) -> None:
    store.share({"dep_delay": [1.5, None, 2.5]}, "flights")
    (code,) = snippets(README, "julia")
    one = Julia(julia_program)
    try:
        one.run(code.removeprefix("using ArrowSHM\n"))
        assert one.get("sum(skipmissing(flights.dep_delay))") == 4.0
        assert store.attach("delays").num_rows == 2
    finally:
        one.kill()


@pytest.mark.parametrize("page", ["../README", "r"])
def test_the_pages_in_r(store: shm.Store, page: str) -> None:
    carriers = {"carrier": ["AA", "UA", "UA"], "dep_delay": [1.5, None, 2.5]}
    store.share(carriers, "flights")
    one = R(r_program())
    try:
        for code in snippets(page, "r"):
            one.run(f"invisible(utils::capture.output({{ {code} }}))")
        assert store.attach("delays").num_rows == 2
    finally:
        one.kill()


@pytest.fixture
def path(store: shm.Store) -> str:
    table = pa.table({"city": ["Aachen", "Bonn", "Aachen"], "fare": [1.5, 2.5, 3.5], "rider": ["a", None, "c"]})
    return store.share(table, "trips").path


def test_python_libraries_read_a_table_by_its_path(path: str, peer) -> None:
    for number, snippet in enumerate(snippets(READERS, "python")):
        reader = peer()
        *lines, last = snippet.strip().splitlines()
        source = "\n".join([f"path = {path!r}", *lines, f"value = {last}" if " = " not in last else last])
        reader.run(source)
        value = ["value['fare'][0]", "table.num_rows", "sorted(value)"][number]
        assert reader.get(value) == [7.5, 3, [("Aachen", 5.0), ("Bonn", 2.5)]][number]


def test_node_reads_a_table_by_its_path(path: str, tmp_path: Path) -> None:
    modules = CHECKOUT / "js" / "node_modules"
    if not (modules / "apache-arrow").exists():
        assert not os.environ.get("CI"), "make js/node_modules/.package-lock.json"
        pytest.skip("apache-arrow for Node is not installed: make lint installs it")
    [snippet] = snippets(READERS, "js")
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "rows.mjs").write_text(snippet)
    done = subprocess.run(["node", tmp_path / "rows.mjs", path], capture_output=True, text=True, check=True)
    assert done.stdout == "3 [ 'city', 'fare', 'rider' ]\n"


@pytest.mark.skipif(shutil.which("flock") is None, reason="util-linux has flock(1)")
def test_below_flock_a_program_counts_as_a_user(path: str, store: shm.Store) -> None:
    ask = "import jupyter_arrowshm as shm; print(len(shm.info('trips').holders))"
    before = len(store.info("trips").holders)
    done = subprocess.run(["flock", "--shared", path, sys.executable, "-c", ask], capture_output=True, check=True)
    assert int(done.stdout) == before + 1
