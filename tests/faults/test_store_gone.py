"""The store, a name or a file goes while somebody uses it: what is attached stays, and the memory goes in the end."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pyarrow as pa
import pytest
from faults.record import times
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from measures import footprint

import jupyter_arrowshm as shm

SUM = sum(range(1000))
TABLE = pa.table({"a": range(1000)})


def removed(directory: Path) -> None:
    shutil.rmtree(directory)


def replaced(directory: Path) -> None:
    directory.rename(directory.with_name("away"))
    directory.mkdir(0o700)
    shutil.rmtree(directory.with_name("away"))


def emptied(directory: Path) -> None:
    """As RemoveIPC of logind.conf(5) does at the last logout."""
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_the_store_goes_while_it_is_used(store, directory, parent, speaker, tried):
    one = speaker()
    for number in range(times(9, 25)):
        for go in (removed, replaced, emptied):
            store.share(TABLE, "t", replace=True)
            one.do("attach")
            go(directory)
            assert one.get("names") == []
            assert one.get("sum") == SUM, f"{go.__name__}, round {number}"
            one.do("share")
            assert [(table.name, table.publisher.alive) for table in store.tables()] == [("t", True)]
            assert one.get("sum") == SUM
            one.do("drop")
            tried("store gone", 1)
    store.unshare("t")
    assert not footprint(parent)


@needs_mount_namespace
def test_another_file_system_is_mounted_over_the_store(store, directory, peer, tried):
    store.share(TABLE, "t")
    inside = peer(prefix=MOUNT_NAMESPACE)
    inside.run("import subprocess; t = shm.attach('t')")
    for _ in range(times(3, 10)):
        inside.run(
            f"subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=700', 'none', {str(directory)!r}], check=True)"
        )
        assert inside.get("list(shm.tables())") == []
        inside.run("shm.share(pa.table({'a': [1]}), 'there')")
        assert inside.get("[table.name for table in shm.tables()]") == ["there"]
        assert inside.get("sum(t['a'].to_pylist())") == SUM
        inside.run(f"subprocess.run(['umount', '--lazy', {str(directory)!r}], check=True)")
        assert inside.get("[table.name for table in shm.tables()]") == ["t"]
        tried("store gone", 1)
    assert {holder.pid for holder in store.info("t").holders} == {os.getpid(), inside.pid}


def test_others_remove_and_replace_while_the_publisher_lives(store, parent, speaker, tried):
    publisher, reader = speaker(), speaker()
    for number in range(times(13, 25)):
        for change in (lambda: store.unshare("t"), lambda: store.share(TABLE, "t", replace=True)):
            publisher.do("share")
            (segment,) = footprint(parent)
            reader.do("attach")
            change()
            assert segment in footprint(parent)
            assert reader.get("sum") == SUM
            reader.do("drop")
            assert segment not in footprint(parent), f"round {number}: nobody has it, but it takes memory"
            tried("memory", 1)
        store.unshare("t")


def test_a_file_is_cut_short_by_its_owner(store, directory, speaker, tried):
    """They are never written again; whoever does it all the same hurts who has it attached.

    Nobody else: listing reads with read(2), and what is attached anew is found out first.
    """
    other, reader = speaker(), speaker()
    store.share(pa.table({"a": range(1 << 16)}), "t")
    store.share(TABLE, "whole")
    reader.do("attach")
    reader.do("sum")  # Julia maps a column when it is first used
    path = store.path("t")
    nbytes = os.stat(path).st_size
    os.chmod(path, 0o600)
    for size in (nbytes - 1, nbytes // 2, 4097, 1, 0):
        os.truncate(path, size)
        assert other.get("names") == ["whole"]
        with pytest.raises(shm.DamagedTable):
            store.attach("t")
        assert other.refuses("attach") == "DamagedTable"
        tried("truncate", 1)
    with pytest.raises((EOFError, ConnectionResetError)):
        reader.get("sum")
    assert reader.process.process.wait() in (-signal.SIGBUS, 128 + signal.SIGBUS)
    other.do("unshare")
    assert other.get("names") == ["whole"]
