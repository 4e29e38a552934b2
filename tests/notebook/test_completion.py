"""Tab and ``?`` over the kernel protocol."""

from __future__ import annotations

import pyarrow as pa
import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm
from jupyter_arrowshm import words
from jupyter_arrowshm.kinds import KINDS

SPACE = """\
import pyarrow as pa, pandas as pd, numpy as np
trips = pa.table({'a': [1]})
frame = pd.DataFrame({'a': [1]})
arrays = {'a': np.arange(3)}
number, text, words, empty, _hidden = 3, 'abc', {'a': 1}, {}, trips
array, rows, numbers = np.arange(3), [{'a': 1}], [1, 2]
class Frame(pd.DataFrame): pass
"""


@pytest.fixture
def notebook(model: Notebook, store: shm.Store) -> Notebook:
    for name in ("trips", "trips-2013", "zones"):
        store.share(pa.table({"a": [1]}), name)
    model.ok(SPACE)
    return model


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        ("%attach ", ["trips", "trips-2013", "zones"]),
        ("%attach tr", ["trips", "trips-2013"]),
        ("%attach trips-", ["trips-2013"]),
        ("%attach zones tr", ["trips", "trips-2013"]),
        ("%attach nothing", []),
        ("attach tr", ["trips", "trips-2013"]),
        ("%shared zo", ["zones"]),
        ("%detach zo", ["zones"]),
        ("%unshare zo", ["zones"]),
        ("%unshare --", ["--force", "--from"]),
        ("%attach trips --to ", [*KINDS]),
        ("%attach trips --to pa", ["pandas"]),
        ("%attach trips --", ["--to", "--columns", "--where", "--copy", "--wait", "--follow", "--from"]),
        ("%attach trips --copy --c", ["--columns"]),
        ("%share ", ["array", "arrays", "frame", "rows", "trips"]),
        ("%share fr", ["frame"]),
        ("%share trips --", ["--replace", "--move", "--pin", "--to"]),
        ("%share trips --pin --", ["--replace", "--move", "--to"]),
        ("%share --", ["--replace", "--move", "--pin", "--to"]),
        ("%%share trips --", ["--replace", "--move", "--pin", "--to"]),
        ("%attach --to pandas --c", ["--columns", "--copy"]),
        ("%attach trips as t --f", ["--follow", "--from"]),
        ("x = 1\n%attach zo", ["zones"]),
        ("    %attach zo", ["zones"]),
    ],
)
def test_what_tab_offers(notebook: Notebook, line: str, matches: list[str]) -> None:
    assert sorted(notebook.complete(line)) == sorted(matches)


def test_tab_says_how_large_a_table_is(notebook: Notebook, store: shm.Store) -> None:
    """It is the type of a completion, which front ends and the terminal show beside it."""
    size = words.size(store.info("trips").nbytes)
    assert notebook.completions("%attach trips")["trips"] == f"table: 1 row x 1 column, {size}"
    assert notebook.completions("%share fr")["frame"] == "variable"


@pytest.mark.parametrize("name", ["{n}", "--to", "it's", "a#b", "as"])
def test_what_tab_inserts_is_that_table(model: Notebook, store: shm.Store, name: str) -> None:
    store.share(pa.table({"a": [1]}), name)
    for typed in ("", name[0], f"'{name[0]}"):
        if not typed.startswith("-"):  # otherwise options are meant
            (match,) = model.complete(f"%attach {typed}")
            model.ok(f"n = 'wrong'\n%attach {match} as found\n%detach {match}")


def test_a_variable_of_a_magics_name_is_that_variable(notebook: Notebook) -> None:
    notebook.ok("share = 1")
    assert "frame" not in notebook.complete("share ")
    assert "frame" in notebook.complete("%share ")


@pytest.mark.parametrize(("line", "match"), [("num", "number"), ("tex", "text"), ("trips.num_ro", "trips.num_rows")])
def test_elsewhere_others_complete(notebook: Notebook, line: str, match: str) -> None:
    assert match in notebook.complete(line) or match.rpartition(".")[2] in notebook.complete(line)


def test_the_magics_themselves_complete(notebook: Notebook) -> None:
    assert {"%share", "%shared"} <= set(notebook.complete("%shar"))


@pytest.mark.parametrize("magic", ["share", "attach", "shared", "detach", "unshare"])
def test_help_reads_well(model: Notebook, magic: str) -> None:
    shown = model.ok(f"%{magic}?")
    assert f"\n%{magic} df" in shown.replace(" " * 4, "") and max(map(len, shown.splitlines())) <= 120
    assert len(shown.splitlines()) <= 32, "one screen"
    for option in {"share": ["--replace", "--move", "--pin"], "attach": ["--to KIND", "--copy"]}.get(magic, []):
        assert f"\n{option}" in shown
