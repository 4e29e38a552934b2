"""Questions about shared tables, as the server's worker and the widget ask them, and their answers.

A table is mapped without the lock that says "in use" (docs/protocol.md,
"Looking"): no table is kept because somebody looks at it.
"""

from __future__ import annotations

import decimal
import functools
import gc
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ..core import UNREADABLE, Store
from ..errors import ArrowSHMError, InvalidQuery, QueryStopped
from ..preview.source import of_file
from ..preview.view import View

SECONDS = 4.0  # after which a question is answered with what there is
_TABLES, _VIEWS = 4, 8  # that are at hand at once

Views = Callable[[str, str], View]


class OpenTables:
    """The tables that are looked at, by version: an older one can be paged through for as long as questions come."""

    def __init__(self) -> None:
        self._views: OrderedDict[tuple[str, str, str], Views] = OrderedDict()

    def view(self, directory: str, name: str, version: str, sort: str, filter: str) -> View:
        """Raises ``TableNotFound``, ``TableReplaced``, ``DamagedTable``, ``InvalidQuery``."""
        key = (directory, name, version)
        if key not in self._views:
            key = self._open(directory, name, version)
        self._views.move_to_end(key)
        return self._views[key](sort, filter)

    def forget(self) -> None:
        self._views.clear()
        gc.collect()

    def _open(self, directory: str, name: str, version: str) -> tuple[str, str, str]:
        look = Store(directory).look(name, version)
        key = (directory, name, look.version)
        if key not in self._views:
            source = of_file(look.reader, look.batch_lengths)
            self._views[key] = functools.lru_cache(_VIEWS)(
                lambda sort, filter: View(source, sort, filter, look.version)
            )
            if len(self._views) > _TABLES:
                self._views.popitem(last=False)
        return key


def answer(tables: OpenTables, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
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
    except (*UNREADABLE, IndexError) as error:
        failed = Store(question["directory"]).damaged(name, error)
    return {"error": type(failed).__name__, "message": str(failed)}, b""


def _answer(tables: OpenTables, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
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
