"""Streams: small batches are written as one, levels of factors as one set, and what has no room is refused ahead."""

# ruff: noqa: E501 -- R code
from __future__ import annotations

import struct
from pathlib import Path

import pyarrow as pa
import pytest
from r_peers import R, signals

import jupyter_arrowshm as shm

STREAM = """
stream_of <- function(frames) nanoarrow::basic_array_stream(lapply(frames, nanoarrow::as_nanoarrow_array))
"""


def test_ten_thousand_small_batches_are_one(r: R, store: shm.Store, tmp_path: Path) -> None:
    """Read from a file as they come: of arrays that R made, nanoarrow frees the first ones slowly while there are more."""
    ten = pa.table({"s": ["a", None, *"abcdefgh"], "l": [True, None] * 5})
    schema = pa.schema([("i", pa.int32()), *ten.schema])
    with pa.OSFile(str(tmp_path / "batches"), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for i in range(10_000):
            writer.write_table(ten.add_column(0, "i", pa.array([i] * 10, pa.int32())))
    r.run(f'share_table(nanoarrow::read_nanoarrow("{tmp_path / "batches"}"), "small")')
    table = store.attach("small", to="stored", validate="full")
    assert table["i"].num_chunks == 1 and table.num_rows == 100_000
    assert table["i"].to_pylist() == [i for i in range(10_000) for _ in range(10)]
    assert table["s"].to_pylist() == ["a", None, *"abcdefgh"] * 10_000
    assert table["l"].to_pylist() == [True, None] * 50_000
    assert r.get('arrowshm:::in_place(attach_table("small")$i)')


def test_batches_of_every_type_that_can_be_gathered(r: R, store: shm.Store) -> None:
    """From Python's batches of one row, sliced out of longer ones, through R."""
    table = pa.table(
        {
            "int8": pa.array([1, None, 3], pa.int8()),
            "bool": [True, None, False],
            "text": ["a", None, "ccc"],
            "large": pa.array(["a", None, "ccc"], pa.large_string()),
            "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
            "decimal": pa.array([1, None, 3], pa.int64()).cast(pa.decimal128(23, 2)),
            "null": pa.nulls(3),
            "list": [["x"], None, ["y", None]],
            "large list": pa.array([[1], None, [2, 3]], pa.large_list(pa.int32())),
            "pair": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
            "struct": [{"a": 1, "b": "x"}, None, {"a": None, "b": "z"}],
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
            "factor": pa.array(["u", None, "w"]).dictionary_encode(),
            "factors": pa.array([["u"], None, ["v", "u"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        }
    )
    with store.writer("rows", table.schema) as writer:
        for row in range(3):
            writer.write(table.slice(row, 1))
    r.run('share_table(attach_table("rows", as = "nanoarrow"), "r")')
    back = store.attach("r", to="stored", validate="full")
    assert back.schema.equals(table.schema) and back.to_pydict() == table.to_pydict()
    assert back["int8"].num_chunks == 1


def test_levels_that_change_from_batch_to_batch(r: R, store: shm.Store) -> None:
    r.run(STREAM)
    r.run('frames <- lapply(1:300, function(i) data.frame(f = factor(c("a", sprintf("level %d", i), NA))))')
    r.run('share_table(stream_of(frames), "t")')
    table = store.attach("t", to="stored", validate="full")
    assert table["f"].to_pylist() == [text for i in range(1, 301) for text in ("a", f"level {i}", None)]
    assert len(table["f"].chunk(0).dictionary) == 301
    assert r.get('nlevels(attach_table("t")$f)') == 301
    r.run('t <- attach_table("t")$f')
    assert r.get("as.character(t[c(1, 2, 5)])") == ["a", "level 1", "level 2"]


def joined(r: R, store: shm.Store, *columns: pa.Array) -> str:
    """R code for a stream of these arrays; nanoarrow reads dictionaries from nowhere else."""
    for n, column in enumerate(columns):
        store.share(pa.table({"f": column}), f"part{n}", replace=True)
    r.run(
        f'arrays <- lapply(paste0("part", 0:{len(columns) - 1}), function(name) attach_table(name, as = "nanoarrow")$get_next())'
    )
    return "nanoarrow::basic_array_stream(arrays, validate = FALSE)"


def ordered(*texts: str) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(range(len(texts)), pa.int8()), list(texts), ordered=True)


def test_levels_in_an_order_are_not_mixed(r: R, store: shm.Store) -> None:
    r.run(f'share_table({joined(r, store, ordered("low", "high"), ordered("low", "high", "higher"))}, "t")')
    assert store.attach("t", to="stored", validate="full")["f"].to_pylist() == ["low", "high", "low", "high", "higher"]
    stream = joined(r, store, ordered("low", "high"), ordered("high", "low"))
    with signals("UnsupportedSource: .*its ordered factors have another order of levels from one batch to the next"):
        r.run(f'share_table({stream}, "u")')
    r.run("rm(arrays); invisible(gc())")
    assert store.names() == ["part0", "part1", "t"]


def test_a_null_among_the_levels_stays_there(r: R, store: shm.Store) -> None:
    first, second = (
        pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), levels)
        for levels in (["a", None], [None, ""])
    )
    r.run(f'share_table({joined(r, store, first, second)}, "t"); rm(arrays); invisible(gc())')
    chunk = store.attach("t", to="stored", validate="full")["f"].chunk(0)
    assert chunk.dictionary.to_pylist() == ["a", None, ""] and chunk.indices.to_pylist() == [0, 1, None, 1, 2, None]


def test_more_levels_than_the_codes_can_tell_apart(r: R, store: shm.Store) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    stream = joined(r, store, *(pa.array([f"{n}-{i}" for i in range(100)], kind) for n in range(2)))
    with signals("UnsupportedSource: .*more levels than the type of their codes can tell apart"):
        r.run(f'share_table({stream}, "t")')
    r.run("rm(arrays); invisible(gc())")
    assert store.names() == ["part0", "part1"]


def test_a_slice_has_no_more_than_its_own_texts(r: R, store: shm.Store) -> None:
    table = pa.table({"s": ["x" * 1000] * 1000, "l": [["y" * 100]] * 1000})
    with store.writer("whole", table.schema) as writer:
        writer.write(table)
    r.run('whole <- attach_table("whole", as = "nanoarrow")$get_next()')
    r.run("part <- nanoarrow::nanoarrow_array_modify(whole, list(offset = 990, length = 5))")
    r.run("share_table(nanoarrow::basic_array_stream(list(part)), 'part'); rm(whole, part); invisible(gc())")
    assert store.attach("part", to="stored", validate="full").equals(table.slice(990, 5))
    assert store.info("part").nbytes < 20_000


def test_what_does_not_fit_is_refused_before_it_is_written(new_r, store: shm.Store) -> None:
    one = new_r()
    one.run(STREAM)
    one.run('assignInNamespace("room_left", function(directory) 100000, "arrowshm")')
    one.run("frames <- lapply(1:100, function(i) data.frame(a = runif(1000)))")
    with signals("NoRoom: this table needs at least 8.. kB, but only 100 kB is free"):
        one.run('share_table(stream_of(frames), "t")')
    assert store.names() == []


LISTS = [
    pa.array([["x"] * 5] * 2),
    pa.array([[1] * 5] * 2, pa.list_(pa.int64())),
    pa.array([{"a": [1] * 5}] * 2),
    pa.array([[("k", 1)] * 5] * 2, pa.map_(pa.string(), pa.int64())),
]
TEXTS = [pa.array(["a" * 5, "b" * 5]), pa.array(["a" * 5, "b" * 5]).dictionary_encode()]


@pytest.mark.parametrize("batches", [1, 3])
@pytest.mark.parametrize(
    ("column", "ends"),
    [
        *((column, ends) for column in LISTS + TEXTS for ends in ([13, 7, 7], [0, 2, -7])),
        *((column, [0, 2, 1 << 30]) for column in LISTS),  # a stream does not say how long its texts are
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_offsets_that_nobody_has_checked(
    r: R, store: shm.Store, column: pa.Array, ends: list[int], batches: int
) -> None:
    """A file that was damaged after it was shared, as a stream: the lengths that its offsets gave spoiled R's memory."""
    store.share(pa.table({"c": column}), "t")
    path = Path(store.directory) / "t.arrow"
    data, good = path.read_bytes(), struct.pack("<3i", 0, 5, 10)
    assert good in data
    path.write_bytes(data.replace(good, struct.pack("<3i", *ends)))
    r.run(f'arrays <- lapply(1:{batches}, function(i) attach_table("t", as = "nanoarrow")$get_next(validate = FALSE))')
    with signals("UnsupportedSource: .*its offsets are not in order, or lead out of its values"):
        r.run('share_table(nanoarrow::basic_array_stream(arrays, validate = FALSE), "again")')
    r.run("rm(arrays); invisible(gc())")
    assert store.names() == ["t"]
