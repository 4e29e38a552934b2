"""Each line of attach-lines.json, which the magics and the sidebar print, is run as it is and attaches that table."""

from __future__ import annotations

import ast
import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from julia_peers import Julia, program
from notebooks import Notebook
from pyarrow import parquet
from r_peers import R
from r_peers import program as r_program

import jupyter_arrowshm as shm

LINES = json.loads((Path(__file__).parents[1] / "fixtures" / "attach-lines.json").read_text())
CASES, PARTS = LINES["cases"], LINES["parts"]
FARES = pa.table({"city": ["Oslo", "it's {n}", "Bergen"], "fare": [12.0, 40.0, 9.0], "air time": [1, None, 3]})


@pytest.fixture
def shared(store: shm.Store) -> shm.Store:
    """A table for each name, which contains its name."""
    for case in CASES:
        store.share(pa.table({"name": [case["name"]]}), case["name"])
    return store


def variable(line: str) -> str:
    """The last word of a magic's line, and the first one after a macro's name."""
    return line.rsplit(" ", 1)[1] if line.startswith("%") else line.removeprefix("@attach ").split(" ")[0]


def test_the_line_for_a_notebook(report: Notebook, shared: shm.Store) -> None:
    for case in CASES:
        line = case["magic"] or f"import jupyter_arrowshm as shm; {case['python']}"
        report.ok(line)
        name = variable(line) if case["magic"] else case["python"].split(" ")[0]
        assert ast.literal_eval(report.get(f"{name}['name'][0].as_py()")) == case["name"], line


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    parquet.write_table(FARES, tmp_path / "trips.parquet")
    return tmp_path


def expected(part: dict[str, Any]) -> dict[str, list[Any]]:
    rows = FARES
    if "fare" in part["where"]:
        rows = rows.slice(0, 2)
    elif part["where"]:
        rows = rows.filter(rows["air time"].is_valid())
    return rows.select(part["columns"] or rows.column_names).to_pydict()


def test_a_part_of_a_file_in_a_notebook(report: Notebook, store: shm.Store, trips: Path) -> None:
    """The line, and the call that Python code needs, lead to one table."""
    report.ok(f"%cd -q {trips}")
    for part in PARTS:
        report.ok(f"{part['magic']} --to pyarrow")
        assert ast.literal_eval(report.get("trips.to_pydict()")) == expected(part), part["magic"]
        [table] = [one for one in store.tables().loaded if one.unused is False]
        assert (table.origin_columns and list(table.origin_columns), table.origin_where) == (
            part["columns"],
            part["where"],
        )
        report.ok("%detach trips")


@pytest.mark.parametrize("language", ["julia", "r"])
def test_a_part_of_a_file_in_julia_and_r(store: shm.Store, trips: Path, language: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    one = Julia(program()) if language == "julia" else R(r_program())
    one.run(f'cd("{trips}")' if language == "julia" else f'setwd("{trips}")')
    column = "trips[{}]" if language == "julia" else "trips[[{}]]"
    try:
        for part in PARTS:
            one.run(part[language])
            for name, values in expected(part).items():
                text = (
                    f"collect({column.format(json.dumps(name))})"
                    if language == "julia"
                    else column.format(json.dumps(name))
                )
                assert one.get(text if len(values) > 1 else f"{text}[1]") == (values if len(values) > 1 else values[0])
    finally:
        one.kill()


def test_python(shared: shm.Store) -> None:
    for case in CASES:
        space: dict[str, Any] = {}
        exec(f"import jupyter_arrowshm as shm\n{case['python']}", space)
        assert space[unicodedata.normalize("NFKC", case["python"].split(" ")[0])]["name"][0].as_py() == case["name"]


def test_julia(shared: shm.Store) -> None:
    julia = Julia(program())
    try:
        for case in CASES:
            julia.run(case["julia"])
            assert julia.get(f"{variable(case['julia'])}.name[1]") == case["name"], case["julia"]
    finally:
        julia.kill()


def test_r(shared: shm.Store) -> None:
    r = R(r_program())
    try:
        for case in CASES:
            r.run(case["r"])
            assert r.get(f"{case['r'].split(' ')[0]}$name") == case["name"], case["r"]
    finally:
        r.kill()
