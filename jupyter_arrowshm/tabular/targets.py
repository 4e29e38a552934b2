"""A table that was read <-> what the user asked for: the object of another library, over the same memory."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..errors import ArrowSHMError, UnsupportedTarget
from ..kinds import KINDS
from .fitting import fitted
from .memory import OUR_KEYS, PANDAS_KEY, deep_copy, private_column, with_metadata
from .recast import rebuilt


@dataclass(frozen=True)
class Converted:
    """What :func:`from_arrow` made: ``kind`` is what it became, ``note`` says why that is not what was asked for.

    ``importing`` is the seconds that it took to import the library of that kind.
    """

    value: object
    kind: str
    note: str | None
    importing: float = 0.0


def index_columns(schema: pa.Schema) -> list[str]:
    """The columns that are the index of the frame that was shared; none if it was not a frame or has a range."""
    metadata = schema.metadata or {}
    if meta := json.loads(metadata.get(PANDAS_KEY, b"null")):
        return [name for name, _, _ in meta["index"]]
    # As pandas writes it into files; a range is not a column but a dictionary.
    own = json.loads(metadata.get(b"pandas", b"null")) or {}
    return [name for name in own.get("index_columns", []) if isinstance(name, str)]


def usable(table: pa.Table, kind: str | None) -> pa.Table:
    """The table with columns that pyarrow can select, order, join and write; as it is if pyarrow shared it.

    Parameters
    ----------
    kind
        ``Source.kind`` of what was shared, None if unknown.
    """
    return table if kind == "pyarrow" else fitted(table, "pyarrow")


def from_arrow(table: pa.Table, to: str, *, kind: str | None, copy: bool = False) -> Converted:
    """The table as another library's object, sharing its memory where that library can.

    Parameters
    ----------
    table
        The table that was read.
    to
        One of :data:`KINDS`. ``"pandas"`` and ``"polars"`` always give a frame; ``"source"`` gives what was shared,
        a Series or a subclass too, or a ``pyarrow.Table`` and a note where that library cannot be imported here.
        ``"numpy"`` gives an array where one was shared, else a dict of them. ``"stored"`` is a ``pyarrow.Table`` of
        the very types that are stored, some of which pyarrow cannot compute with.
    kind
        ``Source.kind`` of what was shared, None if unknown.
    copy
        Nothing of the result shares memory with ``table``, and what can be writable is.

    Raises
    ------
    ValueError
        ``to`` is none of :data:`KINDS`.
    ImportError
        The library that ``to`` asks for by name is not installed.
    UnsupportedTarget
        That library has no such table, or no such column.
    """
    if to not in KINDS:
        raise ValueError(f"to={to!r} is none of {', '.join(map(repr, KINDS))}")
    if to == "stored":
        return Converted(_own(table, copy), "pyarrow", None)
    wanted = to if to != "source" else (kind or "pyarrow")
    if to == "numpy" and kind == "numpy.array":
        wanted = kind
    library, _, part = wanted.partition(".")
    note = None
    if library not in _MAKERS and library != "pyarrow":
        note = f"what is shared from {library} comes back as a pyarrow.Table"
        wanted = library = "pyarrow"
    begun = time.perf_counter()
    try:
        importlib.import_module(library)
    except ImportError:
        if to != "source":
            raise ImportError(f"to={to!r} needs {library}: pip install {library}") from None
        note = f"{library} is not installed here, so this is a pyarrow.Table"
        wanted = library = "pyarrow"
    importing = time.perf_counter() - begun
    if library == "pyarrow":
        return Converted(_own(usable(table, kind), copy), "pyarrow", note, importing)
    made = _made(table, library, bool(part), copy)
    if to == "source" and library == "pandas":
        from . import frames

        made, note = frames.as_it_was(made, table)
    return Converted(made, wanted, note, importing)


def _made(table: pa.Table, library: str, part: bool, copy: bool) -> object:
    try:
        return _MAKERS[library](table, part, copy)
    except BaseException as error:
        if not _is_refusal(error):
            raise
        column = _at_fault(table, library) if table.num_columns > 1 else next(iter(table.column_names), None)
        raise UnsupportedTarget(library, str(error).partition("\n")[0][:200].rstrip("."), column) from None


def _is_refusal(error: BaseException) -> bool:
    # A panic of polars is a BaseException.
    return not isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError, ImportError, ArrowSHMError))


def _at_fault(table: pa.Table, library: str) -> str | None:
    for number, name in enumerate(table.column_names):
        try:
            _MAKERS[library](table.select([number]), False, False)
        except BaseException as error:  # noqa: PERF203 (what is converted takes longer)
            if not _is_refusal(error):
                raise
            return str(name)
    return None


def _plain(table: pa.Table) -> pa.Table:
    metadata = table.schema.metadata or {}
    kept = {key: value for key, value in metadata.items() if key not in OUR_KEYS}
    return table if len(kept) == len(metadata) else with_metadata(table, kept or None)


def _own(table: pa.Table, copy: bool) -> pa.Table:
    return deep_copy(_plain(table)) if copy else _plain(table)


def _to_pandas(table: pa.Table, part: bool, copy: bool) -> object:
    from . import frames

    return frames.decode(table, as_series=part, private=private_column if copy else None)


def _to_polars(table: pa.Table, part: bool, copy: bool) -> object:
    import polars as pl

    names = table.column_names
    table = _readable(fitted(table, "polars"))
    frame: Any = pl.from_arrow(deep_copy(table) if copy else table, rechunk=False)
    if frame.columns != names:  # of an empty name polars makes column_0
        frame.columns = names
    return frame.to_series(0) if part else frame


def _readable(table: pa.Table) -> pa.Table:
    """Without metadata of fields if some of it is not UTF-8, over which polars panics."""
    if all(map(_is_readable, table.schema)):
        return table
    return table.cast(
        pa.schema([(field.name, rebuilt(field.type, lambda part: part, bare=True)) for field in table.schema])
    )


def _is_readable(field: pa.Field) -> bool:
    try:
        for key, value in (field.metadata or {}).items():
            key.decode(), value.decode()
    except UnicodeDecodeError:
        return False
    return all(_is_readable(field.type.field(number)) for number in range(field.type.num_fields))


def _to_duckdb(table: pa.Table, part: bool, copy: bool) -> object:
    from . import relations

    return relations.decode(deep_copy(table) if copy else table)


def _to_numpy(table: pa.Table, part: bool, copy: bool) -> object:
    from . import arrays

    made = arrays.decode(fitted(table, "numpy"), private=private_column if copy else None)
    return arrays.single(made, table) if part else made


def _to_geopandas(table: pa.Table, part: bool, copy: bool) -> object:
    import geopandas

    return geopandas.GeoDataFrame.from_arrow(deep_copy(table) if copy else table)


_MAKERS: dict[str, Callable[[pa.Table, bool, bool], object]] = {
    "geopandas": _to_geopandas,
    "pandas": _to_pandas,
    "polars": _to_polars,
    "duckdb": _to_duckdb,
    "numpy": _to_numpy,
}
