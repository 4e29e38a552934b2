"""A Julia process, driven step by step as `peers.Peer` is: real interpreters, real signals, no mocks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "julia"
CHECKOUT = HERE.parent.parent
PACKAGES = CHECKOUT / "jupyter_arrowshm" / "julia"


class JuliaError(Exception):
    """What a peer's code threw: the name of its type, and its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text = kind, text


@contextlib.contextmanager
def throws(pattern: str) -> Iterator[None]:
    """The block makes a peer throw; ``pattern`` is looked for in ``Type: text``."""
    try:
        yield
    except JuliaError as error:
        assert re.search(pattern, str(error), re.DOTALL), str(error)
    else:
        raise AssertionError(f"nothing was thrown: {pattern}")


class Julia:
    """A Julia process that has ArrowSHM loaded, driven step by step.

    julia = Julia(path)
    julia.run('t = attach("trips")')
    assert julia.get("length(t)") == 3      # through JSON
    julia.kill()                            # SIGKILL
    """

    def __init__(
        self,
        julia: str,
        *options: str,
        env: dict[str, str] | None = None,
        flags: Sequence[str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """Start it in ``cwd``; ``prefix`` is a command to start it by."""
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            [*prefix, julia, *(FLAGS if flags is None else flags), *(options or ("-e", LOOP))],
            stdin=subprocess.PIPE,
            pass_fds=[writer],
            cwd=cwd,
            env={**environment(), "ARROWSHM_REPLIES": str(writer), **(env or {})},
        )
        os.close(writer)
        self._replies = os.fdopen(reader, "rb")
        self.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self, code: str) -> None:
        """Run statements without waiting; :meth:`wait` gives the value of the last one."""
        assert self.process.stdin is not None
        data = code.encode()
        self.process.stdin.write(b"%d\n" % len(data) + data)
        self.process.stdin.flush()

    def wait(self) -> Any:
        line = self._replies.readline()
        if not line:
            raise EOFError(f"julia ended with {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise JuliaError(reply["error"], reply["text"])
        return reply["value"]

    def run(self, code: str) -> None:
        self.start(f"{code}\nnothing")
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
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._close()

    def _close(self) -> None:
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._replies.close()


# Every @inbounds is checked all the same, and compiling is most of what these tests wait for.
FLAGS = ("--startup-file=no", "--history-file=no", "--color=no", "--check-bounds=yes", "-O0")
LOOP = f"include({json.dumps(str(HERE / 'loop.jl'))})"


def program() -> str:
    """The Julia to test with. Without one, the test is left out; under CI it fails."""
    found = subprocess.run([sys.executable, HERE / "fetch_julia.py"], capture_output=True, text=True, check=False)
    if found.returncode:
        if os.environ.get("CI"):
            pytest.fail(found.stderr.strip(), pytrace=False)
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


def environment() -> dict[str, str]:
    """Where the package is, and a depot of the checkout's own: no test writes into the user's."""
    return {
        **os.environ,
        "JULIA_LOAD_PATH": f"{PACKAGES}:{HERE / 'packages'}:@stdlib",
        "JULIA_DEPOT_PATH": str(CHECKOUT / ".julia" / "depot"),
    }
