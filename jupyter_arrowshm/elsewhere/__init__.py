"""Where else tables are: of other users of this machine, or in a folder or bucket. Nothing here needs Jupyter."""

from __future__ import annotations

from .configuration import OPEN_PLACES, PLACES, is_valid
from .lookup import place, places, targets
from .openstores import own
from .protocol import Place, Places, as_dict, copy

__all__ = [
    "OPEN_PLACES",
    "PLACES",
    "Place",
    "Places",
    "as_dict",
    "copy",
    "is_valid",
    "own",
    "place",
    "places",
    "targets",
]
