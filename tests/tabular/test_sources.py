"""What else can be shared, and what can be asked for: pyarrow, DuckDB, anything with the PyCapsule interface."""

from __future__ import annotations

import subprocess
import sys
import types
import uuid

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from trips import DF, Trip

from jupyter_arrowshm import tabular
from jupyter_arrowshm.errors import UnsupportedSource, UnsupportedTarget
from jupyter_arrowshm.kinds import KINDS

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
