"""Two users of one machine: real processes of two other users, in a directory that all may write to, as /dev/shm is."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kernel import works
from peers import IMPORTED, Peer

import jupyter_arrowshm as shm

OWNER, INTRUDER = 65533, 65534
pytestmark = pytest.mark.skipif(
    not works("setpriv", f"--reuid={OWNER}", "--clear-groups", "true"),
    reason="this user cannot become another one, as root can",
)

# All is imported before: another user may not be allowed to read it.
BECOME = """
import difflib, errno, fcntl, signal, psutil, pyarrow.compute
{imported}
shm.Store().tables()
os.setgroups([])
os.setresgid({user}, {user}, {user})
os.setresuid({user}, {user}, {user})

def refused(call, *arguments, **keywords):
    '''The error number with which the system refuses a call.'''
    try:
        call(*arguments, **keywords)
    except OSError as error:
        return errno.errorcode[error.errno]
"""
CALLS = {
    "tables": "shm.tables()",
    "info": "shm.info('trips')",
    "attach": "shm.attach('trips')",
    "share": "shm.share(pa.table({'a': [1]}), 'trips', replace=True)",
    "writer": "shm.writer('trips', pa.schema([]), replace=True)",
    "unshare": "shm.unshare('trips')",
    "pin": "shm.pin('trips')",
    "unpin": "shm.unpin('trips')",
    "gc": "shm.gc()",
}


@pytest.fixture
def user(directory: Path, peer: Callable[..., Peer]) -> Iterator[Callable[[int], Peer]]:
    """Start a process that becomes this user."""

    def start(number: int) -> Peer:
        one = peer()
        one.run(BECOME.format(user=number, imported=IMPORTED))
        assert one.get("(os.getresuid(), os.getresgid(), os.getgroups())") == ((number,) * 3, (number,) * 3, [])
        return one

    yield start


def test_what_one_user_shares_no_other_can_touch(user: Callable[[int], Peer], directory: Path, parent: Path) -> None:
    owner, intruder = user(OWNER), user(INTRUDER)
    owner.run("shm.share(pa.table({'a': [1, 2, 3]}), 'trips', pin=True); trips = shm.attach('trips')")
    table = directory / "trips.arrow"
    (token,) = (directory / ".live").iterdir()
    before = [os.lstat(path) for path in (directory, table, token, directory / ".pins" / "trips")]
    assert [one.st_uid for one in before] == [OWNER] * 4

    # By the package: refused, and no name is told.
    for call in CALLS.values():
        with pytest.raises(shm.UnsafeDirectory, match=f"belongs to user {OWNER}, not to you") as caught:
            intruder.run(call)
        assert "trips" not in str(caught.value)

    # By the system: neither list, read, lock, replace, remove nor move, also by paths that are known.
    for path in (directory, *(f"{directory}/{name}" for name in (".live", ".pins"))):
        for call in (f"os.listdir, {str(path)!r}", f"os.open, {str(path)!r}, os.O_RDONLY"):
            assert intruder.get(f"refused({call})") == "EACCES", (call, path)
    for path in (table, token):
        for call in (
            f"os.open, {str(path)!r}, os.O_RDONLY",
            f"os.open, {str(path)!r}, os.O_WRONLY",
            f"os.stat, {str(path)!r}",
            f"os.truncate, {str(path)!r}, 0",
            f"os.chmod, {str(path)!r}, 0o777",
            f"os.unlink, {str(path)!r}",
            f"os.link, {str(path)!r}, {str(parent / 'link')!r}",
            f"os.rename, {str(path)!r}, {str(parent / 'moved')!r}",
        ):
            assert intruder.get(f"refused({call})") == "EACCES", call
    for call in ("os.mkdir, '{}/x'", "os.symlink, '/', '{}/x.arrow'", "os.mkfifo, '{}/x.arrow'"):
        assert intruder.get(f"refused({call.format(directory)})") == "EACCES", call
    for call in ("os.rename, '{}', '{}-moved'", "os.rmdir, '{}'", "os.chmod, '{}', 0o777"):
        assert intruder.get(f"refused({call.format(directory, directory)})") == "EPERM", call
    # A descriptor that needs no permission (O_PATH) opens nothing further, and cannot be locked.
    intruder.run(f"at = os.open({str(directory)!r}, os.O_PATH | os.O_DIRECTORY)")
    assert intruder.get("refused(os.open, 'trips.arrow', os.O_RDONLY, dir_fd=at)") == "EACCES"
    assert intruder.get("refused(fcntl.flock, at, fcntl.LOCK_EX)") == "EBADF"

    # Nor by the processes: who has a table attached cannot be looked into, and not be stopped.
    for place in ("maps", "mem", "environ", "map_files", "fd"):
        call = "os.listdir" if place in ("map_files", "fd") else "open"
        assert intruder.get(f"refused({call}, '/proc/{owner.pid}/{place}')") in ("EACCES", "EPERM"), place
    for signal in ("SIGSTOP", "SIGTERM", "SIGKILL"):
        assert intruder.get(f"refused(os.kill, {owner.pid}, signal.{signal})") == "EPERM"

    assert [os.lstat(path) for path in (directory, table, token, directory / ".pins" / "trips")] == before
    owner.run("shm.share(pa.table({'a': [4]}), 'trips')")
    assert owner.get("trips['a'].to_pylist() + shm.attach('trips')['a'].to_pylist()") == [1, 2, 3, 4]
    assert owner.get("[(table.name, table.in_use_by) for table in shm.tables()]") == [("trips", "1")]

    # What others can see at all, as docs/security.md says: that there is a directory, and locks.
    assert intruder.get(f"os.stat({str(directory)!r}).st_mode") == stat.S_IFDIR | 0o700


SQUATS = {
    "a directory": "os.mkdir(path, 0o777); os.chmod(path, 0o777)",
    "a private directory": "os.mkdir(path, 0o700)",
    "a directory with a table": "os.mkdir(path, 0o755); os.chmod(path, 0o755);"
    " open(path + '/trips.arrow', 'wb').write(bytes(100)); os.chmod(path + '/trips.arrow', 0o666)",
    "a link to its directory": "os.mkdir(path + '-real', 0o777); os.chmod(path + '-real', 0o777);"
    " os.symlink(path + '-real', path)",
    "a link to a private directory of the owner": "os.symlink(path + '-own', path)",
    "a link to nothing": "os.symlink(path + '-nothing', path)",
    "a file": "open(path, 'w').close()",
    "a FIFO": "os.mkfifo(path, 0o666)",
}


def test_a_directory_that_another_user_put_there_is_refused(
    user: Callable[[int], Peer], directory: Path, parent: Path
) -> None:
    """That denies service; it never gives data, or takes any. Another directory still works."""
    owner, intruder = user(OWNER), user(INTRUDER)
    owner.run(f"path = {str(directory)!r}; os.mkdir(path + '-own', 0o700)")
    for kind, make in SQUATS.items():
        intruder.run(f"path = {str(directory)!r}; {make}")
        before = sorted(parent.rglob("*"))
        for call in CALLS.values():
            with pytest.raises(shm.UnsafeDirectory):
                owner.run(call)
        assert sorted(parent.rglob("*")) == before, f"{kind}: something was made"
        # Nor can its maker be moved to take it away: it lies in a directory with the sticky bit.
        assert owner.get("refused(os.rename, path, path + '-moved')") == "EPERM"
        intruder.run("import shutil; os.unlink(path) if not os.path.isdir(path) or os.path.islink(path) else None")
        intruder.run("[shutil.rmtree(one) for one in (path, path + '-real') if os.path.isdir(one)]")
    owner.run(f"mine = shm.Store({str(directory) + '-mine'!r}); mine.share(pa.table({{'a': [1]}}), 'trips')")
    assert owner.get("mine.attach('trips').num_rows") == 1


def test_a_directory_that_others_may_enter_is_refused(user: Callable[[int], Peer], directory: Path) -> None:
    owner, intruder = user(OWNER), user(INTRUDER)
    owner.run("shm.share(pa.table({'a': [1]}), 'trips'); trips = shm.attach('trips')")
    owner.run(f"os.chmod({str(directory)!r}, 0o777)")
    # In that moment somebody else could have put something there; and could do no more than this.
    planted = f"{directory}/planted.arrow"
    intruder.run(f"with open('{directory}/planted.arrow', 'wb') as file: file.write(bytes(99))")
    assert intruder.get(f"refused(open, '{directory}/trips.arrow')") == "EACCES", "tables are 0400, also by themselves"
    for call in CALLS.values():
        with pytest.raises(shm.UnsafeDirectory, match="is open to other users"):
            owner.run(call)
    owner.run(f"os.chmod({str(directory)!r}, 0o700)")
    assert owner.get("[table.name for table in shm.tables()]") == ["trips"] and os.path.exists(planted)
    with pytest.raises(shm.TableNotFound):
        owner.run("shm.attach('planted')")
    owner.run("shm.share(pa.table({'a': [7]}), 'planted')")
    assert owner.get("shm.attach('planted')['a'].to_pylist() + trips['a'].to_pylist()") == [7, 1]


def test_whoever_may_read_all_does_not_use_what_others_share(user: Callable[[int], Peer], store: shm.Store) -> None:
    """Root could; it would make files in a user's directory that the user cannot read."""
    owner = user(OWNER)
    owner.run("shm.share(pa.table({'a': [1]}), 'trips')")
    for call in (store.tables, store.gc, lambda: store.attach("trips"), lambda: store.unshare("trips")):
        with pytest.raises(shm.UnsafeDirectory, match=f"belongs to user {OWNER}"):
            call()
