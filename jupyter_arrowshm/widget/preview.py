"""The rows of one table as a widget."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from traitlets import Dict, Int, List, TraitError, Unicode, observe, validate

from .. import markup, tabular, words
from ..core import Store, default_store
from ..errors import ArrowSHMError
from ..looking import questions
from ..looking.answers import Answer, answer
from ..looking.questions import RowsQuestion
from ..preview import Patience
from .base import LiveWidget
from .columns import Chosen, numbers_of
from .questions import Message
from .terms import Filter, Formats, Sort

_STATIC_ROWS, _STATIC_COLUMNS = 20, 20


class TablePreview(LiveWidget):
    """The rows of a table: scrolled, sorted, filtered, summed up, at any size.

    Parameters
    ----------
    source
        The name of a shared table, whose newest version is shown; or anything that can be shared (a pandas, polars,
        pyarrow or DuckDB table, a dict of arrays), which then need not be.
    store
        Where that name is looked up; without it, among what all notebooks of this user share.
    **traits
        ``sort``, ``filter``, ``columns``, ``formats``, ``search``, ``selected`` and what every widget has (``layout``).

    Attributes
    ----------
    sort
        ``[("fare", "descending"), ("city", "ascending")]``.
    filter
        A condition for each column; the rows that are shown meet all of them: ``{"fare": {"min": 3, "max": 9},
        "city": ["Oslo", "Lima"], "note": {"contains": "x", "ignore_case": True}, "tip": {"missing": False}}``. Both
        limits are included; ``{"below": 9}`` is one that is not. ``{"except": ["Oslo"]}`` leaves out what it lists.
    columns
        Names of the columns that are shown, in this order; none: all.
    formats
        How numbers are shown, by column: ``{"fare": 2, "share": "percent", "id": "raw"}``, which is 0 to 6 decimals,
        per cent, or all digits. All other columns are ``"auto"``: 4 to 6 digits.
    search
        A text that is looked for in all text columns; empty: none. The page goes to the first cell that has it.
    selected
        Numbers of the selected rows, from 0, as the table has them: ``table.take(preview.selected)``. A new version has
        none.
    version
        The version of the table that the page shows; it changes when the page shows another one. Empty before that.

    Raises
    ------
    TableNotFound, UnsupportedSource

    Notes
    -----
    A table in memory is kept for as long as the widget is; ``close()`` it. Showing a shared table does not count as
    using it.
    """

    sort = Sort().tag(sync=True)
    filter = Filter().tag(sync=True)
    columns = List(Unicode()).tag(sync=True)
    formats = Formats().tag(sync=True)
    search = Unicode("").tag(sync=True)
    selected = List(Int()).tag(sync=True)
    version = Unicode("").tag(sync=True)  # set by the page: in marimo, what a page sets makes other cells run again
    _table: Any = Dict(None, allow_none=True).tag(sync=True)
    _kind = Unicode("preview").tag(sync=True)

    def __init__(self, source: object, store: Store | None = None, **traits: Any) -> None:
        self._store = store if store is not None else default_store()
        self._name = source if isinstance(source, str) else ""
        self._version: str | None = None
        self._own: pa.Table | None = None
        if isinstance(source, str):
            table = self._store.info(source)
            self._schema, self._num_rows, self._version = table.schema, table.num_rows, table.version
        else:
            arrow = tabular.to_arrow(source)
            self._own = pa.Table.from_batches(arrow.batches, arrow.schema)
            self._schema, self._num_rows = self._own.schema, self._own.num_rows
        self._chosen = Chosen(self._own, ())
        super().__init__(**traits)
        self._choose()

    def __repr__(self) -> str:
        shape = words.shape(self._num_rows, len(self._schema))
        return f"TablePreview({self._name or 'a table of this notebook'}: {shape})"

    def close(self) -> None:
        super().close()
        self._own = None
        self._chosen = Chosen(None, ())

    # -- traits --------------------------------------------------------------------------------------------------------

    @validate("sort", "filter", "columns", "formats")
    def _check_names(self, proposal: Any) -> Any:
        value = proposal["value"]
        names = [key[0] for key in value] if proposal["trait"].name == "sort" else list(value)
        if odd := [name for name in names if not numbers_of([name], self._schema)]:
            raise TraitError(f"the table has no column {odd[0]!r}; it has {', '.join(self._schema.names[:20])}")
        return value

    @observe("columns")
    def _choose(self, change: object = None) -> None:
        with self._changing():
            self._chosen = Chosen(self._own, tuple(self.columns))
            self._describe()

    def _describe(self) -> None:
        if self._version is None and self._own is None:
            self._table = None  # nobody shares it any more
            return
        schema = self._schema
        if self.columns:
            schema = pa.schema([schema.field(number) for number in numbers_of(self.columns, schema)])
        self._table = {
            "name": self._name,
            "version": self._chosen.version(self._version or ""),
            "num_rows": self._num_rows,
            "schema": [{"name": one.name, "type": str(one.type), "nullable": one.nullable} for one in schema],
        }

    # -- what is seen, and asked ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        if self._own is not None or self._store.version(self._name) == self._version:
            return
        table = next((table for table in self._store.tables().everything if table.name == self._name), None)
        with self._changing():
            self._version = table.version if table is not None else None
            self.selected = []  # other rows have these numbers now
            if table is not None:
                self._schema, self._num_rows = table.schema, table.num_rows
            self._describe()

    def _answer(self, message: Message, patience: Patience) -> Answer:
        question = questions.parse(message, directory=self._store.directory, name=self._name)
        return answer(self._chosen, question, patience)

    def _forget(self) -> None:
        self._chosen.forget()

    # -- without a kernel ----------------------------------------------------------------------------------------------

    def _otherwise(self) -> dict[str, Any]:
        try:
            page = markup.page(*self._first_rows())
        except ArrowSHMError as error:
            page = markup.page(markup.paragraph(markup.text(error.says("magic"))))
        return {"text/plain": repr(self), "text/html": page}

    def _first_rows(self) -> list[str]:
        chosen = Chosen(self._own, tuple(self.columns))
        version = chosen.version(self._version or "")
        view = chosen.view(RowsQuestion(self._name, self._store.directory, version))
        batch = view.page(0, _STATIC_ROWS, str(list(range(min(_STATIC_COLUMNS, len(view.source.schema))))))
        columns = [["" if cell is None else str(cell) for cell in column.to_pylist()] for column in batch.columns]
        numbers = frozenset(i for i, field in enumerate(batch.schema) if field.metadata[b"kind"] == b"number")
        table = markup.table(batch.schema.names, zip(*columns, strict=True), numbers)
        name = markup.paragraph(f"<b>{markup.text(self._name)}</b>") if self._name else ""
        shape = words.shape(view.source.num_rows, len(self._schema))
        return [name, table, markup.paragraph(markup.text(shape), muted=True)]
