"""A bucket that answers one byte at a time: an error in bounded time, and nothing is left."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from buckets import Bucket, server
from pyarrow import parquet
from trickle import Trickle, trickle

import jupyter_arrowshm as shm
from jupyter_arrowshm.loading import remote
from jupyter_arrowshm.loading.files import Files

__all__ = ["server"]

TABLE = pa.table({"a": pa.array([os.urandom(1000) for _ in range(3000)])})


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def bucket(server: Bucket, store: shm.Store) -> Iterator[Bucket]:
    yield server
    for name in server.files():
        server.system.delete_file(f"{server.root}/{name}")


@pytest.fixture
def slow(bucket: Bucket) -> Iterator[tuple[Trickle, shm.Place]]:
    """The bucket behind a server that trickles, with a table in it."""
    (port,) = set(re.findall(r"127\.0\.0\.1(?::|%3A)(\d+)", bucket.address))
    shm.place(bucket.address).share(TABLE, "t")
    with trickle(int(port)) as between:
        place = shm.place(bucket.address.replace(*between.ports))
        assert place.attach("t").equals(TABLE)  # while a request waits, Arrow makes no other file system of S3
        yield between, place


@contextmanager
def trickling(between: Trickle, line: bytes | None) -> Iterator[None]:
    """Requests with ``line`` are answered one byte at a time; and little patience, but only for those."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "PATIENCE", 1)
        patch.setattr(remote, "SLOWEST", 1 << 30)
        between.slow = line
        yield
        between.slow = None


def test_a_list_and_what_is_read_of_a_table(slow: tuple[Trickle, shm.Place], store: shm.Store) -> None:
    between, place = slow
    place.names()
    for line, calls in {
        b"?": [place.names],
        b"t.arrow": [place.tables, lambda: place.info("t"), lambda: place.head("t")],
    }.items():
        for call in calls:
            with (
                trickling(between, line),
                pytest.raises(shm.PlaceFailed, match=r"did not answer within 1 s .*\. Try again\.$") as caught,
            ):
                call()
            assert "\n" not in str(caught.value)
    assert [table.num_rows for table in place.tables()] == [3000] and place.head("t", 2).equals(TABLE.slice(0, 2))


def test_rows_that_are_fetched(slow: tuple[Trickle, shm.Place], store: shm.Store) -> None:
    between, place = slow
    place.share(TABLE.slice(1), "t")
    before = store.loaded.names()
    with (
        trickling(between, b"GET "),
        pytest.raises((shm.PlaceFailed, shm.errors.LoadFailed), match="did not answer within"),
    ):
        place.attach("t")
    assert store.loaded.names() == before and not [*Path(store.loaded.directory).glob(".new-*")]
    assert place.attach("t").num_rows == 2999, "nobody waits for the one who gave up"


@pytest.mark.parametrize("part", ["schema", "rows"])
def test_files_that_are_loaded(
    slow: tuple[Trickle, shm.Place], bucket: Bucket, store: shm.Store, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    between, _ = slow
    parquet.write_table(TABLE, f"{bucket.root}/x.parquet", filesystem=bucket.system, row_group_size=1000)
    uri = bucket.address.replace(*between.ports).replace("/tables?", "/tables/x.parquet?")
    before = store.loaded.names()
    if part == "rows":
        read = Files._read
        monkeypatch.setattr(Files, "_read", lambda *asked: (read(*asked), setattr(between, "slow", b"GET "))[0])
    with (
        trickling(between, b"GET " if part == "schema" else None),
        pytest.raises(shm.errors.LoadFailed, match=r"cannot be loaded: it did not answer within 1 s\.$"),
    ):
        store.attach(uri)
    assert store.loaded.names() == before and not [*Path(store.loaded.directory).glob(".new-*")]


@pytest.mark.parametrize("method", [b"POST ", b"PUT "])
def test_a_table_that_is_shared(slow: tuple[Trickle, shm.Place], method: bytes) -> None:
    share_slowly(slow, method)


def share_slowly(slow: tuple[Trickle, shm.Place], method: bytes) -> None:
    between, place = slow
    said = r"did not take the table: it did not answer within .* s\. Try again\.$"
    with trickling(between, method), pytest.raises(shm.PlaceFailed, match=said):
        place.share(TABLE.slice(0, 2), "t")
    # What it answered so slowly may have been that it has done it.
    assert place.attach("t").num_rows in (2, 3000)
    assert place.share(TABLE.slice(0, 5), "t").num_rows == 5
