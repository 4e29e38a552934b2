"""Find a text in the text columns of a view: how many rows have it, and which cell is the next or the previous one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import is_text, plain
from ..errors import InvalidQuery
from .condition import MAX_TEXT, Combination, Comparison, Condition
from .display import taken
from .kind import comparable
from .patience import Patience
from .search import Search
from .selection import VIEW_ROWS, Key
from .source import Source

SECONDS = 1.0  # that one answer takes at most: who asked sees how far the search is, and asks again
_LOOK = 0.05  # s; after each, the cell may be known: the other rows are counted in the next answers
_WALK_ROWS = 2000  # of a sorted view that are looked at together

Look = Callable[[Patience, int], tuple[Sequence[int], int]]


@dataclass(frozen=True)
class Wanted:
    """A text, and the columns to look for it in, by number and from left to right."""

    text: str
    columns: tuple[int, ...]
    ignore_case: bool = True


@dataclass(frozen=True)
class Step:
    """From a cell, whose ``row`` is its place in the view, on (1), back (-1), or on from that cell itself (0)."""

    row: int
    column: int
    direction: int


class Finder:
    """The rows of a view that have a text, found as far as somebody asked.

    Parameters
    ----------
    look
        Gives the rows of the view that is searched, as many as are wanted if time allows, and how many there will be.

    Raises
    ------
    InvalidQuery
        There is no text to look for, or it is too long.
    """

    def __init__(
        self,
        source: Source,
        wanted: Wanted,
        condition: Condition | None,
        keys: Sequence[Key],
        look: Look,
    ) -> None:
        if not 0 < len(wanted.text) <= MAX_TEXT:
            raise InvalidQuery(f"what to find is a text of 1 to {MAX_TEXT:,} characters")
        self.wanted = wanted
        self._source, self._keys, self._look = source, keys, look
        self._is_filtered = condition is not None
        self._parts = {
            column: Comparison(column, "contains", type_, (wanted.text,), wanted.ignore_case)
            for column in wanted.columns
            if is_text(plain(type_ := source.schema.field(column).type))
        }
        found: Condition | None = Combination(False, tuple(self._parts.values())) if self._parts else None
        if found is not None and condition is not None:
            found = Combination(True, (condition, found))
        self._search = Search(source, found) if found is not None else None

    def find(self, step: Step, patience: Patience) -> dict[str, Any]:
        """The next cell with the text, and how many rows have it (``rest-api.yml``, ``Found``); around the end.

        ``done`` is false while that is not known yet: whoever asks again, from the row ``from`` if there is one,
        goes on where this stopped.
        """
        found: dict[str, Any] = {"row": None, "column": None, "number": None, "done": True, "from": None}
        search = self._search
        if search is not None:
            answer = patience.within(SECONDS)
            while True:
                search.go_on(answer.within(_LOOK))
                hit = self._hit(search, step, patience)
                # Who asks about the cell where the step begins wants the other rows counted.
                is_news = hit.get("done", True) and (hit.get("row"), hit.get("column")) != (step.row, step.column)
                if is_news or search.searched == self._source.num_rows or answer.is_over():
                    break
            found |= hit
        return {
            **found,
            "matches": len(search) if search is not None else 0,
            "searched": search.searched if search is not None else self._source.num_rows,
            "num_rows": self._source.num_rows,
            "columns": len(self._parts),
        }

    def _hit(self, search: Search, step: Step, patience: Patience) -> dict[str, Any]:
        is_whole = search.searched == self._source.num_rows
        if is_whole and not len(search):
            return {}
        rows, reach = self._look(patience, step.row + 1)
        if len(rows) <= step.row < reach:
            return {"done": False}  # a view that is not sorted so far
        here = rows[step.row] if 0 <= step.row < len(rows) else None
        if here is not None and (column := self._in_row(here, step)) is not None:
            number = search.before(here) + 1 if not self._keys and here < search.searched else None
            return {"row": step.row, "column": column, "number": number}
        if not self._keys:
            return self._in_order(search, step, here, is_whole, patience)
        if not is_whole:
            return {"done": False}
        if len(search) > VIEW_ROWS:
            return self._walk(search, step, patience)
        return self._among(search, step, here, patience)

    def _in_order(
        self, search: Search, step: Step, here: int | None, is_whole: bool, patience: Patience
    ) -> dict[str, Any]:
        """In a view in the table's own order: the matches are counted."""
        if not is_whole and (step.direction < 0 or (here is not None and here >= search.searched)):
            return {"done": False}
        before = search.before(here) if here is not None else 0
        here_too = here is not None and search.has(here)
        place = before - 1 if step.direction < 0 else before + here_too
        if place >= len(search) and not is_whole:
            return {"done": False}
        place %= len(search)
        row = search[place]
        return self._at(row, self._place(row, patience), place + 1, step)

    def _among(self, search: Search, step: Step, here: int | None, patience: Patience) -> dict[str, Any]:
        """In a sorted view with few matches, which are sorted here."""
        rows = self._ordered(list(search))
        place = self._rank(rows, here) if here is not None else 0
        here_too = place < len(rows) and rows[place] == here
        place = (place - 1 if step.direction < 0 else place + here_too) % len(rows)
        at = self._place(rows[place], patience)
        return {"done": False} if at is None else self._at(rows[place], at, place + 1, step)

    def _walk(self, search: Search, step: Step, patience: Patience) -> dict[str, Any]:
        """In a sorted view with many matches, one of which is near."""
        rows, total = self._look(patience, self._source.num_rows)
        if len(rows) < total:
            return {"done": False}
        at = step.row + (-1 if step.direction < 0 else 1)
        for _ in range(0, total + _WALK_ROWS, _WALK_ROWS):
            at = total - 1 if at < 0 else at if at < total else 0
            back = step.direction < 0
            places = range(max(0, at - _WALK_ROWS), at + 1) if back else range(at, min(at + _WALK_ROWS, total))
            some = rows[places.start : places.stop]
            hits = [place for place, row in zip(places, some, strict=True) if search.has(row)]
            if hits:
                place = hits[-1 if step.direction < 0 else 0]
                return self._at(some[place - places.start], place, None, step)
            at = places.start - 1 if step.direction < 0 else places.stop
            if patience.is_over():
                return {"done": False, "from": at + (1 if step.direction < 0 else -1)}
        return {}

    def _at(self, row: int, place: int | None, number: int | None, step: Step) -> dict[str, Any]:
        if place is None:
            return {"done": False}
        return {"row": place, "column": next(self._columns(row, step.direction < 0)), "number": number}

    def _in_row(self, row: int, step: Step) -> int | None:
        """Another cell of the row where the step begins."""
        order = {column: place for place, column in enumerate(self.wanted.columns)}
        here = order.get(step.column, -1)
        if step.direction < 0:
            return next(self._columns(row, True, lambda column: order[column] < here), None)
        return next(self._columns(row, False, lambda column: order[column] >= here + step.direction), None)

    def _columns(
        self, row: int, from_the_end: bool, is_wanted: Callable[[int], bool] = lambda column: True
    ) -> Iterator[int]:
        """The wanted columns that have the text in this row."""
        one = range(row, row + 1)
        for column in reversed(self._parts) if from_the_end else self._parts:
            if is_wanted(column) and self._parts[column].mask({column: self._source.take(column, one)})[0].as_py():
                yield column

    # -- places --------------------------------------------------------------------------------------------------------

    def _place(self, row: int, patience: Patience) -> int | None:
        """The place of a row in the view; ``None`` as long as it is not known."""
        if not self._keys and not self._is_filtered:
            return row
        rows, _ = self._look(patience, self._source.num_rows)
        if isinstance(rows, Search):
            return rows.before(row) if rows.searched > row else None
        place = self._rank(rows, row)
        return place if place < len(rows) and rows[place] == row else None

    def _rank(self, rows: Sequence[int], row: int) -> int:
        """How many of these sorted rows come before ``row``."""
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            other = rows[middle]
            if other != row and self._ordered(sorted((other, row)))[0] == other:
                low = middle + 1
            else:
                high = middle
        return low

    def _ordered(self, rows: list[int]) -> list[int]:
        """Rows, given in the table's order, in that of the view."""
        if len(rows) < 2:
            return rows
        by = [(str(place), "descending" if key.descending else "ascending") for place, key in enumerate(self._keys)]
        table = pa.table([self._values(key.column, rows) for key in self._keys], [name for name, _ in by])
        order = pc.sort_indices(table, by).to_pylist()
        return [rows[place] for place in order]

    def _values(self, column: int, rows: list[int]) -> pa.ChunkedArray:
        return pa.chunked_array([comparable(taken(*piece)) for piece in self._source.pieces(column, rows)])
