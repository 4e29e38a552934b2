"""``arrowshm/tables/NAME/rows`` and ``.../summary``: what is in a table, asked of the preview worker."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import ArrowSHMError
from ..preview import CELL
from .base import Handler, refused

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}


class PreviewHandler(Handler):
    """A question whose asker may go away before it is answered: somebody who scrolls."""

    _asked: asyncio.Task[tuple[dict[str, Any], bytes]] | None = None

    async def ask(self, what: str, name: str, **more: Any) -> tuple[dict[str, Any], bytes]:
        question = {key: self.get_query_argument(key, "") for key in ("columns", "sort", "filter", "version")}
        directory = self.monitor.store.directory
        self._asked = asyncio.ensure_future(
            self.previewer.ask(what=what, name=name, directory=directory, **question, **more)
        )
        try:
            return await self._asked
        except ArrowSHMError as error:
            raise refused(error) from None
        except asyncio.CancelledError:
            raise web.Finish from None

    def on_connection_close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.get_query_argument(name, str(default)))
        except ValueError:
            raise web.HTTPError(400, f"{name} is a whole number", reason="InvalidQuery") from None

    def compute_etag(self) -> None:
        """None: a hash of two megabytes for an answer that hardly anybody asks for twice."""


class RowsHandler(PreviewHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """A page of rows as an Arrow stream."""
        numbers = {"offset": self.number("offset", 0), "limit": self.number("limit", 100)}
        _, body = await self.ask("rows", name, **numbers, cell=self.number("cell", CELL))
        self.finish(body, set_content_type="application/vnd.apache.arrow.stream")


class SummaryHandler(PreviewHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """What is in the columns, as JSON."""
        _, body = await self.ask("summary", name)
        self.finish(body)


class ExportHandler(PreviewHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """The view as a file to save, whose name says if it is not whole."""
        format = self.get_query_argument("format", "csv")
        head, body = await self.ask("export", name, format=format)
        part = f" (first {head['num_rows']} rows)" if head["is_cut"] else ""
        self.set_header("X-Arrowshm-Rows", str(head["num_rows"]))
        self.set_header("X-Arrowshm-Cut", "true" if head["is_cut"] else "false")
        self.set_attachment_header(f"{name}{part}.{format}")
        self.finish(body, set_content_type=_TYPES[format])
