# ruff: noqa: E501 -- a table
"""The tables that are shared: in each library one of every type of column it has, with a null where it can have one."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from samples import arrays

Make = Callable[[], Any]
DAY = dt.datetime(2024, 2, 29, 12, 30)
Y, Z = [1.5, 2.5, None, 4.5, 5.5, 6.5], ["u", "v", "w", None, "x", "y"]


def _of(array: pa.Array) -> Make:
    return lambda: pa.table({"id": pa.array(range(6)), "x": array, "y": Y, "z": Z})


def _pyarrow() -> dict[str, Make]:
    found = arrays()
    for name, array in found.items():
        if name.startswith(("timestamp[", "duration[")):  # times that every library has, to the microsecond
            whole = pa.array([0, -1000, None, 1000, 1_709_164_000, 86_000], pa.int64())
            found[name] = whole.cast(array.type)
    for name in ("int64", "uint64"):  # whose sum fits
        found[name] = pa.array([2**60 + 1, 1, None, 2, 3, 4], found[name].type)
    spans = [(1, 2, 3000), (-1, -2, -3000), None, (0, 0, 0), (12, 31, 10**15), (0, 1, 0)]
    found["month_day_nano_interval"] = pa.array(spans, pa.month_day_nano_interval())
    indices = pa.array([0, 1, None, 0, 2, 1], pa.int8())
    found["dictionary, ordered"] = pa.DictionaryArray.from_arrays(indices, ["a", "b", "c"], ordered=True)
    del found["struct<>"]  # sorted by such a column, pyarrow itself ends
    return {name: _of(array) for name, array in found.items()}


def _changed() -> dict[str, pa.Array]:
    """Of types that some libraries read as something else, or end over: what they are to be instead."""
    samples = arrays()
    return {
        "bool8": samples["bool8"].cast(pa.int8()).cast(pa.bool_()),
        "run-end encoded dictionary": pa.array(["a", "a", None, "b", "b", "b"]).dictionary_encode(),
        "fixed-shape tensor": samples["fixed-shape tensor"].storage,
        "fixed_size_list<item: int32>[0]": samples["list<item: int32>"].from_arrays(
            pa.array([0, 0, None, 0, 0, 0, 0], pa.int32()), pa.array([], pa.int32())
        ),
    }


def _polars() -> dict[str, Make]:
    text = ["a", "longer than the twelve bytes of a view", None, "b", "a", ""]
    binary = [None if each is None else each.encode() for each in text]
    cat, enum = pl.Categorical, pl.Enum(["a", "b", "z"])
    few = ["a", "b", None, "a", "z", "b"]
    columns = {
        "String": pl.Series(text),
        "Binary": pl.Series(binary),
        "Categorical": pl.Series(few, dtype=cat),
        "Enum": pl.Series(few, dtype=enum),
        "List(String)": pl.Series([["a", None], [], None, ["b"], ["c"], ["d"]]),
        "List(Int64)": pl.Series([[1, None], [], None, [2], [3], [4]]),
        "List(Categorical)": pl.Series([["a", None], [], None, ["b"], ["c"], ["d"]], dtype=pl.List(cat)),
        "List(Struct)": pl.Series([[{"a": "p"}], [], None, [{"a": None}], [], []], dtype=pl.List(pl.Struct({"a": pl.String}))),
        "List(List(Binary))": pl.Series([[[b"a"]], [], None, [[b"b", None]], [[]], []], dtype=pl.List(pl.List(pl.Binary))),
        "Array(String)": pl.Series([["a", "b"], ["c", None], None, ["d", "e"], ["f", "g"], ["h", "i"]], dtype=pl.Array(pl.String, 2)),
        "Array(Float64)": pl.Series([[1.0, 2.0]] * 5 + [None], dtype=pl.Array(pl.Float64, 2)),
        "Struct": pl.Series([{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None, {"a": 2, "b": None}, {"a": 3, "b": ""}, {"a": 4, "b": "z"}]),
        "Struct(List(String))": pl.Series([{"l": ["a"]}, {"l": None}, None, {"l": []}, {"l": [None]}, {"l": ["b"]}]),
        "Struct(Categorical)": pl.Series([{"c": each} for each in few], dtype=pl.Struct({"c": cat})),
        "Int8": pl.Series([1, -1, None, 2, 3, 4], dtype=pl.Int8),
        "UInt64": pl.Series([1, 2, None, 2**60 + 1, 3, 4], dtype=pl.UInt64),
        "Float32": pl.Series([1.5, -1.5, None, 2.5, 0.0, 1.0], dtype=pl.Float32),
        "Boolean": pl.Series([True, False, None, True, True, False]),
        "Date": pl.Series([DAY.date(), None, *[dt.date(2020, 1, day) for day in (1, 2, 3, 4)]]),
        "Datetime(ms)": pl.Series([DAY, None, DAY, DAY, DAY, DAY], dtype=pl.Datetime("ms")),
        "Datetime(us, zone)": pl.Series([DAY, None, DAY, DAY, DAY, DAY]).dt.replace_time_zone("Europe/Paris"),
        "Datetime(ns)": pl.Series([DAY, None, DAY, DAY, DAY, DAY], dtype=pl.Datetime("ns")),
        "Duration(ms)": pl.Series([1, None, 2, 3, 4, 5], dtype=pl.Duration("ms")),
        "Duration(ns)": pl.Series([1000, None, 2000, 3000, 4000, 5000], dtype=pl.Duration("ns")),
        "Time": pl.Series([dt.time(1, 2, 3), None, dt.time(0), dt.time(4), dt.time(5), dt.time(6)]),
        "Decimal": pl.Series([decimal.Decimal("1.50"), None, *map(decimal.Decimal, range(4))], dtype=pl.Decimal(20, 2)),
        "Null": pl.Series([None] * 6),
    }  # fmt: skip
    return {
        name: (lambda column=column: pl.DataFrame({"id": range(6), "x": column, "y": Y, "z": Z}))
        for name, column in columns.items()
    }


def _pandas() -> dict[str, Make]:
    few = ["a", "b", None, "a", "z", "b"]
    arrow = {
        "list<string>": pa.array([["a"], [], None, ["b"], ["c"], ["d"]]),
        "struct": pa.array([{"a": 1, "b": "x"}] * 5 + [None]),
        "date32": pa.array([DAY.date()] * 5 + [None]),
        "decimal": pa.array([decimal.Decimal("1.50")] * 5 + [None]),
        "binary": pa.array([b"a", None, b"b", b"c", b"d", b"e"]),
    }
    columns: dict[str, Any] = {
        "bool": np.array([True, False] * 3),
        "int8": np.arange(6, dtype="int8"),
        "uint64": np.arange(6, dtype="uint64"),
        "float32": np.array([1.5, np.nan, 0, 1, 2, 3], "float32"),
        "Int64": pd.array([1, None, 2, 3, 4, 5], dtype="Int64"),
        "Float64": pd.array([1.5, None, 2, 3, 4, 5], dtype="Float64"),
        "boolean": pd.array([True, None, False, True, True, False], dtype="boolean"),
        "str": pd.array(few, dtype="str"),
        "string": pd.array(few, dtype="string"),
        "objects of str": np.array(few, object),
        "objects of bytes": np.array([b"a", None, b"b", b"", b"c", b"d"], object),
        "objects of list": pd.Series([[1, 2], [], None, [3], [4], [5]]).to_numpy(),
        "objects of dict": pd.Series([{"a": 1}, {"a": 2}, None, {"a": 3}, {"a": 4}, {"a": 5}]).to_numpy(),
        "objects of Decimal": np.array([decimal.Decimal("1.50"), None, *map(decimal.Decimal, range(4))], object),
        "objects of date": np.array([DAY.date(), None, *[DAY.date()] * 4], object),
        "objects of time": np.array([dt.time(1), None, *[dt.time(2)] * 4], object),
        "datetime64[s]": np.array(["2020", "NaT", "2021", "2022", "2023", "2024"], "M8[s]"),
        "datetime64[ns]": np.array(["2020", "NaT", "2021", "2022", "2023", "2024"], "M8[ns]"),
        "zone": pd.to_datetime(["2020", None, "2021", "2022", "2023", "2024"]).tz_localize("Europe/Paris").array,
        "timedelta64[s]": np.array([5, "NaT", 1, 2, 3, 4], "m8[s]"),
        "timedelta64[ms]": np.array([5, "NaT", 1, 2, 3, 4], "m8[ms]"),
        "timedelta64[us]": np.array([5, "NaT", 1, 2, 3, 4], "m8[us]"),
        "timedelta64[ns]": np.array([5000, "NaT", 1000, 2000, 3000, 4000], "m8[ns]"),
        "category": pd.Categorical(few),
        "category, ordered": pd.Categorical(few, categories=["z", "b", "a"], ordered=True),
        "category of int": pd.Categorical([1, 2, None, 1, 3, 2]),
        "category of datetime": pd.Categorical(pd.to_datetime(["2020", "2021", None, "2020", "2022", "2021"])),
        "category of bool": pd.Categorical([True, False, None, True, True, False]),
        **{f"arrow {name}": pd.arrays.ArrowExtensionArray(pa.chunked_array([array])) for name, array in arrow.items()},
    }
    return {name: (lambda column=column: _frame(column)) for name, column in columns.items()}


def _frame(column: Any) -> Any:
    frame = pd.DataFrame({"id": range(6), "y": Y, "z": Z})
    frame.insert(1, "x", pd.Series(column))
    return frame


def _own_dtypes() -> dict[str, tuple[Make, Make]]:
    """pandas' own dtypes, and what they are to everybody else."""
    days = pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01"])
    edges = pd.arrays.IntervalArray.from_breaks(range(7))
    sides = [{"left": n, "right": n + 1, "closed": "right"} for n in range(6)]
    cut = pd.cut([1, 5, 9, 1, 5, 9], [0, 5, 10])
    labels = [str(each) for each in cut]
    hours = pd.period_range("2020-01-01", periods=6, freq="h")
    cases = {
        "period[M]": (days.to_period("M").array, np.array([day.date() for day in days], object)),
        "period[h]": (hours.array, hours.to_timestamp().as_unit("s").array),
        "interval": (edges, np.array(sides, object)),
        "Sparse": (pd.arrays.SparseArray([0, 0, 1, 0, 2, 0]), np.array([0, 0, 1, 0, 2, 0])),
        "category of interval": (cut, pd.Categorical(labels, categories=list(map(str, cut.categories)))),
        "category of period": (
            pd.Categorical(days.to_period("M")),
            pd.Categorical([str(day) for day in days.to_period("M")]),
        ),
    }
    return {name: (lambda c=c: _frame(c), lambda like=like: _frame(like)) for name, (c, like) in cases.items()}


DUCKDB_TYPES = {
    "BOOLEAN": "true", "TINYINT": "1", "UBIGINT": "1152921504606846977", "FLOAT": "1.5", "DOUBLE": "2.5",
    "DECIMAL(9,2)": "1.50", "DECIMAL(38,3)": "1.5", "VARCHAR": "'text that is longer than that'", "BLOB": "'a'",
    "DATE": "'2024-02-29'", "TIME": "'12:30:00'", "TIMESTAMP": "'2024-02-29 12:30'", "TIMESTAMP_S": "'2024-02-29 12:30'",
    "TIMESTAMP_MS": "'2024-02-29 12:30'", "TIMESTAMP_NS": "'2024-02-29 12:30'", "TIMESTAMPTZ": "'2024-02-29 12:30+00'",
    "INTERVAL": "'2 days 3 seconds'", "ENUM('z', 'a', 'b')": "'a'", "JSON": """'{"a": 1}'""",
    "INTEGER[]": "[1, null, 2]", "VARCHAR[]": "['a', null]", "INTEGER[2]": "[1, 2]", "STRUCT(a INTEGER, b VARCHAR)": "{'a': 1, 'b': 'x'}",
    "MAP(VARCHAR, INTEGER)": "map {'k': 1}", "UNION(n INTEGER, s VARCHAR)": "'text'",
}  # fmt: skip
# Those that DuckDB's own export changes, and what they are to everybody else.
DUCKDB_CHANGED = {
    "HUGEINT": ("-12345678901234567890123", "DECIMAL(38,0)"),
    "UHUGEINT": ("12345678901234567890123", "DECIMAL(38,0)"),
    "UUID": ("'00010203-0405-0607-0809-0a0b0c0d0e0f'", "VARCHAR"),
    "BIT": ("'0101'", "VARCHAR"),
    "TIMETZ": ("'12:00:01+02'", "VARCHAR"),
    "UUID[]": ("['00010203-0405-0607-0809-0a0b0c0d0e0f']", "VARCHAR[]"),
    "STRUCT(h HUGEINT)": ("{'h': 17}", "STRUCT(h DECIMAL(38,0))"),
}


def _relation(type_: str, value: str) -> Any:
    cells = ", ".join(
        f"({n}, {'null' if n == 2 and 'UNION' not in type_ else value}, {Y[n] or 'null'}, {f'{Z[n]!r}' if Z[n] else 'null'})"
        for n in range(6)
    )
    return duckdb.sql(
        f"select id::bigint as id, x::{type_} as x, y::double as y, z::varchar as z from (values {cells}) as t(id, x, y, z)"
    )


def _duckdb() -> dict[str, Make]:
    return {name: (lambda t=name, v=value: _relation(t, v)) for name, value in DUCKDB_TYPES.items()}


def _numpy() -> dict[str, Make]:
    columns = {
        **{str(np.dtype(kind)): np.array([1, 0, 1, 2, 3, 4], kind) for kind in "?bBhHiIlLefd"},
        "U": np.array(["a", "bcd", "é", "", "z", "a"]),
        "S": np.array([b"a", b"bcd", b"c", b"", b"z", b"a"]),
        **{f"M8[{unit}]": np.array(["2020-01-01", "NaT"] * 3, f"M8[{unit}]") for unit in ("D", "s", "ms", "us", "ns")},
        **{f"m8[{unit}]": np.array([1000, "NaT"] * 3, f"m8[{unit}]") for unit in ("s", "ms", "us", "ns")},
        "objects": np.array(["a", None, "b", "c", "d", "e"], object),
    }
    return {
        name: (lambda c=column: {"id": np.arange(6), "x": c, "y": np.arange(6.0), "z": np.array(list("uvwxyz"))})
        for name, column in columns.items()
    }


def origins() -> dict[str, dict[str, tuple[Make, Make]]]:
    """By library and type: what is shared, and what is converted by the library's own means to compare with."""
    found = {
        library: {name: (make, make) for name, make in made.items()}
        for library, made in (
            ("pyarrow", _pyarrow()),
            ("polars", _polars()),
            ("pandas", _pandas()),
            ("duckdb", _duckdb()),
            ("numpy", _numpy()),
        )
    }
    found["pandas"] |= _own_dtypes()
    found["pyarrow"] |= {name: (found["pyarrow"][name][0], _of(like)) for name, like in _changed().items()}
    for name, (value, like) in DUCKDB_CHANGED.items():
        found["duckdb"][name] = (
            lambda t=name, v=value: _relation(t, v),
            lambda t=like, name=name, v=value: _relation(t, f"({v})::{name}"),
        )
    return found
