"""Where else tables are: of other users of this machine, in a folder, bucket or Ray cluster. None needs Jupyter."""

from __future__ import annotations

from .configuration import OPEN_PLACES, PLACES, is_valid
from .lookup import place, places, targets
from .openstores import own
from .pages import Pages
from .protocol import LOADED, Place, Places, as_dict, copy

__all__ = [
    "LOADED",
    "OPEN_PLACES",
    "PLACES",
    "Pages",
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
