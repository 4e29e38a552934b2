"""``jupyter arrowshm head``: the first rows in a terminal."""

from __future__ import annotations

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
    lines = head(TABLE, 10, "fare", None, filters).splitlines()
    assert [line.strip() for line in lines[1:-1]] == fares
    assert lines[-1] == f"{len(fares)} row{'s' if len(fares) > 1 else ''} of 4 rows x 3 columns"


@pytest.mark.parametrize("text", ["", "fare", "fare ~ 1", "fare > cheap", "city is", "> 1"])
def test_what_is_no_condition_is_said(text: str) -> None:
    with pytest.raises(InvalidQuery):
        head(TABLE, 10, filters=[text])


def test_nothing_that_a_terminal_would_obey_is_printed() -> None:
    text = head(pa.table({"a\x1b]0;x\x07": ["\x1b[31mred\nline"]}), 10)
    assert "\x1b" not in text and "\x07" not in text and len(text.splitlines()) == 3


def test_a_wide_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = head(pa.table({f"column_{number}": ["x" * 100] for number in range(50)}), 10).splitlines()
    assert max(map(len, lines)) <= 60 and lines[0].endswith("…") and lines[1].startswith("x" * 39 + "…")
