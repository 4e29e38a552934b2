"""Another process, driven step by step: real interpreters, real signals, no mocks.

    peer = Peer()
    peer.run("t = shm.attach('trips')")
    assert peer.get("t.num_rows") == 10
    peer.kill()                            # SIGKILL

An exception in the peer is raised here, with its fields.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

_PRELUDE = "import os, jupyter_arrowshm as shm, pyarrow as pa"
# All that the core imports when it is used: before a process becomes a user who may not read the package.
IMPORTED = (
    "import json, difflib, mmap, tempfile, psutil, jupyter_arrowshm.core as core; "
    "[getattr(core, name) for name in core.__all__]; import jupyter_arrowshm.core.collector"
)


class Peer:
    def __init__(
        self,
        *,
        script: str | None = None,
        arguments: Sequence[str] = (),
        kernel: str | None = None,
        prefix: Sequence[str] = (),
        env: dict[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Start it.

        ``script`` is a file name for the process to be called; ownership goes by
        it, its ``arguments`` and ``cwd``. Without one it has none. ``kernel`` is the connection file of the
        Jupyter kernel that it poses as, ``prefix`` a command to start it by.
        """
        ours, theirs = Pipe()
        command = [*prefix, sys.executable, "-c", _LOOP.replace("FD", str(theirs.fileno()))]
        if script is not None:
            Path(script).write_text(command.pop())
            command[-1] = script
        command += arguments
        if kernel is not None:
            command += ["-f", kernel]
        tests = Path(__file__).parent
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}", **(env or {})},
        )
        theirs.close()
        self._connection: Connection = ours
        self.run(_PRELUDE)

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self, code: str) -> None:
        """Run statements without waiting; :meth:`wait` tells how it went."""
        self._connection.send(("run", code))

    def wait(self) -> Any:
        ok, value = self._connection.recv()
        if not ok:
            raise value
        return value

    def run(self, code: str) -> None:
        self.start(code)
        self.wait()

    def get(self, expression: str) -> Any:
        self._connection.send(("get", expression))
        return self.wait()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._connection.close()

    def quit(self) -> None:
        """Let it end by itself, as an interpreter does."""
        self._connection.close()
        self.process.wait(60)

    def end(self) -> None:
        """At the end of a test: at once, but where coverage is measured. Who is killed cannot say what it ran."""
        if "COVERAGE_PROCESS_CONFIG" in os.environ:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.quit()
        self.kill()


_LOOP = """
import gc, pickle, sys
from multiprocessing.connection import Connection
connection = Connection(FD)
space = {"__name__": "__main__"}
while True:
    try:
        kind, code = connection.recv()
    except (EOFError, ConnectionResetError):
        break
    try:
        answer = True, (exec(code, space) if kind == "run" else eval(code, space))
        pickle.dumps(answer)
    except BaseException as error:
        error.__traceback__ = None
        answer = False, error
    connection.send(answer)
    del answer
"""
