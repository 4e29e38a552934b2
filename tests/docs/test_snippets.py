"""What the pages tell people to run, runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm

CHECKOUT = Path(__file__).parents[2]
READERS = "how-to/other-readers"


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
    notebooks: dict[str, Notebook] = {}
    try:
        for cell in snippets("tutorial", "python"):
            name = re.match(r"# in the (\w+) notebook\n", cell)
            assert name, cell
            if name[1] not in notebooks:
                notebooks[name[1]] = Notebook(f"{name[1]}.ipynb", parent, load=False)
            notebooks[name[1]].ok(cell)
        assert sorted(notebooks) == ["first", "second"]
        assert not store.tables()
    finally:
        for notebook in notebooks.values():
            notebook.stop()


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
