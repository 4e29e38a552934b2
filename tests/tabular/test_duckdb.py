"""DuckDB there and back without loss, and refusals before anything is read."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

VALUES = {
    "UHUGEINT": [2**128 - 1, 0, 2**64, None],
    "HUGEINT": [-(2**127), 2**127 - 1, -1, 0, None],
    "UUID": [uuid.UUID(int=7), uuid.UUID(int=2**128 - 1), None],
    "ENUM('z', 'it''s', 'a')": ["a", "z", "it's", None],
    "JSON": ['{"a": 1}', "[]", None],
    "TIMETZ": [dt.time(12, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), None],
    "BIT": ["0101", "1", None],
    "INTERVAL": [dt.timedelta(days=2, seconds=3), None],
    "DECIMAL(38,3)": [decimal.Decimal("12345678901234567890123456789012345.125"), None],
    "TIMESTAMP_S": [dt.datetime(2024, 2, 29, 12), None],
    "TIMESTAMP_MS": [dt.datetime(2024, 2, 29, 12), None],
    "TIMESTAMP_NS": [dt.datetime(2024, 2, 29, 12), None],
    "UUID[]": [[uuid.UUID(int=7), None], [], None],
    "HUGEINT[]": [[10**37, -(10**36), None], None],
    "STRUCT(u UUID, e ENUM('b', 'a'), b BIT)": [{"u": uuid.UUID(int=1), "e": "a", "b": "01"}, None],
    "MAP(VARCHAR, HUGEINT)": [{"k": 2**70}, None],
    "UNION(n INTEGER, s VARCHAR)": [1, "x"],
    "UUID[2]": [(uuid.UUID(int=1), uuid.UUID(int=2)), None],
}


def relation(type_: str, values: list[object]) -> duckdb.DuckDBPyRelation:
    text = ["NULL" if value is None else _sql(value) for value in values]
    return duckdb.sql(" union all ".join(f"select {n} as id, {value}::{type_} as x" for n, value in enumerate(text)))


def _sql(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"'{key}': {_sql(item)}" for key, item in value.items())
        return f"MAP {{{inside}}}" if "k" in value else f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join('NULL' if item is None else _sql(item) for item in value)}]"
    if isinstance(value, (int, decimal.Decimal)):
        return f"'{value}'" if abs(value) > 2**60 else str(value)
    if isinstance(value, dt.timedelta):
        return f"'{value.days} days {value.seconds} seconds'"
    if isinstance(value, dt.time):
        return "'12:00:01+02'"
    return "'" + str(value).replace("'", "''") + "'"


@pytest.mark.parametrize("lossless", ["false", "true"])
@pytest.mark.parametrize("type_", VALUES)
def test_there_and_back(store: shm.Store, type_: str, lossless: str) -> None:
    """Type and values, whatever the connection's setting is; and that stays as it was."""
    duckdb.sql(f"set arrow_lossless_conversion = {lossless}")
    try:
        made = relation(type_, VALUES[type_])
        expected, types = made.order("id").fetchall(), list(map(str, made.types))
        store.share(made, "t")
        assert duckdb.sql("select current_setting('arrow_lossless_conversion')").fetchall() == [(lossless == "true",)]
        back = store.attach("t", to="duckdb")
        assert list(map(str, back.types)) == types
        assert back.order("id").fetchall() == expected
        store.share(made.filter("false"), "empty")
        assert list(map(str, store.attach("empty", to="source").types)) == types
    finally:
        duckdb.sql("set arrow_lossless_conversion = false")


def test_huge_integers_are_exact_for_everybody(store: shm.Store) -> None:
    store.share(relation("UHUGEINT", [2**128 - 1, None]), "u")
    store.share(relation("HUGEINT", [-(2**127), 2**127 - 1]), "h")
    assert store.attach("u")["x"].to_pylist() == [2**128 - 1, None]
    assert store.attach("h", to="pandas")["x"].tolist() == [-(2**127), 2**127 - 1]
    store.share(relation("HUGEINT", [17, None]), "small")
    assert store.attach("small", to="polars")["x"].to_list() == [17, None]
    with pytest.raises(shm.UnsupportedTarget, match="column 'x'"):
        store.attach("u", to="polars")


def test_what_its_export_would_change_is_text_for_others(store: shm.Store) -> None:
    for type_, text in (("TIMETZ", "12:00:01+02"), ("BIT", "0101"), ("UUID", str(uuid.UUID(int=7)))):
        store.share(relation(type_, VALUES[type_]), "t", replace=True)
        assert store.attach("t", to="polars")["x"][0] == text


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select '2600000 hours'::INTERVAL as x", "too long for Arrow"),
        ("select [170141183460469231731687303715884105727::HUGEINT] as x", "DECIMAL"),
    ],
)
def test_what_arrow_cannot_hold_is_an_error_and_nothing_is_shared(store: shm.Store, sql: str, reason: str) -> None:
    with pytest.raises(duckdb.Error, match=reason):
        store.share(duckdb.sql(sql), "t")
    assert store.tables() == []


def test_columns_of_one_name_that_need_a_cast_are_refused(store: shm.Store) -> None:
    with pytest.raises(shm.UnsupportedSource, match="another column has the same name"):
        store.share(duckdb.sql("select uuid() as a, 1 as a"), "t")


NANOSECONDS = pa.array([1], pa.int64())
UNREADABLE = {
    "interval finer than a microsecond": pa.array([(0, 0, 1001)], pa.month_day_nano_interval()),
    "duration finer than a microsecond": NANOSECONDS.cast(pa.duration("ns")),
    "duration too long": pa.array([2**62], pa.int64()).cast(pa.duration("s")),
    "time with a zone, finer than a microsecond": NANOSECONDS.cast(pa.timestamp("ns", "UTC")),
    "time too far": pa.array([2**62], pa.timestamp("s")),
    "decimal of 50 digits": pa.array([decimal.Decimal(10**49)], pa.decimal256(50, 0)),
    "a key that stands twice": pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_when_it_is_attached(store: shm.Store, name: str) -> None:
    store.share(pa.table({"id": [1], "x": UNREADABLE[name]}), "t")
    with pytest.raises(shm.UnsupportedTarget, match="column 'x'") as caught:
        store.attach("t", to="duckdb")
    assert caught.value.column == "x"
    assert duckdb.sql("select 42").fetchall() == [(42,)]
    assert store.attach("t", to="duckdb", columns=["id"]).fetchall() == [(1,)]


def test_structs_without_a_field_are_what_this_duckdb_makes_of_them(store: shm.Store) -> None:
    """DuckDB 1 raises an error when it is handed them, DuckDB 2 knows them."""
    table = pa.table({"id": [1, 2, 3], "x": pa.array([{}, None, {}], pa.struct([]))})
    store.share(table, "t")
    try:
        with duckdb.connect() as connection:
            expected = connection.from_arrow(table).fetchall()
    except duckdb.Error:
        with pytest.raises(shm.UnsupportedTarget, match="no structs without a field") as caught:
            store.attach("t", to="duckdb")
        assert caught.value.column == "x"
        return
    attached = store.attach("t", to="duckdb")
    assert attached.fetchall() == expected == [(1, {}), (2, None), (3, {})]
    assert attached.filter("x is null").fetchall() == [(2, None)]
    store.share(attached, "u")
    assert store.attach("u").to_pydict() == table.to_pydict()


def test_a_missing_span_is_read_as_missing(store: shm.Store) -> None:
    """Below a null of pandas lies the least integer, which DuckDB would multiply."""
    store.share(pd.DataFrame({"x": np.array([5, "NaT"], "m8[s]")}), "t")
    assert store.attach("t", to="duckdb").fetchall() == [(dt.timedelta(seconds=5),), (None,)]


def test_binned_values_spoil_no_database(store: shm.Store) -> None:
    store.share(pd.DataFrame({"x": pd.cut([1, 5, 9], [0, 5, 10]), "y": [1, 2, 3]}), "t")
    attached = store.attach("t", to="duckdb")
    grouped = attached.query("t", "select x, sum(y)::int from t group by x order by x").fetchall()
    assert grouped == [("(0, 5]", 3), ("(5, 10]", 3)]
    assert duckdb.sql("select 42").fetchall() == [(42,)]


def test_ordered_categories_keep_their_order(store: shm.Store) -> None:
    store.share(pd.DataFrame({"x": pd.Categorical(["low", "high"], ["low", "high"], ordered=True)}), "t")
    attached = store.attach("t", to="duckdb")
    assert attached.query("t", "select min(x), max(x) from t").fetchall() == [("low", "high")]


def test_dictionaries_in_lists_of_one_length_are_their_values(store: shm.Store) -> None:
    """DuckDB's own reading gives the positions: 0 for the first word."""
    words = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1], pa.int8()), ["a", "b"])
    store.share(pa.table({"x": pa.FixedSizeListArray.from_arrays(words, 2)}), "t")
    assert store.attach("t", to="duckdb").fetchall() == [(("b", "a"),), ((None, "b"),)]
