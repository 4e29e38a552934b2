"""Periods and intervals of pandas, and geometry: known by their names, with or without their libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ..arrowtypes import is_binary

_PERIOD, _INTERVAL = "pandas.period", "pandas.interval"
_GEOMETRY = ("geoarrow.wkb", "ogc.wkb")
_NAME_KEY, _PARAMETERS_KEY = b"ARROW:extension:name", b"ARROW:extension:metadata"


class PeriodType(pa.ExtensionType):  # type: ignore[misc]
    """Whole numbers that count months, weeks, hours; need not be registered."""

    def __init__(self, frequency: str) -> None:
        self.frequency = frequency
        super().__init__(pa.int64(), _PERIOD)

    def __arrow_ext_serialize__(self) -> bytes:
        return json.dumps({"freq": self.frequency}).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> PeriodType:
        return cls(str(json.loads(serialized)["freq"]))


class IntervalType(pa.ExtensionType):  # type: ignore[misc]
    """Structs of ``left`` and ``right``, with an end that belongs to it or not; need not be registered."""

    def __init__(self, storage: pa.DataType, closed: str) -> None:
        self.closed = closed
        super().__init__(storage, _INTERVAL)

    def __arrow_ext_serialize__(self) -> bytes:
        return json.dumps({"closed": self.closed}).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> IntervalType:
        return cls(storage_type, str(json.loads(serialized)["closed"]))


class GeometryType(pa.ExtensionType):  # type: ignore[misc]
    """Shapes in well-known binary; need not be registered."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, _GEOMETRY[0])

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> GeometryType:
        return cls(storage_type)


def recognised(schema: pa.Schema) -> pa.Schema:
    """The schema with these types, where a column says that it has them, also as categories."""
    return pa.schema([field.with_type(_recognised(field)) for field in schema], schema.metadata)


def innermost(type_: pa.DataType) -> pa.DataType:
    """The type of the values, extensions of it included, without what says how they are stored."""
    while pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        type_ = type_.value_type
    return type_


def _recognised(field: pa.Field) -> pa.DataType:
    type_ = innermost(field.type)
    storage, found = type_, field.metadata or {}
    name, parameters = found.get(_NAME_KEY, b"").decode(errors="replace"), found.get(_PARAMETERS_KEY, b"")
    if isinstance(type_, pa.ExtensionType):
        storage, name, parameters = type_.storage_type, type_.extension_name, type_.__arrow_ext_serialize__()
    said = _read(parameters) if name in (_PERIOD, _INTERVAL) else {}
    if name == _PERIOD and storage == pa.int64() and isinstance(said.get("freq"), str):
        return _in_place(field.type, PeriodType(said["freq"]))
    is_pair = pa.types.is_struct(storage) and storage.num_fields == 2
    if name == _INTERVAL and is_pair and said.get("closed") in ("left", "right", "both", "neither"):
        return _in_place(field.type, IntervalType(storage, said["closed"]))
    if name in _GEOMETRY and is_binary(storage):
        return _in_place(field.type, GeometryType(storage))
    return field.type


def _read(parameters: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(parameters)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_place(type_: pa.DataType, values: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return pa.dictionary(type_.index_type, _in_place(type_.value_type, values), type_.ordered)
    if pa.types.is_run_end_encoded(type_):
        return pa.run_end_encoded(type_.run_end_type, _in_place(type_.value_type, values))
    return values
