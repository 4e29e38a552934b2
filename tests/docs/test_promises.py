"""docs/protocol.md names the code and the tests of its promises, which are there, and every key that clients write."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from jupyter_arrowshm.core.facts import Facts
from jupyter_arrowshm.tabular import memory

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "jupyter_arrowshm"
JULIA = PACKAGE / "julia" / "ArrowSHM" / "src"
PAGE = (CHECKOUT / "docs" / "protocol.md").read_text()
TABLE = PAGE.partition("\n## Promises\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if re.match(r"\| \d", line)
]


def defines(file: Path, name: str) -> bool:
    """Whether the file defines the function, class or method of this (dotted) name."""
    if file.suffix == ".jl":
        return bool(re.search(rf"^.*\b(function|struct|abstract type) {name}\b", file.read_text(), re.MULTILINE))
    body = ast.parse(file.read_text()).body
    for part in name.split("."):
        body = next(
            (node.body for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == part), []
        )
    return bool(body)


def test_the_promises_are_numbered() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, len(ROWS) + 1)] and ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"promise {row[0]}")
def test_the_code_and_the_test_of_a_promise_are_there(row: list[str]) -> None:
    _, promise, code, tests = row
    assert promise and code and tests
    languages = set()
    for file, name in re.findall(r"`([^`]+?)::([^`]+)`", code):
        path = (JULIA if file.endswith(".jl") else PACKAGE) / file
        languages.add(path.suffix)
        assert defines(path, name), f"{file} has no {name}"
    assert languages == {".py", ".jl"}, "both clients keep it"
    for file, name in re.findall(r"`([^`]+?)::([^`]+)`", tests):
        assert name.startswith("test_") and defines(CHECKOUT / "tests" / file, name), f"{file} has no {name}"


def test_a_test_that_names_a_promise_holds_it() -> None:
    """Promise 3 is the same in the page and in every test: its number stands in the names of its tests."""
    for number, _, _, tests in ROWS:
        named = re.findall(r"::test_promise_(\d+)_", tests)
        assert named and set(named) == {number}


def test_every_key_of_the_footer_and_of_the_schema_is_in_the_page() -> None:
    """Else another client could not tell ours from the user's."""
    keys = [f"arrowshm.{field.replace('_', '-')}" for field in Facts.__dataclass_fields__]
    keys += [key.decode() for name, key in vars(memory).items() if name.endswith("_KEY")]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
