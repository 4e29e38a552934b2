"""Arrays are shared as they are: of any shape, structured, masked, or of a library that can show them as NumPy's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

SHAPED = {
    "1-D": np.arange(5.0),
    "2-D": np.arange(12.0).reshape(3, 4),
    "3-D": np.arange(24, dtype="i2").reshape(2, 3, 4),
    "Fortran order": np.asfortranarray(np.arange(12).reshape(3, 4)),
    "strided": np.arange(24).reshape(4, 6)[::2, ::3],
    "booleans": np.array([[True, False], [False, True]]),
    "texts": np.array([["a", "bcd"], ["é", ""]]),
    "times": np.array([["2020", "NaT"]], "M8[s]"),
    "no rows": np.zeros((0, 3)),
    "rows of nothing": np.zeros((3, 0)),
    "half floats": np.zeros((2, 2), "f2"),
    "NaN": np.array([[1.0, np.nan]]),
}


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("name", SHAPED)
def test_an_array_comes_back_as_it_was(store: shm.Store, name: str, copy: bool) -> None:
    array = SHAPED[name]
    assert store.share(array, "a").num_rows == len(array)
    for to in ("source", "numpy"):
        back = store.attach("a", to=to, copy=copy)
        assert type(back) is np.ndarray and back.shape == array.shape and back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("name", ["1-D", "2-D", "3-D"])
def test_numbers_are_views_that_cannot_be_written(store: shm.Store, name: str) -> None:
    store.share(SHAPED[name], "a")
    attachment = store.attachment("a", to="numpy")
    assert not attachment.value.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        attachment.value[0] = 1
    before = pa.total_allocated_bytes()
    again = store.attach("a", to="numpy")
    assert pa.total_allocated_bytes() - before < 1000 and again.base is not None
    assert attachment.copied == {}


def test_masked_arrays_are_masked_again(store: shm.Store) -> None:
    array = np.ma.MaskedArray(np.arange(6).reshape(2, 3), mask=[[True, False, False], [False, False, True]])
    store.share(array, "a")
    back = store.attach("a", to="source")
    assert isinstance(back, np.ma.MaskedArray) and back.tolist() == array.tolist()
    assert store.attach("a")["value"].chunk(0).storage.to_pylist() == array.tolist()


def test_structured_arrays_are_tables(store: shm.Store) -> None:
    array = np.array([(1, 2.5, "a"), (3, 4.5, "b")], [("n", "i4"), ("x", "f8"), ("s", "U3")])
    store.share(array, "a")
    assert store.attach("a").to_pydict() == {"n": [1, 3], "x": [2.5, 4.5], "s": ["a", "b"]}
    back = store.attach("a", to="source")
    assert back.dtype == array.dtype and (back == array).all()
    aligned = np.zeros(2, np.dtype([("b", "i1"), ("m", "f8", (2, 2))], align=True))
    store.share(aligned, "b")
    assert store.attach("b", to="numpy").dtype == aligned.dtype


def test_a_dict_may_have_columns_of_several_dimensions(store: shm.Store) -> None:
    columns = {"n": np.arange(3), "m": np.arange(12.0).reshape(3, 4)}
    store.share(columns, "d")
    back = store.attach("d", to="source")
    assert all((back[name] == columns[name]).all() for name in columns)
    assert store.attach("d", to="polars")["m"].dtype == pl.Array(pl.Float64, 4)
    assert store.attach("d", to="duckdb").fetchall()[0] == (0, (0.0, 1.0, 2.0, 3.0))


class Tensor:
    """What has DLPack and nothing else, as tensors of other libraries have it."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **keywords):
        return self.array.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnDevice(Tensor):
    def __dlpack_device__(self):
        return (2, 0)  # kDLCUDA of dlpack.h


class ArrayLike:
    def __array__(self, dtype=None, copy=None):
        return np.arange(6).reshape(2, 3)


@pytest.mark.parametrize("make", [lambda: Tensor(np.arange(6).reshape(2, 3)), ArrayLike])
def test_what_can_be_shown_as_an_array(store: shm.Store, make) -> None:
    store.share(make(), "a")
    np.testing.assert_array_equal(store.attach("a", to="source"), np.arange(6).reshape(2, 3))


def test_what_is_on_a_device_is_refused(store: shm.Store) -> None:
    with pytest.raises(shm.UnsupportedSource, match=r"x = x\.cpu\(\)"):
        store.share(OnDevice(np.zeros(2)), "a")


@pytest.mark.parametrize("array", [np.array(5.0), np.float64(5)])
def test_a_number_is_no_table(store: shm.Store, array) -> None:
    with pytest.raises(shm.UnsupportedSource):
        store.share(array, "a")


def test_series_of_different_indexes_are_not_put_side_by_side(store: shm.Store) -> None:
    columns = {"a": pd.Series([1, 2], index=[0, 1]), "b": pd.Series([1, 2], index=[1, 0])}
    with pytest.raises(shm.UnsupportedSource, match=r"`d = pd\.DataFrame\(d\)`") as caught:
        store.share(columns, "d")
    assert caught.value.column == "b"
    store.share(pd.DataFrame(columns), "d")
    assert store.attach("d", to="pandas").loc[0].tolist() == [1, 2]
    alike = {"a": pd.Series([1, 2]), "b": pd.Series([3, 4])}
    store.share(alike, "e")
    assert store.attach("e").to_pydict() == {"a": [1, 2], "b": [3, 4]}
