"""Tables of a Ray cluster, on two and three machines: who has them, who fetches them, and what is lost with whom."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from clusters import LOCATIONS, Machines
from peers import Peer
from waiting import eventually

import jupyter_arrowshm as shm

# Two batches of 16 MB.
LARGE = "pa.table({'n': pa.array(range(2_000_000), pa.int64()), 'x': pa.array([0.5] * 2_000_000)})"
SMALL = "pa.table({'city': ['Oslo', 'Lima', None], 'fare': [1.5, 2.5, 3.5]})"
CATALOGUE = "ray.get_actor('catalogue', 'jupyter-arrowshm-1/default')"
PID = "ray.get({actor}.__ray_call__.remote(lambda self: __import__('os').getpid()), timeout=60)"


def test_a_table_is_shared_on_one_machine_and_attached_on_another(a: Peer, b: Peer) -> None:
    a.run(f"t = {LARGE}; place.share(t, 'trips')")
    b.run("t = place.attach('trips')")
    assert b.get("t.num_rows, t['n'][-1].as_py(), t.schema.names") == (2_000_000, 1_999_999, ["n", "x"])
    b.run("t.validate(full=True)")
    # It is a table of that machine's store now, which all of its processes map.
    assert b.get("[(one.num_rows, one.origin[:6]) for one in shm.tables().loaded]") == [(2_000_000, "ray://")]
    eventually(lambda: a.get("place.info('trips').in_use_by") == "on 2 machines")
    assert a.get("str(place.tables()).count('on 2 machines'), place.names()") == (1, ["trips"])


def test_who_attaches_it_again_fetches_nothing(a: Peer, b: Peer) -> None:
    a.run(f"place.share({LARGE}, 'trips')")
    b.run("first = place.attachment('trips')")
    before = b.get("pa.total_allocated_bytes()")
    b.run("second = place.attachment('trips')")
    assert b.get("first.version == second.version, second.copied, pa.total_allocated_bytes()") == (True, {}, before)


def test_three_processes_at_once_fetch_it_once(a: Peer, b: Peer, peer: Callable[..., Peer]) -> None:
    others = [b, peer("b"), peer("b")]
    a.run(f"place.share({LARGE}, 'trips')")
    for one in others:
        one.start("t = place.attachment('trips')")
    for one in others:
        one.wait()
    # Another fetch would have made another file: versions tell files apart.
    assert len({one.get("t.version") for one in others}) == 1
    assert {one.get("t.value.num_rows") for one in others} == {2_000_000}


def test_the_kinds_that_were_shared_come_back(a: Peer, b: Peer) -> None:
    a.run("import pandas as pd; place.share(pd.DataFrame({'fare': [1.5, 2.5]}, index=['x', 'y']), 'frame')")
    assert b.get("type(place.attach('frame', to='source')).__name__") == "DataFrame"
    assert b.get("place.attach('frame', to='source').index.tolist()") == ["x", "y"]
    assert b.get("place.attach('frame', to='pandas', columns=['fare']).index.tolist()") == ["x", "y"]


def test_types_come_back_as_they_were(a: Peer, b: Peer) -> None:
    columns = (
        "{'list': pa.array([[1], None, [2, 3]]), 'view': pa.array(['a', 'b' * 20, None], pa.string_view()), "
        "'dictionary': pa.array(['a', 'b', 'a']).dictionary_encode(), 'decimal': pa.array([1, 2, None], "
        "pa.decimal128(9, 2)), 'struct': pa.array([{'x': 1}, {'x': None}, None]), 'none': pa.nulls(3), "
        "'uuid': pa.array([b'0' * 16] * 3, pa.uuid())}"
    )
    for one in (a, b):
        one.run(f"expected = pa.table({columns})")
    a.run(
        "place.share(expected, 'types'); place.share(expected.slice(1, 1), 'slice'); place.share(expected[:0], 'none')"
    )
    assert b.get("place.attach('types').equals(expected, check_metadata=True)")
    assert b.get("place.attach('slice').equals(expected.slice(1, 1)), place.attach('none').equals(expected[:0])")


def test_a_stream_goes_batch_by_batch(a: Peer, b: Peer) -> None:
    """No more of it is in the publisher's memory than is on the way."""
    a.run(
        "import gc, weakref\n"
        "def batches():\n"
        "    for number in range(40):\n"
        "        yield pa.record_batch({'n': pa.array([number] * 500_000, pa.int64())})\n"
        "schema = pa.schema([('n', pa.int64())])\n"
        "before = pa.total_allocated_bytes(); most = []\n"
        "def watched():\n"
        "    for batch in batches():\n"
        "        most.append(pa.total_allocated_bytes() - before); yield batch\n"
        "info = place.share(pa.RecordBatchReader.from_batches(schema, watched()), 'stream')\n"
    )
    assert a.get("info.num_rows, info.nbytes, info.num_batches") == (20_000_000, 160_000_000, 40)
    assert a.get("max(most)") < 80_000_000
    assert b.get("place.attach('stream', where='n == 39').num_rows") == 500_000


def test_columns_and_rows_are_picked_where_the_batches_are(a: Peer, b: Peer) -> None:
    """The whole batches stay on their machine, and the machine that asks gets no byte more than what it asks for."""
    a.run(f"place.share({LARGE}, 'trips')")
    b.run(
        "moved = []; from jupyter_arrowshm.elsewhere.cluster.place import Cluster\n"
        "rows = Cluster.rows\n"
        "def counted(self, reference, name):\n"
        "    table = rows(self, reference, name); moved.append(table.nbytes); return table\n"
        "Cluster.rows = counted\n"
        "t = place.attach('trips', columns=['x'], where='n >= 1999000')\n"
        "found = place.find('trips')\n"
        f"{LOCATIONS}"
        "here = ray.get_runtime_context().get_node_id(); Cluster.rows = rows\n"
    )
    assert b.get("t.num_rows, t.schema.names, sum(moved)") == (1000, ["x"], 8000)
    assert b.get("len(where), [one for one in where.values() if here in one['node_ids']]") == (2, [])
    with pytest.raises(KeyError, match="no column 'fare'"):
        b.run("place.attach('trips', columns=['fare'])")
    with pytest.raises(KeyError, match="'fare'"):
        b.run("place.attach('trips', where='fare > 1')")


def test_some_rows_move_only_their_batches(a: Peer, b: Peer) -> None:
    a.run(f"place.share({LARGE}, 'trips')")
    b.run(
        "moved = []; from jupyter_arrowshm.elsewhere.cluster.place import Cluster\n"
        "rows = Cluster.rows\n"
        "def counted(self, reference, name):\n"
        "    table = rows(self, reference, name); moved.append(table.num_rows); return table\n"
        "Cluster.rows = counted\n"
        "head = place.head('trips', 3, offset=1_999_000)\n"
        "found = place.find('trips')\n"
        f"{LOCATIONS}"
        "here = ray.get_runtime_context().get_node_id(); Cluster.rows = rows\n"
    )
    assert b.get("head['n'].to_pylist(), len(moved)") == ([1_999_000, 1_999_001, 1_999_002], 1)
    assert b.get("len(where), len([one for one in where.values() if here in one['node_ids']])") == (2, 1)
    assert b.get("place.head('trips', 3)['n'].to_pylist()") == [0, 1, 2]
    assert b.get("place.head('trips', 5, offset=2_000_000).num_rows") == 0
    # As a server asks it, which is in the cluster itself.
    b.run(
        "import asyncio; from jupyter_arrowshm.looking.questions import RowsQuestion\n"
        "from jupyter_arrowshm.server.previewer import Previewer\n"
        "question = RowsQuestion('trips', place='ray://', offset=1_999_999)\n"
        "answer = asyncio.run(Previewer().ask(question))\n"
        "page = pa.ipc.open_stream(answer.body).read_all()\n"
    )
    assert b.get("page['n'].to_pylist()") == [1_999_999]
    # An older release did not say how many rows are in each batch: those before are fetched to know it.
    b.run("look = place.look('trips'); look._known.clear(); page = look.rows(1_999_000, 2)")
    assert b.get("page['n'].to_pylist()") == [1_999_000, 1_999_001]
    b.run("older = place.look('trips')")
    a.run(f"place.share({SMALL}, 'trips', replace=True)")
    with pytest.raises(shm.errors.TableReplaced):
        b.run("place.look('trips', older.version)")
    with pytest.raises(shm.TableNotFound):
        b.run("place.head('none')")


# -- errors ------------------------------------------------------------------------------------------------------------


def test_a_name_that_is_not_there(a: Peer, b: Peer) -> None:
    a.run(f"place.share({SMALL}, 'trips')")
    with pytest.raises(shm.TableNotFound, match=r"no shared table 'tripz' from ray://\. Did you mean 'trips'"):
        b.run("place.attach('tripz')")
    with pytest.raises(shm.TableNotFound):
        b.run("place.info('none')")
    with pytest.raises(shm.TableNotFound):
        b.run("place.unshare('none')")
    with pytest.raises(shm.TableNotFound):
        b.run("place.attach('none', wait=0.05)")


def test_who_waits_gets_what_is_shared_meanwhile(a: Peer, b: Peer) -> None:
    b.start("t = place.attach('later', wait=60)")
    a.run(f"place.share({SMALL}, 'later')")
    b.wait()
    assert b.get("t.num_rows") == 3


def test_somebody_elses_name_is_taken_over_on_request_alone(a: Peer, b: Peer) -> None:
    a.run(f"place.share({SMALL}, 'trips')")
    with pytest.raises(shm.TableExists, match="'trips' was shared by python"):
        b.run("place.share({'x': [1]}, 'trips')")
    assert (a.get("place.is_mine('trips')"), b.get("place.is_mine('trips')")) == (True, False)
    b.run("place.share({'x': [1]}, 'trips', replace=True)")
    with pytest.raises(shm.TableExists):
        a.run(f"place.share({SMALL}, 'trips')")
    assert a.get("place.attach('trips').num_columns") == 1


def test_an_older_version_stays_with_those_who_have_it(a: Peer, b: Peer) -> None:
    a.run(f"place.share({SMALL}, 'trips')")
    b.run("old = place.attach('trips')")
    a.run("place.share({'x': [1]}, 'trips')")
    assert b.get("place.attach('trips').schema.names, old.num_rows, old['city'][0].as_py()") == (["x"], 3, "Oslo")
    a.run("place.unshare('trips')")
    assert b.get("place.names(), old.num_rows") == ([], 3)


def test_namespaces_have_names_of_their_own(a: Peer, b: Peer) -> None:
    a.run(f"other = shm.place(f'ray://{{ray.get_runtime_context().gcs_address}}/other'); other.share({SMALL}, 'trips')")
    assert a.get("other.names(), place.names(), other.attach('trips').num_rows") == (["trips"], [], 3)
    a.run("other.unshare('trips')")


# -- who dies, and when ------------------------------------------------------------------------------------------------


def test_a_table_stays_when_its_publisher_is_killed(b: Peer, peer: Callable[..., Peer]) -> None:
    publisher = peer("a")
    publisher.run(f"place.share({LARGE}, 'trips')")
    publisher.kill()
    assert b.get("place.attach('trips')['n'][-1].as_py()") == 1_999_999


def test_a_publisher_that_is_killed_half_way_leaves_nothing(a: Peer, b: Peer, peer: Callable[..., Peer]) -> None:
    a.run(f"place.share({SMALL}, 'trips', replace=True)")
    a.run(
        "keeper = place._connection.keeper(place._connection.machine)[1]\n"
        "def unnamed():\n"
        "    def count(self):\n"
        "        from ray._private.worker import global_worker\n"
        "        owned = global_worker.core_worker.get_all_reference_counts()\n"
        "        return len(owned) - sum(map(len, self._kept.values()))\n"
        "    return ray.get(keeper.__ray_call__.remote(count), timeout=60)\n"
    )
    eventually(lambda: a.get("unnamed()") == 0)
    publisher = peer("a")
    publisher.run(
        "import threading; stopped = threading.Event()\n"
        "def batches():\n"
        "    yield pa.record_batch({'n': pa.array(range(4_000_000), pa.int64())})\n"
        "    stopped.set(); threading.Event().wait()\n"
        "reader = pa.RecordBatchReader.from_batches(pa.schema([('n', pa.int64())]), batches())\n"
        "threading.Thread(target=lambda: place.share(reader, 'trips', replace=True), daemon=True).start()\n"
        "assert stopped.wait(60)"
    )
    eventually(lambda: a.get("unnamed()") == 2)
    publisher.kill()
    eventually(lambda: a.get("unnamed()") == 0)
    assert b.get("place.attach('trips').num_rows, place.names()") == (3, ["trips"])


def test_a_catalogue_that_is_killed_comes_back_with_its_names(a: Peer, b: Peer) -> None:
    a.run(f"place.share({SMALL}, 'small'); place.share({LARGE}, 'large')")
    pid = a.get(PID.format(actor=CATALOGUE))
    os.kill(pid, signal.SIGKILL)
    assert b.get("place.names()") == ["large", "small"]
    assert a.get(PID.format(actor=CATALOGUE)) != pid
    assert b.get("place.attach('large').num_rows, place.attach('small').num_rows") == (2_000_000, 3)
    a.run("place.share({'x': [1]}, 'small'); place.unshare('large')")
    os.kill(a.get(PID.format(actor=CATALOGUE)), signal.SIGKILL)
    assert b.get("place.names(), place.attach('small').schema.names") == (["small"], ["x"])


def test_a_table_is_lost_with_its_keeper(a: Peer, b: Peer) -> None:
    a.run(f"place.share({SMALL}, 'trips')")
    keeper = "place._connection.keeper(place._connection.machine)[1]"
    os.kill(a.get(PID.format(actor=keeper)), signal.SIGKILL)
    with pytest.raises(shm.TableLost, match="'trips' from ray:// is lost"):
        b.run("place.attach('trips')")
    a.run(f"place.share({SMALL}, 'trips')")
    assert b.get("place.attach('trips').num_rows") == 3


def test_a_table_is_lost_with_the_only_machine_that_had_it(
    machines: Machines, b: Peer, peer: Callable[..., Peer]
) -> None:
    machines.add("c")
    publisher = peer("c")
    publisher.run(f"place.share({LARGE}, 'trips')")
    assert b.get("place.info('trips').in_use_by") == "on 1 machine"
    publisher.kill()
    machines.lose("c")
    with pytest.raises(shm.TableLost, match="Share it again"):
        b.run("place.attach('trips')")
    eventually(lambda: b.get("place.info('trips').in_use_by") == "lost")
    b.run(f"place.share({SMALL}, 'trips', replace=True)")
    assert b.get("place.attach('trips').num_rows") == 3


def test_names_that_four_processes_replace_at_once_are_never_torn(a: Peer, b: Peer, peer: Callable[..., Peer]) -> None:
    writers = [a, b, peer("a"), peer("b")]
    for number, one in enumerate(writers):
        one.run(
            "schema = pa.schema([('w', pa.int64()), ('k', pa.int64())])\n"
            "def two(w, k):\n"
            "    batch = pa.record_batch([pa.array([w] * 100), pa.array([k] * 100)], schema)\n"
            "    return pa.RecordBatchReader.from_batches(schema, [batch, batch])\n"
            f"def all():\n"
            f"    for k in range(50): place.share(two({number}, k), f'name-{{k}}', replace=True)\n"
            "seen = []\n"
            "def check(k):\n"
            "    t = place.attach(f'name-{k}')\n"
            "    assert t.num_rows == 200 and t['k'].unique().to_pylist() == [k] and len(t['w'].unique()) == 1, t\n"
        )
    for one in writers[:3]:
        one.start("all()")
    writers[3].run("all()\nfor k in range(0, 50, 7): check(k)")
    for one in writers[:3]:
        one.wait()
    assert b.get("place.names()") == sorted(f"name-{k}" for k in range(50))
    b.run("for k in range(50): check(k)")


def test_nobody_answers_there() -> None:
    with pytest.raises(shm.PlaceFailed, match=r"ray://127.0.0.1:1 does not answer \(Connection refused\)"):
        shm.place("ray://127.0.0.1:1").names()
