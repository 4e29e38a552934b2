"""The code that a view is copied as is run, and gives the rows that the view shows."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from browser.lab import TIMEOUT, Server
from browser.node import evaluate
from julia_peers import Julia, program
from r_peers import R
from r_peers import program as r_program

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

ROWS = 60
TYPES = [
    ("id", "int64"),
    ("n", "int32"),
    ("x", "double"),
    ("nan", "double"),
    ("name", "string"),
    ("flag", "bool"),
    ("day", "date32[day]"),
    ("when", "timestamp[us, tz=Europe/Zurich]"),
    ("local", "timestamp[ms]"),
    ("price", "decimal128(8, 2)"),
    ("kind", "dictionary<values=string, indices=int8, ordered=0>"),
    ('say "hi" $x', "int64"),
]
NAMES = [name for name, _ in TYPES]


def table() -> pa.Table:
    def some(values: list[Any], every: int) -> list[Any]:
        return [None if i % every == 0 else value for i, value in enumerate(values)]

    start = dt.datetime(2024, 3, 30, 12)
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "n": pa.array(some([i * 7 % 11 for i in range(ROWS)], 5), pa.int32()),
            "x": pa.array(some([(i * 37 % 50) / 4 for i in range(ROWS)], 6), pa.float64()),
            "nan": pa.array([float("nan") if i % 7 == 0 else i % 9 - 4.5 for i in range(ROWS)], pa.float64()),
            "name": pa.array(some(["Bern", "basel", "Zürich", "a.b", 'q"$\\'] * (ROWS // 5), 8)),
            "flag": pa.array(some([i % 3 == 0 for i in range(ROWS)], 9)),
            "day": pa.array(some([dt.date(2024, 1, 1) + dt.timedelta(i % 20) for i in range(ROWS)], 10)),
            "when": pa.array(
                some([start + dt.timedelta(hours=i) for i in range(ROWS)], 11), pa.timestamp("us", "Europe/Zurich")
            ),
            "local": pa.array(some([start + dt.timedelta(hours=i) for i in range(ROWS)], 11), pa.timestamp("ms")),
            "price": pa.array(some([decimal.Decimal(i % 13) / 4 for i in range(ROWS)], 12), pa.decimal128(8, 2)),
            "kind": pa.DictionaryArray.from_arrays(
                pa.array([0, 1, 2, None] * (ROWS // 4), pa.int8()), pa.array(["b", "a", "c"])
            ),
            NAMES[-1]: pa.array(range(ROWS, 0, -1), pa.int64()),
        }
    )


def of(name: str, **condition: object) -> dict[str, object]:
    column = NAMES.index(name)
    return {"column": column, "name": name, "type": TYPES[column][1], "condition": condition}


def by(*names: str) -> list[dict[str, object]]:
    """``-name``: descending."""
    columns = [(NAMES.index(name.removeprefix("-")), name.startswith("-")) for name in names]
    return [{"column": i, "name": NAMES[i], "type": TYPES[i][1], "descending": down} for i, down in columns]


def keys(*names: str) -> list[dict[str, object]]:
    return [{"column": NAMES.index(name), "name": name, "type": dict(TYPES)[name]} for name in names]


def values(name: str, *chosen: object, missing: bool = False) -> dict[str, object]:
    return of(name, kind="values", values=[{"text": str(one), "value": one} for one in chosen], missing=missing)


def excepting(name: str, *chosen: object) -> dict[str, object]:
    return of(name, kind="except", values=[{"text": str(one), "value": one} for one in chosen])


def between(name: str, low: str, high: str) -> dict[str, object]:
    return of(name, kind="range", min=low, max=high)


VIEWS: dict[str, dict[str, Any]] = {
    "everything": {"filters": [], "sort": []},
    "a range of integers": {"filters": [between("n", "2", "8")], "sort": []},
    "a range of floats, sorted": {"filters": [between("x", "1.5", "")], "sort": by("-x", "id")},
    "text": {"filters": [of("name", kind="text", text="B", ignoreCase=True)], "sort": by("name")},
    "text as it is written": {"filters": [of("name", kind="text", text=".", ignoreCase=False)], "sort": []},
    "odd text": {"filters": [values("name", 'q"$\\', missing=True)], "sort": by("-name")},
    "values": {"filters": [values("n", 1, "7", missing=True), values("flag", True)], "sort": []},
    "all but these": {
        "filters": [excepting("n", "1", 7), excepting("name", "Bern"), excepting("local", "2024-03-30 13:00:00")],
        "sort": [],
    },
    "a range without its end": {"filters": [of("x", kind="range", min="1.5", max="8", below=True)], "sort": []},
    "some columns in another order": {
        "filters": [between("n", "2", "8")],
        "sort": by("-x", "id"),
        "layout": {"order": keys("price", "x", "id"), "hidden": keys("nan", "day", NAMES[-1]), "pinned": []},
    },
    "some columns pinned": {
        "filters": [],
        "sort": by("id"),
        "layout": {"order": keys("x", "id"), "hidden": keys("nan"), "pinned": keys("price", "n")},
    },
    "nulls": {"filters": [of("x", kind="missing")], "sort": by("-n")},
    "no nulls": {"filters": [of("flag", kind="present"), of("price", kind="present")], "sort": by("flag", "-price")},
    "days": {"filters": [between("day", "2024-01-03", "2024-01-09")], "sort": by("-day")},
    # Summer time begins on the 31st.
    "moments": {"filters": [between("when", "2024-03-31 01:30", "2024-04-01T05:00:00")], "sort": by("-when")},
    "moments with an offset": {"filters": [between("when", "2024-03-31T04:00:00Z", "")], "sort": []},
    "moments without a zone": {"filters": [between("local", "2024-03-31 02:30", "2024-04-01T05:00:00")], "sort": []},
    "money": {"filters": [between("price", "0.5", "2.25")], "sort": by("price", "-id")},
    "a dictionary": {"filters": [values("kind", "a", "b")], "sort": by("kind", "-n")},
    "not a number": {"filters": [], "sort": by("-nan", "n")},
    "an odd name": {"filters": [between(NAMES[-1], "5", "50")], "sort": by(NAMES[-1])},
}
# What the standard library of Julia has no words for is left out there, and the code says so.
NOT_IN_JULIA = {"moments", "moments with an offset", "money"}
NOT_IN_R = {"money"}  # its decimals are texts if they have many digits


SCHEMA = [{"name": name, "type": type_, "nullable": True} for name, type_ in TYPES]
JOB = """given.views.map(view => ({
  filter: filterJSON(view), sort: sortJSON(view),
  code: Object.fromEntries(LANGUAGES.map(one => [one, viewCode({ name: 'types', schema: given.schema }, view, one)]))
}))"""


@pytest.fixture(scope="module")
def store(server: Server) -> Iterator[shm.Store]:
    store = shm.Store(server.store)
    store.share(table(), "types")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT_VARIABLE, str(server.store))
        yield store
    store.unshare("types")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """For each view its filter and order as the server takes them, and its code."""
    everything = {"layout": {"order": [], "hidden": [], "pinned": []}}
    given = {"views": [{**everything, **view} for view in VIEWS.values()], "schema": SCHEMA}
    made = evaluate(tmp_path_factory.mktemp("js"), ["preview/code", "preview/query"], JOB, given)
    return dict(zip(VIEWS, made, strict=True))


@pytest.fixture(scope="module")
def shown(server: Server, store: shm.Store, written: dict[str, Any]) -> dict[str, list[int]]:
    """The ids of the rows of each view, in its order."""
    return {name: ids(server, one["filter"], one["sort"]) for name, one in written.items()}


def ids(server: Server, filter_: object, sort: object) -> list[int]:
    query = {"columns": "[0]", "limit": 1000, "sort": json.dumps(sort)} | (
        {"filter": json.dumps(filter_)} if filter_ else {}
    )
    url = f"{server.url}/arrowshm/tables/types/rows?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"token {server.token}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        found: list[int] = pa.ipc.open_stream(response.read()).read_all().column(0).to_pylist()
    return found


def test_the_schema_is_as_the_server_says(store: shm.Store, shown: dict[str, list[int]]) -> None:
    assert store.info("types").as_dict()["schema"] == SCHEMA
    assert all(0 < len(rows) < ROWS for name, rows in shown.items() if VIEWS[name]["filters"]), (
        "each filter does something"
    )


@pytest.mark.parametrize("language", ["pandas", "polars", "pyarrow"])
def test_python(language: str, written: dict[str, Any], shown: dict[str, list[int]]) -> None:
    for name, view in written.items():
        space: dict[str, Any] = {}
        code = view["code"][language]
        exec(code, space)
        column = space["types"]["id"]
        found = column.to_pylist() if language == "pyarrow" else column.to_list()
        assert found == shown[name], f"{name}:\n{code}"
        assert "Left out" not in code


def test_julia(written: dict[str, Any], shown: dict[str, list[int]], server: Server) -> None:
    julia = Julia(program(), env={ENVIRONMENT_VARIABLE: str(server.store)})
    try:
        for name, view in written.items():
            code = view["code"]["Julia"]
            assert ("Left out" in code) == (name in NOT_IN_JULIA), code
            found = julia.get(f"{code}\ncollect(types_view.id)")
            if name not in NOT_IN_JULIA:
                assert found == shown[name], f"{name}:\n{code}"
    finally:
        julia.kill()


def test_r(written: dict[str, Any], shown: dict[str, list[int]], server: Server) -> None:
    r = R(r_program(), env={ENVIRONMENT_VARIABLE: str(server.store)})
    try:
        for name, view in written.items():
            code = view["code"]["R"]
            assert ("Left out" in code) == (name in NOT_IN_R), code
            found = r.get(f"{code}\nI(as.numeric(types_view$id))")
            if name not in NOT_IN_R:
                assert found == shown[name], f"{name}:\n{code}"
    finally:
        r.kill()
