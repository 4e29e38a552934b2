"""Every type goes from Python to Julia and back, and from Julia to Python, and stays what it was."""

# ruff: noqa: E501 -- Julia code, and tables of literals
from __future__ import annotations

import datetime as dt
import decimal
import itertools
import math
import os
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from footers import change, durations_to_intervals
from julia_peers import LOOP, Julia, throws
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.flatbuffer import Table

SAMPLES = arrays()


@pytest.fixture(scope="module")
def julia_process(julia_program: str) -> Iterator[Julia]:
    """One that interprets: hundreds of types with a few rows each would be minutes of compiling."""
    started = Julia(julia_program, "--compile=min", "-e", LOOP)
    yield started
    started.kill()


def put(directory: Path, name: str, batches: list[pa.RecordBatch], schema: pa.Schema, **keywords: Any) -> pa.Table:
    """A file as another program would put it there: as many batches as given. What pyarrow reads from it."""
    directory.mkdir(0o700, exist_ok=True)
    path = directory / f"{name}.arrow"
    path.unlink(missing_ok=True)
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, **keywords)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    os.chmod(path, 0o400)
    return pa.ipc.open_file(path).read_all()


def seven(array: pa.Array) -> list[pa.Array]:
    """The array in seven parts, the third without rows."""
    cuts = [0, 1, 2, 2, 3, 4, 5, len(array)]
    return [array.slice(start, stop - start) for start, stop in itertools.pairwise(cuts)]


def plain(value: Any) -> Any:
    """A value as it compares: NaN as its bits, -0.0 not as 0.0."""
    if isinstance(value, float):
        return struct.pack("d", value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def values(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values as they are in memory: temporal ones as numbers, as Python's own types hold fewer of them."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in values(chunk)]
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return values(array.storage)
    if pa.types.is_dictionary(kind):
        pool = values(array.dictionary)
        return [None if index is None else pool[index] for index in array.indices.to_pylist()]
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        if pa.types.is_date64(kind):
            return values(array.cast(pa.date32()))
        if pa.types.is_time(kind):
            return [None if value is None else time_ns(value, kind) for value in raw(array)]
        if pa.types.is_timestamp(kind) and kind.unit == "s" and kind.tz is None:
            return [None if value is None else 1000 * value for value in raw(array)]
        return raw(array)
    if pa.types.is_struct(kind):
        fields = [values(part) for part in array.flatten()]
        rows = [list(row) for row in zip(*fields, strict=True)] if fields else [[] for _ in range(len(array))]
        return [row if valid else None for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)]
    if not pa.types.is_union(kind) and (hasattr(array, "offsets") or pa.types.is_fixed_size_list(kind)):
        return [None if scalar.as_py() is None else values(scalar.values) for scalar in array]
    return [plain(value) for value in array.to_pylist()]


def raw(array: pa.Array) -> list[int | None]:
    return array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64()).to_pylist()


def time_ns(value: int, kind: pa.DataType) -> int:
    return value * {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """Of one type, with the metadata of columns and of their parts, and of the same values."""
    assert found.schema.equals(expected.schema, check_metadata=True)
    # equals() tells the tags of unions and the entries of dictionaries apart, but not -0.0 from 0.0.
    for name, ours, theirs in zip(expected.column_names, found.columns, expected.columns, strict=True):
        assert ours.equals(theirs), name
        assert values(ours) == values(theirs), name


@pytest.mark.parametrize("batches", [1, 7])
def test_every_type_there_and_back(julia: Any, directory: Path, store: shm.Store, batches: int) -> None:
    """Python -> Julia -> Python, and again to Julia: whole tables, single columns, views of columns."""
    schema = pa.schema([pa.field(name, array.type) for name, array in SAMPLES.items()])
    parts = [tuple(SAMPLES.values())]
    if batches > 1:
        parts = list(zip(*(seven(array) for array in SAMPLES.values()), strict=True))
    expected = put(directory, "there", [pa.record_batch(list(part), schema=schema) for part in parts], schema)
    julia.run('t = attach("there"); share("back", t)')
    assert julia.get("size(t)") == [6, len(SAMPLES)]
    assert_same(store.attach("back", to="stored", validate="full"), expected)
    # What Julia wrote, Julia reads. (Seconds that no DateTime reaches are an error.)
    same = 'names(t)[i] == "timestamp[s]" || isequal(collect(t[i]), collect(b[i]))'
    assert julia.get(f'b = attach("back"); [names(t)[i] for i in 1:length(t) if !({same})]') == []
    julia.run('share("columns", Pair{String,Any}[name => t[i] for (i, name) in enumerate(names(t))])')
    columns = store.attach("columns", to="stored", validate="full")
    assert columns.schema.types == expected.schema.types
    for rows, literal in (([1, 2, 3], "2:4"), ([5, 0, 2, 2], "[6, 1, 3, 3]"), ([], "1:0"))[batches > 1 :]:
        julia.run(
            f'share("views", Pair{{String,Any}}[name => view(t[i], {literal}) for (i, name) in enumerate(names(t))])'
        )
        views = store.attach("views", to="stored", validate="full")
        assert views.schema.types == expected.schema.types
        for name, column in zip(expected.column_names, views.columns, strict=True):
            whole = values(expected[name])
            assert values(column) == [whole[row] for row in rows], (name, rows)


# One of each kind of column.
KINDS = (
    "int8", "double", "bool", "string", "large_string", "string_view", "fixed_size_binary[3]", "fixed_size_binary[0]",
    "date32[day]", "time64[us]", "timestamp[ms]", "timestamp[us, tz=UTC]", "decimal128(38, 2)", "list<item: int32>",
    "fixed_size_list<item: int32>[2]", "struct<s: struct<t: list<item: bool>>>", "dictionary by int8",
)  # fmt: skip


def test_no_column_can_be_written_into(julia: Any, directory: Path) -> None:
    """Each says to copy it, and the copy can be written into. (Bits that had to be copied are Julia's own.)"""
    schema = pa.schema([pa.field(name, array.type) for name, array in SAMPLES.items()])
    put(directory, "there", [pa.record_batch(list(SAMPLES.values()), schema=schema)], schema)
    julia.run("""
        t = attach("there")
        message(f) = try f(); "" catch error; sprint(showerror, error) end
        refused(c) = occursin("read-only. Copy it", message(() -> c[1] = c[6]))
        copied(c) = (d = copy(c); d[1] = d[6]; isequal(d[1], c[6]))
        # A value of this one is beyond what `DateTime` reaches, so that it cannot be read.
        named(f) = [names(t)[i] for i in 1:length(t) if names(t)[i] != "timestamp[s]" && !f(t[i])]
    """)
    assert set(julia.get("named(refused)")) <= {"bool, no nulls"}
    assert julia.get("named(copied)") == []


def test_null_in_every_position(julia: Any, store: shm.Store) -> None:
    """Nine rows: more than one byte of the bitmap."""
    columns = {}
    for name in KINDS:
        array = SAMPLES[name]
        value = array[0].as_py()
        for hole in range(10):
            kind = array.type
            if pa.types.is_dictionary(kind):
                kind = kind.value_type
            rows = pa.array([None if i == hole else value for i in range(9)], kind)
            columns[f"{name} {hole}"] = rows.cast(array.type) if pa.types.is_dictionary(array.type) else rows
    store.share(pa.table(columns), "holes")
    julia.run('t = attach("holes")')
    assert julia.get("[findall(ismissing, c) for c in t]") == [*([i] for i in range(1, 10)), []] * len(KINDS)
    julia.run('share("filled", t; replace=true)')
    back = store.attach("filled", validate="full")
    for name, column, array in zip(columns, back.columns, columns.values(), strict=True):
        assert values(column) == values(array), name


def test_what_julia_sees_of_the_rare(julia: Any, directory: Path) -> None:
    """Unions, maps, runs, list views, decimals and extensions, by value and by type."""
    t = SAMPLES
    names = [
        "sparse union", "dense union", "map<string, int64>", "run-end encoded by int32", "list_view<item: int32>",
        "decimal32(9, 2)", "decimal256(76, 2)", "month_day_nano_interval", "uuid", "bool8", "string_view",
    ]  # fmt: skip
    same = pa.UnionArray.from_sparse(
        pa.array([0, 1] * 3, pa.int8()), [pa.array([1.5] * 6), pa.array([2.5] * 6)], ["c", "f"]
    )
    schema = pa.schema([*(pa.field(name, t[name].type) for name in names), pa.field("degrees", same.type)])
    put(directory, "rare", [pa.record_batch([*(t[name] for name in names), same], schema=schema)], schema)
    julia.run('t = attach("rare")')

    def texts(name: str) -> Any:
        return julia.get(f'[x === missing ? missing : string(x) for x in t["{name}"]]')

    assert texts("sparse union") == ["1", "b", "3", "d", "e", "6"]
    assert texts("dense union") == ["1", "a", None, "b", None, "3"]
    assert julia.get('eltype(t["dense union"]) == Union{Missing,Int,String}') is True
    assert texts("degrees")[:2] == [":c => 1.5", ":f => 2.5"]  # both are Float64: which one it is, the name says
    assert julia.get('[x === missing ? missing : collect(x) for x in t["map<string, int64>"]]')[:4] == [[["a", 1]], [], None, [["b", None], ["c", 3]]]  # fmt: skip
    assert julia.get('Dict(t["map<string, int64>"][4])') == {"b": None, "c": 3}
    assert texts("run-end encoded by int32") == ["a", "a", None, "b", "b", "b"]
    assert julia.get('collect(t["list_view<item: int32>"][4])') == [None, 3]
    assert texts("decimal32(9, 2)") == ["9999999.99", "-9999999.99", None, "0.00", "1.50", "9999999.99"]
    assert texts("decimal256(76, 2)")[:2] == [f"{'9' * 74}.99", f"-{'9' * 74}.99"]
    assert texts("month_day_nano_interval")[:2] == [
        "1 month, 2 days, 3 nanoseconds",
        "-1 month, -2 days, -3 nanoseconds",
    ]
    assert texts("uuid")[:2] == ["00010203-0405-0607-0809-0a0b0c0d0e0f", None]
    assert julia.get('eltype(t["uuid"]) == Union{Missing,Base.UUID}') is True
    assert texts("bool8")[:5] == ["0", "1", None, "2", "-1"]
    assert ["ARROW:extension:name", "arrow.bool8"] in julia.get("ArrowSHM.metadata(t, :bool8)")
    assert "extension<arrow.bool8>" in julia.get('sprint(show, MIME("text/plain"), t)')


def test_what_julia_sees(julia: Any, directory: Path) -> None:
    """Not only the same there and back, but what the values mean."""
    us = pa.timestamp("us")
    table = pa.table(
        {
            "day": pa.array([-719162, -1, 0, 2932897, None], pa.date32()),
            "ms": pa.array([-1, 0, 1, 253402300800000, None], pa.timestamp("ms")),
            "us": pa.array([-1, 0, 1, 253402300800000001, None], us),
            "zone": pa.array([0, 1, 2, 3, None], pa.timestamp("ns", "Europe/Zurich")),
            "time": pa.array([0, 1, 86399999999, 5, None], pa.time64("us")),
            "span": pa.array([0, -1, 2**63 - 1, -(2**63), None], pa.duration("ns")),
            "dec": pa.array([decimal.Decimal(text) for text in ("0.00", "-0.01", "123.45", "-99999.99")] + [None]),
            "half": pa.array([1.5, -0.0, float("inf"), float("nan"), None], pa.float16()),
            "blob": pa.array([b"abc", b"\0\0\0", b"\xff\0x", b"   ", None], pa.binary(3)),
        }
    )
    shm.share(table, "seen")
    julia.run('t = attach("seen")')

    def texts(column: str) -> Any:
        return julia.get(f'[x === missing ? missing : string(x) for x in t["{column}"]]')

    assert texts("day") == ["0001-01-01", "1969-12-31", "1970-01-01", "10000-01-01", None]
    assert texts("ms") == ["1969-12-31T23:59:59.999", "1970-01-01T00:00:00", "1970-01-01T00:00:00.001", "10000-01-01T00:00:00", None]  # fmt: skip
    assert texts("us")[:2] == ["1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000000"]
    assert texts("us")[3] == "10000-01-01T00:00:00.000001"
    assert texts("zone")[1] == "1970-01-01T00:00:00.000000001Z[Europe/Zurich]"
    assert texts("time") == ["00:00:00", "00:00:00.000001", "23:59:59.999999", "00:00:00.000005", None]
    assert texts("span") == ["0 nanoseconds", "-1 nanosecond", f"{2**63 - 1} nanoseconds", f"{-(2**63)} nanoseconds", None]  # fmt: skip
    assert texts("dec") == ["0.00", "-0.01", "123.45", "-99999.99", None]
    assert texts("half") == ["1.5", "-0.0", "Inf", "NaN", None]
    assert julia.get("[x === missing ? missing : collect(x) for x in t.blob]")[2] == [255, 0, 120]
    assert julia.get("string(sum(skipmissing(t.dec)))") == "-99876.55"
    assert julia.get("DateTime(t.us[1]) == DateTime(1969, 12, 31, 23, 59, 59, 999)") is True
    assert julia.get("eltype(t.ms) == Union{Missing,DateTime}") is True
    with throws("InexactError"):
        julia.get("convert(DateTime, t.us[1])")


# Julia's literal, what Python reads, its type.
JULIA: dict[str, tuple[str, list[Any], pa.DataType]] = {
    **{
        f"Int{bits}": (f"Int{bits}[typemin(Int{bits}), -1, typemax(Int{bits})]", [-(2 ** (bits - 1)), -1, 2 ** (bits - 1) - 1], getattr(pa, f"int{bits}")())
        for bits in (8, 16, 32, 64)
    },
    **{
        f"UInt{bits}": (f"UInt{bits}[0, 1, typemax(UInt{bits})]", [0, 1, 2**bits - 1], getattr(pa, f"uint{bits}")())
        for bits in (8, 16, 32, 64)
    },
    "Float16": ("Float16[1.5, -0.0, Inf]", [1.5, -0.0, math.inf], pa.float16()),
    "Float32": ("Float32[1.5, -0.0, -Inf]", [1.5, -0.0, -math.inf], pa.float32()),
    "Float64": ("[5.0e-324, -0.0, 1.7976931348623157e308]", [5e-324, -0.0, 1.7976931348623157e308], pa.float64()),
    "Bool": ("[true, false, missing]", [True, False, None], pa.bool_()),
    "BitVector": ("BitVector([true, false, true])", [True, False, True], pa.bool_()),
    "String": (r'["", "a\0b", "\U1F600é"]', ["", "a\0b", "\U0001f600é"], pa.string()),
    "SubString": ('split("a b c")', ["a", "b", "c"], pa.string()),
    "Symbol": ("[:a, missing, Symbol(\"b c\")]", ["a", None, "b c"], pa.string()),
    "Char": ("['a', 'é', '\\0']", ["a", "é", "\0"], pa.string()),
    "missing": ("[missing, missing, missing]", [None, None, None], pa.null()),
    "Any": ("Any[1, missing, 3]", [1, None, 3], pa.int64()),
    "Date": ("[Date(1969,12,31), Date(9999,12,31), missing]", [dt.date(1969, 12, 31), dt.date(9999, 12, 31), None], pa.date32()),
    "Time": ("[Time(0), Time(23,59,59,999,999), missing]", [dt.time(0), dt.time(23, 59, 59, 999999), None], pa.time64("ns")),
    "DateTime": ("[DateTime(1969,12,31,23,59,59,999), missing, DateTime(2013)]", [dt.datetime(1969, 12, 31, 23, 59, 59, 999000), None, dt.datetime(2013, 1, 1)], pa.timestamp("ms")),
    "Second": ("[Second(1), missing, Second(-1)]", [dt.timedelta(seconds=1), None, dt.timedelta(seconds=-1)], pa.duration("s")),
    "Vector": ("[[1, 2], Int[], [3]]", [[1, 2], [], [3]], pa.list_(pa.int64())),
    "nested": ('[[["a"], missing], missing, []]', [[["a"], None], None, []], pa.list_(pa.list_(pa.string()))),
    "NamedTuple": ('[(a=1, b="x"), missing, (a=2, b="y")]', [{"a": 1, "b": "x"}, None, {"a": 2, "b": "y"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
    "CodeUnits": ('[codeunits("a\\xff"), missing, codeunits("")]', [b"a\xff", None, b""], pa.binary()),
    "NTuple": ("[(0x01, 0x02), missing, (0xff, 0x00)]", [b"\1\2", None, b"\xff\0"], pa.binary(2)),
    "range": ("1:3", [1, 2, 3], pa.int64()),
    "view": ("view([9, 1, 2, 3], 2:4)", [1, 2, 3], pa.int64()),
    "Day": ("[Dates.Day(-1), missing, Dates.Day(2)]", [dt.timedelta(-1), None, dt.timedelta(2)], pa.duration("s")),
    "Week": ("[Dates.Week(1)]  .* [1, 0, -1]", [dt.timedelta(7), dt.timedelta(0), dt.timedelta(-7)], pa.duration("s")),
    "Month": ("[Dates.Month(-1), missing, Dates.Month(14)]", [pa.MonthDayNano([-1, 0, 0]), None, pa.MonthDayNano([14, 0, 0])], pa.month_day_nano_interval()),
    "CompoundPeriod": ("[Dates.Year(1) + Dates.Day(2), Dates.CompoundPeriod(), Dates.Week(-1) + Dates.Nanosecond(5)]", [pa.MonthDayNano([12, 2, 0]), pa.MonthDayNano([0, 0, 0]), pa.MonthDayNano([0, -7, 5])], pa.month_day_nano_interval()),
    "MonthDayNano": ("[ArrowSHM.MonthDayNano(1, -2, 3), missing, ArrowSHM.MonthDayNano(0, 0, typemax(Int64))]", [pa.MonthDayNano([1, -2, 3]), None, pa.MonthDayNano([0, 0, 2**63 - 1])], pa.month_day_nano_interval()),
    "Timestamp": ("[ArrowSHM.Timestamp{Dates.Microsecond,:UTC}(1), missing, ArrowSHM.Timestamp{Dates.Microsecond,:UTC}(-1)]", [dt.datetime(1970, 1, 1, 0, 0, 0, 1, dt.timezone.utc), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999999, dt.timezone.utc)], pa.timestamp("us", "UTC")),
    "Decimal": ("[ArrowSHM.Decimal{9,2}(-12345), missing, ArrowSHM.Decimal{9,2}(5)]", [decimal.Decimal("-123.45"), None, decimal.Decimal("0.05")], pa.decimal128(9, 2)),
    "Decimal, 76 digits": ("[ArrowSHM.Decimal{76,2}(-big(10)^75), missing, ArrowSHM.Decimal{76,2}(5)]", [decimal.Decimal((1, (1, *[0] * 75), -2)), None, decimal.Decimal("0.05")], pa.decimal256(76, 2)),
    "UUID": ('[Base.UUID("00010203-0405-0607-0809-0a0b0c0d0e0f"), missing, Base.UUID(typemax(UInt128))]', [uuid.UUID(bytes=bytes(range(16))), None, uuid.UUID(bytes=b"\xff" * 16)], pa.uuid()),
    "Vector{UInt8}": ('[UInt8[1, 255], missing, UInt8[]]', [b"\1\xff", None, b""], pa.binary()),
    "Dict": ('[Dict("a" => 1), missing, Dict{String,Int}()]', [[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "pairs": ('Union{Missing,Vector{Pair{String,Union{Missing,Int}}}}[["b" => missing, "a" => 1, "b" => 2], missing, []]', [[("b", None), ("a", 1), ("b", 2)], None, []], pa.map_(pa.string(), pa.int64())),
    "Union": ('Union{Int,String,Missing}[1, "a", missing]', [1, "a", None], pa.dense_union([pa.field("Int64", pa.int64()), pa.field("String", pa.string())])),
    "Union, in vectors": ('[Union{Date,Float64}[Date(1970), 1.5], Union{Date,Float64}[], Union{Date,Float64}[2.5]]', [[dt.date(1970, 1, 1), 1.5], [], [2.5]], pa.list_(pa.dense_union([pa.field("Date", pa.date32()), pa.field("Float64", pa.float64())]))),
    "Union of integers": ("Union{Int32,Int64}[1, Int32(2), 3]", [1, 2, 3], pa.dense_union([pa.field("Int32", pa.int32()), pa.field("Int64", pa.int64())])),
    "Union of floats": ("Union{Float32,Float64,Missing}[1.5, missing, 2.5f0]", [1.5, None, 2.5], pa.dense_union([pa.field("Float32", pa.float32()), pa.field("Float64", pa.float64())])),
    "Union of one Arrow type": ('Union{String,SubString{String},Symbol}["a", SubString("bc", 2), :d]', ["a", "c", "d"], pa.string()),
    "Union of vectors": ("Union{Vector{Int},UnitRange{Int}}[[1], 2:3, [4]]", [[1], [2, 3], [4]], pa.list_(pa.int64())),
    "NTuple of floats": ("[(1.0, 2.0), missing, (3.0, -0.0)]", [[1.0, 2.0], None, [3.0, -0.0]], pa.list_(pa.float64(), 2)),
    "pooled": ('ArrowSHM.pooled(["a", missing, "a"])', ["a", None, "a"], pa.dictionary(pa.int32(), pa.string())),
    "pooled dates": ('ArrowSHM.pooled([Date(1970), Date(1970), Date(1970, 1, 2)])', [dt.date(1970, 1, 1)] * 2 + [dt.date(1970, 1, 2)], pa.dictionary(pa.int32(), pa.date32())),
    "DataAPI": ('PooledText(["x", "", "x"])', ["x", None, "x"], pa.dictionary(pa.int32(), pa.string())),
    "all missing in lists": ("[[missing], missing, []]", [[None], None, []], pa.list_(pa.null())),
    "reverse": ("Iterators.reverse([3.0, 2.0, 1.0]) |> collect", [1.0, 2.0, 3.0], pa.float64()),
}  # fmt: skip


# As PooledArrays.jl and CategoricalArrays.jl look to those who ask through DataAPI.jl.
POOLED_TEXT = """
using DataAPI
struct PooledText <: AbstractVector{Union{Missing,String}}
    values::Vector{String}
end
Base.size(c::PooledText) = size(c.values)
Base.getindex(c::PooledText, i::Int) = c.values[i] == "" ? missing : c.values[i]
DataAPI.refarray(c::PooledText) = UInt8[value == "" ? 7 : 9 for value in c.values]
DataAPI.refpool(c::PooledText) = Dict(7 => missing, 9 => "x")
"""


def test_julia_to_python(julia: Any, store: shm.Store) -> None:
    julia.run(POOLED_TEXT)
    columns = ", ".join(f'"{name}" => {literal}' for name, (literal, _, _) in JULIA.items())
    julia.run(f'share("made", Pair{{String,Any}}[{columns}])')
    table = store.attach("made", validate="full")
    got = {
        name: (column.cast(pa.time64("us")) if pa.types.is_time(column.type) else column).to_pylist()
        for name, column in zip(JULIA, table.columns, strict=True)
    }
    assert {name: plain(value) for name, value in got.items()} == {name: plain(row[1]) for name, row in JULIA.items()}
    assert {field.name: field.type for field in table.schema} == {name: row[2] for name, row in JULIA.items()}
    # And on to Julia, shared again by Python.
    store.share(table, "again")
    julia.run('a = attach("made"); b = attach("again")')
    assert julia.get("[names(a)[i] for i in 1:length(a) if !isequal(a[i], b[i])]") == []
    # Julia to Julia: the same values, where Julia has a type for what Arrow made of them.
    julia.run(f"own = Any[{', '.join(literal for literal, _, _ in JULIA.values())}]")
    changed = julia.get("[names(a)[i] for i in 1:length(a) if !isequal(collect(a[i]), collect(own[i]))]")
    assert changed == [
        "Symbol",
        "Char",
        "Month",
        "CompoundPeriod",
        "Dict",
        "Union of one Arrow type",
        "NTuple of floats",
    ]


def test_unions_of_nested_types(julia: Any, store: shm.Store) -> None:
    """Of lists, maps, pairs and named tuples: each is a part of its own, whatever Julia calls its type."""
    for literal, expected, kinds in [
        ("Union{Vector{Int},Vector{Float64}}[[1], [2.5], Int[]]", [[1], [2.5], []], "list list"),
        ('Union{Dict{String,Int},Dict{String,Bool}}[Dict("a" => 1), Dict("b" => true)]', [[("a", 1)], [("b", True)]], "map map"),
        ('Union{Pair{Int,Int},Pair{String,Int}}[1 => 2, "a" => 3]', [{"key": 1, "value": 2}, {"key": "a", "value": 3}], "struct struct"),
        ("Union{NamedTuple{(:a,),Tuple{Int}},NamedTuple{(:b,),Tuple{Int}}}[(a = 1,), (b = 2,)]", [{"a": 1}, {"b": 2}], "struct struct"),
        ("Union{Tuple{UInt8},NTuple{2,UInt8},Vector{Int}}[(0x61,), (0x61, 0x62), [1]]", [b"a", b"ab", [1]], "fixed_size_binary[1] fixed_size_binary[2] list"),
    ]:  # fmt: skip
        julia.run(f'x = {literal}; share("nested", (x = x, l = fill(x, length(x))))')
        for column in store.attach("nested", validate="full").columns:
            kind = column.type if pa.types.is_union(column.type) else column.type.value_type
            assert sorted(str(part.type).partition("<")[0] for part in kind) == kinds.split()
            assert pa.types.is_union(kind) and kind.mode == "dense"
        assert store.attach("nested")["x"].to_pylist() == expected
        assert store.attach("nested")["l"].to_pylist() == [expected] * len(expected)
    with throws("no numbers of the type Rational"):
        julia.run('share("bad", (x = Union{Int,Rational{Int}}[1, 1//2],))')


def test_bits_of_floats(julia: Any, store: shm.Store) -> None:
    """NaN payloads and the sign of zero survive: both are one memory."""
    bits = [0x7FF8000000000001, 0xFFF8DEADBEEF0001, 0x8000000000000000, 0x7FF0000000000001]
    column = pa.array(bits, pa.uint64()).view(pa.float64())
    store.share(pa.table({"x": column, "n": pa.array([None, 1.0, None, 2.0])}), "bits")
    assert julia.get('reinterpret(UInt64, attach("bits").x)') == bits
    julia.run('share("bits2", (x = attach("bits").x, y = reinterpret(Float64, [0x7ff8000000000001])[[1,1,1,1]]))')
    back = store.attach("bits2", validate="full")
    assert back["x"].chunk(0).view(pa.uint64()).to_pylist() == bits
    assert back["y"].chunk(0).view(pa.uint64()).to_pylist() == [bits[0]] * 4


def test_shapes(julia: Any, directory: Path, store: shm.Store) -> None:
    schema = pa.schema([("a", pa.int64()), ("s", pa.string()), ("l", pa.list_(pa.int8()))])
    put(directory, "no-batches", [], schema)
    put(directory, "no-rows", [pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)], schema)
    for name in ("no-batches", "no-rows"):
        assert julia.get(f't = attach("{name}"); (size(t), length(t.a), eltype(t.a), length(t.s), length(t.l))')[
            :2
        ] == [[0, 3], 0]
        julia.run(f'share("copy", attach("{name}"); replace=true)')
        assert store.attach("copy", validate="full").num_rows == 0

    rows_only = pa.record_batch([pa.array([1, 2, 3])], names=["x"]).select([])
    put(directory, "no-columns", [rows_only], rows_only.schema)
    assert julia.get('size(attach("no-columns"))') == [3, 0]
    julia.run('share("copy", attach("no-columns"); replace=true)')
    assert store.attach("copy", validate="full").shape == (3, 0)
    assert store.info("copy").num_rows == 3

    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a", "a b"])
    store.share(twice, "twice")
    julia.run('t = attach("twice")')
    assert julia.get('(names(t), keys(t), t[1], t[2], t.a, t["a b"])') == [
        ["a", "a", "a b"],
        ["a", "a_1", "a b"],
        [1],
        [2],
        [1],
        [3],
    ]
    julia.run('share("copy", t; replace=true)')
    assert store.attach("copy").equals(twice)


def test_dictionaries_that_grow(julia: Any, directory: Path) -> None:
    """Delta dictionaries: every batch's numbers count in all of them."""
    kind = pa.dictionary(pa.int8(), pa.string())
    pools = [["a"], ["a", "b"], ["a", "b", "c"]]
    parts = [pa.DictionaryArray.from_arrays(pa.array([len(pool) - 1, 0, None], pa.int8()), pool) for pool in pools]
    schema = pa.schema([("d", kind)])
    put(directory, "grows", [pa.record_batch([part], schema=schema) for part in parts], schema)
    assert julia.get('collect(attach("grows").d)') == ["a", "a", None, "b", "a", None, "c", "a", None]


@pytest.mark.parametrize("lengths", [[0], [13], [0, 1, 7, 8, 0, 9, 63, 64, 65, 130, 0]])
def test_loops_and_sums_are_those_of_the_values(julia: Any, directory: Path, lengths: list[int]) -> None:
    """Row by row, by number and as a sum: batches of bits that end within a byte, at its end, or have no rows."""
    random = np.random.default_rng(len(lengths))

    def batch(length: int) -> pa.RecordBatch:
        numbers = random.integers(0, 2, length)
        # Every third batch has no nulls, whose bits are then left out.
        holes = random.random(length) < (0.3 if length % 3 else 0)
        return pa.record_batch(
            {
                **{f"whole {kind}": pa.array(numbers).cast(kind) for kind in (pa.bool_(), pa.int8(), pa.string())},
                **{f"holes {kind}": pa.array(numbers, mask=holes).cast(kind) for kind in (pa.bool_(), pa.float64(), pa.string())},
                "holes dictionary": pa.DictionaryArray.from_arrays(pa.array(numbers, mask=holes), ["a", "b"]),
            }
        )  # fmt: skip

    batches = [batch(length) for length in lengths]
    expected = put(directory, "loops", batches, batches[0].schema)
    for name in expected.column_names:
        julia.run(f'c = attach("loops")["{name}"]')
        rows = expected[name].to_pylist()
        assert julia.get("[x for x in c]") == rows, name
        assert julia.get("[c[i] for i in eachindex(c)]") == rows, name
        assert julia.get("collect(c)") == rows, name
        assert julia.get("(y -> y).(c)") == rows, name
        if "string" not in name and "dictionary" not in name:
            assert julia.get("sum(skipmissing(c))") == sum(row for row in rows if row is not None), name
            assert julia.get("count(x -> x === missing, c)") == rows.count(None), name


def test_metadata_is_kept(julia: Any, store: shm.Store) -> None:
    field = pa.field("x", pa.int64(), metadata={"unit": "m"})
    store.share(pa.table([pa.array([1])], schema=pa.schema([field], metadata={"who": "me"})), "noted")
    assert julia.get('t = attach("noted"); (ArrowSHM.metadata(t), ArrowSHM.metadata(t, :x))') == [
        [["who", "me"]],
        [["unit", "m"]],
    ]
    julia.run('share("noted2", t)')
    assert store.attach("noted2").schema.metadata == {b"who": b"me"}


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_column_by_itself_keeps_its_field(julia: Any, directory: Path, store: shm.Store, batches: int) -> None:
    """Plain memory too, which is a `Vector` or a `BitVector`: `not null`, and what was noted with the column."""
    arrays = {
        "number": pa.array([1, 2, 3]),
        "moment": pa.array([1, 2, 3], pa.timestamp("ms")),
        "flag": pa.array([True, False, True]),
        "text": pa.array(["a", "b", "c"]),
        "pooled": pa.array(["a", "b", "a"]).dictionary_encode(),
    }
    schema = pa.schema([pa.field(name, array.type, False, {"unit": name}) for name, array in arrays.items()])
    batch = pa.record_batch(list(arrays.values()), schema=schema)
    put(directory, "noted", [batch] * batches, schema)
    for how in ("t[i]", "view(t[i], 1:size(t, 1))"):
        julia.run(
            f't = attach("noted"); share("back", Pair{{String,Any}}[n => {how} for (i, n) in enumerate(names(t))])'
        )
        back = store.attach("back", validate="full")
        assert back.schema.equals(schema, check_metadata=True)
        assert back.to_pydict() == pa.Table.from_batches([batch] * batches, schema).to_pydict()
    julia.run('t = attach("noted"); share("copy", (number = copy(t.number),))')
    assert store.attach("copy").schema.field("number").nullable, "a copy is Julia's own"


def test_versions_that_only_messages_tell(julia: Any, directory: Path, store: shm.Store) -> None:
    """The footer of Arrow 0.14 says none, and that of no writer counts: unions are read by their messages' version."""
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    for version in pa.ipc.MetadataVersion.V4, pa.ipc.MetadataVersion.V5:
        columns = {"x": pa.array([1, 2])}
        if version == pa.ipc.MetadataVersion.V5:  # pyarrow writes no unions into V4
            columns["u"] = union
        batch = pa.record_batch(columns)
        expected = put(directory, "t", [batch], batch.schema, metadata_version=version)
        for number in (0, 3, 4, None):
            change(directory / "t.arrow", lambda footer, number=number: set_version(footer, number), of_schema=False)
            assert julia.get('[collect(column) for column in attach("t")]') == list(expected.to_pydict().values())
            assert store.attach("t").equals(expected)


def test_what_only_other_writers_write(julia: Any, directory: Path, store: shm.Store) -> None:
    """Older formats, another byte order, compression, children that are longer than needed, intervals without a type in Python."""
    names = [name for name in SAMPLES if "union" not in name and "view" not in name and "run-end" not in name]
    batch = pa.record_batch([SAMPLES[name] for name in names], names=names)
    old = {"metadata_version": pa.ipc.MetadataVersion.V4, "use_legacy_format": True}
    expected = put(directory, "old", [batch], batch.schema, **old)
    julia.run('share("back", attach("old"); replace=true)')
    assert_same(store.attach("back", validate="full"), expected)

    put(directory, "zstd", [batch], batch.schema, compression="zstd")
    with throws("DamagedTable.*it is compressed, so it cannot be used where it lies"):
        julia.run('attach("zstd")')
    plain = pa.record_batch([pa.array([1])], names=["x"])
    put(directory, "big", [plain], plain.schema)
    change(directory / "big.arrow", big_endian)
    with throws("DamagedTable.*written on a machine of the other byte order"):
        julia.run('attach("big")')
    with pytest.raises(shm.DamagedTable, match="written on a machine of the other byte order"):
        store.attach("big")

    # Spans that pyarrow cannot make: durations, called intervals.
    numbers = pa.py_buffer(struct.pack("<8i", 1, -1, 2**31 - 1, -(2**31), 14, 0, 7, 8))
    spans = [pa.Array.from_buffers(pa.duration(unit), 4, [None, numbers]) for unit in ("s", "us")]
    batch = pa.record_batch([pa.array([0, 1, 2, 3]), *spans], names=["x", "year_month", "day_time"])
    put(directory, "spans", [batch], batch.schema)
    change(directory / "spans.arrow", durations_to_intervals)
    julia.run('t = attach("spans"); share("again", t); t = attach("again")')
    assert julia.get("(eltype(t.year_month), eltype(t.day_time)) == (Month, ArrowSHM.DayTime)") is True
    assert julia.get("string.(t.year_month)") == ["1 month", "-1 month", "2147483647 months", "-2147483648 months"]
    assert julia.get("string.(t.day_time)")[2:] == ["14 days", "7 days, 8 milliseconds"]
    assert julia.get("[ArrowSHM.type_text(field) for field in ArrowSHM.fields_of(t)]")[1:] == ["year_month_interval", "day_time_interval"]  # fmt: skip


def set_version(footer: Table, number: int | None) -> None:
    place = footer.field(0)
    assert place
    if number is not None:
        struct.pack_into("<h", footer.data, place, number)
    else:  # no place, as the first of the vtable's entries
        struct.pack_into("<H", footer.data, footer.at - struct.unpack_from("<i", footer.data, footer.at)[0] + 4, 0)


def big_endian(schema: Table) -> None:
    if place := schema.field(0):
        schema.data[place] = 1
    else:  # left out, as it is the default: the place of some other field says so too
        vtable = schema.at - struct.unpack_from("<i", schema.data, schema.at)[0]
        struct.pack_into("<H", schema.data, vtable + 4, struct.unpack_from("<H", schema.data, vtable + 6)[0])


def test_dictionaries_of_several_columns(julia: Any, store: shm.Store) -> None:
    """One dictionary for two columns of a table, and for parts of nested ones, is one dictionary again."""
    pool = pa.array(["a", "b", "c"])
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pool) for indices in ([0, 1, 2], [2, None, 2])
    ]
    store.share(pa.table({"x": columns[0], "l": pa.ListArray.from_arrays([0, 2, 2, 3], columns[1])}), "pools")
    julia.run('t = attach("pools"); share("both", ["one" => t.x, "two" => view(t.x, 3:-1:1), "l" => t.l])')
    assert julia.get('t = attach("both"); [f.dictionary for f in (ArrowSHM.fields_of(t)[1:2]...,)]') == [0, 0]
    assert julia.get("collect(t.two)") == ["c", "b", "a"]
    assert julia.get("[collect(x) for x in t.l]") == [["c", None], [], ["c"]]
    assert julia.get("t.one.pool === t.two.pool") is True


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("[1, \"a\"]", "its values are of several types"),
        ("[1, nothing]", "`nothing`.*replace"),
        ("[big(1)]", "no integers of the type BigInt"),
        ("[1 // 2]", "no numbers of the type Rational"),
        ("[sin]", "values of the type"),
        ("[Dict(missing => 2)]", "missing key"),
        ("[Date(10^8)]", "holds a value that its Arrow type does not reach"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_said(julia: Any, store: shm.Store, column: str, message: str) -> None:
    with throws(f'(?s)UnsupportedSource: column "x" of this NamedTuple.*{message}'):
        julia.run(f'share("bad", (x = {column},))')
    with throws("it is not a table"):
        julia.run('share("bad", 42)')
    assert store.tables() == []


def test_lists_deep_in_lists(julia: Julia, directory: Path) -> None:
    """Nine levels are read, and read well; to compile for twenty would never end, and Python reads them."""

    def nested(levels: int) -> pa.Array:
        found: pa.Array = pa.array([1, None, 3])
        for _ in range(levels - 1):
            found = pa.ListArray.from_arrays([0, 1, 2, 3], found)
        return found

    batch = pa.record_batch([nested(9), nested(10), pa.array([1, 2, 3])], ["nine", "ten", "n"])
    put(directory, "t", [batch], batch.schema)
    julia.run('t = attach("t")')
    assert julia.get("t.n") == [1, 2, 3] and julia.get("t.nine[3][1][1][1][1][1][1][1][1]") == 3
    with throws("DamagedTable: .*nested more deeply than Julia can read"):
        julia.run("t.ten")
    shown = julia.get('sprint(show, MIME("text/plain"), t)')
    assert "[[[[[[[[3]]]]]]]]" in shown and "(not readable)" in shown
    assert len(julia.get('sprint(show, MIME("text/plain"), t.nine)')) < 1000


def test_a_sparse_union_with_a_short_part(julia: Julia, directory: Path) -> None:
    """Its values would be there, but to share it again would end outside of the part."""
    union = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    put(directory, "short", [pa.record_batch([union], ["x"])], pa.schema([("x", union.type)]))
    path = directory / "short.arrow"
    nodes = struct.pack("<6q", 2, 0, 2, 0, 2, 0)  # lengths and null counts of the union and its parts
    assert path.read_bytes().count(nodes) == 1
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(nodes, struct.pack("<6q", 2, 0, 2, 0, 1, 0)))
    with throws('DamagedTable: "short" cannot be read: a column of it is shorter than it says'):
        julia.run('ArrowSHM.share("again", attach("short"))')


def test_a_long_list_is_shown_by_its_beginning(julia: Julia, directory: Path) -> None:
    numbers = pa.Array.from_buffers(pa.int8(), 10**7, [None, pa.py_buffer(bytes(10**7))])
    batch = pa.record_batch([pa.LargeListArray.from_arrays(pa.array([0, 10**7], pa.int64()), numbers)], ["long"])
    put(directory, "t", [batch], batch.schema)
    assert julia.get('sprint(show, MIME("text/plain"), attach("t"))').endswith("[0, 0, 0, 0, 0, 0, 0, 0, 0, 0...")
