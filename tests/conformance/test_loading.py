"""Loading: one process loads, the others wait for its table, and nobody waits for a process that has ended.

R does not load. ``tests/julia/test_loading.py`` has what is Julia's own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance import witness
from conformance.client import Client, Refused
from conformance.witness import EXCLUSIVE, can_lock
from waiting import eventually

LOADERS = ("python", "julia")
PAIRS = [(one, other) for one in LOADERS for other in LOADERS]


class Log:
    """What the function that loads writes: ``+`` when it begins, ``-`` when it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def text(self) -> str:
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


def load(client: Client, log: Log, **words: object) -> None:
    client.start("load", **{"log": str(log), "pause": 0, "wait": 600, **words})


def lock_file(directory: Path) -> Path:
    return directory / ".loaded" / ".loading" / "t"


def is_open_in(client: Client, path: Path | str) -> bool:
    opened = set()
    for fd in os.listdir(f"/proc/{client.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            opened.add(os.readlink(f"/proc/{client.pid}/fd/{fd}"))
    return str(path) in opened


def is_clean(directory: Path) -> bool:
    return not [path for path in witness.entries(directory) if ".loading/" in path or ".new-" in path]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_one_loads_and_the_other_gets_its_table(
    client: Callable[..., Client], directory: Path, log: Log, first: str, second: str
) -> None:
    one, other = client(first), client(second)
    load(one, log, pause=2, rows=500)
    eventually(lambda: log.text == "+")
    assert not can_lock(lock_file(directory), EXCLUSIVE)
    load(other, log, rows=100)
    one.wait()
    other.wait()
    assert log.text == "+-"
    assert one.get("sum") == other.get("sum") == sum(range(500))
    assert one.get("info")["pids"] == sorted({one.pid, other.pid})
    load(other, log, rows=100)
    other.wait()
    assert log.text == "+-", "it is there"
    assert is_clean(directory)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_who_waits_goes_on_when_the_loader_is_killed_or_fails(
    client: Callable[..., Client], directory: Path, log: Log, first: str, second: str
) -> None:
    one, other = client(first), client(second)
    load(one, log, pause=600)
    eventually(lambda: log.text == "+")
    load(other, log, pause=2, rows=-1)  # fails, after a while
    one.kill()
    eventually(lambda: log.text == "++")
    third = client(first)
    load(third, log, rows=7)
    with pytest.raises(Refused, match="no such rows"):
        other.wait()
    third.wait()
    assert log.text == "+++-"
    assert third.get("sum") == sum(range(7)) and is_clean(directory)


@pytest.mark.parametrize("language", LOADERS)
def test_the_wait_is_bounded(client: Callable[..., Client], directory: Path, log: Log, language: str) -> None:
    one = client(language)
    lock = lock_file(directory)
    for folder in (directory, lock.parent.parent, lock.parent):
        folder.mkdir(0o700, exist_ok=True)
    fd = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    load(one, log, wait=0)
    with pytest.raises(Refused, match=r"Busy: the loading of .t. was busy"):
        one.wait()
    # The lock of a file that has lost its name is worth nothing: others have the next one.
    load(one, log, rows=3)
    eventually(lambda: is_open_in(one, lock))
    lock.unlink()
    newer = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(newer, fcntl.LOCK_EX)
    os.close(fd)
    eventually(lambda: not is_open_in(one, f"{lock} (deleted)"))
    time.sleep(0.3)
    assert log.text == ""
    lock.unlink()
    os.close(newer)
    one.wait()
    assert log.text == "+-" and one.get("sum") == 3 and is_clean(directory)


@pytest.mark.parametrize("language", LOADERS)
def test_a_table_that_is_shared_meanwhile_is_the_one(
    client: Callable[..., Client], observer: Client, directory: Path, log: Log, language: str
) -> None:
    one = client(language)
    load(one, log, pause=2, rows=500)
    eventually(lambda: log.text == "+")
    observer.do("share", rows=4)
    one.wait()
    assert one.get("sum") == sum(range(4)) and log.text == "+-" and is_clean(directory)


def test_many_load_while_loaders_are_killed(client: Callable[..., Client], directory: Path, log: Log) -> None:
    """Never two at a time; everybody who lives gets the whole table, which was read once if nobody was killed."""
    pick = random.Random()
    workers = {number: client(LOADERS[number % 2]) for number in range(4)}
    for round_ in range(6):
        log.path.unlink(missing_ok=True)
        for worker in workers.values():
            load(worker, log, pause=1, rows=100 + round_)
        killed = None
        if round_ % 2:
            time.sleep(pick.uniform(0, 1.5))
            killed = pick.choice(list(workers))
            os.kill(workers[killed].pid, signal.SIGKILL)
        for number, worker in workers.items():
            if number != killed:
                worker.wait()
                assert worker.get("sum") == sum(range(100 + round_)), (round_, number)
        if killed is not None:
            workers[killed].kill()
            workers[killed] = client(LOADERS[killed % 2])
        begun, ended = log.text.count("+"), log.text.count("-")
        # Who is killed may have read all rows, and not have shared them yet.
        assert 1 <= ended <= begun <= 1 + (killed is not None), (round_, log.text)
        assert "++" not in log.text or killed is not None
        for worker in workers.values():
            worker.do("drop")
        workers[0].do("unshare")
        assert is_clean(directory)
