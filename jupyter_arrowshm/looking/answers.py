"""Answers to questions about shared tables, as the server's worker and the widget give them.

A table is mapped without the lock that says "in use" (docs/protocol.md,
"Looking"): no table is kept because somebody looks at it.
"""

from __future__ import annotations

import functools
import gc
import json
import logging
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import pyarrow as pa

from ..core import Store
from ..elsewhere import Pages, place
from ..errors import ArrowSHMError, DamagedTable, InvalidQuery, QueryStopped, TableReplaced
from ..preview import SORTED_ROWS, VIEW_ROWS, Damage, FarSource, Patience, Source, Step, Unwanted, View, of_file
from . import files
from .questions import (
    AboutQuestion,
    CellQuestion,
    ExportQuestion,
    FindQuestion,
    GroupQuestion,
    NumbersQuestion,
    PlacesQuestion,
    PointsQuestion,
    Question,
    RowsQuestion,
)

_TABLES, _VIEWS = 4, 8  # that are at hand at once

Address = tuple[str, str, str, str, str]  # file, place, directory, name, version


class _Open(NamedTuple):
    """What is looked at, as it is and by sort and filter, and whether it is still what was opened."""

    source: Source
    view: Callable[[str, str], View]
    is_as_it_was: Callable[[], bool]


class Answer(NamedTuple):
    """The facts, ready for JSON, and the bytes; an ``error`` in the head has a ``message``, and no bytes."""

    head: dict[str, Any]
    body: bytes = b""


class OpenTables:
    """The tables that are looked at, by version: an older one can be paged through for as long as questions come."""

    def __init__(self) -> None:
        self._open: OrderedDict[Address, _Open] = OrderedDict()
        self._sorted: list[View] = []  # that may keep the order of all rows; the last one was asked for last

    def view(self, question: Question) -> View:
        """Raises ``TableNotFound``, ``TableReplaced``, ``DamagedTable``, ``LoadFailed``, ``InvalidQuery``.

        Of a table that is in another place, there is no view but of its rows as they are.
        """
        key = address_of(question)
        if not self.has(key):
            key = self._add(*key)
        self._open.move_to_end(key)
        opened = self._open[key]
        is_of_rows = isinstance(question, (AboutQuestion, RowsQuestion, CellQuestion))
        if isinstance(opened.source, FarSource) and (question.sort or question.filter or not is_of_rows):
            raise FarSource.refusal()
        return opened.view(question.sort, question.filter)

    def has(self, key: Address) -> bool:
        """Whether it is open. A file that somebody has written into is not: it is another version now."""
        if key in self._open and not self._open[key].is_as_it_was():
            del self._open[key]
        return key in self._open

    def make_room(self, view: View) -> None:
        """Let other views forget their order where the memory for this one's is needed, or where it is not done."""
        self._sorted = [*(one for one in self._sorted if one is not view), view][-_VIEWS:]
        rows = 0
        for one in reversed(self._sorted):
            rows += one.sorted_rows
            # One that is being made keeps the columns of a run, too: eight of them were more than a worker may have.
            if rows > SORTED_ROWS or (one is not view and one.is_being_sorted):
                one.forget_order()

    def prepare(self, patience: Patience) -> None:
        """Sort all rows of the view that was asked for last, while there is time and nobody asks for anything else."""
        try:
            if self._sorted:
                self._sorted[-1].prepare(patience)
        except Unwanted:
            pass
        except Exception:  # who scrolls so far is told
            self._sorted.pop()

    def forget(self) -> None:
        self._open.clear()
        self._sorted.clear()
        gc.collect()

    def _add(self, file: str, where: str, directory: str, name: str, version: str) -> Address:
        if file:
            opened = files.OpenFile(file)
            if version not in ("", opened.version):
                raise TableReplaced(name)
            return self._keep((file, "", directory, name, opened.version), lambda: opened.source, opened.is_as_it_was)
        look = place(where).look(name, version) if where else Store(directory).look(name, version)
        key = ("", where, directory, name, look.version)
        if isinstance(look, Pages):
            return self._keep(key, lambda: FarSource(look.schema, look.num_rows, look.rows), lambda: True)
        return self._keep(key, lambda: of_file(look.reader, look.batch_lengths), lambda: True)

    def _keep(self, key: Address, source: Callable[[], Source], is_as_it_was: Callable[[], bool]) -> Address:
        if not self.has(key):
            rows, version = source(), key[-1]
            view = functools.lru_cache(_VIEWS)(lambda sort, filter: View(rows, sort, filter, version))
            self._open[key] = _Open(rows, view, is_as_it_was)
            if len(self._open) > _TABLES:
                self._open.popitem(last=False)
        return key


def address_of(question: Question) -> Address:
    """What it is about."""
    return question.file, question.place, question.directory, question.name, question.version


def answer(tables: OpenTables, question: Question, patience: Patience | None = None) -> Answer:
    """Answer the question. An error is an answer, too: the next question must find somebody to answer it."""
    try:
        view = tables.view(question)
        if question.sort:
            tables.make_room(view)
        return _answer(view, question, patience or Patience())
    except Exception as error:
        key = address_of(question)
        if question.version and question.file and not isinstance(error, Unwanted) and not tables.has(key):
            error = TableReplaced(question.name)  # it was read while somebody wrote into it
        return failed(explained(error, question))


def explained(error: Exception, question: Question) -> Exception:
    """Any error that looking raises, as one that a person understands: one of ours, or ``Unwanted``."""
    told = _explained(error, question)
    return files.with_remedy(told, question.file) if question.file and isinstance(told, QueryStopped) else told


def _explained(error: Exception, question: Question) -> Exception:
    if isinstance(error, (ArrowSHMError, Unwanted)):
        return error
    if isinstance(error, (MemoryError, pa.lib.ArrowCapacityError)):
        return QueryStopped("needed more memory than it may have")
    if isinstance(error, (Damage, struct.error, IndexError, UnicodeDecodeError)):
        if question.file:
            return files.damaged(error, question.name)
        if question.place:
            return DamagedTable(question.name, question.place, f"it is not a whole Arrow file ({str(error)[:200]})")
        return Store(question.directory).damaged(question.name, error)
    if isinstance(error, (pa.ArrowException, ArithmeticError, KeyError)):  # a decimal's scale may be past Python's
        return InvalidQuery(f"Arrow cannot do that with these types ({str(error)[:200]})")
    logging.getLogger("jupyter_arrowshm").error("A preview failed", exc_info=error)
    return QueryStopped(f"failed ({type(error).__name__}: {str(error)[:200]})")


def failed(error: Exception) -> Answer:
    """The answer for an error."""
    message = error.says("magic") if isinstance(error, ArrowSHMError) else str(error)
    return Answer({"error": type(error).__name__, "message": message})


def _answer(view: View, question: Question, patience: Patience) -> Answer:
    if isinstance(question, AboutQuestion):
        return Answer({}, json.dumps({"name": question.name, **view.about()}).encode())
    if isinstance(question, RowsQuestion):
        batch = view.page(question.offset, question.limit, question.columns, question.cell, patience)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return Answer({}, bytes(sink.getvalue()))
    if isinstance(question, FindQuestion):
        step = Step(question.row, question.column, question.direction)
        found = view.find(question.text, step, question.columns, bool(question.ignore_case), patience)
        return Answer({}, json.dumps(found).encode())
    if isinstance(question, CellQuestion):
        return Answer({}, json.dumps(view.tree(question.row, question.column, patience)).encode())
    if isinstance(question, GroupQuestion):
        return Answer({}, json.dumps(view.group(question.by, question.of, question.measure, patience)).encode())
    if isinstance(question, PointsQuestion):
        return Answer({}, json.dumps(view.points(question.x, question.y, patience)).encode())
    if isinstance(question, ExportQuestion):
        file = view.export(question.format, question.columns, patience)
        return Answer({"num_rows": file.num_rows, "is_cut": file.is_cut}, file.data)
    if isinstance(question, NumbersQuestion):
        last = min(question.last, question.first + VIEW_ROWS - 1)
        return Answer({"rows": list(view.select(patience, last + 1).rows[question.first : last + 1])})
    if isinstance(question, PlacesQuestion):
        rows = view.select(patience).rows
        places = rows if isinstance(rows, range) else {row: place for place, row in enumerate(rows[:VIEW_ROWS])}
        return Answer({"places": [places[row] for row in question.rows if row in places]})
    return Answer({}, json.dumps(view.summary(question.columns, patience)).encode())
