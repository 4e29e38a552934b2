"""``jupyter arrowshm julia``: Julia finds the package, no file of the user's is harmed, all can be undone."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import command, fails, says
from julia_peers import PACKAGES

from jupyter_arrowshm.cli import julia_setup
from jupyter_arrowshm.cli import main as cli

LINE = f'push!(LOAD_PATH, "{PACKAGES}")'
OTHER = "/opt/venv/lib/python3.12/site-packages/jupyter_arrowshm/julia"
Run = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither the user's Julia nor the user's Jupyter."""
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_PATH"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    monkeypatch.setenv("JULIA_DEPOT_PATH", f"{tmp_path}/depot:")
    monkeypatch.delenv("JULIA_LOAD_PATH", raising=False)
    return tmp_path


@pytest.fixture
def startup(home: Path) -> Path:
    return home / "depot" / "config" / "startup.jl"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in this process; gives the lines that it says."""

    def run(*words: str) -> list[str]:
        assert cli.main(["julia", *words]) == 0
        said = capsys.readouterr()
        assert not said.err
        return said.out.splitlines()

    return run


def specify(home: Path, name: str, content: str | bytes | dict[str, object]) -> Path:
    file = home / "jupyter" / "kernels" / name / "kernel.json"
    file.parent.mkdir(parents=True)
    data = json.dumps(content) if isinstance(content, dict) else content
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def ijulia(julia: str, **more: object) -> dict[str, object]:
    argv = [julia, "-i", "--color=yes", "-e", "import IJulia; IJulia.run_kernel()", "{connection_file}"]
    return {"argv": argv, "display_name": "Julia", "language": "julia", **more}


def finds(julia: str) -> str:
    """Where a Julia that a user starts has the package from."""
    ask = 'print(something(Base.find_package("ArrowSHM"), ""))'
    return subprocess.run([julia, "-e", ask], capture_output=True, text=True, check=True).stdout


# -- startup.jl --------------------------------------------------------------------------------------------------------


def test_the_line_is_all_that_julia_needs(julia_program: str, run: Run, home: Path) -> None:
    assert run() == [LINE]
    assert list(home.iterdir()) == [], "nothing is written unasked"
    assert finds(julia_program) == ""
    code = f'{LINE}; print(Base.find_package("ArrowSHM"))'
    found = subprocess.run([julia_program, "-e", code], capture_output=True, text=True, check=True).stdout
    assert found == str(PACKAGES / "ArrowSHM" / "src" / "ArrowSHM.jl")


def test_a_folder_with_letters_that_julia_reads(julia_program: str, tmp_path: Path, monkeypatch) -> None:
    odd = tmp_path / 'a "b" $HOME \\n Zoë'
    shutil.copytree(PACKAGES, odd)
    monkeypatch.setattr(julia_setup, "FOLDER", str(odd))
    julia_setup.add_to_startup()
    assert finds(julia_program) == str(odd / "ArrowSHM" / "src" / "ArrowSHM.jl")


def test_a_startup_file_is_made_and_goes(julia_program: str, run: Run, startup: Path) -> None:
    assert run("--startup") == [f"{startup}: every Julia that is started from now on finds ArrowSHM"]
    assert finds(julia_program).startswith(str(PACKAGES))
    assert startup.stat().st_mode & 0o777 == 0o644
    before = startup.read_bytes()
    assert run("--startup") == [f"{startup} has the line already"] and startup.read_bytes() == before
    assert run("--startup", "--remove") == [f"{startup}: removed, there was none before"]
    assert not startup.exists() and finds(julia_program) == ""
    assert run("--startup", "--remove") == [f"{startup} has no line of ours"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"x = 1", b"x = 1\r\n\r\ny = 2\r\n", b"#= \xff no UTF-8 =#\n", f"{LINE}\n".encode()],
    ids=["empty", "newline", "unfinished", "crlf", "bytes", "by-hand"],
)
def test_a_startup_file_is_as_it_was(run: Run, startup: Path, tmp_path: Path, content: bytes) -> None:
    dotfile = tmp_path / "dotfile.jl"
    dotfile.write_bytes(content)
    dotfile.chmod(0o600)
    startup.parent.mkdir(parents=True)
    startup.symlink_to(dotfile)
    run("--startup")
    added = startup.read_bytes()
    assert added.endswith(content) and added.startswith(LINE.encode()) and added != content
    run("--startup")
    assert startup.read_bytes() == added
    assert run("--remove") == [f"{startup}: our line is out"]
    assert dotfile.read_bytes() == content and dotfile.stat().st_mode & 0o777 == 0o600
    assert startup.is_symlink() and os.listdir(startup.parent) == ["startup.jl"]


def test_what_was_written_meanwhile_stays(run: Run, startup: Path) -> None:
    run("--startup")
    startup.write_bytes(b"using Revise\n" + startup.read_bytes() + b"x = 1\n")
    run("--startup", "--remove")
    assert startup.read_bytes() == b"using Revise\nx = 1\n"


def test_a_package_that_moved(run: Run, startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(julia_setup, "FOLDER", OTHER)
        run("--startup")
    assert OTHER in startup.read_text()
    run("--startup")
    assert startup.read_text().count("push!") == 1 and startup.read_text().startswith(LINE)
    run("--remove")
    assert not startup.exists()


def test_what_cannot_be_done_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JULIA_DEPOT_PATH", "/dev/null")
    assert fails("julia", "--startup").endswith(": /dev/null/config/startup.jl cannot be changed: Not a directory")
    assert fails("julia", "--kernel").endswith('has no Julia kernel yet: in Julia, using Pkg; Pkg.add("IJulia")')
    specify(home, "julia-1.10", ijulia("julia"))
    assert fails("julia", "--kernel", "nope").endswith("no Julia kernel 'nope'; there is julia-1.10")


# -- kernel.json -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "load_path"),
    [
        (b'{"argv": ["julia"], "display_name": "J", "language": "julia"}', ""),
        (b'{\n\t"env": {},\r\n\t"language": "julia","argv":["julia"] , "display_name": "Zo\\u00eb"\n}\n\n', ""),
        (b'{"argv":["julia"],"display_name":"J","language":"Julia","env":{"A":"${B}","JULIA_LOAD_PATH":"@:x"}}', "@:x"),
        (b'{"metadata":{"env":{}},"env":{"B":"1"},"argv":["julia"],"display_name":"J","language":"julia"}', ""),
    ],
    ids=["none", "empty", "taken", "nested"],
)
def test_a_kernel_is_as_it_was(run: Run, home: Path, content: bytes, load_path: str) -> None:
    file = specify(home, "julia-1.10", content)
    file.chmod(0o640)
    before = json.loads(content)
    assert run("--kernel") == [f"kernel julia-1.10 finds ArrowSHM when it is started again ({file})"]
    added = json.loads(file.read_bytes())
    assert added.pop("env") == {**before.pop("env", {}), "JULIA_LOAD_PATH": f"{load_path}:{PACKAGES}"}
    assert added == before and file.stat().st_mode & 0o777 == 0o640
    again = file.read_bytes()
    assert run("--kernel", "julia-1.10") == ["kernel julia-1.10: nothing to change"] and file.read_bytes() == again
    assert run("--kernel", "--remove") == [f"kernel julia-1.10 is as it was before ({file})"]
    assert file.read_bytes() == content and file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(file.parent) == ["kernel.json"]
    assert run("--kernel", "--remove") == ["kernel julia-1.10: nothing to change"]


def test_one_kernel_of_several(run: Run, home: Path) -> None:
    files = {name: specify(home, name, ijulia(name)) for name in ("a", "b")}
    python = specify(home, "p", {"argv": ["python"], "display_name": "P", "language": "python"})
    before = {file: file.read_bytes() for file in (*files.values(), python)}
    run("--kernel", "b")
    assert [file for file in before if file.read_bytes() != before[file]] == [files["b"]]
    assert len(run("--kernel")) == 2 and python.read_bytes() == before[python]
    assert len(run("--remove")) == 3, "startup.jl and both"
    assert {file: file.read_bytes() for file in before} == before


def test_a_kernel_that_was_edited_meanwhile(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = specify(home, "julia", ijulia("julia", env={"JULIA_LOAD_PATH": "@:x", "A": "1"}))
    with monkeypatch.context() as patch:
        patch.setattr(julia_setup, "FOLDER", OTHER)
        run("--kernel")
    run("--kernel")  # from another environment
    spec = json.loads(file.read_text())
    assert spec["env"]["JULIA_LOAD_PATH"] == f"@:x:{PACKAGES}"
    spec["display_name"] = "mine"
    spec["env"]["JULIA_LOAD_PATH"] += ":y"
    file.write_text(json.dumps(spec))
    run("--kernel", "--remove")
    assert json.loads(file.read_text()) == {
        **ijulia("julia", env={"JULIA_LOAD_PATH": "@:x:y", "A": "1"}),
        "display_name": "mine",
    }


def test_a_kernel_that_was_installed_again(run: Run, home: Path) -> None:
    file = specify(home, "julia", ijulia("julia"))
    run("--kernel")
    file.write_text(json.dumps(ijulia("newer")))
    assert run("--kernel", "--remove") == ["kernel julia: nothing to change"]
    assert json.loads(file.read_text()) == ijulia("newer") and os.listdir(file.parent) == ["kernel.json"]
    file.write_text(json.dumps(ijulia("julia", env={"JULIA_LOAD_PATH": f":{PACKAGES}"})))
    before = file.read_bytes()
    run("--kernel")
    run("--kernel", "--remove")
    assert file.read_bytes() == before, "what its user wrote is its user's"


def test_a_load_path_of_the_environment(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specify(home, "julia", ijulia("julia"))
    monkeypatch.setenv("JULIA_LOAD_PATH", "@:/mine")
    assert "JULIA_LOAD_PATH of your environment (@:/mine) has no effect" in run("--kernel")[1]


# -- doctor ------------------------------------------------------------------------------------------------------------


def examined(home: Path, path: str) -> list[str]:
    """What `doctor` says of Julia."""
    environment = {**os.environ, "JUPYTER_ARROWSHM_DIR": str(home / "store"), "PATH": path}
    lines = command("doctor", env=environment).stdout.splitlines()
    return [
        f"{line}{remedy.strip() if remedy.startswith('     -> ') else ''}"
        for line, remedy in itertools.pairwise(lines)
        if re.match(r"( ok|  !)  (julia|no Julia|kernel [a-e]) ", line)
    ]


def test_doctor_of_each_julia(julia_program: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.path.dirname(julia_program)
    version = subprocess.run([julia_program, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    path = f"{folder}:{os.environ['PATH']}"
    specify(home, "a", ijulia(julia_program))
    specify(home, "b", ijulia(julia_program, env={"JULIA_LOAD_PATH": "${NOT_SET}@stdlib"}))
    specify(home, "c", ijulia("/no/such/julia"))
    old = home / "julia-1.0"
    old.write_text("#!/bin/sh\necho 'ArrowSHM 1.0.5 '\n")  # none can be had
    old.chmod(0o755)
    specify(home, "d", ijulia(str(old)))
    specify(home, "e", ijulia("/no/such/docker"))

    def line(mark: str, name: str, text: str, remedy: str = "") -> str:
        return f"{mark:>3}  {name} (Julia {version}, {julia_program}) {text}{remedy}"

    lines = examined(home, path)
    missing, none = "does not find ArrowSHM", "-> jupyter arrowshm julia --"
    assert lines[:3] == [
        line("!", "julia", missing, f"{none}startup"),
        line("!", "kernel a", missing, f"{none}kernel a"),
        line("!", "kernel b", missing, f"{none}kernel b"),
    ]
    assert lines[3].startswith("  !  kernel c cannot be started (/no/such/julia): ")
    assert lines[3].endswith("-> jupyter kernelspec remove c")
    assert lines[4] == f"  !  kernel d (Julia 1.0.5, {old}) is too old-> install Julia 1.5 or later"
    assert lines[5:] == [" ok  kernel e starts Julia by /no/such/docker, which was not tried"]

    says("julia", "--kernel", "a")
    says("julia", "--kernel", "b")
    assert examined(home, path)[:3] == [
        line("!", "julia", missing, f"{none}startup"),
        line("ok", "kernel a", "finds ArrowSHM"),
        line("ok", "kernel b", "finds ArrowSHM"),
    ]

    says("julia", "--remove")
    elsewhere = home / "other" / "jupyter_arrowshm" / "julia"
    shutil.copytree(PACKAGES, elsewhere)
    with monkeypatch.context() as patch:
        patch.setattr(julia_setup, "FOLDER", str(elsewhere))
        julia_setup.add_to_startup()
    lines = examined(home, path)
    assert f"finds the ArrowSHM of another environment, {elsewhere}" in lines[0] and lines[0].endswith("--startup")
    says("julia", "--startup")
    assert examined(home, path)[:2] == [line("ok", name, "finds ArrowSHM") for name in ("julia", "kernel a")]


def test_doctor_without_julia(home: Path) -> None:
    assert examined(home, "/nonexistent") == [" ok  no Julia here"]
