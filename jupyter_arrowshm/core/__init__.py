"""Any process: the store, its locks, and the Arrow files in it. Nothing here needs Jupyter or a data frame library.

The rest of the package uses what is named here, and none of the modules behind it.
"""

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
