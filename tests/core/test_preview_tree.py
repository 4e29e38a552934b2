"""A nested cell as a tree: what is in it, wherever its rows lie, and never more than a page can show."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from jupyter_arrowshm.errors import InvalidQuery
from jupyter_arrowshm.preview import View
from jupyter_arrowshm.preview.tree import MAX_NODES

TRIP = pa.struct([("stops", pa.list_(pa.string())), ("tags", pa.map_(pa.string(), pa.list_(pa.float64())))])
TRIPS = [
    None,
    [{"stops": ["Bern", None], "tags": [("fare", [1.5, None]), ("tip", [])]}, None],
    [],
]


def plain(node: dict[str, Any]) -> Any:
    """The tree as Python has it."""
    if "children" not in node:
        return node["text"]
    assert node["length"] == len(node["children"])
    if node["kind"] == "list":
        assert [child["name"] for child in node["children"]] == [str(place) for place in range(node["length"])]
        return [plain(child) for child in node["children"]]
    return {child["name"]: plain(child) for child in node["children"]}


@pytest.mark.parametrize("offset", [0, 2])
def test_what_is_in_a_cell(offset: int) -> None:
    table = pa.table({"n": [0, 1, 2], "trips": pa.array([[]] * offset + TRIPS, pa.list_(TRIP)).slice(offset)})
    view = View(table, '[{"column": 0, "descending": true}]')
    found = [plain(view.tree(row, 1)) for row in range(3)]
    assert found == [[], [{"stops": ["Bern", None], "tags": {"fare": ["1.5", None], "tip": []}}, None], None]
    assert view.tree(0, 0)["text"] == "2"
    for row, column in ((3, 0), (-1, 0), (0, 2)):
        with pytest.raises(InvalidQuery):
            view.tree(row, column)


def test_a_member_of_a_union_and_a_dictionary_are_shown_as_what_they_are() -> None:
    members = [pa.array([1]), pa.array([["q"]])]
    union = pa.UnionArray.from_dense(pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), members)
    codes = pa.array([["a"], ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.string())))
    view = View(pa.table([union, codes], ["u", "d"]))
    assert [plain(view.tree(row, column)) for column in (0, 1) for row in (0, 1)] == ["1", ["q"], ["a"], ["b"]]


def test_a_tree_is_bounded() -> None:
    deep: pa.Array = pa.array([["x" * 1000]])
    for _ in range(40):
        deep = pa.ListArray.from_arrays([0, 1], deep)
    wide = pa.array([[[["y"] * 300] * 300] * 300])
    view = View(pa.table([deep, wide], ["deep", "wide"]))
    for column in (0, 1):
        assert len(json.dumps(view.tree(0, column))) < 200_000
    tree = view.tree(0, 1)
    assert tree["length"] == 300 and tree["children"][0]["length"] == 300 and len(tree["children"]) < 300

    def count(node: dict[str, Any]) -> int:
        return 1 + sum(map(count, node.get("children", ())))

    assert 200 < count(tree) <= MAX_NODES
