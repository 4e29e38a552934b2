"""docs/how-to/load-once.md: its examples as it shows them, each with several processes of the program itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from waiting import eventually

import jupyter_arrowshm as shm
from jupyter_arrowshm import TableInfo

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "load-once.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FRAME = pd.DataFrame({"city": ["Bergen", "Oslo", "Oslo"], "fare": [3.5, 1.0, 2.0], "day": [1, 2, 3]})


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """On one file system: where the tables are is not what is tested here."""
    return tmp_path


@pytest.fixture
def sh(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs a command in a folder with the files of the page, and one of rows that nobody has loaded."""
    folder = tmp_path / "work"
    folder.mkdir()
    FRAME.to_parquet(folder / "trips.parquet")
    for language, code in BLOCKS:
        first, _, rest = code.partition("\n")
        if language == "python" and first.endswith(".py"):
            (folder / first.removeprefix("# ")).write_text(rest)
        elif language == "python":
            notebook(folder / first.removeprefix("# ").partition(",")[0], rest.splitlines())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))

    def run(command: str) -> str:
        done = subprocess.run(["sh", "-ec", command], capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def notebook(path: Path, cells: list[str]) -> None:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)


def loaded(store: shm.Store) -> TableInfo:
    """The one table that was loaded; had two processes loaded it, the first would have an older version of it."""
    (table,) = store.tables().loaded
    assert table.origin == str(Path("trips.parquet").absolute()) and not store.tables().loaded.removed
    return table


def commands(program: str) -> str:
    (found,) = [code for language, code in BLOCKS if language == "sh" and program in code]
    return found


def test_four_workers_of_gunicorn_read_the_file_once(sh: Callable[[str], str], store: shm.Store) -> None:
    (command,) = re.findall("`(gunicorn .*?)`", PAGE)
    server = subprocess.Popen([*command.split(), "--bind", "unix:web"], stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: [table for table in store.tables().loaded if len(table.holders) == 4])
        assert all(user.script.endswith("gunicorn") for user in loaded(store).holders)
        assert re.search(r"in use by.*\n.*trips\.parquet-.* 4", sh("jupyter arrowshm list"))
    finally:
        server.terminate()
        said = server.communicate(timeout=60)[1]
    assert "Traceback" not in said, said


def test_joblib_calls_the_function_once(sh: Callable[[str], str], store: shm.Store) -> None:
    page = Path("means.py")
    noting = "def make():\n    with open('log', 'a') as log:\n        log.write('made ')\n"
    page.write_text(page.read_text().replace("def make():\n", noting))
    assert sh(f"{sys.executable} -W error means.py") == "[3.5, 1.5]\n"
    assert Path("log").read_text() == "made "
    assert store.names() == ["means"] and loaded(store).num_rows == 3


def test_two_notebooks_of_papermill_at_once(sh: Callable[[str], str], store: shm.Store) -> None:
    sh(commands("papermill"))
    for name in ("first.ipynb", "second.ipynb"):
        cells = nbformat.read(name, as_version=4).cells
        assert [output.text for output in cells[-1].outputs] == ["Bergen\n"]
    assert loaded(store).num_columns == 2 and store.names() == ["longest"]


def test_loaded_beforehand_from_a_terminal(sh: Callable[[str], str], store: shm.Store) -> None:
    sh(commands("arrowshm load"))
    before = loaded(store)
    assert before.pinned and store.attach("./trips.parquet", to="pandas").equals(FRAME)
    assert loaded(store).version == before.version
    # Another file of that name: who has the older rows keeps them.
    older = store.attach("./trips.parquet")
    FRAME.head(1).to_parquet("newer.parquet")
    Path("newer.parquet").rename("trips.parquet")
    assert store.attach("./trips.parquet").num_rows == 1 and older["fare"].to_pylist() == [3.5, 1.0, 2.0]
