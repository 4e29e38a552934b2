"""Each line of attach-lines.json, which the magics and the sidebar print, is run as it is and attaches that table."""

from __future__ import annotations

import ast
import json
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from julia_peers import Julia, program
from notebooks import Notebook
from r_peers import R
from r_peers import program as r_program

import jupyter_arrowshm as shm

CASES = json.loads((Path(__file__).parents[1] / "fixtures" / "attach-lines.json").read_text())["cases"]


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
