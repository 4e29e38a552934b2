"""A tabular object shared into a file and attached from it, without a store; and how frames are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from jupyter_arrowshm import tabular

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


def attributed(obj, **attrs):
    obj.attrs = attrs
    return obj


PARIS = "Europe/Paris"
