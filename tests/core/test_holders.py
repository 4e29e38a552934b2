"""Who uses a table: its publisher and everybody who has it attached, by the names that people know them by."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from kernel import PID_NAMESPACE, needs_pid_namespace, needs_proc_locks
from waiting import eventually

import jupyter_arrowshm as shm

KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
TABLE = pa.table({"a": range(1000), "b": ["x"] * 1000})


def pids(info: shm.TableInfo) -> list[int | None]:
    return sorted(holder.pid for holder in info.holders)


def labels(info: shm.TableInfo) -> list[str]:
    return sorted(str(holder) for holder in info.holders)


@needs_proc_locks
def test_in_use_by_its_publisher_and_who_has_it_attached(store, peer) -> None:
    publisher, reader = peer(), peer()
    publisher.run("shm.share(pa.table({'a': [1]}), 't')")
    assert pids(store.info("t")) == [publisher.pid]
    reader.run("t = shm.attach('t')")
    info = store.info("t")
    assert pids(info) == sorted([publisher.pid, reader.pid])
    assert (info.in_use_by, info.unused, info.publisher.alive) == ("2", False, True)
    publisher.kill()
    info = store.info("t")
    assert (pids(info), info.in_use_by, info.publisher.alive) == ([reader.pid], "1", False)
    assert str(info.publisher) == f"python (pid {publisher.pid}) (ended)"
    reader.kill()
    info = store.info("t")
    assert (info.holders, info.in_use_by, info.unused) == ((), "0", True)
    assert "unused" in repr(store.tables())
    assert store.attach("t").num_rows == 1


@needs_proc_locks
@pytest.mark.parametrize(
    ("keywords", "label"),
    [
        ({}, "python (pid {pid})"),
        ({"script": "etl.py"}, "etl.py"),
        ({"kernel": f"/run/jupyter/kernel-{KERNEL}.json"}, "kernel 0bd8f2b6 (python)"),
        ({"kernel": f"/run/jupyter/kernel-v2-{KERNEL}.json"}, "kernel 0bd8f2b6 (python)"),
        (
            {"kernel": f"kernel-{KERNEL}.json", "env": {"JPY_SESSION_NAME": "/home/me/model.ipynb"}},
            "model.ipynb (python)",
        ),
        ({"env": {"JPY_SESSION_NAME": "/home/me/left-over.ipynb"}}, "python (pid {pid})"),
    ],
)
def test_a_process_is_called_what_people_call_it(store, peer, tmp_path, keywords, label) -> None:
    if "script" in keywords:
        keywords = {**keywords, "script": str(tmp_path / keywords["script"])}
    publisher, reader = peer(**keywords), peer(**keywords)
    publisher.run("shm.share(pa.table({'a': [1]}), 't')")
    reader.run("t = shm.attach('t')")
    info = store.info("t")
    assert labels(info) == sorted(label.format(pid=pid) for pid in (publisher.pid, reader.pid))
    assert str(info.publisher) == label.format(pid=publisher.pid)
    kernel = KERNEL if "kernel" in keywords else ""
    assert {holder.kernel_id for holder in (*info.holders, info.publisher)} == {kernel}
    publisher.kill()
    assert str(store.info("t").publisher) == label.format(pid=publisher.pid) + " (ended)"


@needs_proc_locks
def test_a_child_of_a_kernel_is_called_after_the_kernel(store, peer) -> None:
    store.share(TABLE, "t")
    kernel = peer(kernel=f"kernel-{KERNEL}.json", env={"JPY_SESSION_NAME": "model.ipynb"})
    kernel.run("from peers import Peer\nchild = Peer()\nchild.run(\"t = shm.attach('t')\")")
    pid = kernel.get("child.pid")
    (child,) = (holder for holder in store.info("t").holders if holder.pid == pid)
    assert (str(child), child.kernel_id) == (f"model.ipynb (python), child process {pid}", KERNEL)
    kernel.run("child.kill()")


@needs_proc_locks
@pytest.mark.parametrize("keywords", [{}, {"kernel": f"kernel-{KERNEL}.json"}])
def test_a_process_that_is_ending_keeps_its_name(store, peer, keywords) -> None:
    """Its command line is gone before its locks are; its main thread's end is the same, and lasts."""
    ending = peer(**keywords)
    ending.run("import ctypes, signal, threading\nt = shm.share(pa.table({'a': [1]}), 't')")
    ending.run("threading.Thread(target=signal.sigwait, args=([signal.SIGUSR1],), daemon=True).start()")
    (before,) = store.tables()
    ending.start("ctypes.CDLL(None).pthread_exit(None)")
    eventually(lambda: not Path(f"/proc/{ending.pid}/cmdline").read_bytes())
    (after,) = store.tables()
    assert labels(after) == labels(before) and after.holders[0].language == "python"
    (after,) = store.tables()
    assert after == before


# -- processes that cannot be seen -------------------------------------------------------------------------------------


@needs_proc_locks
def test_a_child_that_outlives_whoever_attached_is_an_unknown_process(store, peer) -> None:
    publisher, reader = peer(), peer()
    publisher.run("shm.share(pa.table({'a': [1]}), 't')")
    publisher.kill()
    reader.run("import signal\nt = shm.attach('t')")
    reader.run("child = os.fork()\nif not child: signal.pause()")
    child = reader.get("child")
    reader.kill()
    try:
        info = store.info("t")
        assert (labels(info), info.in_use_by, info.unused) == (["unknown process"], "1", False)
        assert store.gc() == {}
    finally:
        os.kill(child, 9)
    eventually(lambda: not store.info("t").holders)  # a process cannot wait for a child that is not its own
    assert store.gc() == {"t": info.nbytes}


@needs_proc_locks
@needs_pid_namespace
def test_processes_of_another_pid_namespace(store, peer) -> None:
    inside = peer(prefix=PID_NAMESPACE)
    try:
        inside.run("shm.share(pa.table({'a': [1]}), 't')")
        # From outside, a process inside has a number, but not the one that it sees itself.
        (holder,) = store.info("t").holders
        assert holder.pid == store.info("t").publisher.pid != inside.get("os.getpid()")
        # From inside, processes outside have none.
        store.share(TABLE, "ours")
        assert inside.get("shm.info('ours').publisher.alive") is True
        assert inside.get("[str(holder) for holder in shm.info('ours').holders]") == ["unknown process"]
        kept = store.attach("t")
        inside.run("shm.unshare('ours')")
        assert inside.get("shm.gc()") == {}
        del kept
    finally:
        inside.quit()


def test_without_proc_locks_no_number_is_made_up(store, peer, monkeypatch) -> None:
    publisher, reader = peer(), peer()
    publisher.run("shm.share(pa.table({'a': [1]}), 't')")
    read = Path.read_text

    def read_text(path: Path, *args: object, **keywords: object) -> str:
        if str(path) == "/proc/locks":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return read(path, *args, **keywords)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert (store.info("t").in_use_by, store.info("t").countable) == ("in use", False)
    reader.run("t = shm.attach('t')")
    publisher.kill()
    assert store.info("t").in_use_by == "in use"
    assert "in use by in use" not in str(store.info("t"))
    reader.kill()
    assert (store.info("t").in_use_by, store.info("t").unused) == ("unused", True)
    assert "unused" in repr(store.tables())
