"""Asks the preview workers: one each for pages of tables, for questions about all rows, for other places, for SQL."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from ..elsewhere import place
from ..errors import TableNotFound, TableReplaced
from ..loading import remote
from ..looking.answers import Answer, OpenTables, answer
from ..looking.questions import AboutQuestion, Question, RowsQuestion, SqlQuestion
from ..looking.sql import SECONDS
from .lane import TIMEOUT, Lane, Refused, checked

# What a cluster has, anybody who could harm the server with it could run as a program there. A worker would have to
# join the cluster each time, and is not given the memory for that.
_cluster = ThreadPoolExecutor(2, thread_name_prefix="arrowshm-place")


class Previewer:
    """One for each server. Those who only scroll never wait for those who sort, search and sum up."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._pages, self._searches = Lane("pages", timeout), Lane("searches", timeout)
        self._statements = Lane("statements", timeout + SECONDS)
        self._places = Lane("places", timeout + remote.PATIENCE)

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
        if question.place:
            # Not in the threads of clusters: one that does not answer would keep folders waiting.
            kind = (await asyncio.to_thread(place, question.place)).kind
            if kind == "cluster":
                loop = asyncio.get_running_loop()
                return checked(await loop.run_in_executor(_cluster, answer, OpenTables(), question))
            if kind == "folder":
                return await self._places.ask(question)
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
        for lane in (self._pages, self._searches, self._places, self._statements):
            lane.stop()
