"""What a type is made of."""

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
    """What an extension type is stored as; any other type is itself."""
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_


def is_view(type_: pa.DataType) -> bool:
    """Texts or bytes that may lie in buffers which other rows use, too."""
    return bool(pa.types.is_string_view(type_) or pa.types.is_binary_view(type_))


def is_list_view(type_: pa.DataType) -> bool:
    """Lists whose items may be those of other rows, too."""
    return bool(pa.types.is_list_view(type_) or pa.types.is_large_list_view(type_))
