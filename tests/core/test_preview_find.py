"""Find: the next and the previous cell with a text are those that a person would come to who reads the whole view."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_arrowshm.errors import InvalidQuery
from jupyter_arrowshm.preview import (
    Patience,
    Step,
    Unwanted,
    View,
    condition,
    finding,
    order,
    search,
    selection,
    source,
)
from jupyter_arrowshm.preview import view as preview_view

TEXTS = st.sampled_from(["Oslo", "oslo (north)", "Lima", "", "ÅRE", None])


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that make small tables take the paths of the largest."""
    monkeypatch.setattr(source, "SLICE_ROWS", 4)
    monkeypatch.setattr(source, "_FEW_ROWS", 2)
    monkeypatch.setattr(search, "_FEWEST_ROWS", 3)
    monkeypatch.setattr(search, "SLICE_ROWS", 3)
    monkeypatch.setattr(finding, "_WALK_ROWS", 3)
    for module in (selection, preview_view, finding):
        monkeypatch.setattr(module, "VIEW_ROWS", 5)
    for name, size in {"_RUN_ROWS": 7, "_SPAN": 20, "_STEP": 3}.items():
        monkeypatch.setattr(order, name, size)


def found(view: View, text: str, step: Step, columns: list[int], seconds: float) -> dict[str, Any]:
    """The answer that is reached by asking again, as a page does."""
    for _ in range(1000):
        answer = view.find(text, step, json.dumps(columns), patience=Patience(seconds))
        if answer["done"]:
            return answer
        if answer["from"] is not None:
            step = Step(answer["from"], -1, step.direction)
    raise AssertionError("never done")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_next_and_previous_come_to_every_cell_in_the_order_of_the_view(tiny: None, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 30))
    texts = [data.draw(st.lists(TEXTS, min_size=length, max_size=length)) for _ in range(2)]
    numbers = data.draw(st.lists(st.sampled_from([1, 2, 3, None]), min_size=length, max_size=length))
    coded = pa.array(texts[1], pa.string()).dictionary_encode()
    table = pa.table([pa.array(texts[0], pa.string()), pa.array(numbers, pa.int64()), coded], ["a", "n", "b"])
    if data.draw(st.booleans()):
        table = pa.concat_tables([table.slice(0, length // 2), table.slice(length // 2)], promote_options="none")
    sort = json.dumps([{"column": 1, "descending": data.draw(st.booleans())}]) if data.draw(st.booleans()) else ""
    filter = '{"column": 1, "op": ">", "value": 1}' if data.draw(st.booleans()) else ""
    columns = data.draw(st.permutations([0, 1, 2]))
    seconds = data.draw(st.sampled_from([0.0, 60.0]))

    rows = list(View(table, sort, filter).select(wanted=length).rows)
    shown = {0: texts[0], 2: texts[1]}
    hits = [
        (place, column)
        for place, row in enumerate(rows)
        for column in columns
        if column in shown and "OSLO" in (shown[column][row] or "").upper()
    ]
    matching = sorted({place for place, _ in hits})
    view = View(table, sort, filter)
    view.page(0, 3)  # which somebody sees who searches
    start = data.draw(st.integers(-1, len(rows) - 1))
    at = columns.index(data.draw(st.sampled_from(columns)))
    for direction in (0, 1, -1):
        answer = found(view, "OSLO", Step(start, columns[at], direction), columns, seconds)
        # The cell may be known before all rows were searched.
        assert answer["columns"] == 2 and (answer["searched"] < length or answer["matches"] == len(matching))
        if not hits:
            assert answer["row"] is None
            continue
        here = (start, at if start >= 0 else -1)
        places = [(place, columns.index(column)) for place, column in hits]
        if direction < 0:
            expected = max((one for one in places if one < here), default=max(places))
        else:
            expected = min(
                (one for one in places if one >= (here if not direction else (here[0], here[1] + 1))),
                default=min(places),
            )
        assert (answer["row"], columns.index(answer["column"])) == expected
        assert answer["number"] in (None, matching.index(answer["row"]) + 1)
        assert answer["number"] is not None or sort or answer["searched"] < length


def test_a_search_is_bounded_goes_on_where_it_was_and_is_left(tiny: None) -> None:
    table = pa.table({"city": ["Lima"] * 40 + ["Oslo"]})
    view = View(table)
    searched = [0]
    while not (answer := view.find("oslo", Step(0, 0, 1), patience=Patience(0)))["done"]:
        assert answer["searched"] > searched[-1] and answer["row"] is None
        searched.append(answer["searched"])
    assert len(searched) > 5 and (answer["row"], answer["number"]) == (40, 1)
    # What is known is not looked for again; a text with other letters is another one.
    assert view.find("oslo", Step(-1, -1, 1), patience=Patience(0))["row"] == 40
    assert view.find("oslo", Step(-1, -1, 1), ignore_case=False)["matches"] == 0

    looks = itertools.chain([True, True], itertools.repeat(False))
    with pytest.raises(Unwanted):
        view.find("lima", Step(-1, -1, 1), patience=Patience(is_wanted=lambda: next(looks)))
    assert view.find("lima", Step(-1, -1, 1))["matches"] == 40


def test_a_near_cell_is_told_before_all_rows_are_searched(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_LOOK", 0)
    table = pa.table({"city": ["Lima", "Oslo"] * 20, "n": range(40)})
    view = View(table)
    answer = view.find("oslo", Step(-1, -1, 0))
    assert (answer["done"], answer["row"], answer["number"]) == (True, 1, 1)
    assert answer["searched"] < 10
    # Who asks about that cell again wants all to be counted.
    counted = view.find("oslo", Step(1, 0, 0))
    assert (counted["row"], counted["searched"], counted["matches"]) == (1, 40, 20)
    # In a sorted view no cell is the next one before all are known.
    assert View(table, '[{"column": 1, "descending": true}]').find("oslo", Step(-1, -1, 0))["searched"] == 40


LETTERS = st.text(alphabet="sSkK\u017f\u212aaAÅåß\u1e9e7 東", max_size=4)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(st.none() | LETTERS, max_size=5), part=LETTERS, large=st.booleans())
def test_case_is_ignored_as_unicode_has_it(texts: list[str | None], part: str, large: bool) -> None:
    """The long s is an s, and the sign for kelvin a k: whatever is done about ASCII."""
    array = pa.array(texts, pa.large_string() if large else pa.string())
    found = condition.Comparison(0, "contains", array.type, (part,), ignore_case=True).mask({0: array})
    assert found.equals(pc.fill_null(pc.match_substring(array, part, ignore_case=True), False))


def test_an_empty_array_without_offsets() -> None:
    array = pa.Array.from_buffers(pa.string(), 0, [None, None, pa.py_buffer(b"")])
    found = condition.Comparison(0, "contains", array.type, ("os",), ignore_case=True).mask({0: array})
    assert found.equals(pa.array([], pa.bool_()))


def test_there_must_be_something_to_find() -> None:
    view = View(pa.table({"n": [1, 2], "city": ["Lima", None]}))
    for text in ("", "x" * 10_001):
        with pytest.raises(InvalidQuery, match="1 to 10,000 characters"):
            view.find(text, Step(0, 0, 1))
    assert view.find("1", Step(-1, -1, 0), "[0]") == {
        "row": None,
        "column": None,
        "number": None,
        "done": True,
        "from": None,
        "matches": 0,
        "searched": 2,
        "num_rows": 2,
        "columns": 0,
        "version": "",
    }
