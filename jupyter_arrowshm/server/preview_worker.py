"""The process that reads tables for previews, so that no table can hurt the server: any damage is done here.

It is asked over its standard input, one JSON line for each question, and
answers on its standard output: a JSON line, and as many bytes as that says.
Input that comes while it works on an answer says that nobody waits for that one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

import pyarrow as pa

from ..errors import ArrowSHMError
from ..looking import sql
from ..looking.answers import Answer, OpenTables, answer, explained, failed
from ..looking.questions import SqlQuestion, parse
from ..preview import Patience
from .pipes import is_readable

MEMORY = 1 << 30  # bytes of its own; what is mapped of a table does not count
KEPT = 5.0  # s that tables stay mapped after the last question
IDLE = 60.0  # s after which the worker ends
NEVER_MIND = b"\n"  # in place of a question: the answer to the last one is not wanted any more
_THREADS = 4
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    # When the server is dead, nobody needs the answer, so even a long question ends.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is for the server
    # Not RLIMIT_AS: mappings of tables are not memory of ours (getrlimit(2), RLIMIT_DATA).
    _limit(resource.RLIMIT_DATA, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    # Where the memory of a small container ends, this process goes, and no kernel (proc_pid_oom_score_adj(5)).
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    # The stacks of threads count: 8 MiB for each CPU of a large machine would be all of it.
    pa.set_cpu_count(min(_THREADS, pa.cpu_count()))
    pa.set_io_thread_count(1)
    questions = Questions(os.dup(0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between
    tables = OpenTables()
    answers.write(b"\n")  # ready: the time for an answer does not count what it took to start
    answers.flush()
    while True:
        # What a question left undone, until the next one comes: a sorted view scrolls to its end at once.
        tables.prepare(Patience(KEPT, lambda: not questions.wait(0)))
        if not questions.wait(KEPT):
            tables.forget()
            if not questions.wait(IDLE):
                return
        line = questions.next()
        if line is None:
            return
        if line + b"\n" != NEVER_MIND:
            head, body = _answer(tables, line, questions)
            answers.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
            answers.flush()


def _limit(what: int, most: int) -> None:
    """At most ``most``, and no more than the one there is already, which nobody may raise (getrlimit(2))."""
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _answer(tables: OpenTables, line: bytes, questions: Questions) -> Answer:
    try:
        wire = json.loads(line)
        question = parse(wire, file=wire["file"], place=wire["place"])
    except ArrowSHMError as error:
        return failed(error)
    if not isinstance(question, SqlQuestion):
        return answer(tables, question, Patience(is_wanted=lambda: not questions.wait(0)))
    try:
        return Answer(*sql.run(question, Patience(sql.SECONDS, lambda: not questions.wait(0))))
    except Exception as error:
        return failed(explained(error, question))


class Questions:
    """Lines of a pipe. Nothing is read ahead that :meth:`wait` would not see."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._received = bytearray()

    def wait(self, seconds: float) -> bool:
        """Whether something is there, or the other end is gone."""
        return bool(self._received or is_readable(self._fd, seconds))

    def next(self) -> bytes | None:
        """A line without its end; ``None`` if no more will come."""
        while (end := self._received.find(b"\n")) < 0:
            some = os.read(self._fd, 1 << 16)
            if not some:
                return None
            self._received += some
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line


if __name__ == "__main__":
    main()
