"""The private directory: which one it is, how it is made, what is refused, and who may change names."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE, Directory

TABLE = pa.table({"a": range(10)})
TINY = "pa.table({'a': [1]})"
CHANGES = {
    "share": lambda store: store.share(TABLE, "t"),
    "writer": lambda store: store.writer("t", TABLE.schema),
    "unshare": lambda store: store.unshare("good"),
    "pin": lambda store: store.pin("good"),
    "gc": lambda store: store.gc(),
}
LOOKS = {
    "attach": lambda store: store.attach("good"),
    "tables": lambda store: store.tables(),
    "info": lambda store: store.info("good"),
}

# -- which one ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def mounting() -> Iterator[Peer]:
    """A process that can mount over /dev/shm unnoticed by others."""
    peer = Peer(prefix=MOUNT_NAMESPACE, env={ENVIRONMENT_VARIABLE: ""})
    peer.run("import subprocess\ndef mount(*words): subprocess.run(['mount', *words], check=True)")
    yield peer
    peer.end()


@needs_mount_namespace
@pytest.mark.parametrize(
    ("words", "parent"),
    [
        (["-t", "tmpfs", "-o", "size=2g"], "/dev/shm"),
        (["-t", "tmpfs", "-o", "size=1g"], "/dev/shm"),
        (["-t", "tmpfs", "-o", "size=0"], "/dev/shm"),  # without a limit
        (["-t", "tmpfs", "-o", "size=64m"], "/tmp"),  # Docker's
        (["-t", "proc"], "/tmp"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_without_the_variable_it_is_in_a_large_dev_shm_or_else_in_tmp(mounting, words, parent) -> None:
    mounting.run(f"mount(*{words!r}, 'none', '/dev/shm')")
    assert mounting.get("shm.Store().directory") == f"{parent}/jupyter-arrowshm-{mounting.get('os.geteuid()')}"


def test_the_variable_says_which(directory, peer, parent, monkeypatch) -> None:
    assert shm.Store().directory == str(directory)
    assert peer().get("shm.Store().directory") == str(directory)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(parent / "other"))
    shm.share(TABLE, "t")
    assert (parent / "other" / "t.arrow").exists(), "read at each call"


# -- how it is made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_owner_can_look_inside(store, peer, umask) -> None:
    peer().run(f"os.umask({umask}); shm.share({TINY}, 't', pin=True)")
    modes = {
        path.relative_to(store.directory).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in Path(store.directory).rglob("*")
    }
    assert stat.S_IMODE(os.stat(store.directory).st_mode) == 0o700
    assert (modes.pop(".live"), modes.pop(".pins"), modes.pop("t.arrow")) == (0o700, 0o700, 0o400)
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


# -- what is refused ---------------------------------------------------------------------------------------------------


def _link(path: Path) -> None:
    path.with_name("real").mkdir(0o700)
    path.symlink_to("real", target_is_directory=True)


def _mode(mode: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.mkdir()
        path.chmod(mode)

    return make


def _of_another_user(path: Path) -> None:
    path.mkdir(0o700)
    os.chown(path, 65534, 65534)


REFUSED = {
    "a symbolic link": (_link, "is a symbolic link. Remove it."),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "is a symbolic link. Remove it."),
    "a file": (Path.touch, "is not a directory. Remove it."),
    "a FIFO": (os.mkfifo, "is not a directory. Remove it."),
    "readable by the group": (_mode(0o750), "is open to other users. Run chmod 700 "),
    "writable by the group": (_mode(0o720), "is open to other users. Run chmod 700 "),
    "open to all": (_mode(0o1777), "is open to other users. Run chmod 700 "),
}
if os.geteuid() == 0:
    REFUSED["somebody else's"] = (_of_another_user, "belongs to user 65534, not to you. ")


@pytest.mark.parametrize("what", REFUSED)
def test_an_unsafe_directory_is_refused_and_left_as_it_is(store, directory, what) -> None:
    make, text = REFUSED[what]
    make(directory)
    before = os.lstat(directory)
    for call in (*CHANGES.values(), *LOOKS.values()):
        with pytest.raises(shm.UnsafeDirectory) as caught:
            call(store)
        assert caught.value.directory == str(directory)
        assert f"{directory} {text}" in str(caught.value)
    assert os.lstat(directory) == before
    if directory.is_dir():
        assert os.listdir(directory) == []


def test_a_relative_path_and_a_missing_parent(parent, monkeypatch) -> None:
    for path in ("store", "./store", ""):
        with pytest.raises(shm.UnsafeDirectory, match="relative"):
            shm.Store(path)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "store")
    with pytest.raises(shm.UnsafeDirectory, match="relative"):
        shm.tables()
    missing = shm.Store(parent / "no" / "store")
    assert missing.tables() == []
    with pytest.raises(shm.UnsafeDirectory, match=r"has no parent directory\. Make that first"):
        missing.share(TABLE, "t")
    (parent / "file").touch()
    with pytest.raises(shm.UnsafeDirectory):
        shm.Store(parent / "file" / "store").share(TABLE, "t")


def test_it_is_checked_at_every_call(store, directory) -> None:
    store.share(TABLE, "good")
    directory.chmod(0o770)
    for call in (*CHANGES.values(), *LOOKS.values()):
        with pytest.raises(shm.UnsafeDirectory):
            call(store)
    directory.chmod(0o700)
    directory.rename(directory.with_name("moved"))
    directory.symlink_to("moved", target_is_directory=True)
    for call in (*CHANGES.values(), *LOOKS.values()):
        with pytest.raises(shm.UnsafeDirectory):
            call(store)


@needs_mount_namespace
def test_what_cannot_be_written_can_be_read(store, directory, peer) -> None:
    publisher = peer()
    publisher.run(f"shm.share({TINY}, 'good'); shm.share({TINY}, 'u')")
    publisher.kill()  # its traces cannot be removed then
    inside = peer(prefix=MOUNT_NAMESPACE)
    path = str(directory)
    inside.run(f"import subprocess; subprocess.run(['mount', '--bind', {path!r}, {path!r}], check=True)")
    inside.run(f"subprocess.run(['mount', '-o', 'remount,bind,ro', {path!r}], check=True)")
    assert inside.get("shm.attach('good').num_rows") == 1
    assert inside.get("[table.name for table in shm.tables()]") == ["good", "u"]
    for call in (f"share({TINY}, 't')", f"share({TINY}, 'good', replace=True)", "unshare('good')", "pin('u')", "gc()"):
        with pytest.raises(shm.UnsafeDirectory, match="Read-only file system"):
            inside.run(f"shm.{call}")
    assert [table.name for table in store.tables()] == ["good", "u"]


# -- who is let in -----------------------------------------------------------------------------------------------------


def test_a_stopped_process_that_holds_the_lock_makes_changes_busy(store, directory, peer, monkeypatch) -> None:
    store.share(TABLE, "good")
    holder = peer()
    holder.run("from jupyter_arrowshm.core.directory import Directory; lock = Directory().lock(); lock.__enter__()")
    holder.signal(signal.SIGSTOP)
    monkeypatch.setattr(Directory.lock.__wrapped__, "__defaults__", (0.05,))
    for call in CHANGES.values():
        with pytest.raises(shm.Busy, match="Try again") as caught:
            call(store)
        assert (caught.value.lock, caught.value.waited) == (str(directory), 0.05)
    for call in LOOKS.values():
        call(store)
    assert sorted(os.listdir(directory)) == [".live", ".pins", "good.arrow"]
    holder.signal(signal.SIGCONT)
    holder.run("lock.__exit__(None, None, None)")
    store.share(TABLE, "t")


def test_the_lock_goes_with_whoever_holds_it(store, peer) -> None:
    holder = peer()
    holder.run("from jupyter_arrowshm.core.directory import Directory; lock = Directory().lock(); lock.__enter__()")
    holder.kill()
    store.share(TABLE, "t")


def test_threads_exclude_each_other(directory) -> None:
    one, inside, most = Directory(directory), [], []

    def enter() -> None:
        for _ in range(5):
            with one.lock():
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 30


def test_threads_share_and_attach_at_once(store) -> None:
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(10):
                store.share(pa.table({"a": [number] * (1 + i)}), "same")
                values = store.attach("same")["a"].to_pylist()
                assert len(set(values)) == 1
                store.share(TABLE, f"own-{number}")
                store.tables()
                store.unshare(f"own-{number}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [table.name for table in store.tables()] == ["same"]


# -- removed under a live store ----------------------------------------------------------------------------------------


def test_the_next_share_makes_it_anew(store, directory, peer) -> None:
    other = peer()
    other.run(f"shm.share({TINY}, 'theirs')")
    store.share(TABLE, "t")
    kept = store.attach("t")
    for _ in range(2):
        shutil.rmtree(directory)
        assert store.tables() == [] and store.gc() == {}
        for call in (store.attach, store.info, store.unshare, store.pin):
            with pytest.raises(shm.TableNotFound):
                call("t")
        assert not directory.exists()
        other.run(f"shm.share({TINY}, 'theirs')")
        assert [(info.name, info.publisher.alive) for info in store.tables()] == [("theirs", True)]
        store.share(TABLE, "t")
        assert [info.publisher.alive for info in store.tables()] == [True, True]
        assert other.get("len(shm.attach('t'))") == 10
    assert kept.equals(TABLE)


def test_another_directory_in_its_place_is_used(store, directory, parent) -> None:
    other = shm.Store(parent / "other")
    store.share(TABLE, "mine")
    other.share(TABLE.slice(1), "theirs")
    directory.rename(parent / "away")
    os.rename(other.directory, directory)
    assert [table.name for table in store.tables()] == ["theirs"]
    assert store.attach("theirs").num_rows == 9
    store.share(TABLE, "mine")
    assert sorted(path.name for path in directory.glob("*.arrow")) == ["mine.arrow", "theirs.arrow"]


@pytest.mark.parametrize("name", [".live", ".pins"])
def test_without_its_marks_it_makes_them_anew(store, directory, name) -> None:
    store.share(TABLE, "t")
    shutil.rmtree(directory / name)
    assert [table.name for table in store.tables()] == ["t"]
    store.share(TABLE, "u", pin=True)
    assert store.info("u").pinned
    assert store.gc() == {}
    assert store.attach("u").equals(TABLE)
