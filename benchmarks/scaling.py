"""The catalogue of a Ray cluster with 100 machines of 50 kernels each: a simulation, with times measured on this one.

First, what one call costs: the catalogue of a cluster of one machine is asked by several processes at once until it
answers no more per second, and its CPU time is read (proc(5), ``stat``). Then a queue with one server, which is what an
actor is: kernels attach, share and list at random times (Poisson), and a machine fetches a version that it does not
have. It prints what share of its time the catalogue works, and how long a call takes.

    python benchmarks/scaling.py                # measures, in the environment of `make test-ray`
    python benchmarks/scaling.py --us 300       # simulates alone: a call takes this many microseconds
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import os
import random
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

MACHINES, KERNELS = 100, 50
SECONDS = 120  # that are simulated


@dataclass(frozen=True)
class Load:
    """How often each kernel does what, in a minute, and how many names there are."""

    attach: float
    share: float
    list: float
    names: int


LOADS = {
    "a class, all at once": Load(attach=6, share=0.1, list=0.5, names=200),
    "an ordinary day": Load(attach=1, share=0.1, list=0.2, names=200),
    "a loop that attaches each second": Load(attach=60, share=0, list=0, names=10),
}
# Calls of the catalogue: attaching what the machine has asks for the version. Fetching asks for it again, in turn, then
# for the entry, and says that there is a copy.
WARM, COLD, SHARE = 1, 4, 2


@dataclass(frozen=True)
class Cost:
    """Seconds that the catalogue works: for a call, and more for each name in a list."""

    call: float
    name: float


@dataclass(frozen=True)
class Outcome:
    calls: float  # in a second
    busy: float  # share of its time that the catalogue works
    median: float  # s until a call is answered, without the network
    last: float  # the same, the slowest of a hundred


def simulate(load: Load, cost: Cost, rng: random.Random) -> Outcome:
    kernels = MACHINES * KERNELS
    order = itertools.count()
    # When a call arrives; what its kernel does, and how many more calls that takes.
    events: list[tuple[float, int, str, int, int]] = []
    for kind, rate in (("attach", load.attach), ("share", load.share), ("list", load.list)):
        at = 0.0
        while rate and (at := at + rng.expovariate(rate * kernels / 60)) < SECONDS:
            events.append((at, next(order), kind, rng.randrange(load.names), 0))
    heapq.heapify(events)
    versions, had = [0] * load.names, {}
    free = worked = 0.0
    answered: list[float] = []
    while events:
        at, _, kind, name, more = heapq.heappop(events)
        service = cost.call + (cost.name * load.names if kind == "list" else 0)
        free = max(at, free) + service
        worked += service
        answered.append(free - at)
        if kind == "share":
            versions[name] += 1
            more = SHARE - 1
        elif kind == "attach":
            machine = rng.randrange(MACHINES)
            more = (WARM if had.get((machine, name)) == versions[name] else COLD) - 1
            had[machine, name] = versions[name]
        if more:
            heapq.heappush(events, (free, next(order), "next", name, more - 1))
    last = statistics.quantiles(answered, n=100)[98]
    return Outcome(len(answered) / SECONDS, worked / SECONDS, statistics.median(answered), last)


def measure(clients: int, seconds: float, names: int) -> tuple[Cost, float]:
    """What a call costs, and how many are answered in a second."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import clusters

    with clusters.started("a") as machines:
        peers = [machines.peer("a") for _ in range(clients)]
        peers[0].run(f"for i in range({names}): place.share({{'x': [i]}}, f't{{i}}')")
        pid = peers[0].get(
            "ray.get(place._connection.catalogue().__ray_call__.remote(lambda self: __import__('os').getpid()))"
        )
        found = []
        for call in ("place.version('t0')", "ask(catalogue.entries.remote())"):
            code = (
                "import time; catalogue, ask = place._connection.catalogue(), place._connection.ask\n"
                f"count, end = 0, time.monotonic() + {seconds}\n"
                f"while time.monotonic() < end: {call}; count += 1"
            )
            before = cpu(pid)
            for one in peers:
                one.start(code)
            for one in peers:
                one.wait()
            calls = sum(one.get("count") for one in peers)
            found.append(((cpu(pid) - before) / calls, calls / seconds))
        (call_cost, rate), (list_cost, _) = found
    return Cost(call_cost, max(0.0, list_cost - call_cost) / names), rate


def cpu(pid: int) -> float:
    """Seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--us", type=float, help="what a call costs, instead of measuring it")
    parser.add_argument("--us-per-name", type=float, default=2.0, help="what a name in a list costs, with --us")
    asked = parser.parse_args()
    if asked.us is None:
        cost, rate = measure(clients=3, seconds=5, names=200)
        print(f"measured: {rate:,.0f} calls in a second with 3 processes that ask all the time")
    else:
        cost = Cost(asked.us / 1e6, asked.us_per_name / 1e6)
    print(f"the catalogue works {cost.call * 1e6:.0f} us for a call, and {cost.name * 1e6:.1f} us for a name in a list")
    print(f"{MACHINES} machines of {KERNELS} kernels, {SECONDS} s:\n")
    print(f"{'':34}  calls/s   busy   median  1 in 100")
    for what, load in LOADS.items():
        found = simulate(load, cost, random.Random(1))
        times = f"{found.median * 1e3:5.1f} ms  {found.last * 1e3:5.1f} ms"
        print(f"{what:34}  {found.calls:7.0f}  {found.busy:4.0%}  {times}")


if __name__ == "__main__":
    main()
