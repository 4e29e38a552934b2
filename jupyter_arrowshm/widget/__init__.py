"""The list of shared tables, and a preview of any table, inside a notebook.

Importing this imports ipywidgets and anywidget; ``jupyter_arrowshm`` does so
when one of the two is first asked for.
"""

from __future__ import annotations

from .preview import TablePreview
from .tables import SharedTables

__all__ = ["SharedTables", "TablePreview"]
