"""pandas' frames and Series come back equal, through a real Arrow file: every dtype, index and label."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
import zoneinfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trips import DF, PARIS, Trip, attributed, column, objects, same_frame

from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedSource

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3


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
