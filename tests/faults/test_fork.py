"""Children: what a fork inherits of leases, tokens, locks and unpublished memory, and what exec drops.

Forks happen in peers: a process with threads, as pytest's may be, is warned from forking by Python 3.12.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from faults.record import times
from measures import footprint, users
from waiting import eventually

import jupyter_arrowshm as shm

TABLE = "pa.table({'a': pa.array(range(1 << 17))})"
FORK = """
import signal, threading, time, warnings
from jupyter_arrowshm.core.store import default_store
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later, of a fork with threads: that is the test
def fork(work=lambda: None):
    if pid := os.fork(): return pid
    signal.alarm(120)  # whatever becomes of the test
    try:
        work()
        signal.pause()
    finally:
        os._exit(0)
"""


@pytest.fixture
def forking(peer: Callable) -> Iterator[Callable]:
    """A peer that can ``fork()``, and ``forking.child(peer, work)``; the children are gone after the test."""
    children: list[int] = []

    def start():
        one = peer()
        one.run(FORK)
        return one

    def child(of, work: str = "lambda: None") -> int:
        children.append(of.get(f"fork({work})"))
        return children[-1]

    start.child, start.children = child, children
    yield start
    for pid in children:
        end(pid)


def end(pid: int) -> None:
    """SIGKILL, and wait until its memory and locks are gone; its parent may not have reaped it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether it still has files and memory: a zombie has not, once its last thread has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def holders(store: shm.Store, name: str = "t") -> list[int | None]:
    return [holder.pid for holder in store.info(name).holders]


def test_a_forked_child_keeps_the_mapping_of_its_dead_parent(store, parent, peer, forking, tried):
    publisher, reader = peer(), forking()
    publisher.run(f"shm.share({TABLE}, 't')")
    reader.run("t = shm.attach('t')")
    child = forking.child(reader)
    assert holders(store) == [reader.pid, publisher.pid]
    reader.kill()
    publisher.kill()
    (unknown,) = store.info("t").holders
    assert unknown.pid is None
    assert str(unknown) == "unknown process"
    assert store.gc() == {}
    store.unshare("t")
    assert footprint(parent)
    end(child)
    assert not footprint(parent)
    tried("child", 1)


CHILDREN = {
    "python": (FORK, "t = shm.attach('t')", "[fork() for _ in range(7)]"),
    "julia": (
        """
function fork()
    pid = ccall(:fork, Cint, ())
    pid == 0 || return Int(pid)
    ccall(:alarm, Cuint, (Cuint,), 120)
    while true
        ccall(:pause, Cint, ())
    end
end
""",
        't = attach("t"); sum(t.a)',
        "[fork() for _ in 1:7]",
    ),
    "R": (
        "fork <- function(i) parallel::mcparallel(Sys.sleep(120), detached = TRUE, silent = TRUE)$pid",
        't <- attach_table("t"); sum(t$a)',
        "vapply(1:7, fork, 0L)",
    ),
}


def test_children_that_outlive_their_parent(store, parent, language, peer, new_julia, new_r, tried):
    publisher, reader = peer(), {"python": peer, "julia": new_julia, "R": new_r}[language]()
    publisher.run(f"shm.share({TABLE}, 't')")
    prelude, attach, fork = CHILDREN[language]
    reader.run(prelude)
    reader.run(attach)
    children = reader.get(fork)
    try:
        assert holders(store) == [reader.pid, publisher.pid]
        reader.kill()
        publisher.kill()
        while children:
            assert holders(store) == [None] and store.gc() == {}, f"{len(children)} children have it"
            end(children.pop())
            tried("child", 1)
    finally:
        for pid in children:
            end(pid)
    assert holders(store) == []
    assert store.gc().keys() == {"t"}
    assert not footprint(parent)


def test_a_child_that_drops_what_it_inherited_leaves_the_parents_lease(store, peer, forking, tried):
    publisher, reader = peer(), forking()
    publisher.run(f"shm.share({TABLE}, 't')")
    reader.run("t = shm.attach('t')")
    reader.run(
        "def drop():\n    global t\n    del t\n    shm.attach('t')\n    os.mkdir(shm.Store().directory + '/../done')"
    )
    forking.child(reader, "drop")
    eventually((Path(store.directory).parent / "done").exists)
    publisher.kill()
    assert holders(store) == [reader.pid]
    assert store.gc() == {}
    reader.run("del t")
    assert store.gc().keys() == {"t"}
    tried("child", 1)


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.Popen(['sleep', '120'])",
        "subprocess.Popen(['sleep', '120'], close_fds=False)",
        "subprocess.Popen(['sleep', '120'], preexec_fn=lambda: None)",
        "process('spawn')",
        "process('forkserver')",
    ],
)
def test_a_child_that_execs_holds_nothing(store, parent, forking, start, tried):
    reader = forking()
    reader.run(
        f"import multiprocessing, subprocess; shm.share({TABLE}, 't'); t = shm.attach('t')\n"
        "def process(method):\n"
        "    child = multiprocessing.get_context(method).Process(target=time.sleep, args=(120,))\n"
        "    child.start()\n"
        "    return child"
    )
    reader.run(f"child = {start}")
    forking.children.append(reader.get("child.pid"))
    assert holders(store) == [reader.pid]
    assert users(parent) - {os.getpid()} == {reader.pid}
    reader.kill()
    assert is_running(forking.children[-1])
    # The kernel closes a child's files after it let vfork's parent go on (begin_new_exec in fs/exec.c, vfork(2)).
    eventually(lambda: store.info("t").unused)
    assert store.gc().keys() == {"t"}
    assert not footprint(parent)
    tried("child", 1)


def test_multiprocessing_fork_inherits_as_fork_does(store, forking, tried):
    reader = forking()
    reader.run(
        f"import multiprocessing; shm.share({TABLE}, 't'); t = shm.attach('t')\n"
        "child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(120,)); child.start()"
    )
    forking.children.append(reader.get("child.pid"))
    reader.kill()
    assert holders(store) == [None]
    end(forking.children[-1])
    assert holders(store) == []
    tried("child", 1)


def test_a_forked_child_is_no_publisher(store, parent, forking, tried):
    publisher = forking()
    publisher.run(f"shm.share({TABLE}, 't')")
    child = forking.child(publisher)
    assert users(parent) - {os.getpid()} == {publisher.pid}
    assert holders(store) == [publisher.pid]
    publisher.kill()
    assert is_running(child)
    found = store.info("t")
    assert not found.publisher.alive
    assert found.unused
    tried("child", 1)


def test_a_forked_child_may_share_for_itself_and_owns_that_alone(store, forking, tried):
    publisher = forking()
    publisher.run(f"shm.share({TABLE}, 't')")
    publisher.run(
        "def work():\n"
        "    try: shm.share(pa.table({'a': [1]}), 't')\n"
        "    except shm.TableExists: shm.share(pa.table({'a': [2]}), 'mine')\n"
    )
    child = forking.child(publisher, "work")
    assert store.attach("mine", wait=30)["a"].to_pylist() == [2]
    assert holders(store, "mine") == [child]
    with pytest.raises(shm.TableExists):
        publisher.run("shm.share(pa.table({'a': [3]}), 'mine')")
    end(child)
    assert not store.info("mine").publisher.alive
    assert store.info("t").publisher.alive
    tried("child", 1)


def test_a_forked_child_does_not_keep_the_directory_lock(store, parent, peer, forking, tried):
    one, other = forking(), peer()
    one.run(f"shm.share({TABLE}, 't')")
    one.run(
        "held, free = threading.Event(), threading.Event()\n"
        "def hold():\n"
        "    with default_store()._directory.lock(): held.set(); free.wait()\n"
        "thread = threading.Thread(target=hold); thread.start(); held.wait()"
    )
    child = forking.child(one)
    other.start(f"shm.share({TABLE}, 'next')")
    one.run("free.set(); thread.join()")
    other.wait()
    assert is_running(child)
    one.run("free.clear(); held.clear(); thread = threading.Thread(target=hold); thread.start(); held.wait()")
    forking.child(one)
    one.kill()
    other.run("shm.unshare('t')")
    assert users(parent) - {os.getpid()} == {other.pid}
    tried("fork", 2)


@pytest.mark.parametrize("unnamed", [True, False], ids=["O_TMPFILE", "dot file"])
def test_a_forked_child_does_not_keep_unpublished_memory(store, parent, forking, unnamed, tried):
    one = forking()
    if not unnamed:
        one.run("del os.O_TMPFILE")
    # More than a batch: it is written before the next comes.
    one.run("half = pa.table({'a': pa.repeat(pa.scalar(1, pa.int64()), 9 << 20)})")
    one.run("writer = shm.writer('t', half.schema); writer.write(half)")
    assert footprint(parent)
    forking.child(one)
    with pytest.raises(ZeroDivisionError):
        one.run("with writer: 1 / 0")
    assert not footprint(parent)

    # A child that tries to go on with it changes nothing.
    one.run("writer = shm.writer('t', half.schema); writer.write(half)")
    one.run(
        "def work():\n"
        "    try:\n"
        "        with writer: writer.write(half)\n"
        "    except shm.ArrowSHMError: os.mkdir(shm.Store().directory + '/../refused')\n"
    )
    forking.child(one, "work")
    eventually((parent / "refused").exists)
    assert len(footprint(parent)) == 1
    one.run("with writer: pass")
    assert store.attach("t").num_rows == 9 << 20
    store.unshare("t")
    assert not footprint(parent)
    tried("child", 1)


def test_children_forked_at_any_moment_of_other_threads_keep_nothing(store, parent, peer, forking, tried):
    one, other = forking(), peer()
    one.run(
        f"source = {TABLE}; stop = threading.Event()\n"
        "def work(name):\n"
        "    while not stop.is_set():\n"
        "        shm.share(source, name); shm.pin(name); shm.tables(); shm.unpin(name); shm.unshare(name)\n"
        "threads = [threading.Thread(target=work, args=(name,)) for name in 'ab']\n"
        "for thread in threads: thread.start()"
    )
    try:
        forks = times(100, 1000)
        for _ in range(forks):
            forking.child(one)
        other.run(f"shm.share({TABLE}, 'c'); shm.tables()")
    finally:
        one.run("stop.set()\nfor thread in threads: thread.join()")
    assert all(map(is_running, forking.children))
    assert users(parent) - {os.getpid()} == {one.pid, other.pid}
    assert len(footprint(parent)) == 1
    one.kill()
    assert store.info("c").in_use_by == "1"
    store.share(pa.table({"a": [1]}), "d")
    assert len(list((Path(store.directory) / ".live").iterdir())) == 2
    tried("fork", forks)


# A thread that stands in the middle of a listing, wherever that looks something up or notes it.
PAUSE = """
class Paused(dict):
    inside, go = threading.Event(), threading.Event()
    def pause(self):
        if threading.current_thread() is not threading.main_thread():
            self.inside.set(); self.go.wait()
    def __contains__(self, key): self.pause(); return super().__contains__(key)
    def __setitem__(self, key, value): self.pause(); return super().__setitem__(key, value)
    def get(self, *args): self.pause(); return super().get(*args)
default_store()._listing._summaries = Paused()
thread = threading.Thread(target=shm.tables); thread.start(); Paused.inside.wait()
"""
RETURNS = """
def returns(work):
    'Whether a forked child comes back from what it does.'
    if not (pid := os.fork()):
        signal.alarm(30)
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.parametrize(
    "call",
    [
        "shm.tables()",
        "shm.info('t')",
        "shm.share(pa.table({'a': [2]}), 't', replace=True)",
        "shm.attach('t')",
        "shm.gc()",
    ],
)
def test_a_child_waits_for_no_lock_that_a_thread_held_at_the_fork(store, forking, call, tried):
    one = forking()
    one.run(f"shm.share({TABLE}, 't')")
    one.run(PAUSE + RETURNS)
    try:
        assert one.get(f"returns(lambda: {call})")
    finally:
        one.run("Paused.go.set(); thread.join()")
    tried("fork", 1)


@pytest.mark.parametrize("lock", ["widget._lock", "widget._questions[0]._changed"])
def test_a_child_can_use_and_close_a_widget_whose_lock_a_thread_held(store, forking, lock, tried):
    one = forking()
    one.run(f"shm.share({TABLE}, 't')")
    one.run(RETURNS + "widget = shm.SharedTables()\nheld, free = threading.Event(), threading.Event()")
    one.run(
        f"def hold():\n  with {lock}: held.set(); free.wait()\nthread = threading.Thread(target=hold); thread.start()"
    )
    one.run("held.wait()\ndef use():\n  widget.refresh(); widget._questions[0].drop(1); widget.close()")
    try:
        assert one.get("returns(use)")
    finally:
        one.run("free.set(); thread.join()")
    tried("fork", 1)
