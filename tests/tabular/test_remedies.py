"""What cannot be shared is refused with a remedy, and the remedy works."""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import functools
import json
import pathlib
import re
import tempfile
import zoneinfo
from typing import ClassVar

import dateutil.tz
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from footers import change, durations_to_intervals
from trips import DF, PARIS, Trip, attributed

import jupyter_arrowshm as shm
from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedSource
from jupyter_arrowshm.tabular import remedies


def with_index(index):
    return DF({"a": range(len(index))}, index=index)


class Older:
    """What has the older protocol and no other, as tables of a few libraries do."""

    def __dataframe__(self, **options):
        return pa.table({"a": [1, 2], "b": ["x", None]}).__dataframe__(**options)


class OnDevice:
    """What says that it is on a GPU, with the method that tensors have to leave it."""

    def __dlpack__(self, **options):
        raise BufferError

    def __dlpack_device__(self):
        return (2, 0)  # kDLCUDA of dlpack.h

    def cpu(self):
        return np.zeros(2)


class Kept(pd.DataFrame):
    _metadata: ClassVar = ["place"]
    place = pathlib.Path("a")


TWICE = """
select * from (select uuid() as "it's") one, (select uuid() as "it's", uuid() as "IT'S_3", 1 as "{}") other
"""
ZONES = (zoneinfo.ZoneInfo(PARIS), dt.timezone.utc)
HOLIDAYS = pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])
REFUSED = {
    "mixed": (lambda: DF({"x": ["a", 1]}), "df", "x", "mixes int and str"),
    "int and float": (lambda: DF({"x": pd.Series([1, 2.5], dtype=object)}), "df", "x", "mixes float and int"),
    "bytes and str": (lambda: DF({"x": ["a", b"b"]}), "df", "x", "mixes bytes and str"),
    "label of a number": (lambda: DF({3: ["a", 1]}), "df", "3", "mixes"),
    "label of levels": (lambda: DF({("a", 1): ["a", 1]}), "df", "('a', 1)", "mixes"),
    "set": (lambda: DF({"x": [{1}, {2}]}), "df", "x", "set objects"),
    "set, null": (lambda: DF({"x": [{1}, None]}), "df", "x", "set objects"),
    "tuple": (lambda: DF({"x": [(1, 2), (3,)]}), "df", "x", "tuple objects"),
    "dicts": (lambda: DF({"x": [{"a": 1}, {"b": 1}]}), "df", "x", "dict objects"),
    "bytearray": (lambda: DF({"x": [bytearray(b"a"), None]}), "df", "x", "bytearray"),
    "path": (lambda: DF({"x": [pathlib.Path("a")]}), "df", "x", "Path"),
    "big int": (lambda: DF({"x": pd.Series([2**70], dtype=object)}), "df", "x", "too large"),
    "Timestamp": (lambda: DF({"x": pd.Series([pd.Timestamp(1)], dtype=object)}), "df", "x", "Timestamp objects"),
    "NaN Decimal": (lambda: DF({"x": [decimal.Decimal("NaN")]}), "df", "x", "missing values are"),
    "zones": (
        lambda: DF({"x": pd.Series([dt.datetime(2020, 1, 1, tzinfo=zone) for zone in ZONES], dtype=object)}),
        "df", "x", "datetime objects",
    ),
    "surrogate": (lambda: DF({"x": pd.Series(["\ud800"], dtype=object)}), "df", "x", "surrogates"),
    "complex": (lambda: DF({"x": [1j]}), "df", "x", "complex128"),
    "categories": (lambda: DF({"x": pd.Categorical(["a", 1])}), "df", "x", "mixes"),
    "seconds": (
        lambda: DF({"x": pd.date_range("2020", periods=1, tz=dt.timezone(dt.timedelta(seconds=90)))}),
        "df", "x", "seconds",
    ),
    "zone of the machine": (
        lambda: DF({"x": pd.date_range("2020", periods=1, tz=dateutil.tz.tzlocal())}),
        "df", "x", "no such time zone",
    ),
    "duplicates": (lambda: DF([[1, 2]], columns=["x", "x"]), "df", "x", "same label"),
    "index": (lambda: with_index(pd.Index(["a", 1], dtype=object)), "df", "index", "mixes"),
    "index levels": (lambda: with_index(pd.MultiIndex.from_tuples([("a", 1j), ("b", 2j)])), "df", "index", "complex"),
    "index name": (lambda: with_index(pd.Index([1], name=frozenset())), "df", "index", "frozenset"),
    "frequency": (lambda: with_index(pd.date_range("2020", periods=3, freq=HOLIDAYS)), "df", "index", "frequency"),
    "labels": (lambda: DF([[1]], columns=[frozenset("a")]), "df", None, "frozenset"),
    "attrs": (lambda: attributed(DF({"x": [1]}), t=(1, 2)), "df", None, "attrs['t']"),
    "series": (lambda: pd.Series(["a", 1], name="x"), "s", "x", "mixes"),
    "series name": (lambda: pd.Series([1], name=frozenset()), "s", None, "frozenset"),
    "polars objects": (lambda: pl.DataFrame({"x": pl.Series([{1}], dtype=pl.Object)}), "df", "x", "objects"),
    "polars Int128": (lambda: pl.DataFrame({"x": pl.Series([2**100], dtype=pl.Int128)}), "df", "x", "Int128"),
    "polars lazy": (lambda: pl.LazyFrame({"x": [1]}), "df", None, "a query"),
    "0-D": (lambda: {"x": np.array(5)}, "d", "x", "no dimension"),
    "scalar": (lambda: {"x": 5}, "d", "x", "int is not a column"),
    "text": (lambda: {"x": "abc"}, "d", "x", "str is not a column"),
    "lengths": (lambda: {"y": np.zeros(2), "x": np.zeros(3)}, "d", "x", "3 rows"),
    "name": (lambda: {7: np.zeros(2)}, "d", "7", "not a string"),
    "complex array": (lambda: {"x": np.array([1j])}, "d", "x", "Unsupported numpy type"),
    "records": (lambda: {"x": np.zeros(2, "i4,f8")}, "d", "x", "Unsupported numpy type"),
    "void": (lambda: {"x": np.array([b"abc"], "V3")}, "d", "x", "Unsupported numpy type"),
    "long double": (lambda: {"x": np.zeros(2, np.longdouble)}, "d", "x", "Unsupported numpy type"),
    "hours": (lambda: {"x": np.array([1], "M8[h]")}, "d", "x", "unit"),
    "days": (lambda: {"x": np.array([1], "m8[D]")}, "d", "x", "unit"),
    "mixed list": (lambda: {"x": ["a", 1]}, "d", "x", "Expected bytes|Could not convert|int"),
    "mixed array": (lambda: {"x": np.array(["a", 1], object)}, "d", "x", "mixes"),
    "bare array": (lambda: pa.array([1, 2]), "x", None, "one column"),
    "bare chunks": (lambda: pa.chunked_array([[1, 2]]), "x", None, "one column"),
    "index alone": (lambda: pd.Index([1, 2]), "x", None, "not a table in memory"),
    "extension array": (lambda: pd.array([1, None]), "x", None, "not a table in memory"),
    "__dataframe__": (lambda: Older(), "x", None, "the older __dataframe__ protocol"),
    "DuckDB names": (lambda: duckdb.sql(TWICE.format("y")), "relation", "it's", "same name"),
    "DuckDB names, numbered": (lambda: duckdb.sql(TWICE.format("it's_2")), "relation", "it's", "same name"),
    "Series of other indexes": (
        lambda: {"a": pd.Series([1, 2]), "x": pd.Series([3, 4], index=[1, 0])}, "d", "x", "its index differs",
    ),
    "polars Int128 beside others": (
        lambda: pl.DataFrame({"a": [1], "it's": pl.Series([-(2**100)], dtype=pl.Int128)}), "df", "it's", "Int128",
    ),
    "array of no dimension": (lambda: np.array(5.0), "a", None, "no dimension"),
    "structured matrix": (lambda: np.zeros((2, 2), "i4,f8"), "a", None, "structured and has dimensions"),
    "device": (lambda: OnDevice(), "x", None, "memory of a device"),
    "attribute of a subclass": (lambda: Kept({"x": [1]}), "df", None, "its place is not what JSON can hold"),
    "interval of months": (lambda: with_months(), "t", "x", "an interval of an older sort"),
    "null rows": (lambda: pa.array([{"a": 1}, None]), "x", None, "nulls"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "variable", "label", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_a_remedy_that_works(make, variable, label, reason):
    with pytest.raises(UnsupportedSource) as caught:
        tabular.to_arrow(make())
    error = caught.value
    assert error.column == label and re.search(reason if "|" in reason else re.escape(reason), error.reason)
    (code,) = re.findall("`(.+)`", error.fix)
    names = {variable: make(), "pd": pd, "np": np, "pl": pl, "pa": pa}
    exec(code, names)
    assert Trip(names[variable]).table.num_rows >= 1


def categories(values, width=1):
    """One chunk for each, with dictionaries that pyarrow cannot put into one."""
    chunks = [pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([value])) for value in values]
    if width > 1:
        chunks = [pa.StructArray.from_arrays([chunk], ["s"]) for chunk in chunks]
    return pa.table({"a": [1] * len(chunks), "x": pa.chunked_array(chunks)})


def named(inside=False):
    """A text that says that it is a UUID."""
    named = {"ARROW:extension:name": "arrow.uuid", "ARROW:extension:metadata": ""}
    field = pa.field("s", pa.string(), metadata=named)
    column = pa.array(["a"])
    if inside:
        column, field = pa.StructArray.from_arrays([column], fields=[field]), pa.field("x", pa.struct([field]))
    return pa.table([pa.array([1]), column], schema=pa.schema([pa.field("a", pa.int64()), field.with_name("x")]))


def with_months():
    """A table with an interval of months, which pyarrow reads and has no arrays of."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "t.arrow")
        table = pa.table({"a": [1, 2], "x": pa.array([1, 2], pa.duration("s"))})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        change(path, durations_to_intervals)
        return pa.ipc.open_file(path.read_bytes()).read_all()


TWO_LEVELS = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["b"]).dictionary_encode())
LONG = {"k": "v" * (33 << 20)}
# What no Arrow file can hold, as a table `t`.
UNWRITABLE = {
    "dictionary of a dictionary": (lambda: pa.table({"a": [1, 2], "x": TWO_LEVELS}), "x", "dictionary of a dictionary"),
    "the same in a list": (
        lambda: pa.table({"x": pa.ListArray.from_arrays([0, 2], TWO_LEVELS)}), "x", "dictionary of a dictionary",
    ),
    "type that is another": (named, "x", "cannot be read back"),
    "type inside that is another": (lambda: named(inside=True), "x", "cannot be read back"),
    "dictionaries of structs": (lambda: categories([{"b": 1}, {"b": 2}]), "x", "differ from batch to batch"),
    "dictionaries in structs": (lambda: categories([{"b": 1}, {"b": 2}], 2), "x", "differ from batch to batch"),
    "metadata": (lambda: pa.table({"x": [1]}).replace_schema_metadata(LONG), None, "its schema takes more"),
    "metadata of a column": (
        lambda: pa.table([[1]], pa.schema([pa.field("x", pa.int64(), metadata=LONG)])), None, "its schema takes more",
    ),
    "names": (lambda: pa.table({"x" * (8 << 20) + str(n): [n] for n in range(5)}), None, "its schema takes more"),
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    return shm.Store(tmp_path / "store")


@pytest.mark.parametrize(("make", "label", "reason"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_a_file_cannot_hold_has_a_remedy_that_works(store, make, label, reason):
    with pytest.raises(UnsupportedSource, match=reason) as caught:
        store.share(make(), "t")
    assert caught.value.column == label
    (code,) = re.findall("`(.+)`", caught.value.fix)
    names = {"t": make(), "pa": pa}
    exec(code, names)
    store.share(names["t"], "t")
    back, before = store.attach("t"), make()
    assert back.column_names == before.column_names[: back.num_columns]
    assert [column.to_pylist() for column in back.columns] == [
        column.to_pylist() for column in before.columns[: back.num_columns]
    ]


SCHEMA = pa.schema([pa.field("n", pa.int32(), nullable=False), pa.field("x", pa.int32())])
BATCHES = {
    "nulls": (lambda: {"x": [1], "n": pa.array([None], pa.int32())}, "n", "forbids them"),
    "too large": (lambda: DF({"n": [1], "x": [2**40]}), "x", "int64 is not int32|values of int64"),
    "text": (lambda: pl.DataFrame({"x": ["a"], "n": [1]}), "x", "is not int32"),
    "more columns": (lambda: DF({"n": [1], "x": [2]}, index=["k"]), None, "has '__index_level_0__'"),
    "fewer columns": (lambda: pa.record_batch({"n": [1]}), None, "lacks 'x'"),
    "other columns": (lambda: pa.table({"n": [1], "y": [2]}), None, "lacks 'x' and has 'y'"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "label", "reason"), BATCHES.values(), ids=BATCHES)
def test_what_a_writer_refuses_has_a_remedy_that_works(store, make, label, reason):
    with store.writer("t", SCHEMA) as writer, pytest.raises(UnsupportedSource, match=reason) as caught:
        writer.write(make())
    assert caught.value.column == label
    (code,) = re.findall("`(.+)`", caught.value.fix)
    names = {"batch": make(), "schema": SCHEMA, "pa": pa}
    exec(code, names)
    with store.writer("t", names["schema"], replace=True) as writer:
        writer.write(names["batch"])
    assert store.attach("t").num_rows == 1


@pytest.mark.parametrize("obj", [5, "text", None, [1, 2], object(), np.float64(2)], ids=lambda obj: type(obj).__name__)
def test_no_table(obj):
    with pytest.raises(UnsupportedSource, match=r"share\(\) takes a pyarrow Table.*__arrow_c_array__"):
        tabular.to_arrow(obj)


def text(value):
    return json.dumps(value, default=str)


MOMENT = pd.Timestamp("2024-02-29 12:30")
ODD_OBJECTS = {
    "lists of dicts": ([[{"a": 1}, {"b": 2}], []], text),
    "lists of tuples": ([[(1, 2)], [(3, 4)]], text),
    "lists of timestamps": ([[MOMENT], []], text),
    "mixed lists": ([[1, "a"], [None]], text),
    "lists and texts": (["a", ["b"]], text),
    "dicts": ([{"a": 1}, {"b": (1, 2)}], text),
    "nested dicts": ([{"a": {"b": [1]}}, {"a": {"c": []}}], text),
    "sets": ([{1}, {2, 3}], sorted),
    "tuples": ([(1, 2), (3,)], list),
    "mixed tuples": ([(1, "a"), (2, "b")], text),
    "arrays": ([np.zeros((40, 40)), np.ones((40, 40))], np.ndarray.tolist),
    "arrays of two sorts": ([np.arange(2), np.array([1.5])], None),
    "bytes-like": ([bytearray(b"a"), memoryview(b"b")], bytes),
    "moments": ([MOMENT, MOMENT], lambda value: value),
    "integers and floats": ([1, 2.5], float),
    "integers that no float is": ([2**60 + 1, 2.5], str),
    "texts and numbers": (["a", 1], str),
}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", ODD_OBJECTS)
def test_a_remedy_keeps_what_is_in_the_objects(name, missing):
    """The fix that is printed, run as it is: the values are there again, whatever form they have now."""
    values, expected = ODD_OBJECTS[name]
    column = np.empty(len(values) + missing, dtype=object)
    for number, value in enumerate(values):
        column[number] = value
    with pytest.raises(UnsupportedSource) as caught:
        tabular.to_arrow(DF({"x": pd.Series(column, dtype=object)}))
    (code,) = re.findall("`(.+)`", caught.value.fix)
    names = {"df": DF({"x": pd.Series(column, dtype=object)}), "pd": pd}
    exec(code, names)
    back = Trip(names["df"]).value["x"]
    for value, found in zip(values, back, strict=False):
        if expected is not None:
            assert (sorted(found) if expected is sorted else found) == expected(value), code
    assert "..." not in str(back.iloc[0]) or expected is np.ndarray.tolist
    if missing:
        assert pd.isna(back.iloc[-1]) or back.iloc[-1] == "None"


def test_each_remedy_has_a_case():
    codes = set()
    for values, _ in ODD_OBJECTS.values():
        column = np.empty(len(values), dtype=object)
        for number, value in enumerate(values):
            column[number] = value
        with pytest.raises(UnsupportedSource) as caught:
            tabular.to_arrow(DF({"x": pd.Series(column, dtype=object)}))
        codes |= set(re.findall("`(.+)`", caught.value.fix))
    for make, *_ in REFUSED.values():
        with pytest.raises(UnsupportedSource) as caught:
            tabular.to_arrow(make())
        codes |= set(re.findall("`(.+)`", caught.value.fix))
    wanted = {remedy.code.format(it="df['x']") for remedy in remedies.OF_OBJECTS}
    assert {*wanted, remedies.AS_TEXT.format(it="df['x']")} <= codes


def raises_in(folder):
    """Where the modules of a folder raise ``UnsupportedSource``: file and line of each statement."""
    for path in pathlib.Path(shm.__file__).parent.joinpath(folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = node.exc.func.id if isinstance(node.exc.func, ast.Name) else ""
                if name == "UnsupportedSource":
                    yield str(path), range(node.lineno, node.end_lineno + 1)


def test_each_refusal_has_a_case(store):
    """A refusal that is new in the code is missing here until it stands in a table above, where its remedy is run."""
    attempts = [functools.partial(tabular.to_arrow, make()) for make, *_ in REFUSED.values()]
    attempts += [functools.partial(store.share, make(), "t") for make, *_ in UNWRITABLE.values()]
    attempts += [lambda make=make: list(tabular.to_batch(make(), SCHEMA)) for make, *_ in BATCHES.values()]
    reached = []
    for attempt in attempts:
        with pytest.raises(UnsupportedSource) as caught:
            attempt()
        reached += [(str(frame.path), frame.lineno + 1) for frame in caught.traceback]
    missing = {
        pathlib.Path(path).read_text("utf-8").splitlines()[lines[0] - 1].strip()
        for folder in ("tabular", "core")
        for path, lines in raises_in(folder)
        if not any(file == path and line in lines for file, line in reached)
    }
    assert missing == WITHOUT_A_CASE


WITHOUT_A_CASE = {
    'raise UnsupportedSource(type(obj).__name__, "it is not a table", f"{_ACCEPTED}.")',  # see test_no_table
    # No table is known that comes to these lines: pyarrow would have to refuse what it has never refused.
    'raise UnsupportedSource("table", str(error), "Cast the column to a plain type first.") from error',
    'raise UnsupportedSource("table", f"its schema cannot be read back ({_refusal(schema)})", fix)',
}
