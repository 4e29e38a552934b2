"""Many readers, many tables, many columns, the smallest table and a large one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from faults.record import FACTOR
from kernel import needs_proc_locks

import jupyter_arrowshm as shm

GIB = 1 << 30


@needs_proc_locks
@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_200_readers_of_one_table(store, peer, tried):
    store.share(pa.table({"a": range(1000)}), "t")
    reader = peer()
    reader.run(
        "import signal, warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "def child():\n"
        "    if pid := os.fork(): return pid\n"
        "    signal.alarm(200); t = shm.attach('t'); signal.pause()"
    )
    pids = reader.get("[child() for _ in range(200)]")
    try:
        deadline = time.monotonic() + 100
        while (found := store.info("t")).in_use_by != "201":
            assert time.monotonic() < deadline, found.in_use_by
        assert {holder.pid for holder in found.holders} == {os.getpid(), *pids}
        assert "201" in repr(store.tables())
        for pid in pids[:100]:
            os.kill(pid, signal.SIGKILL)
        while (found := store.info("t")).in_use_by != "101":
            assert time.monotonic() < deadline, found.in_use_by
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reader.kill()
    tried("scale", 1)


LOCKING = """
import fcntl, sys, tempfile
files = [tempfile.TemporaryFile(dir=sys.argv[1]) for _ in range(50)]
print(flush=True)
while True:
    for operation in (fcntl.LOCK_SH, fcntl.LOCK_UN):
        for file in files:
            fcntl.flock(file, operation)
"""


@needs_proc_locks
@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_who_uses_many_tables_while_others_lock_and_unlock(store, directory, parent, peer, speaker, tried):
    """The kernel lists locks by the page, and between two of them what others do moves the rest."""
    store.share(pa.table({"a": [1]}), "t-0")
    for number in range(1, 200):
        shutil.copyfile(store.path("t-0"), store.path(f"t-{number}"))
    for _ in range(2):
        peer().run("held = [shm.attach(name) for name in shm.Store().names()]")
    one = speaker()
    with subprocess.Popen([sys.executable, "-c", LOCKING, parent], stdout=subprocess.PIPE) as busy:
        try:
            busy.stdout.readline()
            # Who published them all, and the two that have them all attached.
            assert one.get("counts") == [3]
        finally:
            busy.kill()
    tried("scale", 1)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_thousands_of_tables(store, directory, speaker, tried):
    """Copies of one file: as many shares take longer, and are not what is tried."""
    count = 10_000 if FACTOR > 1 else 2_000
    store.share(pa.table({"a": [1]}), "t-0")
    for number in range(1, count):
        shutil.copyfile(store.path("t-0"), store.path(f"t-{number}"))
    one = speaker()
    assert sorted(one.get("names")) == sorted(f"t-{number}" for number in range(count))
    one.do("share")
    store.unshare("t-0")
    with pytest.raises(shm.TableNotFound, match="Did you mean"):
        store.attach("t-0")
    assert one.get("gc") == []  # this process published them, and lives
    assert len(store.tables()) == count
    tried("scale", 1)


@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_5_000_columns_and_one_byte(store, speaker, tried):
    wide = pa.table({f"c{number}": [number] for number in range(5_000)})
    store.share(wide, "wide")
    assert store.attach("wide").equals(wide) and store.info("wide").num_columns == 5_000
    for small in (pa.table({"a": pa.array([7], "int8")}), pa.table({"a": pa.array([], "int8")}), pa.table({})):
        store.share(small, "small")
        assert store.attach("small").equals(small)
    assert speaker().get("names") == ["small", "wide"]
    tried("scale", 2)


@pytest.mark.skipif(FACTOR <= 1, reason="10 GiB are shared by `make torture`")
@pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)
def test_10_gib(store, directory, parent, peer, tried):
    """A table of 10 GiB is written batch by batch, attached, listed, and freed."""
    if store.room().free < 12 * GIB:
        pytest.skip("less than 12 GiB of tmpfs and memory left")
    one = peer()
    one.run("batch = pa.record_batch({'a': pa.arange(0, 8 << 20)})")
    one.run("with shm.writer('t', batch.schema) as writer:\n  for _ in range(160): writer.write(batch)")
    table = store.attach("t")
    assert (table.nbytes, table.num_rows) == (10 * GIB, 160 * (8 << 20))
    assert table["a"][-1].as_py() == (8 << 20) - 1
    assert "10.7 GB" in repr(store.tables())
    store.unshare("t")
    del table
    assert sum(path.stat().st_size for path in Path(directory).rglob("*.arrow")) == 0
    tried("scale", 1)
