"""Types of other libraries (the columnar specification's "Extension Types"), read without running code of theirs.

When a library registers a type with pyarrow, its code runs wherever pyarrow meets a field of that name, and it may
raise anything. So a list reads fields under another key (:func:`stored`), and :func:`resolved` looks the types up
on request.
"""

from __future__ import annotations

import struct

import pyarrow as pa

# The keys, and each as a whole string of the FlatBuffers encoding: its length, itself, and a zero.
_KEY, _HIDDEN_KEY = b"ARROW:extension:name", b"arrow:extension:name"
_STRING, _HIDDEN_STRING = (struct.pack("<I", len(key)) + key + b"\0" for key in (_KEY, _HIDDEN_KEY))


def hide(metadata: bytes) -> bytes:
    """A footer or schema in which pyarrow finds only the stored types."""
    return metadata.replace(_STRING, _HIDDEN_STRING)


def stored(schema: pa.Schema) -> pa.Schema:
    """The schema with the types that are stored; the names of others' are hidden in it."""
    serialized = schema.serialize().to_pybytes()
    return pa.ipc.read_schema(pa.py_buffer(hide(serialized))) if _STRING in serialized else schema


def resolved(schema: pa.Schema) -> pa.Schema:
    """The schema that :func:`stored` was made of, with the types that are registered here.

    Where the code of one refuses, the schema is that of a process in which none is registered.
    """
    serialized = schema.serialize().to_pybytes()
    if _HIDDEN_STRING not in serialized:
        return schema
    try:
        return pa.ipc.read_schema(pa.py_buffer(serialized.replace(_HIDDEN_STRING, _STRING)))
    except Exception:
        return pa.schema([field.with_metadata(_shown(field.metadata)) for field in schema], _shown(schema.metadata))


def name_of(field: pa.Field) -> str:
    """The name of a field's type if another library defines it; else empty."""
    name: bytes = (field.metadata or {}).get(_HIDDEN_KEY, b"")
    return name.decode(errors="replace")


def _shown(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    return metadata and {_KEY if key == _HIDDEN_KEY else key: value for key, value in metadata.items()}
