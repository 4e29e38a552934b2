"""The suite's demands on a client of the protocol: a process that says these phrases in its language."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from faults import interception
from faults.interception import Call, Interception, Verdict


class Refused(Exception):
    """A client's error: the name of its type, which is the same in all languages, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


class Client(ABC):
    """One process that uses a store, driven step by step.

    A client of the protocol is a subclass in a file of ``clients/``. Its
    ``phrases`` are templates in its language, to be filled by :meth:`literal`:

    ``use``      {directory}: from now on, work only in this store
    ``default``  gives the path of the store that is used if none is named
    ``share``    {rows} integers 0, 1, ... as column ``a`` of the table {name}; {replace}, {pin}
    ``attach``   {name}; it is kept until ``drop``
    ``load``     {name}, made of {rows} rows where there is none, by a function that appends ``+`` to the file {log},
                 sleeps {pause} seconds, fails with "no such rows" if that is less than 0, and appends ``-``; {wait}
                 is in seconds. A client that does not load has no such phrase
    ``sum``      gives the sum of column ``a`` of the table that was attached last
    ``drop``     lets go of everything that was attached, and gives back its memory
    ``unshare``  {name}
    ``pin``      {name}; and ``unpin``
    ``gc``       gives the sorted names of the tables that were removed
    ``names``    gives the sorted names of all tables
    ``info``     gives a mapping for the table {name}: ``rows``, ``alive`` (its publisher), ``pinned``, ``pids`` (of
                 its holders, sorted; null for an unknown process), ``older`` (the same of its older versions)
    ``counts``   gives the sorted numbers of holders that ten listings saw
    """

    language: ClassVar[str]
    prelude: ClassVar[str]  # code to run before the first phrase
    phrases: ClassVar[Mapping[str, str]]
    usual: ClassVar[Mapping[str, Any]] = {"name": "t", "rows": 1000, "replace": True, "pin": False}

    def __init__(self, directory: Path, *, watch: Watch | None = None, lasting: bool = True, **options: Any) -> None:
        """Start the process, with the options of :meth:`begin`."""
        self.watch = watch
        self.idle = True  # false while an answer is due: the next reader would take it for its own
        if watch is not None:
            options["prefix"] = [*options.get("prefix", ()), *watch.prefix]
        self.process = self.begin(**options, lasting=lasting)
        self.process.run(self.prelude)
        self.use(directory)

    def use(self, directory: Path) -> None:
        """Work in this store from now on."""
        self.do("use", directory=str(directory))
        if self.watch is not None:
            self.watch.directory = directory

    @abstractmethod
    def begin(
        self,
        *,
        script: Path | None = None,
        kernel: str | None = None,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        lasting: bool = False,
    ) -> Any:
        """Start the interpreter.

        Parameters
        ----------
        script
            The file that the process is named after; it is made if it is not there.
        kernel
            The connection file of the Jupyter kernel that it imitates: ``-f kernel`` at the end of the command.
        prefix
            The command that starts the interpreter.
        env
            Additional environment variables.
        lasting
            Whether many tests will use it, so that it is worth compiling.

        Returns
        -------
        process
            It has ``pid``, ``process`` (the ``Popen``), ``run(code)``, ``get(expression)``, ``start(code)``,
            ``wait()`` and ``kill()``. A failure raises an exception whose type's name, or whose ``kind``,
            is the name of the error.
        """

    @staticmethod
    @abstractmethod
    def literal(value: str | bool | int) -> str:
        """This value in the client's language. A text may hold lone surrogates: bytes that are not UTF-8."""

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def say(self, what: str, **words: Any) -> str:
        return self.phrases[what].format(
            **{word: self.literal(value) for word, value in {**self.usual, **words}.items()}
        )

    def do(self, what: str, **words: Any) -> None:
        with self._refusals():
            self.process.run(self.say(what, **words))

    def get(self, what: str, **words: Any) -> Any:
        with self._refusals():
            return self.process.get(self.say(what, **words))

    def start(self, what: str, **words: Any) -> None:
        """Do it without waiting; :meth:`wait` tells how it went."""
        self.idle = False
        self.process.start(self.say(what, **words))

    def wait(self) -> None:
        with self._refusals():
            self.process.wait()

    def refuses(self, what: str, **words: Any) -> str:
        """The name of the error that this code raises."""
        try:
            self.do(what, **words)
        except Refused as error:
            return error.kind
        return ""

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()

    def end(self) -> None:
        """After a test: at once, but where coverage is measured (:meth:`peers.Peer.end`)."""
        getattr(self.process, "end", self.process.kill)()
        if self.watch is not None:
            self.watch.end()

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        self.idle = False
        try:
            yield
        except (EOFError, ConnectionError):  # it has ended
            raise
        except Exception as error:
            self.idle = True
            raise Refused(getattr(error, "kind", type(error).__name__), str(error)) from None
        self.idle = True


class Watch:
    """Sees each system call that a process makes about a store before it runs, from the process's start to its end.

    Attributes
    ----------
    prefix
        The command that starts the process; it starts only one.
    directory
        The store. Calls about other files are let through.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / secrets.token_hex(4)
        self.prefix = [sys.executable, interception.__file__, str(path)]
        self.directory = Path("/nonexistent")
        self._decide: Callable[[Call], Verdict] = lambda call: None
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(1)
        self._listening.settimeout(60)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listening, self._listening.accept()[0] as connection:
            _, (listener,), _, _ = socket.recv_fds(connection, 1, 1)
        Interception(listener).serve(lambda call: self._decide(call), lambda: str(self.directory), patience=None)

    @contextlib.contextmanager
    def calls(self, decide: Callable[[Call], Verdict] = lambda call: None) -> Iterator[list[Call]]:
        """Watch what the process does in this block; ``decide`` says what happens to each call."""
        seen: list[Call] = []

        def note(call: Call) -> Verdict:
            seen.append(call)
            return decide(call)

        self._decide = note
        try:
            yield seen
        finally:
            self._decide = lambda call: None

    def end(self) -> None:
        """To be called after the process has ended."""
        self._thread.join(60)
