"""Older versions, removal, pins and notes: an attached table stays, no matter what happens to its name."""

from __future__ import annotations

from conformance.witness import entries
from measures import footprint
from waiting import eventually


def test_a_replaced_table_stays_with_who_has_it_attached(one, other, parent) -> None:
    other.do("share", rows=10)
    one.do("attach")
    other.do("share", rows=20)
    assert one.get("sum") == sum(range(10))
    assert one.get("info")["older"] == other.get("info")["older"] == [one.pid]
    one.do("attach")
    assert one.get("sum") == sum(range(20))
    assert len(footprint(parent)) == 2
    one.do("drop")
    assert other.get("info")["older"] == []
    assert len(footprint(parent)) == 1


def test_anybody_may_unshare_and_nobody_loses_what_is_attached(one, other, directory, parent) -> None:
    one.do("share", pin=True)
    one.do("attach")
    other.do("unshare")
    assert one.get("sum") == sum(range(1000))
    assert one.get("names") == other.get("names") == []
    assert {path for path in entries(directory) if not path.startswith(".live/")} == set()
    assert other.refuses("unshare") == one.refuses("attach") == "TableNotFound"
    assert len(footprint(parent)) == 1
    one.do("drop")
    assert not footprint(parent)


def test_only_what_nobody_holds_is_collected(one, other, client) -> None:
    publisher = client("python", mortal=True)
    for name in ("attached", "free", "pinned"):
        publisher.do("share", name=name)
    one.do("share", name="living")
    one.do("attach", name="attached")
    one.do("pin", name="pinned")
    assert other.get("gc") == [], "the publisher lives"
    publisher.kill()
    eventually(lambda: one.get("info", name="free")["alive"] is False)
    assert other.get("gc") == ["free"]
    assert sorted(one.get("names")) == ["attached", "living", "pinned"]
    one.do("drop")
    other.do("unpin", name="pinned")
    assert one.get("gc") == ["attached", "pinned"]
    assert other.get("names") == ["living"]


def test_a_note_says_why_a_table_was_collected_until_the_name_is_used_again(client, language, other, directory) -> None:
    publisher, one = client("python", mortal=True), client(language)
    publisher.do("share")
    publisher.kill()
    eventually(lambda: one.get("info")["alive"] is False)
    assert one.get("gc") == ["t"]
    assert 0 < len((directory / ".removed" / "t").read_bytes()) <= 500
    assert other.refuses("attach") == "TableNotFound"
    other.do("share")
    assert not (directory / ".removed" / "t").exists()


def test_a_pin_of_no_table_goes_with_the_next_share(one, directory) -> None:
    one.do("share", name="mine")
    (directory / ".pins" / "gone").touch(0o600)
    one.do("share", name="mine")
    assert list((directory / ".pins").iterdir()) == []
