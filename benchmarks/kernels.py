"""How long a DataFrame takes from one notebook to another, which then sums a column of it:

    %share, %attach  through shared memory
    pickle 5         its buffers out of band, in a file on tmpfs that the reader maps
    Feather          df.to_feather, pd.read_feather, on tmpfs
    SharedMemory     multiprocessing.shared_memory and an Arrow stream
    Parquet          df.to_parquet, pd.read_parquet, on tmpfs
    Flight           Arrow Flight over a Unix socket
    Manager          multiprocessing's manager
    %store           IPython's own: a pickle, also on tmpfs here
    Ray              ray.put, ray.get, in a cluster on this machine, where Ray is installed

in two real kernels, in turns, in one run. Both cells count, with the messages to the kernels and back: `nothing`
measures the messages alone. Then, once each: by how many bytes the machine's memory grew while both kernels have the
table (the first kernel's own DataFrame was there before), as a multiple of the table; and whether a new kernel can have
the table after the first was killed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import tables
import timing
from jupyter_client.manager import KernelManager
from pyarrow import feather

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

_TIMEOUT = 600  # s


class CellError(Exception):
    """A cell that raised."""


class Notebook:
    """A kernel with pandas and the magics loaded."""

    def __init__(self, memory: Path, name: str) -> None:
        own = {
            ENVIRONMENT_VARIABLE: str(memory / "store"),
            "IPYTHONDIR": str(memory / "ipython"),
            "PYTHONPATH": str(Path(__file__).parent),
            "RAY_AUTH_MODE": "disabled",  # else only processes that know the cluster's secret
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_NUM_REDIS_GET_RETRIES": "1",  # else a kernel looks for a cluster that is gone for ten minutes
        }
        self._manager = KernelManager(transport="ipc", ip=str(memory / name))
        self._manager.start_kernel(env={**os.environ, **own})
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=_TIMEOUT)
        self.run("import gc, pandas as pd, pyarrow.feather, peers\n%load_ext jupyter_arrowshm\n%load_ext storemagic")

    @property
    def pid(self) -> int:
        pid: int = self._manager.provisioner.pid  # type: ignore[union-attr]
        return pid

    def run(self, cell: str) -> None:
        failed: list[str] = []

        def look(message: dict[str, Any]) -> None:
            if message["msg_type"] == "error":
                failed.extend(message["content"]["traceback"])

        reply = self._client.execute_interactive(cell, store_history=False, output_hook=look, timeout=_TIMEOUT)
        if reply["content"]["status"] != "ok":
            raise CellError("\n".join([cell, *failed]))

    def kill(self) -> None:
        """End it as the kernel does when memory runs out; its children (Ray's, the manager's) do as they please."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        children = psutil.Process(self.pid).children(recursive=True) if psutil.pid_exists(self.pid) else []
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        for child in children:
            if child.is_running():
                child.kill()


@dataclass(frozen=True)
class Cells:
    """Of one way. ``serve`` and ``prepare`` run once, in the first and in the second kernel; the others count."""

    give: str
    take: str
    drop: str
    prepare: str = ""
    serve: str = ""


def ways(memory: Path) -> dict[str, Cells]:
    def peer(name: str) -> Cells:
        make = f"{name.lower()} = peers.{name}({str(memory)!r})"
        return Cells(
            give=f"{name.lower()}.give(df)",
            take=f"df = {name.lower()}.take()",
            drop=f"{name.lower()}.drop()",
            prepare=make,
            serve=f"{make}; {name.lower()}.serve()",
        )

    return {
        "%share, %attach": Cells("%share df", "%attach df", "%unshare df"),
        "pickle 5": peer("Pickle5"),
        "Feather": peer("Feather"),
        "SharedMemory": peer("SharedMemory"),
        "Parquet": peer("Parquet"),
        "Flight": peer("Flight"),
        "Manager": peer("Manager"),
        "%store": Cells("%store df", "%store -r df", "%store -d df"),
        **({"Ray": peer("Ray")} if importlib.util.find_spec("ray") else {}),
        "nothing": Cells("", "", ""),
    }


def timed(one: Notebook, other: Notebook, cells: Cells, column: str) -> timing.Way:
    """From the first notebook's ``df`` to the sum of a column in the second."""
    add = f"int(df['{column}'].sum())" if cells.take else ""

    def clean() -> None:
        other.run("df = None; gc.collect()")
        one.run(f"{cells.drop}\ngc.collect()")

    def way() -> Callable[[], object]:
        one.run(cells.give)
        other.run(f"{cells.take}\n{add}")
        return clean

    return way


@dataclass(frozen=True)
class Kept:
    """``memory``: by how many tables the machine's grew. ``survives``: a new kernel had it when the first was dead."""

    way: str
    memory: float
    survives: bool


def kept(way: str, cells: Cells, memory: Path, source: Path, nbytes: int) -> Kept:
    with ExitStack() as stack:
        one, other, late = (Notebook(memory, name) for name in ("one", "other", "late"))
        for notebook in (one, other, late):
            stack.callback(notebook.stop)
        one.run(f"df = pd.read_feather({str(source)!r})\n{cells.serve}")
        other.run(cells.prepare)
        late.run(cells.prepare)
        before = _memory(one, other)
        one.run(cells.give)
        other.run(cells.take)
        grown = _memory(one, other) - before
        one.kill()
        try:
            late.run(f"{cells.take}\nlen(df)")
        except CellError:
            return Kept(way, grown / nbytes, False)
        return Kept(way, grown / nbytes, True)


def _memory(*notebooks: Notebook) -> int:
    """The bytes that the processes have for themselves, and those in /dev/shm."""
    return timing.memory(each.pid for book in notebooks for each in _family(psutil.Process(book.pid)))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def main() -> None:
    parser = timing.parser(__doc__, "1GiB", 15)
    parser.add_argument("--chart", type=Path, help="draw the times into this SVG file (needs matplotlib)")
    arguments = parser.parse_args()
    timing.need(8 * arguments.size)
    large = f"{arguments.size / 2**20:,.0f} MiB, 8 columns of numbers"
    kinds: dict[str, tuple[Callable[[], pa.Table], str]] = {
        "1,000 rows, 10 columns": (lambda: tables.wide(1_000, 10), "c0"),
        "1,000 rows, 2,000 columns": (lambda: tables.wide(1_000, 2_000), "c0"),
        "flights, 336,776 rows, 19 columns": (tables.flights, "distance"),
        "1,000,000 rows of texts, 4 columns": (lambda: tables.texts(1_000_000).to_arrow(), "id"),
        large: (lambda: tables.numbers(arguments.size), "c0"),
    }
    results: list[timing.Result] = []
    with timing.places() as (memory, _):
        source = memory / "source"
        with ExitStack() as stack:
            one, other = Notebook(memory, "one"), Notebook(memory, "other")
            stack.callback(other.stop)
            stack.callback(one.stop)
            cells = ways(memory)
            for each in cells.values():
                one.run(each.serve)
                other.run(each.prepare)
            for label, (make, column) in kinds.items():
                print(label, "...", file=sys.stderr)
                feather.write_feather(make(), str(source), compression="uncompressed")
                one.run(f"df = pd.read_feather({str(source)!r})")
                these = {way: timed(one, other, each, column) for way, each in cells.items()}
                results += timing.compare(label, these, arguments.repeat, budget=10)
        held = []
        feather.write_feather(tables.numbers(arguments.size // 4), str(source), compression="uncompressed")
        for way in cells:
            if way != "nothing":
                print(way, "...", file=sys.stderr)
                fresh = memory / f"kept-{way.strip('%').split()[0].strip(',')}"
                fresh.mkdir()
                held.append(kept(way, ways(fresh)[way], fresh, source, arguments.size // 4))
                shutil.rmtree(fresh)
    timing.report(results, arguments.json, kept=held)
    if not arguments.json:
        print(f"\n{'':20}  memory, in tables  there after the first kernel was killed")
        for each in held:
            print(f"{each.way:20}  {each.memory:17.2f}  {'yes' if each.survives else 'no'}")
    if arguments.chart:
        draw(results, arguments.chart)


def draw(results: list[timing.Result], to: Path) -> None:
    """Bars, one group for each table: how long each way takes, from zero, on a scale of the group's own."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "arrowshm", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    groups = list(dict.fromkeys(result.group for result in results))
    rows = -(-len(groups) // 3)
    figure, axes = pyplot.subplots(rows, 3, figsize=(8.4, 2.4 * rows), sharey=True, layout="constrained")
    for axis in axes.flat[len(groups) :]:
        axis.axis("off")
    for axis, group in zip(axes.flat, groups, strict=False):
        bars = [result for result in reversed(results) if result.group == group and result.way != "nothing"]
        colours = ["#9e9e9e"] * (len(bars) - 1) + ["#1976d2"]
        drawn = axis.barh([bar.way for bar in bars], [bar.median for bar in bars], color=colours)
        axis.bar_label(drawn, [timing.text(bar.median) for bar in bars], padding=3, color="#757575")
        axis.set_title(group, fontsize=9, color="#757575", loc="left")
        axis.set_xlim(0, 1.35 * max(bar.median for bar in bars))
        axis.tick_params(colors="#757575", length=0)
        axis.xaxis.set_visible(False)
        axis.spines[:].set_visible(False)
    figure.savefig(to, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main()
