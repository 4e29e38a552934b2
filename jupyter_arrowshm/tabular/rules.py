"""How a column is changed before a library gets it: one table, by target and type.

A type that no rule names is handed over as it is, without a copy. A rule that is
``probed`` holds only where the library, tried once with a tiny array, cannot
work with the type itself: a newer release needs fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyarrow as pa

from ..arrowtypes import is_list_view, is_view, nested
from .recast import list_maker, rebuilt

Applies = Callable[[pa.DataType], bool]
Becomes = Callable[[pa.DataType], list[pa.DataType]]


@dataclass(frozen=True)
class Rule:
    """How some types are changed on their way to one library.

    Attributes
    ----------
    types
        The types, in words.
    becomes
        The types to cast the column to: the first that can hold its values is used. None is a refusal.
    into
        Those types, in words.
    why
        What the library lacks; with a refusal, what its error says.
    probed
        Whether it holds only where the library turns out not to have the type.
    """

    types: str
    applies: Applies
    becomes: Becomes | None
    into: str
    why: str
    probed: bool = False


def _is(*names: str) -> Applies:
    checks = [getattr(pa.types, f"is_{name}") for name in names]
    return lambda type_: any(check(type_) for check in checks)


def _unit(check: Applies, *units: str) -> Applies:
    return lambda type_: check(type_) and type_.unit in units


def _wide(type_: pa.DataType) -> list[pa.DataType]:
    return [pa.large_string() if pa.types.is_string_view(type_) else pa.large_binary()]


def _values(type_: pa.DataType) -> list[pa.DataType]:
    return [type_.value_type]


def _lists(type_: pa.DataType) -> list[pa.DataType]:
    return [list_maker(type_, plain=True)(type_.value_field)]


def _narrow_decimal(type_: pa.DataType) -> list[pa.DataType]:
    return [pa.decimal128(38, type_.scale)] if 0 <= type_.scale <= 38 else []


def _whole_decimal(type_: pa.DataType) -> list[pa.DataType]:
    digits = type_.precision - type_.scale
    return [pa.decimal128(digits, 0)] if digits <= 38 else []


def _sparse_union(type_: pa.DataType) -> list[pa.DataType]:
    return [pa.sparse_union([type_.field(number) for number in range(type_.num_fields)])]


def _is_untidy_union(type_: pa.DataType) -> bool:
    return bool(pa.types.is_union(type_)) and (
        type_.mode == "dense" or type_.type_codes != list(range(type_.num_fields))
    )


def _is_empty_list(type_: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(type_)) and type_.list_size == 0


def _is_list_of_dictionaries(type_: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(type_)) and any(map(pa.types.is_dictionary, nested(type_)))


def _list_of_values(type_: pa.DataType) -> list[pa.DataType]:
    def values(part: pa.DataType) -> pa.DataType:
        return part.value_type if pa.types.is_dictionary(part) else part

    return [rebuilt(type_, values)]


def _is_empty_binary(type_: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_binary(type_)) and type_.byte_width == 0


def _has_negative_scale(type_: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(type_)) and type_.scale < 0


def _is_fixed_zone(type_: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type_)) and (type_.tz or "")[:1] in ("+", "-")


def _is_zoned(*units: str) -> Applies:
    return lambda type_: bool(pa.types.is_timestamp(type_)) and bool(type_.tz) and type_.unit in units


def _is_dictionary_of(*names: str) -> Applies:
    of = _is(*names)
    return lambda type_: bool(pa.types.is_dictionary(type_)) and of(type_.value_type)


def _is_named(name: str) -> Applies:
    return lambda type_: isinstance(type_, pa.BaseExtensionType) and type_.extension_name == name


def _is_tensor(type_: pa.DataType) -> bool:
    return isinstance(type_, pa.FixedShapeTensorType) and type_.permutation in (None, list(range(len(type_.shape))))


def _matrix(type_: pa.DataType) -> list[pa.DataType]:
    made = type_.value_type
    for length in reversed(type_.shape):
        made = pa.list_(made, length)
    return [made]


VIEWS = Rule(
    "string_view, binary_view",
    is_view,
    _wide,
    "large_string, large_binary",
    "it has no kernels for views: no filter, take, sort, join or csv",
    probed=True,
)
VIEWS_TO_OBJECTS = Rule(
    "string_view, binary_view", is_view, _wide, "large_string, large_binary", "nothing makes objects of nested views"
)
RUNS = Rule("run-end encoded", _is("run_end_encoded"), _values, "the values", "it has no kernels for runs", probed=True)
RUNS_ALWAYS = Rule("run-end encoded", _is("run_end_encoded"), _values, "the values", "it has no runs")
LIST_VIEWS = Rule("list_view, large_list_view", is_list_view, _lists, "list, large_list", "its lists lie side by side")
BOOL8 = Rule("arrow.bool8", _is_named("arrow.bool8"), lambda _: [pa.bool_()], "bool", "its booleans are of one bit")
NEGATIVE_SCALE = Rule(
    "decimals of a negative scale", _has_negative_scale, _whole_decimal, "decimal128 of scale 0", "it has no such scale"
)
DATE64 = Rule(
    "date64",
    _is("date64"),
    lambda _: [pa.date32(), pa.timestamp("ms")],
    "date32, or else timestamp[ms]",
    "its dates are whole days",
)
ODD_DICTIONARIES = Rule(
    "dictionary of lists, structs or maps",
    _is_dictionary_of("nested"),
    _values,
    "the values",
    "a category is plain",
)
TENSORS = Rule("arrow.fixed_shape_tensor", _is_tensor, _matrix, "fixed_size_list, nested", "it has no tensors")
DECIMAL256 = Rule(
    "decimal256",
    _is("decimal256"),
    _narrow_decimal,
    "decimal128(38, scale), if all values fit",
    "its decimals have up to 38 digits",
)
EMPTY_LISTS = Rule("fixed_size_list[0]", _is_empty_list, _lists, "list", "its lists have at least an item")
TIMES = Rule(
    "time64[ns]",
    _unit(_is("time64"), "ns"),
    lambda _: [pa.time64("us")],
    "time64[us], if no value is finer",
    "its times count microseconds",
)

# fmt: off
RULES: dict[str, tuple[Rule, ...]] = {
    "pyarrow": (VIEWS, RUNS),
    "pandas": (VIEWS_TO_OBJECTS, RUNS_ALWAYS, LIST_VIEWS, BOOL8, DATE64, ODD_DICTIONARIES),
    "numpy": (
        VIEWS_TO_OBJECTS, RUNS_ALWAYS, LIST_VIEWS, BOOL8, DATE64, TIMES,
        Rule("dictionary", _is("dictionary"), _values, "the values", "it has no categories"),
    ),
    "polars": (
        RUNS_ALWAYS, LIST_VIEWS, BOOL8, TENSORS, NEGATIVE_SCALE, DECIMAL256, EMPTY_LISTS,
        Rule("fixed_size_binary[0]", _is_empty_binary, lambda _: [pa.binary()], "binary", "it has none without a byte"),
        Rule(
            "timestamps with an offset as their zone", _is_fixed_zone, lambda type_: [pa.timestamp(type_.unit, "UTC")],
            "the same instants in UTC", "its zones have names",
        ),
        Rule("unions", _is("union"), None, "refused", "it has no unions"),
        Rule("month_day_nano_interval", _is("interval"), None, "refused", "it has no calendar intervals"),
    ),
    "duckdb": (
        RUNS_ALWAYS, TENSORS, NEGATIVE_SCALE, DATE64, ODD_DICTIONARIES, DECIMAL256, EMPTY_LISTS,
        replace(TIMES, probed=True),
        Rule(
            "fixed_size_list with dictionaries in it", _is_list_of_dictionaries, _list_of_values,
            "fixed_size_list of the values", "it reads the positions as the values",
        ),
        Rule("float16", _is("float16"), lambda _: [pa.float32()], "float", "it has no half floats", probed=True),
        Rule(
            "struct without a field", lambda type_: bool(pa.types.is_struct(type_)) and not type_.num_fields, None,
            "refused", "it has no structs without a field", probed=True,
        ),
        Rule(
            "unions, dense or with codes of their own", _is_untidy_union, _sparse_union, "sparse_union",
            "it numbers the members",
        ),
        Rule(
            "durations, unless in microseconds", _unit(_is("duration"), "s", "ms", "ns"), lambda _: [pa.duration("us")],
            "duration[us], if no value is finer or too long", "its INTERVAL counts microseconds",
        ),
        Rule(
            "timestamps with a zone, unless in microseconds", _is_zoned("s", "ms", "ns"),
            lambda type_: [pa.timestamp("us", type_.tz)], "timestamp[us, zone], if no value is finer or too far",
            "its TIMESTAMPTZ counts microseconds",
        ),
    ),
}
# fmt: on
