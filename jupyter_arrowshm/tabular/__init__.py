"""Tabular object <-> Arrow: what ``share`` takes (``sources``) and what ``attach(to=...)`` gives (``targets``).

Importing this imports pyarrow and nothing else. A library is looked at only
when an object of it is handed over (then its module is loaded already) or
when ``to`` asks for it. Nothing here reads or writes files.

``rules`` says how each type is handed to each library; docs/types.md is
generated from it.
"""

from __future__ import annotations

from .extent import addresses, copied
from .sources import Source, to_arrow, to_batch
from .targets import Converted, from_arrow, index_columns, usable

__all__ = [
    "Converted",
    "Source",
    "addresses",
    "copied",
    "from_arrow",
    "index_columns",
    "to_arrow",
    "to_batch",
    "usable",
]
