"""The same names from a notebook, a terminal and Ray's own data sets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clusters import LOCATIONS, Machines
from julia_peers import Julia, throws
from julia_peers import program as julia
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from peers import Peer
from r_peers import R, signals
from r_peers import program as r

import jupyter_arrowshm as shm

Run = Callable[[str], str]


@pytest.fixture
def notebook(machines: Machines) -> Iterator[Run]:
    """Runs a cell in a real kernel on the first machine; gives what it shows."""
    manager, client = start_new_kernel(kernel_name="python3", env={**os.environ, **machines.env("a")})
    try:
        assert isinstance(client, BlockingKernelClient)

        def run(code: str) -> str:
            shown: list[str] = []

            def take(message: dict[str, dict[str, object]]) -> None:
                content = message["content"]
                data = content.get("data")
                shown.append(
                    str(content.get("text") or (data.get("text/plain") if isinstance(data, dict) else "") or "")
                )
                shown.append(str(content.get("evalue") or ""))

            client.execute_interactive(code, output_hook=take, timeout=120)
            return "".join(shown)

        run("%load_ext jupyter_arrowshm")
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_magics(a: Peer, notebook: Run) -> None:
    assert "there is no shared table 'trips' from ray://" in notebook("%attach trips --from ray://")
    shown = notebook("import pandas as pd; df = pd.DataFrame({'fare': [1.5, 2.5]})\n%share df as trips --to ray://")
    assert shown.startswith("trips: 2 rows x 1 column, 16 bytes, on 1 machine")
    assert "%attach trips --from ray://" in shown
    shown = notebook("%attach trips as back --from ray:// --where 'fare > 2'\nprint(back.fare.tolist())")
    assert "as the variable back" in shown and "[2.5]" in shown and "Traceback" not in shown
    shown = notebook("%shared --from ray://")
    assert "trips" in shown and "on 1 machine" in shown
    notebook("%unshare trips --from ray://")
    assert a.get("place.names()") == []
    assert "no column 'tip'" in notebook("%share df --to ray://\n%attach df --from ray:// --columns tip")
    assert "this process is in another cluster" in notebook("%attach df --from ray://127.0.0.1:1")


def test_a_terminal(machines: Machines, a: Peer) -> None:
    a.run("place.share({'x': [1, 2]}, 'trips')")

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_arrowshm", *arguments],
            env={**os.environ, **machines.env("a")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    listed = run("list", "--from", "ray://")
    assert "trips" in listed and "on 1 machine" in listed
    assert run("head", "trips", "--from", "ray://", "--rows", "1").splitlines()[-3:] == ["x", "1", "2 rows x 1 column"]
    assert "trips: 2 rows x 1 column" in run("copy", "trips", "--from", "ray://")
    assert a.get("shm.attach('trips').num_rows") == 2
    assert "there is no shared table 'none' from ray://" in run("info", "none", "--from", "ray://", code=1)


@pytest.mark.parametrize("language", ["Julia", "R"])
def test_other_languages_have_python_fetch_it(machines: Machines, a: Peer, language: str) -> None:
    """Once for all of the machine: what Python has fetched, they attach."""
    a.run("place.share({'x': [1, 2, 4], 'y': ['a', 'b', 'b']}, 'trips'); place.attach('trips')")
    versions = a.get("[table.version for table in shm.tables().loaded]")
    # Beside this Python is the command that shows them which one has the package.
    env = {**machines.env("a"), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if language == "Julia":
        one, total = Julia(julia(), env=env), "sum(t.x)"
        from_cluster, columns = 'attach("trips"; from="ray://")', 'columns=["x"]'
    else:
        one, total = R(r(), env=env), "sum(t$x)"
        from_cluster, columns = 'attach_table("trips", from = "ray://")', 'columns = "x"'
    try:
        one.run(f"t = {from_cluster}")
        assert one.get(total) == 7
        assert a.get("[table.version for table in shm.tables().loaded]") == versions
        # Of a part, nothing else is moved.
        one.run(f"t = {from_cluster[:-1]}, {columns}, where = \"y == 'b'\")")
        assert one.get(total) == 6
        loaded = a.get("[(one.version, one.num_columns, one.num_rows) for one in shm.tables().loaded]")
        assert [one[1:] for one in loaded if one[0] not in versions] == [(1, 2)]
        with (throws if language == "Julia" else signals)("there is no shared table"):
            one.run(from_cluster.replace("trips", "none"))
        # The other way: the table is their own, and stays when they end.
        if language == "Julia":
            one.run('share("fares", (x = [7],); to="ray://")')
        else:
            one.run('share_table(data.frame(x = 7), "fares", to = "ray://")')
        one.kill()
        assert a.get("place.attach('fares').to_pydict(), place.info('fares').publisher.language") == (
            {"x": [7]},
            language.lower() if language == "Julia" else language,
        )
    finally:
        one.kill()


def test_a_data_set_is_shared_where_its_blocks_are(a: Peer, b: Peer) -> None:
    """Eight blocks, on both machines: none of them leaves its machine, and a part of them moves only itself."""
    a.run(
        "import ray.data, numpy as np\n"
        "from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On\n"
        "@ray.remote(num_cpus=0)\n"
        "def block(number):\n"
        "    import pyarrow as pa, numpy as np\n"
        "    return pa.table({'block': np.full(100_000, number), 'row': np.arange(100_000)})\n"
        "ids = sorted(n['NodeID'] for n in ray.nodes() if n['Alive'])[:2]\n"
        "refs = [block.options(scheduling_strategy=On(ids[i % 2], soft=False)).remote(i) for i in range(8)]\n"
        "ray.wait(refs, num_returns=8, timeout=60, fetch_local=False)\n"
        "ds = ray.data.from_arrow_refs(refs)\n"
        "before = [ray.experimental.get_object_locations([one])[one]['node_ids'] for one in ds.to_arrow_refs()]\n"
        "info = place.share(ds, 'blocks')\n"
        "found = place.find('blocks')\n"
        f"{LOCATIONS}"
        "at = [where[one]['node_ids'] for one in found.objects]\n"
    )
    assert a.get("info.num_rows, info.num_batches, info.in_use_by") == (800_000, 8, "on 2 machines")
    # Ray itself may have copied a block to look at it: then there are two machines to choose from.
    assert a.get("[len(one) for one in at]") == [1] * 8
    assert a.get("[set(one) <= set(two) for one, two in zip(at, before)]") == [True] * 8
    b.run("t = place.attach('blocks', columns=['row'], where='block == 3 and row < 10')")
    assert b.get("t.to_pydict()") == {"row": list(range(10))}
    b.run("found = place.find('blocks')\n" + LOCATIONS)
    assert b.get("[len(where[one]['node_ids']) for one in found.objects]") == [1] * 8
    assert b.get("place.attach('blocks')['block'].unique().to_pylist()") == list(range(8))


def test_a_table_as_a_data_set(a: Peer, b: Peer) -> None:
    a.run("place.share({'x': list(range(1000)), 'y': [1.5] * 1000}, 'trips')")
    b.run("import ray.data; ray.data.DataContext.get_current().enable_progress_bars = False")
    b.run("ds = place.attach('trips', to='ray.data', columns=['x'], where='x >= 990')")
    assert b.get("type(ds).__module__.startswith('ray.data'), sorted(row['x'] for row in ds.take_all())") == (
        True,
        list(range(990, 1000)),
    )
    assert b.get("shm.tables().loaded") == []
    assert b.get("place.attach('trips', to='ray.data').sum('x')") == sum(range(1000))


def test_where_the_store_has_no_room_it_is_rays_memory(a: Peer, b: Peer) -> None:
    a.run("place.share({'x': list(range(100_000))}, 'trips')")
    b.run(
        "from jupyter_arrowshm.core import room\n"
        "from jupyter_arrowshm.elsewhere.cluster import place as module\n"
        "def refuse(*arguments, **options): raise shm.NoRoom(1, 0, 'here')\n"
        "whole, module.attach_origin = module.attach_origin, refuse\n"
        "try: t = place.attachment('trips')\n"
        "finally: module.attach_origin = whole"
    )
    assert b.get("t.value.num_rows, t.copied, 'memory of Ray' in t.note") == (100_000, {}, True)
    b.run(
        "module.attach_origin = refuse\n"
        "try: place.attach('trips', to='pandas')\n"
        "except shm.NoRoom as error: failed = error\n"
        "finally: module.attach_origin = whole"
    )
    assert b.get("type(failed).__name__") == shm.NoRoom.__name__
