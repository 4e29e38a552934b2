"""A table as somebody looks at it: sorted, filtered, page by page, never more of it than can be looked at."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ..errors import InvalidQuery
from . import condition, selection
from .condition import Condition, check_column
from .export import MAX_ROWS as MAX_EXPORTED
from .export import File, export
from .finding import Finder, Step, Wanted
from .grouping import group, points
from .kind import written
from .order import SORTED_ROWS, Order
from .page import CELL, MAX_COLUMNS, Frame, page
from .patience import Patience, Unwanted
from .search import Search
from .selection import VIEW_ROWS, Selection, select_sorted
from .source import Source, TableSource
from .summary import Population, population, summarise
from .tree import tree

METADATA_KEY = "arrowshm.preview"


class View:
    """Some rows of a table, in some order.

    Parameters
    ----------
    table
        A ``pyarrow.Table``, or any :class:`Source`.
    sort, filter
        JSON, as the server's ``rest-api.yml`` describes it; empty: as the table is.
    version
        The version that the answers name.

    Raises
    ------
    InvalidQuery
        The table has no such column, or the value cannot be compared with it.
    """

    def __init__(self, table: pa.Table | Source, sort: str = "", filter: str = "", version: str = "") -> None:
        self.source = table if isinstance(table, Source) else TableSource(table)
        schema = self.source.schema
        self._keys = selection.parse_sort(sort, schema) if sort else ()
        self._condition = condition.parse(filter, schema) if filter else None
        self._version = version
        self._head: Selection | None = None
        self._order: Order | None = None
        self._is_cut = False
        self._search: Search | None = None
        self._finder: Finder | None = None

    def page(
        self,
        offset: int = 0,
        limit: int = 100,
        columns: str = "",
        cell: int = CELL,
        patience: Patience | None = None,
    ) -> pa.RecordBatch:
        """Rows from ``offset``, ready for display; ``columns`` is a JSON list of numbers, empty for all.

        At most 1,000 rows, 200 columns, ``cell`` characters in a cell and 2 MB.
        The metadata of the schema and of each field say what they are and what
        was cut (``rest-api.yml``, ``rows`` and ``Preview``).

        Raises
        ------
        InvalidQuery, QueryStopped
        pyarrow.ArrowInvalid, struct.error, IndexError
            The table is damaged.
        """
        if offset < 0 or limit < 0 or cell < 1:
            raise InvalidQuery("offset and limit are 0 or more, and cell is 1 or more")
        patience = patience or Patience()
        chosen = parse_columns(columns, self.source.schema)
        selected = self.select(patience, offset + limit)
        rows = selected.rows[offset : offset + limit]
        made = page(self.source, Frame(rows, chosen, cell), patience)
        facts = {
            **self.facts(selected),
            "view_rows": self._reach(selected),
            "limited": self._is_limited(selected),
            "sorted": self._order.done if self._order is not None and selected is self._head else 1,
            "offset": offset,
            "left_out": len(chosen) - made.batch.num_columns,
            "cut": made.cut,
        }
        return made.batch.replace_schema_metadata({METADATA_KEY: json.dumps(facts)})

    def summary(self, columns: str = "", patience: Patience | None = None) -> dict[str, Any]:
        """A summary of the columns (``rest-api.yml``, ``Summary``), ready for JSON. Raises as :meth:`page`.

        It is exact up to a million rows and made from a sample beyond that, with
        fewer rows and columns if there is no time for all.
        """
        patience = patience or Patience()
        chosen = parse_columns(columns, self.source.schema)
        missing = [column for column in chosen[:MAX_COLUMNS] if column not in self.source.summaries]
        search = None
        if self._condition is not None:
            if missing:
                part = patience.within(patience.left / 3)
                summarise(self.source, missing, population(self.source), part)
            search = self._find(self._condition, patience.within(patience.left / 2))
        summarised = population(self.source, search)
        summaries = summarise(self.source, chosen[:MAX_COLUMNS], summarised, patience)
        return {**self.facts(summarised), "left_out": len(chosen) - len(summaries), "columns": summaries}

    def find(
        self, text: str, step: Step, columns: str = "", ignore_case: bool = True, patience: Patience | None = None
    ) -> dict[str, Any]:
        """The next or the previous cell of the view that has this text (:meth:`Finder.find`). Raises as :meth:`page`.

        The text columns among ``columns`` are searched, from left to right as they are given. Each call ends
        when the cell is known, and after about a second; the next one goes on.
        """
        wanted = Wanted(text, tuple(parse_columns(columns, self.source.schema)), ignore_case)
        finder = self._finder
        if finder is None or finder.wanted != wanted:
            finder = Finder(self.source, wanted, self._condition, self._keys, self._look)
        self._finder = None  # one that fails half way is not continued
        try:
            found = finder.find(step, patience or Patience())
        except Unwanted:
            self._finder = finder
            raise
        self._finder = finder
        return {**found, "version": self._version}

    def tree(self, row: int, column: int, patience: Patience | None = None) -> dict[str, Any]:
        """The cell of this column at this place of the view, as a tree (:func:`tree.tree`). Raises as :meth:`page`."""
        check_column(column, self.source.schema)
        rows = self.select(patience, row + 1).rows
        if not 0 <= row < len(rows):
            raise InvalidQuery("the view has no such row")
        ((array, positions),) = self.source.pieces(column, [rows[row]])
        return {"version": self._version, **tree(array, self.source.schema.field(column).type, positions[0])}

    def group(self, by: int, of: int = -1, measure: str = "count", patience: Patience | None = None) -> dict[str, Any]:
        """The rows of the view by the values of a column (:func:`grouping.group`). Raises as :meth:`page`."""
        patience = patience or Patience()
        found = group(self.source, self._condition, by, of, measure, patience)
        return {**found, "version": self._version, "num_rows": self.source.num_rows}

    def points(self, x: int, y: int, patience: Patience | None = None) -> dict[str, Any]:
        """Two columns as the points of a chart (:func:`grouping.points`). Raises as :meth:`page`."""
        patience = patience or Patience()
        rows: Sequence[int] = range(self.source.num_rows)
        if self._condition is not None:
            rows = self._find(self._condition, patience.within(patience.left / 2))
        return {**points(self.source, rows, x, y, patience), "version": self._version, "matches": len(rows)}

    def export(self, format: str, columns: str = "", patience: Patience | None = None) -> File:
        """The first rows of the view as a file: 100,000, and about 16 MB at most.

        ``format`` is ``csv``, ``parquet`` or ``arrow``. Raises as :meth:`page`.
        """
        patience = patience or Patience()
        chosen = parse_columns(columns, self.source.schema)
        selected = self.select(patience, MAX_EXPORTED)
        file = export(self.source, selected.rows, chosen, format, patience)
        return dataclasses.replace(file, is_cut=file.is_cut or self._is_limited(selected))

    def select(self, patience: Patience | None = None, wanted: int = 0) -> Selection:
        """The rows of the view, by number: the first ``wanted`` at least, if there are as many and time allows.

        For a filter, one bit is kept for each row of the table, and the search
        goes on from there. For a sorted view the first 10,000 are kept. When more
        are wanted, all rows are sorted (:class:`Order`), which may take several
        calls; until it is done, there are only the first.
        """
        patience, wanted = patience or Patience(), max(VIEW_ROWS, wanted)
        if self._keys:
            return self._sorted(patience, wanted)
        if self._condition is None:
            return Selection(range(self.source.num_rows), self.source.num_rows, self.source.num_rows)
        search = self._find(self._condition, patience, wanted)
        return Selection(search, len(search), search.searched)

    def _find(self, condition: Condition, patience: Patience, wanted: int = sys.maxsize) -> Search:
        search = self._search if self._search is not None else Search(self.source, condition)
        self._search = None  # a search that fails half way is not continued
        try:
            search.go_on(patience, wanted)
        except Unwanted:
            self._search = search
            raise
        self._search = search
        return search

    def _sorted(self, patience: Patience, wanted: int) -> Selection:
        if self._head is None:
            self._head = select_sorted(self.source, self._condition, self._keys, patience, VIEW_ROWS)
        head = self._head
        if len(head.rows) >= min(wanted, head.matches) or head.matches > SORTED_ROWS or self._is_cut:
            return head
        order = self._order or Order(self.source, self._condition, self._keys, head.matches)
        self._order = None  # one that fails half way is not continued
        try:
            order.go_on(patience)
        except Unwanted:
            self._order = order
            raise
        except (MemoryError, pa.lib.ArrowCapacityError):  # texts that are too long to be sorted here
            self._is_cut = True
            return head
        self._order = order
        return Selection(order, len(order), head.searched) if order.is_done else head

    @property
    def sorted_rows(self) -> int:
        """How many rows the order keeps, or will keep."""
        return self._head.matches if self._keys and self._head is not None else 0

    @property
    def is_being_sorted(self) -> bool:
        """Whether the order was begun, and does not yet have all rows."""
        return self._order is not None and not self._order.is_done

    def forget_order(self) -> None:
        """Free the memory of the order; it is made again when somebody scrolls so far."""
        if self._order is not None:
            self._order.close()
        self._order = None

    def prepare(self, patience: Patience) -> None:
        """Sort the rows that nobody has asked for yet, while there is time. Raises ``Unwanted``."""
        if self._keys and self._head is not None and (self._order is None or not self._order.is_done):
            self._sorted(patience, self._head.matches)

    def _reach(self, selected: Selection) -> int:
        """How many rows of the view can be paged through."""
        is_whole = self._keys and selected.matches <= SORTED_ROWS and not self._is_cut
        return selected.matches if is_whole else len(selected.rows)

    def about(self) -> dict[str, Any]:
        """What the source says about itself, without looking at a row (``rest-api.yml``, ``File``)."""
        columns = [
            {"name": field.name, "type": written(field.type), "nullable": field.nullable}
            for field in self.source.schema
        ]
        rows = {"num_rows": self.source.num_rows, "is_cut": self.source.is_cut}
        return {"version": self._version, **rows, "schema": columns}

    def facts(self, selected: Selection | Population) -> dict[str, Any]:
        return {
            "version": self._version,
            "num_rows": self.source.num_rows,
            "num_columns": len(self.source.schema),
            "matches": selected.matches,
            "searched": selected.searched,
        }

    def _look(self, patience: Patience, wanted: int) -> tuple[Sequence[int], int]:
        selected = self.select(patience, wanted)
        return selected.rows, self._reach(selected)

    def _is_limited(self, selected: Selection) -> bool:
        return self._reach(selected) < selected.matches or selected.searched < self.source.num_rows


def parse_columns(text: str, schema: pa.Schema) -> Sequence[int]:
    """The numbers of the columns in a JSON list; all, if there is none. Raises ``InvalidQuery``."""
    if not text:
        return range(len(schema))
    try:
        columns = json.loads(text)
    except (ValueError, RecursionError):
        columns = None
    if not isinstance(columns, list):
        raise InvalidQuery("columns is a JSON list of numbers")
    return [check_column(column, schema) for column in columns]
