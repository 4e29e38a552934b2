"""``arrowshm/file...?path=``: what is in a file of the server's folder. Nothing of it is loaded, and no kernel runs."""

from __future__ import annotations

import asyncio
import os
from pathlib import PurePosixPath
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.services.contents.fileio import FileManagerMixin
from tornado import web

from ..errors import InvalidQuery, LoadFailed
from ..loading import version_of
from ..looking.questions import AboutQuestion
from .base import Handler, refused
from .preview_handlers import QUESTIONS, AskingHandler, may_read


class OfFile(Handler):
    """The file is named as everywhere in Jupyter: by its path in the server's folder, with ``/``."""

    async def address(self, name: str = "", place: str = "") -> dict[str, str]:
        """Where the file is: only what the contents API would give to this user, too."""
        may = self.authorizer.is_authorized(self, self.current_user, "read", "contents")
        if not await ensure_async(may):
            raise web.HTTPError(403, "You may not read files of this server.")
        path = self.get_query_argument("path", "").strip("/")
        if not path:
            raise refused(InvalidQuery("path is the path of a file in the server's folder"))
        if not isinstance(self.contents_manager, FileManagerMixin):
            fix = "Load it where its files are, in a notebook."
            raise refused(LoadFailed(path, "this server does not keep its files on a disk of its own", fix))
        manager: Any = self.contents_manager
        # jupyter_server compares the beginnings of paths, and ../root-2 begins as root does.
        if ".." in PurePosixPath(path).parts:
            raise web.HTTPError(404, "There is no such file.", reason="FileNotFound")
        try:
            # As the manager has it: which files are hidden, and whatever else it forbids.
            model = await ensure_async(manager.get(path, content=False))
        except web.HTTPError as error:
            if error.status_code != 404:
                raise
            raise web.HTTPError(404, "There is no such file.", reason="FileNotFound") from None
        if model["type"] == "directory":
            raise refused(LoadFailed(path, "it is a folder"))
        return {"name": PurePosixPath(path).name, "file": manager._get_os_path(path)}


class FileHandler(OfFile, AskingHandler):
    _etag: str | None = None

    @web.authenticated
    @may_read
    async def get(self) -> None:
        """Its columns and the number of its rows. Answers 304 to an ``If-None-Match`` that still holds."""
        address = await self.address()
        try:
            status = await asyncio.get_running_loop().run_in_executor(None, os.stat, address["file"])
        except OSError:
            raise web.HTTPError(404, "There is no such file.", reason="FileNotFound") from None
        self._etag = f'"{version_of(status)}"'
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return
        _, answer = await self.ask({"what": AboutQuestion.what}, address)
        self.finish(answer.body)

    def compute_etag(self) -> str | None:
        return self._etag


FILE_HANDLERS: list[tuple[str, type[Handler]]] = [
    (r"/arrowshm/file", FileHandler),
    *((f"/arrowshm/file/{one.what}", type(f"File{one.__name__}", (OfFile, one), {})) for one in QUESTIONS),
]
