"""``arrowshm/sql``: a SELECT over shared tables, to look at its result or to share it."""

from __future__ import annotations

import asyncio
import json

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import ArrowSHMError, InvalidQuery
from ..looking.answers import Answer
from ..looking.questions import SqlQuestion
from .base import Handler, refused
from .preview_handlers import may_read


class StatementHandler(Handler):
    """The base: its asker may go away before the statement is done, which then is stopped."""

    _asked: asyncio.Task[Answer] | None = None

    async def answered(self, name: str = "") -> Answer:
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not isinstance(statement := body.get("statement"), str):
            raise refused(InvalidQuery('the body is {"statement": "SELECT ..."}'))
        question = SqlQuestion("", directory=self.monitor.store.directory, statement=statement, share=name)
        try:
            self._asked = asyncio.ensure_future(self.previewer.ask(question))
            return await self._asked
        except ArrowSHMError as error:
            raise refused(error) from None
        except asyncio.CancelledError:
            raise web.Finish from None

    def on_connection_close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()


class SqlHandler(StatementHandler):
    @web.authenticated
    @may_read
    async def post(self) -> None:
        """The first rows of the result as an Arrow stream; whoever may read may ask."""
        answer = await self.answered()
        self.set_header("X-Arrowshm-Cut", "true" if answer.head["is_cut"] else "false")
        self.finish(answer.body, set_content_type="application/vnd.apache.arrow.stream")


class SharedSqlHandler(StatementHandler):
    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        """Share the result under this name."""
        answer = await self.answered(name)
        await self.aside(self.monitor.look)
        self.finish(json.dumps({"name": answer.head["name"], "num_rows": answer.head["num_rows"]}))
