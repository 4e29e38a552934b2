"""What is released: an sdist of the checkout, a wheel of it made where there is no Node, and that wheel installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from browser.lab import CHECKOUT, LABEXTENSION

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(*command: str | Path, **more: str) -> str:
    """Where there is no Node, and no word to leave it alone either, unless it is in ``more``."""
    environment = {name: value for name, value in os.environ.items() if name != "JUPYTER_ARROWSHM_NO_JS"}
    environment["PATH"] = ""
    done = subprocess.run(command, cwd=CHECKOUT, env=environment | more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the JavaScript that `make js` has built from these sources."""
    place = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", place, JUPYTER_ARROWSHM_NO_JS="1")
    [file] = place.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", place, sdist)
    [file] = place.iterdir()
    return file


def built() -> set[str]:
    return {file.relative_to(LABEXTENSION).as_posix() for file in LABEXTENSION.rglob("*") if file.is_file()}


def test_the_sdist_has_the_sources_and_what_was_built_from_them(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"jupyter_arrowshm/labextension/{name}" for name in built()} <= names
    r = [f.relative_to(CHECKOUT).as_posix() for f in (CHECKOUT / "jupyter_arrowshm" / "r").rglob("*") if f.is_file()]
    assert {*r, "jupyter_arrowshm/r/arrowshm/DESCRIPTION"} <= names
    assert {f"jupyter_arrowshm/static/widget.{kind}" for kind in ("js", "css")} <= names
    assert {"js/package-lock.json", "js/src/lab/index.ts", "js/hatch_build.py", "Makefile"} <= names
    assert "tests/conftest.py" in names
    strange = [
        name for name in names if "node_modules" in name or name.startswith(("js/lib", "tests/browser/artefacts"))
    ]
    assert not strange


def test_the_wheel_has_the_sidebar_the_server_extension_julia_and_r(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    data = f"{'-'.join(wheel.name.split('-')[:2])}.data/data"
    extension = f"{data}/share/jupyter/labextensions/jupyter-arrowshm"
    assert {f"{extension}/{name}" for name in {*built(), "install.json"}} <= names
    assert f"{data}/etc/jupyter/jupyter_server_config.d/jupyter_arrowshm.json" in names
    julia = [f.relative_to(CHECKOUT).as_posix() for f in (CHECKOUT / "jupyter_arrowshm" / "julia").rglob("*.jl")]
    assert {*julia, "jupyter_arrowshm/julia/ArrowSHM/Project.toml", "jupyter_arrowshm/py.typed"} <= names
    r = [f.relative_to(CHECKOUT).as_posix() for f in (CHECKOUT / "jupyter_arrowshm" / "r").rglob("*") if f.is_file()]
    assert {*r, "jupyter_arrowshm/r/arrowshm/DESCRIPTION"} <= names
    assert {f"jupyter_arrowshm/static/widget.{kind}" for kind in ("js", "css")} <= names
    assert {"jupyter_arrowshm/server/rest-api.yml", "jupyter_arrowshm/server/events/table.yaml"} <= names
    # Once, where Jupyter looks for it; not beside the Python modules too.
    assert not [name for name in names if name.startswith(("jupyter_arrowshm/labextension", "js/", "tests/"))]


def test_installed_it_is_there_and_enabled(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path)
    python = tmp_path / "bin" / "python"
    run(*PIP, "--python", python, "install", "--no-deps", wheel)
    # What we depend on comes from here; what is found of ours must be what was installed there.
    paths = [path for path in sys.path if path.endswith("site-packages")]
    code = f"""
import sys
import jupyter_arrowshm
sys.path += {paths}
from jupyter_server.extension.config import ExtensionConfigManager
print(jupyter_arrowshm.__file__)
manager = ExtensionConfigManager(read_config_path=[sys.prefix + "/etc/jupyter"])
print(manager.get_jpserver_extensions())
from jupyterlab_server.config import get_federated_extensions
print(list(get_federated_extensions([sys.prefix + "/share/jupyter/labextensions"])))
"""
    file, server, lab = run(python, "-I", "-c", code).splitlines()
    assert Path(file).is_relative_to(tmp_path)
    assert server == "{'jupyter_arrowshm': True}"
    assert lab == "['jupyter-arrowshm']"
