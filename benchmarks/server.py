"""The cost of the server extension, with many tables that are all in use by three processes:

    list                 Store.tables(), in this process
    GET arrowshm/tables  the same over HTTP, and the answer's size
    not modified         the same with an ETag that still holds
    event                from a share in another process to the event at a front end
    longest block        how long the server's event loop did not answer, while all this ran
    idle                 CPU time of the server per second while nobody watches

Run by `python benchmarks/server.py [--tables 1000]`; --json for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from peers import Peer
from servers import Server

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

LAG_METER = """
import asyncio, time
async def measure():
    while True:
        begun = time.monotonic()
        await asyncio.sleep(0.01)
        lag = time.monotonic() - begun - 0.01
        with open({path!r}, "a") as file:
            file.write(f"{{lag}}\\n")
def _load_jupyter_server_extension(app):
    app.io_loop.add_callback(measure)
"""


def median_of(call: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # Up to Python 3.12 a mapping keeps a descriptor.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, tempfile.TemporaryDirectory() as disk:
        os.environ[ENVIRONMENT_VARIABLE] = f"{memory}/store"
        os.environ["PYTHONPATH"] = disk
        lags = Path(disk, "lags")
        Path(disk, "lag_meter.py").write_text(LAG_METER.format(path=str(lags)))
        peers, server = [], None
        try:
            publisher = Peer()
            peers.append(publisher)
            publisher.run("columns = {f'column_{i}': [1.0] for i in range(20)}")
            publisher.run(f"for i in range({arguments.tables}): shm.share(pa.table(columns), f'table_{{i}}')")
            for _ in range(2):
                peers.append(Peer())
                peers[-1].run("held = [shm.attach(name) for name in shm.Store().names()]")
            store = shm.Store()
            assert {len(table.holders) for table in store.tables()} == {3}
            server = Server(Path(disk, "server"), config_file="c.ServerApp.jpserver_extensions = {'lag_meter': True}\n")
            found = measure(store, server, publisher, arguments.repeat, lags)
        finally:
            if server is not None:
                server.kill()
            for peer in peers:
                peer.kill()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{arguments.tables} tables of 20 columns, each in use by 3 processes")
    for name, value in found.items():
        print(f"{name:<30} {value:>12,.1f}")


def measure(store: shm.Store, server: Server, publisher: Peer, repeat: int, lags: Path) -> dict[str, float]:
    found = {"list, ms": 1000 * median_of(store.tables, repeat)}
    answer = server.get("arrowshm/tables")
    time.sleep(5)  # other extensions keep the loop busy while they start
    lags.write_text("")
    found["GET arrowshm/tables, ms"] = 1000 * median_of(lambda: server.get("arrowshm/tables"), repeat)
    found["its answer, kB"] = len(answer.body) / 1000
    tag = answer.headers["Etag"]
    found["not modified, ms"] = 1000 * median_of(lambda: server.get("arrowshm/tables", If_None_Match=tag), repeat)
    listener = server.listen()
    latencies = []
    for number in range(5):
        begun = time.perf_counter()
        publisher.run(f"shm.share(pa.table(columns), 'new_{number}')")
        listener.until("published", f"new_{number}")
        latencies.append(time.perf_counter() - begun)
    listener.close()
    found["share to event, ms"] = 1000 * statistics.median(latencies)
    found["longest block of the loop, ms"] = 1000 * max(map(float, lags.read_text().split()))
    time.sleep(65)  # nobody has watched for a minute
    process = psutil.Process(server.process.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(20)
    # The lag meter's own wake-ups are in it, too.
    found["idle, ms of CPU per s"] = 1000 * (sum(process.cpu_times()[:2]) - before) / 20
    return found


if __name__ == "__main__":
    main()
