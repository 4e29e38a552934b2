"""How a table is written: few pieces, bounded memory, nothing before the end and nothing after an error."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import filewriter

MB = 1 << 20


def batch(rows: int, start: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"a": pa.arange(start, start + rows)})


def pieces(table: pa.Table) -> list[int]:
    return [batch.num_rows for batch in table.to_batches()]


def left(directory: os.PathLike[str]) -> list[str]:
    return sorted(set(os.listdir(directory)) - {".live", ".pins"})


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Combine batches up to 800 bytes: 100 rows of an int64."""
    monkeypatch.setattr(filewriter, "BATCH_BYTES", 800)


# -- put together ------------------------------------------------------------------------------------------------------


def test_small_batches_become_few_large_ones(store) -> None:
    table = pa.Table.from_batches([batch(1000, 1000 * i) for i in range(1000)])
    store.share(table, "t")
    assert pieces(store.attach("t")) == [1_000_000]
    assert store.attach("t").equals(table)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([1] * 250, [100, 100, 50]),
        ([60] * 4, [60, 60, 60, 60]),
        ([40] * 5, [80, 80, 40]),
        ([99, 1, 99, 1], [100, 100]),
        ([1, 500, 1], [1, 500, 1]),
        ([500], [500]),
        ([0, 1, 0, 1, 0], [2]),
        ([0, 0], []),
        ([], []),
    ],
)
@pytest.mark.parametrize("way", ["table", "stream", "writer"])
def test_up_to_the_limit(store, small, written, read, way) -> None:
    """Small batches are combined up to the limit, whichever way they come; large ones stay as they are."""
    batches = [batch(rows) for rows in written]
    if way == "table":
        store.share(pa.Table.from_batches(batches, batch(0).schema), "t")
    elif way == "stream":
        store.share(pa.RecordBatchReader.from_batches(batch(0).schema, batches), "t")
    else:
        with store.writer("t", batch(0).schema) as writer:
            for one in batches:
                writer.write(one)
        assert writer.info.num_rows == sum(written)
    attached = store.attach("t")
    assert [rows for rows in pieces(attached) if rows] == read
    assert attached.num_rows == store.info("t").num_rows == sum(written)


def test_the_limit_is_64_mb(store) -> None:
    """Batches of 8 MB are combined to 64 MB, and the rest become one batch of their own."""
    assert filewriter.BATCH_BYTES == 64 * MB
    store.share(pa.RecordBatchReader.from_batches(batch(0).schema, (batch(MB) for _ in range(17))), "t")  # of 8 MB each
    assert pieces(store.attach("t")) == [8 * MB, 8 * MB, MB]


def test_a_single_batch_stays_single_and_is_not_copied(store, peer) -> None:
    sharer = peer()
    sharer.run(f"t = pa.table({{'a': pa.arange(0, {16 * MB})}})")  # 128 MB: twice the limit
    sharer.run("pool = pa.default_memory_pool()\nbefore = pool.max_memory()")
    sharer.run("assert before == pool.bytes_allocated()")
    sharer.run("shm.share(t, 't')")
    assert sharer.get("pool.max_memory() - before") < MB
    assert pieces(store.attach("t")) == [16 * MB]


# -- dictionaries ------------------------------------------------------------------------------------------------------

DICTIONARIES = {
    "growing": [["a"], ["a", "b"], ["a", "b", "c"]],
    "disjoint": [["a"], ["b"], ["c"]],
    "shrinking": [["a", "b", "c"], ["c"], ["a"]],
    "reordered": [["a", "b"], ["b", "a"], ["c", "b", "a"]],
    "the same": [["a", "b"], ["a", "b"], ["a", "b"]],
    "empty in between": [["a"], [], ["b", "a"], []],
    "empty at first": [[], ["a"], ["b"]],
    "nulls": [[None, "a"], [None, None], ["b", None]],
}


@pytest.mark.parametrize("which", DICTIONARIES)
@pytest.mark.parametrize("limit", [1, 1000], ids=["each on its own", "put together"])
def test_a_stream_of_changing_dictionaries(store, monkeypatch, which, limit) -> None:
    """A file has one dictionary for each column: a stream whose dictionaries differ comes back with the same values."""
    monkeypatch.setattr(filewriter, "BATCH_BYTES", limit)
    values = DICTIONARIES[which]
    arrays = [pa.array(some, pa.string()).dictionary_encode() for some in values]
    schema = pa.schema([("d", arrays[0].type), ("s", pa.struct([("d", arrays[0].type)]))])
    batches = [pa.record_batch([one, pa.StructArray.from_arrays([one], ["d"])], schema=schema) for one in arrays]
    store.share(pa.RecordBatchReader.from_batches(schema, batches), "t")
    attached = store.attach("t")
    attached.validate(full=True)
    flat = [value for some in values for value in some]
    assert attached.schema == schema
    assert attached.to_pydict() == {"d": flat, "s": [{"d": value} for value in flat]}


def test_a_stream_without_rows_keeps_its_dictionary(store, small) -> None:
    """The categories of an empty pandas column."""
    empty = pa.record_batch({"d": pa.array(["a", "b"]).dictionary_encode()}).slice(0, 0)
    store.share(pa.RecordBatchReader.from_batches(empty.schema, [empty, empty]), "t")
    (chunk,) = store.attach("t")["d"].chunks
    assert (len(chunk), chunk.dictionary.to_pylist()) == (0, ["a", "b"])


STRUCTS = [pa.DictionaryArray.from_arrays(pa.array([0] * 200), pa.array([{"x": value}])) for value in (1, 2)]
REFUSED = {
    "dictionaries of structs that differ": STRUCTS,
    "an empty dictionary that grows": [pa.nulls(200, pa.dictionary(pa.int32(), pa.string())), *[["a"] * 200]],
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_pyarrow_cannot_write_is_a_typed_error(store, directory, small, what) -> None:
    first, second = REFUSED[what]
    second = pa.array(second).dictionary_encode() if isinstance(second, list) else second
    batches = [pa.record_batch({"d": one}) for one in (first, second)]
    with pytest.raises(shm.UnsupportedSource):
        store.share(pa.RecordBatchReader.from_batches(batches[0].schema, batches), "t")
    assert left(directory) == []


def test_equal_dictionaries_with_a_null_among_the_values(store, small) -> None:
    dictionary = pa.array(["a", None])
    batches = [
        pa.record_batch({"d": pa.DictionaryArray.from_arrays(pa.array([0, 1] * 200, pa.int8()), dictionary)})
        for _ in range(3)
    ]
    store.share(pa.RecordBatchReader.from_batches(batches[0].schema, batches), "t")
    assert store.attach("t")["d"].to_pylist() == ["a", None] * 600


# -- streams -----------------------------------------------------------------------------------------------------------


def failing(error: BaseException, after: int = 3) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        for _ in range(after):
            yield batch(1000)
        raise error

    return pa.RecordBatchReader.from_batches(batch(0).schema, batches())


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("error", [ValueError("a query failed"), OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_an_error_in_the_middle_of_a_stream_leaves_nothing(store, directory, small, error, after) -> None:
    store.share(pa.table({"kept": [1]}), "t")
    for name in ("t", "new"):
        with pytest.raises(type(error)) as caught:
            store.share(failing(error, after), name)
        assert str(error) in str(caught.value)
    assert left(directory) == ["t.arrow"]
    assert store.attach("t").column_names == ["kept"]


def test_a_stream_is_never_in_memory_as_a_whole(store, peer) -> None:
    sharer = peer()
    sharer.run("""
def batches():
    for _ in range(64):
        yield pa.record_batch({'a': pa.repeat(1, 1 << 20)})  # 8 MB
reader = pa.RecordBatchReader.from_batches(pa.schema([('a', pa.int64())]), batches())
shm.share(reader, 't')
""")
    # The combined batch, and the pieces that it is made of.
    assert sharer.get("pa.default_memory_pool().max_memory()") < 2.5 * 64 * MB
    assert store.info("t").nbytes > 512 * MB


# -- writer ------------------------------------------------------------------------------------------------------------


def test_nothing_is_visible_before_the_block_ends(store, directory) -> None:
    with store.writer("t", batch(0).schema, pin=True) as writer:
        for _ in range(3):
            writer.write(batch(10))
            assert store.tables() == [] and left(directory) == []
            assert writer.info is None
            with pytest.raises(shm.TableNotFound):
                store.attach("t")
    assert store.info("t").version == writer.info.version
    assert (writer.info.num_rows, writer.info.pinned) == (30, True)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), GeneratorExit()])
def test_an_exception_in_the_block_leaves_nothing(store, directory, error) -> None:
    store.share(pa.table({"kept": [1]}), "t")
    for name in ("t", "new"):
        with pytest.raises(type(error)) as caught, store.writer(name, batch(0).schema) as writer:
            writer.write(batch(10 * MB))
            raise error
        assert caught.value is error and writer.info is None
    assert left(directory) == ["t.arrow"]
    assert store.attach("t").column_names == ["kept"]


@pytest.mark.parametrize(
    "wrong",
    [
        pa.table({"b": [1]}),
        pa.table({"a": ["text"]}),
        pa.table({"a": [1.5]}),
        pa.table({"a": [1], "b": [2]}),
        pa.table({"a": [2**40]}),
        7,
    ],
    ids=str,
)
def test_what_does_not_fit_the_schema_is_refused(store, wrong) -> None:
    schema = pa.schema([("a", pa.int32())])
    with store.writer("t", schema) as writer:
        writer.write(pa.table({"a": [1, 2]}))  # int64, whose values fit
        with pytest.raises(shm.UnsupportedSource):
            writer.write(wrong)
        writer.write(pa.record_batch({"a": pa.array([3], pa.int32())}))
    assert store.attach("t").equals(pa.table({"a": [1, 2, 3]}, schema))


def test_a_writer_replaces_a_name_at_its_end(store) -> None:
    store.share(batch(1), "t")
    old = store.attach("t")
    with store.writer("t", batch(0).schema) as writer:
        writer.write(batch(5))
        assert store.attach("t").num_rows == 1
    assert (store.attach("t").num_rows, old.num_rows) == (5, 1)


@pytest.mark.parametrize("batch_mb", [1, 64, 128])
def test_the_peak_of_memory_is_about_one_batch(store, peer, batch_mb) -> None:
    sharer = peer()
    sharer.run(f"batch = pa.record_batch({{'a': pa.repeat(1, {batch_mb * MB // 8})}})")
    sharer.run("""
pool = pa.default_memory_pool()
before = pool.max_memory()
with shm.writer('t', batch.schema) as writer:
    for _ in range(256 * 2**20 // batch.nbytes): writer.write(batch)
""")
    assert sharer.get("pool.max_memory() - before") < 65 * MB
    assert store.info("t").nbytes > 256 * MB
