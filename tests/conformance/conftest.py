"""Every case runs with every client, on tmpfs and on a plain directory; a case for two runs with every pair of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance.client import Client
from conformance.pool import CLIENTS
from faults import interception

needs_interception = pytest.mark.skipif(
    not interception.works(), reason="this system does not let a process's system calls be intercepted"
)


@pytest.fixture(params=CLIENTS)
def one(request: pytest.FixtureRequest, client: Callable[..., Client]) -> Client:
    """A client."""
    return client(request.param)


@pytest.fixture(params=CLIENTS)
def other(request: pytest.FixtureRequest, client: Callable[..., Client]) -> Client:
    """Another one, of each language."""
    return client(request.param)


@pytest.fixture
def observer(client: Callable[..., Client]) -> Client:
    """A client that only sees the result, in cases where it makes no difference which client it is."""
    return client("python")


@pytest.fixture(params=CLIENTS)
def language(request: pytest.FixtureRequest) -> str:
    """The language of the clients that the case starts itself."""
    return str(request.param)
