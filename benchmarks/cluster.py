"""A table of a Ray cluster of two machines, which are two addresses of this one, against Ray alone:

    share         shm.place("ray://").share, against ray.put of the same table
    fetch         attach on the other machine, into its store, against ray.get there: a new object each time
    second        attach by another process there, against ray.get there, again
    Dask          publish a table and get it in another process, with distributed, where that is installed

in turns, in one run. Share and fetch should take at most 1.2 times as long as Ray alone. It needs the environment of
`make test-ray`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tables
import timing

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import clusters
import ray

import jupyter_arrowshm as shm


class There:
    """A process on the other machine."""

    def __init__(self, directory: str) -> None:
        os.environ["JUPYTER_ARROWSHM_DIR"] = directory

    def attach(self, name: str) -> tuple[float, int]:
        import time

        place = shm.place("ray://")
        place.names()
        begun = time.perf_counter_ns()
        table = place.attach(name)
        return time.perf_counter_ns() - begun, table.num_rows

    def get(self, references: list[Any]) -> tuple[float, int]:
        import time

        begun = time.perf_counter_ns()
        table = ray.get(references[0])
        return time.perf_counter_ns() - begun, table.num_rows


@contextlib.contextmanager
def cluster(size: int) -> Iterator[clusters.Machines]:
    clusters.MACHINE.update(object_store_memory=max(80_000_000, 5 * size))
    with clusters.started("a", "b") as machines:
        os.environ["JUPYTER_ARROWSHM_DIR"] = machines.env("a")["JUPYTER_ARROWSHM_DIR"]
        ray.init(address=machines.address, log_to_driver=False, logging_level="ERROR")
        try:
            yield machines
        finally:
            ray.shutdown()


def measured(there: Any, method: str, *arguments: Any) -> int:
    """Nanoseconds, by the clock of the process on the other machine."""
    taken, rows = ray.get(getattr(there, method).remote(*arguments), timeout=300)
    assert rows
    return int(taken)


def main() -> None:
    asked = timing.parser(__doc__, "256MB", 7).parse_args()
    timing.need(8 * asked.size)
    table = tables.numbers(asked.size)
    with cluster(asked.size) as machines:
        place = shm.place("ray://")
        node = next(n["NodeID"] for n in ray.nodes() if n["NodeManagerAddress"] == clusters.IP["b"])
        on = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        start = ray.remote(num_cpus=0)(There).options(scheduling_strategy=on).remote
        there, other = start(f"{machines.root}/b"), start(f"{machines.root}/b")

        def share() -> Any:
            place.share(table, "trips", replace=True)
            return functools.partial(place.unshare, "trips")

        results = timing.compare("share", {"ray.put": lambda: [ray.put(table)].clear, "share": share}, asked.repeat)
        taken: dict[str, list[int]] = {"ray.get": [], "fetch": [], "ray.get, again": [], "second process": []}
        for _ in range(asked.repeat + 1):
            put = [ray.put(table)]
            taken["ray.get"].append(measured(there, "get", put))
            taken["ray.get, again"].append(measured(there, "get", put))
            put.clear()
            place.share(table, "trips", replace=True)
            taken["fetch"].append(measured(there, "attach", "trips"))
            measured(other, "attach", "trips")
            taken["second process"].append(measured(other, "attach", "trips"))
            place.unshare("trips")
        for group, names in (
            ("on the other machine", ("ray.get", "fetch")),
            ("there, again", ("ray.get, again", "second process")),
        ):
            results += timing.results(group, {name: taken[name][1:] for name in names})
        results += dask(table, asked.repeat)
        timing.report(results, asked.json)


def dask(table: Any, rounds: int) -> list[timing.Result]:
    """A published dataset of Dask's is objects of its workers: what a second client gets is a copy over a socket."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        print("Dask is not installed: pip install distributed", file=sys.stderr)
        return []
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True) as local,
        Client(local) as one,
        Client(local.scheduler_address) as two,
    ):

        def publish() -> Any:
            one.publish_dataset(trips=one.scatter(table))
            return functools.partial(one.unpublish_dataset, "trips")

        def get() -> None:
            assert two.get_dataset("trips").result().num_rows

        results = timing.compare("Dask", {"publish": publish}, rounds)
        one.publish_dataset(trips=one.scatter(table))
        return results + timing.compare("Dask, in another client", {"get": get}, rounds)


if __name__ == "__main__":
    main()
