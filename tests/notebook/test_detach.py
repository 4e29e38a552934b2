"""``%detach``, ``%unshare`` and ``%shared``: letting go of tables, and seeing who has not done so."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from kernel import leases
from notebooks import Notebook

import jupyter_arrowshm as shm
from jupyter_arrowshm import words

TABLE = pa.table({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})


@pytest.fixture
def shared(store: shm.Store) -> shm.Store:
    store.share(TABLE, "t")
    return store


def uses(notebook: Notebook, directory: Path, name: str = "t") -> bool:
    """Whether the kernel has the table attached, as the system sees it."""
    return notebook.pid in leases(directory / f"{name}.arrow")


@pytest.mark.parametrize("kind", ["pyarrow", "pandas", "polars", "duckdb", "numpy"])
def test_detach(report: Notebook, shared: shm.Store, directory: Path, kind: str) -> None:
    report.ok(f"%attach t --to {kind}")
    assert uses(report, directory)
    size = words.size(shared.info("t").nbytes)
    memory = f"t stays shared: its {size} come free when it is unshared and nobody has it attached"
    assert report.ok("%detach t") == f"t: detached\n  t deleted\n  {memory}"
    assert not uses(report, directory) and report.get("'t' in globals()") == "False"
    assert shared.names() == ["t"], "the table stays shared"


@pytest.mark.parametrize(
    "cell",
    [
        "t",
        "t.slice(1)",
        "t['a'].to_numpy()",
        "t.to_pandas(split_blocks=True)\n_.head()",
        "_ = t",
        "from IPython.display import display\ndisplay(t)",
        "1\nOut[1] = t",
    ],
)
def test_detach_after_a_result(report: Notebook, shared: shm.Store, directory: Path, cell: str) -> None:
    report.ok("%attach t")
    report.run(cell)
    report.run(cell)
    shown = report.ok("%detach t")
    assert shown.startswith("t: detached"), shown
    assert not uses(report, directory)


@pytest.mark.parametrize(
    "cell",
    [
        "def f(table):\n    raise ValueError\nf(t)",
        "t.no_such_thing",
        "try:\n    t.nope\nexcept AttributeError as error:\n    raise ValueError from error",
        "%share t.nope() as x",
        "%attach t --columns nope",
    ],
)
def test_detach_after_an_error(report: Notebook, shared: shm.Store, directory: Path, cell: str) -> None:
    report.ok("%attach t")
    assert report.run(cell).status == "error"
    assert report.ok("%detach t").startswith("t: detached")
    assert not uses(report, directory)


def test_detach_says_that_out_was_emptied(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t\nt")
    assert "Out and _ emptied: a result there used the table" in report.ok("%detach t")
    assert report.get("Out, _") == "({}, '')"


def test_detach_says_what_still_uses_it(report: Notebook, shared: shm.Store, directory: Path) -> None:
    report.ok("%attach t\npart = t.slice(1)\nframes = {'x': t['b'].to_numpy()}\nunrelated = [1, 2]")
    shown = report.ok("%detach t")
    assert shown.startswith("t: still attached") and "still in use here by part, frames['x']" in shown
    assert "a result there" not in shown and uses(report, directory)
    report.ok("del part, frames")
    assert not uses(report, directory)


def test_detach_names_what_cannot_be_seen(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t\nkeep = (lambda table: lambda: table)(t)")
    assert "still in use here by something that cannot be seen from here" in report.ok("%detach t")


def test_detach_by_the_tables_name_drops_all_its_variables(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t as x\n%attach t as y --to pandas")
    assert report.ok("%detach t").startswith("t: detached\n  x, y deleted\n  t stays shared: ")
    report.ok("%attach t as x t as y")
    assert "still in use here by y" in report.ok("%detach x")
    assert report.ok("%detach y").startswith("y: detached")


def test_detach_leaves_what_the_user_put_there(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t\nt = 'mine'")
    assert report.error("%detach t") == "nothing here was attached as 't', or the variable is something else by now"
    assert report.get("t") == "'mine'"


def test_detach_works_where_out_is_switched_off(report: Notebook, shared: shm.Store, directory: Path) -> None:
    report.ok("get_ipython().displayhook.do_full_cache = False\n%attach t\nf = None")
    try:
        assert report.run("t.no_such_thing").status == "error"
        assert report.ok("%detach t").startswith("t: detached")
    finally:
        report.ok("get_ipython().displayhook.do_full_cache = True")
    assert not uses(report, directory)


def test_reset_lets_go(report: Notebook, shared: shm.Store, directory: Path) -> None:
    report.ok("%attach t\nt")
    report.ok("%reset -f")
    assert not uses(report, directory)
    assert report.error("%detach t").startswith("nothing here was attached as 't'")


def test_detach_mistakes(report: Notebook, shared: shm.Store) -> None:
    assert report.error("%detach") == "detach what? nothing is attached"
    report.ok("%attach t as x")
    assert report.error("%detach") == "detach what? x"
    assert report.error("%detach 'x").endswith("No closing quotation")


# -- %unshare ----------------------------------------------------------------------------------------------------------


def test_unshare(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok("import pyarrow as pa\nt = u = v = pa.table({'a': [1]})\n%share t u v")
    size = words.size(store.info("t").nbytes)
    assert model.ok("%unshare t") == f"t: unshared\n  {size} came free"
    report.ok("%attach u")
    said = model.ok("%unshare u v u")
    assert f"u: unshared\n  its {size} come free when report.ipynb (python) lets go of it" in said
    assert said.endswith(f"v: unshared\n  {size} came free")
    assert report.get("u.num_rows") == "1" and store.names() == []
    assert "u was unshared; " in report.ok("%shared") and "report.ipynb (python)" in report.ok("%shared")
    report.ok("%detach u")
    assert report.ok("%shared") == "no shared tables"


def test_unshare_of_another_notebooks_table_needs_force(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok("import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t")
    assert report.error("%unshare t") == (
        "'t' was shared by model.ipynb (python) and is in use by 1: model.ipynb (python); "
        "to remove it all the same: %unshare t --force"
    )
    assert store.names() == ["t"]
    report.ok("%unshare t --force")
    assert store.names() == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "unshare what? t"),
        ("--force", "unshare what? t"),
        ("T", "there is no shared table 'T'. Did you mean 't'?"),
        ("--all t", "%unshare has no option --all; it has --force"),
        ("a/b", "'a/b' cannot be a table's name: "),
    ],
)
def test_unshare_mistakes(report: Notebook, shared: shm.Store, line: str, says: str) -> None:
    assert report.error(f"%unshare {line}").startswith(says)
    assert shared.names() == ["t"]


def test_the_memory_of_what_has_no_name(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok("import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t --move")
    report.ok("%attach t")
    size = words.size(store.info("t").nbytes)
    said = model.ok("%unshare t")
    assert f"its {size} come free when model.ipynb (python) and report.ipynb (python) let go of it" in said
    assert f"its {size} come free when report.ipynb (python) lets go of it" in model.ok("%detach t")
    assert report.ok("%detach t").endswith(f"{size} came free")


def test_the_memory_of_an_older_version(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t")
    size = words.size(shared.info("t").nbytes)
    shared.share(TABLE.slice(1), "t")
    assert report.ok("%detach t").endswith(f"{size} came free")
    report.ok("%attach t --copy")
    assert report.ok("%detach t") == "t: detached\n  t deleted"


# -- %shared -----------------------------------------------------------------------------------------------------------


def test_shared_tells_who_uses_what(model: Notebook, report: Notebook) -> None:
    model.ok("import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t")
    report.ok("%attach t as old")
    model.ok("t = pa.table({'a': [1], 'b c': ['x']})\n%share t")
    header, row = report.ok("%shared").splitlines()
    assert header.split()[:4] == ["table", "rows", "columns", "size"] and row.startswith("t ")
    assert "older version, " in row and "still in use by report.ipynb (python)" in row
    shown = report.ok("%shared t").splitlines()
    assert "in use by 1: model.ipynb (python)" in shown[0]
    assert "  shared by model.ipynb (python)" in shown and "  b c: string" in shown
    assert report.error("%shared tt").startswith("there is no shared table 'tt'.")


def test_the_child_of_a_kernel_is_shown_as_its_notebooks(report: Notebook, shared: shm.Store) -> None:
    report.ok(
        "import subprocess, sys\n"
        "code = 'import jupyter_arrowshm as shm; t = shm.attach(\"t\"); print(1, flush=True); input()'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdin=-1, stdout=-1, text=True)\n"
        "child.stdout.readline()"
    )
    try:
        assert f"report.ipynb (python), child process {report.get('child.pid')}" in report.ok("%shared")
    finally:
        report.ok("child.communicate('')")
    assert "report.ipynb" not in report.ok("%shared") and os.getpid() in [u.pid for u in shared.info("t").holders]
