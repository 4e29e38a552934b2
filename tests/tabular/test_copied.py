"""Views and copies: where the memory of what was attached lies, and what sharing copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from trips import DF, PARIS, Trip

from jupyter_arrowshm import tabular


def test_pandas_numbers_and_times_are_views():
    frame = DF(
        {
            "i": np.arange(4),
            "f": np.arange(4.0),
            "t": pd.date_range("2020", periods=4),
            "z": pd.date_range("2020", periods=4, tz=PARIS),
            "c": pd.Categorical(list("abab")),
            "w": pd.array([1, 2, 3, 4], dtype=pd.ArrowDtype(pa.int64())),
            "n": [1.5, None, 2.0, 2.5],
            "m": pd.to_datetime(["2020-01-01", None, "2020-01-03", None]),
            "o": pd.Series(["a", "b", "c", "d"], dtype=object, index=[4, 3, 2, 1]),
        },
        index=pd.Index([4, 3, 2, 1], name="k"),
    )
    trip = Trip(frame)
    value = trip.value
    for array in (
        value["i"].to_numpy(),
        value["t"].array.asi8,
        value["z"].array.asi8,
        value["c"].array.codes,
        value["n"].to_numpy(),  # what is missing is NaN and NaT below Arrow's nulls: views, too
        value["m"].array.asi8,
        value.index.values,
    ):
        assert trip.inside(np.asarray(array))
    copied = trip.copied()
    # Of categories only the values are copied, where pandas has other strings than Arrow's.
    assert copied.pop("c", 0) < 100 and copied == {"o": 32}
    with pytest.raises(ValueError, match="read-only"):
        value.iloc[0, 0] = 7
    private = Trip(frame, copy=True)
    assert set(private.copied()) == {*frame.columns, "k"}
    for at, new in enumerate(
        [7, 7.5, pd.Timestamp("2021"), pd.Timestamp("2021", tz=PARIS), "b", 9, 3.5, pd.Timestamp("2022"), "z"]
    ):
        private.value.iloc[0, at] = new
        assert private.value.iloc[0, at] == new
    assert trip.value.iloc[0, 0] == 0


def test_of_a_categorical_of_polars_the_codes_are_looked_at():
    """Most releases of polars make them anew; the texts themselves it keeps once for the process."""
    frame = pl.DataFrame({"n": range(1000), "text": ["some text of the table"] * 1000})
    trip = Trip(frame.with_columns(kind=pl.col("text").cast(pl.Categorical)))
    codes = trip.value["kind"].to_physical().to_numpy()
    assert trip.copied() == ({} if trip.inside(codes) else {"kind": 4000})


def test_where_values_lie_in_memory():
    """One address for each piece of memory, whatever library made it; none for what is not a table, column or array."""
    numbers = np.arange(4.0)
    address = numbers.__array_interface__["data"][0]
    array = pa.array(numbers)
    for value in (
        numbers,
        array,
        array.buffers()[1],
        pa.chunked_array([array]),
        pa.table({"a": array}),
        DF({"a": numbers}, copy=False),
    ):
        assert address in list(tabular.extent.addresses(value)), type(value)
    table = pa.table({"a": array, "b": pa.chunked_array([["x"], ["y", "z", "w"]])})
    assert set(tabular.extent.addresses(array)) <= set(tabular.extent.addresses(table))
    frame = pl.DataFrame({"a": numbers, "b": list("xyzw")})
    assert {frame["a"].to_arrow().buffers()[1].address} == set(tabular.extent.addresses(frame["a"]))
    assert set(tabular.extent.addresses(frame["a"])) < set(tabular.extent.addresses(frame))
    masked = np.ma.MaskedArray([1, 2], mask=[False, True])
    assert len(list(tabular.extent.addresses(masked))) == 2
    interval = DF({"i": pd.arrays.IntervalArray.from_arrays([1, 2], [2, 3])})
    assert len(set(tabular.extent.addresses(interval))) == 2
    for value in (5, "text", None, DF, [numbers]):
        assert list(tabular.extent.addresses(value)) == []


def test_sharing_numbers_copies_nothing():
    numbers = {"a": np.arange(1000), "b": np.arange(1000.0)}
    for source in (numbers, DF(numbers, copy=False), pl.DataFrame(numbers), pa.table(numbers)):
        before = pa.total_allocated_bytes()
        batches = list(tabular.to_arrow(source).batches)
        assert pa.total_allocated_bytes() - before < 1000
    assert batches[0].num_rows == 1000
    batch = next(iter(tabular.to_arrow(DF(numbers, copy=False)).batches))
    assert batch.column(0).buffers()[1].address == numbers["a"].ctypes.data


def test_polars_views_and_copies():
    frame = pl.DataFrame({"n": [1, 2], "s": ["a", "longer than a view can hold"]})
    assert Trip(frame).copied() == {}
    assert set(Trip(frame, copy=True).copied()) == {"n", "s"}
    assert isinstance(Trip(frame["n"], to="polars").value, pl.DataFrame)


def test_numpy_views_and_copies():
    arrays = {
        "n": np.arange(3),
        "f": np.array([1.0, np.nan, 2.0]),
        "t": np.array(["2020"] * 3, "M8[s]"),
        "b": np.array([True] * 3),
    }
    trip = Trip(arrays)
    assert trip.copied() == {"b": 3} and not trip.value["n"].flags.writeable
    assert all(trip.inside(trip.value[name]) for name in "nft")
    assert set(Trip(arrays, copy=True).copied()) == set(arrays)
    assert Trip({}).value == {}


def test_copied_counts_dictionaries():
    indices, words = pa.array([0, 1], pa.int8()), pa.array(["a", "bc"])
    table = pa.table({"d": pa.DictionaryArray.from_arrays(indices, words), "n": pa.nulls(2)})
    expected = sum(buffer.size for array in (indices, words) for buffer in array.buffers() if buffer)
    assert tabular.copied(table, "pyarrow", 0, 1) == {"d": expected}
