"""Asks the preview worker, ends it when a question takes too long, and starts another when it is gone.

The thread that starts the worker lives as long as the server: a worker dies
with the thread that started it (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any

from .. import errors
from ..core import Store
from ..errors import ArrowSHMError, DamagedTable, QueryStopped

TIMEOUT = 5.0  # s that a question may take
_START_TIMEOUT = 60.0  # s; importing pyarrow takes one, on a busy machine more
_MAX_WAITING = 32  # questions
_ENDS = (0, signal.SIGKILL, signal.SIGTERM)
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class Previewer:
    """One for each server. Questions wait for each other in one thread, which owns the worker."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "arrowshm-preview")
        self._worker: _Worker | None = None
        self._waiting = 0
        self._stopped = False

    async def ask(self, **question: Any) -> tuple[dict[str, Any], bytes]:
        """The head and the body of the worker's answer. Cancelled before its turn, a question is not asked.

        Raises
        ------
        DamagedTable
            The worker crashed over the table.
        QueryStopped
            It took too long, or the worker was killed twice.
        ArrowSHMError
            What else the worker says.
        """
        if self._waiting >= _MAX_WAITING:
            raise QueryStopped("has to wait for too many others", "Try again")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)
        except RuntimeError as error:  # "can't start new thread": a full process table
            raise QueryStopped("could not be started", f"Python says: {error}") from None
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        self._stopped = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if (worker := self._worker) is not None:
            worker.process.kill()
        self._thread.shutdown()
        self._end()

    def _ask(self, question: dict[str, Any], again: bool = True) -> tuple[dict[str, Any], bytes]:
        worker = self._started()
        try:
            head, body = worker.ask(question, self._timeout)
        except TimeoutError:
            self._end()
            raise QueryStopped(f"took longer than {self._timeout:g} s and was stopped") from None
        except (EOFError, BrokenPipeError):
            code = self._end()
            # It had not been asked for long, and ended at this moment; or somebody killed it.
            if again and not self._stopped and -code in _ENDS:
                return self._ask(question, again=False)
            raise _ended(code, question) from None
        if "error" in head:
            raise Refused(getattr(errors, head["error"], ArrowSHMError), head["message"])
        return head, body

    def _started(self) -> _Worker:
        if self._worker is not None and self._worker.process.poll() is not None:
            self._end()
        if self._worker is None:
            try:
                self._worker = _Worker()
            except (EOFError, TimeoutError):
                raise QueryStopped("could not be started", "The server's log says why") from None
            except OSError as error:
                raise QueryStopped("could not be started", os.strerror(error.errno or 0)) from None
        return self._worker

    def _end(self) -> int:
        worker, self._worker = self._worker, None
        return worker.end() if worker is not None else 0


class Refused(ArrowSHMError):
    """An error of the worker's, which told its type and its text."""

    def __init__(self, kind: type[ArrowSHMError], message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message

    def __str__(self) -> str:
        return self.message


class _Worker:
    """The process. Raises ``EOFError`` or ``BrokenPipeError`` when it is gone, ``TimeoutError`` when it is late."""

    def __init__(self) -> None:
        # The system's allocator reserves no address space ahead, and gives memory back.
        environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_arrowshm.server.preview_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",  # not the user's folder, whose files -m would import
            bufsize=0,
        )
        self._received = bytearray()
        self._deadline = time.monotonic() + _START_TIMEOUT
        try:
            self._line()
        except BaseException:
            self.end()
            raise

    def ask(self, question: dict[str, Any], timeout: float) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None
        self._deadline = time.monotonic() + timeout
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        head = json.loads(self._line())
        while len(self._received) < head["size"]:
            self._receive()
        body = bytes(self._received)
        self._received.clear()
        return head, body

    def end(self) -> int:
        """Its exit code: negative, the signal that killed it."""
        try:
            # Of a process that dies, the pipes close first. One that is late is not waited for.
            self.process.wait(max(0, min(1, self._deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            self._receive()
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self) -> None:
        assert self.process.stdout is not None
        left = self._deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise TimeoutError
        some = os.read(self.process.stdout.fileno(), 1 << 20)
        if not some:
            raise EOFError
        self._received += some


def _ended(code: int, question: dict[str, Any]) -> ArrowSHMError:
    if -code in _CRASHES:
        name = question["name"]
        return DamagedTable(name, Store(question["directory"]).path(name), "reading it crashed")
    return QueryStopped("was ended from outside", "Ask again")
