"""One cluster for all tests, and a process on each of its machines: both take seconds to start."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from clusters import IP, Machines, started
from peers import Peer


@pytest.fixture(scope="session")
def session() -> Iterator[Machines]:
    with started("a", "b") as machines:
        yield machines


@pytest.fixture
def machines(session: Machines) -> Iterator[Machines]:
    """The cluster of all tests, in which nothing is shared; processes that a test started end with it."""
    kept = list(session.peers)
    yield session
    for one in session.peers:
        if one not in kept:
            one.end()
    session.peers[:] = kept
    for name in IP:
        shutil.rmtree(session.root / name, ignore_errors=True)


@pytest.fixture(scope="session")
def lasting(session: Machines) -> dict[str, Peer]:
    """A process on each machine, for all tests: joining a cluster takes seconds."""
    peers = {name: session.peer(name) for name in ("a", "b")}
    for one in peers.values():
        one.run("name = gc = None; kept = {*globals(), 'kept'}")
    return peers


@pytest.fixture
def a(machines: Machines, lasting: dict[str, Peer]) -> Peer:
    return _ready(lasting["a"])


@pytest.fixture
def b(machines: Machines, lasting: dict[str, Peer]) -> Peer:
    return _ready(lasting["b"])


def _ready(one: Peer) -> Peer:
    """Nothing is shared, and nothing is left of the test before: who has found a table keeps its rows there."""
    one.run("for name in {*globals()} - kept: del globals()[name]")
    one.run("for name in place.names(): place.unshare(name)\nimport gc; gc.collect()")
    return one


@pytest.fixture
def peer(machines: Machines) -> Callable[..., Peer]:
    """Another process on a machine, which a test may kill."""
    return machines.peer
