"""An error behind a source that is read while it is shared: it stays what it is, and no half table appears."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

SCHEMA = pa.schema([("a", pa.int64())])


def failing() -> Iterator[pa.RecordBatch]:
    yield pa.record_batch([[1, 2]], schema=SCHEMA)
    raise RuntimeError("the sensor is gone")


def panicking() -> Iterator[pa.RecordBatch]:
    yield pa.record_batch([[1, 2]], schema=SCHEMA)
    # polars takes a field's metadata for UTF-8.
    pl.from_arrow(pa.table({"a": [1]}, schema=pa.schema([pa.field("a", pa.int64(), metadata={"k": b"\xff"})])))


SOURCES = {
    "panic of polars": (
        lambda: pa.RecordBatchReader.from_batches(SCHEMA, panicking()),
        pl.exceptions.PanicException,
        "utf|UTF|Utf",
    ),
    "generator": (lambda: pa.RecordBatchReader.from_batches(SCHEMA, failing()), RuntimeError, "the sensor is gone"),
    "query": (
        lambda: duckdb.sql("select case when i = 300000 then error('bad row') else i end as a from range(400000) t(i)"),
        (duckdb.Error, pa.ArrowException, OSError),
        "bad row",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_error_is_the_source_s_own_with_a_note(store: shm.Store, name: str) -> None:
    make, kind, message = SOURCES[name]
    store.share(pa.table({"a": [7]}), "t")
    with pytest.raises(kind, match=message) as caught:
        store.share(make(), "t")
    assert "Nothing was shared" in "".join(caught.value.__notes__)
    assert store.attach("t").to_pydict() == {"a": [7]}
    with pytest.raises(kind, match=message):
        store.share(make(), "new")
    assert store.names() == ["t"]
