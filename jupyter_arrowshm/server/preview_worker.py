"""The process that reads tables for previews, so that none can hurt the server: whatever a table does, it does here.

It is asked over its standard input, one JSON line for each question, and
answers on its standard output: a JSON line, and as many bytes as that says.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
from typing import BinaryIO

import pyarrow as pa

from ..looking.answers import OpenTables, answer

MEMORY = 1 << 30  # bytes of its own; what is mapped of a table does not count
KEPT = 5.0  # s that tables stay mapped after the last question
IDLE = 60.0  # s after which the worker ends
_THREADS = 4
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    # With the server dead a question is answered to nobody, even one that takes long.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the server's terminal is for the server
    # Not RLIMIT_AS: mappings of tables are no memory of ours (getrlimit(2), RLIMIT_DATA).
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where the memory of a small container ends, this process goes, and no kernel (proc_pid_oom_score_adj(5)).
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    # The stacks of threads count: 8 MiB for each CPU of a large machine would be all of it.
    pa.set_cpu_count(min(_THREADS, pa.cpu_count()))
    pa.set_io_thread_count(1)
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between
    tables = OpenTables()
    _send(answers, b"\n")  # ready: the time for an answer does not count what it took to start
    while True:
        if not select.select([questions], [], [], KEPT)[0]:
            tables.forget()
            if not select.select([questions], [], [], IDLE)[0]:
                return
        line = questions.readline()
        if not line:
            return
        head, body = answer(tables, json.loads(line))
        _send(answers, json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)


def _send(pipe: BinaryIO, data: bytes) -> None:
    pipe.write(data)
    pipe.flush()


if __name__ == "__main__":
    main()
