"""Code that the routes share."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..errors import (
    ArrowSHMError,
    DamagedTable,
    InvalidName,
    InvalidQuery,
    LoadFailed,
    NewerProtocol,
    PlaceNotFound,
    TableExists,
    TableNotFound,
    TableReplaced,
)
from .lane import Refused
from .monitor import Monitor
from .previewer import Previewer
from .rendering import Rendering, Sessions

T = TypeVar("T")

_STATUS = {
    InvalidName: 400,
    InvalidQuery: 400,
    TableNotFound: 404,
    PlaceNotFound: 404,
    TableExists: 409,
    TableReplaced: 409,
    DamagedTable: 422,
    LoadFailed: 422,
    NewerProtocol: 422,
}


def refused(error: ArrowSHMError) -> web.HTTPError:
    """The answer for one of our errors."""
    kind = error.kind if isinstance(error, Refused) else type(error)
    return web.HTTPError(_STATUS.get(kind, 503), error.says("magic"), reason=kind.__name__)


class Handler(APIHandler):
    """The base of our handlers: JSON errors, and work outside the event loop."""

    auth_resource = "arrowshm"
    # A sidebar that asks again and again is not the user's work: the server must be able to see that nobody is there.
    _track_activity = False

    @property
    def monitor(self) -> Monitor:
        monitor: Monitor = self.settings["arrowshm_monitor"]
        return monitor

    @property
    def previewer(self) -> Previewer:
        previewer: Previewer = self.settings["arrowshm_previewer"]
        return previewer

    @property
    def rendering(self) -> Rendering:
        rendering: Rendering = self.settings["arrowshm_rendering"]
        return rendering

    async def aside(self, call: Callable[..., T], *arguments: object) -> T:
        """Run ``call`` in a thread; our errors become answers."""
        try:
            return await asyncio.get_running_loop().run_in_executor(None, functools.partial(call, *arguments))
        except ArrowSHMError as error:
            raise refused(error) from None
        except Exception as error:  # from another library that reads a table's types, say
            self.log.exception("arrowshm: %s failed", self.request.uri)
            message = f"The server could not do this ({type(error).__name__}: {error}). Its log says more."
            raise web.HTTPError(500, message, reason="InternalError") from None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """As APIHandler does, but with the text as it was: Tornado doubles each % of it for its log."""
        error = kwargs.get("exc_info", (None, None))[1]
        if not isinstance(error, web.HTTPError) or not error.log_message:
            super().write_error(status_code, **kwargs)
            return
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": error.log_message % error.args, "reason": error.reason}))

    async def sessions(self) -> Sessions:
        """Kernel id -> path of the notebook, also after it was renamed."""
        sessions = await ensure_async(self.settings["session_manager"].list_sessions())
        return {session["kernel"]["id"]: session["path"] for session in sessions if session.get("kernel")}
