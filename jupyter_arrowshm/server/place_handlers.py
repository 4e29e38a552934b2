"""``arrowshm/places/...``: tables of other users, and in folders and buckets. Asked only when a person opens one.

A bucket may be slow. Each question waits in a thread of a small pool of its own, so that the list of this machine and
the previews never wait for one.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..core import Store, TableInfo, default_store
from ..elsewhere import Place, as_dict, copy, place, places, targets
from ..errors import ArrowSHMError, InvalidQuery
from .base import Handler, refused

T = TypeVar("T")
Where = Store | Place
_AT_ONCE = 4
_pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="arrowshm-place")


class PlaceHandler(Handler):
    """The base: its calls do not run in the pool that everything else shares."""

    async def elsewhere(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(_pool, call)
        except ArrowSHMError as error:
            raise refused(error) from None

    def rendered(self, table: TableInfo) -> dict[str, object]:
        return self.rendering.table(table, {})


class PlacesHandler(PlaceHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """The places, and those that this user can share in, without asking any of them."""
        known, writable = await self.elsewhere(lambda: (places(), targets()))
        self.finish(json.dumps({"places": [*map(as_dict, known)], "targets": [*map(as_dict, writable)]}))


class PlaceTablesHandler(PlaceHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """The tables in one place."""
        tables = await self.elsewhere(lambda: place(name).tables())
        self.finish(json.dumps({"tables": [self.rendered(table) for table in tables]}))


class PlaceTableHandler(PlaceHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str, table: str) -> None:
        self.finish(json.dumps(self.rendered(await self.elsewhere(lambda: place(name).info(table)))))

    @web.authenticated
    @authorized
    async def put(self, name: str, table: str) -> None:
        """Copy a table of this machine there."""
        await self._copy(default_store, functools.partial(place, name), table)

    @web.authenticated
    @authorized
    async def post(self, name: str, table: str) -> None:
        """Copy a table from there to this machine."""
        await self._copy(functools.partial(place, name), default_store, table)

    async def _copy(self, source: Callable[[], Where], target: Callable[[], Where], name: str) -> None:
        body = self.get_json_body() or {}
        if not isinstance(body, dict) or not isinstance(replace := body.get("replace", False), bool):
            raise refused(InvalidQuery('the body is {} or {"replace": true}'))
        copied = await self.elsewhere(lambda: copy(source(), target(), name, replace=replace))
        self.finish(json.dumps(self.rendered(copied)))

    @web.authenticated
    @authorized
    async def delete(self, name: str, table: str) -> None:
        await self.elsewhere(lambda: place(name).unshare(table))
        self.set_status(204)
        self.finish()
