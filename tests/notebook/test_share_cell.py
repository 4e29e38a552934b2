"""``%%share NAME``: shares the last expression of a cell under a name."""

from __future__ import annotations

import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm

LOAD = "import pyarrow as pa\nraw = pa.table({'a': [1, 2, 3]})\n"


def test_the_last_expression(model: Notebook, report: Notebook, store: shm.Store) -> None:
    shown = model.run(f"%%share trips\n{LOAD}raw.slice(1)")
    assert shown.status == "ok" and shown.value is None and shown.displays[0]["text/plain"].startswith("trips: 2 rows")
    report.ok("%attach trips")
    assert report.get("trips['a'].to_pylist()") == "[2, 3]"
    assert model.get("(raw.num_rows, 'trips' in globals(), Out)") == "(3, False, {})"


@pytest.mark.parametrize(
    "body",
    [
        "raw.slice(\n    2\n)",
        "raw.slice(2);",
        "# why\nraw.slice(2)  # this one",
        "def part():\n    return raw.slice(2)\npart()",
        "%time n = 2\nraw.slice(n)",
        "n = !echo 2\nraw.slice(int(n[0]))",
        "for n in range(3):\n    part = raw.slice(n)\npart",
        "(lambda n: raw.slice(n))(2)",
        "[raw.slice(n) for n in range(3)][-1]",
    ],
)
def test_any_cell(model: Notebook, store: shm.Store, body: str) -> None:
    model.ok(f"{LOAD}\n")
    model.ok(f"%%share trips\n{body}")
    assert store.attach("trips")["a"].to_pylist() == [3]


def test_options_and_names(model: Notebook, report: Notebook, store: shm.Store) -> None:
    report.ok(f"{LOAD}%share raw as trips")
    assert model.error(f"%%share trips\n{LOAD}raw").endswith("(%%share trips2), or take it over (--replace)")
    model.ok(f"n = 7\n{LOAD}")
    model.ok("%%share trips --replace --pin  # mine now\nraw.slice(1)")
    model.ok("%%share --pin trips_{n}\nraw")
    model.ok("%%share '{n}'\nraw")
    assert store.names() == ["trips", "trips_7", "{n}"] and store.info("trips").pinned


def test_move_makes_the_variable(model: Notebook, store: shm.Store) -> None:
    shown = model.ok("%%share trips-2013 --move\nimport pandas as pd\npd.DataFrame({'a': [1]})")
    assert "trips_2013 is the shared copy now: pandas.DataFrame, 1 row x 1 column" in shown
    assert "read-only where it is shared" in shown and "private copy stays" not in shown
    assert model.get("len(trips_2013)") == "1"


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%share trips\nx = 1", "the last line of the cell is what %%share shares: write the table there"),
        ("%%share trips\n# nothing", "the last line of the cell is what %%share shares: write the table there"),
        ("%%share\nraw", "share the last expression of this cell under which name? %%share NAME"),
        ("%%share a b\nraw", "share the last expression of this cell under which name? %%share NAME"),
        ("%%share trips --relpace\nraw", "%share has no option --relpace; it has --replace, --move, --pin"),
        ("%%share trips\n3", "this int cannot be shared"),
    ],
)
def test_mistakes(model: Notebook, store: shm.Store, cell: str, says: str) -> None:
    model.ok(LOAD)
    assert model.error(cell).startswith(says)
    assert store.names() == []


def test_an_error_of_the_cell_is_its_own(model: Notebook, store: shm.Store) -> None:
    ran = model.run("%%share trips\ndef f():\n    raise LookupError('mine')\nf()")
    assert ran.status == "error" and "LookupError" in ran.traceback[-1]
    assert "SyntaxError" in model.run("%%share trips\n1 +").traceback[-1]
    assert store.names() == []
