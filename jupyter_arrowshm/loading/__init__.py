"""Origins: what tables can be loaded from. An origin gives a version, which is cheap to have, and record batches.

Nothing here knows the store: ``core`` loads an origin once per machine, and everybody attaches what it loaded.
"""

from __future__ import annotations

from . import remote
from .files import Files, csv_options, entity_tag, format_of, version_of
from .origin import Origin, name_of
from .where import Where

__all__ = ["Files", "Origin", "Where", "csv_options", "entity_tag", "format_of", "name_of", "remote", "version_of"]
