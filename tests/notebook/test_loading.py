"""The loading and unloading of the magics in a notebook, and the imports that this causes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import IPython.core.magic
import pyarrow as pa
import pytest
from notebooks import Desk, Notebook

import jupyter_arrowshm as shm

TABLE = "import pyarrow as pa\nt = pa.table({'a': [1, 2, 3]})"
# Not psutil, which ipykernel itself imports.
HEAVY = {"pyarrow", "numpy", "pandas", "polars", "duckdb", "ipywidgets", "anywidget", "tqdm", "jupyter_server"}


@pytest.fixture
def bare(desk: Desk) -> Notebook:
    """A notebook without %load_ext."""
    return desk.start("bare.ipynb", load=False)


def loaded(notebook: Notebook) -> set[str]:
    return HEAVY & set(ast.literal_eval(notebook.get("list(__import__('sys').modules)")))


def test_nothing_heavy_is_imported_before_it_is_needed(bare: Notebook, store: shm.Store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    assert not loaded(bare)
    bare.ok("%load_ext jupyter_arrowshm\n1\n%share?")
    assert not loaded(bare)
    bare.ok("%attach t\n%share t as u\n%shared u\n%unshare u\n%detach t")
    bare.ok("%config ArrowSHMMagics.show_tables_as = 'html'\n%shared\n%share")
    assert loaded(bare) <= {"pyarrow", "numpy"}  # which older releases of pyarrow import, and newer ones when needed
    bare.ok("%config ArrowSHMMagics.show_tables_as = 'widget'\n%shared")
    assert loaded(bare) <= {"pyarrow", "numpy", "ipywidgets", "anywidget"}


def test_load_ext_twice(bare: Notebook) -> None:
    bare.ok("%load_ext jupyter_arrowshm")
    assert "already loaded" in bare.ok("%load_ext jupyter_arrowshm")
    assert bare.ok("%shared") == "no shared tables"


def test_unload_ext(bare: Notebook, store: shm.Store) -> None:
    bare.ok(f"%load_ext jupyter_arrowshm\n{TABLE}\n%share t\n%attach t as u --follow")
    bare.ok("%unload_ext jupyter_arrowshm")
    for magic in ("share", "attach", "shared", "detach", "unshare"):
        assert f"`%{magic}` not found" in bare.run(f"%{magic} t").error
    assert bare.get("u.num_rows") == "3", "what was bound stays bound"
    assert bare.complete("%attach ") != ["t"]
    store.share(store.attach("t").slice(1), "t", replace=True)
    assert bare.ok("u.num_rows") == "3"
    bare.ok("%load_ext jupyter_arrowshm\n%attach t")
    assert bare.get("t.num_rows") == "2"


def test_reload_ext(bare: Notebook, store: shm.Store) -> None:
    bare.ok("%load_ext jupyter_arrowshm\n%reload_ext jupyter_arrowshm\n%reload_ext jupyter_arrowshm")
    bare.ok(f"{TABLE}\n%share t\n%attach t as u --follow")
    store.share(store.attach("t").slice(1), "t", replace=True)
    assert bare.ok("1").count("newer version") == 1, "the hook is registered once"
    assert bare.complete("%attach ") == ["t"]


def test_reload_ext_forgets_nothing(bare: Notebook, store: shm.Store) -> None:
    bare.ok(f"%load_ext jupyter_arrowshm\n{TABLE}\n%share t\n%attach t as u --follow\n%attach t as v")
    bare.ok("%config ArrowSHMMagics.attach_to = 'pandas'\n%reload_ext jupyter_arrowshm")
    store.share(store.attach("t").slice(1), "t", replace=True)
    assert "u: newer version" in bare.ok("1") and bare.get("u.num_rows, v.num_rows") == "(2, 3)"
    assert bare.ok("%detach v").startswith("v: detached") and bare.ok("%detach u").startswith("u: detached")
    assert bare.ok("%attach t").startswith("t: pandas.DataFrame")
    ours = "[one for one in get_ipython().configurables if type(one).__name__ == 'ArrowSHMMagics']"
    assert bare.get(f"len({ours})") == "1"


EMBEDDED = """\
from IPython.terminal.embed import InteractiveShellEmbed
shell = InteractiveShellEmbed.instance(banner1="", enable_tip=False)
def enter(*cells):
    local = "mine"
    shell.interact = lambda: [shell.run_cell(cell) for cell in cells]
    shell(stack_depth=1)
enter("%load_ext jupyter_arrowshm", "%attach t as x --follow", "print('first', x.num_rows, local)")
enter("print('second', 'x' in dir())", "%attach t as y", "%share y.slice(1) as z", "%detach y", "print('y' in dir())")
"""


def test_an_embedded_shell_that_is_used_twice(desk: Desk, store: shm.Store) -> None:
    """Each time it has other variables; tables are attached and detached among the current ones."""
    store.share(pa.table({"a": [1, 2, 3]}), "t")
    environment = {**os.environ, "IPYTHONDIR": str(desk.parent / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", EMBEDDED], capture_output=True, text=True, check=True, env=environment, cwd=desk.parent
    )
    assert "first 3 mine" in done.stdout and "second False" in done.stdout, done
    assert done.stdout.rstrip().endswith("False") and "y: detached" in done.stdout
    assert store.info("z").num_rows == 2


# -- jupyter arrowshm enable-magics ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of a new environment, with everything of this one."""
    path = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", path], check=True)
    packages = Path(path, Path(sysconfig.get_path("purelib")).relative_to(sys.prefix))
    Path(packages, "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    yield path / "bin" / "python"


def enable(environment: Path, *options: str) -> str:
    command = [environment, "-m", "jupyter_arrowshm", "enable-magics", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_enable_magics(environment: Path, desk: Desk, store: shm.Store) -> None:
    said = enable(environment)
    (file,) = environment.parents[1].glob("etc/ipython/startup/*")
    assert f"({file})" in said
    notebook = desk.start("lazy.ipynb", load=False, python=str(environment))
    ours = "sorted(name for name in __import__('sys').modules if name.startswith(('jupyter_arrowshm', 'pyarrow')))"
    assert notebook.get("__import__('sys').prefix") == repr(str(environment.parents[1]))
    assert notebook.ok("1") == "1" and notebook.get(ours) == "[]"
    notebook.ok(f"{TABLE}\n%share t\n%attach t as u")
    assert store.names() == ["t"] and notebook.complete("%attach ") == ["t"]
    notebook.ok("%load_ext jupyter_arrowshm\n%detach u")

    assert enable(environment, "--disable") == enable(environment, "--disable")  # doing it again is not an error
    assert not file.exists()
    notebook = desk.start("plain.ipynb", load=False, python=str(environment))
    assert "`%share` not found" in notebook.run("%share t").error


def test_enabled_magics_say_what_is_wrong_at_once(environment: Path, desk: Desk) -> None:
    enable(environment)
    notebook = desk.start("lazy.ipynb", load=False, python=str(environment))
    if hasattr(IPython.core.magic, "LazyMagic"):  # before, IPython had no help for a magic that is not loaded
        assert "%share df" in notebook.ok("%share?")
    assert notebook.error("%attach").startswith("attach what? ")
