"""Names: every client finds a table by the name that another gave it, and all refuse what is not a name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conformance.client import Refused

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "names.json").read_text("utf-8"))
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


def test_every_good_name_is_shared_listed_attached_and_removed(one, other, directory) -> None:
    for rows, name in enumerate(GOOD):
        one.do("share", name=name, rows=rows, pin=True)
    assert sorted(other.get("names")) == sorted(GOOD)
    assert set(os.listdir(directory)) - {".live", ".pins"} == {f"{name}.arrow" for name in GOOD}
    for rows, name in enumerate(GOOD):
        other.do("attach", name=name)
        assert other.get("sum") == sum(range(rows)), name
        assert other.get("info", name=name)["pinned"] is True
        other.do("unshare", name=name)
    assert one.get("names") == [] and os.listdir(directory / ".pins") == []


@pytest.mark.parametrize("rule", SAID)
def test_a_bad_name_is_refused_with_the_rule_that_it_breaks(one, directory, rule) -> None:
    names = [name for name in BAD if BAD[name] == rule]
    assert names
    for name in names:
        # To attach, what has a / in it is a path, where a client loads files.
        for what in ("share", "unshare", "pin", *(("attach",) if "/" not in name else ())):
            with pytest.raises(Refused) as caught:
                one.do(what, name=name)
            assert caught.value.kind == "InvalidName", (what, name)
            assert SAID[rule] in caught.value.text or "not valid UTF-8" in caught.value.text, caught.value.text
    assert one.get("names") == []


def test_bytes_that_are_not_utf_8_are_no_name(one) -> None:
    assert one.refuses("share", name="a\udcff") == "InvalidName"


def test_a_file_of_a_bad_name_is_no_table(one, directory) -> None:
    one.do("share", name="good")
    data = (directory / "good.arrow").read_bytes()
    bad = [os.fsencode(name) for name in BAD if name and "/" not in name and "\0" not in name and len(name) < 200]
    for file in [*(name + b".arrow" for name in bad), b"\xff.arrow", b".arrow", b"good", b"other.ARROW"]:
        with open(os.fsencode(directory) + b"/" + file, "wb") as made:
            made.write(data)
    assert one.get("names") == ["good"]
    assert one.get("gc") == []
