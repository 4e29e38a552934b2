"""polars' frames and Series come back equal."""

from __future__ import annotations

import datetime as dt
import decimal

import polars as pl
import pytest
from trips import PARIS, Trip

POLARS = {
    "String": pl.Series(["a", None, "longer than a view can hold"]),
    "Categorical": pl.Series(["a", None, "b"], dtype=pl.Categorical),
    "Enum": pl.Series(["a", None], dtype=pl.Enum(["z", "a"])),
    "Enum empty": pl.Series([], dtype=pl.Enum(["z", "a"])),
    "Decimal": pl.Series([decimal.Decimal("1.5")], dtype=pl.Decimal(20, 2)),
    "List": pl.Series([[1], None, []]),
    "List of Enum": pl.Series([["a"]], dtype=pl.List(pl.Enum(["b", "a"]))),
    "Array": pl.Series([[[1, 2]]], dtype=pl.Array(pl.Int8, (1, 2))),
    "Struct": pl.Series([{"a": 1, "b": "x"}, None]),
    "Struct of nothing": pl.Series([{}], dtype=pl.Struct([])),
    "Duration": pl.Series([1, None], dtype=pl.Duration("ms")),
    "Time": pl.Series([dt.time(1)]),
    "Datetime": pl.Series([dt.datetime(2020, 1, 1)], dtype=pl.Datetime("ms", PARIS)),
    "Date": pl.Series([dt.date(2020, 1, 1)]),
    "Binary": pl.Series([b"x"]),
    "Null": pl.Series([None]),
    "Float32": pl.Series([1.0, float("nan")], dtype=pl.Float32),
    "UInt8": pl.Series([1, None], dtype=pl.UInt8),
    "Boolean": pl.Series([True, None]),
    "chunks": pl.concat(
        [pl.Series(["a", "b"], dtype=pl.Categorical), pl.Series(["c"], dtype=pl.Categorical)], rechunk=False
    ),
}


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("name", POLARS)
def test_polars_comes_back_equal(name, copy):
    frame = POLARS[name].alias("x").to_frame()
    for source in (frame, frame["x"]):
        trip = Trip(source, copy=copy)
        if copy:
            trip.data[:] = 0xA5
        assert type(trip.value) is type(source) and trip.value.equals(source, null_equal=True)
        assert (trip.value.schema == frame.schema) if source is frame else trip.value.dtype == source.dtype
        assert trip.kind == trip.converted.kind == ("polars" if source is frame else "polars.Series")


def test_polars_without_columns():
    # Older releases drop the rows with the last column.
    frame = pl.DataFrame({"a": range(3)}).drop("a")
    assert Trip(frame).value.shape == frame.shape
