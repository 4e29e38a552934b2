"""The server's end of a preview worker (``preview_worker``): its process, and its pipes, with a deadline for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from ..core import LABEL_OPTION
from ..looking.answers import Answer
from ..looking.questions import Question
from .pipes import is_readable, is_writable
from .preview_worker import NEVER_MIND

_START_TIMEOUT = 60.0  # s; importing pyarrow takes one, on a busy machine more
_LARGE = 1 << 20  # bytes of what the allocator asks for on its own, and gives back whole (mallopt(3), M_MMAP_THRESHOLD)
_GLANCE = 0.05  # s between two looks at whether an answer is still wanted


class Worker:
    """Raises ``EOFError`` or ``BrokenPipeError`` when the process is gone, ``TimeoutError`` when it is late."""

    def __init__(self) -> None:
        # The system's allocator reserves no address space ahead, and gives memory back.
        allocator = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_MMAP_THRESHOLD_": str(_LARGE)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_arrowshm.server.preview_worker", f"{LABEL_OPTION}preview"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **allocator},
            cwd="/",  # not the user's folder, whose files -m would import
            bufsize=0,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        # A worker that was stopped reads nothing, and a pipe has room for 64 kB.
        os.set_blocking(self._stdin.fileno(), False)
        self._received = bytearray()
        self._is_wanted: Callable[[], bool] | None = None
        self._deadline = time.monotonic() + _START_TIMEOUT
        try:
            self._line()
        except BaseException:
            self.end()
            raise

    def ask(self, question: Question, timeout: float, is_wanted: Callable[[], bool]) -> Answer:
        """The answer; one that says ``Unwanted`` soon after ``is_wanted`` does not hold any more."""
        self._deadline = time.monotonic() + timeout
        self._is_wanted = is_wanted
        self._send(json.dumps(question.wire()).encode() + b"\n")
        head = json.loads(self._line())
        while len(self._received) < head["size"]:
            self._receive()
        body = bytes(self._received)
        self._received.clear()
        return Answer(head, body)

    def end(self) -> int:
        """Its exit code: negative, the signal that killed it."""
        try:
            # When a process dies, its pipes close first. One that is late is not waited for.
            self.process.wait(max(0, min(1, self._deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            self.process.kill()
        code = self.process.wait()
        self._stdin.close()
        self._stdout.close()
        return code

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if not is_writable(self._stdin.fileno(), self._time_left()):
                raise TimeoutError
            try:
                left = left[os.write(self._stdin.fileno(), left) :]
            except BlockingIOError:  # the pipe has less room than poll(2) asks for
                time.sleep(_GLANCE)

    def _line(self) -> bytes:
        while (end := self._received.find(b"\n")) < 0:
            self._receive()
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self) -> None:
        while not is_readable(self._stdout.fileno(), min(_GLANCE, self._time_left())):
            if self._is_wanted is not None and not self._is_wanted():
                self._is_wanted = None
                self._send(NEVER_MIND)
        some = os.read(self._stdout.fileno(), 1 << 20)
        if not some:
            raise EOFError
        self._received += some

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
