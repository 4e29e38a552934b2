"""What becomes of every Arrow type in each library: the declaration of docs/types.md, which is also run as a test."""

# ruff: noqa: E501 -- a table

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm.tabular.rules import RULES


@dataclass(frozen=True)
class Cell:
    """What a user gets, and the Arrow type that sharing it again writes: "" if it is the same, with the same values."""

    gets: str
    back: str = ""

    def __str__(self) -> str:
        return f"`{self.gets}`" + (f" → {self.back}" if self.back else "")


def columns() -> dict[str, pa.Array]:
    """One column of each type; integers and booleans with and without nulls, which pandas tells apart."""
    samples = arrays()
    found: dict[str, pa.Array] = {}
    for bits in (8, 16, 32, 64):
        found[f"int{bits}"], found[f"uint{bits}"] = samples[f"int{bits}"], samples[f"uint{bits}"]
    found |= {f"{name}, no nulls": samples[name].drop_null() for name in ("int64", "bool", "double")}
    names = (
        "bool", "halffloat", "float", "double", "string", "large_string", "string_view", "binary", "large_binary",
        "binary_view", "fixed_size_binary[3]", "decimal32(9, 2)", "decimal64(18, 2)", "decimal128(38, 2)",
        "decimal256(76, 2)", "date32[day]", "date64[ms]", "time32[s]", "time32[ms]", "time64[us]", "time64[ns]",
        "timestamp[s]", "timestamp[ms]", "timestamp[us]", "timestamp[ns]", "timestamp[us, tz=UTC]",
        "timestamp[us, tz=Europe/Zurich]", "duration[s]", "duration[ms]", "duration[us]", "duration[ns]",
        "month_day_nano_interval", "null", "list<item: int32>", "large_list<item: int32>", "list_view<item: int32>",
        "large_list_view<item: int32>", "fixed_size_list<item: int32>[2]", "map<string, int64>",
        "dictionary by int8", "dictionary by uint64", "dictionary, ordered", "dictionary of double", "list of dictionaries",
        "sparse union", "dense union", "run-end encoded by int32", "uuid", "bool8", "json", "opaque",
        "fixed-shape tensor",
    )  # fmt: skip
    for name in names:
        array = samples[name]
        if name.startswith("timestamp["):  # years that every library has
            array = pa.array([0, -1, None, 1, 1_709_164_800, 2**40 if "[s" not in name else 2**32], pa.int64()).cast(
                array.type
            )
        found[name] = array
    found["struct<x: double, y: string>"] = pa.array([{"x": 1.5, "y": "a"}, None, {"x": None, "y": ""}])
    return found


def in_python(library: str, store: shm.Store, name: str, expected: pa.ChunkedArray) -> Cell:
    """What the column "x" of a shared table is in pandas or polars, and what sharing it from there makes of it."""
    try:
        value: Any = store.attach(name, to=library)
        kind = value["x"].dtype
    except BaseException as error:  # polars panics
        return Cell(f"error: {type(error).__name__}")
    gets = str(kind)
    if gets == "object":
        values = [each for each in value["x"] if each is not None]
        gets = f"object of {type(values[0]).__name__}" if values else gets
    try:
        store.share(value, "back", replace=True)
    except shm.ArrowSHMError as error:
        return Cell(gets, f"error: {type(error).__name__}")
    return Cell(gets, change(store.attach("back", to="stored")["x"], expected))


def change(column: pa.ChunkedArray, expected: pa.ChunkedArray) -> str:
    """How a column differs from the one that was first shared."""
    if column.type != expected.type:
        return str(column.type)
    return "" if column.equals(expected) else "other values"


# A type as a person would say it: without the modules, and with no word of Missing, which every column can have; as
# Julia writes it since 1.10, whichever version this is.
JULIA = r"""
shown(T) = shown_(T === Missing ? T : Base.nonmissingtype(T))
shown_(T) = T <: SubArray ? "view of " * shown(eltype(T)) : T <: AbstractArray && ndims(T) > 1 ? axes_(T) : spelled(T)
axes_(T) = "array of $(ndims(T)) axes of $(shown(eltype(T)))"
braces(parts) = isempty(parts) ? "" : "{" * join(parts, ", ") * "}"
home(T) = parentmodule(T) === Base && !(nameof(T) in names(Base)) ? "Base." : ""
spelled(x) = repr(x)
spelled(T::Union) = "Union" * braces(sort!(map(spelled, Base.uniontypes(T)); by = text -> (text != "Missing", text)))
spelled(T::DataType) = home(T) * string(nameof(T)) * braces(map(spelled, collect(T.parameters)))
spelled(::Type{N}) where {N<:NamedTuple} =
    "@NamedTuple" * braces(["$name::$(spelled(fieldtype(N, name)))" for name in fieldnames(N)])
"""


def in_julia(julia: Any, store: shm.Store, name: str, expected: pa.ChunkedArray) -> Cell:
    """What it is in Julia, and what sharing Julia's own copy of it makes of it. (The column itself stays what it is.)"""
    gets = julia.get(f't = nothing; t = attach("{name}"); shown(eltype(t.x))')
    julia.run('share("back", (x = collect(t.x),); replace = true)')
    return Cell(gets, change(store.attach("back", to="stored")["x"], expected))


# A type as a person would say it; of a list, that of its elements.
R = r"""
shown <- function(x) {
  if (!is.list(x) || is.data.frame(x)) return(class(x)[1])
  parts <- unique(vapply(Filter(Negate(is.null), x), shown, ""))
  paste("list of", paste(sort(parts), collapse = ", "))
}
"""


def in_r(r: Any, store: shm.Store, name: str, expected: pa.ChunkedArray) -> Cell:
    """What it is in R, and what sharing it from there makes of it."""
    gets = r.get(f'suppressWarnings({{ t <- attach_table("{name}"); shown(t$x) }})')
    try:
        r.run('suppressWarnings(share_table(t, "back", replace = TRUE))')
    except Exception as error:
        return Cell(gets, f"error: {getattr(error, 'kind', error)}")
    return Cell(gets, change(store.attach("back", to="stored")["x"], expected))


def without_nul(array: pa.Array) -> pa.Array:
    """Texts without U+0000, which R's cannot have, and lengths of time that it can share."""
    if pa.types.is_duration(array.type):
        return pa.array([0, -1000, None, 1000, 5000, 0], pa.int64()).cast(array.type)
    if not pa.types.is_string(array.type) and str(array.type) not in ("large_string", "string_view"):
        return array
    return pa.array([text and text.replace("\0", "") for text in array.to_pylist()], array.type)


# Column by column: pandas, polars, Julia.
# fmt: off
CELLS: dict[str, tuple[Cell, Cell, Cell]] = {
    "int8": (Cell("float64", "double"), Cell("Int8"), Cell("Int8")),
    "uint8": (Cell("float64", "double"), Cell("UInt8"), Cell("UInt8")),
    "int16": (Cell("float64", "double"), Cell("Int16"), Cell("Int16")),
    "uint16": (Cell("float64", "double"), Cell("UInt16"), Cell("UInt16")),
    "int32": (Cell("float64", "double"), Cell("Int32"), Cell("Int32")),
    "uint32": (Cell("float64", "double"), Cell("UInt32"), Cell("UInt32")),
    "int64": (Cell("Int64"), Cell("Int64"), Cell("Int64")),
    "uint64": (Cell("UInt64"), Cell("UInt64"), Cell("UInt64")),
    "int64, no nulls": (Cell("int64"), Cell("Int64"), Cell("Int64")),
    "bool, no nulls": (Cell("bool"), Cell("Boolean"), Cell("Bool")),
    "double, no nulls": (Cell("float64"), Cell("Float64"), Cell("Float64")),
    "bool": (Cell("object of bool"), Cell("Boolean"), Cell("Bool")),
    "halffloat": (Cell("float16"), Cell("Float16"), Cell("Float16")),
    "float": (Cell("float32"), Cell("Float32"), Cell("Float32")),
    "double": (Cell("float64"), Cell("Float64"), Cell("Float64")),
    "string": (Cell("str", "large_string"), Cell("String", "string_view"), Cell("String")),
    "large_string": (Cell("str"), Cell("String", "string_view"), Cell("String", "string")),
    "string_view": (Cell("str", "large_string"), Cell("String"), Cell("String", "string")),
    "binary": (Cell("object of bytes"), Cell("Binary", "binary_view"), Cell("Base.CodeUnits{UInt8, String}")),
    "large_binary": (Cell("object of bytes", "binary"), Cell("Binary", "binary_view"), Cell("Base.CodeUnits{UInt8, String}", "binary")),
    "binary_view": (Cell("object of bytes", "binary"), Cell("Binary"), Cell("Base.CodeUnits{UInt8, String}", "binary")),
    "fixed_size_binary[3]": (Cell("object of bytes", "binary"), Cell("Binary", "binary_view"), Cell("Tuple{UInt8, UInt8, UInt8}")),
    "decimal32(9, 2)": (Cell("object of Decimal", "decimal128(9, 2)"), Cell("Decimal(precision=9, scale=2)", "decimal128(9, 2)"), Cell("Decimal{9, 2, Int128}", "decimal128(9, 2)")),
    "decimal64(18, 2)": (Cell("object of Decimal", "decimal128(18, 2)"), Cell("Decimal(precision=18, scale=2)", "decimal128(18, 2)"), Cell("Decimal{18, 2, Int128}", "decimal128(18, 2)")),
    "decimal128(38, 2)": (Cell("object of Decimal"), Cell("Decimal(precision=38, scale=2)"), Cell("Decimal{38, 2, Int128}")),
    "decimal256(76, 2)": (Cell("object of Decimal"), Cell("error: UnsupportedTarget"), Cell("Decimal{76, 2, BigInt}")),
    "date32[day]": (Cell("object of date"), Cell("Date"), Cell("Date")),
    "date64[ms]": (Cell("object of date", "date32[day]"), Cell("Datetime(time_unit='ms', time_zone=None)", "timestamp[ms]"), Cell("Date", "date32[day]")),
    "time32[s]": (Cell("object of time", "time64[us]"), Cell("Time", "time64[ns]"), Cell("Time", "time64[ns]")),
    "time32[ms]": (Cell("object of time", "time64[us]"), Cell("Time", "time64[ns]"), Cell("Time", "time64[ns]")),
    "time64[us]": (Cell("object of time"), Cell("Time", "time64[ns]"), Cell("Time", "time64[ns]")),
    "time64[ns]": (Cell("time64[ns][pyarrow]"), Cell("Time"), Cell("Time")),
    "timestamp[s]": (Cell("datetime64[s]"), Cell("Datetime(time_unit='ms', time_zone=None)", "timestamp[ms]"), Cell("DateTime", "timestamp[ms]")),
    "timestamp[ms]": (Cell("datetime64[ms]"), Cell("Datetime(time_unit='ms', time_zone=None)"), Cell("DateTime")),
    "timestamp[us]": (Cell("datetime64[us]"), Cell("Datetime(time_unit='us', time_zone=None)"), Cell("Timestamp{Microsecond, nothing}")),
    "timestamp[ns]": (Cell("datetime64[ns]"), Cell("Datetime(time_unit='ns', time_zone=None)"), Cell("Timestamp{Nanosecond, nothing}")),
    "timestamp[us, tz=UTC]": (Cell("datetime64[us, UTC]"), Cell("Datetime(time_unit='us', time_zone='UTC')"), Cell("Timestamp{Microsecond, :UTC}")),
    "timestamp[us, tz=Europe/Zurich]": (Cell("datetime64[us, Europe/Zurich]"), Cell("Datetime(time_unit='us', time_zone='Europe/Zurich')"), Cell('Timestamp{Microsecond, Symbol("Europe/Zurich")}')),
    "duration[s]": (Cell("timedelta64[s]"), Cell("Duration(time_unit='ms')", "duration[ms]"), Cell("Second")),
    "duration[ms]": (Cell("timedelta64[ms]"), Cell("Duration(time_unit='ms')"), Cell("Millisecond")),
    "duration[us]": (Cell("timedelta64[us]"), Cell("Duration(time_unit='us')"), Cell("Microsecond")),
    "duration[ns]": (Cell("timedelta64[ns]"), Cell("Duration(time_unit='ns')"), Cell("Nanosecond")),
    "month_day_nano_interval": (Cell("object of DateOffset", "error: UnsupportedSource"), Cell("error: UnsupportedTarget"), Cell("MonthDayNano")),
    "null": (Cell("object"), Cell("Null"), Cell("Missing")),
    "list<item: int32>": (Cell("object of ndarray", "list<item: double>"), Cell("List(Int32)", "large_list<item: int32>"), Cell("view of Int32")),
    "large_list<item: int32>": (Cell("object of ndarray", "list<item: double>"), Cell("List(Int32)"), Cell("view of Int32", "list<item: int32>")),
    "list_view<item: int32>": (Cell("object of ndarray", "list<item: double>"), Cell("List(Int32)", "large_list<item: int32>"), Cell("view of Int32", "list<item: int32>")),
    "large_list_view<item: int32>": (Cell("object of ndarray", "list<item: double>"), Cell("List(Int32)", "large_list<item: int32>"), Cell("view of Int32", "list<item: int32>")),
    "fixed_size_list<item: int32>[2]": (Cell("object of ndarray", "list<item: double>"), Cell("Array(Int32, shape=(2,))"), Cell("view of Int32", "list<item: int32>")),
    "map<string, int64>": (Cell("object of list", "error: UnsupportedSource"), Cell("Map(String, Int64)", "map<string_view, int64>"), Cell("view of Pair{String, Union{Missing, Int64}}")),
    "dictionary by int8": (Cell("category", "dictionary<values=large_string, indices=int8, ordered=0>"), Cell("Categorical", "dictionary<values=string_view, indices=uint32, ordered=0>"), Cell("String", "string")),
    "dictionary by uint64": (Cell("category", "dictionary<values=large_string, indices=int8, ordered=0>"), Cell("Categorical", "dictionary<values=string_view, indices=uint32, ordered=0>"), Cell("String", "string")),
    "dictionary, ordered": (Cell("category", "dictionary<values=large_string, indices=int8, ordered=1>"), Cell("Categorical", "dictionary<values=string_view, indices=uint32, ordered=0>"), Cell("String", "string")),
    "dictionary of double": (Cell("category"), Cell("Float64", "double"), Cell("Float64", "double")),
    "list of dictionaries": (Cell("object of ndarray", "list<item: string>"), Cell("List(Categorical)", "large_list<item: dictionary<values=string_view, indices=uint32, ordered=0>>"), Cell("view of String", "list<item: string>")),
    "sparse union": (Cell("object of int", "error: UnsupportedSource"), Cell("error: UnsupportedTarget"), Cell("Union{Int64, String}", "dense_union<Int64: int64=0, String: string=1>")),
    "dense union": (Cell("object of int", "error: UnsupportedSource"), Cell("error: UnsupportedTarget"), Cell("Union{Int64, String}", "dense_union<Int64: int64=0, String: string=1>")),
    "run-end encoded by int32": (Cell("str", "large_string"), Cell("String", "string_view"), Cell("String", "string")),
    "uuid": (Cell("object of UUID"), Cell("Binary", "binary_view"), Cell("Base.UUID")),
    "bool8": (Cell("object of bool", "bool"), Cell("Boolean", "bool"), Cell("Int8", "int8")),
    "json": (Cell("str", "large_string"), Cell("Extension('arrow.json', String, '')", "extension<arrow.json>"), Cell("String", "string")),
    "opaque": (Cell("object of bytes", "binary"), Cell('Extension(\'arrow.opaque\', Binary, \'{"type_name":"geometry","vendor_name":"postgis"}\')', "extension<arrow.opaque[storage_type=binary_view, type_name=geometry, vendor_name=postgis]>"), Cell("Base.CodeUnits{UInt8, String}", "binary")),
    "fixed-shape tensor": (Cell("object of ndarray", "list<item: float>"), Cell('Extension(\'arrow.fixed_shape_tensor\', Array(Float32, shape=(6,)), \'{"shape":[2,3],"permutation":[1,0],"dim_names":["row","column"]}\')'), Cell("array of 2 axes of Float32", "extension<arrow.fixed_shape_tensor[value_type=float, shape=[3,2]]>")),
    "struct<x: double, y: string>": (Cell("object of dict"), Cell("Struct({'x': Float64, 'y': String})", "struct<x: double, y: string_view>"), Cell("@NamedTuple{x::Union{Missing, Float64}, y::String}")),
}
# fmt: on

# In R: what `attach_table()` gives, with bit64 installed.
# fmt: off
IN_R: dict[str, Cell] = {
    "int8": Cell("integer", "int32"),
    "uint8": Cell("integer", "int32"),
    "int16": Cell("integer", "int32"),
    "uint16": Cell("integer", "int32"),
    "int32": Cell("integer", "other values"),
    "uint32": Cell("numeric", "double"),
    "int64": Cell("integer64", "other values"),
    "uint64": Cell("numeric", "double"),
    "int64, no nulls": Cell("integer64", "other values"),
    "bool, no nulls": Cell("logical"),
    "double, no nulls": Cell("numeric"),
    "bool": Cell("logical"),
    "halffloat": Cell("numeric", "double"),
    "float": Cell("numeric", "double"),
    "double": Cell("numeric"),
    "string": Cell("character"),
    "large_string": Cell("character", "string"),
    "string_view": Cell("character", "string"),
    "binary": Cell("list of raw"),
    "large_binary": Cell("list of raw", "binary"),
    "binary_view": Cell("list of raw", "binary"),
    "fixed_size_binary[3]": Cell("list of raw", "binary"),
    "decimal32(9, 2)": Cell("numeric", "double"),
    "decimal64(18, 2)": Cell("character", "string"),
    "decimal128(38, 2)": Cell("character", "string"),
    "decimal256(76, 2)": Cell("character", "string"),
    "date32[day]": Cell("Date"),
    "date64[ms]": Cell("Date", "date32[day]"),
    "time32[s]": Cell("hms", "time64[us]"),
    "time32[ms]": Cell("hms", "time64[us]"),
    "time64[us]": Cell("hms"),
    "time64[ns]": Cell("hms", "time64[us]"),
    "timestamp[s]": Cell("POSIXct", "timestamp[us, tz=UTC]"),
    "timestamp[ms]": Cell("POSIXct", "timestamp[us, tz=UTC]"),
    "timestamp[us]": Cell("POSIXct", "timestamp[us, tz=UTC]"),
    "timestamp[ns]": Cell("POSIXct", "timestamp[us, tz=UTC]"),
    "timestamp[us, tz=UTC]": Cell("POSIXct"),
    "timestamp[us, tz=Europe/Zurich]": Cell("POSIXct"),
    "duration[s]": Cell("difftime", "duration[us]"),
    "duration[ms]": Cell("difftime", "duration[us]"),
    "duration[us]": Cell("difftime"),
    "duration[ns]": Cell("difftime", "duration[us]"),
    "month_day_nano_interval": Cell("data.frame", "struct<months: int32, days: int32, nanoseconds: double>"),
    "null": Cell("logical", "bool"),
    "list<item: int32>": Cell("list of integer"),
    "large_list<item: int32>": Cell("list of integer", "list<item: int32>"),
    "list_view<item: int32>": Cell("list of integer", "list<item: int32>"),
    "large_list_view<item: int32>": Cell("list of integer", "list<item: int32>"),
    "fixed_size_list<item: int32>[2]": Cell("list of integer", "list<item: int32>"),
    "map<string, int64>": Cell("list of data.frame", "list<item: struct<key: string, value: int64>>"),
    "dictionary by int8": Cell("factor", "dictionary<values=string, indices=int32, ordered=0>"),
    "dictionary by uint64": Cell("factor", "dictionary<values=string, indices=int32, ordered=0>"),
    "dictionary, ordered": Cell("ordered", "dictionary<values=string, indices=int32, ordered=1>"),
    "dictionary of double": Cell("numeric", "double"),
    "list of dictionaries": Cell("list of ordered", "list<item: dictionary<values=string, indices=int32, ordered=1>>"),
    "sparse union": Cell("list of character, integer64", "error: UnsupportedSource"),
    "dense union": Cell("list of character, integer64", "error: UnsupportedSource"),
    "run-end encoded by int32": Cell("character", "string"),
    "uuid": Cell("list of raw", "binary"),
    "bool8": Cell("integer", "int32"),
    "json": Cell("character", "string"),
    "opaque": Cell("list of raw", "binary"),
    "fixed-shape tensor": Cell("list of numeric", "list<item: double>"),
    "struct<x: double, y: string>": Cell("data.frame", "other values"),
}
# fmt: on


def pandas_columns() -> dict[str, Any]:
    """pandas' own types, for which Arrow has none: the last value of each is missing, except in the sparse column."""
    import pandas as pd

    hours = pd.PeriodIndex(["2024-01-01 05:00", None], freq="h")
    steps = pd.arrays.IntervalArray.from_tuples([(0, 1), None], closed="left")
    days = pd.arrays.IntervalArray.from_tuples([(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")), None])
    return {
        "period of days or more (month, quarter, week, ...)": pd.Series(pd.PeriodIndex(["2024-03", None], freq="M")),
        "period of hours or less": pd.Series(hours),
        "interval of numbers": pd.Series(steps),
        "interval of times": pd.Series(days),
        "category of intervals": pd.Series(pd.cut([1.5, float("nan")], [1, 2, 3])),
        "category of periods": pd.Series(pd.PeriodIndex(["2024-03", None], freq="M")).astype("category"),
        "sparse": pd.Series(pd.arrays.SparseArray([0, 3])),
    }


# What pandas' own types are to others: stored, in polars, in Julia, in R, each with the first value as it is written there.
# fmt: off
OF_PANDAS: dict[str, tuple[str, str, str, str]] = {
    "period of days or more (month, quarter, week, ...)": ('date32[day]', 'datetime.date(2024, 3, 1)', 'Date: Date("2024-03-01")', 'Date: 2024-03-01'),
    "period of hours or less": ('timestamp[s]', "datetime.datetime(2024, 1, 1, 5, 0)", 'DateTime: DateTime("2024-01-01T05:00:00")', 'POSIXct: 2024-01-01 05:00:00'),
    "interval of numbers": ('struct<left: double, right: double, closed: string>', "{'left': 0.0, 'right': 1.0, 'closed': 'left'}", '@NamedTuple{left::Union{Missing, Float64}, right::Union{Missing, Float64}, closed::String}: left = 0.0, right = 1.0, closed = "left"', 'data.frame: left = 0, right = 1, closed = left'),
    "interval of times": ('struct<left: timestamp[us], right: timestamp[us], closed: string>', "{'left': datetime.datetime(2024, 1, 1, 0, 0), 'right': datetime.datetime(2024, 1, 2, 0, 0), 'closed': 'right'}", '@NamedTuple{left::Union{Missing, Timestamp{Microsecond, nothing}}, right::Union{Missing, Timestamp{Microsecond, nothing}}, closed::String}: left = 2024-01-01T00:00:00.000000, right = 2024-01-02T00:00:00.000000, closed = "right"', 'data.frame: left = 2024-01-01, right = 2024-01-02, closed = right'),
    "category of intervals": ('dictionary<values=string, indices=int8, ordered=1>', "'(1, 2]'", 'String: "(1, 2]"', 'ordered: (1, 2]'),
    "category of periods": ('dictionary<values=string, indices=int8, ordered=0>', "'2024-03'", 'String: "2024-03"', 'factor: 2024-03'),
    "sparse": ('int64', '0', 'Int64: 0', 'integer64: 0'),
}
# fmt: on


def own_in_python(store: shm.Store, series: Any) -> tuple[str, str]:
    """Share it; how it is stored, and what it is in polars."""
    store.share(series.to_frame("x"), "x", replace=True)
    assert store.attach("x", to="source")["x"].equals(series)
    column = store.attach("x", to="polars")["x"]
    return str(store.attach("x", to="stored")["x"].type), repr(column[0])


def own_in_julia(julia: Any) -> str:
    julia.run('t = nothing; t = attach("x"); v = t.x[1]')
    value = 'v isa NamedTuple ? join(["$name = $(repr(part))" for (name, part) in pairs(v)], ", ") : repr(v)'
    return str(julia.get(f'shown(eltype(t.x)) * ": " * ({value})'))


def own_in_r(r: Any) -> str:
    value = 'if (is.data.frame(x)) paste(names(x), vapply(x[1, ], format, ""), sep = " = ", collapse = ", ") else format(x[1])'
    return str(r.get(f'x <- attach_table("x")$x; paste0(shown(x), ": ", {value})'))


def own_table() -> str:
    """What pandas' own types are, as Markdown."""
    lines = ["| pandas | Arrow | polars | Julia | R |", "|---|---|---|---|---|"]
    for name, (stored, polars, *others) in OF_PANDAS.items():
        cells = [f"`{polars}`", *(f"`{each.replace(': ', '`: `', 1)}`" for each in others)]
        lines.append("| " + " | ".join([name, stored.replace("<", r"\<"), *cells]) + " |")
    return "\n".join(lines)


def table() -> str:
    """The declaration as Markdown."""
    lines = ["| Arrow | pandas | polars | Julia | R |", "|---|---|---|---|---|"]
    for name, cells in CELLS.items():
        lines.append("| " + " | ".join([name, *map(str, cells), str(IN_R[name])]).replace("<", r"\<") + " |")
    return "\n".join(lines)


def rules() -> str:
    """The rules by which columns are cast before a library gets them, as Markdown."""
    lines = ["| to | a column of | is handed over as | because |", "|---|---|---|---|"]
    for target, found in RULES.items():
        for rule in found:
            why = rule.why + (" (tried once in each process: a newer release needs no cast)" if rule.probed else "")
            lines.append("| " + " | ".join([target, rule.types, rule.into, why]).replace("<", r"\<") + " |")
    return "\n".join(lines)


DOCUMENT = Path(__file__).parents[1] / "docs" / "types.md"
HEAD, TAIL = "<!-- made by: python tests/typetable.py -->\n", "\n## What is lost"
OWN_HEAD, OWN_TAIL = "<!-- pandas' own, made by: python tests/typetable.py -->\n", "\n## What DuckDB's own"
RULES_HEAD, RULES_TAIL = "<!-- the rules, made by: python tests/typetable.py -->\n", "\n## From Julia"


def document() -> str:
    """docs/types.md with the table as it is declared here."""
    text = DOCUMENT.read_text("utf-8")
    parts = ((HEAD, table(), TAIL), (OWN_HEAD, own_table(), OWN_TAIL), (RULES_HEAD, rules(), RULES_TAIL))
    for head, made, tail in parts:
        text = text.partition(head)[0] + head + "\n" + made + "\n" + tail + text.partition(tail)[2]
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
