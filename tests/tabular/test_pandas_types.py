"""pandas' own types in other libraries, as a person would have them; and back in pandas as they were."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

import jupyter_arrowshm as shm

PERIODS = {
    "M": dt.date(2024, 2, 1),
    "Q-NOV": dt.date(2024, 3, 1),
    "Y": dt.date(2024, 1, 1),
    "W-WED": dt.date(2024, 2, 29),
    "D": dt.date(2024, 3, 1),
    "3M": dt.date(2024, 2, 1),
    "h": dt.datetime(2024, 3, 1, 13),
    "15min": dt.datetime(2024, 3, 1, 13, 30),
    "ms": dt.datetime(2024, 3, 1, 13, 30, 0, 250_000),
}


@pytest.mark.parametrize("freq", PERIODS)
def test_a_period_is_when_it_begins(store: shm.Store, freq: str) -> None:
    moment = "2024-02-15" if freq.endswith("M") else "2024-03-01 13:30:00.250"
    frame = pd.DataFrame({"p": pd.PeriodIndex([moment, None], freq=freq)})
    store.share(frame, "t")
    first = store.attach("t", to="polars")["p"][0]
    assert first == PERIODS[freq]
    assert store.attach("t", to="duckdb").fetchall()[0][0] == PERIODS[freq]
    assert store.attach("t")["p"].to_pylist() == [PERIODS[freq], None]
    pd.testing.assert_frame_equal(store.attach("t", to="pandas"), frame)


def test_years_that_nanoseconds_cannot_count(store: shm.Store) -> None:
    frame = pd.DataFrame({"p": pd.PeriodIndex.from_ordinals([-3000, 4000], freq="M")})
    store.share(frame, "t")
    assert store.attach("t")["p"].to_pylist() == [dt.date(1720, 1, 1), dt.date(2303, 5, 1)]
    pd.testing.assert_frame_equal(store.attach("t", to="pandas"), frame)


@pytest.mark.parametrize("closed", ["left", "right", "both", "neither"])
def test_an_interval_says_on_which_side_it_is_closed(store: shm.Store, closed: str) -> None:
    frame = pd.DataFrame({"i": pd.arrays.IntervalArray.from_tuples([(0, 1), None, (1, 2)], closed=closed)})
    store.share(frame, "t")
    expected = [{"left": 0.0, "right": 1.0, "closed": closed}, None, {"left": 1.0, "right": 2.0, "closed": closed}]
    assert store.attach("t", to="polars")["i"].to_list() == expected == store.attach("t")["i"].to_pylist()
    pd.testing.assert_frame_equal(store.attach("t", to="pandas"), frame)


def test_bins_are_a_category_of_text(store: shm.Store) -> None:
    frame = pd.DataFrame({"c": pd.cut([1, 5, 9, np.nan], [0, 5, 10])})
    store.share(frame, "t")
    assert store.attach("t", to="polars")["c"].to_list() == ["(0, 5]", "(0, 5]", "(5, 10]", None]
    assert list(store.attach("t", to="numpy")["c"]) == ["(0, 5]", "(0, 5]", "(5, 10]", None]
    back = store.attach("t", to="pandas")
    pd.testing.assert_frame_equal(back, frame)
    assert back["c"].cat.categories.equals(frame["c"].cat.categories)


@pytest.mark.parametrize(
    "values",
    [
        pd.arrays.SparseArray([0, 0, 1, 0]),
        pd.arrays.SparseArray([1.5, np.nan, np.nan, 2.5]),
        pd.arrays.SparseArray([True, False, False, False]),
        pd.arrays.SparseArray([7, 7, 1, 7], fill_value=7),
    ],
    ids=lambda values: str(values.dtype),
)
def test_sparse_columns_are_dense_elsewhere_and_sparse_again(store: shm.Store, values) -> None:
    frame = pd.DataFrame({"x": values})
    store.share(frame, "t")
    dense = np.asarray(values.to_dense())
    np.testing.assert_array_equal(np.asarray(store.attach("t", to="numpy")["x"]), dense)
    back = store.attach("t", to="pandas")
    assert back["x"].dtype == frame["x"].dtype
    pd.testing.assert_frame_equal(back, frame)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_spans_with_a_missing_one(store: shm.Store, unit: str) -> None:
    frame = pd.DataFrame({"d": np.array([5000, "NaT"], f"m8[{unit}]")})
    store.share(frame, "t")
    span = frame["d"][0].to_pytimedelta()
    assert store.attach("t", to="duckdb").fetchall() == [(span,), (None,)]
    assert store.attach("t", to="polars")["d"].to_list() == [span, None]
    pd.testing.assert_frame_equal(store.attach("t", to="pandas"), frame)


def test_spans_of_duckdb_are_spans_in_pandas_unless_they_have_months(store: shm.Store) -> None:
    store.share(duckdb.sql("select '2 days 3 seconds'::interval as x union all select null"), "t")
    value = store.attach("t", to="pandas")["x"]
    assert value.dtype == "m8[ns]" and value.max() == pd.Timedelta(days=2, seconds=3) and value.isna().sum() == 1
    store.share(duckdb.sql("select '1 month'::interval as x"), "m")
    assert store.attach("m", to="pandas")["x"][0].months == 1
