"""How many bytes of an array its rows refer to, and arrays that hold no others.

pyarrow's own ``nbytes`` is not enough: for views and dictionaries it counts
whole buffers once a chunk, for others it raises an error, and for an empty union
from a file, whose type ids are a null pointer, it crashes the process.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..arrowtypes import is_list_view, is_view, nested
from .recast import rebuilt, recast

_VIEW_BYTES = 16  # one view: its length, and the text itself up to 12 bytes, else where it is
_INLINE_BYTES = 12
_WORTH = 0.95  # an array whose rows refer to less than this share of what would be written is made smaller
_HEADER = 4096  # bytes of a message that are not its rows


Known = dict[int, set[int]]
"""For each column of a table, the addresses of the dictionaries that were weighed."""


def weigh_table(table: pa.Table) -> int:
    """Bytes that the table takes in an Arrow file, without the headers of its messages. No data is copied."""
    known: Known = {}
    return sum(weigh_batch(batch, known) for batch in table.to_batches())


def weigh_batch(batch: pa.RecordBatch, known: Known) -> int:
    """As :func:`weigh_table`. Dictionaries that are in ``known`` weigh nothing; the others are added to it."""
    return sum(_weigh_column(batch, number, known.setdefault(number, set())) for number in range(batch.num_columns))


def _weigh_column(batch: pa.RecordBatch, number: int, known: set[int]) -> int:
    try:
        column = batch.column(number)
    except KeyError:  # pyarrow has no arrays of the two older intervals, of 8 bytes at most
        return 8 * int(batch.num_rows)
    return _weigh(column, known)


def _weigh(array: pa.Array, known: set[int]) -> int:
    rows, type_ = len(array), array.type
    if not rows and not any(map(pa.types.is_dictionary, nested(type_))):
        return 0  # before any buffer is looked at: see above
    if isinstance(array, pa.ExtensionArray):
        return _weigh(array.storage, known)
    if isinstance(array, pa.RunEndEncodedArray):
        start, length = array.find_physical_offset(), array.find_physical_length()
        ends = array.run_ends.slice(start, length)
        return _weigh(ends, known) + _weigh(array.values.slice(start, length), known)
    if isinstance(array, pa.UnionArray):
        rows_of = _dense_rows if _is_dense(type_) else pa.UnionArray.field
        children = (rows_of(array, number) for number in range(type_.num_fields))
        return rows * (5 if _is_dense(type_) else 1) + sum(_weigh(child, known) for child in children)
    size = (rows + 7) // 8 if array.null_count and not pa.types.is_null(type_) else 0
    if isinstance(array, pa.DictionaryArray):
        dictionary = array.dictionary
        key = _address(dictionary)
        if key not in known:
            known.add(key)
            size += _weigh(dictionary, known)
        return int(size + rows * type_.index_type.bit_width // 8)
    if is_view(type_):
        referenced, held = _views(array)
        return size + rows * _VIEW_BYTES + min(referenced, held)
    if pa.types.is_struct(type_):
        return size + sum(_weigh(array.field(number), known) for number in range(type_.num_fields))
    if type_.num_fields:
        return size + _weigh_lists(array, known)
    if pa.types.is_null(type_):
        return size
    width = _offset_bytes(type_)
    if not width:
        return int(size + (rows * type_.bit_width + 7) // 8)
    first, last = _bounds(array, width)
    return size + (rows + 1) * width + last - first


def _weigh_lists(array: pa.Array, known: set[int]) -> int:
    rows, type_ = len(array), array.type
    if pa.types.is_fixed_size_list(type_):
        return _weigh(array.values.slice(array.offset * type_.list_size, rows * type_.list_size), known)
    if is_list_view(type_):
        import pyarrow.compute as pc

        items = int(pc.sum(array.sizes).as_py() or 0)
        whole = _weigh(array.values, known)
        width = 4 if pa.types.is_list_view(type_) else 8
        return 2 * width * rows + min(whole, whole * items // max(1, len(array.values)))
    width = 8 if pa.types.is_large_list(type_) else 4
    first, last = _bounds(array, width)
    inside = [array.keys, array.items] if pa.types.is_map(type_) else [array.values]
    return (rows + 1) * width + sum(_weigh(child.slice(first, last - first), known) for child in inside)


def _dense_rows(array: Any, number: int) -> pa.Array:
    """The values of one child of a dense union that these rows refer to, if no two refer to one."""
    import pyarrow.compute as pc

    here = pc.sum(pc.equal(array.type_codes, pa.scalar(array.type.type_codes[number], pa.int8()))).as_py()
    return array.field(number).slice(0, here)


def _offset_bytes(type_: pa.DataType) -> int:
    types = pa.types
    if types.is_string(type_) or types.is_binary(type_):
        return 4
    return 8 if types.is_large_string(type_) or types.is_large_binary(type_) else 0


def _bounds(array: pa.Array, width: int) -> tuple[int, int]:
    """The first and the last of the offsets of these rows."""
    offsets = array.buffers()[1]
    if offsets is None or not offsets.size:
        return 0, 0
    view = memoryview(offsets).cast("q" if width == 8 else "i")
    return view[array.offset], view[array.offset + len(array)]


def _address(array: pa.Array) -> int:
    return next((buffer.address for buffer in _storage(array).buffers() if buffer is not None and buffer.size), 0)


def _storage(array: pa.Array) -> pa.Array:
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _views(array: pa.Array) -> tuple[int, int]:
    """Bytes that the views of these rows refer to, and bytes in all buffers that they could."""
    import numpy as np

    _, views, *others = array.buffers()
    held = sum(buffer.size for buffer in others if buffer is not None)
    if not held or views is None:
        return 0, held
    lengths = np.frombuffer(views, np.int32)[:: _VIEW_BYTES // 4][array.offset : array.offset + len(array)]
    return int(lengths[lengths > _INLINE_BYTES].sum(dtype=np.int64)), held


# -- smaller ones ------------------------------------------------------------------------------------------------------


def can_hold_more(schema: pa.Schema) -> bool:
    """Whether a slice of such a table would be written with bytes that its rows do not refer to."""
    return any(_can_hold_more(field.type) for field in schema)


def compact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without bytes that its rows do not refer to; columns that have next to none stay as they are."""
    for number, field in enumerate(batch.schema):
        if _can_hold_more(field.type) and (column := _compact(batch.column(number))) is not None:
            batch = batch.set_column(number, field, column)
    return batch


def _can_hold_more(type_: pa.DataType) -> bool:
    return any(is_view(each) or is_list_view(each) or _is_dense(each) for each in nested(type_))


def _is_dense(type_: pa.DataType) -> bool:
    return bool(pa.types.is_union(type_)) and type_.mode == "dense"


def _compact(array: pa.Array) -> pa.Array | None:
    written = pa.ipc.get_record_batch_size(pa.record_batch([array], names=[""]))
    # Several slices of a dense union put together have all its values several times.
    if not any(map(_is_dense, nested(array.type))) and _weigh(array, set()) >= _WORTH * written - _HEADER:
        return None
    # Put together, the parts of lists are those of these rows alone; then there and back, through types that own them.
    whole = pa.concat_arrays([_storage(array), _storage(array).slice(0, 0)])
    owned = recast(recast(whole, rebuilt(whole.type, _owner)), whole.type)
    return pa.ExtensionArray.from_storage(array.type, owned) if isinstance(array, pa.ExtensionArray) else owned


def _owner(type_: pa.DataType) -> pa.DataType:
    """The type of the same values whose rows lie side by side."""
    if is_view(type_):
        return pa.large_string() if pa.types.is_string_view(type_) else pa.large_binary()
    if is_list_view(type_):
        return pa.large_list(type_.value_field)
    if _is_dense(type_):
        return pa.union([type_.field(number) for number in range(type_.num_fields)], "sparse", type_.type_codes)
    return type_
