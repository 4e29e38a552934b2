"""Batches fit the schema of a writer, or are refused."""

from __future__ import annotations

import decimal

import polars as pl
import pyarrow as pa
import pytest
from trips import DF

from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedSource

TABLE = pa.table({"a": [1, 2], "s": ["x", None]})
SCHEMA = pa.schema([pa.field("a", pa.int32()), pa.field("s", pa.large_string())], metadata={"of": "the writer"})
FITS = {
    "batch": TABLE.to_batches()[0],
    "table": TABLE,
    "other order": TABLE.select(["s", "a"]),
    "reader": TABLE.to_reader(),
    "pandas": DF({"a": [1, 2], "s": ["x", None]}),
    "polars": pl.DataFrame({"s": ["x", None], "a": [1, 2]}),
    "dict": {"a": [1, 2], "s": ["x", None]},
    "floats": pa.table({"a": [1.0, 2.0], "s": ["x", None]}),
    "dictionary": pa.table({"a": [1, 2], "s": pa.array(["x", None]).dictionary_encode()}),
}


@pytest.mark.parametrize("obj", FITS.values(), ids=FITS)
def test_batches_fit_the_writer(obj):
    batches = list(tabular.to_batch(obj, SCHEMA))
    assert all(batch.schema.equals(SCHEMA, check_metadata=True) for batch in batches)
    assert pa.Table.from_batches(batches).to_pylist() == TABLE.to_pylist()


MISFITS = [
    ({"a": [1]}, None, "lacks 's'"),
    ({"a": [1], "s": ["x"], "z": [1]}, None, "has 'z'"),
    (DF({"a": [1], "s": ["x"]}, index=["k"]), None, "has '__index_level_0__'"),
    ({"a": [2**40], "s": ["x"]}, "a", "int64 is not int32"),
    ({"a": [1.5], "s": ["x"]}, "a", "double is not int32"),
    ({"a": ["1"], "s": ["x"]}, "a", "string is not int32"),
    ({"a": [1], "s": [7]}, "s", "int64 is not large_string"),
    ({"a": [1], "s": [b"x"]}, "s", "binary is not large_string"),
]


@pytest.mark.parametrize(("obj", "label", "reason"), MISFITS)
def test_batches_that_do_not_fit(obj, label, reason):
    with pytest.raises(UnsupportedSource) as caught:
        list(tabular.to_batch(obj, SCHEMA))
    assert caught.value.column == label and reason in caught.value.reason


@pytest.mark.parametrize(
    ("values", "given", "wanted", "fits"),
    [
        ([0.5, float("nan"), None], pa.float64(), pa.float32(), True),
        ([0.1], pa.float64(), pa.float32(), False),
        ([2**60 + 1], pa.int64(), pa.float64(), False),
        ([None], pa.null(), pa.date32(), True),
        ([0], pa.timestamp("s"), pa.timestamp("ns"), True),
        ([1], pa.timestamp("ns"), pa.timestamp("s"), False),
        ([0], pa.timestamp("s"), pa.timestamp("s", "UTC"), False),
        ([decimal.Decimal("1.50")], pa.decimal128(5, 2), pa.decimal128(9, 3), True),
        ([[1]], pa.list_(pa.int64()), pa.large_list(pa.int8()), True),
        ([["1"]], pa.list_(pa.string()), pa.list_(pa.int8()), False),
        ([1], pa.int64(), pa.bool_(), False),
    ],
)
def test_casts_lose_nothing(values, given, wanted, fits):
    table, schema = pa.table({"x": pa.array(values, given)}), pa.schema([("x", wanted)])
    if fits:
        assert [batch.schema for batch in tabular.to_batch(table, schema)] == [schema]
    else:
        with pytest.raises(UnsupportedSource, match="column 'x'"):
            list(tabular.to_batch(table, schema))


def test_nulls_where_the_writer_allows_none():
    schema = pa.schema([pa.field("x", pa.int64(), nullable=False)])
    with pytest.raises(UnsupportedSource, match="nulls"):
        list(tabular.to_batch(pa.table({"x": [1, None]}), schema))
    empty = list(tabular.to_batch(pa.table({"a": [1, 2]}).select([]), pa.schema([])))
    assert [batch.num_rows for batch in empty] == [2]
