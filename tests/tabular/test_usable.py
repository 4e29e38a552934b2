"""A table of one library can be used in another: everyday operations on the examples that failed."""

from __future__ import annotations

import decimal
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from footers import change, durations_to_intervals
from pyarrow import csv

import jupyter_arrowshm as shm
from jupyter_arrowshm import tabular
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE
from jupyter_arrowshm.tabular.rules import RULES

TEXT = ["a", "longer than the twelve bytes of a view", None, "b", "a", ""]
POLARS = {
    "text": pl.Series(TEXT),
    "bytes": pl.Series([None if each is None else each.encode() for each in TEXT]),
    "Categorical": pl.Series(TEXT, dtype=pl.Categorical),
    "Enum": pl.Series(["z", "a", None, "a", "z", "z"], dtype=pl.Enum(["z", "a"])),
    "struct": pl.Series([{"s": each, "n": 1} for each in TEXT]),
    "list": pl.Series([[each] for each in TEXT]),
    "array": pl.Series([[each, each] for each in TEXT], dtype=pl.Array(pl.String, 2)),
    "list of Categorical": pl.Series([[each] for each in TEXT], dtype=pl.List(pl.Categorical)),
    "struct of lists": pl.Series([{"l": [each]} for each in TEXT]),
}


@pytest.fixture(params=POLARS)
def frame(request: pytest.FixtureRequest) -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2, 3, 4, 5, 6], "x": POLARS[request.param], "n": [1, 2, 3, None, 5, 6]})


def test_pyarrow_selects_orders_and_joins_what_polars_shared(store: shm.Store, frame: pl.DataFrame, tmp_path) -> None:
    store.share(frame, "t")
    table, values = store.attach("t"), frame["x"].to_list()
    assert table["x"].to_pylist() == values
    assert table.filter(pc.field("id") > 4)["x"].to_pylist() == values[4:]
    assert table.take([5, 0])["x"].to_pylist() == [values[5], values[0]]
    assert table.sort_by([("id", "descending")])["id"].to_pylist() == [6, 5, 4, 3, 2, 1]
    if not frame["x"].dtype.is_nested():  # which pyarrow joins and writes nowhere
        other = pa.table({"id": [2, 3], "other": [20, 30]})
        assert sorted(table.join(other, "id", join_type="inner")["other"].to_pylist()) == [20, 30]
        csv.write_csv(table, tmp_path / "t.csv")
        sums = table.group_by("x").aggregate([("id", "sum")]).to_pylist()
        own = frame.group_by("x").agg(pl.col("id").sum()).rows()
        assert {(row["x"], row["id_sum"]) for row in sums} == set(own)
    assert store.attach("t", to="stored").schema.field("x").type != table.schema.field("x").type


def test_the_stored_types_cost_nothing(store: shm.Store, frame: pl.DataFrame) -> None:
    store.share(frame, "t")
    stored = store.attachment("t", to="stored")
    assert stored.copied == {} and stored.kind == "pyarrow"
    assert pl.from_arrow(stored.value).equals(frame)
    polars = store.attachment("t", to="polars")
    # Of categories polars takes the words into its own memory.
    assert polars.copied.get("x", 0) < 200 and polars.value.equals(frame)
    assert set(store.attachment("t", to="pyarrow").copied) == {"x"}


def test_pandas_prints_and_filters_what_polars_shared(store: shm.Store, frame: pl.DataFrame) -> None:
    """One odd column, and the others stay what they are."""
    store.share(frame, "t")
    value = store.attach("t", to="pandas")
    assert [str(dtype) for dtype in value.dtypes[["id", "n"]]] == ["int64", "float64"]
    assert repr(value) and value[value.id > 4]["id"].tolist() == [5, 6]
    assert value.to_json()


def test_what_pyarrow_shared_is_as_it_was(store: shm.Store) -> None:
    table = pa.table({"x": pa.array(TEXT, pa.string_view()), "r": pa.RunEndEncodedArray.from_arrays([6], [1])})
    store.share(table, "t")
    assert store.attach("t").equals(table) and store.attachment("t").copied == {}


def test_names_of_polars_columns_stay(store: shm.Store) -> None:
    store.share(pl.DataFrame({"": [1], "b": [2]}), "t")
    assert store.attach("t", to="polars").columns == ["", "b"]
    store.share(pl.Series([1, 2]), "s")
    assert store.attach("s", to="source").name == ""


def test_columns_of_one_name_keep_their_types_in_pandas(store: shm.Store) -> None:
    store.share(pa.table([[1, 2], ["x", "y"], [None, 2**60 + 1]], names=["a", "a", "a"]), "t")
    value = store.attach("t", to="pandas")
    assert list(value.columns) == ["a"] * 3 and value.iloc[:, 0].tolist() == [1, 2]
    assert value.iloc[:, 1].tolist() == ["x", "y"] and value.iloc[1, 2] == 2**60 + 1


ODD = {
    "union": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
    "runs": pa.RunEndEncodedArray.from_arrays([1, 2], ["a", "b"]),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1", "2"])),
    "list of views": pa.array([["a"], ["b"]], pa.list_(pa.string_view())),
    "time": pa.array([5, 6], pa.time64("ns")),
    "list views": pa.array([[1], [2]], pa.list_view(pa.int8())),
}


@pytest.mark.parametrize("name", ODD)
def test_one_odd_column_changes_no_other_in_pandas(store: shm.Store, name: str) -> None:
    store.share(pa.table({"x": ODD[name], "n": [1, None], "s": ["u", "v"], "i": [1, 2]}), "t")
    value = store.attach("t", to="pandas")
    assert [str(dtype) for dtype in value.dtypes[["n", "s", "i"]]] == ["float64", str(pd.Series(["u"]).dtype), "int64"]
    assert repr(value) and len(value[value.i > 1]) == 1


BIG = 2**60 + 1


def test_integers_in_nested_columns_stay_exact_in_numpy(store: shm.Store) -> None:
    runs = pa.RunEndEncodedArray.from_arrays([1, 2], pa.array([BIG, None]))
    columns = {
        "struct": pa.array([{"x": BIG}, {"x": None}]),
        "list": pa.array([[BIG, None], []]),
        "map": pa.array([[("k", BIG), ("l", None)], []], pa.map_(pa.string(), pa.int64())),
        "runs": runs,
    }
    store.share(pa.table(columns), "t")
    value = store.attach("t", to="numpy")
    assert value["struct"][0] == {"x": BIG} and list(value["list"][0]) == [BIG, None]
    assert value["map"][0][0] == ("k", BIG) and value["runs"][0] == BIG


def test_list_views_out_of_order_are_read_in_order(store: shm.Store) -> None:
    values = pa.array([1, 2, 3, 4, 5, 6])
    views = pa.ListViewArray.from_arrays(pa.array([4, 0, 2], pa.int32()), pa.array([2, 2, 1], pa.int32()), values)
    store.share(pa.table({"x": views}), "t")
    for to in ("pandas", "polars", "numpy", "duckdb"):
        found = store.attach("t", to=to)
        rows = [row[0] for row in found.fetchall()] if to == "duckdb" else found["x"]
        assert [list(row) for row in rows] == [[5, 6], [1, 2], [3]], to


def test_decimals_fit_or_are_refused_by_name(store: shm.Store) -> None:
    for value, fits in ((decimal.Decimal(10**30), True), (decimal.Decimal(10**45), False)):
        store.share(pa.table({"d": pa.array([value], pa.decimal256(60, 0)), "i": [1]}), "t", replace=True)
        for to in ("polars", "duckdb"):
            if fits:
                found = store.attach("t", to=to)
                assert (found.fetchall()[0][0] if to == "duckdb" else found["d"][0]) == value
            else:
                with pytest.raises(shm.UnsupportedTarget, match="column 'd'"):
                    store.attach("t", to=to)


@pytest.mark.parametrize(("columns", "names"), [("ab", ["ab"]), (["b", "a"], ["b", "a"])])
def test_one_name_is_one_column(store: shm.Store, columns, names: list[str]) -> None:
    store.share(pa.table({"a": [1], "b": [2], "ab": [3]}), "t")
    assert store.attach("t", columns=columns).column_names == names


def test_a_column_that_is_no_text_is_told(store: shm.Store) -> None:
    store.share(pd.DataFrame({1: [1]}), "t")
    with pytest.raises(TypeError, match="columns are given by their names, which are text: '1', not 1"):
        store.attach("t", columns=[1])
    assert store.attach("t", columns=["1"]).num_columns == 1


@pytest.mark.parametrize("target", RULES)
def test_a_rule_says_what_and_why(target: str) -> None:
    for rule in RULES[target]:
        assert rule.types and rule.why and rule.into
        assert (rule.into == "refused") == (rule.becomes is None)


def test_numbers_are_handed_over_as_they_are() -> None:
    table = pa.table({"a": np.arange(5), "s": ["x"] * 5})
    for target in RULES:
        assert tabular.fitting.fitted(table, target) is table


def test_intervals_that_pyarrow_has_no_arrays_for_are_named(store: shm.Store) -> None:
    """Months, or days and milliseconds: one such column is no reason for a bare KeyError, nor for losing the others."""
    os.makedirs(store.directory, 0o700)
    spans = pa.Array.from_buffers(pa.duration("s"), 2, [None, pa.py_buffer(bytes(16))])
    batch = pa.record_batch([pa.array([1, 2]), spans], names=["n", "span"])
    with pa.OSFile(store.path("t"), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    change(Path(store.path("t")), durations_to_intervals)
    for to in ("pyarrow", "pandas", "polars", "duckdb", "numpy"):
        with pytest.raises(shm.UnsupportedTarget, match=r"column 'span'.*interval of an older sort") as caught:
            store.attachment("t", to=to)
        assert 'with to="stored"' in caught.value.remedy() and "--to stored" in caught.value.remedy("magic")
        assert store.attachment("t", to=to, columns=["n"]).name == "t"
    stored = store.attachment("t", to="stored")
    assert stored.value["n"].to_pylist() == [1, 2] and stored.copied == {}
    with pytest.raises(shm.UnsupportedSource, match=r"column 'span'.*t = t\.drop_columns\(\['span'\]\)"):
        store.share(stored.value, "again")
    store.share(stored.value.drop_columns(["span"]), "again")


def test_columns_of_many_rows_are_cast_side_by_side(store: shm.Store) -> None:
    """In rows, order and nulls as the library's own; also a slice, whose views do not begin where its memory does."""
    rows = pl.int_range(150_000, eager=True)
    frame = pl.DataFrame({"id": rows}).with_columns(
        long=pl.format("a text of some length, number {}", "id"),
        short=pl.when(pl.col("id") % 7 > 0).then(pl.format("n{}", "id")),
        bytes=pl.format("the bytes of the number {}", pl.col("id") % 1000).cast(pl.Binary),
        kind=pl.format("k{}", pl.col("id") % 5).cast(pl.Categorical),
        lists=pl.concat_list(pl.format("one of the numbers, {}", "id")),
    )[3:-3]
    store.share(frame, "t")
    assert store.attach("t", to="pyarrow").equals(frame.to_arrow())
    assert store.attach("t", to="numpy")["short"].tolist() == frame["short"].to_list()
    pd.testing.assert_series_equal(store.attach("t", to="pandas")["long"], frame["long"].to_pandas())


def test_a_view_that_points_out_of_its_buffer_is_found_in_any_row(store: shm.Store) -> None:
    texts = [f"a text of some length, number {number:06}" for number in range(150_000)]
    store.share(pl.DataFrame({"a": texts, "b": texts}), "t")
    data = Path(store.path("t")).read_bytes()
    last = data.rindex(struct.pack("<i4s", len(texts[0]), b"a te"))  # length, prefix, buffer and offset: a view
    os.chmod(store.path("t"), 0o600)
    with open(store.path("t"), "r+b") as file:
        file.seek(last + 12)
        file.write(struct.pack("<i", 1 << 30))
    with pytest.raises(shm.DamagedTable):
        store.attach("t", to="pyarrow")


AT_EXIT = """
import atexit, concurrent.futures.thread, jupyter_arrowshm as shm
atexit.register(lambda: print(shm.attach("t", to="pyarrow").num_rows))
"""


def test_columns_are_cast_where_there_can_be_no_threads(store: shm.Store) -> None:
    """While the interpreter ends, for one: a program may want its table last of all."""
    store.share(pl.DataFrame({"a": ["x"] * 100_000, "b": ["a text of some length"] * 100_000}), "t")
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(store.directory)}
    done = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("100000\n", "")
