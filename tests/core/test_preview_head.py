"""``jupyter arrowshm head``: the first rows in a terminal."""

from __future__ import annotations

import os
import re

import pyarrow as pa
import pytest

from jupyter_arrowshm.cli.head import head
from jupyter_arrowshm.cli.main import main
from jupyter_arrowshm.errors import InvalidQuery

TABLE = pa.table(
    {"fare": [12.5, None, 9.0, 30.0], "city": ["Oslo", "Lima", "New York", None], "in use": [True, False, None, True]}
)


def test_it_prints_the_first_rows(store, capsys: pytest.CaptureFixture[str]) -> None:
    store.share(TABLE, "trips")
    assert main(["head", "trips", "--rows", "2", "--sort=-fare", "--columns", "city,fare"]) == 0
    assert capsys.readouterr().out.splitlines() == ["city  fare", "null    30", "Oslo  12.5", "4 rows x 3 columns"]
    assert main(["head", "trips", "--filter", "speed > 1"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "jupyter arrowshm: this cannot be shown: there is no column 'speed'; there are fare, city, in use."
    ]


@pytest.mark.parametrize(
    ("filters", "fares"),
    [
        (["fare > 10"], ["12.5", "30"]),
        (["fare >= 9.0", "city contains o"], ["12.5", "9"]),
        (["city = 'Oslo'"], ["12.5"]),
        (["city in Oslo, Lima"], ["12.5", "null"]),
        (["fare is null"], ["null"]),
        (["fare is not null", "city is null"], ["30"]),
        (["in use == true"], ["12.5", "30"]),
        (["fare != 30"], ["12.5", "9"]),
    ],
)
def test_conditions_as_people_write_them(filters: list[str], fares: list[str]) -> None:
    lines = head(TABLE, 10, "fare", filters=filters).splitlines()
    assert [line.strip() for line in lines[1:-1]] == fares
    assert lines[-1] == f"{len(fares)} row{'s' if len(fares) > 1 else ''} of 4 rows x 3 columns"


@pytest.mark.parametrize("text", ["", "fare", "fare ~ 1", "fare > cheap", "city is", "> 1"])
def test_what_is_no_condition_is_said(text: str) -> None:
    with pytest.raises(InvalidQuery):
        head(TABLE, 10, filters=[text])


ODD = ["age", "age<=30", "x, y", "x", "-5", "5", "is null", "a in b"]


@pytest.mark.parametrize(
    ("condition", "column", "rest"),
    [
        ("age<=30 > 1", "age<=30", 2),
        ("age<=2", "age", 2),
        ("age<=30=2", "age<=30", 1),
        ("x, y >= 2", "x, y", 2),
        ("-5 < 3", "-5", 2),
        ("5 in 1,2", "5", 2),
        ("is null is not null", "is null", 3),
        ("a in b in 3", "a in b", 1),
        ("'x' == 2", "x", 1),
        ('"x, y" != 2', "x, y", 2),
    ],
)
def test_names_with_signs_in_them_are_found(condition: str, column: str, rest: int) -> None:
    """Only that column has values, so that a wrong column would be noticed."""
    values = [pa.array([1, 2, 3]) if name == column else pa.nulls(3, pa.int64()) for name in ODD]
    assert head(pa.table(values, ODD), 10, filters=[condition]).splitlines()[-1].startswith(f"{rest} row")


@pytest.mark.parametrize(
    ("columns", "sort", "heading", "first"),
    [
        ("x, y", "", ["x, y"], "1"),
        ("x, x, y,age<=30", "-age<=30", ["x", "x, y", "age<=30"], "3"),
        ("-5,5", "-5", ["-5", "5"], "1"),
        ("5", "--5", ["5"], "3"),
        ("'5', \"x\"", "-'x, y'", ["5", "x"], "3"),
    ],
)
def test_lists_of_names_with_commas_in_them(columns: str, sort: str, heading: list[str], first: str) -> None:
    lines = head(pa.table([[1, 2, 3]] * 8, ODD), 1, columns, sort).splitlines()
    assert re.split("  +", lines[0].strip()) == heading and set(lines[1].split()) == {first}


def test_a_name_that_is_only_half_there_is_no_column() -> None:
    with pytest.raises(InvalidQuery, match="there is no column 'y'"):
        head(pa.table([[1, 2, 3]] * 8, ODD), 1, "x,y")


def test_only_a_damaged_table_is_said_to_be_damaged(store, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that has a column without an order is not damaged."""
    store.share(pa.table({"odd": pa.array([[1]]), "n": [1]}), "trips")
    assert main(["head", "trips", "--sort", "odd"]) == 1
    assert "has no order to sort by" in capsys.readouterr().err
    path = store.path("trips")
    os.chmod(path, 0o600)
    os.truncate(path, 100)
    assert main(["head", "trips"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_columns_in_info_and_errors_are_printable(store, capsys: pytest.CaptureFixture[str]) -> None:
    store.share(pa.table({"a\x1b]0;x\x07": [1], "b": [2]}), "trips")
    assert main(["info", "trips"]) == 0 and main(["list"]) == 0 and main(["head", "trips", "--columns", "c"]) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err and "a\\x1b]0;x\\x07  int64" in captured.out


def test_nothing_that_a_terminal_would_obey_is_printed() -> None:
    text = head(pa.table({"a\x1b]0;x\x07": ["\x1b[31mred\nline"]}), 10)
    assert "\x1b" not in text and "\x07" not in text and len(text.splitlines()) == 3


def test_a_wide_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = head(pa.table({f"column_{number}": ["x" * 100] for number in range(50)}), 10).splitlines()
    assert max(map(len, lines)) <= 60 and lines[0].endswith("…") and lines[1].startswith("x" * 39 + "…")
