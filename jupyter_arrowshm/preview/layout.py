"""Arrays as simpler types of the same bytes.

Arrow's C data interface describes a type by a short text for each of its
parts; another text for the same bytes is another type, and nothing is copied
(the columnar specification, "The Arrow C data interface").
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator

import pyarrow as pa

from ..arrowtypes import nested

# pyarrow has types of these two, and no arrays: a KeyError is all that it gives. Months, and days with milliseconds.
_NO_ARRAYS = {b"tiM": b"i", b"tiD": b"w:8"}
# Values that Arrow refuses though no offset is wrong: text that is not UTF-8, days in parts, clocks of 25 hours.
_BYTES = {
    **_NO_ARRAYS,
    b"u": b"z",
    b"U": b"Z",
    b"vu": b"vz",
    b"tdm": b"l",
    b"tts": b"i",
    b"ttm": b"i",
    b"ttu": b"l",
    b"ttn": b"l",
    b"tin": b"w:16",
}
_DECIMALS = {32: b"w:4", 64: b"w:8", 128: b"w:16", 256: b"w:32"}  # with more digits than their precision, say
# Types in which as_bytes() has nothing to change.
_NUMBERS = frozenset(
    pa.type_for_alias(name).id for name in ["bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
)
_INTERVALS = (pa.lib.Type_INTERVAL_MONTHS, pa.lib.Type_INTERVAL_DAY_TIME)


class _Schema(ctypes.Structure):
    """``struct ArrowSchema``. Its parts by their addresses: Python follows no chain of fifty pointers."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )

    def parts(self) -> Iterator[_Schema]:
        """The type's parts, itself first."""
        addresses = [ctypes.addressof(self)]
        while addresses:
            part = _Schema.from_address(addresses.pop())
            yield part
            children = (ctypes.c_void_p * part.n_children).from_address(part.children) if part.n_children else ()
            addresses += [*children, *([part.dictionary] if part.dictionary else [])]


def as_bytes(array: pa.Array) -> pa.Array:
    """The array for a check of its lengths, offsets and indices, but not of its values."""
    type_ = array.type
    if is_number(type_):
        return array
    bytes_ = _bytes_of(type_)
    return array if bytes_ == type_ else _restated(array, bytes_)


def with_arrays(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with numbers and bytes in place of intervals that pyarrow has no arrays for."""
    schema = schema_with_arrays(batch.schema)
    return batch if schema is None else _restated(batch, schema)


def schema_with_arrays(schema: pa.Schema) -> pa.Schema | None:
    """The schema that :func:`with_arrays` gives for batches of this one; ``None``: it is the same."""
    if not any(is_interval(part) for field in schema for part in nested(field.type)):
        return None
    return pa.schema([field.with_type(_with_arrays(field.type)) for field in schema])


def is_number(type_: pa.DataType) -> bool:
    """Whether it is a bool, an integer or a float: any bytes are one, and nothing else has to be checked."""
    return type_.id in _NUMBERS


def is_interval(type_: pa.DataType) -> bool:
    """Whether it is one of the two intervals that pyarrow has no arrays of."""
    return type_.id in _INTERVALS


def with_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """The array as a type of the same layout."""
    return _restated(array, type_)


def _restated(whole: pa.Array | pa.RecordBatch, what: pa.DataType | pa.Schema) -> pa.Array | pa.RecordBatch:
    # Arrow counts the nulls on the way, and reads past the end of a bitmap that is too short.
    whole.validate()
    _, data = whole.__arrow_c_array__()
    kind = pa.RecordBatch if isinstance(whole, pa.RecordBatch) else pa.Array
    return kind._import_from_c_capsule(what.__arrow_c_schema__(), data)


def without_extensions(type_: pa.DataType) -> pa.DataType:
    """The type with its storage in place of each extension, at any depth."""
    return _described(type_, {}, {})


def _with_arrays(type_: pa.DataType) -> pa.DataType:
    return _described(type_, _NO_ARRAYS, {})


def _bytes_of(type_: pa.DataType) -> pa.DataType:
    try:
        return _known_bytes_of(type_)
    except TypeError:  # somebody's extension type that has no hash
        return _described(type_, _BYTES, _DECIMALS)


@functools.lru_cache(1000)
def _known_bytes_of(type_: pa.DataType) -> pa.DataType:
    return _described(type_, _BYTES, _DECIMALS)


def _described(type_: pa.DataType, formats: dict[bytes, bytes], decimals: dict[int, bytes]) -> pa.DataType:
    """The type with other texts for its parts, and without its extensions."""
    schema = _Schema()
    type_._export_to_c(ctypes.addressof(schema))
    for part in schema.parts():
        part.metadata = None
        changed = formats.get(part.format)
        if decimals and part.format.startswith(b"d:"):
            _, _, *width = part.format.split(b",")  # precision, scale, and bits where they are not 128
            changed = decimals[int(width[0]) if width else 128]
        if changed is not None:
            part.format = changed  # which lives as long as this module; freeing the schema does not touch it
    return pa.DataType._import_from_c(ctypes.addressof(schema))
