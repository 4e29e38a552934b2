"""``arrowshm/tables/NAME/rows``, ``/summary``, ``/find``, ``/export``: what is in a table, asked of the workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import ArrowSHMError, InvalidQuery
from ..looking import questions
from ..looking.answers import Answer
from .base import Handler, refused

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}


Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])
# By name, since a POST is taken for writing otherwise.
may_read = cast("Callable[[Method], Method]", authorized("read"))


class AskingHandler(Handler):
    """A question to the workers, whose asker may go away before it is answered."""

    _asked: asyncio.Task[Answer] | None = None

    async def ask(self, wire: dict[str, Any], address: dict[str, str]) -> tuple[questions.Question, Answer]:
        try:
            question = questions.parse(wire, **address)
            self._asked = asyncio.ensure_future(self.previewer.ask(question))
            return question, await self._asked
        except ArrowSHMError as error:
            raise refused(error) from None
        except asyncio.CancelledError:
            raise web.Finish from None

    def on_connection_close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    def compute_etag(self) -> str | None:
        """None: a hash of two megabytes for an answer that hardly anybody asks for twice."""
        return None


class PreviewHandler(AskingHandler):
    """A question, in the URL or, where it may be longer, in the body."""

    what: str

    @web.authenticated
    @may_read
    async def get(self, name: str = "", place: str = "") -> None:
        """The question is in the URL, of which Tornado reads 64 kB."""
        wire = {key: self.get_query_argument(key) for key in self.request.query_arguments}
        await self._answer(wire, name, place)

    @web.authenticated
    @may_read
    async def post(self, name: str = "", place: str = "") -> None:
        """The same, in the body: it changes nothing, and anyone who may read may ask."""
        try:
            wire = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            wire = None
        if not isinstance(wire, dict):
            raise refused(InvalidQuery("the body is not a JSON object"))
        await self._answer(wire, name, place)

    async def _answer(self, wire: dict[str, Any], name: str, place: str) -> None:
        self.send(*await self.ask({**wire, "what": self.what}, await self.address(name, place)))

    async def address(self, name: str, place: str) -> dict[str, str]:
        """What the question is about: fields of a :class:`questions.Question`."""
        return {"name": name, "place": place, "directory": "" if place else self.monitor.store.directory}

    def send(self, question: questions.Question, answer: Answer) -> None:
        """Finish with the answer."""
        raise NotImplementedError


class RowsHandler(PreviewHandler):
    """A page of rows as an Arrow stream."""

    what = questions.RowsQuestion.what

    def send(self, question: questions.Question, answer: Answer) -> None:
        self.finish(answer.body, set_content_type="application/vnd.apache.arrow.stream")


class SummaryHandler(PreviewHandler):
    """What is in the columns, as JSON."""

    what = questions.SummaryQuestion.what

    def send(self, question: questions.Question, answer: Answer) -> None:
        self.finish(answer.body)


class FindHandler(SummaryHandler):
    """Where the next cell with a text is, as JSON."""

    what = questions.FindQuestion.what


class CellHandler(SummaryHandler):
    """One cell as a tree, as JSON."""

    what = questions.CellQuestion.what


class GroupHandler(SummaryHandler):
    """The rows by the values of a column, as JSON."""

    what = questions.GroupQuestion.what


class PointsHandler(SummaryHandler):
    """The points of a chart, as JSON."""

    what = questions.PointsQuestion.what


class ExportHandler(PreviewHandler):
    """The view as a file to save, whose name says if it is not whole."""

    what = questions.ExportQuestion.what

    def send(self, question: questions.Question, answer: Answer) -> None:
        assert isinstance(question, questions.ExportQuestion)
        num_rows, is_cut, format = answer.head["num_rows"], answer.head["is_cut"], question.format
        part = f" (first {num_rows} rows)" if is_cut else ""
        self.set_header("X-Arrowshm-Rows", str(num_rows))
        self.set_header("X-Arrowshm-Cut", "true" if is_cut else "false")
        self.set_attachment_header(f"{question.name}{part}.{format}")
        self.finish(answer.body, set_content_type=_TYPES[format])


# Each answers what its `what` says, of a shared table, a file or a table of a place.
QUESTIONS: tuple[type[PreviewHandler], ...] = (
    RowsHandler,
    SummaryHandler,
    FindHandler,
    CellHandler,
    GroupHandler,
    PointsHandler,
    ExportHandler,
)
