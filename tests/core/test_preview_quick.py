"""A quick look: groups are those of pandas, and points are rows of the view."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_arrowshm.errors import InvalidQuery
from jupyter_arrowshm.preview import Patience, View, grouping, source

RANDOM = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "city": RANDOM.choice(["Bern", "Basel", None, "Zürich"], 5000),
        "hour": RANDOM.integers(0, 24, 5000),
        "fare": np.where(RANDOM.random(5000) < 0.1, np.nan, RANDOM.normal(20, 5, 5000)),
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(RANDOM.integers(0, 3, 5000), "D"),
    }
)
TABLE = pa.Table.from_pandas(FRAME)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 700)
    monkeypatch.setattr(source, "_FEW_ROWS", 1)


@pytest.mark.parametrize("measure", grouping.MEASURES)
@pytest.mark.parametrize("by", ["city", "hour", "since"])
@pytest.mark.parametrize("filter", ["", '{"column": 1, "op": ">", "value": 11}'])
def test_groups_are_those_of_pandas(by: str, measure: str, filter: str) -> None:
    frame = FRAME[FRAME["hour"] > 11] if filter else FRAME
    answer = View(TABLE, filter=filter).group(TABLE.column_names.index(by), 2, measure)
    grouped = frame.groupby(by, dropna=False)["fare"]
    expected = grouped.size() if measure == "count" else grouped.agg(measure)
    wanted = {None if key is None or key != key else str(key): value for key, value in expected.items()}
    found = {one["text"]: one["result"] for one in answer["groups"]}
    assert found.keys() == wanted.keys() and answer["total"] == len(wanted) and answer["searched"] == 5000
    assert all(math.isclose(found[key], wanted[key], rel_tol=1e-9) for key in wanted)
    results = list(found.values())
    assert by != "city" or results == sorted(results, reverse=True)
    assert by == "city" or list(found) == [str(key) for key in sorted(frame[by].unique())]


def test_entries_of_a_dictionary_that_are_equal_are_one_group() -> None:
    entries = pa.array([0.0, -0.0, 2.5, None, 2.5])
    keys = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None, 4, 4], pa.int8()), entries)
    table = pa.table({"key": keys, "fare": [1, 2, 4, 8, 16, 32, 64]})
    answer = View(table).group(0, 1, "sum")
    assert {one["text"]: one["result"] for one in answer["groups"]} == {"0": 3, "2.5": 100, None: 24}


def test_what_cannot_be_grouped_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    view = View(TABLE.append_column("tags", pa.array([["a"]] * 5000)))
    for by, of, measure in ((4, -1, "count"), (9, -1, "count"), (0, 0, "sum"), (0, -1, "mean"), (0, 2, "median")):
        with pytest.raises(InvalidQuery):
            view.group(by, of, measure)
    with pytest.raises(InvalidQuery, match="has no numbers for a chart"):
        view.points(0, 2)
    monkeypatch.setattr(grouping, "MAX_GROUPS", 20)
    with pytest.raises(InvalidQuery, match="'hour' has more than 20 different values"):
        view.group(1)
    assert view.group(0, patience=Patience(0))["searched"] == 700
    assert View(TABLE.slice(0, 0)).group(0) == {"groups": [], "total": 0, "searched": 0, "version": "", "num_rows": 0}


def test_points_are_rows_of_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {(hour, fare) for hour, fare in zip(FRAME["hour"], FRAME["fare"], strict=True) if fare == fare}
    answer = View(TABLE).points(1, 2)
    assert set(zip(answer["x"], answer["y"], strict=True)) == there and not answer["is_sample"]
    monkeypatch.setattr(grouping, "MAX_POINTS", 100)
    answer = View(TABLE, filter=json.dumps({"column": 0, "op": "==", "value": "Bern"})).points(3, 2)
    assert answer["rows"] == 100 and answer["is_sample"] and answer["matches"] == (FRAME["city"] == "Bern").sum()
    assert 50 < len(answer["x"]) == len(answer["y"]) <= 100 and len(set(answer["x"])) == 3
