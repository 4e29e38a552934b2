"""The process that reads tables for previews, so that none can hurt the server: whatever a table does, it does here.

It is asked over its standard input, one JSON line for each question, and
answers on its standard output: a JSON line, and as many bytes as that says.
It maps a table without the lock that says "in use" (docs/protocol.md,
"Looking"): no table is kept because somebody looks at it.
"""

from __future__ import annotations

import contextlib
import ctypes
import decimal
import functools
import gc
import json
import os
import resource
import select
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO

import pyarrow as pa

from .. import arrowfile, names, segment
from ..directory import Directory
from ..errors import ArrowSHMError, InvalidQuery, QueryStopped, TableReplaced
from ..listing import Listing, version_of
from ..preview import View, of_file

MEMORY = 1 << 30  # bytes of its own; what is mapped of a table does not count
SECONDS = 4.0  # after which a question is answered with what there is
KEPT = 5.0  # s that tables stay mapped after the last question
IDLE = 60.0  # s after which the worker ends
_TABLES, _VIEWS = 4, 8  # that are at hand at once
_THREADS = 4
_PR_SET_PDEATHSIG = 1  # prctl(2)

Views = Callable[[str, str], View]


class Tables:
    """The tables that are looked at, by version: an older one can be paged through for as long as questions come."""

    def __init__(self) -> None:
        self._views: OrderedDict[tuple[str, str, str], Views] = OrderedDict()

    def view(self, directory: str, name: str, version: str, sort: str, filter: str) -> View:
        """Raises ``TableNotFound``, ``TableReplaced``, ``DamagedSegment``, ``InvalidQuery``."""
        key = (directory, name, version)
        if key not in self._views:
            key = self._open(directory, names.check(name), version)
        self._views.move_to_end(key)
        return self._views[key](sort, filter)

    def forget(self) -> None:
        self._views.clear()
        gc.collect()

    def _open(self, path: str, name: str, version: str) -> tuple[str, str, str]:
        directory = Directory(path)
        try:
            opened = directory.open()
            mapped = segment.map_unheld(opened.fd, name, directory.file(name)) if opened is not None else None
        except OSError as error:
            raise directory.explain(error) from None
        if mapped is None:
            raise Listing(directory).not_found(name)
        buffer, found = mapped
        current = version_of(found)
        if version not in ("", current):
            raise TableReplaced(name)
        if (path, name, current) not in self._views:
            reader, _ = arrowfile.open_file(buffer, name, directory.file(name))
            source = of_file(reader, buffer)
            self._views[path, name, current] = functools.lru_cache(_VIEWS)(
                lambda sort, filter: View(source, sort, filter, current)
            )
            if len(self._views) > _TABLES:
                self._views.popitem(last=False)
        return path, name, current


def answer(tables: Tables, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The head of the answer, and its bytes."""
    name = question["name"]
    try:
        return _answer(tables, question)
    except ArrowSHMError as error:
        failed = error
    except (MemoryError, pa.lib.ArrowCapacityError):
        failed = QueryStopped("needed more memory than it may have")
    except (pa.ArrowNotImplementedError, KeyError, decimal.InvalidOperation) as error:
        # KeyError: pyarrow has no arrays of year-month intervals. A decimal's scale may be past what Python has.
        failed = InvalidQuery(f"Arrow cannot do that with these types ({str(error)[:200]})")
    except (*arrowfile.UNREADABLE, IndexError) as error:
        failed = arrowfile.damaged(error, name, Directory(question["directory"]).file(name))
    return {"error": type(failed).__name__, "message": str(failed)}, b""


def _answer(tables: Tables, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    ask = question.get
    view = tables.view(ask("directory", ""), question["name"], ask("version", ""), ask("sort", ""), ask("filter", ""))
    if question["what"] == "rows":
        batch = view.page(question["offset"], question["limit"], ask("columns", ""), question["cell"], SECONDS)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return {}, bytes(sink.getvalue())
    if question["what"] == "export":
        file = view.export(question["format"], ask("columns", ""), SECONDS)
        return {"num_rows": file.num_rows, "is_cut": file.is_cut}, file.data
    return {}, json.dumps(view.summary(ask("columns", ""), SECONDS)).encode()


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
    tables = Tables()
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
