"""Little memory, and no room for another process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from faults import interception
from peers import Peer

import jupyter_arrowshm as shm

MB = 1 << 20
CGROUPS = {  # of version 1 and 2: where they are, and the file with the limit
    Path("/sys/fs/cgroup/memory"): "memory.limit_in_bytes",
    Path("/sys/fs/cgroup"): "memory.max",
}


def _make_cgroup(name: str) -> Path | None:
    """A memory cgroup of 512 MB, if this user may make one."""
    for root, limit in CGROUPS.items():
        group = root / name
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(512 * MB))
            return group
        except OSError:
            group.rmdir()
    return None


@pytest.fixture
def in_512_mb(peer: Callable[..., Peer]) -> Iterator[Peer]:
    group = _make_cgroup(f"arrowshm-test-{os.getpid()}")
    if group is None:
        pytest.skip("this user may not make a memory cgroup")
    one = peer()
    try:
        one.run(f"open('{group}/cgroup.procs', 'w').write(str(os.getpid()))")
        yield one
    finally:
        one.kill()
        for pid in (group / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        while (group / "cgroup.procs").read_text():
            pass
        group.rmdir()


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    """Memory, where there is any: a disk's limits are its own."""
    path = Path(f"/dev/shm/arrowshm-test-{os.getpid()}") if os.access("/dev/shm", os.W_OK) else tmp_path / "parent"
    path.mkdir(0o700)
    yield path
    for directory in (path / "store", path):
        for file in sorted(directory.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
    path.rmdir()


PREVIEW = """
import asyncio, itertools
from jupyter_arrowshm.looking.questions import RowsQuestion
from jupyter_arrowshm.server.previewer import Previewer
previewer = Previewer()
def rows(name, **more):
    question = RowsQuestion(name, shm.Store().directory, limit=3, cell=9, **more)
    head, body = asyncio.run(previewer.ask(question))
    return pa.ipc.open_stream(body).read_all().to_pydict()
"""


def test_512_mb_of_memory(in_512_mb: Peer, store: shm.Store) -> None:
    """What exceeds a cgroup is refused, where the kernel would kill; what is there stays, and goes on being read."""
    one = in_512_mb
    one.run("left = shm.Store().room(); big = pa.table({'n': range(1 << 20)})")
    left = one.get("left")
    assert (left.limited_by, left.total) == ("container", 512 * MB) and 0 < left.free < left.total
    with pytest.raises(shm.NoRoom) as caught:
        one.run("for number in range(100): shm.share(big, f't{number}')")
    assert caught.value.free < caught.value.needed < 10 * MB
    assert 20 < len(store.tables()) < 64
    assert one.get("shm.attach('t0')['n'][-1].as_py()") == (1 << 20) - 1
    one.run("for table in shm.tables(): shm.unshare(table.name)")
    with pytest.raises(shm.NoRoom):
        one.run("with shm.writer('w', big.schema) as w:\n  while True: w.write(big)")
    one.run("from machines.walk_here import findings")
    (remedy,) = [remedy for finding, remedy in one.get("findings()").items() if "can still be shared" in finding]
    assert remedy.startswith("free memory, gc() or unshare() tables")
    # A preview that takes more memory than there is costs its own process, and not the larger one that asked.
    one.run("del big; ballast = bytearray(b'.') * (150 << 20)")
    one.run(PREVIEW)
    one.run("text = pa.array(['x' * 100_000], pa.large_string()); shm.share(pa.table({'n': [1, 2]}), 'small')")
    one.run("bomb = pa.DictionaryArray.from_arrays(pa.array([0] * 9_000, pa.int8()), text)")  # 900 MB as plain text
    one.run("shm.share(pa.table({'bomb': bomb}), 'bomb')")
    with pytest.raises(shm.QueryStopped):
        one.run("rows('bomb', sort='[{\"column\": 0}]')")
    assert one.get("rows('small')") == {"n": [1, 2]}
    one.run("previewer.stop()")


@pytest.mark.skipif(not interception.works(), reason="no filters of system calls here")
def test_a_full_process_table(store: shm.Store, peer: Callable[..., Peer]) -> None:
    """No thread can be started, with which pyarrow would read files, and no process, by which doctor asks kernels."""
    store.share(pa.table({"a": [1, 2]}), "theirs")
    one = peer()
    one.run("from faults import interception; from machines.walk_here import *")
    one.run(PREVIEW)
    one.run("interception.install(interception.NO_FORK)")
    with pytest.raises(BlockingIOError):
        one.run("os.fork()")
    one.run("shm.share(TABLE, 't'); shm.share(TABLE.slice(1), 't'); shm.share(shm.attach('theirs'), 'u')")
    assert one.get("shm.attach('t', validate='full').equals(TABLE.slice(1))")
    assert one.get("[table.name for table in shm.tables()]") == ["t", "theirs", "u"]
    with pytest.raises(shm.TableExists):
        one.run("shm.share(TABLE, 'theirs')")
    (found,) = [(finding, remedy) for finding, remedy in one.get("findings()").items() if remedy]
    assert "no other process can be started" in found[0] and "ulimit -u" in found[1]
    with pytest.raises(shm.QueryStopped, match="could not be started"):
        one.run("rows('t')")
    one.run("shm.unshare('t'); shm.unshare('u')")
    assert one.get("shm.gc()") == {}
