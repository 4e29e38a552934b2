"""Processes of all clients, which one test after the other uses: starting and compiling takes seconds."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance.client import Client, Watch

for path in sorted((Path(__file__).parent / "clients").glob("*.py")):
    importlib.import_module(f"conformance.clients.{path.stem}")
CLIENTS = {one.language: one for one in Client.__subclasses__()}


class Pool:
    """Gives processes to tests and takes them back; one that has ended, or is still at work, is not given out again."""

    def __init__(self) -> None:
        self._idle: list[Client] = []
        self._folder = tempfile.TemporaryDirectory(prefix="arrowshm-test-")

    def take(self, language: str, directory: Path, *, watched: bool) -> Client:
        """A process of this language that works in the store."""
        for one in self._idle:
            if one.language == language and (one.watch is not None) == watched:
                self._idle.remove(one)
                one.use(directory)
                return one
        return CLIENTS[language](directory, watch=self.watch() if watched else None)

    def watch(self) -> Watch:
        return Watch(Path(self._folder.name))

    def give_back(self, one: Client) -> None:
        if one.idle and one.process.process.poll() is None:
            one.do("drop")
            self._idle.append(one)
        else:
            one.end()

    def end(self) -> None:
        for one in self._idle:
            one.end()
        self._folder.cleanup()


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    one = Pool()
    yield one
    one.end()


@pytest.fixture
def client(pool: Pool, directory: Path) -> Iterator[Callable[..., Client]]:
    """Give a process of a language, a different one each time, in this test's store.

    A ``watched`` one has a :class:`Watch`. One that is ``mortal``, because the test will kill it, or that has an option
    of :meth:`Client.begin`, is started for this test alone.
    """
    given: list[Client] = []
    own: list[Client] = []

    def give(language: str, *, watched: bool = False, mortal: bool = False, **options: Any) -> Client:
        if mortal or options:
            watch = pool.watch() if watched else None
            own.append(CLIENTS[language](directory, watch=watch, lasting=False, **options))
            return own[-1]
        given.append(pool.take(language, directory, watched=watched))
        return given[-1]

    yield give
    for one in own:
        one.end()
    for one in given:
        pool.give_back(one)
