"""Share a table from one notebook, attach it in another: zero-copy, in Python or Julia.

>>> import jupyter_arrowshm as shm
>>> shm.share(df, "trips")          # in one process
>>> trips = shm.attach("trips")     # in another: the same memory
>>> shm.tables()                    # what is shared, and who uses it

Importing this imports nothing of Jupyter, pandas, polars or DuckDB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import errors
from ._version import __version__
from .errors import (
    ArrowSHMError,
    Busy,
    DamagedSegment,
    InvalidName,
    InvalidQuery,
    NewerProtocol,
    NoRoom,
    QueryStopped,
    StoreFailed,
    TableExists,
    TableNotFound,
    TableReplaced,
    UnsafeDirectory,
    UnsupportedPlatform,
    UnsupportedSource,
    UnsupportedTarget,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from .core.attached import Attachment
    from .core.process import Holder, Publisher
    from .core.publication import Writer
    from .core.store import Store, Validate
    from .core.table import OlderVersion, TableInfo, Tables
    from .widget import SharedTables, TablePreview

__all__ = [
    "ArrowSHMError",
    "Attachment",
    "Busy",
    "DamagedSegment",
    "Holder",
    "InvalidName",
    "InvalidQuery",
    "NewerProtocol",
    "NoRoom",
    "OlderVersion",
    "Publisher",
    "QueryStopped",
    "SharedTables",
    "Store",
    "StoreFailed",
    "TableExists",
    "TableInfo",
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
    "share",
    "tables",
    "unpin",
    "unshare",
    "writer",
]

_LAZY = {
    "Attachment": "core.attached",
    "Holder": "core.process",
    "OlderVersion": "core.table",
    "Publisher": "core.process",
    "SharedTables": "widget",
    "Store": "core.store",
    "TableInfo": "core.table",
    "TablePreview": "widget",
    "Tables": "core.table",
    "Writer": "core.publication",
}


def share(source: object, name: str, *, replace: bool = False, pin: bool = False) -> TableInfo:
    """Copy a table into shared memory under a name; in any process of yours, :func:`attach` then uses that copy.

    ``source`` is a pyarrow, pandas, polars or DuckDB table, a dict of NumPy
    arrays, or anything else with the Arrow PyCapsule interface. Sharing again
    from the same process, notebook or script replaces the table; somebody
    else's is replaced with ``replace=True`` alone. See :meth:`Store.share`.
    """
    return _store().share(source, name, replace=replace, pin=pin)


def attach(
    name: str,
    *,
    as_: str = "pyarrow",
    columns: Sequence[str] | None = None,
    copy: bool = False,
    timeout: float | None = None,
    validate: Validate = None,
) -> Any:
    """The table of this name, zero-copy: a ``pyarrow.Table`` on the shared memory.

    ``as_`` gives another kind: ``"pandas"``, ``"polars"``, ``"duckdb"``,
    ``"numpy"``, or ``"source"``, the kind that was shared. The data stays valid
    for as long as anything refers to it, and is read-only; ``copy=True`` gives
    a private copy to write into. See :meth:`Store.attach`.
    """
    return _store().attach(name, as_=as_, columns=columns, copy=copy, timeout=timeout, validate=validate)


def attachment(
    name: str,
    *,
    as_: str = "pyarrow",
    columns: Sequence[str] | None = None,
    copy: bool = False,
    timeout: float | None = None,
    validate: Validate = None,
) -> Attachment:
    """As :func:`attach`, with what was copied. See :meth:`Store.attachment`."""
    return _store().attachment(name, as_=as_, columns=columns, copy=copy, timeout=timeout, validate=validate)


def writer(name: str, schema: pa.Schema, *, replace: bool = False, pin: bool = False) -> Writer:
    """Write a table batch by batch: ``with writer("trips", schema) as w: w.write(batch)``. See :meth:`Store.writer`."""
    return _store().writer(name, schema, replace=replace, pin=pin)


def tables() -> Tables:
    """What is shared now, and who uses it. See :meth:`Store.tables`."""
    return _store().tables()


def info(name: str) -> TableInfo:
    """One row of :func:`tables`. See :meth:`Store.info`."""
    return _store().info(name)


def unshare(name: str) -> None:
    """Remove a name; whoever has the table attached keeps it. See :meth:`Store.unshare`."""
    _store().unshare(name)


def pin(name: str) -> None:
    """Never remove this table automatically. See :meth:`Store.pin`."""
    _store().pin(name)


def unpin(name: str) -> None:
    """The opposite of :func:`pin`."""
    _store().unpin(name)


def gc() -> dict[str, int]:
    """Remove every table that nobody uses and that is not pinned. See :meth:`Store.gc`."""
    return _store().gc()


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What ``jupyter server`` loads."""
    from .server.app import ArrowSHM

    return [{"module": "jupyter_arrowshm.server.app", "app": ArrowSHM}]


def _store() -> Store:
    from .core.store import default_store

    return default_store()


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
        from importlib import import_module

        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
