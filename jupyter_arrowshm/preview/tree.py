"""A nested cell as a tree, of bounded size: its lists, structs and maps, and the text of each value in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from .display import cut, is_null, is_special, member_of_union, texts
from .kind import is_bool8, storage_of
from .page import CELL, NAME

MAX_NODES = 2000
_MAX_CHILDREN = 200  # of one list, struct or map
_MAX_DEPTH = 50

Node = dict[str, Any]
_Child = tuple[str, pa.Array, pa.DataType, int]  # its name, and where it is


def tree(array: pa.Array, type_: pa.DataType, position: int) -> Node:
    """The cell at this position (``rest-api.yml``, ``Node``).

    A value is ``{"text": ...}``, of at most 250 characters, and ``None`` for null. A list, struct or map has ``kind``,
    ``length`` and the first of its ``children``, each with its ``name``: the place in a list, from 0, the field, or the
    key. At most 2,000 nodes, 200 in one of them and 50 levels are given.

    Raises
    ------
    pyarrow.ArrowInvalid
        The cell points out of its array.
    """
    return _Planter().node(array, type_, position, 0)


class _Planter:
    def __init__(self) -> None:
        self._room = MAX_NODES

    def node(self, array: pa.Array, type_: pa.DataType, position: int, depth: int) -> Node:
        self._room -= 1
        if isinstance(type_, pa.BaseExtensionType) and not is_special(type_) and not is_bool8(type_):
            return self.node(storage_of(array), type_.storage_type, position, depth)
        if (
            is_special(type_)
            or not pa.types.is_nested(type_)
            or pa.types.is_run_end_encoded(type_)
            or depth > _MAX_DEPTH
        ):
            (text,) = texts(array, type_, range(position, position + 1), CELL)
            return {"text": text and cut(text, CELL)}
        if is_null(array, position):
            return {"text": None}
        if pa.types.is_union(type_):
            return self.node(*member_of_union(array, type_, position), depth)
        kind, length, children = _inside(array, type_, position)
        grown: list[Node] = []
        for name, inside, inside_type, place in children:
            if self._room <= 0 or len(grown) >= _MAX_CHILDREN:
                break
            grown.append({"name": cut(name, NAME), **self.node(inside, inside_type, place, depth + 1)})
        return {"kind": kind, "length": length, "children": grown}


def _inside(array: pa.Array, type_: pa.DataType, position: int) -> tuple[str, int, Iterator[_Child]]:
    if pa.types.is_struct(type_):
        fields = ((type_.field(i).name, array.field(i), type_.field(i).type, position) for i in range(type_.num_fields))
        return "struct", type_.num_fields, fields
    values = array[position].values
    if pa.types.is_map(type_):
        keys, items = values.field(0), values.field(1)
        return "map", len(values), ((_key(keys, type_, i), items, type_.item_type, i) for i in range(len(values)))
    return "list", len(values), ((str(i), values, type_.value_type, i) for i in range(len(values)))


def _key(keys: pa.Array, type_: pa.MapType, position: int) -> str:
    (text,) = texts(keys, type_.key_type, range(position, position + 1), NAME)
    return "null" if text is None else text
