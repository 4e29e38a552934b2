"""Three users of this machine, two of them in one group, and processes that run as they do."""

from __future__ import annotations

import grp
import itertools
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kernel import works
from peers import IMPORTED, Peer

PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"
# All is imported before: another user may not be allowed to read it.
BECOME = """
import difflib, errno, fcntl, json, mmap, pwd, grp, signal, stat, tempfile, psutil, pyarrow.compute, pyarrow.fs
import jupyter_core.paths
import jupyter_arrowshm.elsewhere
{imported}
warm = shm.Store({warm!r})
warm.share(pa.table({{"a": ["x"]}}), "t"); warm.tables(); warm.info("t"); warm.attach("t").validate(full=True)
repr(warm.tables()), warm.unshare("t"); import shutil; shutil.rmtree(warm.directory)
os.initgroups({name!r}, {gid})
os.setresgid(*[{gid}] * 3)
os.setresuid(*[{uid}] * 3)
os.environ.update(HOME={home!r}, USER={name!r})

def refused(call, *arguments, **keywords):
    '''The error number with which the system refuses a call.'''
    try:
        call(*arguments, **keywords)
    except OSError as error:
        return errno.errorcode[error.errno]
"""
can_make_users = os.geteuid() == 0 and shutil.which("useradd") is not None and works("useradd", "--help")


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gid: int
    home: str


@dataclass(frozen=True)
class Class:
    """A publisher, a member of the same group, and one who is not in it."""

    group: str
    gid: int
    ada: User
    ben: User
    eve: User


@pytest.fixture(scope="session")
def people() -> Iterator[Class]:
    if not can_make_users:
        pytest.skip("only root can make users with useradd: no test with three users ran")
    suffix = secrets.token_hex(3)
    group, names = f"ash-{suffix}", [f"{name}-{suffix}" for name in ("ada", "ben", "eve")]
    try:
        subprocess.run(["groupadd", group], check=True, capture_output=True)
        for name in names:
            groups = [] if name.startswith("eve") else ["--groups", group]
            home = ["--home-dir", f"/nonexistent/{name}", "--no-create-home"]
            subprocess.run(["useradd", *home, *groups, name], check=True, capture_output=True)
        users = [User(one.pw_name, one.pw_uid, one.pw_gid, one.pw_dir) for one in map(pwd.getpwnam, names)]
        yield Class(group, grp.getgrnam(group).gr_gid, *users)
    finally:
        for name in names:
            subprocess.run(["userdel", name], check=False, capture_output=True)
        subprocess.run(["groupdel", group], check=False, capture_output=True)


@pytest.fixture
def parent() -> Iterator[Path]:
    """A directory that all may pass through and write to, as /dev/shm and /tmp are."""
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    path = Path(f"{root}/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.mkdir()
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def started() -> Iterator[dict[User, list[Peer]]]:
    """Processes of each user, for the next test, too: what each has to import takes a second."""
    peers: dict[User, list[Peer]] = {}
    yield peers
    for one in itertools.chain.from_iterable(peers.values()):
        one.end()


@pytest.fixture
def as_user(started: dict[User, list[Peer]], parent: Path) -> Iterator[Callable[[User], Peer]]:
    """A process of this user, with a private store of its own; another one each time."""
    lent: list[tuple[User, Peer]] = []

    def start(user: User) -> Peer:
        env = {PARENT: str(parent), "JUPYTER_ARROWSHM_DIR": f"{parent}/jupyter-arrowshm-{user.uid}"}
        if free := started.setdefault(user, []):
            one = free.pop()
        else:
            one = Peer(env={**env, "TMPDIR": "/tmp"})
            warm = str(parent / secrets.token_hex(4))
            one.run(
                BECOME.format(imported=IMPORTED, name=user.name, uid=user.uid, gid=user.gid, home=user.home, warm=warm)
            )
            one.run("kept = {*globals(), 'kept'}")
        lent.append((user, one))
        one.run(f"os.environ.update({env!r}); os.environ.pop('JUPYTER_ARROWSHM_OPEN_PLACES', None)")
        assert one.get("os.getresuid()") == (user.uid,) * 3
        return one

    yield start
    for user, one in lent:
        if one.process.poll() is None:
            one.run("for name in {*globals()} - kept: del globals()[name]")
            started[user].append(one)
        else:
            one.end()
