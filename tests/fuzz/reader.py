"""Reads files in every way that Python has, and counts what came of it: "!" is neither data nor a typed error.

What is promised of which file (docs/security.md): one of another program is
checked in full before any of it is used. One that says that it is ours is
checked so where that is asked for; to list it, and to look at it in a preview,
is safe in any case. To attach it unchecked is tried here too, but nothing of it
is looked at.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import json
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

import jupyter_arrowshm as shm
from jupyter_arrowshm import errors
from jupyter_arrowshm.looking import answers, questions
from jupyter_arrowshm.preview import Patience, source

HANGS = 120  # s for one file; then SIGALRM ends the process
SOME = 16  # rows that are looked at, at each end
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"what": "rows", "sort": [{"column": 0, "descending": True}]},
    {"what": "rows", "filter": {"or": [{"column": 0, "op": "is null"}, {"column": 0, "op": "!=", "value": "1"}]}},
    {"what": "summary"},
    {"what": "export", "format": "arrow"},
)
Counts = collections.Counter[str]


def read_all(directory: str, store: str, names: list[str], progress: str) -> Counts:
    """Each of these files of a directory, as the only one of a store."""
    counts: Counts = collections.Counter()
    path = Path(store, "t.arrow")
    for number, name in enumerate(names):
        Path(progress).write_text(name)
        signal.alarm(HANGS)
        path.unlink(missing_ok=True)
        path.write_bytes(Path(directory, f"{name}.arrow").read_bytes())
        # Every other one is read as those that have too many batches to open at once.
        source._FEW_CELLS = 200_000 if number % 2 else 0
        _read(shm.Store(store), number, functools.partial(_outcome, counts, name))
    signal.alarm(0)
    return counts


def _outcome(counts: Counts, name: str, what: str, read: Callable[..., str | None], *arguments: Any) -> None:
    try:
        counts[f"{what}: {read(*arguments) or 'fine'}"] += 1
    except shm.ArrowSHMError as error:
        counts[f"{what}: {type(error).__name__}"] += 1
        str(error)
    except Exception:
        counts[f"! {name}, {what}: {traceback.format_exc(limit=-3)}"] += 1


def _read(store: shm.Store, number: int, outcome: Callable[..., None]) -> None:
    outcome("full", lambda: _use(store.attach("t", validate="full")))
    outcome("attach", lambda: _use(store.attach("t")) if _is_foreign(store) else _drop(store.attach("t")))
    outcome("list", lambda: _show(store.tables()))
    outcome("info", lambda: _show([store.info("t")]))
    looked_at = answers.OpenTables()
    outcome("page", _ask, looked_at, store, {"what": "rows"})
    question = QUESTIONS[number // 2 % len(QUESTIONS)]
    outcome(question["what"], _ask, looked_at, store, question)


def _is_foreign(store: shm.Store) -> bool:
    try:
        return b"arrowshm.protocol" not in (pa.ipc.open_file(store.path("t")).metadata or {})
    except (OSError, pa.ArrowException):
        return True  # and is refused as what it is


def _use(table: pa.Table) -> None:
    """Arrow finds it valid, and Python can have its values, or says that it has no such dates, decimals, intervals."""
    table.validate(full=True)
    for column in table.columns:
        for some in (column[:SOME], column[-SOME:]):
            with contextlib.suppress(ValueError, ArithmeticError, LookupError, NotImplementedError, pa.ArrowException):
                some.to_pylist()


def _drop(table: pa.Table) -> None:
    pass


def _show(tables: list[shm.TableInfo]) -> None:
    json.dumps([table.as_dict() for table in tables])
    repr(tables)


def _ask(looked_at: answers.OpenTables, store: shm.Store, question: dict[str, Any]) -> str | None:
    asked = questions.parse({"limit": 1000, **question}, name="t", directory=store.directory)
    # 4 s for each that says that it has 2^40 rows would be most of the test.
    head, body = answers.answer(looked_at, asked, Patience(0.5))
    if "error" in head:
        assert "the preview failed (" not in head["message"], head  # an error that nobody thought of
        assert issubclass(getattr(errors, head["error"]), shm.ArrowSHMError) and head["message"]
        return str(head["error"])
    if question["what"] == "summary":
        json.loads(body)
    else:
        read = pa.ipc.open_stream if question["what"] == "rows" else pa.ipc.open_file
        read(body).read_all().validate(full=True)
    return None
