"""``arrowshm/...`` over HTTP; ``rest-api.yml`` describes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict

from jupyter_server.auth.decorator import authorized
from tornado import web

from .. import __version__
from ..core import PROTOCOL
from .base import Handler
from .file_handlers import FILE_HANDLERS
from .place_handlers import PlacesHandler, PlaceTableHandler, PlaceTablesHandler
from .preview_handlers import QUESTIONS
from .rendering import Sessions
from .sql_handlers import SharedSqlHandler, SqlHandler


class TablesHandler(Handler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """All tables, and the room that is left. Answers 304 to an ``If-None-Match`` that still holds."""
        self._etag, answer = await self.aside(self._render, await self.sessions())
        self.finish(answer)

    def _render(self, sessions: Sessions) -> tuple[str, bytes]:
        """ETag and answer, in bytes: for a thousand tables too much work for the event loop."""
        tables = self.monitor.look()
        named = ", ".join(self.rendering.tables(tables, sessions))
        removed = json.dumps([self.rendering.version(version, sessions) for version in tables.removed])
        listed = f'"tables": [{named}], "removed": {removed}'
        problem = self.monitor.problem
        known = {"problem": problem, "version": __version__, "protocol": PROTOCOL}
        rest = json.dumps({**asdict(self.monitor.store.room()), **known})
        # Without what is free: that changes all the time, and no answer would be the same twice.
        etag = f'"{hashlib.sha256(f"{listed} {problem}".encode()).hexdigest()}"'
        return etag, f"{{{listed}, {rest[1:]}".encode()

    def compute_etag(self) -> str | None:
        return getattr(self, "_etag", None)  # tornado asks after an error, too


class TableHandler(Handler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        table = await self.aside(self.monitor.store.info, name)
        self.finish(json.dumps(self.rendering.table(table, await self.sessions(), path=True)))

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Remove the name, no matter who shared it; those who use the table keep it."""
        await self.aside(self._unshare, name)
        await self.aside(self.monitor.look)
        self.set_status(204)
        self.finish()

    def _unshare(self, name: str) -> None:
        with self.monitor.removing(name, "it was unshared in the sidebar"):
            self.monitor.store.unshare(name)


class PinHandler(Handler):
    @web.authenticated
    @authorized
    async def put(self, name: str) -> None:
        await self._change(self.monitor.store.pin, name)

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        await self._change(self.monitor.store.unpin, name)

    async def _change(self, call: Callable[[str], None], name: str) -> None:
        await self.aside(call, name)
        await self.aside(self.monitor.look)
        self.set_status(204)
        self.finish()


class CollectHandler(Handler):
    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Remove every table that nobody uses and that is not pinned."""
        removed = await self.aside(self.monitor.store.gc)
        await self.aside(self.monitor.look)
        self.finish(json.dumps({"removed": removed}))


HANDLERS: list[tuple[str, type[Handler]]] = [
    (r"/arrowshm/tables", TablesHandler),
    (r"/arrowshm/tables/([^/]+)", TableHandler),
    (r"/arrowshm/tables/([^/]+)/pin", PinHandler),
    *((f"/arrowshm/tables/([^/]+)/{one.what}", one) for one in QUESTIONS),
    *FILE_HANDLERS,
    (r"/arrowshm/sql", SqlHandler),
    (r"/arrowshm/sql/([^/]+)", SharedSqlHandler),
    (r"/arrowshm/gc", CollectHandler),
    (r"/arrowshm/places", PlacesHandler),
    (r"/arrowshm/places/([^/]+)/tables", PlaceTablesHandler),
    (r"/arrowshm/places/([^/]+)/tables/([^/]+)", PlaceTableHandler),
    *((f"/arrowshm/places/(?P<place>[^/]+)/tables/(?P<name>[^/]+)/{one.what}", one) for one in QUESTIONS),
]
