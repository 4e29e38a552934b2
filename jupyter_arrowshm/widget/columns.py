"""The table behind a preview: shared or in memory, all of its columns or some."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import pyarrow as pa

from ..errors import TableReplaced
from ..looking.answers import OpenTables
from ..looking.questions import Question
from ..preview import Source, View
from ..preview.source import TableSource

_VIEWS = 8  # that are at hand at once


class SomeColumns(Source):
    """A source with fewer columns, or in another order."""

    def __init__(self, whole: Source, numbers: Sequence[int]) -> None:
        super().__init__()
        self.schema = pa.schema([whole.schema.field(number) for number in numbers])
        self.num_rows = whole.num_rows
        self._whole, self._numbers = whole, numbers

    def _ends(self, column: int) -> Sequence[int]:
        return self._whole._ends(self._numbers[column])

    def _chunk(self, column: int, index: int) -> pa.Array:
        return self._whole._chunk(self._numbers[column], index)

    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        return self._whole._batches([self._numbers[column] for column in columns])


class Chosen(OpenTables):
    """The open tables for the questions of one preview.

    Parameters
    ----------
    table
        In memory; ``None``: the shared table that a question names.
    columns
        Names; those that the table has are shown. None: all.
    """

    def __init__(self, table: pa.Table | None, columns: Sequence[str]) -> None:
        super().__init__()
        self._table, self._columns = table, columns
        self._view = functools.lru_cache(_VIEWS)(self._make)
        self._source = functools.lru_cache(1)(self._open_source)  # which keeps what was found about all rows

    def version(self, of: str) -> str:
        """A version that differs whenever other columns are chosen: their rows are different."""
        return f"{of}/{hash(tuple(self._columns)):x}" if self._columns else of

    def view(self, question: Question) -> View:
        of, _, _ = question.version.partition("/")
        if question.version != self.version(of):
            raise TableReplaced(question.name)
        return self._view(Question(question.name, question.directory, of), question.sort, question.filter)

    def forget(self) -> None:
        self._view.cache_clear()
        self._source.cache_clear()
        super().forget()

    def _make(self, table: Question, sort: str, filter: str) -> View:
        return View(self._source(table), sort, filter, self.version(table.version))

    def _open_source(self, table: Question) -> Source:
        whole = super().view(table).source if self._table is None else TableSource(self._table)
        return SomeColumns(whole, numbers_of(self._columns, whole.schema)) if self._columns else whole


def numbers_of(columns: Sequence[str], schema: pa.Schema) -> list[int]:
    """The numbers of these columns: the first of several with one name, and none for missing ones."""
    return [number for name in columns if (number := _first(schema.get_all_field_indices(name))) is not None]


def _first(numbers: list[int]) -> int | None:
    return numbers[0] if numbers else None
