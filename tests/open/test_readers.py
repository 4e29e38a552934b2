"""What one user shares with everyone or with a group: real processes of three real users."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from peers import Peer
from people import ATTEMPTS, Class, User
from waiting import eventually

import jupyter_arrowshm as shm

Start = Callable[[User], Peer]
LISTED = "[(t.name, t.in_use_by, t.users) for t in shm.place({!r}).tables()]"


def test_everyone_reads_and_only_the_group_reads_what_is_for_the_group(
    people: Class, as_user: Start, parent: Path
) -> None:
    ada, ben, eve = map(as_user, (people.ada, people.ben, people.eve))
    ada.run("shm.place('everyone').share(pa.table({'a': [1, 2, 3]}), 'trips')")
    ada.run(f"shm.place('group:{people.group}').share(pa.table({{'a': [4]}}), 'marks')")
    for one, expected in ((ben, ["marks", "trips"]), (eve, ["trips"])):
        one.run(f"place = shm.place({people.ada.name!r})")
        assert one.get("[table.name for table in place.tables()]") == expected == one.get("place.names()")
        assert one.get("[one.name for one in shm.places()]") == [people.ada.name]
        one.run("trips = place.attach('trips')")
        assert one.get("trips['a'].to_pylist(), pa.total_allocated_bytes()")[0] == [1, 2, 3]
    assert ben.get("place.attach('marks')['a'].to_pylist()") == [4]
    assert ben.get("place.head('trips', 5, offset=1)['a'].to_pylist()") == [2, 3]
    with pytest.raises(shm.TableNotFound, match=f"no shared table 'marks' from {people.ada.name}"):
        eve.run("place.head('marks')")
    with pytest.raises(shm.TableNotFound, match=f"no shared table 'marks' from {people.ada.name}"):
        eve.run("place.attach('marks')")
    marks = f"{parent}/jupyter-arrowshm-{people.ada.uid}-g{people.gid}"
    for call in (f"os.listdir, {marks!r}", f"os.open, {marks + '/marks.arrow'!r}, os.O_RDONLY"):
        assert eve.get(f"refused({call})") == "EACCES"
    modes = {
        path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in parent.rglob("*") if "token" not in path.name
    }
    assert modes[f"jupyter-arrowshm-{people.ada.uid}-open"] == "0o755" and modes["trips.arrow"] == "0o444"
    assert modes[f"jupyter-arrowshm-{people.ada.uid}-g{people.gid}"] == "0o750" and modes["marks.arrow"] == "0o440"
    # What is private stays so.
    ada.run("shm.share(pa.table({'a': [9]}), 'secret')")
    assert ben.get("place.names()") == ["marks", "trips"]
    assert ben.get(f"refused(os.listdir, '{parent}/jupyter-arrowshm-{people.ada.uid}')") == "EACCES"


def test_all_three_see_who_uses_a_table(people: Class, as_user: Start) -> None:
    ada, ben, eve = map(as_user, (people.ada, people.ben, people.eve))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1]}), 'trips')")
    for one in (ben, eve):
        one.run(f"place = shm.place({people.ada.name!r}); trips = place.attach('trips')")
    users = {people.ada: ada, people.ben: ben, people.eve: eve}
    for reader, one in users.items():
        place = "everyone" if reader is people.ada else people.ada.name
        ((name, count, _),) = one.get(LISTED.format(place))
        assert (name, count) == ("trips", "3"), reader
        holders = one.get(f"[(h.pid, h.user) for h in shm.place({place!r}).info('trips').holders]")
        expected = {(peer.pid, "" if user is reader else user.name) for user, peer in users.items()}
        assert set(holders) == expected, reader
    ben.run("del trips")
    assert ada.get("mine.info('trips').in_use_by") == "2"
    eve.kill()
    assert ada.get("mine.info('trips').in_use_by") == "1" == ben.get("place.info('trips').in_use_by")
    ada.kill()
    assert ben.get("(place.info('trips').in_use_by, place.info('trips').publisher.alive)") == ("0", False)


@pytest.mark.parametrize("goes", ["killed", "unshares", "replaces", "logs out"])
def test_a_reader_keeps_its_version_whatever_the_publisher_does(
    people: Class, as_user: Start, parent: Path, goes: str
) -> None:
    ada, ben = map(as_user, (people.ada, people.ben))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1, 2]}), 'trips')")
    ben.run(f"place = shm.place({people.ada.name!r}); trips = place.attach('trips')")
    if goes == "killed":
        ada.kill()
    elif goes == "unshares":
        ada.run("mine.unshare('trips')")
    elif goes == "replaces":
        ada.run("mine.share(pa.table({'a': [3]}), 'trips')")
    else:  # as systemd's RemoveIPC does at the last logout
        ada.kill()
        for path in (parent / f"jupyter-arrowshm-{people.ada.uid}-open").iterdir():
            if path.is_file():
                path.unlink()
    assert ben.get("trips['a'].to_pylist()") == [1, 2]
    if goes in ("unshares", "logs out"):
        with pytest.raises(shm.TableNotFound):
            ben.run("place.attach('trips')")
    else:
        assert ben.get("place.attach('trips')['a'].to_pylist()") == ([3] if goes == "replaces" else [1, 2])
    # The next process of the publisher may take the name: a killed one left nothing that is in the way.
    again = as_user(people.ada)
    again.run("shm.place('everyone').share(pa.table({'a': [5]}), 'trips', replace=True)")
    assert ben.get("place.attach('trips')['a'].to_pylist()") == [5]


def test_the_table_of_attempts(people: Class, as_user: Start, parent: Path) -> None:
    """docs/security.md has the same rows: each is refused by the system, and nothing has changed."""
    ada, eve = map(as_user, (people.ada, people.eve))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1, 2]}), 'trips')")
    folder = parent / f"jupyter-arrowshm-{people.ada.uid}-open"
    before = [os.lstat(path) for path in sorted(folder.rglob("*"))]
    eve.run(f"folder = {str(folder)!r}; table = folder + '/trips.arrow'; own = '{parent}/own'")
    eve.run("open(own, 'w').close()")
    for what, (call, expected) in ATTEMPTS.items():
        assert eve.get(f"refused({call.format(ada=ada.pid)})") in (expected, "EPERM", "EACCES"), what
    for call in ("share(pa.table({'a': [1]}), 'trips', replace=True)", "unshare('trips')"):
        with pytest.raises(shm.PlaceFailed, match="which nobody else can change"):
            eve.run(f"shm.place({people.ada.name!r}).{call}")
    assert [os.lstat(path) for path in sorted(folder.rglob("*"))] == before


def test_a_reader_that_locks_all_that_it_can_keeps_nobody_out(people: Class, as_user: Start, parent: Path) -> None:
    """Neither the publisher nor the other readers: it can keep the memory of a table, and no more."""
    ada, ben, eve = map(as_user, (people.ada, people.ben, people.eve))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1, 2]}), 'trips')")
    folder = f"{parent}/jupyter-arrowshm-{people.ada.uid}-open"
    eve.run(f"held = [os.open(path, os.O_RDONLY) for path in ({folder!r}, {folder + '/trips.arrow'!r})]")
    eve.run("[fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB) for fd in held]")
    ben.run(f"place = shm.place({people.ada.name!r}); trips = place.attach('trips')")
    assert ben.get("trips['a'].to_pylist()") == [1, 2] == ada.get("mine.attach('trips')['a'].to_pylist()")
    assert ada.get("mine.info('trips').name") == "trips" == ben.get("place.tables()[0].name")
    ada.run("mine.share(pa.table({'a': [3]}), 'trips'); mine.share(pa.table({'a': [4]}), 'more')")
    assert ben.get("place.attach('trips')['a'].to_pylist()") == [3]
    ada.run("mine.unshare('trips')")
    assert ben.get("place.names()") == ["more"] and ben.get("trips['a'].to_pylist()") == [1, 2]


SQUATS = {
    "a directory of another user": "os.mkdir(path, 0o755)",
    "a link to a directory of the publisher": "os.symlink(path + '-real', path)",
    "a file": "open(path, 'w').close()",
}


@pytest.mark.parametrize("kind", SQUATS)
def test_a_directory_that_another_user_put_there_is_refused(
    people: Class, as_user: Start, parent: Path, kind: str
) -> None:
    """It denies the publisher a place, and gives no reader any data."""
    ada, ben, eve = map(as_user, (people.ada, people.ben, people.eve))
    path = f"{parent}/jupyter-arrowshm-{people.ada.uid}-open"
    ada.run(f"os.mkdir({path + '-real'!r}, 0o755)")
    eve.run(f"path = {path!r}; {SQUATS[kind]}")
    with pytest.raises(shm.UnsafeDirectory, match=r"Ask its owner or an administrator to remove it\.$"):
        ada.run("shm.place('everyone').share(pa.table({'a': [1]}), 'trips')")
    # Her own tables are shared as before, and with others once it is gone.
    ada.run("shm.share(pa.table({'a': [1]}), 'mine')")
    assert ben.get("[one.name for one in shm.places()]") == []
    with pytest.raises((shm.UnsafeDirectory, shm.TableNotFound)):
        ben.run(f"shm.place({people.ada.name!r}).attach('trips')")
    eve.run("os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)")
    ada.run("shm.place('everyone').share(pa.table({'a': [1]}), 'trips')")
    assert ben.get(f"shm.place({people.ada.name!r}).attach('trips').num_rows") == 1


def test_a_directory_that_others_may_write_to_is_refused(people: Class, as_user: Start, parent: Path) -> None:
    ada, ben = map(as_user, (people.ada, people.ben))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1]}), 'trips')")
    ada.run(f"os.chmod('{parent}/jupyter-arrowshm-{people.ada.uid}-open', 0o777)")
    with pytest.raises(shm.UnsafeDirectory, match="can be written by others"):
        ben.run(f"shm.place({people.ada.name!r}).attach('trips')")
    with pytest.raises(shm.UnsafeDirectory, match=r"can be written by other users\. Run chmod 755"):
        ada.run("mine.tables()")
    assert ben.get("list(shm.places())") == []


def test_a_table_that_lies_is_refused_before_it_is_used(people: Class, as_user: Start, parent: Path) -> None:
    """A file with our footer is trusted when it is one's own; another user's is checked in full, once."""
    ada, ben = map(as_user, (people.ada, people.ben))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': ['x' * 100] * 100}), 'trips')")
    path = f"{parent}/jupyter-arrowshm-{people.ada.uid}-open/trips.arrow"
    # Offsets that lead far outside, in a file whose metadata is whole.
    ada.run(f"os.chmod({path!r}, 0o600); file = open({path!r}, 'r+b'); data = file.read()")
    ada.run("at = data.index((100).to_bytes(4, 'little') + (200).to_bytes(4, 'little')); file.seek(at)")
    ada.run("file.write((1 << 30).to_bytes(4, 'little')); file.close()")
    ada.run(f"os.chmod({path!r}, 0o444)")
    for copy in (False, True):
        with pytest.raises(shm.DamagedTable):
            ben.run(f"shm.place({people.ada.name!r}).attach('trips', copy={copy})")
    assert ben.process.poll() is None


def test_a_table_that_is_cut_short_ends_its_readers_and_no_copy(people: Class, as_user: Start, parent: Path) -> None:
    """No seal can be put on a file of tmpfs; who does not trust the publisher makes a copy."""
    ada, ben, eve = map(as_user, (people.ada, people.ben, people.eve))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': range(100_000)}), 'trips')")
    for one, copy in ((ben, False), (eve, True)):
        one.run(f"trips = shm.place({people.ada.name!r}).attach('trips', copy={copy})")
    path = f"{parent}/jupyter-arrowshm-{people.ada.uid}-open/trips.arrow"
    ada.run(f"os.chmod({path!r}, 0o600); os.truncate({path!r}, 100)")
    assert eve.get("pyarrow.compute.sum(trips['a']).as_py()") == sum(range(100_000))
    ben.start("pyarrow.compute.sum(trips['a'])")
    eventually(lambda: ben.process.poll() == -signal.SIGBUS)


def test_switched_off(people: Class, as_user: Start) -> None:
    ada = as_user(people.ada)
    ada.run("shm.place('everyone').share(pa.table({'a': [1]}), 'trips')")
    ada.run("os.environ['JUPYTER_ARROWSHM_OPEN_PLACES'] = '0'")
    for name in ("everyone", f"group:{people.group}", people.ben.name):
        with pytest.raises(shm.PlaceFailed, match="tables are not shared among users here"):
            ada.run(f"shm.place({name!r})")
    assert ada.get("list(shm.places())") == []


def test_groups_of_others_are_not_offered(people: Class, as_user: Start) -> None:
    eve = as_user(people.eve)
    with pytest.raises(shm.PlaceFailed, match=f"{people.group} is not a group that you are in. You are in eve"):
        eve.run(f"shm.place('group:{people.group}')")
