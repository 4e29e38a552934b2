"""A process that is killed, or a call that fails, in the middle: the old table or the new one, and nothing else.

This is a sample: ``tests/faults`` tries every system call of the clients that it can drive.
"""

from __future__ import annotations

import errno
import os

import pytest
from conformance.conftest import needs_interception
from conformance.witness import EXCLUSIVE, can_lock, entries
from faults.interception import KILL
from measures import footprint
from waiting import eventually

pytestmark = needs_interception
CALLS = {"write": ("write", "writev"), "name": ("renameat", "renameat2", "rename")}


@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed draft", "dot file"])
@pytest.mark.parametrize("where", CALLS)
def test_killed_while_it_shares(client, language, observer, directory, parent, where, unnamed) -> None:
    """It is killed with the data half written, and with the directory lock held."""
    observer.do("share", rows=10)
    dying = client(language, watched=True, mortal=True)

    def decide(call):
        if call.name in CALLS[where]:
            return KILL
        return errno.EOPNOTSUPP if call.unnamed and not unnamed else None

    with dying.watch.calls(decide), pytest.raises((EOFError, ConnectionError)):
        dying.do("share", rows=20)
    dying.kill()
    eventually(lambda: can_lock(directory / ".live", EXCLUSIVE))
    assert observer.get("info")["rows"] == 10
    observer.do("share", rows=10)
    assert len([path for path in entries(directory) if path.startswith(".")]) == 1, "the token of who lives"
    assert len(footprint(parent)) == 1


def test_killed_while_it_has_a_table_attached(client, language, observer) -> None:
    observer.do("share")
    reader = client(language, mortal=True)
    reader.do("attach")
    assert observer.get("info")["pids"] == sorted([observer.pid, reader.pid])
    reader.kill()
    eventually(lambda: observer.get("info")["pids"] == [observer.pid])


@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed draft", "dot file"])
def test_a_full_directory(client, language, observer, directory, parent, unnamed) -> None:
    """A write that finds no room is `NoRoom`; the old table stays, and no draft is left."""
    one = client(language, watched=True)
    observer.do("share", rows=10)

    def decide(call):
        if call.name in CALLS["write"]:
            return errno.ENOSPC
        return errno.EOPNOTSUPP if call.unnamed and not unnamed else None

    with one.watch.calls(decide):
        assert one.refuses("share", rows=20) == "NoRoom"
    assert observer.get("info")["rows"] == 10
    assert not [path for path in entries(directory) if path.startswith(".new")]
    assert footprint(parent).keys() == {os.stat(directory / "t.arrow").st_ino}
    assert can_lock(directory / ".live", EXCLUSIVE)


def test_a_name_that_cannot_be_given(client, language, observer, directory, parent) -> None:
    one = client(language, watched=True)
    observer.do("share", rows=10)
    with one.watch.calls(lambda call: errno.EIO if call.name in CALLS["name"] else None):
        assert one.refuses("share", rows=20) == "StoreFailed"
    assert observer.get("info")["rows"] == 10
    assert not [path for path in entries(directory) if path.startswith(".new")]
    assert footprint(parent).keys() == {os.stat(directory / "t.arrow").st_ino}
    assert can_lock(directory / ".live", EXCLUSIVE)
