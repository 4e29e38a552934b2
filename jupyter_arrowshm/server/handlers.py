"""``arrowshm/...`` over HTTP; ``rest-api.yml`` describes it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from .. import __version__
from ..arrowfile import PROTOCOL
from ..errors import (
    ArrowSHMError,
    DamagedSegment,
    InvalidName,
    NewerProtocol,
    TableExists,
    TableNotFound,
)
from ..table import TableInfo
from .monitor import Monitor

T = TypeVar("T")

_STATUS = {InvalidName: 400, TableNotFound: 404, TableExists: 409, DamagedSegment: 422, NewerProtocol: 422}


class Handler(APIHandler):
    """What ours have in common: JSON errors, work beside the event loop, and labels with notebooks' paths."""

    auth_resource = "arrowshm"
    # A sidebar that asks again and again is no work of the user's: the server must be able to see that nobody is there.
    _track_activity = False

    @property
    def monitor(self) -> Monitor:
        monitor: Monitor = self.settings["arrowshm_monitor"]
        return monitor

    async def aside(self, call: Callable[..., T], *arguments: object) -> T:
        """Run ``call`` in a thread; our errors become answers."""
        try:
            return await asyncio.get_running_loop().run_in_executor(None, functools.partial(call, *arguments))
        except ArrowSHMError as error:
            raise web.HTTPError(_STATUS.get(type(error), 503), str(error), reason=type(error).__name__) from None

    def described(self, table: TableInfo, sessions: dict[str, str], *, path: bool = False) -> dict[str, Any]:
        """The table as JSON, its users with the paths of their notebooks as the server knows them now."""
        found = table.as_dict()
        if not path:
            del found["path"]
        versions = [older["holders"] for older in found["older"]]
        for process in [found["publisher"], *found["holders"], *(one for version in versions for one in version)]:
            process.pop("script")
            if notebook := sessions.get(process["kernel_id"]):
                process["notebook_path"] = notebook
                process["label"] = f"{notebook.rpartition('/')[2]} ({process['language']})"
        goes = self.monitor.keeper.goes_at(table)
        found["removed_at"] = goes.isoformat(timespec="seconds") if goes else None
        return found

    async def sessions(self) -> dict[str, str]:
        """Kernel id -> path of the notebook, also after it was renamed."""
        sessions = await ensure_async(self.settings["session_manager"].list_sessions())
        return {session["kernel"]["id"]: session["path"] for session in sessions if session.get("kernel")}


class TablesHandler(Handler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """All tables, and the room that is left. Answers 304 to an ``If-None-Match`` that still holds."""
        self._tables, answer = await self.aside(self._render, await self.sessions())
        self.finish(answer)

    def _render(self, sessions: dict[str, str]) -> tuple[str, str]:
        """The tables, and the whole answer, as JSON: of a thousand tables too much work for the event loop.

        Table by table, since the encoder keeps the interpreter to itself for as long as one call takes.
        """
        listed = f"[{', '.join(json.dumps(self.described(table, sessions)) for table in self.monitor.look())}]"
        free, total = self.monitor.store.free_and_total()
        rest = json.dumps({"free": free, "total": total, "version": __version__, "protocol": PROTOCOL})
        return listed, f'{{"tables": {listed}, {rest[1:]}'

    def compute_etag(self) -> str | None:
        """Of the tables alone: what is free changes all the time, and no answer would be the same twice."""
        tables = getattr(self, "_tables", None)
        return f'"{hashlib.sha256(tables.encode()).hexdigest()}"' if tables is not None else None


class TableHandler(Handler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        table = await self.aside(self.monitor.store.info, name)
        self.finish(json.dumps(self.described(table, await self.sessions(), path=True)))

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Remove the name, whoever shared it; those who use the table keep it."""
        self.monitor.removed(name, "it was unshared in the sidebar")
        await self.aside(self.monitor.store.unshare, name)
        await self.aside(self.monitor.look)
        self.set_status(204)
        self.finish()


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
    (r"/arrowshm/gc", CollectHandler),
]
