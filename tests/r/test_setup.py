"""``jupyter arrowshm r``, the doctor and the demo where there is an R."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import command
from r_peers import environment

from jupyter_arrowshm.cli import r_setup


@pytest.fixture
def library(r_program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of R that has nanoarrow alone; R installs into it."""
    path = tmp_path / "library"
    path.mkdir()
    (path / "nanoarrow").symlink_to(Path(environment()["R_LIBS"].split(os.pathsep)[0], "nanoarrow"))
    monkeypatch.setenv("R_LIBS", str(path))
    monkeypatch.setenv("R_LIBS_USER", str(path))
    monkeypatch.setenv("PATH", f"{Path(r_program).parent}:{os.environ['PATH']}")
    return path


def test_the_package_is_compiled_into_the_users_library(library: Path, directory: Path) -> None:
    assert "does not have arrowshm (jupyter arrowshm r --install)" in command("doctor").stdout
    assert command("r").stdout.startswith("R CMD INSTALL '")
    done = command("r", "--install")
    assert done.stdout == f"{library}/arrowshm: every R that is started from now on has library(arrowshm)\n", done
    answer = r_setup.ask()
    assert answer.arrowshm and answer.is_this
    assert f" has arrowshm {answer.arrowshm}\n" in command("doctor").stdout
    (library / "arrowshm" / "sources").write_text("others")
    assert "made from other sources" in command("doctor").stdout
    (library / "nanoarrow").unlink()
    done = command("r", "--install")
    assert 'in R, install.packages("nanoarrow")' in done.stderr and done.returncode == 1


def test_r_takes_part_in_the_demo(r_program: str, directory: Path) -> None:
    done = command("demo", env={**environment(), "PATH": f"{Path(r_program).parent}:/usr/bin:/bin"})
    assert done.returncode == 0 and done.stderr == "", done
    _, _, part = done.stdout.partition("\nSo does R.\n")
    part, _, rest = part.partition("\nThe first is killed")
    lines = [line.strip() for line in part.splitlines()]
    assert lines[0] == "delays.R > library(arrowshm)"
    assert any(
        line.startswith("delays: 3 rows x 2 columns, ") and line.endswith("in use by delays.R") for line in lines
    )
    assert any(line.endswith("delays.R, load.ipynb (python)") for line in lines), lines
    assert rest.rstrip().endswith("no shared tables, no file, all memory free again")
