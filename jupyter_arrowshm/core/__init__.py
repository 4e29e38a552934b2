"""Any process: the store, its locks, and the Arrow files in it. Nothing here needs Jupyter or a data frame library.

The rest of the package uses what is named here, and none of the modules behind it. Each of those is imported when one
of its names is first used: who attaches a table waits for nothing that sharing, listing and collecting need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .access import EVERYONE, Access, members_of, of_user
    from .arrowfile import UNREADABLE, Block, batch_lengths, blocks, is_compressed
    from .arrowfile import length as length_of_batch
    from .attached import Attachment
    from .capabilities import Capabilities
    from .contents import Look
    from .directory import ENVIRONMENT_VARIABLE, SHARED_MEMORY, default_parent, default_path
    from .facts import PROTOCOL
    from .loads import attach_origin
    from .lock import renew_in_children, wait_for
    from .names import check as check_name
    from .names import of_file as name_of_file
    from .packed import Entry, check_owner, describe, pack, take_over
    from .process import LABEL_OPTION, Holder, Publisher, is_run_by_program, user_name
    from .publication import Progress, Writer
    from .room import Room
    from .store import Store, default_store
    from .table import OlderVersion, TableInfo, Tables

_MODULES = {
    "EVERYONE": "access",
    "ENVIRONMENT_VARIABLE": "directory",
    "LABEL_OPTION": "process",
    "PROTOCOL": "facts",
    "SHARED_MEMORY": "directory",
    "UNREADABLE": "arrowfile",
    "Access": "access",
    "Attachment": "attached",
    "Block": "arrowfile",
    "Capabilities": "capabilities",
    "Entry": "packed",
    "Holder": "process",
    "Look": "contents",
    "OlderVersion": "table",
    "Progress": "publication",
    "Publisher": "process",
    "Room": "room",
    "Store": "store",
    "TableInfo": "table",
    "Tables": "table",
    "Writer": "publication",
    "attach_origin": "loads",
    "batch_lengths": "arrowfile",
    "blocks": "arrowfile",
    "check_name": "names.check",
    "check_owner": "packed",
    "default_parent": "directory",
    "default_path": "directory",
    "default_store": "store",
    "describe": "packed",
    "is_compressed": "arrowfile",
    "is_run_by_program": "process",
    "length_of_batch": "arrowfile.length",
    "members_of": "access",
    "name_of_file": "names.of_file",
    "of_user": "access",
    "pack": "packed",
    "renew_in_children": "lock",
    "take_over": "packed",
    "user_name": "process",
    "wait_for": "lock",
}

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "EVERYONE",
    "LABEL_OPTION",
    "PROTOCOL",
    "SHARED_MEMORY",
    "UNREADABLE",
    "Access",
    "Attachment",
    "Block",
    "Capabilities",
    "Entry",
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
    "attach_origin",
    "batch_lengths",
    "blocks",
    "check_name",
    "check_owner",
    "default_parent",
    "default_path",
    "default_store",
    "describe",
    "is_compressed",
    "is_run_by_program",
    "length_of_batch",
    "members_of",
    "name_of_file",
    "of_user",
    "pack",
    "renew_in_children",
    "take_over",
    "user_name",
    "wait_for",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _MODULES[name].partition(".")
    value = globals()[name] = getattr(import_module(f".{module}", __name__), attribute or name)
    return value
