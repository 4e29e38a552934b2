"""Tabular object <-> Arrow: what ``share`` takes (``sources``) and what ``attach(to=...)`` gives (``targets``).

Importing this imports pyarrow and nothing else. A library is looked at only
when an object of it is handed over (then its module is loaded already) or
when ``to`` asks for it. Nothing here reads or writes files.

``rules`` says how each type is handed to each library; docs/types.md is
generated from it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .extent import addresses, copied
    from .sources import Source, is_of_source, to_arrow, to_batch
    from .targets import Converted, from_arrow, index_columns, usable

# Each is imported when it is first used: who attaches tables may never share one.
_MODULES = {
    "Converted": "targets",
    "Source": "sources",
    "addresses": "extent",
    "copied": "extent",
    "from_arrow": "targets",
    "index_columns": "targets",
    "is_of_source": "sources",
    "to_arrow": "sources",
    "to_batch": "sources",
    "usable": "targets",
}

__all__ = [
    "Converted",
    "Source",
    "addresses",
    "copied",
    "from_arrow",
    "index_columns",
    "is_of_source",
    "to_arrow",
    "to_batch",
    "usable",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value
