"""A cluster of its own, whose head goes. It waits for limits of time, so it runs beside the others."""

from __future__ import annotations

import time

import pytest
from clusters import started

import jupyter_arrowshm as shm

# Two batches of 16 MB.
LARGE = "pa.table({'n': pa.array(range(2_000_000), pa.int64()), 'x': pa.array([0.5] * 2_000_000)})"


def test_the_head_goes_while_a_table_is_fetched() -> None:
    """An error, in bounded time; the process lives, and its store has nothing half-made.

    So does one that has joined the cluster through us, though Ray ends its own after a minute without a head.
    """
    with started("a", "b") as machines:
        a, b = machines.peer("a"), machines.peer("b")
        a.run(f"place.share({LARGE}, 'trips')")
        b.run(
            "import threading; begun, go = threading.Event(), threading.Event()\n"
            "from jupyter_arrowshm.elsewhere.cluster.place import Cluster\n"
            "rows, count = Cluster.rows, []\n"
            "def slow(self, reference, name):\n"
            "    count.append(name)\n"
            "    if len(count) > 1: begun.set(); go.wait(60)\n"
            "    return rows(self, reference, name)\n"
            "Cluster.rows = slow; failed = []\n"
            "def fetch():\n"
            "    try: place.attach('trips')\n"
            "    except Exception as error: failed.append(error)\n"
            "thread = threading.Thread(target=fetch); thread.start(); assert begun.wait(60)"
        )
        joined = machines.peer("a", join=False)
        joined.run("place = shm.place('ray://'); kept = place.attach('trips')")
        a.kill()
        machines.lose("a")
        lost = time.monotonic()
        b.run("go.set(); thread.join(120); assert not thread.is_alive()")
        assert b.get("[type(error).__name__ for error in failed][0]") in ("TableLost", "PlaceFailed")
        assert b.get("[table.name for table in shm.tables().everything]") == []
        left = [path.name for path in (machines.root / "b").rglob("*") if path.is_file() and ".live" not in path.parts]
        assert left == []
        time.sleep(max(0.0, lost + 62 - time.monotonic()))  # Ray's limit is over
        with pytest.raises(shm.PlaceFailed):
            joined.run("place.names()")
        assert joined.get("kept.num_rows") == 2_000_000
