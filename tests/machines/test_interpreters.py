"""Interpreters that are started oddly, or lack what others have."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from commands import MODULE, command
from peers import Peer

import jupyter_arrowshm as shm

TABLE = pa.table({"\N{SNOWMAN}": [1, 2]})
NOT_UTF_8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_a_locale_that_is_not_utf_8(store: shm.Store, peer: Callable[..., Peer]) -> None:
    """It has tables of ASCII names alone, and says so; whatever it shows it can write."""
    store.share(TABLE, "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", pin=True)
    one = peer(env=NOT_UTF_8)
    assert one.get("__import__('sys').getfilesystemencoding()") == "ascii"
    one.run("shm.share(pa.table({'a': [1]}), 'plain')")
    assert one.get("[table.name for table in shm.tables()]") == ["plain"]
    for call in ("share(pa.table({'a': [1]}), name)", "attach(name)", "unshare(name)"):
        one.run("name = '\\u96ea'")
        with pytest.raises(shm.InvalidName, match="file names in ascii; start it with PYTHONUTF8=1"):
            one.run(f"shm.{call}")
    assert one.get("shm.gc()") == {} and len(store.tables()) == 2, "what it cannot name it does not remove"
    assert [table.pinned for table in store.tables()] == [True, False]
    environment = {**os.environ, **NOT_UTF_8}
    doctor = command("doctor", env=environment)
    assert "file names are written in ascii here" in doctor.stdout and "set PYTHONUTF8=1" in doctor.stdout
    store.share(TABLE, "columns")
    shown = command("info", "columns", env=environment)
    assert (shown.returncode, shown.stderr) == (0, "") and "\\u2603" in shown.stdout
    refused = command("info", "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", env=environment)
    assert refused.returncode == 1 and "PYTHONUTF8=1" in refused.stderr


def test_an_isolated_interpreter(store: shm.Store, tmp_path: Path) -> None:
    """``python -I``: no user's packages, no PYTHON* variables, nothing of the folder that it is started in."""
    store.share(TABLE, "t")
    (tmp_path / "pyarrow.py").write_text("raise SystemExit('imported from the folder')")
    isolated = [sys.executable, "-I", *MODULE[1:]]
    done = command("list", program=isolated, cwd=tmp_path, env={**os.environ, "PYTHONHOME": "/nonexistent"})
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.splitlines()[1].startswith("t ")
    code = "import jupyter_arrowshm as shm; shm.share(shm.attach('t'), 'u', pin=True)"
    subprocess.run([*isolated[:2], "-c", code], cwd=tmp_path, check=True)
    assert store.attach("u").equals(TABLE)


def test_without_numpy(store: shm.Store, peer: Callable[..., Peer], tmp_path: Path) -> None:
    """Sharing, attaching and listing work without NumPy; kinds that need it say what is missing."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['numpy'] = None")
    tests = Path(__file__).parents[1]
    one = peer(env={"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, tests.parent, tests)))})
    one.run("from machines.walk_here import *")
    assert one.get("walk()") == ["1", "2", "1"]
    one.run("shm.share(TABLE, 't')")
    assert one.get("shm.attach('t', to='source').equals(TABLE)")
    assert "s" in one.get("shm.tables()._repr_html_()")
    for kind in ("numpy", "pandas"):
        with pytest.raises(ImportError, match=f"to='{kind}' needs {kind}: pip install"):
            one.run(f"shm.attach('t', to={kind!r})")


def test_another_release_of_this_package(store: shm.Store, peer: Callable[..., Peer], tmp_path: Path) -> None:
    """A table goes by its protocol; the doctor says which kernels have another release than its own."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\none = sys.modules['jupyter_arrowshm._version'] = types.ModuleType('_version')\n"
        "one.__version__ = '99.0.0'"
    )
    tests = Path(__file__).parents[1]
    other = peer(env={"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, tests.parent, tests)))})
    assert other.get("shm.__version__") == "99.0.0"
    other.run("shm.share(pa.table({'a': [1]}), 'theirs')")
    store.share(TABLE, "ours")
    assert [table.name for table in store.tables()] == ["ours", "theirs"] == other.get("[t.name for t in shm.tables()]")
    assert store.attach("theirs").num_rows == 1 and other.get("shm.attach('ours').num_rows") == 2

    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "jupyter_arrowshm-99.0.0.dist-info").mkdir()
    (packages / "jupyter_arrowshm-99.0.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: jupyter-arrowshm\nVersion: 99.0.0\n"
    )
    kernel = Path(os.environ["JUPYTER_DATA_DIR"], "kernels", "other")
    kernel.mkdir(parents=True)
    python = environment / "bin" / "python"
    (kernel / "kernel.json").write_text(
        f'{{"argv": ["{python}", "-f", "{{connection_file}}"], "display_name": "other", "language": "python"}}'
    )
    said = command("doctor").stdout
    line = f"kernel other has jupyter-arrowshm 99.0.0, this environment {shm.__version__}"
    assert f"  !  {line}\n     -> {python} -m pip install --upgrade jupyter-arrowshm\n" in said
