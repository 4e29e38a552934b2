"""A process that was stopped (Ctrl-Z, a debugger, a paused container) keeps what it has; others go on."""

from __future__ import annotations

import os
import signal

import pyarrow as pa
import pytest
from faults.interception import Call, works
from faults.torture import check, version_table
from measures import footprint, leftovers

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import Directory

TINY = pa.table({"a": [1]})
OLD, NEW = 1_002, 2_004


def test_a_stopped_reader(store, parent, speaker, tried):
    """It keeps what it has attached while others replace and remove, and lets go of it when it goes on."""
    publisher, reader = speaker(), speaker()
    publisher.do("share")
    reader.do("attach")
    reader.process.process.send_signal(signal.SIGSTOP)
    publisher.do("share")
    (older,) = store.info("t").older
    assert [holder.pid for holder in older.holders] == [reader.process.pid]
    assert publisher.get("names") == ["t"] and publisher.get("gc") == []
    publisher.do("unshare")
    assert len(footprint(parent)) == 1, "the reader's version"
    reader.process.process.send_signal(signal.SIGCONT)
    assert reader.get("sum") == sum(range(1000))
    reader.do("drop")
    assert not footprint(parent)
    tried("stop", 1)


@pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
def test_a_publisher_stopped_on_its_way(store, directory, nursery, tried, monkeypatch):
    """Once before it has the directory lock for the second time, once with it."""
    monkeypatch.setattr(Directory.lock.__wrapped__, "__defaults__", (0.05,))
    store.share(TINY, "ours")
    store.share(pa.Table.from_batches(version_table(OLD)), "t")
    looked = []

    def others_go_on() -> None:
        assert check(store.attach("t")) == OLD
        assert next(table.name for table in store.tables()) == "ours"
        store.share(TINY, "meanwhile")
        assert store.gc() == {}
        store.unshare("meanwhile")

    def others_are_told() -> None:
        assert check(store.attach("t")) == OLD
        assert [table.name for table in store.tables()] == ["ours", "t"]
        for change in (
            lambda: store.share(TINY, "new"),
            lambda: store.unshare("t"),
            lambda: store.pin("t"),
            lambda: store.gc(),
        ):
            with pytest.raises(shm.Busy, match="Try again"):
                change()

    for name, meanwhile in (("write", others_go_on), ("rename", others_are_told)):

        def decide(call: Call, name: str = name, meanwhile=meanwhile) -> None:
            if call.name.startswith(name) and not looked:
                os.kill(call.pid, signal.SIGSTOP)
                meanwhile()
                looked.append(call)
                os.kill(call.pid, signal.SIGCONT)

        _, result = nursery.intercept(directory, "share", NEW, decide)
        assert result == "ok" and len(looked) == 1
        looked.clear()
        assert check(store.attach("t")) == NEW
        store.share(pa.Table.from_batches(version_table(OLD)), "t", replace=True)
        tried("stop", 1)
    assert [mark for mark in leftovers(directory) if not mark.startswith(".live/")] == []
