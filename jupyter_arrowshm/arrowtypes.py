"""The parts of an Arrow type, and a check that arrays are valid."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa


def nested(type_: pa.DataType) -> Iterator[pa.DataType]:
    """The type and all types that it is made of."""
    type_ = storage(type_)
    yield type_
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        yield from nested(type_.value_type)
    else:
        for index in range(type_.num_fields):
            yield from nested(type_.field(index).type)


def storage(type_: pa.DataType) -> pa.DataType:
    """The type that an extension type is stored as; any other type is itself."""
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_


def plain(type_: pa.DataType) -> pa.DataType:
    """The type of the values themselves, without what says how they are stored."""
    while True:
        if isinstance(type_, pa.BaseExtensionType):
            type_ = type_.storage_type
        elif pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
            type_ = type_.value_type
        else:
            return type_


def is_text(type_: pa.DataType) -> bool:
    """Whether the values are text, however it is stored."""
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def is_binary(type_: pa.DataType) -> bool:
    """Whether the values are bytes, of any length or of one."""
    return bool(
        pa.types.is_binary(type_)
        or pa.types.is_large_binary(type_)
        or pa.types.is_binary_view(type_)
        or pa.types.is_fixed_size_binary(type_)
    )


def has_arrays(type_: pa.DataType) -> bool:
    """Whether pyarrow has arrays of the type. It has none for two older intervals: any use is a ``KeyError``."""
    return not any(str(each) in ("month_interval", "day_time_interval") for each in nested(type_))


def is_view(type_: pa.DataType) -> bool:
    """Whether the values are text or bytes that each say where they lie."""
    return bool(pa.types.is_string_view(type_) or pa.types.is_binary_view(type_))


def is_list_view(type_: pa.DataType) -> bool:
    """Whether the values are lists that may share items with other rows."""
    return bool(pa.types.is_list_view(type_) or pa.types.is_large_list_view(type_))


def check_views(array: pa.Array | pa.ChunkedArray) -> None:
    """Check the views of null rows, too: validation leaves them out, and a cast or ``to_pandas`` crashes over them.

    Raises ``pyarrow.ArrowInvalid``.
    """
    if not _has_view(array.type):
        return
    if isinstance(array, pa.ChunkedArray):
        parts = array.chunks
    elif isinstance(array, pa.ExtensionArray):
        parts = [array.storage]
    elif isinstance(array, pa.DictionaryArray):
        parts = [array.dictionary]
    elif isinstance(array, (pa.StructArray, pa.UnionArray)):
        # pyarrow has no arrays of some types: make only those parts that have to be checked.
        indices = range(array.type.num_fields)
        parts = [array.field(index) for index in indices if _has_view(array.type.field(index).type)]
    elif not is_view(array.type):  # lists, maps, runs
        parts = [array.values]
    else:
        # As binary: the bytes there need not be UTF-8.
        views = [None, *array.buffers()[1:]]
        if len(views) > 2 or not _are_short(views[1], array.offset, len(array)):
            pa.Array.from_buffers(pa.binary_view(), len(array), views, offset=array.offset).validate(full=True)
        return
    for part in parts:
        check_views(part)


def _are_short(views: pa.Buffer | None, offset: int, rows: int) -> bool:
    """Whether all of them hold their bytes themselves. This takes a quarter of the time of a validation."""
    if not rows or views is None or views.size < 16 * (offset + rows):
        return False
    import numpy as np

    lengths = np.frombuffer(views, np.uint32)[4 * offset : 4 * (offset + rows) : 4]
    return bool(lengths.max() <= 12)


def _has_view(type_: pa.DataType) -> bool:
    return any(map(is_view, nested(type_)))
