"""Tokens: a publisher is alive for as long as the file that it names in the footer is locked."""

from __future__ import annotations

import contextlib
import re
import stat

import pytest
from conformance import witness
from conformance.conftest import needs_interception
from conformance.witness import EXCLUSIVE, SHARED, can_lock, locked
from waiting import eventually


def token(directory, name: str = "t") -> str:
    return witness.footer(directory / f"{name}.arrow")["arrowshm.token"]


def test_one_locked_empty_file_for_each_publisher(one, other, directory) -> None:
    for publisher, name in ((one, "a"), (one, "b"), (other, "c")):
        publisher.do("share", name=name)
    assert token(directory, "a") == token(directory, "b") != token(directory, "c")
    for name in "ac":
        assert re.fullmatch("[0-9a-f]{32}", token(directory, name))
        path = directory / ".live" / token(directory, name)
        status = path.stat()
        assert (status.st_size, stat.S_IMODE(status.st_mode)) == (0, 0o600)
        assert not can_lock(path, SHARED)
    assert len(list((directory / ".live").iterdir())) == 2


def test_a_publisher_that_was_killed_is_dead_to_all(client, language, other, directory) -> None:
    publisher = client(language, mortal=True)
    publisher.do("share")
    assert other.get("info")["alive"] is True
    path = directory / ".live" / token(directory)
    publisher.kill()
    eventually(lambda: can_lock(path, EXCLUSIVE))
    about = other.get("info")
    assert (about["alive"], about["pids"], about["rows"]) == (False, [], 1000)
    other.do("share", name="next")
    assert not path.exists(), "the next share sweeps"
    assert other.get("names") == ["next", "t"], "tables stay"


@needs_interception
def test_a_publisher_waits_while_a_lister_asks_its_token(client, language, observer, directory) -> None:
    """Otherwise it would pass for dead, and `gc` would take its tables."""
    publisher = client(language, watched=True)
    asked = []

    with contextlib.ExitStack() as asking:

        def ask(call) -> None:
            if call.name == "flock" and "/.live/" in call.path:
                asked.append(call)
                if len(asked) == 1:
                    asking.enter_context(locked(directory / ".live" / call.path.rpartition("/")[2], SHARED))
                elif len(asked) == 3:
                    asking.close()

        with publisher.watch.calls(ask):
            publisher.do("share")
    assert len(asked) >= 3
    assert not can_lock(directory / ".live" / token(directory), SHARED)
    assert observer.get("info")["alive"] is True
    assert observer.get("gc") == []


def test_a_token_that_somebody_removed_is_shown_again(one, other, directory) -> None:
    one.do("share")
    (directory / ".live" / token(directory)).unlink()
    assert other.get("info")["alive"] is False
    one.do("share")
    assert other.get("info")["alive"] is True


@pytest.mark.parametrize("text", ["..", ".", "", "../t.arrow", "x" * 300, "0" * 32], ids=ascii)
def test_a_token_may_say_anything(one, directory, text) -> None:
    """A footer is only a file's claim: it does not lead to any other file, no matter which lock that has."""
    one.do("share", name="mine")
    facts = {"arrowshm.protocol": "1", "arrowshm.name": "t", "arrowshm.token": text}
    witness.write(directory / "t.arrow", facts)
    with locked(directory), locked(directory / ".live"):
        about = one.get("info")
    assert (about["rows"], about["alive"], about["pids"]) == (3, False, [])
