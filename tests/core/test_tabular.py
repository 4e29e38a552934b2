"""Tabular objects there and back through a real IPC file, and what cannot go, with a remedy that works."""

from __future__ import annotations

import datetime as dt
import decimal
import pathlib
import re
import subprocess
import sys
import types
import uuid
import zoneinfo

import dateutil.tz
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedSource, UnsupportedTarget
from jupyter_arrowshm.kinds import KINDS

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3
DF = pd.DataFrame


def write(source):
    """A file's bytes, in memory that a test may overwrite."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, source.schema) as writer:
        for batch in source.batches:
            writer.write_batch(batch)
    return np.frombuffer(sink.getvalue(), dtype=np.uint8).copy()


class Trip:
    """``obj`` shared into a file and attached from it."""

    def __init__(self, obj, to="source", copy=False):
        source = tabular.to_arrow(obj)
        self.data = write(source)
        self.start, self.size = self.data.ctypes.data, self.data.nbytes
        self.table = pa.ipc.open_file(pa.py_buffer(self.data)).read_all()
        self.table.validate(full=True)
        assert source.num_rows in (None, self.table.num_rows)
        assert source.nbytes is None or source.nbytes >= 0
        self.converted = tabular.from_arrow(self.table, to, kind=source.kind, copy=copy)
        self.value, self.kind = self.converted.value, source.kind

    def inside(self, array):
        return self.start <= array.__array_interface__["data"][0] < self.start + self.size

    def copied(self):
        return tabular.copied(self.value, self.converted.kind, self.start, self.size)


def arrow(array):
    """The Arrow data of an ArrowDtype array, of which pandas cannot compare every type."""
    return pa.chunked_array([pa.array(array)]) if not isinstance(array, pa.ChunkedArray) else array


def same_index(one, other):
    pd.testing.assert_index_equal(one, other, exact=True)
    assert type(one) is type(other) and list(map(repr, one.names)) == list(map(repr, other.names))
    assert getattr(one, "freq", None) == getattr(other, "freq", None)
    if isinstance(one, pd.MultiIndex):
        assert one.dtypes.tolist() == other.dtypes.tolist()
    assert list(map(type, one)) == list(map(type, other))


def same_frame(one, other):
    assert type(one) is type(other) and one.shape == other.shape
    assert one.attrs == other.attrs and one.flags == other.flags
    same_index(one.index, other.index)
    if isinstance(one, pd.Series):
        assert repr(one.name) == repr(other.name) and type(one.name) is type(other.name)
        one, other = one.to_frame("x"), other.to_frame("x")
    same_index(one.columns, other.columns)
    for at in range(one.shape[1]):
        left, right = one.iloc[:, at], other.iloc[:, at]
        assert left.dtype == right.dtype and repr(left.dtype) == repr(right.dtype)
        if isinstance(left.dtype, pd.ArrowDtype):
            assert arrow(left.array).type == arrow(right.array).type
            assert arrow(left.array).to_pylist() == arrow(right.array).to_pylist()
            continue
        if left.dtype == object:
            assert list(map(repr, left)) == list(map(repr, right))
            continue
        pd.testing.assert_series_equal(left, right, check_exact=True, check_freq=True, check_names=False)
        if isinstance(left.dtype, pd.CategoricalDtype):
            same_index(left.dtype.categories, right.dtype.categories)


def column(values, dtype=None):
    return lambda: DF({"a": pd.Series(values, dtype=dtype)})


def objects(*values):
    return column(list(values), object)


PARIS = "Europe/Paris"
NUMPY = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]
NULLABLE = ["Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float32", "Float64", "boolean"]
STRINGS = ["str", "string", "string[python]", "string[pyarrow]"]
if PANDAS_3:
    STRINGS.append(pd.StringDtype("python", na_value=np.nan))
ARROW = [
    pa.int32(),
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(3),
    pa.timestamp("us", "UTC"),
    pa.list_(pa.int8()),
    pa.large_list(pa.int8()),
    pa.list_(pa.int8(), 2),
    pa.list_view(pa.int8()),
    pa.struct([("a", pa.int8())]),
    pa.dictionary(pa.int32(), pa.int64(), ordered=True),
    pa.decimal128(5, 2),
    pa.decimal32(5, 2),
    pa.null(),
    pa.date64(),
    pa.time32("s"),
    pa.duration("s"),
    pa.map_(pa.string(), pa.int8()),
    pa.uuid(),
    pa.bool8(),
    pa.month_day_nano_interval(),
    pa.run_end_encoded(pa.int32(), pa.int8()),
]
COLUMNS = {
    **{name: column([1, 0, 1], name) for name in NUMPY},
    **{name: column([1, None, 0], name) for name in NULLABLE},
    **{f"strings {name!r}": column(["x", None, "é"], name) for name in STRINGS},
    **{
        f"arrow {kind}": (
            lambda kind=kind: DF({"a": pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.nulls(2, kind)]))})
        )
        for kind in ARROW
    },
    **{f"datetime {unit}": column(np.array(["2020", "NaT"], f"M8[{unit}]")) for unit in ("s", "ms", "us", "ns")},
    **{f"timedelta {unit}": column(np.array([5, "NaT"], f"m8[{unit}]")) for unit in ("s", "ms", "us", "ns")},
    **{
        f"zone {zone!r} {unit}": (
            lambda zone=zone, unit=unit: DF(
                {"a": pd.Series(pd.to_datetime(["2020", None])).dt.as_unit(unit).dt.tz_localize(zone)}
            )
        )
        for zone in (
            PARIS,
            "UTC",
            zoneinfo.ZoneInfo(PARIS),
            dt.timezone.utc,
            dt.timezone(-dt.timedelta(hours=3, minutes=30)),
        )
        for unit in ("s", "ns")
    },
    "NaN in Float64": column(pd.arrays.FloatingArray(np.array([1.0, 2.0]), np.array([False, True]))),
    "NaN": column([1.0, np.nan]),
    "two chunks": column(pd.arrays.ArrowExtensionArray(pa.chunked_array([[1], [2, None]]))),
    **{
        f"period {freq}": column(pd.period_range("2020", periods=2, freq=freq)) for freq in ("M", "Q-NOV", "W-WED", "h")
    },
    "period NaT": column(pd.PeriodIndex(["2020-01-01", None], freq="2D")),
    "interval": column(pd.interval_range(0, 2)),
    "interval left": column(pd.interval_range(0.0, 2.0, closed="left")),
    "interval zone": column(pd.interval_range(pd.Timestamp("2020", tz=PARIS), periods=2)),
    "interval null": column(pd.arrays.IntervalArray.from_tuples([(0, 1), None])),
    "category": column(pd.Categorical(["x", None, "y"], categories=["z", "y", "x"])),
    "category ordered": column(pd.Categorical(["x", "y"], categories=["y", "x"], ordered=True)),
    "category object": column(pd.Categorical.from_codes([0, 1], pd.Index(["x", "y"], dtype=object))),
    "category range": column(pd.Categorical.from_codes([0, 1], pd.RangeIndex(2))),
    "category named": column(pd.Categorical.from_codes([0, 1], pd.Index([1.5, 2.5], name="n"))),
    "category bool": column(pd.Categorical([True, False])),
    "category freq": column(pd.Categorical(pd.date_range("2020", periods=2))),
    "category zone": column(pd.Categorical(pd.date_range("2020", periods=2, tz=PARIS))),
    "category interval": column(pd.cut([1, 5, 9], [0, 5, 10])),
    "category period": column(pd.Categorical(pd.period_range("2020", periods=2, freq="M"))),
    "category Int64": column(pd.Categorical(pd.array([1, 2], dtype="Int64"))),
    "category string": column(pd.Categorical(pd.array(["x", "y"], dtype="string[python]"))),
    "category arrow": column(pd.Categorical(pd.array([1, 2], dtype=pd.ArrowDtype(pa.int32())))),
    "category arrow, in parts": column(pd.Categorical(pd.arrays.ArrowExtensionArray(pa.chunked_array([[1], [2]])))),
    "category empty": column(pd.Categorical([])),
    "category of 200": column(pd.Categorical([str(n) for n in range(200)])),
    "objects str": objects("x", "y"),
    "objects str None": objects("x", None),
    "objects str nan": objects("x", np.nan),
    "objects str NA": objects("x", pd.NA),
    "objects NaT": objects(dt.timedelta(1), pd.NaT),
    "objects bytes": objects(b"x\0", None),
    "objects int": objects(1, 2, None),
    "objects int nan": objects(1, np.nan),
    "objects bool": objects(True, False, None),
    "objects float": objects(1.5, None),
    "objects int32": objects(np.int32(1), np.int32(2), None),
    "objects bool_": objects(np.True_, None),
    "objects Decimal": objects(decimal.Decimal("1.50"), decimal.Decimal("2.00"), None),
    "objects date": objects(dt.date(2020, 1, 1), None),
    "objects datetime": objects(dt.datetime(2020, 1, 1, 2), None),
    "objects time": objects(dt.time(1, 2, 3), None),
    "objects timedelta": objects(dt.timedelta(1), None),
    "objects list": objects([1, 2], None, []),
    "objects lists of one length": objects([1, 2], [3, 4]),
    "objects list with None and NaN": objects([1.0, None, np.nan]),
    "objects list of str": objects(["a"], ["b", None]),
    "objects array": objects(np.array([1, 2]), np.array([3, 4]), None),
    "objects dict": objects({"x": 1, "y": ["a"]}, {"x": 2, "y": []}),
    "objects nested": objects([{"x": [1, 2]}], []),
    "objects None": objects(None, None),
    "objects nothing": objects(),
    "no rows": column([], "float64"),
}
if int(pa.__version__.partition(".")[0]) >= 24:
    COLUMNS["objects UUID"] = objects(uuid.UUID(int=7), None)


def indexed(index):
    return lambda: DF({"a": range(len(index))}, index=index)


def labelled(labels):
    return lambda: DF([range(len(labels))], columns=labels)


def attributed(obj, **attrs):
    obj.attrs = attrs
    return obj


INDEXES = {
    "named": indexed(pd.Index([5, 6], name="q")),
    "range": indexed(pd.RangeIndex(5, 9, 2, name="q")),
    "range named by a number": indexed(pd.RangeIndex(5, 9, 2, name=3)),
    "named by a tuple": indexed(pd.Index([5, 6], name=("a", 1))),
    "named by NaN": indexed(pd.Index([5, 6], name=np.nan)),
    "named as a column": indexed(pd.Index([5, 6], name="a")),
    "str": indexed(pd.Index(["x", "y"])),
    "objects": indexed(pd.Index(["x", None], dtype=object)),
    "objects int": indexed(pd.Index([1, 2], dtype=object)),
    "dates": indexed(pd.Index([dt.date(2020, 1, 1)], name="d")),
    "duplicates": indexed(pd.Index([1, 1])),
    "days": indexed(pd.date_range("2020", periods=3)),
    "2h Paris": indexed(pd.date_range("2020-03-28", periods=30, freq="2h", tz=PARIS)),
    "business days": indexed(pd.date_range("2020", periods=3, freq="B")),
    "timedelta": indexed(pd.timedelta_range("1D", periods=3)),
    "period": indexed(pd.period_range("2020", periods=3, freq="M")),
    "interval": indexed(pd.interval_range(0, 2)),
    "category": indexed(pd.CategoricalIndex(["x", "y"], name="c")),
    "Int64": indexed(pd.Index([1, None], dtype="Int64")),
    "string": indexed(pd.Index(["x", None], dtype="string")),
    "arrow": indexed(pd.Index([1, 2], dtype=pd.ArrowDtype(pa.int8()))),
    "multi": indexed(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["p", None])),
    "multi same names": indexed(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["p", "p"])),
    "multi names are numbers": indexed(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=[1, 0])),
    "multi of one": indexed(pd.MultiIndex.from_arrays([[1, 2]], names=["p"])),
    "multi dtypes": indexed(
        pd.MultiIndex.from_arrays(
            [pd.Categorical(["u", "v"]), pd.date_range("2020", periods=2, tz=PARIS), pd.Index([1, 2], dtype="int8")]
        )
    ),
    "multi null": indexed(pd.MultiIndex.from_arrays([["u", None], [1, 2]], names=["p", "q"])),
}
LABELS = {
    "range": labelled(pd.RangeIndex(2, name="x")),
    "int": labelled(pd.Index([3, 1])),
    "int8": labelled(pd.Index([1, 2], dtype="int8")),
    "mixed": labelled(pd.Index(["a", 2, None, 1.5, (1, "b")], dtype=object, tupleize_cols=False)),
    "1, '1' and '1_'": labelled(["1", 1, "1_"]),
    "NaT and NA": labelled(pd.Index([pd.NaT, pd.NA, "x"], dtype=object)),
    "True and NaN": labelled(pd.Index([True, np.nan, "x"], dtype=object)),
    "float": labelled(pd.Index([1.5, np.nan])),
    "dates": labelled(pd.Index([dt.date(2020, 1, 1), b"x", pd.Timestamp("2020", tz=PARIS)], dtype=object)),
    "datetime": labelled(pd.date_range("2020", periods=2, tz=PARIS, name="t")),
    "period": labelled(pd.period_range("2020", periods=2, freq="M")),
    "interval": labelled(pd.interval_range(0, 2)),
    "category": labelled(pd.CategoricalIndex(["x", "y"], ordered=True)),
    "object": labelled(pd.Index(["a", "b"], dtype=object, name="n")),
    "string": labelled(pd.Index(["a", "b"], dtype="string", name=7)),
    "multi": labelled(pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["p", 2])[:3]),
    "multi null": labelled(pd.MultiIndex.from_tuples([("a", None), ("b", pd.Timestamp("2020"))])),
    "__index_level_0__": lambda: DF({"__index_level_0__": [1]}, index=["x"]),
}
FRAMES = {
    "empty": DF,
    "rows without columns": lambda: DF(index=range(3)),
    "index without columns": lambda: DF(
        index=pd.Index(["a", "b"], name="i"), columns=pd.Index([], dtype="int64", name="n")
    ),
    "attrs": lambda: attributed(DF({"a": [1]}), unit="m", deep={"x": [1, None, 2.5]}),
    "no duplicates allowed": lambda: DF({"a": [1]}).set_flags(allows_duplicate_labels=False),
    "2,000 columns": lambda: DF(np.zeros((2, 2000))),
    "one block, mixed": lambda: DF({"a": [1, 2], "b": [3, 4], "c": ["x", "y"], "d": [1.5, None]}),
    "strided": lambda: DF(np.arange(12.0).reshape(3, 4)).iloc[::2, ::-1],
    "big-endian": lambda: DF({"a": np.arange(3, dtype=">i4").astype("i4")}),
    "series": lambda: attributed(pd.Series([1, 2], name="s", index=["a", "b"]), unit="m"),
    "series without name": lambda: pd.Series(["x", None]),
    "series named by time": lambda: pd.Series([1], name=pd.Timestamp("2020")),
    "series of nothing": lambda: pd.Series([], dtype="Int64", name="x"),
}


@pytest.mark.parametrize("copy", [False, True], ids=["view", "copy"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=f"{group}-{name}")
        for group, cases in (("columns", COLUMNS), ("index", INDEXES), ("labels", LABELS), ("frame", FRAMES))
        for name, make in cases.items()
    ],
)
def test_pandas_comes_back_equal(make, copy):
    trip = Trip(make(), copy=copy)
    assert trip.kind == trip.converted.kind and trip.converted.note is None
    if copy:
        trip.data[:] = 0xA5  # what still pointed into the mapping would show it
    same_frame(make(), trip.value)


def test_series_as_pandas_is_a_frame():
    trip = Trip(pd.Series([1, 2], name="s"), to="pandas")
    same_frame(DF({"s": [1, 2]}), trip.value)


def test_missing_values_of_several_kinds_become_none():
    assert Trip(objects("x", None, np.nan, pd.NA)()).value["a"].tolist() == ["x", None, None, None]


@pytest.mark.skipif(PANDAS_3, reason="pandas 3 does without pytz")
@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC", 90])
def test_zones_of_pytz_stay_zones_of_pytz(zone):
    pytz = pytest.importorskip("pytz")
    frame = DF(
        {"a": pd.date_range("2020", periods=2, tz=pytz.FixedOffset(zone) if zone == 90 else pytz.timezone(zone))}
    )
    same_frame(frame, Trip(frame).value)


@pytest.mark.parametrize("name", ["named", "range", "multi", "str"])
def test_any_pyarrow_makes_a_frame_with_its_index(name):
    frame = INDEXES[name]().assign(n=pd.array([None], dtype="Int8")[0], t=pd.Timestamp("2020", tz=PARIS))
    frame["n"] = frame["n"].astype("Int8")
    plain = pa.ipc.open_file(pa.py_buffer(Trip(frame).data)).read_pandas()
    pd.testing.assert_frame_equal(plain, frame, check_column_type=False)


def test_selected_columns_keep_index_and_labels():
    frame = DF([[1, 2, 3]], columns=pd.MultiIndex.from_product([["a"], [1, 2, 3]]), index=pd.Index(["k"], name="i"))
    table = Trip(frame).table
    same_frame(frame.iloc[:, [0, 2]], tabular.from_arrow(table.select([0, 2, 3]), "pandas", kind="pandas").value)
    without = tabular.from_arrow(table.select([1]), "pandas", kind="pandas").value
    same_frame(frame.iloc[:, [1]].reset_index(drop=True), without)


def test_what_somebody_else_changed_is_left_to_pyarrow():
    table = Trip(DF({"a": pd.Categorical(["x", "y"]), "b": [1, 2]}, index=[5, 6])).table
    changed = table.set_column(0, "a", pa.array(["p", "q"]))
    frame = tabular.from_arrow(changed, "pandas", kind=None).value
    assert frame["a"].tolist() == ["p", "q"] and frame.index.tolist() == [5, 6] and frame["b"].tolist() == [1, 2]
    assert tabular.from_arrow(table.append_column("c", pa.array([1, 2])), "pandas", kind=None).value["c"].tolist() == [
        1,
        2,
    ]


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


def test_where_values_lie_in_memory():
    """One address for each piece of memory, whatever library made it; none for what is no table, column or array."""
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


VALUES = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=True),
    "bool": st.booleans(),
    "Int16": st.none() | st.integers(-(2**15), 2**15 - 1),
    "boolean": st.none() | st.booleans(),
    "string": st.none() | st.text(max_size=3),
    "str": st.none() | st.text(max_size=3),
    "datetime64[us]": st.none() | st.datetimes(),
    "timedelta64[ns]": st.none() | st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000)),
    "category": st.sampled_from(["a", "b", None]),
    "object": st.one_of(st.none(), st.binary(max_size=3)),
}
LABEL = st.one_of(st.text(max_size=3), st.integers(-3, 3), st.none(), st.tuples(st.integers(0, 3), st.text(max_size=1)))


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 4))
    dtypes = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=5))
    columns = {
        at: pd.Series(draw(st.lists(VALUES[dtype], min_size=rows, max_size=rows)), dtype=dtype)
        for at, dtype in enumerate(dtypes)
    }
    frame = DF(columns, index=pd.RangeIndex(rows))
    if draw(st.booleans()):
        frame.index = pd.Index(
            draw(st.lists(st.integers(), min_size=rows, max_size=rows)), name=draw(LABEL), dtype=object
        )
    labels = draw(st.lists(LABEL, min_size=len(dtypes), max_size=len(dtypes), unique=True))
    frame.columns = pd.Index(labels, dtype=object, tupleize_cols=False, name=draw(LABEL))
    return frame


@settings(max_examples=150, deadline=None)
@given(frames())
def test_any_frame_comes_back_equal_or_is_refused(frame):
    try:
        trip = Trip(frame)
    except UnsupportedSource as error:
        # Only integers that no type of 64 bits holds all of, in an object index.
        low, high = min(frame.index), max(frame.index)
        assert error.column == "index" and not -(2**63) <= low <= high < (2**64 if low >= 0 else 2**63)
        return
    same_frame(frame, trip.value)
    same_frame(frame, Trip(trip.value, copy=True).value)
    assert len(Trip(frame, to="polars").value) in (len(frame), 0)


# -- what cannot go -----------------------------------------------------------------------------------------------


def with_index(index):
    return DF({"a": range(len(index))}, index=index)


ZONES = (zoneinfo.ZoneInfo(PARIS), dt.timezone.utc)
HOLIDAYS = pd.date_range("2020", periods=3, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-02"]))
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
    "frequency": (lambda: with_index(HOLIDAYS), "df", "index", "frequency"),
    "labels": (lambda: DF([[1]], columns=[frozenset("a")]), "df", None, "frozenset"),
    "attrs": (lambda: attributed(DF({"x": [1]}), t=(1, 2)), "df", None, "attrs['t']"),
    "series": (lambda: pd.Series(["a", 1], name="x"), "s", "x", "mixes"),
    "series name": (lambda: pd.Series([1], name=frozenset()), "s", None, "frozenset"),
    "polars objects": (lambda: pl.DataFrame({"x": pl.Series([{1}], dtype=pl.Object)}), "df", "x", "objects"),
    "polars Int128": (lambda: pl.DataFrame({"x": pl.Series([2**100], dtype=pl.Int128)}), "df", "x", "Int128"),
    "polars lazy": (lambda: pl.LazyFrame({"x": [1]}), "df", None, "a query"),
    "0-D": (lambda: {"x": np.array(5)}, "d", "x", "no dimension"),
    "scalar": (lambda: {"x": 5}, "d", "x", "int is no column"),
    "text": (lambda: {"x": "abc"}, "d", "x", "str is no column"),
    "lengths": (lambda: {"y": np.zeros(2), "x": np.zeros(3)}, "d", "x", "3 rows"),
    "name": (lambda: {7: np.zeros(2)}, "d", "7", "no string"),
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


@pytest.mark.parametrize("obj", [5, "text", None, [1, 2], object(), np.float64(2)], ids=lambda obj: type(obj).__name__)
def test_no_table(obj):
    with pytest.raises(UnsupportedSource, match=r"share\(\) takes a pyarrow Table.*__arrow_c_array__"):
        tabular.to_arrow(obj)


# -- polars -------------------------------------------------------------------------------------------------------

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


def test_polars_views_and_copies():
    frame = pl.DataFrame({"n": [1, 2], "s": ["a", "longer than a view can hold"]})
    assert Trip(frame).copied() == {}
    assert set(Trip(frame, copy=True).copied()) == {"n", "s"}
    assert isinstance(Trip(frame["n"], to="polars").value, pl.DataFrame)


def test_polars_without_columns():
    # Older releases drop the rows with the last column.
    frame = pl.DataFrame({"a": range(3)}).drop("a")
    assert Trip(frame).value.shape == frame.shape


# -- NumPy --------------------------------------------------------------------------------------------------------

ARRAYS = {
    **{name: np.array([1, 0, 1], name) for name in NUMPY},
    "NaN": np.array([1.0, np.nan]),
    "U": np.array(["a", "bcd", "é"]),
    "U with NUL": np.array(["a\0b", "bcd"]),
    "S": np.array([b"a", b"bcd"]),
    "S with NUL": np.array([b"a\0b", b"bcd"]),
    **{f"M8 {unit}": np.array(["2020-01-01", "NaT"], f"M8[{unit}]") for unit in ("D", "s", "ms", "us", "ns")},
    **{f"m8 {unit}": np.array([1, "NaT"], f"m8[{unit}]") for unit in ("s", "ms", "us", "ns")},
    "reversed": np.arange(5)[::-1],
    "strided": np.arange(10.0)[::3],
    "objects": np.array(["a", None, "b"], object),
    "lists": np.array([[1], [2, 3], None], object),
    "nothing": np.array([], "f4"),
    "masked int": np.ma.MaskedArray([1, 2], mask=[False, True]),
    "masked float": np.ma.MaskedArray([1.0, np.nan, 3.0], mask=[False, False, True]),
    "masked bool": np.ma.MaskedArray([True, True], mask=[True, False]),
    "masked U": np.ma.MaskedArray(["ab", "c"], mask=[True, False]),
    "masked S": np.ma.MaskedArray([b"ab", b"c"], mask=[True, False]),
    "masked M8": np.ma.MaskedArray(np.array(["2020", "2021"], "M8[s]"), mask=[True, False]),
    "nothing masked": np.ma.MaskedArray([1, 2]),
}


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("name", ARRAYS)
def test_numpy_comes_back_equal(name, copy):
    array = ARRAYS[name]
    trip = Trip({"x": array}, copy=copy)
    if copy:
        trip.data[:] = 0xA5
    value = trip.value["x"]
    assert type(value) is type(array) and value.dtype == array.dtype and trip.kind == trip.converted.kind == "numpy"
    assert list(map(repr, value)) == list(map(repr, array))
    if copy and len(value):
        value[0] = value[-1]


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


def test_numpy_of_other_things():
    assert Trip({"x": np.arange(3, dtype=">i4")}).value["x"].tolist() == [0, 1, 2]
    assert Trip({"x": [1, 2], "y": pa.chunked_array([["a"], ["b"]]), "z": pd.Series([1.5, 2.5])}).table.num_rows == 2
    table = pa.table({"i": [1, None], "b": [True, None], "f": [1.5, None], "t": pa.array([0, None], pa.timestamp("s")),
                      "s": ["a", None], "d": pa.array(["a", None]).dictionary_encode(),
                      "st": [{"a": 1}, None]})  # fmt: skip
    got = tabular.from_arrow(table, "numpy", kind=None).value
    assert [np.ma.isMaskedArray(got[name]) for name in table.column_names] == [True, True] + [False] * 5
    assert np.isnan(got["f"][1]) and np.isnat(got["t"][1]) and got["s"].tolist() == got["d"].tolist() == ["a", None]
    assert got["st"].tolist() == [{"a": 1}, None] and got["i"].tolist() == [1, None]
    with pytest.raises(UnsupportedTarget, match="numpy cannot have this table: a dict has one column"):
        tabular.from_arrow(pa.table([[1], [2]], names=["x", "x"]), "numpy", kind=None)


# -- pyarrow, DuckDB, anything --------------------------------------------------------------------------------------

TABLE = pa.table({"a": [1, 2], "s": ["x", None]}, metadata={"mine": "1"})


class Stream:
    def __init__(self, source):
        self.source = source

    def __arrow_c_stream__(self, requested_schema=None):
        return self.source.__arrow_c_stream__(requested_schema)


class Array:
    def __init__(self, source):
        self.source = source

    def __arrow_c_array__(self, requested_schema=None):
        return self.source.__arrow_c_array__(requested_schema)


Stream.__module__ = Array.__module__ = "arro3.core"
SOURCES = {
    "table": (lambda: TABLE, "pyarrow"),
    "batch": (lambda: TABLE.to_batches()[0], "pyarrow"),
    "reader": (lambda: TABLE.to_reader(), "pyarrow"),
    "scanner": (lambda: ds.dataset(TABLE).scanner(), "pyarrow"),
    "dataset": (lambda: ds.dataset(TABLE), "pyarrow"),
    "stream": (lambda: Stream(TABLE), "arro3"),
    "struct": (lambda: Array(TABLE.to_batches()[0]), "arro3"),
    "struct array": (lambda: pa.array([{"a": 0, "s": ""}, *TABLE.to_pylist()])[1:], "pyarrow"),
    "struct chunks": (lambda: pa.chunked_array([TABLE.to_struct_array().chunk(0)]), "pyarrow"),
}


@pytest.mark.parametrize(("make", "kind"), SOURCES.values(), ids=SOURCES)
def test_arrow_sources(make, kind):
    trip = Trip(make())
    assert trip.kind == kind and trip.value.equals(TABLE)
    assert (trip.converted.kind, bool(trip.converted.note)) == ("pyarrow", kind == "arro3")
    assert trip.copied() == {}
    private = Trip(make(), copy=True)
    private.data[:] = 0xA5
    assert private.value.equals(TABLE) and set(private.copied()) == {"a", "s"}


def test_one_column_streams_and_failing_ones():
    for one in (Stream(pa.chunked_array([[1]])), Array(pa.array([1]))):
        with pytest.raises(UnsupportedSource, match=r"one column.*pa\.table\(\{'x': x\}\)"):
            tabular.to_arrow(one)


def test_metadata_and_dictionaries():
    field = pa.field("d", pa.dictionary(pa.int32(), pa.string()), metadata={"unit": "m"})
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()]
    table = pa.table([pa.chunked_array(chunks)], schema=pa.schema([field], metadata={"mine": "1"}))
    got = Trip(table).value
    assert got.schema.equals(table.schema, check_metadata=True) and got["d"].to_pylist() == list("abcb")
    nested = pa.chunked_array([pa.array([[text]], pa.list_(field.type)) for text in "ab"])
    assert Trip(pa.table({"n": nested})).value["n"].to_pylist() == [["a"], ["b"]]
    structs = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([{"x": 1}]))
    assert Trip(pa.table({"x": structs})).value["x"].to_pylist() == [{"x": 1}] * 2
    rows = pa.table({"a": [1, 2]}).select([])
    assert Trip(rows).value.num_rows == Trip(rows, copy=True).value.num_rows == 2


def test_copied_counts_dictionaries():
    indices, words = pa.array([0, 1], pa.int8()), pa.array(["a", "bc"])
    table = pa.table({"d": pa.DictionaryArray.from_arrays(indices, words), "n": pa.nulls(2)})
    expected = sum(buffer.size for array in (indices, words) for buffer in array.buffers() if buffer)
    assert tabular.copied(table, "pyarrow", 0, 1) == {"d": expected}


def test_our_metadata_is_not_shown():
    for source in (DF({"a": [1]}), {"a": np.zeros(1)}, DF(index=range(3))):
        table = Trip(source, to="pyarrow").value
        assert not any(key.startswith(b"arrowshm.") for key in table.schema.metadata or {}) and table.num_rows in (1, 3)


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.list_view(pa.int8()), pa.null(), pa.uuid(), pa.map_(pa.int8(), pa.int8())]
)
def test_sizes_never_raise(kind):
    assert tabular.to_arrow(pa.table({"x": pa.nulls(3, kind)})).nbytes >= 0


def test_duckdb_streams_there_and_scans_back():
    with duckdb.connect() as connection:
        relation = connection.sql("select i::int as a, 'x' || i as s from range(1200000) t(i)")
        source = tabular.to_arrow(relation)
        assert (source.kind, source.num_rows, source.nbytes) == ("duckdb", None, None)
        assert source.schema.names == ["a", "s"] and next(iter(source.batches)).num_rows < 1200000
        del source
        trip = Trip(relation)
        assert trip.converted.kind == "duckdb" and trip.copied() == {}
        del trip.table
        assert trip.value.aggregate("sum(a), max(s)").fetchall() == [(sum(range(1200000)), "x999999")]
        assert Trip(DF({"a": [1, 2]}), to="duckdb").value.fetchall() == [(1,), (2,)]
        private = Trip(connection.sql("select 7 as a"), copy=True)
        private.data[:] = 0xA5
        assert private.value.fetchall() == [(7,)]


@pytest.mark.parametrize("to", [kind for kind in KINDS if kind not in ("source", "stored")])
@pytest.mark.parametrize(
    "source", [TABLE, TABLE.to_pandas(), pl.DataFrame({"a": [1, 2], "s": ["x", None]})], ids=["pa", "pd", "pl"]
)
def test_every_library_reads_what_every_other_shared(source, to):
    trip = Trip(source, to=to)
    assert trip.converted.kind == to and trip.converted.note is None
    lengths = {"numpy": lambda value: len(value["a"]), "duckdb": lambda value: len(value.fetchall())}
    assert lengths.get(to, len)(trip.value) == 2


def test_pandas_of_what_pyarrow_has_no_dtype_for():
    table = pa.table({"x": pa.RunEndEncodedArray.from_arrays([2], [7]), "y": [1, 2]})
    assert tabular.from_arrow(table, "pandas", kind=None, copy=True).value["y"].tolist() == [1, 2]


def test_unknown_kind():
    with pytest.raises(
        ValueError, match="'excel' is none of 'pyarrow', 'pandas', 'polars', 'duckdb', 'numpy', 'source'"
    ):
        tabular.from_arrow(TABLE, "excel", kind=None)


def test_missing_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    converted = tabular.from_arrow(TABLE, "source", kind="polars.Series")
    assert converted.value.equals(TABLE) and converted.kind == "pyarrow"
    assert converted.note == "polars is not installed here, so this is a pyarrow.Table"
    with pytest.raises(ImportError, match=r"^to='polars' needs polars: pip install polars$"):
        tabular.from_arrow(TABLE, "polars", kind=None)


def test_importing_imports_pyarrow_alone():
    # pyarrow itself imports NumPy where there is one, and pandas for its first array of Python objects.
    code = (
        "import sys, pyarrow as pa; before = set(sys.modules); import jupyter_arrowshm.tabular as tabular;"
        "others = {'pandas', 'polars', 'duckdb', 'numpy', 'pyarrow.dataset', 'pyarrow.compute'};"
        "print(*others & (set(sys.modules) - before));"
        "sys.meta_path.insert(0, type('Block', (), {'find_spec': lambda name, *_: exec('raise ImportError(name)') "
        "if name in ('pandas', 'polars', 'duckdb') else None}));"
        "source = tabular.to_arrow(pa.table({'a': [1]}));"
        "tabular.from_arrow(pa.Table.from_batches(source.batches), 'source', kind=source.kind, copy=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_library_half_imported_is_no_trouble(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", types.ModuleType("pandas"))
    assert tabular.to_arrow(TABLE.to_reader()).kind == "pyarrow"
    with pytest.raises(UnsupportedSource):
        tabular.to_arrow(uuid.uuid4())


# -- writer -------------------------------------------------------------------------------------------------------

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


def test_integers_that_no_float_holds_stay_exact():
    big, more = 2**60 + 1, 2**64 - 1
    table = pa.table(
        {
            "few": [1, None],
            "big": [big, None],
            "unsigned": pa.array([None, more], pa.uint64()),
            "list": [[big, None], []],
            "struct": [{"a": big}, {"a": None}],
            "map": pa.array([[("k", big), ("j", None)], []], pa.map_(pa.string(), pa.int64())),
        }
    )
    frame = Trip(table, to="pandas").value
    assert list(map(str, frame.dtypes)) == ["float64", "Int64", "UInt64", "object", "object", "object"]
    assert (frame["big"][0], frame["unsigned"][1]) == (big, more)
    assert [list(one) for one in frame["list"]] == [[big, None], []]
    assert frame["struct"].tolist() == [{"a": big}, {"a": None}] and frame["map"][0] == [("k", big), ("j", None)]
    twice = pa.table([pa.array([big, None]), pa.array([1, None])], names=["x", "x"])
    value = Trip(twice, to="pandas").value
    assert (value.iloc[0, 0], value.iloc[0, 1]) == (big, 1)


def test_a_library_without_such_a_type_is_named_with_the_column():
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    for names in (["u"], ["a", "u"]):
        table = pa.table([union if name == "u" else pa.array([1, 2]) for name in names], names=names)
        with pytest.raises(UnsupportedTarget, match=r"^polars cannot have column 'u': .* or without that column\.$"):
            Trip(table, to="polars")
    with pytest.raises(UnsupportedTarget, match=r'^duckdb cannot have this table: .*\. Attach it with to="pyarrow"\.$'):
        Trip(pa.table({}), to="duckdb")


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
