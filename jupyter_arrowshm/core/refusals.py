"""What an Arrow IPC file cannot hold, and code that makes something of it that one can: ``t`` is the table."""

from __future__ import annotations

import pyarrow as pa

from ..arrowtypes import nested, storage
from ..errors import UnsupportedSource
from .facts import MAX_METADATA

_VALUES = "pa.array(t.column({0}).to_pylist())"  # of whatever it is made of, plain ones


def check(schema: pa.Schema) -> None:
    """Refuse what pyarrow would write without complaint, and nothing could read."""
    if _is_too_long(schema):
        if not _is_too_long(schema.remove_metadata()):
            fix = "Drop its metadata: `t = t.replace_schema_metadata()`"
        elif not _is_too_long(bare := pa.schema([(field.name, field.type) for field in schema])):
            fix = "Drop its columns' metadata: `t = t.cast(pa.schema([(f.name, f.type) for f in t.schema]))`"
        else:
            fix = f"Share some of its columns: `t = t.select(range({len(bare) // 4}))`"
        reason = f"its schema takes more than {MAX_METADATA >> 21} MB, which no list of tables would read"
        raise UnsupportedSource("table", reason, fix)
    for number, field in enumerate(schema):
        if _has_dictionary_of_dictionary(field.type):
            plain = "t.column({0}).combine_chunks().dictionary_decode()"
            fix = _put(number, field, plain if pa.types.is_dictionary(field.type) else _VALUES)
            raise UnsupportedSource("table", "an Arrow file cannot hold a dictionary of a dictionary", fix, field.name)
    if _refusal(schema) is not None:
        for number, field in enumerate(schema):
            if why := _refusal(pa.schema([field])):
                fix = _put(number, field, _VALUES)
                if not _refusal(pa.schema([field.remove_metadata()])):
                    bare_field = f"t.schema.field({number}).remove_metadata()"
                    fix = f"Drop what names its type: `t = t.set_column({number}, {bare_field}, t.column({number}))`"
                raise UnsupportedSource("table", f"its type cannot be read back ({why})", fix, field.name)
        fix = "Drop its metadata: `t = t.replace_schema_metadata()`"
        raise UnsupportedSource("table", f"its schema cannot be read back ({_refusal(schema)})", fix)


def dictionaries_that_differ(schema: pa.Schema, number: int) -> UnsupportedSource:
    """The error of a column whose dictionaries pyarrow can neither put into one nor write one after the other."""
    field = schema.field(number)
    decoded = "pa.chunked_array([c.dictionary_decode() for c in t.column({0}).chunks])"
    fix = _put(number, field, decoded if pa.types.is_dictionary(field.type) else _VALUES)
    reason = "its dictionaries differ from batch to batch, which an Arrow file cannot hold"
    return UnsupportedSource("table", reason, fix, field.name)


def _put(number: int, field: pa.Field, code: str) -> str:
    return f"Take its plain values: `t = t.set_column({number}, {field.name!r}, {code.format(number)})`"


def _is_too_long(schema: pa.Schema) -> bool:
    return bool(schema.serialize().size > MAX_METADATA // 2)


def _refusal(schema: pa.Schema) -> str | None:
    """Why ``attach`` would refuse it: a field's metadata may contradict its values."""
    try:
        pa.ipc.read_schema(schema.serialize())
    except Exception as error:  # also of another library's code, which reads the types that it has registered
        return str(error).partition("\n")[0] or type(error).__name__
    return None


def _has_dictionary_of_dictionary(type_: pa.DataType) -> bool:
    dictionaries = filter(pa.types.is_dictionary, nested(type_))
    return any(pa.types.is_dictionary(storage(dictionary.value_type)) for dictionary in dictionaries)
