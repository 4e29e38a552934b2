"""The eight promises of the store, each held by real processes (docs/protocol.md, "Promises")."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from measures import footprint, leftovers, users
from peers import IMPORTED

import jupyter_arrowshm as shm

ROWS = 1 << 18  # of int64: 2 MiB
TABLE = f"pa.table({{'a': pa.arange(0, {ROWS})}})"  # pa.array(range()) would import pandas in each process
SUM = ROWS * (ROWS - 1) // 2
# A version is whole if every cell of its two batches is its number and it has the rows that go with that number.
PUBLISH = """
def rows(version): return 1000 + version * 7919 % 50_000
def publish(version):
    schema = pa.schema({'a': pa.int64(), 'b': pa.int64()})
    with shm.writer('t', schema, replace=True) as writer:
        for part in (rows(version) // 2, rows(version) - rows(version) // 2):
            writer.write(pa.table([pa.repeat(pa.scalar(version, pa.int64()), part)] * 2, schema=schema))
def published():
    import pyarrow.compute as pc
    table = shm.attach('t')
    (version,) = {end for column in table.columns for end in pc.min_max(column).as_py().values()}
    assert table.num_rows == rows(version), (table.num_rows, version)
    return version
"""


def test_promise_1_a_reader_sees_one_whole_version(peer):
    publishers, readers = [peer(), peer()], [peer(), peer()]
    for one in (*publishers, *readers):
        one.run(PUBLISH)
        one.run("stop = lambda: os.path.exists(os.environ['JUPYTER_ARROWSHM_DIR'] + '/../stop')")
    for start, one in enumerate(publishers):
        one.start(f"version = {start}\nwhile not stop(): publish(version); version += 2")
    for one in readers:
        one.run("shm.attach('t', wait=30)")
        one.start(
            "import time; seen, deadline = [], time.monotonic() + 120\n"
            "while len(seen) < 300 or len(set(seen)) < 20:\n"
            "    assert time.monotonic() < deadline, 'too few versions'\n"
            "    seen.append(published())"
        )
    for one in readers:
        one.wait()
    Path(os.environ["JUPYTER_ARROWSHM_DIR"], "..", "stop").touch()
    for one in publishers:
        one.wait()


def test_promise_2_attached_data_outlives_name_publisher_and_store(peer, directory, parent):
    publisher, reader, other = peer(), peer(), peer()
    publisher.run(f"shm.share({TABLE}, 't')")
    reader.run("import pyarrow.compute as pc; t = shm.attach('t')")
    reader.run("part = t.slice(5, 10); view = t['a'].chunk(0).buffers()[1]")
    other.run("shm.unshare('t'); shm.share(pa.table({'a': [1]}), 't')")
    assert reader.get("pc.sum(t['a']).as_py()") == SUM
    publisher.kill()
    assert reader.get("pc.sum(t['a']).as_py()") == SUM
    shutil.rmtree(directory)
    reader.run("del t")
    assert reader.get("part['a'].to_pylist()") == list(range(5, 15))
    assert reader.get("int.from_bytes(view[-8:], 'little')") == ROWS - 1
    reader.run("del part, view")
    assert not footprint(parent)


def test_promise_3_attach_copies_nothing(peer):
    publisher, reader = peer(), peer()
    cost = {}
    reader.run(
        "import resource\n"
        "def cost(name):\n"
        "    shm.attach(name)\n"
        "    usage, before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, pa.total_allocated_bytes()\n"
        "    table = shm.attach(name)\n"
        "    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - usage\n"
        "    return faults, pa.total_allocated_bytes() - before, table.nbytes\n"
    )
    for name, rows in (("small", 1000), ("large", 1 << 23)):
        publisher.run(f"shm.share(pa.table({{'a': pa.repeat(pa.scalar(1, pa.int64()), {rows})}}), {name!r})")
        faults, allocated, nbytes = reader.get(f"cost({name!r})")
        assert nbytes == 8 * rows
        assert allocated == 0
        cost[name] = faults
    # A page fault maps up to 16 pages; the large table has 16,384.
    assert cost["large"] <= cost["small"] + 8
    assert resource.getpagesize() <= 1 << 16


@pytest.mark.parametrize("unnamed", [True, False], ids=["O_TMPFILE", "dot file"])
def test_promise_4_a_killed_process_leaves_names_only(peer, directory, parent, unnamed):
    dying, reader, other = peer(), peer(), peer()
    if not unnamed:
        dying.run("del os.O_TMPFILE")  # as where the file system has none
    dying.run(f"shm.share({TABLE}, 'kept'); held = shm.attach('kept')")
    # Large enough to be written before the next batch comes.
    dying.run("half = pa.table({'a': pa.repeat(pa.scalar(1, pa.int64()), 9 << 20)})")
    dying.run("writer = shm.writer('half', half.schema); writer.write(half)")
    assert len(footprint(parent)) == 2, "one named, one half written"
    reader.run("t = shm.attach('kept')")
    dying.kill()
    assert len(leftovers(directory)) == (1 if unnamed else 2), "the token and the draft"
    other.run("shm.tables()" if unnamed else "shm.gc()")
    assert leftovers(directory) == []
    other.run(f"shm.share({TABLE}, 'next')")
    assert len(leftovers(directory)) == 1, "the new publisher's token"
    found = {table.name: table for table in other.get("list(shm.tables())")}
    assert set(found) == {"kept", "next"}
    assert not found["kept"].publisher.alive
    assert [holder.pid for holder in found["kept"].holders] == [reader.pid]
    assert len(footprint(parent)) == 2


def test_promise_4_a_kill_while_the_directory_is_locked_locks_nobody_out(peer, directory, parent):
    dying, other = peer(), peer()
    dying.run(f"shm.share({TABLE}, 't')")
    dying.run(
        "import time; from jupyter_arrowshm.core.store import default_store; lock = default_store()._directory.lock()"
    )
    dying.run("lock.__enter__()")
    with pytest.raises(shm.Busy):
        other.run(
            "from jupyter_arrowshm.core.store import default_store; default_store()._directory.lock(0.05).__enter__()"
        )
    dying.kill()
    other.run(f"shm.share({TABLE}, 't', replace=True)")
    assert users(parent) == {other.pid}


def _faults(directory: Path) -> Iterator[tuple[type[shm.ArrowSHMError], str]]:
    """Errors, and the code that causes each; ``kept`` exists and belongs to somebody else."""
    huge = "pa.table({'a': pa.chunked_array([pa.repeat(pa.scalar(1), 1 << 23)] * 10_000)})"
    yield shm.NoRoom, f"shm.share({huge}, 'kept', replace=True)"
    yield shm.NoRoom, f"shm.share({huge}, 'fresh')"
    yield shm.InvalidName, f"shm.share({TABLE}, 'a/b')"
    yield shm.TableExists, f"shm.share({TABLE}, 'kept')"
    yield shm.UnsupportedSource, "shm.share(object(), 'kept', replace=True)"
    yield shm.TableNotFound, "shm.attach('keptt')"
    yield shm.TableNotFound, "shm.unshare('keptt')"
    yield shm.DamagedTable, "shm.attach('foreign')"
    yield shm.NewerProtocol, "shm.attach('newer')"
    (directory / "foreign.arrow").write_bytes(b"ARROW1, and then something else")
    with pa.ipc.new_file(directory / "newer.arrow", pa.schema({"a": "int8"}), metadata={"arrowshm.protocol": "2"}):
        pass


def test_promise_5_what_fails_says_why_and_changes_nothing(peer, directory, parent):
    publisher, other = peer(), peer()
    publisher.run(f"shm.share({TABLE}, 'kept')")
    faults = list(_faults(directory))
    before = (directory / "kept.arrow").read_bytes(), sorted(directory.glob("*.arrow")), footprint(parent)
    for error, code in faults:
        with pytest.raises(error) as caught:
            other.run(code)
        assert len(str(caught.value)) > 30, "it says what to do"
        assert before == (
            (directory / "kept.arrow").read_bytes(),
            sorted(directory.glob("*.arrow")),
            footprint(parent),
        ), code
        assert not [name for name in os.listdir(directory) if name.startswith(".new")]
    # A batch that does not come is not a table either.
    with pytest.raises(ZeroDivisionError):
        other.run(f"with shm.writer('fresh', pa.schema({{'a': 'int64'}})) as w: w.write({TABLE}); 1 / 0")
    assert before[1:] == (sorted(directory.glob("*.arrow")), footprint(parent))


@pytest.fixture(params=["/dev/shm", "/tmp"])
def crossroads(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory where every user may make files, as /dev/shm is: the store itself must keep others out."""
    path = Path(tempfile.mkdtemp(prefix="arrowshm-test-", dir=request.param))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become a second user")
def test_promise_6_no_other_user_reads_locks_or_replaces(peer, crossroads):
    ours, stranger = peer(), peer()
    path = crossroads / "store"
    for one in (ours, stranger):
        one.run(f"store = shm.Store({str(path)!r}); path = store.directory")
    ours.run(f"store.share({TABLE}, 't')")
    stranger.run(IMPORTED + "; import fcntl; store.tables()")  # a stranger may not see the package
    stranger.run("store = shm.Store(path); os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)")
    for code in (
        "os.listdir(path)",
        "open(path + '/t.arrow', 'rb')",
        "fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX)",
        "os.rename('/proc/self/status', path + '/t.arrow')",
        "os.unlink(path + '/t.arrow')",
        "os.rename(path, path + '2')",
        "os.rmdir(path)",
    ):
        with pytest.raises(PermissionError):
            stranger.run(code)
    share = "store.share(pa.table({'a': [1]}), 't', replace=True)"
    for code in ("store.attach('t')", "store.tables()", share, "store.unshare('t')"):
        with pytest.raises(shm.UnsafeDirectory):
            stranger.run(code)
    assert ours.get("store.attach('t')['a'][-1].as_py()") == ROWS - 1
    assert ours.get("store.tables()[0].in_use_by") == "1"

    # The name that we are about to use is taken by the stranger, closed or open to us.
    squat = crossroads / "squat"
    for mode in (0o700, 0o777):
        stranger.run(f"os.mkdir({str(squat)!r}); os.chmod({str(squat)!r}, {mode})")
        ours.run(f"store = shm.Store({str(squat)!r})")
        for code in (share, "store.attach('t')", "store.tables()", "store.gc()"):
            with pytest.raises(shm.UnsafeDirectory):
                ours.run(code)
        assert os.listdir(squat) == []
        squat.rmdir()


def test_promise_7_the_core_needs_no_jupyter(peer):
    blocked = "IPython ipykernel ipywidgets anywidget jupyter_client jupyter_core jupyter_server tornado traitlets"
    bare, other = (peer() for _ in range(2))
    for one in (bare, other):
        one.run(
            "import sys\n"
            "class Blocked:\n"
            "    def find_spec(self, name, *_):\n"
            f"        if name.partition('.')[0] in {blocked.split()}: raise AssertionError(name)\n"
            "sys.meta_path.insert(0, Blocked())"
        )
    bare.run("shm.share(pa.table({'a': [1, 2]}), 't')")
    assert other.get("shm.attach('t').to_pydict()") == {"a": [1, 2]}
    assert other.get("[(t.name, t.num_rows) for t in shm.tables()]") == [("t", 2)]
    other.run("shm.unshare('t')")
    assert bare.get("repr(shm.tables())") == "no shared tables"


@pytest.mark.parametrize("removal", ["unshare", "replace", "gc"])
def test_promise_8_memory_is_free_with_the_last_mapping(peer, parent, removal):
    publisher, first, second, other = (peer() for _ in range(4))
    publisher.run(f"source = {TABLE}; shm.share(source, 't')")
    (segment,) = footprint(parent)
    first.run("t = shm.attach('t')")
    second.run("t = shm.attach('t'); part = t.slice(7, 1)")
    if removal == "gc":  # which takes only what nobody holds: the publisher must have ended
        publisher.kill()
        other.run("assert shm.gc() == {}")
        first.run("del t")
        second.run("del t, part")
        assert other.get("shm.gc()").keys() == {"t"}
        assert not footprint(parent)
        return
    other.run("shm.unshare('t')" if removal == "unshare" else "shm.share(pa.table({'a': [1]}), 't', replace=True)")
    assert segment in footprint(parent)
    first.run("del t")
    second.run("del t")
    assert segment in footprint(parent), "a slice holds it"
    assert publisher.get("source.num_rows") == ROWS, "the publisher lives"
    second.run("del part")
    assert segment not in footprint(parent)


def test_promise_8_replacing_again_and_again_takes_the_memory_of_one_version(peer, parent):
    publisher, others = peer(), [peer(), peer()]
    publisher.run(f"source = {TABLE}; shm.share(source, 't')")
    (size,) = footprint(parent).values()
    for one in others:
        one.run(f"source = {TABLE}")
    for one, _ in zip(itertools.cycle(others), range(20)):
        one.run("shm.share(source, 't', replace=True); t = shm.attach('t')")
        assert sum(footprint(parent).values()) <= 2.1 * size, "the newest, and the one before that the other still has"
    for one in others:
        one.run("del t")
    assert sum(footprint(parent).values()) <= 1.1 * size
    publisher.run("shm.unshare('t')")
    assert not footprint(parent)
