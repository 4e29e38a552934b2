"""Three users of this machine, two of them in one group, and processes that run as they do."""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import julia_peers
import pytest
from dialects import Dialect
from interpreter import Interpreter
from peers import IMPORTED, Peer
from people import Class, User, parent, people

__all__ = ["Class", "User", "parent", "people"]

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


@pytest.fixture(scope="module", params=["julia", "R"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return Dialect(request.param)


@pytest.fixture
def read_as(dialect: Dialect, parent: Path) -> Iterator[Callable[[User], Interpreter]]:
    """A process of this user; Julia's compiled code goes where that user may write."""
    started: list[Interpreter] = []

    def start(user: User) -> Interpreter:
        become = ("setpriv", "--reuid", user.name, "--regid", str(user.gid), "--init-groups")
        if subprocess.run([*become, "test", "-x", dialect.program], check=False).returncode:
            pytest.skip(f"other users may not run {dialect.program}: it was not tried as another user")
        home = parent / f"home-{user.name}"
        home.mkdir(exist_ok=True)
        os.chown(home, user.uid, user.gid)
        depot = f"{home}:{julia_peers.environment()['JULIA_DEPOT_PATH']}"
        private = f"{parent}/jupyter-arrowshm-{user.uid}"
        env = {"HOME": str(home), "TMPDIR": str(home), "JULIA_DEPOT_PATH": depot, PARENT: str(parent)}
        started.append(
            dialect.start(dialect.program, env={**env, "JUPYTER_ARROWSHM_DIR": private}, cwd=home, prefix=become)
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
