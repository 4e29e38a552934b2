"""Share a table from one notebook, attach it in another: zero-copy, in Python, Julia or R.

>>> import jupyter_arrowshm as shm
>>> shm.share(df, "trips")          # in one process
>>> trips = shm.attach("trips")     # in another: the same memory
>>> shm.tables()                    # what is shared, and who uses it

Importing this does not import Jupyter, pandas, polars or DuckDB.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors
from ._version import __version__
from .errors import (
    ArrowSHMError,
    Busy,
    DamagedTable,
    InvalidName,
    InvalidQuery,
    LoadFailed,
    LoadsItself,
    NewerProtocol,
    NoRoom,
    PlaceFailed,
    PlaceNotFound,
    QueryStopped,
    StoreFailed,
    TableExists,
    TableLost,
    TableNotFound,
    TableReplaced,
    UnsafeDirectory,
    UnsupportedPlatform,
    UnsupportedSource,
    UnsupportedTarget,
)

if TYPE_CHECKING:
    from .core import Attachment, Holder, OlderVersion, Publisher, Store, TableInfo, Tables, Writer, default_store
    from .elsewhere import Place, Places, place, places
    from .widget import SharedTables, TablePreview

    attach = default_store().attach
    attachment = default_store().attachment
    gc = default_store().gc
    info = default_store().info
    pin = default_store().pin
    share = default_store().share
    tables = default_store().tables
    unpin = default_store().unpin
    unshare = default_store().unshare
    writer = default_store().writer

__all__ = [
    "ArrowSHMError",
    "Attachment",
    "Busy",
    "DamagedTable",
    "Holder",
    "InvalidName",
    "InvalidQuery",
    "LoadFailed",
    "LoadsItself",
    "NewerProtocol",
    "NoRoom",
    "OlderVersion",
    "Place",
    "PlaceFailed",
    "PlaceNotFound",
    "Places",
    "Publisher",
    "QueryStopped",
    "SharedTables",
    "Store",
    "StoreFailed",
    "TableExists",
    "TableInfo",
    "TableLost",
    "TableNotFound",
    "TablePreview",
    "TableReplaced",
    "Tables",
    "UnsafeDirectory",
    "UnsupportedPlatform",
    "UnsupportedSource",
    "UnsupportedTarget",
    "Writer",
    "__version__",
    "attach",
    "attachment",
    "errors",
    "gc",
    "info",
    "pin",
    "place",
    "places",
    "share",
    "tables",
    "unpin",
    "unshare",
    "writer",
]

_LAZY = {
    "Attachment": "core",
    "Holder": "core",
    "OlderVersion": "core",
    "Place": "elsewhere",
    "Places": "elsewhere",
    "Publisher": "core",
    "SharedTables": "widget",
    "Store": "core",
    "TableInfo": "core",
    "TablePreview": "widget",
    "Tables": "core",
    "Writer": "core",
    "place": "elsewhere",
    "places": "elsewhere",
}


# Methods of the store, which say what they do: importing this imports no pyarrow until one is used.
_OF_THE_STORE = {"attach", "attachment", "gc", "info", "pin", "share", "tables", "unpin", "unshare", "writer"}


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """The extension that ``jupyter server`` loads."""
    from .server.app import ArrowSHM

    return [{"module": "jupyter_arrowshm.server.app", "app": ArrowSHM}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_arrowshm``."""
    from .notebook.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext jupyter_arrowshm``."""
    from .notebook.magics import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    elif name in _OF_THE_STORE:
        value = _of_the_store(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _of_the_store(name: str) -> Callable[..., Any]:
    """A method of the store that the environment names at the time of the call, as a function."""
    from .core import Store, default_store

    @functools.wraps(getattr(Store, name))
    def function(*args: Any, **keywords: Any) -> Any:
        return getattr(default_store(), name)(*args, **keywords)

    signature = inspect.signature(function)
    _, *parameters = signature.parameters.values()  # without `self`
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    function.__module__, function.__qualname__ = __name__, name
    return function


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
