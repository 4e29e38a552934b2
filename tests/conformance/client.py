"""What the suite asks of a client of the protocol: a process that says these phrases in its language."""

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
    """What a client could not do: the name of the error's type, which is the same in all languages, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


class Client(ABC):
    """One process that uses a store, driven step by step.

    A client of the protocol is a subclass in a file of ``clients/``. Its
    ``phrases`` are templates in its language, to be filled by :meth:`literal`:

    ``use``      {directory}: from now on, work in this store and in no other
    ``default``  gives the path of the store that is used where nobody names one
    ``share``    {rows} integers 0, 1, ... as column ``a`` of the table {name}; {replace}, {pin}
    ``attach``   {name}; it is kept until ``drop``
    ``sum``      gives the sum of column ``a`` of what was attached last
    ``drop``     all that was attached is let go of, and its memory is given back
    ``unshare``  {name}
    ``pin``      {name}; and ``unpin``
    ``gc``       gives the sorted names of what went
    ``names``    gives the sorted names of all tables
    ``info``     gives a mapping for the table {name}: ``rows``, ``alive`` (its publisher), ``pinned``, ``pids`` (of
                 its holders, sorted; null for an unknown process), ``older`` (the same of its older versions)
    ``counts``   gives the sorted numbers of holders that twenty listings saw
    """

    language: ClassVar[str]
    prelude: ClassVar[str]  # what is to be run before the first phrase
    phrases: ClassVar[Mapping[str, str]]
    usual: ClassVar[Mapping[str, Any]] = {"name": "t", "rows": 1000, "replace": True, "pin": False}

    def __init__(self, directory: Path, *, watch: Watch | None = None, lasting: bool = True, **options: Any) -> None:
        """Start the process, with the options of :meth:`begin`."""
        self.watch = watch
        self.idle = True  # false as long as an answer is to come: who reads next would take it for his
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
            The file that the process is to be called after; to be made, if it is not there.
        kernel
            The connection file of the Jupyter kernel that it poses as: ``-f kernel`` at the end of the command.
        prefix
            The command to start the interpreter by.
        env
            More of the environment.
        lasting
            Whether many tests will use it: then it is worth compiling.

        Returns
        -------
        process
            It has ``pid``, ``process`` (the ``Popen``), ``run(code)``, ``get(expression)``, ``start(code)``,
            ``wait()`` and ``kill()``. What fails raises an exception, whose type's name, or whose ``kind``,
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
        """The name of the error that this ends in."""
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
    """Sees each system call of a process about a store before it is made, from the process's start to its end.

    Attributes
    ----------
    prefix
        The command to start the process by; only one.
    directory
        The store. Calls about other files are let pass.
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
        """What the process does in this block; ``decide`` what becomes of each call."""
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
        """After the process has ended."""
        self._thread.join(60)
