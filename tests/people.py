"""Three users of this machine, two of them in one group."""

from __future__ import annotations

import grp
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kernel import works

# What a reader tries with a table of a publisher, and the error with which the system refuses it: docs/security.md.
ATTEMPTS = {
    "write into a table": ("os.open, table, os.O_RDWR", "EACCES"),
    "truncate it": ("os.truncate, table, 0", "EACCES"),
    "make it writable": ("os.chmod, table, 0o666", "EPERM"),
    "remove it": ("os.unlink, table", "EACCES"),
    "put another in its place": ("os.rename, own, table", "EACCES"),
    "add a table": ("os.mkdir, folder + '/x.arrow'", "EACCES"),
    "link to it from there": ("os.symlink, own, folder + '/x.arrow'", "EACCES"),
    "move the directory": ("os.rename, folder, folder + '-moved'", "EPERM"),
    "open it to all": ("os.chmod, folder, 0o777", "EPERM"),
    "take the directory lock": ("os.open, folder + '/.live', os.O_RDONLY", "EACCES"),
    "see the publishers": ("os.listdir, folder + '/.live'", "EACCES"),
    "pin a table": ("os.open, folder + '/.pins/trips', os.O_CREAT", "EACCES"),
    "change its time of use": ("os.utime, table", "EPERM"),
    "end the publisher": ("os.kill, {ada}, signal.SIGTERM", "EPERM"),
}

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
