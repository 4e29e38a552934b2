"""The rules for a table's name: they are the same in every client, and one fixture holds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import names

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "names.json").read_text("utf-8"))
GOOD = [entry["name"] for entry in FIXTURE["good"]]
BAD = {entry["name"]: entry["rule"] for entry in FIXTURE["bad"]}
SAID = {
    "empty": "it is empty",
    "dot": "it begins with a dot",
    "slash": "it holds a '/'",
    "white space": "it holds white space",
    "invisible": "it holds the invisible character U+",
    "normalization": "it is not in Unicode normalization form C",
    "too long": "it is longer than 200 bytes",
}


def test_the_fixture_has_an_example_of_every_rule() -> None:
    assert set(BAD.values()) == set(FIXTURE["rules"]) == set(SAID)
    assert len(BAD) == len(FIXTURE["bad"]) and len(set(GOOD)) == len(GOOD)


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_a_good_name(name: str) -> None:
    assert names.check(name) == name
    assert names.of_file(name + ".arrow") == name


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_bad_name(name: str) -> None:
    with pytest.raises(shm.InvalidName) as caught:
        names.check(name)
    assert caught.value.name == name
    assert caught.value.reason.startswith(SAID[BAD[name]])
    assert "cannot be a table's name" in str(caught.value) and str(caught.value).isprintable()
    assert names.of_file(name + ".arrow") is None


@pytest.mark.parametrize("name", ["\ud800", "a\udcff"], ids=ascii)
def test_what_is_no_utf_8(name: str) -> None:
    """Not in the fixture: JSON cannot carry it. File names with bytes that are not UTF-8 look like this to Python."""
    with pytest.raises(shm.InvalidName, match="invisible"):
        names.check(name)


@pytest.mark.parametrize("name", [None, 1, b"trips", Path("trips")])
def test_what_is_no_text(name: object) -> None:
    with pytest.raises(TypeError, match="a table's name is a str"):
        names.check(name)


@pytest.mark.parametrize("file", ["trips", "trips.txt", ".arrow", "arrow", ".live", ".new-1.arrow", "trips.ARROW"])
def test_a_file_that_is_no_table(file: str) -> None:
    assert names.of_file(file) is None
