"""Any process: the store, its locks, and the Arrow files in it. Nothing here needs Jupyter or a data frame library.

The rest of the package uses what is named here, and none of the modules behind it. Each of those is imported when one
of its names is first used: who attaches a table waits for nothing that sharing, listing and collecting need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arrowfile import UNREADABLE
    from .attached import Attachment
    from .capabilities import Capabilities
    from .directory import ENVIRONMENT_VARIABLE, SHARED_MEMORY, default_path
    from .facts import PROTOCOL
    from .lock import renew_in_children
    from .process import LABEL_OPTION, Holder, Publisher, is_run_by_program
    from .publication import Progress, Writer
    from .room import Room
    from .store import Look, Store, default_store
    from .table import OlderVersion, TableInfo, Tables

_MODULES = {
    "ENVIRONMENT_VARIABLE": "directory",
    "LABEL_OPTION": "process",
    "PROTOCOL": "facts",
    "SHARED_MEMORY": "directory",
    "UNREADABLE": "arrowfile",
    "Attachment": "attached",
    "Capabilities": "capabilities",
    "Holder": "process",
    "Look": "store",
    "OlderVersion": "table",
    "Progress": "publication",
    "Publisher": "process",
    "Room": "room",
    "Store": "store",
    "TableInfo": "table",
    "Tables": "table",
    "Writer": "publication",
    "default_path": "directory",
    "default_store": "store",
    "is_run_by_program": "process",
    "renew_in_children": "lock",
}

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "LABEL_OPTION",
    "PROTOCOL",
    "SHARED_MEMORY",
    "UNREADABLE",
    "Attachment",
    "Capabilities",
    "Holder",
    "Look",
    "OlderVersion",
    "Progress",
    "Publisher",
    "Room",
    "Store",
    "TableInfo",
    "Tables",
    "Writer",
    "default_path",
    "default_store",
    "is_run_by_program",
    "renew_in_children",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value
