"""Nothing is decided by a clock, a pid or a boot: files of any age, and what a machine left when it went down."""

from __future__ import annotations

import os
import time

import pyarrow as pa
import pytest
from measures import leftovers

import jupyter_arrowshm as shm

YEAR = 365 * 86400
TABLE = pa.table({"a": range(1000)})


def publish(store: shm.Store, name: str, **facts: object) -> None:
    """A table of somebody else, of another time, another boot, or with the number of a process that lives."""
    metadata = {"protocol": "1", "id": "0" * 32, "name": name, "rows": "1000", "language": "julia", **facts}
    with (
        pa.OSFile(store.path(name), "wb") as file,
        pa.ipc.new_file(
            file, TABLE.schema, metadata={f"arrowshm.{key}": str(value) for key, value in metadata.items()}
        ) as to,
    ):
        to.write_table(TABLE)
    os.chmod(store.path(name), 0o400)


@pytest.mark.parametrize("years", [-1, 1])
def test_the_clock_is_a_year_off(store, directory, speaker, tried, years):
    """As if it had been set after everything here was made."""
    publisher, other = speaker(), speaker()
    publisher.do("share")
    store.share(TABLE, "pinned", pin=True)
    store.share(TABLE, "attached")
    kept = store.attach("attached")
    when = time.time() + years * YEAR
    for path in directory.rglob("*"):
        os.utime(path, (when, when), follow_symlinks=False)
    year = time.gmtime(when).tm_year
    publish(store, "dated", published=f"{year}-01-31T12:00:00.000000+00:00", token="f" * 32, pid=1)
    assert other.get("names") == ["attached", "dated", "pinned", "t"]
    assert other.get("gc") == ["dated"]
    found = {table.name: table for table in store.tables()}
    assert [found["t"].publisher.alive, found["pinned"].pinned, found["attached"].unused] == [True, True, False]
    assert repr(store.tables()) and kept.equals(TABLE)
    other.do("attach")
    other.do("share")
    with pytest.raises(shm.TableNotFound, match="It was removed"):
        store.attach("dated")
    tried("clock", 1)


def test_another_process_has_the_publishers_number_now(store, speaker, tried):
    other = speaker()
    other.do("share")
    publish(store, "reused", token="e" * 32, pid=other.process.pid)
    publish(store, "ours", token="d" * 32, pid=os.getpid())
    assert [(t.name, t.publisher.alive, t.unused) for t in store.tables()] == [
        ("ours", False, True),
        ("reused", False, True),
        ("t", True, False),
    ]
    for name in ("reused", "ours"):
        with pytest.raises(shm.TableExists):
            store.share(TABLE, name)
    assert other.get("gc") == ["ours", "reused"]
    tried("clock", 1)


def test_what_another_boot_left_on_a_disk(store, directory, speaker, tried):
    """After a power cut: tokens, a draft, pins, tables. The locks went with the boot."""
    store.share(TABLE, "now")
    (mine,) = leftovers(directory)
    publish(store, "then", token="c" * 32, boot="another", pid=os.getpid())
    publish(store, "kept", token="b" * 32, boot="another", pid=1)
    (directory / ".live" / ("c" * 32)).touch(0o600)
    (directory / ".live" / ("b" * 32)).touch(0o600)
    (directory / ".new-0123456789abcdef").write_bytes(b"half a table")
    (directory / ".pins/kept").touch(0o600)
    (directory / ".pins/nothing").touch(0o600)
    other = speaker()
    other.do("share")
    marks = [path for path in leftovers(directory) if path not in (mine, ".pins/kept")]
    assert len(marks) == 1, "the other's token, and nothing of another boot"
    assert other.get("gc") == ["then"]
    assert [(t.name, t.publisher.alive, t.pinned) for t in store.tables()] == [
        ("kept", False, True),
        ("now", True, False),
        ("t", True, False),
    ]
    assert store.attach("kept").equals(TABLE)
    tried("clock", 1)
