"""Tables by chance, for hypothesis: nested columns of all sorts, each cut into chunks of its own."""

from __future__ import annotations

import itertools

import pyarrow as pa
from hypothesis import strategies as st

_SCALARS: dict[pa.DataType, st.SearchStrategy] = {
    pa.int8(): st.integers(-128, 127),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=20),
    pa.string_view(): st.text(max_size=20),
    pa.large_binary(): st.binary(max_size=20),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.timestamp("us", "UTC"): st.integers(-(2**40), 2**40),
    pa.month_day_nano_interval(): st.tuples(*[st.integers(-9, 9)] * 3),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["a", "b", "c"]),
    pa.null(): st.none(),
}


def _types(child: st.SearchStrategy) -> st.SearchStrategy:
    lists = st.sampled_from([pa.list_, pa.large_list, pa.list_view, lambda kind: pa.list_(kind, 2)])
    structs = st.lists(child, max_size=3).map(lambda kinds: pa.struct([(f"f{i}", k) for i, k in enumerate(kinds)]))
    maps = child.map(lambda kind: pa.map_(pa.string(), kind))
    return st.one_of(st.tuples(lists, child).map(lambda pair: pair[0](pair[1])), structs, maps)


TYPES = st.recursive(st.sampled_from(list(_SCALARS)), _types, max_leaves=6)


def values(kind: pa.DataType) -> st.SearchStrategy:
    if kind in _SCALARS:
        found = _SCALARS[kind]
    elif pa.types.is_map(kind):
        pairs = st.dictionaries(st.text(max_size=3), values(kind.item_type), max_size=3)
        found = pairs.map(lambda pairs: list(pairs.items()))
    elif pa.types.is_struct(kind):
        found = st.fixed_dictionaries({field.name: values(field.type) for field in kind})
    else:
        size = kind.list_size if pa.types.is_fixed_size_list(kind) else None
        found = st.lists(values(kind.value_type), min_size=size or 0, max_size=size or 3)
    return st.one_of(st.none(), found)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table of nested columns, each cut into chunks of its own."""
    rows, columns = draw(st.integers(0, 6)), []
    for kind in draw(st.lists(TYPES, min_size=1, max_size=3)):
        array = pa.array(draw(st.lists(values(kind), min_size=rows, max_size=rows)), kind)
        cuts = [0, *sorted(draw(st.lists(st.integers(0, rows), max_size=2))), rows]
        columns.append(pa.chunked_array([array[a:b] for a, b in itertools.pairwise(cuts)], kind))
    names = draw(st.lists(st.text(max_size=3), min_size=len(columns), max_size=len(columns)))
    return pa.Table.from_arrays(columns, names)
