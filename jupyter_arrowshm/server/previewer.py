"""Asks the preview workers: one for pages of tables, one for questions about all rows, and one for SQL."""

from __future__ import annotations

from ..errors import TableNotFound, TableReplaced
from ..looking.answers import Answer
from ..looking.questions import AboutQuestion, Question, RowsQuestion, SqlQuestion
from ..looking.sql import SECONDS
from .lane import TIMEOUT, Lane, Refused


class Previewer:
    """One for each server. Those who only scroll never wait for those who sort, search and sum up."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._pages, self._searches = Lane("pages", timeout), Lane("searches", timeout)
        self._statements = Lane("statements", timeout + SECONDS)

    async def ask(self, question: Question) -> Answer:
        """The worker's answer. Cancelled, a question is not asked any more, or the work for it is left.

        Raises
        ------
        DamagedTable
            A worker crashed over the table.
        QueryStopped
            It took too long, or the worker was killed twice.
        ArrowSHMError
            Any other error that the worker reports.
        """
        if isinstance(question, SqlQuestion):
            return await self._statements.ask(question)
        is_page = isinstance(question, (AboutQuestion, RowsQuestion)) and not (question.sort or question.filter)
        lane, other = (self._pages, self._searches) if is_page else (self._searches, self._pages)
        try:
            return await lane.ask(question)
        except Refused as error:
            # An older version may be at hand in the other worker alone.
            if question.version and error.kind in (TableNotFound, TableReplaced) and other.is_awake:
                return await other.ask(question)
            raise

    def stop(self) -> None:
        for lane in (self._pages, self._searches, self._statements):
            lane.stop()
