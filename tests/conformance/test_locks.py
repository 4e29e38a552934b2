"""Locks: the directory lock around every change of names, and the lease that the mapping holds."""

from __future__ import annotations

import fcntl
import os

from conformance import witness
from conformance.conftest import needs_interception
from conformance.witness import EXCLUSIVE, SHARED, can_lock, locked
from waiting import eventually


@needs_interception
def test_a_change_of_names_waits_for_the_directory_lock(client, language, directory) -> None:
    one = client(language, watched=True)
    one.do("share", name="there")
    before = witness.entries(directory)
    for what, name in (("share", "new"), ("pin", "there"), ("unshare", "there")):
        with one.watch.calls() as calls:
            with locked(directory / ".live"):
                one.start(what, name=name)
                eventually(lambda calls=calls: [call.name for call in calls].count("flock") >= 3)
                assert witness.entries(directory) == before, what
            one.wait()
        assert witness.entries(directory) != before, what
        before = witness.entries(directory)
    assert one.get("names") == ["new"]


@needs_interception
def test_the_directory_lock_is_held_for_names_and_not_for_data(client, language, directory) -> None:
    one = client(language, watched=True)
    free = {}

    def ask(call) -> None:
        if call.name in ("write", "writev", "linkat", "renameat"):
            free.setdefault(call.name.replace("writev", "write"), can_lock(directory / ".live", SHARED))

    with one.watch.calls(ask):
        one.do("share")
    assert free == {"write": True, "linkat": False, "renameat": False}
    assert can_lock(directory / ".live", EXCLUSIVE)


def test_attaching_and_listing_need_no_directory_lock(one, other, directory) -> None:
    one.do("share")
    with locked(directory / ".live"):
        other.do("attach")
        assert other.get("sum") == sum(range(1000))
        assert other.get("names") == ["t"]


@needs_interception
def test_a_table_that_comes_after_the_look_at_the_locks_has_its_own_users(client, language, directory, parent) -> None:
    """A disk gives the inode of a file that went to the next one; here a file that others read becomes the table."""
    one = client(language, watched=True)
    one.do("share")
    read = []
    for number in range(4):
        file = parent / f"read-by-others-{number}"
        file.write_bytes((directory / "t.arrow").read_bytes())
        file.chmod(0o400)
        os.utime(file, ns=(number, number))
        read.append((file, os.open(file, os.O_RDONLY)))
        fcntl.flock(read[-1][1], SHARED)

    def become_the_table(call) -> None:
        if call.name == "openat" and call.path.endswith("/t.arrow") and read:
            file, fd = read.pop(0)
            os.close(fd)
            file.rename(directory / "t.arrow")

    with one.watch.calls(become_the_table):
        assert one.get("counts") == [1]
    assert not read


def test_what_is_attached_is_locked_until_it_is_dropped(one, other, directory) -> None:
    one.do("share")
    path = directory / "t.arrow"
    assert can_lock(path, EXCLUSIVE), "its publisher holds it by its token alone"
    other.do("attach")
    assert can_lock(path, SHARED) and not can_lock(path, EXCLUSIVE)
    other.do("drop")
    assert can_lock(path, EXCLUSIVE)


@needs_interception
def test_attaching_waits_for_whoever_asks_whether_the_table_is_in_use(client, language, directory) -> None:
    one = client(language, watched=True)
    one.do("share")
    with one.watch.calls() as calls:
        with locked(directory / "t.arrow"):
            one.start("attach")
            eventually(lambda: [call.name for call in calls].count("flock") >= 3)
        one.wait()
    assert one.get("sum") == sum(range(1000))


@needs_interception
def test_a_name_that_leads_elsewhere_meanwhile_is_opened_again(client, language, observer, directory) -> None:
    """The table is replaced between the open and the lock: the newer one is attached, or else an older one."""
    one = client(language, watched=True)
    observer.do("share", rows=10)
    replaced = []

    def replace(call) -> None:
        if call.name == "flock" and not replaced:
            replaced.append(call)
            observer.do("share", rows=20)

    with one.watch.calls(replace):
        one.do("attach")
    assert replaced and one.get("sum") == sum(range(20))
    assert observer.get("info")["older"] == []


def test_everybody_sees_who_has_it_attached(one, other, client) -> None:
    publisher = client("python")
    publisher.do("share")
    for reader in (one, other):
        reader.do("attach")
    for process in (publisher, one, other):
        assert process.get("info")["pids"] == sorted([publisher.pid, one.pid, other.pid])
    one.do("drop")
    assert other.get("info")["pids"] == sorted([publisher.pid, other.pid])
