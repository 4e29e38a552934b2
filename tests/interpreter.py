"""A process of another language, driven step by step as `peers.Peer` is: real interpreters, real signals, no mocks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

CHECKOUT = Path(__file__).parent.parent


class Failure(Exception):
    """The error of a peer's code: the name of its type or class, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


@contextlib.contextmanager
def fails(pattern: str) -> Iterator[None]:
    """The block makes a peer fail; ``pattern`` is looked for in ``kind: text``."""
    try:
        yield
    except Failure as error:
        assert re.search(pattern, str(error), re.DOTALL), str(error)
    else:
        raise AssertionError(f"no error: {pattern}")


class Interpreter:
    """A process that runs the pieces of code that it is given, and answers with a line of JSON.

    A language is a subclass; the code of its ``loop`` reads the pieces from standard input, and writes the answers to
    the descriptor that ``ARROWSHM_REPLIES`` names.
    """

    language: ClassVar[str]
    flags: ClassVar[Sequence[str]]  # for each start
    loop: ClassVar[str]
    nothing: ClassVar[str]  # the value of code whose value is not asked for

    def __init__(
        self,
        program: str,
        *options: str,
        env: Mapping[str, str] | None = None,
        flags: Sequence[str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """Start it in ``cwd``; ``prefix`` is a command to start it by."""
        reader, writer = os.pipe()
        os.fchmod(writer, 0o666)  # R opens it by its path, perhaps as another user
        self.process = subprocess.Popen(
            [*prefix, program, *(self.flags if flags is None else flags), *(options or ("-e", self.loop))],
            stdin=subprocess.PIPE,
            pass_fds=[writer],
            cwd=cwd,
            env={**self.environment(), "ARROWSHM_REPLIES": str(writer), **(env or {})},
        )
        os.close(writer)
        self._replies = os.fdopen(reader, "rb")
        self.wait()

    @staticmethod
    def environment() -> dict[str, str]:
        """What the language needs in order to find our package."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self, code: str) -> None:
        """Run code without waiting; :meth:`wait` gives the value of its last expression."""
        assert self.process.stdin is not None
        data = code.encode()
        self.process.stdin.write(b"%d\n" % len(data) + data)
        self.process.stdin.flush()

    def wait(self) -> Any:
        line = self._replies.readline()
        if not line:
            raise EOFError(f"{self.language} ended with {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise Failure(reply["error"], reply["text"])
        return reply["value"]

    def run(self, code: str) -> None:
        self.start(f"{code}\n{self.nothing}")
        self.wait()

    def get(self, code: str) -> Any:
        self.start(code)
        return self.wait()

    def interrupt(self) -> Any:
        """SIGINT, again where a finalizer has swallowed it, until there is an answer."""
        ready: list[Any] = []
        while not ready:
            self.process.send_signal(signal.SIGINT)
            ready, _, _ = select.select([self._replies], [], [], 60)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self._close()

    def quit(self) -> None:
        """Let it end by itself."""
        self._close_input()
        self._close()

    def _close(self) -> None:
        self.process.wait()
        self._close_input()
        self._replies.close()

    def _close_input(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()


def fetched(script: Path, *, needed_by_ci: bool = False) -> str:
    """The interpreter whose path ``script`` prints. Without one the test is left out, with the line that says why."""
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if found.returncode:
        if needed_by_ci and os.environ.get("CI"):
            pytest.fail(found.stderr.strip(), pytrace=False)
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()
