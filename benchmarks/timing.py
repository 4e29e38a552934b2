"""Time several ways of doing one thing in one run, in turns: other work of the machine then slows all of them."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

# This runs on the clock; the function that it returns runs off it, and removes what was made or drops what was got.
Way = Callable[[], Callable[[], object] | None]
_UNITS = {"": 1, "b": 1, "kb": 10**3, "kib": 1 << 10, "mb": 10**6, "mib": 1 << 20, "gb": 10**9, "gib": 1 << 30}


@dataclass(frozen=True)
class Result:
    """Nanoseconds: the median and the quartiles. ``ratio`` is to the first way of the group."""

    group: str
    way: str
    times: int
    median: float
    low: float
    high: float
    ratio: float


def compare(group: str, ways: dict[str, Way], rounds: int, budget: float = 5.0) -> list[Result]:
    """Run every way once per round. One that has used ``budget`` seconds sits out the rest, but does three rounds."""
    taken: dict[str, list[int]] = {name: [] for name in ways}
    gc.collect()
    gc.disable()
    try:
        for way in ways.values():  # imports, page tables, caches
            _once(way)
        for _ in range(rounds):
            for name, way in ways.items():
                if len(taken[name]) < 3 or sum(taken[name]) < budget * 1e9:
                    taken[name].append(_once(way))
    finally:
        gc.enable()
    return results(group, taken)


def results(group: str, taken: dict[str, list[int]]) -> list[Result]:
    """Of times that were taken, in ns; the first way is the one that the others are compared with."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    first = next(iter(medians.values()))
    found = []
    for name, times in taken.items():
        low, _, high = statistics.quantiles(times, n=4) if len(times) > 1 else (times[0],) * 3
        found.append(Result(group, name, len(times), medians[name], low, high, medians[name] / first))
    return found


def _once(way: Way) -> int:
    begin = time.perf_counter_ns()
    after = way()
    taken = time.perf_counter_ns() - begin
    if after is not None:
        after()
    return taken


def report(results: list[Result], as_json: bool, **more: Sequence[Any]) -> None:
    """``more``: lists of other dataclasses, for JSON alone."""
    if as_json:
        lists = {name: [asdict(each) for each in rows] for name, rows in {"results": results, **more}.items()}
        json.dump({"machine": _machine(), **lists}, sys.stdout, indent=1)
        print()
        return
    print(", ".join(f"{key} {value}" for key, value in _machine().items()))
    width = max((len(result.way) for result in results), default=0)
    group = ""
    for result in results:
        if result.group != group:
            group = result.group
            print(f"\n{group}\n{'':{width}}      median        middle half    ratio  times")
        span = f"{text(result.low)} to {text(result.high)}"
        print(f"{result.way:{width}}  {text(result.median):>10}  {span:>21}  {result.ratio:7.2f}  {result.times:5}")


def text(nanoseconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, scale in (("s", 1e9), ("ms", 1e6)):
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    return f"{nanoseconds / 1e3:.3g} us"


def _machine() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
        "linux": platform.release(),
        "cpus": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
    }


def parser(about: str | None, size: str, repeat: int) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--size", type=_bytes, default=_bytes(size), help=f"of the large table (default {size})")
    made.add_argument("--repeat", type=int, default=repeat, help="rounds (default %(default)s)")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _bytes(text: str) -> int:
    number = text.rstrip("BKMGIbkmgi")
    return int(float(number) * _UNITS[text[len(number) :].lower()])


def need(nbytes: int) -> None:
    """Stop before the machine starts to swap."""
    free = psutil.virtual_memory().available
    if nbytes > 0.8 * free:
        sys.exit(f"needs {nbytes / 2**30:.1f} GiB of memory, but {free / 2**30:.1f} GiB is free: give a smaller --size")


def memory(pids: Iterable[int]) -> int:
    """The bytes that these processes have for themselves (proc(5), ``smaps_rollup``), and all that are in /dev/shm."""
    used = shutil.disk_usage("/dev/shm").used
    for pid in pids:
        found = re.search(r"^Pss_Anon: +([0-9]+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        assert found
        used += 1024 * int(found[1])
    return used


@contextlib.contextmanager
def places() -> Iterator[tuple[Path, Path]]:
    """A private directory on tmpfs and one on the disk; both are removed afterwards."""
    memory = Path(tempfile.mkdtemp(prefix="arrowshm-bench-", dir="/dev/shm"))
    disk = Path(tempfile.mkdtemp(prefix="arrowshm-bench-", dir="/var/tmp"))
    try:
        yield memory, disk
    finally:
        shutil.rmtree(memory)
        shutil.rmtree(disk)
