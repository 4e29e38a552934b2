"""A column in a preview: its kind, its type in words, and its values as Arrow can compare them."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import check_views, is_binary, is_text, is_view, plain
from . import layout
from .damage import reading
from .extensions import GeometryType, IntervalType, PeriodType, innermost

TYPE_LENGTH = 100  # characters of a type; a struct may have thousands of fields


def kind(type_: pa.DataType) -> str:
    """``number``, ``text``, ``bool``, ``time``, ``binary``, ``nested``, ``null`` or ``other``."""
    if isinstance(innermost(type_), PeriodType):
        return "time"
    if isinstance(innermost(type_), GeometryType):
        return "other"
    if is_bool8(type_):
        return "bool"
    type_ = plain(type_)
    if layout.is_interval(type_):
        return "other"
    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if is_text(type_):
        return "text"
    if is_binary(type_):
        return "binary"
    if pa.types.is_temporal(type_) and not pa.types.is_interval(type_):
        return "time"
    if pa.types.is_null(type_):
        return "null"
    return "nested" if pa.types.is_nested(type_) else "other"


def written(type_: pa.DataType) -> str:
    """The type as pyarrow writes it; for another library's type, its name: as the list of tables has it."""
    return f"extension<{type_.extension_name}>" if isinstance(type_, pa.BaseExtensionType) else str(type_)


def type_name(type_: pa.DataType) -> str:
    """The type in words, of bounded length."""
    if pa.types.is_dictionary(type_):
        text = f"dictionary of {type_name(type_.value_type)}"
    elif pa.types.is_run_end_encoded(type_):
        text = f"run-end encoded {type_name(type_.value_type)}"
    elif isinstance(type_, PeriodType):
        text = f"period[{type_.frequency}]"
    elif isinstance(type_, IntervalType):
        text = f"interval of {type_name(type_.storage_type.field(0).type)}"
    elif isinstance(type_, GeometryType):
        text = "geometry"
    elif isinstance(type_, pa.FixedShapeTensorType):
        text = f"tensor of {type_name(type_.value_type)}, {shape_name(type_)}"
    elif isinstance(type_, pa.BaseExtensionType):
        text = type_.extension_name.rpartition(".")[2]
    else:
        text = {"halffloat": "float16", "float": "float32", "double": "float64"}.get(str(type_), str(type_))
    return text if len(text) <= TYPE_LENGTH else text[: TYPE_LENGTH - 1] + "…"


def shape_name(type_: pa.FixedShapeTensorType) -> str:
    """The shape of a tensor as its readers index it: ``3 x 4``."""
    return " x ".join(str(type_.shape[number]) for number in type_.permutation or range(len(type_.shape)))


def is_bool8(type_: pa.DataType) -> bool:
    """Whether the values are booleans of a byte, of which any but 0 is true."""
    return isinstance(innermost(type_), pa.Bool8Type)


def is_comparable(type_: pa.DataType) -> bool:
    """Whether values of this type have an order, so that :func:`comparable` takes them."""
    if kind(type_) == "other":
        return False
    type_ = plain(type_)
    if pa.types.is_decimal(type_):
        return bool(type_.scale >= 0)  # Arrow compares no others
    return kind(type_) not in ("nested", "other")


def comparable_type(type_: pa.DataType) -> pa.DataType:
    """The type that :func:`comparable` gives for values of this type."""
    type_ = plain(type_)
    if pa.types.is_temporal(type_):
        return pa.int32() if type_.bit_width == 32 else pa.int64()
    if pa.types.is_decimal(type_):
        # With all digits that the bytes have room for: a table may have more of them than its type says.
        return pa.decimal256(76, type_.scale) if type_.bit_width == 256 else pa.decimal128(38, type_.scale)
    if pa.types.is_fixed_size_binary(type_):
        return pa.binary()
    changed = {
        pa.bool_(): pa.uint8(),
        pa.float16(): pa.float32(),
        pa.string_view(): pa.large_string(),
        pa.binary_view(): pa.large_binary(),
        pa.null(): pa.int8(),
    }
    return changed.get(type_, type_)


def comparable(array: pa.Array) -> pa.Array:
    """The values in a type that every kernel for comparing, sorting and counting knows; times as whole numbers."""
    array = decoded(array)
    wanted = comparable_type(array.type)
    if array.type == wanted:
        return array
    if pa.types.is_temporal(array.type) or (pa.types.is_decimal(array.type) and array.type.bit_width >= 128):
        return array.view(wanted)
    return without_views(array) if is_view(array.type) else array.cast(wanted)


def without_views(array: pa.Array) -> pa.Array:
    """Views as large text or binary: Arrow cannot take, count or decode views by number. The text need not be UTF-8."""
    if not is_view(array.type):
        return array
    copied = layout.with_type(array, pa.binary_view()).cast(pa.large_binary())
    return copied.view(comparable_type(array.type))


def each(array: pa.Array, ask: Callable[[pa.Array], pa.BooleanArray], missing: bool = False) -> pa.BooleanArray:
    """The answer of ``ask`` for each value, as :func:`comparable` has it, and ``missing`` for nulls.

    In a dictionary each value is asked about once, and no row is decoded.
    """
    if pa.types.is_dictionary(array.type) and len(array.dictionary) <= len(array):
        found = ask(comparable(array.dictionary)).take(array.indices)
    else:
        found = ask(comparable(array))
    return pc.fill_null(found, missing) if found.null_count else found


def shown(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """The values that :func:`comparable` made from ``type_``, in a type that displays as they do."""
    if is_bool8(type_):
        return array.cast(pa.bool_())
    type_ = plain(type_)
    if pa.types.is_temporal(type_):
        return array.view(type_)
    return array.cast(type_) if pa.types.is_boolean(type_) else array


def storage_of(array: pa.Array) -> pa.Array:
    """The array without its extension, if it has one."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def decoded(array: pa.Array) -> pa.Array:
    """The values themselves: no dictionary, runs or extension. Views among those are large text or binary."""
    if isinstance(array.type, pa.Bool8Type):
        return pc.not_equal(array.storage, pa.scalar(0, pa.int8())).cast(pa.int8())
    array = storage_of(array)
    if pa.types.is_dictionary(array.type):
        return _at(array.dictionary, array.indices)
    if pa.types.is_run_end_encoded(array.type):
        return _at(*_runs(array))
    return array


def missing(array: pa.Array) -> pa.BooleanArray:
    """Which values are null, also by an index or a run that leads to one; no value is copied for that."""
    array = storage_of(array)
    if pa.types.is_dictionary(array.type):
        return pc.fill_null(missing(array.dictionary).take(array.indices), True)
    if pa.types.is_run_end_encoded(array.type):
        values, places = _runs(array)
        return missing(values).take(places)
    return pc.is_null(array)


def _at(values: pa.Array, places: pa.Array) -> pa.Array:
    values = without_views(decoded(values))
    try:
        return values.take(places)
    except pa.ArrowInvalid as error:  # the numbers were checked: it is text of more than 2 GB altogether
        raise MemoryError(str(error)) from None


def _runs(array: pa.RunEndEncodedArray) -> tuple[pa.Array, pa.Array]:
    """The runs' values, and for each row the number of its run."""
    # Arrow cannot decode runs of dictionaries, say. A slice's physical range begins where its offset lies.
    first = array.find_physical_offset()
    values = array.values.slice(first, array.find_physical_length())
    ends = array.run_ends.slice(first, len(values))
    indices = pa.array(range(len(values)), ends.type)
    runs = pa.RunEndEncodedArray.from_arrays(
        pc.min_element_wise(pc.subtract(ends, pa.scalar(array.offset, ends.type)), pa.scalar(len(array), ends.type)),
        indices,
    )
    return values, pc.run_end_decode(runs)


def as_binary(array: pa.Array) -> pa.Array:
    """Text as the bytes that it is, whether they are UTF-8 or not."""
    if pa.types.is_string(array.type):
        return array.view(pa.binary())
    return array.view(pa.large_binary()) if pa.types.is_large_string(array.type) else array


def num_bytes(array: pa.Array) -> int:
    """The bytes of all cells of a text or binary array, as many as a copy of them would have."""
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        # The first four of a view's 16 bytes are the length (columnar format); Arrow's kernel does not know views.
        words = pa.Array.from_buffers(pa.int32(), 4 * len(array), [None, array.buffers()[1]], offset=4 * array.offset)
        lengths = pc.list_element(pa.FixedSizeListArray.from_arrays(words, 4), 0)
    else:
        lengths = pc.binary_length(array)
    return pc.sum(lengths).as_py() or 0


def check(array: pa.Array) -> None:
    """Check every length, offset and index, in full. Values that are not of their type do no harm.

    Raises :class:`Damage`.
    """
    with reading:
        array = layout.as_bytes(array)
        array.validate(full=True)
        if not layout.is_number(array.type):  # one look at the type of each of a thousand chunks is enough
            check_views(array)
