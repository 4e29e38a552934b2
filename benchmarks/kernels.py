"""How long a DataFrame takes from one notebook to another, which then sums a column of it:

    %share, %attach  through shared memory
    %store           IPython's own: a pickle, also on tmpfs here
    Feather          df.to_feather, pd.read_feather, on tmpfs
    Parquet          df.to_parquet, pd.read_parquet, on tmpfs

in two real kernels, in turns, in one run. Both cells count, with the messages to the kernels and back: `nothing`
measures the messages alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import tables
import timing
from jupyter_client.manager import KernelManager
from pyarrow import feather

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

_TIMEOUT = 600  # s
_SUM = "int(df['{column}'].sum())"


class Notebook:
    """A kernel with pandas and the magics loaded."""

    def __init__(self, memory: Path, name: str) -> None:
        own = {ENVIRONMENT_VARIABLE: str(memory / "store"), "IPYTHONDIR": str(memory / "ipython")}
        self._manager = KernelManager(transport="ipc", ip=str(memory / name))
        self._manager.start_kernel(env={**os.environ, **own})
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=_TIMEOUT)
        self.run("import gc, pandas as pd, pyarrow.feather\n%load_ext jupyter_arrowshm\n%load_ext storemagic")

    def run(self, cell: str) -> None:
        failed: list[str] = []

        def look(message: dict[str, Any]) -> None:
            if message["msg_type"] == "error":
                failed.extend(message["content"]["traceback"])

        reply = self._client.execute_interactive(cell, store_history=False, output_hook=look, timeout=_TIMEOUT)
        if reply["content"]["status"] != "ok":
            sys.exit("\n".join([cell, *failed]))

    def stop(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def ways(one: Notebook, other: Notebook, memory: Path, column: str) -> dict[str, timing.Way]:
    """From the first notebook's ``df`` to the sum of a column in the second."""
    get = _SUM.format(column=column)

    def through(give: str, take: str, remove: str) -> timing.Way:
        def clean() -> None:
            other.run("df = None; gc.collect()")
            one.run(f"{remove}\ngc.collect()")

        def way() -> Callable[[], object]:
            one.run(give)
            other.run(f"{take}\n{get if take else ''}")
            return clean

        return way

    file = memory / "df"
    return {
        "%share, %attach": through("%share df", "%attach df", "%unshare df"),
        "%store": through("%store df", "%store -r df", "%store -d df"),
        "Feather": through(f"df.to_feather('{file}')", f"df = pd.read_feather('{file}')", f"!rm '{file}'"),
        "Parquet": through(f"df.to_parquet('{file}')", f"df = pd.read_parquet('{file}')", f"!rm '{file}'"),
        "nothing": through("", "", ""),
    }


def main() -> None:
    arguments = timing.parser(__doc__, "1GiB", 15).parse_args()
    timing.need(8 * arguments.size)
    kinds: dict[str, tuple[Callable[[], pa.Table], str]] = {
        "1,000 rows, 8 columns of numbers": (lambda: tables.numbers(64_000), "c0"),
        "flights, 336,776 rows, 19 columns": (tables.flights, "distance"),
        f"{arguments.size / 2**20:,.0f} MiB, 8 columns of numbers": (lambda: tables.numbers(arguments.size), "c0"),
    }
    results = []
    with timing.places() as (memory, _), ExitStack() as stack:
        one, other = Notebook(memory, "one"), Notebook(memory, "other")
        stack.callback(one.stop)
        stack.callback(other.stop)
        for label, (make, column) in kinds.items():
            print(label, "...", file=sys.stderr)
            feather.write_feather(make(), str(memory / "source"), compression="uncompressed")
            one.run(f"df = pd.read_feather('{memory / 'source'}')")
            (memory / "source").unlink()
            results += timing.compare(label, ways(one, other, memory, column), arguments.repeat, budget=20)
    timing.report(results, arguments.json)


if __name__ == "__main__":
    main()
