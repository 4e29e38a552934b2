"""An R process, driven step by step as `peers.Peer` is: real interpreters, real signals, no mocks."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "r"
CHECKOUT = HERE.parent.parent
LOOP = f"source({json.dumps(str(HERE / 'loop.R'))})"
FLAGS = ("--no-save", "--no-restore", "--no-init-file", "--no-echo")


class RError(Exception):
    """What a peer's code signalled: the class of the condition, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


@contextlib.contextmanager
def signals(pattern: str) -> Iterator[None]:
    """The block makes a peer signal an error; ``pattern`` is looked for in ``class: text``."""
    try:
        yield
    except RError as error:
        assert re.search(pattern, str(error), re.DOTALL), str(error)
    else:
        raise AssertionError(f"no error: {pattern}")


class R:
    """An R process that has arrowshm loaded, driven step by step.

    r = R(program())
    r.run('t <- attach_table("trips")')
    assert r.get("nrow(t)") == 3      # through JSON
    r.kill()                          # SIGKILL
    """

    def __init__(
        self,
        program: str,
        *options: str,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """Start it in ``cwd``; ``prefix`` is a command to start it by."""
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [*prefix, program, *FLAGS, *(options or ("-e", LOOP))],
            stdin=subprocess.PIPE,
            pass_fds=[writer],
            cwd=cwd,
            env={**environment(), "TMPDIR": _temporary(), "ARROWSHM_REPLIES": str(writer), **(env or {})},
        )
        os.close(writer)
        self._replies = os.fdopen(reader, "rb")
        self.wait()

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
            raise EOFError(f"R ended with {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise RError(reply["error"], reply["text"])
        return reply["value"]

    def run(self, code: str) -> None:
        self.start(f"{code}\nNULL")
        self.wait()

    def get(self, code: str) -> Any:
        self.start(code)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self._close()

    def quit(self) -> None:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._close()

    def _close(self) -> None:
        self.process.wait()
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._replies.close()


@functools.cache
def _temporary() -> str:
    """Where R makes its own temporary directory, which one that is killed does not remove."""
    path = tempfile.mkdtemp(prefix="arrowshm-test-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def _found() -> tuple[str, str]:
    found = subprocess.run([sys.executable, HERE / "fetch_r.py"], capture_output=True, text=True, check=False)
    return found.stdout.strip(), found.stderr.strip()


def program() -> str:
    """The R to test with. Without one, or without nanoarrow, the test is left out, and says so."""
    path, why = _found()
    if not path:
        pytest.skip(why)
    return path


def environment() -> dict[str, str]:
    """Where the package is: libraries of the checkout's own."""
    libraries = [str(CHECKOUT / ".r" / "library"), *filter(None, [os.environ.get("R_LIBS")])]
    return {**os.environ, "R_LIBS": os.pathsep.join(libraries), "LC_ALL": "C.UTF-8"}
