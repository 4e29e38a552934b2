"""Where else tables are: of other users of this machine, or in a folder or bucket. Nothing here needs Jupyter."""

from __future__ import annotations

from .configuration import OPEN_PLACES, PLACES, is_valid
from .lookup import place, places
from .openstores import own
from .protocol import Place, Places

__all__ = ["OPEN_PLACES", "PLACES", "Place", "Places", "is_valid", "own", "place", "places"]
