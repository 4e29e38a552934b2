"""Previews: a page, a sort, a filter, a summary of any table, each of bounded size and time.

For the server's worker, the widget and the command line; it works on any
``pyarrow.Table`` and imports nothing of Jupyter.
"""

from __future__ import annotations

from .damage import Damage, reading
from .finding import Step
from .order import SORTED_ROWS
from .page import CELL, MAX_COLUMNS, MAX_ROWS
from .parts import CompressedSource, FarSource, ParquetSource
from .patience import Patience, Unwanted
from .selection import VIEW_ROWS
from .source import Source, of_file, of_table
from .view import METADATA_KEY, View

__all__ = [
    "CELL",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "METADATA_KEY",
    "SORTED_ROWS",
    "VIEW_ROWS",
    "CompressedSource",
    "Damage",
    "FarSource",
    "ParquetSource",
    "Patience",
    "Source",
    "Step",
    "Unwanted",
    "View",
    "of_file",
    "of_table",
    "reading",
]
