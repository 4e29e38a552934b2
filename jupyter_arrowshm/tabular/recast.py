"""An array as another type of the same shape: views as texts, runs spelled out, unions of another mode.

``pyarrow``'s own cast does most of it; what it has no kernel for is rebuilt
from its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ..arrowtypes import is_list_view, nested

Leaf = Callable[[pa.DataType], pa.DataType]


def rebuilt(type_: pa.DataType, leaf: Leaf, *, bare: bool = False) -> pa.DataType:
    """The type with ``leaf`` applied to its parts, and then to itself.

    Names and nullability stay; the metadata of the fields inside goes if it is to be ``bare``.
    """
    types = pa.types
    if isinstance(type_, pa.BaseExtensionType):
        return leaf(type_)
    if types.is_dictionary(type_):
        return leaf(pa.dictionary(type_.index_type, rebuilt(type_.value_type, leaf, bare=bare), type_.ordered))
    if types.is_run_end_encoded(type_):
        return leaf(pa.run_end_encoded(type_.run_end_type, rebuilt(type_.value_type, leaf, bare=bare)))
    old = [type_.field(number) for number in range(type_.num_fields)]
    fields = [field.with_type(rebuilt(field.type, leaf, bare=bare)) for field in old]
    if bare:
        fields = [field.remove_metadata() for field in fields]
    elif fields == old:
        return leaf(type_)
    if types.is_struct(type_):
        return leaf(pa.struct(fields))
    if types.is_map(type_):
        return leaf(pa.map_(fields[0].type.field(0), fields[0].type.field(1), type_.keys_sorted))
    if types.is_union(type_):
        return leaf(pa.union(fields, type_.mode, type_.type_codes))
    if types.is_fixed_size_list(type_):
        return leaf(pa.list_(fields[0], type_.list_size))
    return leaf(list_maker(type_)(fields[0]) if fields else type_)


def list_maker(type_: pa.DataType, *, plain: bool = False) -> Callable[[pa.Field], pa.DataType]:
    """The function that makes lists of this sort; ``plain``: lists that lie side by side, of the same width."""
    types = pa.types
    if is_list_view(type_) and not plain:
        return pa.list_view if types.is_list_view(type_) else pa.large_list_view  # type: ignore[no-any-return]
    large = types.is_large_list(type_) or types.is_large_list_view(type_)
    return pa.large_list if large else pa.list_  # type: ignore[no-any-return]


def recast_column(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """As :func:`recast`, chunk by chunk."""
    return column if column.type == type_ else pa.chunked_array([recast(each, type_) for each in column.chunks], type_)


def recast(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """The array as another type that has the same values.

    Raises ``pyarrow.ArrowInvalid`` where a value has no equal there.
    """
    if array.type == type_:
        return array
    if isinstance(array, pa.ExtensionArray):
        return recast(array.storage, type_)
    if isinstance(array, pa.RunEndEncodedArray):
        return _spelled_out(array, type_)
    if isinstance(array, pa.DictionaryArray) and not pa.types.is_dictionary(type_):
        return recast(array.dictionary, type_).take(array.indices)
    if isinstance(array, pa.UnionArray):
        return _union(array, type_)
    if is_list_view(array.type) and not is_list_view(type_):
        return recast(_in_order(array), type_)
    if any(map(is_list_view, nested(array.type))):  # see _in_order
        return _from_parts(array, type_)
    try:
        return array.cast(type_)
    except pa.ArrowNotImplementedError:
        return _from_parts(array, type_)


def _in_order(array: Any) -> pa.Array:
    """A list view as a list. pyarrow's cast mixes up the rows where their items are not in order."""
    import pyarrow.compute as pc

    sizes = pc.fill_null(pc.if_else(array.is_valid(), array.sizes, pa.scalar(0, array.sizes.type)), 0)
    ends = pc.cumulative_sum(sizes)
    starts = pa.concat_arrays([pa.array([0], ends.type), ends])
    maker = pa.ListArray if pa.types.is_list_view(array.type) else pa.LargeListArray
    field = array.type.value_field
    kind = pa.list_(field) if maker is pa.ListArray else pa.large_list(field)
    return maker.from_arrays(starts, array.flatten(), type=kind, mask=array.is_null())


def _spelled_out(array: Any, type_: pa.DataType) -> pa.Array:
    import pyarrow.compute as pc

    start, length = array.find_physical_offset(), array.find_physical_length()
    # Decode the positions, not the values: for some of those there is no kernel.
    positions = pa.RunEndEncodedArray.from_arrays(array.run_ends, pa.arange(0, len(array.run_ends)))
    positions = pc.run_end_decode(positions).slice(array.offset, len(array))
    values = recast(array.values.slice(start, length), type_)
    return values.take(pc.subtract(positions, start))


def _union(array: Any, type_: pa.DataType) -> pa.Array:
    """The codes are numbered by the position of their child in a sparse union, and kept in a dense one."""
    import pyarrow.compute as pc

    codes, dense = array.type_codes, array.type.mode == "dense"
    children, offsets = [], pa.nulls(len(array), pa.int32()) if type_.mode == "dense" else None
    for number, code in enumerate(array.type.type_codes):
        chosen = pc.equal(codes, pa.scalar(code, pa.int8()))
        child, kind = array.field(number), type_.field(number).type
        positions = array.offsets if dense else pa.arange(0, len(array))
        if offsets is not None:
            children.append(_taken(child, positions.filter(chosen), kind))
            counted = pc.subtract(pc.cumulative_sum(chosen.cast(pa.int32())), 1)
            offsets = pc.if_else(chosen, counted, offsets)
        elif dense:
            children.append(_taken(child, pc.if_else(chosen, positions, pa.scalar(None, positions.type)), kind))
        else:
            children.append(recast(child, kind))
    wanted = type_.type_codes
    if wanted != array.type.type_codes:
        names = dict(zip(array.type.type_codes, wanted, strict=True))
        codes = pa.array([names[code] for code in codes.to_pylist()], pa.int8())
    labels = [type_.field(number).name for number in range(type_.num_fields)]
    if offsets is None:
        return pa.UnionArray.from_sparse(codes, children, labels, wanted)
    return pa.UnionArray.from_dense(codes, offsets.cast(pa.int32()), children, labels, wanted)


def _taken(array: pa.Array, positions: pa.Array, type_: pa.DataType) -> pa.Array:
    try:
        return recast(array.take(positions), type_)
    except pa.ArrowNotImplementedError:  # views, for one
        return recast(array, type_).take(positions)


def _from_parts(array: pa.Array, type_: pa.DataType) -> pa.Array:
    types, old = pa.types, array.type
    if types.is_struct(old) and types.is_struct(type_):
        fields = list(type_)
        parts = [recast(array.field(number), field.type) for number, field in enumerate(fields)]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=array.is_null())
    if types.is_fixed_size_list(old) and types.is_fixed_size_list(type_) and old.list_size != type_.list_size:
        child = _folded(recast(array.values, _innermost(type_)), type_.value_type)
        return pa.Array.from_buffers(type_, len(array), array.buffers()[:1], offset=array.offset, children=[child])
    if old.num_fields and old.id == type_.id:
        if types.is_map(old):
            keys, items = recast(array.keys, type_.key_type), recast(array.items, type_.item_type)
            child = pa.StructArray.from_arrays([keys, items], fields=[type_.key_field, type_.item_field])
        else:
            child = recast(array.values, type_.value_type)
        count = 1 if types.is_fixed_size_list(old) else 3 if is_list_view(old) else 2
        buffers = array.buffers()[:count]
        return pa.Array.from_buffers(type_, len(array), buffers, offset=array.offset, children=[child])
    return pa.array(array.to_pylist(), type_)


def _innermost(type_: pa.DataType) -> pa.DataType:
    return _innermost(type_.value_type) if pa.types.is_fixed_size_list(type_) else type_


def _folded(values: pa.Array, type_: pa.DataType) -> pa.Array:
    """Values in a row as lists of lists of them: the rows of a matrix."""
    if not pa.types.is_fixed_size_list(type_):
        return values
    return pa.FixedSizeListArray.from_arrays(_folded(values, type_.value_type), type=type_)
