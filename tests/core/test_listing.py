"""The list that people see: the shared tables, who uses them, and the older versions that still take memory."""

from __future__ import annotations

import datetime as dt
import html
import mmap
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from kernel import needs_proc_locks

import jupyter_arrowshm as shm

KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
TABLE = pa.table({"a": range(1000), "b": ["x"] * 1000})
OURS_ALONE = re.compile("lease|holder|segment|token", re.IGNORECASE)  # words that no user needs to know


# -- facts -------------------------------------------------------------------------------------------------------------


def test_no_tables(store, directory) -> None:
    """A list without tables is empty, says so, and makes no directory."""
    for _ in range(2):
        assert store.tables() == [] and store.tables().removed == ()
        assert repr(store.tables()) == "no shared tables"
        assert "no shared tables" in store.tables()._repr_html_()
        assert not directory.exists(), "looking made the directory"
    store.share(TABLE, "t")
    store.unshare("t")
    assert repr(store.tables()) == "no shared tables"
    with pytest.raises(shm.TableNotFound):
        store.info("t")


def test_the_facts_of_a_table(store, peer) -> None:
    """A list gives each table's size, kind, pin, publisher and the time when it was shared."""
    before = dt.datetime.now(dt.timezone.utc)
    publisher = peer()
    publisher.run("import pandas as pd; shm.share(pd.DataFrame({'a': [1.5, 2.5], 'b': [3, 4]}), 'zebra', pin=True)")
    store.share(TABLE, "apple")
    apple, zebra = store.tables()
    assert (apple.name, zebra.name) == ("apple", "zebra")
    assert (zebra.num_rows, zebra.num_columns, zebra.source, zebra.pinned) == (2, 2, "pandas", True)
    assert (apple.num_rows, apple.num_columns, apple.source, apple.pinned) == (1000, 2, "pyarrow", False)
    assert zebra.path == store.path("zebra")
    assert zebra.nbytes == os.stat(zebra.path).st_size
    assert before <= zebra.published_at <= apple.published_at <= dt.datetime.now(dt.timezone.utc)
    assert zebra.schema.names == ["a", "b"]
    assert (zebra.publisher.pid, zebra.publisher.alive, zebra.publisher.language) == (publisher.pid, True, "python")
    assert store.info("zebra") == zebra
    assert str(apple).startswith("apple: 1,000 rows x 2 columns, ")


def test_share_tells_what_the_listing_tells(store, peer, tmp_path) -> None:
    for publisher in (peer(), peer(script=str(tmp_path / "etl.py")), peer(kernel="kernel-4711.json")):
        publisher.run("info = shm.share(pa.table({'a': [1]}), 't', replace=True, pin=True)")
        assert publisher.get("info") == store.info("t")
        assert [holder.pid for holder in store.info("t").holders] == [publisher.pid]


def test_a_version_changes_with_the_table(store) -> None:
    first = store.share(TABLE, "t")
    assert store.info("t").version == first.version == store.attachment("t").version
    assert store.share(TABLE, "t").version != first.version


def test_rows_of_a_written_table_are_counted(store) -> None:
    with store.writer("t", TABLE.schema) as writer:
        for batch in TABLE.to_batches(max_chunksize=300):
            writer.write(batch)
    assert store.info("t").num_rows == writer.info.num_rows == 1000


# -- older versions ----------------------------------------------------------------------------------------------------


@needs_proc_locks
@pytest.mark.parametrize("name", ["t", "Zoë\\012", "a.arrow"])
def test_older_versions_and_their_sizes(store, peer, name) -> None:
    first, second = peer(), peer()
    versions = []
    for reader in (first, second):
        versions.append(store.share(pa.table({"a": range(1000 * (1 + len(versions)))}), name))
        reader.run(f"t = shm.attach({name!r})")
    now = store.share(TABLE, name)
    (info,) = store.tables()
    assert (info.nbytes, [holder.pid for holder in info.holders]) == (now.nbytes, [os.getpid()])
    older = sorted(info.older, key=lambda version: version.nbytes)
    assert [(version.name, [holder.pid for holder in version.holders]) for version in older] == [
        (name, [first.pid]),
        (name, [second.pid]),
    ]
    for version, published in zip(older, versions, strict=True):
        assert published.nbytes <= version.nbytes < published.nbytes + mmap.PAGESIZE
    assert f"in use by python (pid {first.pid})" in repr(store.tables())
    first.kill()
    assert [version.holders[0].pid for version in store.info(name).older] == [second.pid]
    second.run("del t")
    assert store.info(name).older == ()


@needs_proc_locks
def test_a_removed_table_that_is_still_attached(store, peer) -> None:
    reader = peer()
    info = store.share(TABLE, "t")
    reader.run("t = shm.attach('t')")
    store.unshare("t")
    listed = store.tables()
    (removed,) = listed.removed
    assert (list(listed), removed.name, [holder.pid for holder in removed.holders]) == ([], "t", [reader.pid])
    assert info.nbytes <= removed.nbytes < info.nbytes + mmap.PAGESIZE
    for text in (repr(listed), listed._repr_html_()):
        assert "t was unshared" in text and f"python (pid {reader.pid})" in text
    reader.run("del t")
    assert store.tables().removed == ()


@needs_proc_locks
def test_other_stores_on_the_same_file_system_are_not_mixed_in(store, parent) -> None:
    other = shm.Store(parent / "other")
    store.share(TABLE, "t")
    kept = []
    for name in ("t", "u"):
        other.share(TABLE, name)
        kept.append(other.attach(name))
        other.unshare(name)
    assert sorted(version.name for version in other.tables().removed) == ["t", "u"]
    assert [info.older for info in store.tables()] == [()]
    assert store.tables().removed == ()


@needs_proc_locks
def test_a_store_below_a_symbolic_link(parent, store) -> None:
    (parent / "link").symlink_to(parent, target_is_directory=True)
    linked = shm.Store(parent / "link" / "store")
    linked.share(TABLE, "t")
    kept = linked.attach("t")
    store.share(TABLE, "t")
    for one in (linked, store):
        (older,) = one.info("t").older
        assert [holder.pid for holder in older.holders] == [os.getpid()]
    del kept


@needs_proc_locks
def test_mapped_files_of_odd_names_do_not_disturb(store, peer, tmp_path) -> None:
    for odd in ("a\rb", "a\nb", "a\u2028b", "a\x1cb", "a (deleted)", os.fsdecode(b"a\xff")):
        (tmp_path / odd).write_bytes(b"x")
    store.share(TABLE, "t")
    reader = peer()
    reader.run(f"import mmap, pathlib\nt = shm.attach('t')\nfiles = pathlib.Path({str(tmp_path)!r}).glob('a*')")
    reader.run("kept = [mmap.mmap(os.open(path, os.O_RDONLY), 1, prot=mmap.PROT_READ) for path in files]")
    store.share(TABLE, "t")
    assert [holder.pid for holder in store.info("t").older[0].holders] == [reader.pid]


def test_threads_that_look_at_once_all_see_everything(store) -> None:
    """Two threads listed at once: each went on from where the other had got to in the directory, and saw the rest."""
    names = [f"t{number:02}" for number in range(40)]
    for name in names:
        store.share(TABLE.slice(0, 1), name)

    def look(_: int) -> list[str]:
        return [table.name for _ in range(20) for table in store.tables()]

    with ThreadPoolExecutor(4) as pool:
        assert all(seen == names * 20 for seen in pool.map(look, range(4)))


# -- as text -----------------------------------------------------------------------------------------------------------


def test_a_list_reads_as_a_table(store, peer) -> None:
    store.share(TABLE, "trips", pin=True)
    store.share(TABLE.slice(0, 1), "t")
    lines = repr(store.tables()).splitlines()
    assert re.split("  +", lines[0]) == ["table", "rows", "columns", "size", "shared", "by", "in use by"]
    assert [line.split()[0] for line in lines[1:]] == ["t", "trips"]
    assert "1,000" in lines[2] and lines[2].endswith("pinned")
    assert store.tables()._repr_html_().count("<tr>") == 3


def test_of_many_tables_a_notebook_keeps_the_first(store) -> None:
    for number in range(101):
        store.share(TABLE.slice(0, 1), f"t{number:03}")
    tables = store.tables()
    bundle = tables._repr_mimebundle_()
    for text in (bundle["text/plain"], bundle["text/html"]):
        assert "t099" in text and "t100" not in text and "and 1 more table" in text
    listed = bundle["application/vnd.jupyter-arrowshm+json"]["tables"]
    assert [table["name"] for table in listed] == [f"t{number:03}" for number in range(100)]
    assert "t100" in tables.text() and "more" not in tables.text()


@needs_proc_locks
def test_html_is_escaped(store, peer) -> None:
    name, notebook = "<b>&'\"", "<script>.ipynb"
    publisher = peer(kernel=f"kernel-{KERNEL}.json", env={"JPY_SESSION_NAME": notebook})
    publisher.run(f"shm.share(pa.table({{'a': [1]}}), {name!r}); t = shm.attach({name!r})")
    publisher.run("shm.share(pa.table({'a': [1]}), '<i>'); u = shm.attach('<i>'); shm.unshare('<i>')")
    text = store.tables()._repr_html_()
    assert html.escape(name) in text and html.escape(notebook) in text and html.escape("<i>") in text
    assert not re.search("<(b|i|script)>", text)


@needs_proc_locks
def test_people_read_no_words_of_the_protocol(store, peer) -> None:
    reader = peer()
    store.share(TABLE, "t", pin=True)
    reader.run("t = shm.attach('t')")
    store.share(TABLE, "t")
    store.share(TABLE, "u")
    reader.run("u = shm.attach('u')")
    store.unshare("u")
    for text in (repr(store.tables()), store.tables()._repr_html_(), str(store.info("t")), repr(store)):
        assert not OURS_ALONE.search(text)
