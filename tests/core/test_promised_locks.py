"""A lock that cannot be had in time is "busy", and the work is never done without it; every use leaves a trace."""

from __future__ import annotations

import errno
import math
import os
import threading
import time

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import directory as directories
from jupyter_arrowshm.core import leases, segment, tokens
from jupyter_arrowshm.core.lock import SHARED, Descriptor, try_lock
from jupyter_arrowshm.server.keeper import Keeper, Rules

TABLE = pa.table({"a": [1, 2]})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch):
    """Make others hold the lock of every draft or token as soon as it exists, as a lister does for an instant."""
    others: list[Descriptor] = []
    monkeypatch.delattr(os, "O_TMPFILE")
    real = Descriptor.open

    def hold(prefix: str, seconds: float) -> None:
        def open_(path, flags, mode=0o600, *, dir_fd=None):
            made = real(path, flags, mode, dir_fd=dir_fd)
            if path.startswith(prefix) and flags & os.O_EXCL:
                other = real(path, os.O_RDONLY, dir_fd=dir_fd)
                assert try_lock(other.fd, SHARED)
                others.append(other)
                threading.Timer(seconds, other.close).start()
            return made

        monkeypatch.setattr(Descriptor, "open", open_)

    yield hold
    for other in others:
        other.close()


def test_a_named_draft_is_locked_though_somebody_asks_about_it(store, held) -> None:
    held(".new-", 0.05)
    writer = store.writer("t", TABLE.schema)
    monkeyed = [name for name in os.listdir(store.directory) if name.startswith(".new-")]
    (name,) = monkeyed
    with Descriptor(os.open(f"{store.directory}/{name}", os.O_RDONLY)) as mine:
        assert not try_lock(mine.fd, SHARED), "a sweeper would take it for abandoned"
    store.tables()
    with writer:
        writer.write(TABLE)
    assert store.attach("t").equals(TABLE)


@pytest.mark.parametrize("what", ["draft", "token"])
def test_a_lock_that_cannot_be_had_is_busy(store, held, monkeypatch, what) -> None:
    if what == "token":
        monkeypatch.setattr(tokens, "LOCK_TIMEOUT", 0.05)
        monkeypatch.setattr(tokens, "_token", tokens._Token())
        held(tokens.token_id(), 60)
    else:
        monkeypatch.setattr(segment, "LOCK_TIMEOUT", 0.05)
        held(".new-", 60)
    with pytest.raises(shm.Busy):
        store.share(TABLE, "t")
    assert not [name for name in os.listdir(store.directory) if name.startswith(".new-") or name.endswith(".arrow")]


@pytest.mark.parametrize(
    "token", ["..", ".", "", "ü" * 32, "0" * 33, "0" * 31, "A" * 32, "\udcff" * 32, "../" * 10 + "00"]
)
def test_what_is_no_token_is_nobodys(store, token) -> None:
    store.share(TABLE, "t")
    opened = store._directory.open()
    assert not tokens.is_alive(opened.fd, token)


# -- a pin that was not asked for --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pinned", [False, True])
def test_a_replacement_that_fails_pins_nothing(store, monkeypatch, pinned) -> None:
    store.share(TABLE, "t", pin=pinned)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "a disk that fails")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        with pytest.raises(shm.StoreFailed):
            store.share(TABLE.slice(1), "t", replace=True, pin=True)
    found = store.info("t")
    assert (found.num_rows, found.pinned) == (2, pinned)


@pytest.mark.parametrize("wait", [math.nan, -1, -0.001, -math.inf])
def test_a_wait_that_is_no_time(store, wait) -> None:
    with pytest.raises(ValueError, match="wait is a number of seconds"):
        store.attach("t", wait=wait)


# -- a directory that becomes another ----------------------------------------------------------------------------------


def test_what_is_known_of_a_directory_ends_with_it(store, directory, monkeypatch) -> None:
    monkeypatch.setattr(directories, "_learn_lock_device", lambda fd: f"00:{os.fstat(fd).st_ino:x}")
    store.share(TABLE, "t")
    devices = set()
    for _ in range(2):
        opened = store._directory.open()
        device = store._directory.lock_device(opened.fd)
        assert device == f"00:{os.fstat(opened.fd).st_ino:x}"
        devices.add(device)
        directory.rename(directory.parent / f"away{len(devices)}")
        directory.mkdir(0o700)  # as where another one is mounted over it
    assert len(devices) == 2


@pytest.mark.parametrize("kind", ["nfs4", "nfs", "cifs", "lustre"])
def test_a_file_system_whose_locks_are_none_of_ours(store, directory, monkeypatch, kind) -> None:
    directory.mkdir(0o700)
    monkeypatch.setattr(directories.room, "file_system", lambda device: kind)
    for call in (store.tables, lambda: store.share(TABLE, "t"), lambda: store.attach("t"), store.room):
        with pytest.raises(shm.UnsafeDirectory, match=rf"is on {kind}, a network file system.*JUPYTER_ARROWSHM_DIR"):
            call()


@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_refuses_locks(store, directory, code) -> None:
    assert "file system without locks" in str(store._directory.explain(OSError(code, "flock")))


# -- who uses it -------------------------------------------------------------------------------------------------------


def test_a_lease_of_a_file_with_the_same_numbers_is_not_believed(store, peer, monkeypatch) -> None:
    """On btrfs two subvolumes have the same device in /proc/locks, and inodes with the same number."""
    other, reader = peer(), peer()
    store.share(TABLE, "t")
    inode = segment.inode_of(store.version("t"))
    real = leases._read_locks

    def read(device: str):
        return real(device) | {("READ", str(other.pid), str(inode))}

    monkeypatch.setattr(leases, "_read_locks", read)
    monkeypatch.setattr(leases, "is_device", lambda text, device: False)
    assert [holder.pid for holder in store.info("t").holders] == [os.getpid()]
    reader.run("t = shm.attach('t')")
    assert {holder.pid for holder in store.info("t").holders} == {os.getpid(), reader.pid}
    assert {holder.pid for holder in store.tables()[0].holders} == {os.getpid(), reader.pid}


def test_info_looks_at_one_table(store, peer, monkeypatch) -> None:
    reader = peer()
    for name in ("a", "b", "c"):
        store.share(TABLE, name)
    reader.run("old = shm.attach('b')")
    store.share(TABLE.slice(1), "b")
    listed = {table.name: table for table in store.tables()}
    asked = []
    real = segment.open_regular
    monkeypatch.setattr(segment, "open_regular", lambda at, name: (asked.append(name), real(at, name))[1])
    assert store.info("b") == listed["b"] and store.info("b").older
    assert set(asked) == {"b"}


# -- when it was used last ---------------------------------------------------------------------------------------------


def test_a_use_between_two_looks_counts(store, directory, peer) -> None:
    publisher, reader = peer(), peer()
    publisher.run("shm.share(pa.table({'a': [1]}), 't')")
    publisher.quit()
    keeper, version = Keeper(Rules(idle_timeout=100)), store.version("t")

    def due(now: float) -> list[str]:
        tables = store.tables()
        keeper.see(tables, now)
        return [table.name for table, _ in keeper.due(tables, now, 1, 1)]

    assert due(0) == []
    file = directory / "t.arrow"
    os.utime(file, ns=(0, file.stat().st_mtime_ns))  # a trace is left once a second at most
    assert due(0) == []
    reader.run("shm.attach('t')")  # and gone again
    assert due(99) == due(198) == []
    assert store.version("t") == version
    assert due(199) == ["t"]


def test_who_looks_leaves_no_trace(store, directory) -> None:
    store.share(TABLE, "t")
    file = directory / "t.arrow"
    os.utime(file, ns=(0, file.stat().st_mtime_ns))  # so long ago that any file system would note a read
    shm.Store(directory).tables()
    store.look("t").reader.read_all()
    assert file.stat().st_atime_ns == 0
    before = time.time_ns()
    store.attach("t")
    assert file.stat().st_atime_ns >= before


def test_versions_that_follow_each_other_at_once_are_told_apart(store) -> None:
    versions = [store.share(TABLE, "t").version for _ in range(50)]
    assert len(set(versions)) == 50
    assert len({version.split("-")[2] for version in versions}) == 50
