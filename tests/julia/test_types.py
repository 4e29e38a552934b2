"""Every type goes from Python to Julia and back, and from Julia to Python, and stays what it was."""

# ruff: noqa: E501 -- Julia code, and tables of literals
from __future__ import annotations

import datetime as dt
import decimal
import itertools
import math
import os
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from julia_peers import throws
from samples import arrays

import jupyter_arrowshm as shm

# What the Julia client says that it cannot read yet.
UNREADABLE = (
    pa.types.is_run_end_encoded, pa.types.is_union, pa.types.is_interval, pa.types.is_decimal32,
    pa.types.is_decimal64, pa.types.is_decimal256, pa.types.is_list_view, pa.types.is_large_list_view,
)  # fmt: skip


def parts_of(kind: pa.DataType) -> list[pa.DataType]:
    if isinstance(kind, pa.BaseExtensionType):
        return parts_of(kind.storage_type)
    below = [kind.field(i).type for i in range(kind.num_fields)]
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        below.append(kind.value_type)
    return [kind, *(part for child in below for part in parts_of(child))]


def is_readable(kind: pa.DataType) -> bool:
    return not any(test(part) for part in parts_of(kind) for test in UNREADABLE)


SAMPLES = arrays()
# Zones differ in their name only, and each costs seconds of compiling.
READABLE = {
    name: array
    for name, array in SAMPLES.items()
    if is_readable(array.type) and not ("tz=" in name and not name.endswith(("UTC]", "s, tz=+05:45]")))
}
UNREADABLE_NAMES = sorted(name for name, array in SAMPLES.items() if not is_readable(array.type))


def put(directory: Path, name: str, batches: list[pa.RecordBatch], schema: pa.Schema) -> None:
    """A file as another program would put it there: as many batches as given."""
    directory.mkdir(0o700, exist_ok=True)
    path = directory / f"{name}.arrow"
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    os.chmod(path, 0o400)


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
    if hasattr(array, "offsets") or pa.types.is_fixed_size_list(kind):
        return [None if scalar.as_py() is None else values(scalar.values) for scalar in array]
    return [plain(value) for value in array.to_pylist()]


def raw(array: pa.Array) -> list[int | None]:
    return array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64()).to_pylist()


def time_ns(value: int, kind: pa.DataType) -> int:
    return value * {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]


# Whole seconds that DateTime cannot count in milliseconds (2^62) go through `ArrowSHM.Timestamp` in no column of it.
def holds(name: str, array: pa.Array) -> pa.Array:
    if name in ("timestamp[s]", "timestamp[ms]"):
        return pa.array([0, -1, None, 1, 1_709_164_800, 2**48], array.type)
    return array


@pytest.mark.parametrize("batches", [1, 7])
def test_python_to_julia_to_python(julia: Any, directory: Path, store: shm.Store, batches: int) -> None:
    arrays = {name: holds(name, array) for name, array in READABLE.items()}
    schema = pa.schema([pa.field(name, array.type) for name, array in arrays.items()])
    parts = list(zip(*(seven(array) for array in arrays.values()), strict=True))
    if batches == 1:
        parts = [tuple(arrays.values())]
    put(directory, "there", [pa.record_batch(list(part), schema=schema) for part in parts], schema)
    julia.run('t = attach("there")')
    assert julia.get("size(t)") == [6, len(arrays)]
    julia.run('share("back", t)')
    table = store.attach("back", validate="full")
    wrong = {
        name: (values(arrays[name]), values(column))
        for name, column in zip(arrays, table.columns, strict=True)
        if values(arrays[name]) != values(column)
    }
    assert not wrong
    # What Julia wrote, Julia reads: the same again, and of one type with its missing values.
    assert (
        julia.get('back = attach("back"); findall(i -> !isequal(collect(t[i]), collect(back[i])), 1:length(t))') == []
    )


# One of each kind of column.
KINDS = (
    "int8", "double", "bool", "string", "large_string", "string_view", "fixed_size_binary[3]", "fixed_size_binary[0]",
    "date32[day]", "time64[us]", "timestamp[ms]", "timestamp[us, tz=UTC]", "decimal128(38, 2)", "list<item: int32>",
    "fixed_size_list<item: int32>[2]", "struct<s: struct<t: list<item: bool>>>", "dictionary by int8",
)  # fmt: skip


def test_null_in_every_position(julia: Any, store: shm.Store) -> None:
    """Nine rows: more than one byte of the bitmap."""
    columns = {}
    for name in KINDS:
        array = READABLE[name]
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
    "reverse": ("Iterators.reverse([3.0, 2.0, 1.0]) |> collect", [1.0, 2.0, 3.0], pa.float64()),
}  # fmt: skip


def test_julia_to_python(julia: Any, store: shm.Store) -> None:
    columns = ", ".join(f'"{name}" => {literal}' for name, (literal, _, _) in JULIA.items())
    julia.run(f'share("made", Pair{{String,Any}}[{columns}])')
    table = store.attach("made", validate="full")
    got = {
        name: (column.cast(pa.time64("us")) if pa.types.is_time(column.type) else column).to_pylist()
        for name, column in zip(JULIA, table.columns, strict=True)
    }
    assert {name: plain(value) for name, value in got.items()} == {name: plain(row[1]) for name, row in JULIA.items()}
    assert {field.name: field.type for field in table.schema} == {
        name: pa.list_(pa.field("item", kind.value_type)) if pa.types.is_list(kind) else kind
        for name, (_, _, kind) in JULIA.items()
    }
    # And on to Julia, shared again by Python.
    store.share(table, "again")
    assert julia.get('a = attach("made"); b = attach("again"); all(i -> isequal(a[i], b[i]), 1:length(a))') is True


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


def test_metadata_is_kept(julia: Any, store: shm.Store) -> None:
    field = pa.field("x", pa.int64(), metadata={"unit": "m"})
    store.share(pa.table([pa.array([1])], schema=pa.schema([field], metadata={"who": "me"})), "noted")
    assert julia.get('t = attach("noted"); (ArrowSHM.metadata(t), ArrowSHM.metadata(t, :x))') == [
        [["who", "me"]],
        [["unit", "m"]],
    ]
    julia.run('share("noted2", t)')
    assert store.attach("noted2").schema.metadata == {b"who": b"me"}


@pytest.mark.parametrize("name", UNREADABLE_NAMES)
def test_what_cannot_be_read_is_said(julia: Any, store: shm.Store, name: str) -> None:
    store.share(pa.table({"fine": range(6), "odd": SAMPLES[name]}), "odd", replace=True)
    assert julia.get('t = attach("odd"); sum(t.fine)') == 15
    with throws('UnsupportedColumn: column "odd" of "odd" is of the Arrow type'):
        julia.run("t.odd")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("[1, \"a\"]", "its values are of several types"),
        ("[1, nothing]", "`nothing`.*replace"),
        ("[big(1)]", "no integers of the type BigInt"),
        ("[1 // 2]", "no numbers of the type Rational"),
        ("[sin]", "values of the type"),
        ("[Dict(1 => 2)]", "dictionaries"),
        ("[Date(10^8)]", "32 bits of days"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_said(julia: Any, store: shm.Store, column: str, message: str) -> None:
    with throws(f'(?s)UnsupportedSource: column "x" of this NamedTuple.*{message}'):
        julia.run(f'share("bad", (x = {column},))')
    with throws("it is no table"):
        julia.run('share("bad", 42)')
    assert store.tables() == []


def flights() -> pa.Table:
    """All flights of 2013, where they are at hand, else rows of the same types."""
    try:
        from jupyter_arrowshm.demo import read_flights

        return read_flights()
    except (ImportError, SystemExit):
        number = pa.array([None if i % 40 == 7 else i for i in range(100_000)], pa.int64())
        text = pa.array([None if i % 50 == 3 else f"N{i % 999}" for i in range(100_000)])
        hour = pa.array([1_357_016_400 + 3600 * i for i in range(100_000)], pa.timestamp("s", "UTC"))
        return pa.table(
            {**{f"n{i}": number for i in range(14)}, **{f"s{i}": text for i in range(4)}, "time_hour": hour}
        )


def test_flights(julia: Any, store: shm.Store) -> None:
    table = flights()
    assert table.num_columns == 19
    store.share(table, "flights")
    julia.run('t = attach("flights"); share("flights2", t)')
    back = store.attach("flights2", validate="full")
    assert back.equals(table.cast(back.schema)) and table.equals(back.cast(table.schema))
    for name, column in zip(table.column_names, table.columns, strict=True):
        there = f't["{name}"]'
        assert julia.get(f"count(ismissing, {there})") == column.null_count, name
        if pa.types.is_integer(column.type):
            assert julia.get(f"sum(skipmissing({there}))") == pc.sum(column).as_py(), name
        elif pa.types.is_string(column.type):
            assert julia.get(f"sum(sizeof, skipmissing({there}))") == pc.sum(pc.binary_length(column)).as_py(), name
