"""The extension: configuration, the monitor, and where its news goes."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Float, Int, Unicode, validate

from ..core import ENVIRONMENT_VARIABLE, Store
from ..elsewhere import OPEN_PLACES, PLACES, is_valid
from .changes import Change
from .handlers import HANDLERS
from .keeper import Rules
from .monitor import Monitor
from .previewer import Previewer
from .rendering import Rendering

EVENTS = "https://events.jupyter.org/jupyter_arrowshm/table"
_SCHEMA = Path(__file__).parent / "events" / "table.yaml"


class ArrowSHM(ExtensionApp):
    """Shared tables on this server: ``c.ArrowSHM.idle_timeout = 3600`` in ``jupyter_server_config.py``."""

    name = "jupyter_arrowshm"

    directory = Unicode(
        help="Absolute path of the directory of tables; the kernels that this server starts use it too."
        " Without it, $JUPYTER_ARROWSHM_DIR or a private directory in /dev/shm.",
    ).tag(config=True)
    idle_timeout = Float(
        Rules.idle_timeout, min=0, help="Seconds after which a table that nobody uses is removed. 0: never."
    ).tag(config=True)
    max_bytes = Int(
        Rules.max_bytes,
        min=0,
        help="Remove unused tables, the longest unused first, while all together are larger. 0: no limit.",
    ).tag(config=True)
    min_free = Float(
        Rules.min_free,
        min=0,
        max=1,
        help="Remove unused tables, the longest unused first, while less than this part of the room is free.",
    ).tag(config=True)

    places = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Folders and buckets to share tables in, by name: {'team': 's3://bucket/tables', 'course': '/srv/course'}."
        " The kernels that this server starts know them, too.",
    ).tag(config=True)
    open_places = Bool(
        True,
        help="Whether users may share tables with other users of this machine, and attach theirs.",
    ).tag(config=True)

    monitor: Monitor
    previewer: Previewer

    @validate("directory")
    def _absolute(self, proposal: dict[str, Any]) -> str:
        path = os.path.expanduser(str(proposal["value"]))
        if path and not os.path.isabs(path):
            raise ValueError(f"c.ArrowSHM.directory must be an absolute path, and {path!r} is not")
        return path

    @validate("places")
    def _named(self, proposal: dict[str, Any]) -> dict[str, str]:
        if not is_valid(proposal["value"]):
            raise ValueError("c.ArrowSHM.places maps names, without a leading -, to addresses")
        return dict(proposal["value"])

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        if self.directory:
            # Kernels inherit the environment of the server.
            os.environ[ENVIRONMENT_VARIABLE] = self.directory
        if self.places:
            os.environ[PLACES] = json.dumps(dict(self.places))
        if not self.open_places:
            os.environ[OPEN_PLACES] = "0"
        assert self.serverapp.event_logger is not None
        self.serverapp.event_logger.register_event_schema(_SCHEMA)
        loop = self.serverapp.io_loop
        assert loop is not None
        rules = Rules(self.idle_timeout, self.max_bytes, self.min_free)
        # The monitor has a thread of its own; events are for the event loop's.
        self.monitor = Monitor(Store(), rules, functools.partial(loop.add_callback, self._emit), self.log)
        self.settings["arrowshm_monitor"] = self.monitor
        self.settings["arrowshm_rendering"] = Rendering(self.monitor.keeper)
        self.previewer = Previewer()
        self.settings["arrowshm_previewer"] = self.previewer
        self.monitor.start()

    def initialize_handlers(self) -> None:
        self.handlers.extend(HANDLERS)

    def _emit(self, change: Change) -> None:
        assert self.serverapp is not None and self.serverapp.event_logger is not None
        data = {"action": change.action, "name": change.name, "who": list(change.who), "reason": change.reason}
        self.serverapp.event_logger.emit(schema_id=EVENTS, data=data)

    async def stop_extension(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, one.stop) for one in (self.monitor, self.previewer)))
