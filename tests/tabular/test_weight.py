"""Of a part of a table that part is written, and before it is written we know how much that will be."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm import tabular

ROWS = 60_000
SAMPLES = {name: array for name, array in arrays().items() if name != "null"}


def long(array: pa.Array) -> pa.Array:
    """The same six values again and again; runs as they are, long ones."""
    if not isinstance(array, pa.RunEndEncodedArray):
        return pa.concat_arrays([array] * (ROWS // 6))
    ends = pa.array(range(6, ROWS + 6, 6), array.type.run_end_type if array.type.run_end_type != pa.int16() else None)
    values = array.values.take(pa.array([0, 1, 2] * (len(ends) // 3 + 1)).slice(0, len(ends)))
    return pa.RunEndEncodedArray.from_arrays(ends.cast(pa.int32()), values)


LONG = {name: long(array) for name, array in SAMPLES.items()}


def headers(table: pa.Table) -> int:
    """Bytes of a file that are no rows: schema, footer, and the rows' messages without their bodies."""
    return 4096 + 1024 * (table.num_columns + table.schema.serialize().size // 1024) * 2


def file_and_estimate(store: shm.Store, table: pa.Table) -> tuple[int, int]:
    info = store.share(table, "t", replace=True)
    estimate = tabular.to_arrow(table).nbytes
    assert estimate is not None
    store.attach("t", validate="full")
    return info.nbytes, estimate


@pytest.mark.parametrize("name", LONG)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_estimate_is_within_a_tenth_of_the_file(name: str, data: st.DataObject, tmp_path_factory) -> None:
    array = LONG[name]
    start = data.draw(st.integers(0, len(array) - 1))
    rows = data.draw(st.integers(1, len(array) - start))
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=5)))
    part = array.slice(start, rows)
    chunks = [part.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, rows], strict=True)]
    table = pa.table({"a": pa.chunked_array(chunks, array.type), "n": pa.array(np.arange(rows))})
    directory = tmp_path_factory.mktemp("weight")
    os.chmod(directory, 0o700)
    size, estimate = file_and_estimate(shm.Store(directory / "store"), table)
    assert abs(size - estimate) <= 0.1 * size + headers(table) * (1 + len(chunks))


def parts() -> Iterator[tuple[str, object]]:
    text = [f"text {number} that no view holds" for number in range(ROWS)]
    frame = pl.DataFrame({"s": text, "b": [each.encode() for each in text], "l": [[each] for each in text]})
    yield "polars", frame[1000:1005]
    yield "polars, filtered", frame.filter(pl.col("s").str.contains("text 4242 "))
    views = pa.array(text, pa.string_view())
    yield "struct", pa.table({"a": pa.StructArray.from_arrays([views], ["s"]).slice(1000, 5)})
    yield "lists", pa.table({"a": pa.array([[each] for each in text], pa.list_view(pa.string())).slice(50_000, 5)})
    codes = pa.array([0, 1] * (ROWS // 2), pa.int8())
    offsets = pa.array(np.arange(ROWS) // 2, pa.int32())
    union = pa.UnionArray.from_dense(codes, offsets, [views.slice(0, ROWS // 2), pa.array(range(ROWS // 2))])
    yield "union", pa.table({"a": pa.chunked_array([union.slice(10, 3), union.slice(40_000, 4)])})


PARTS = dict(parts())


@pytest.mark.parametrize("name", PARTS)
def test_a_few_rows_take_a_few_bytes(store: shm.Store, name: str) -> None:
    """Views refer to whole buffers, and so do the parts of a polars frame or of an attached table."""
    part = PARTS[name]
    info = store.share(part, "part")
    assert info.nbytes < 16_000
    attached = store.attach("part", to="source", validate="full")
    if isinstance(part, pl.DataFrame):
        assert attached.equals(part)
    else:
        assert attached.to_pydict() == part.to_pydict()


def test_a_slice_of_an_attached_table_is_written_as_a_slice(store: shm.Store) -> None:
    store.share(pl.DataFrame({"s": [f"text {number} that no view holds" for number in range(ROWS)]}), "whole")
    attached = store.attach("whole", to="polars")
    assert store.share(attached[7:12], "part").nbytes < 16_000
    assert store.attach("part", to="polars")["s"].to_list() == attached["s"].to_list()[7:12]


def test_a_dictionary_is_counted_once(store: shm.Store) -> None:
    """400 chunks with one dictionary of a million bytes would be 400 MB, and no room."""
    words = pa.array([f"word {number:100}" for number in range(10_000)])
    codes = pa.array(np.arange(8000, dtype=np.int32))
    chunks = [pa.DictionaryArray.from_arrays(codes.slice(20 * n, 20), words) for n in range(400)]
    size, estimate = file_and_estimate(store, pa.table({"a": pa.chunked_array(chunks)}))
    assert abs(size - estimate) < 0.1 * size


EMPTY_UNIONS = {
    "sparse": pa.sparse_union([pa.field("k", pa.int32()), pa.field("s", pa.string())]),
    "dense": pa.dense_union([pa.field("k", pa.int32()), pa.field("s", pa.string())]),
}


@pytest.mark.parametrize("wrap", ["column", "list", "struct"])
@pytest.mark.parametrize("name", EMPTY_UNIONS)
def test_a_union_without_rows_from_a_file(store: shm.Store, peer, name: str, wrap: str) -> None:
    """Its type ids are a null pointer there, over which pyarrow's nbytes ends the process: share in another one."""
    kind = EMPTY_UNIONS[name]
    wrapped = {"column": kind, "list": pa.list_(kind), "struct": pa.struct([("u", kind)])}[wrap]
    children = [pa.array([], pa.int32()), pa.array([], pa.string())]
    buffers = [None, None] if name == "sparse" else [None, None, None]
    union = pa.Array.from_buffers(kind, 0, buffers, children=children)
    if wrap == "list":
        array = pa.Array.from_buffers(wrapped, 1, [None, pa.py_buffer(bytes(8))], children=[union])
    elif wrap == "struct":
        array = pa.Array.from_buffers(wrapped, 0, [None], children=[union])
    else:
        array = union
    (batch,) = [pa.RecordBatch.from_arrays([array], names=["u"])]
    os.makedirs(store.directory, 0o700)
    with pa.OSFile(store.path("foreign"), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    other = peer()
    other.run("info = shm.share(shm.attach('foreign'), 'again')")
    other.run(f"shm.share(pa.ipc.open_file({store.path('foreign')!r}).get_batch(0), 'batch')")
    assert other.get("info.num_rows") == batch.num_rows
    assert store.attach("again").schema == batch.schema


def test_an_empty_list_of_unions_from_duckdb(store: shm.Store, peer) -> None:
    other = peer()
    other.run("import duckdb; relation = duckdb.sql('select []::union(k int, s varchar)[] as u')")
    other.run("shm.share(relation, 'u'); shm.share(shm.attach('u'), 'again')")
    assert store.attach("again")["u"].to_pylist() == [[]]
