"""Integers that would be rounded if nulls among them turned them all into floats."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

_EXACT = {pa.int64(), pa.uint64()}


def would_be_rounded(column: pa.ChunkedArray) -> bool:
    return _holds_integers(column.type) and any(
        leaf.null_count and leaf.type in _EXACT and _reach(leaf) > 2**53
        for chunk in column.chunks
        for leaf in _leaves(chunk)
    )


def _holds_integers(kind: pa.DataType) -> bool:
    return kind in _EXACT or any(_holds_integers(kind.field(number).type) for number in range(kind.num_fields))


def _reach(array: pa.Array) -> int:
    import pyarrow.compute as pc

    low, high = (bound.as_py() or 0 for bound in pc.min_max(array).values())
    return max(-low, high)


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays of plain values in lists and structs; none for types that pyarrow makes no Python objects from."""
    if not array.type.num_fields:
        yield array
        return
    if pa.types.is_map(array.type):
        inside = [array.keys, array.items]
    else:
        inside = array.flatten() if hasattr(array, "flatten") else []
    for one in inside if isinstance(inside, list) else [inside]:
        yield from _leaves(one)
