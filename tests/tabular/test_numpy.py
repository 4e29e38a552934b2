"""Dicts of NumPy arrays come back equal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from trips import Trip

from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedTarget

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
