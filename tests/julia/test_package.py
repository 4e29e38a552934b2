"""The package's own tests, as Pkg.test would run them, and what must be true of it as it is shipped."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from julia_peers import FLAGS, PACKAGES, environment

ROOT = PACKAGES / "ArrowSHM"


def test_runtests(julia_program: str, tmp_path: Path) -> None:
    command = [julia_program, *FLAGS, str(ROOT / "test" / "runtests.jl")]
    found = subprocess.run(
        command, env={**environment(), "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_what_is_compiled_ahead_runs(julia_program: str, tmp_path: Path) -> None:
    """An error in it is swallowed while the package is precompiled, and each session waits longer. (1.5 skips it.)"""
    code = "using ArrowSHM; ArrowSHM.caching_all(() -> mktempdir(ArrowSHM.rehearse)); println(isempty(ArrowSHM.BOUND))"
    env = {**environment(), "TMPDIR": str(tmp_path)}
    found = subprocess.run([julia_program, *FLAGS, "-e", code], env=env, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("true\n", "")


def test_nothing_but_the_standard_library(julia_program: str) -> None:
    project = (ROOT / "Project.toml").read_text()
    deps = re.findall(r'^(\w+) = "[0-9a-f-]{36}"$', project.partition("[deps]")[2].partition("[weakdeps]")[0], re.M)
    code = f"using {', '.join(deps)}; print(all(startswith(pathof(m), Sys.STDLIB) for m in ({', '.join(deps)},)))"
    # Without the stand-in for Tables.jl, and with a depot that nothing can be installed into.
    env = {**os.environ, "JULIA_LOAD_PATH": "@stdlib", "JULIA_DEPOT_PATH": "/nonexistent"}
    assert subprocess.run([julia_program, *FLAGS, "-e", code], env=env, capture_output=True, text=True).stdout == "true"


def test_files_are_short() -> None:
    """A file that has grown too long holds two things."""
    assert {path.name for path in ROOT.rglob("*.jl") if len(path.read_text().splitlines()) > 300} == set()


def test_file_names_differ_by_more_than_case() -> None:
    """A wheel is unpacked on file systems that take `a.jl` and `A.jl` for one."""
    names = [
        str(path.relative_to(PACKAGES.parent)) for path in PACKAGES.parent.rglob("*") if "__pycache__" not in str(path)
    ]
    assert len({name.casefold() for name in names}) == len(names) > 50


# Of what Base does not export, its manual's own: declared `public` since 1.11, or a function to add methods to.
PUBLIC = {
    "Broadcast", "Checked", "CodeUnits", "Fix2", "RefValue", "UUID", "broadcastable", "has_offset_axes", "include",
    "invokelatest", "isidentifier", "showarg", "tail",
}  # fmt: skip


def test_what_is_not_public_stands_in_one_file(julia_program: str) -> None:
    """There it says which releases have it, and what happens without it; elsewhere nobody would look."""
    code = "join(stdout, [names(Base); names(Core)], ' ')"
    exported = subprocess.run([julia_program, *FLAGS, "-e", code], capture_output=True, text=True, check=True).stdout
    known = PUBLIC | set(exported.split())
    used = {
        (path.name, name)
        for path in [*(ROOT / "src").rglob("*.jl"), *(ROOT / "ext").rglob("*.jl")]
        for line in path.read_text().splitlines()
        for name in re.findall(
            r"(?:\bBase(?:\.Broadcast|\.Checked)?[.:]+\(?|ccall\(:jl_)([A-Za-z_@]\w*!?)", line.partition("# ")[0]
        )
        if name not in known
    }
    assert {name for file, name in used if file != "internals.jl"} - {"broadcasted", "checked_add"} == set()
    assert {"loaded_modules", "package_callbacks", "add_sum"} <= {name for file, name in used if file == "internals.jl"}
