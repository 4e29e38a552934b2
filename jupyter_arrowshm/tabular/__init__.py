"""Tabular object <-> Arrow: what ``share`` takes and what ``attach(to=...)`` gives.

Importing this imports pyarrow and nothing else. A library is looked at only
when an object of it is handed over (then its module is loaded already) or
when ``to`` asks for it. Nothing here reads or writes files.

What the way through Arrow changes, and nobody is told at run time:

- DuckDB: what its own Arrow export changes (HUGEINT becomes DECIMAL(38, 0),
  UUID and ENUM come back as VARCHAR, BIT as BLOB).
- anything but pandas, polars, DuckDB and dicts of arrays comes back as a
  ``pyarrow.Table`` (the note of :func:`from_arrow` says so).
- what :mod:`frames` and :mod:`arrays` list for theirs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..errors import ArrowSHMError, UnsupportedSource, UnsupportedTarget
from ..kinds import KINDS
from . import cast
from .extent import addresses, copied
from .memory import NUMPY_KEY, PANDAS_KEY, deep_copy, private_column, rows_only, with_metadata
from .weight import weigh_batch, weigh_table

__all__ = ["Converted", "Source", "addresses", "copied", "from_arrow", "index_columns", "to_arrow", "to_batch"]

_ACCEPTED = (
    "share() takes a pyarrow Table, RecordBatch, RecordBatchReader or dataset scanner, a pandas or polars DataFrame "
    "or Series, a DuckDB relation, a dict of one-dimensional arrays, and anything with __arrow_c_stream__ or "
    "__arrow_c_array__"
)


@dataclass(frozen=True)
class Source:
    """A table on its way in.

    ``batches`` can be consumed once; those of things in memory are views of
    them, those of a stream are made as they are asked for (an error of the
    library behind it, say an ``OSError`` from a query, comes up there).
    ``num_rows`` and ``nbytes`` are None where only the end of the stream tells.
    """

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    kind: str
    num_rows: int | None
    nbytes: int | None


@dataclass(frozen=True)
class Converted:
    """What :func:`from_arrow` made: ``kind`` is what it became, ``note`` says why that is not what was asked for.

    ``importing`` is the seconds that it took to import the library of that kind.
    """

    value: object
    kind: str
    note: str | None
    importing: float


def index_columns(schema: pa.Schema) -> list[str]:
    """The columns that are the index of the frame that was shared; none if it was no frame, or has a range."""
    meta = json.loads((schema.metadata or {}).get(PANDAS_KEY, b"null"))
    return [name for name, _, _ in meta["index"]] if meta else []


def _instance(obj: object, module: str, *names: str) -> bool:
    # An object's library is loaded already, so nothing needs importing to recognise it. A library that is being
    # imported at this moment lacks some of its names.
    loaded = sys.modules.get(module)
    classes = [getattr(loaded, name, None) for name in names]
    return isinstance(obj, tuple(cls for cls in classes if isinstance(cls, type)))


def to_arrow(obj: Any) -> Source:
    """Arrow record batches of a tabular object, without a copy where the library has its data in Arrow's layout.

    Does not combine small batches, and does not unify the dictionaries of a stream.

    Raises
    ------
    UnsupportedSource
        Where the object is no table, or Arrow cannot carry it such that it comes back equal.
    """
    if isinstance(obj, pa.Table):
        return _in_memory(obj, "pyarrow")
    if isinstance(obj, pa.RecordBatch):
        return Source(obj.schema, [obj], "pyarrow", obj.num_rows, weigh_batch(obj, {}))
    if isinstance(obj, pa.RecordBatchReader):
        return Source(obj.schema, obj, "pyarrow", None, None)
    if _instance(obj, "pyarrow.dataset", "Scanner"):
        return Source(obj.projected_schema, obj.to_reader(), "pyarrow", None, None)
    if _instance(obj, "pyarrow.dataset", "Dataset"):
        return Source(obj.schema, obj.scanner().to_reader(), "pyarrow", None, None)
    if _instance(obj, "pandas", "DataFrame", "Series"):
        from . import frames

        series = _instance(obj, "pandas", "Series")
        return _in_memory(frames.encode(obj), "pandas.Series" if series else "pandas")
    if _instance(obj, "polars", "DataFrame", "Series", "LazyFrame"):
        return _from_polars(obj)
    if _instance(obj, "duckdb", "DuckDBPyRelation"):
        # Not to_arrow_table(): the batches arrive while they are written, so a query may be larger than the memory.
        return _from_capsule(obj, "duckdb")
    if isinstance(obj, Mapping):
        from . import arrays

        return _in_memory(arrays.encode(obj), "numpy")
    if hasattr(obj, "__arrow_c_stream__") or hasattr(obj, "__arrow_c_array__"):
        return _from_capsule(obj, "pyarrow" if isinstance(obj, (pa.Array, pa.ChunkedArray)) else _kind(obj))
    raise UnsupportedSource(type(obj).__name__, "it is no table", f"{_ACCEPTED}.")


def _kind(obj: object) -> str:
    return type(obj).__module__.partition(".")[0]


def _in_memory(table: pa.Table, kind: str) -> Source:
    # Dictionaries of structs or of dictionaries cannot be unified: the writer says whether it can write them.
    with contextlib.suppress(pa.ArrowException):
        # An IPC file holds one dictionary per column: pyarrow refuses to write a second.
        table = table.unify_dictionaries()
    return Source(table.schema, table.to_batches(), kind, table.num_rows, weigh_table(table))


def _from_polars(obj: Any) -> Source:
    import polars as pl

    if isinstance(obj, pl.LazyFrame):
        raise UnsupportedSource("polars LazyFrame", "it is a query, not yet a table", "Run it: `df = df.collect()`")
    frame = obj.to_frame() if isinstance(obj, pl.Series) else obj
    kind = "polars.Series" if isinstance(obj, pl.Series) else "polars"
    if not frame.width:  # its to_arrow() raises IndexError for no columns
        return _in_memory(rows_only(frame.height), kind)
    # The newest level: without it polars casts its string views to large strings, a copy, and the way back is another.
    newest = pl.CompatLevel.newest()
    for name, dtype in frame.schema.items():
        if dtype == pl.Object:  # polars hands out their pointers, without an error
            fix = f"`df = df.with_columns(pl.Series({name!r}, [str(value) for value in df[{name!r}]]))`"
            raise UnsupportedSource("polars DataFrame", "Arrow has no Python objects", f"Convert it: {fix}", name)
    try:
        return _in_memory(frame.to_arrow(compat_level=newest), kind)
    except pa.ArrowException:
        # 128-bit integers have no Arrow type; which column it is, the error does not say.
        name = next((each for each in frame.columns if not _has_arrow_type(frame.select(each), newest)), None)
        if name is None:
            raise
    fix = f"`df = df.with_columns(pl.col({name!r}).cast(pl.String))`"
    raise UnsupportedSource("polars DataFrame", f"Arrow has no {frame.schema[name]}", f"Convert it: {fix}", name)


def _has_arrow_type(frame: Any, level: Any) -> bool:
    try:
        frame.clear().to_arrow(compat_level=level)
    except pa.ArrowException:
        return False
    return True


def _from_capsule(obj: Any, kind: str) -> Source:
    if isinstance(obj, pa.ChunkedArray) or not hasattr(obj, "__arrow_c_stream__"):
        chunks = obj.chunks if isinstance(obj, pa.ChunkedArray) else [pa.array(obj)]
        if not pa.types.is_struct(obj.type if isinstance(obj, pa.ChunkedArray) else chunks[0].type):
            raise _one_column(obj, "it is one column, not a table of them")
        if any(chunk.null_count for chunk in chunks):
            raise _one_column(obj, "it has nulls where a table has rows")
        # record_batch(obj) would refuse a slice.
        batches = [pa.RecordBatch.from_struct_array(chunk) for chunk in chunks]
        return _in_memory(pa.Table.from_batches(batches, pa.schema(list(obj.type)) if not batches else None), kind)
    try:
        reader = pa.RecordBatchReader.from_stream(obj)
    except pa.ArrowInvalid as error:
        if "non-struct" not in str(error):
            raise
        raise _one_column(obj, "it is one column, not a table of them") from None
    return Source(reader.schema, reader, kind, None, None)


def _one_column(obj: object, reason: str) -> UnsupportedSource:
    return UnsupportedSource(type(obj).__name__, reason, "Name the column: `x = pa.table({'x': x})`")


def to_batch(obj: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """What ``writer.write(obj)`` writes: batches of exactly ``schema``.

    Columns are found by name, whatever their order, and cast where that is
    of the same family and loses nothing (int64 to int32 where all values
    fit, string to large_string; never text to numbers). Batches of a stream
    are made, and checked, as they are asked for.

    Raises
    ------
    UnsupportedSource
        Where a column is missing, unexpected, or does not fit its type.
    """
    source = to_arrow(obj)
    kind, names, wanted = f"{source.kind} batch", source.schema.names, schema.names
    if names != wanted and (len(set(wanted)) < len(wanted) or sorted(names) != sorted(wanted)):
        missing = [name for name in wanted if name not in names]
        extra = [name for name in names if name not in wanted]
        said = [f"{word} {', '.join(map(repr, some))}" for word, some in (("lacks", missing), ("has", extra)) if some]
        fix = f"The columns of this writer are {', '.join(map(repr, wanted))}."
        raise UnsupportedSource(kind, " and ".join(said) or "its columns have other names", fix)
    order = range(len(names)) if names == wanted else [names.index(name) for name in wanted]
    return (cast.fit(batch, schema, order, kind) for batch in source.batches)


def from_arrow(table: pa.Table, to: str, *, kind: str | None, copy: bool = False) -> Converted:
    """The table as another library's object, sharing its memory where that library can.

    Parameters
    ----------
    table
        What was read from the segment.
    to
        One of :data:`KINDS`. ``"pandas"`` and ``"polars"`` always give a frame; ``"source"`` gives what was shared,
        a Series too, or a ``pyarrow.Table`` and a note where that library cannot be imported here.
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
    wanted = to if to != "source" else (kind or "pyarrow")
    library, _, part = wanted.partition(".")
    note = None
    if library not in KINDS or library == "source":
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
    return Converted(_made(table, library, bool(part), copy), wanted, note, importing)


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
    kept = {key: value for key, value in metadata.items() if key not in (PANDAS_KEY, NUMPY_KEY)}
    return table if len(kept) == len(metadata) else with_metadata(table, kept or None)


def _to_pyarrow(table: pa.Table, part: bool, copy: bool) -> object:
    return deep_copy(_plain(table)) if copy else _plain(table)


def _to_pandas(table: pa.Table, part: bool, copy: bool) -> object:
    from . import frames

    return frames.decode(table, as_series=part, private=private_column if copy else None)


def _to_polars(table: pa.Table, part: bool, copy: bool) -> object:
    import polars as pl

    frame: Any = pl.from_arrow(deep_copy(table) if copy else table, rechunk=False)
    return frame.to_series(0) if part else frame


def _to_duckdb(table: pa.Table, part: bool, copy: bool) -> object:
    import duckdb

    if not table.num_columns:
        raise UnsupportedTarget("duckdb", "it has no tables without columns")
    return duckdb.from_arrow(deep_copy(_plain(table)) if copy else _plain(table))


def _to_numpy(table: pa.Table, part: bool, copy: bool) -> object:
    from . import arrays

    return arrays.decode(table, private=private_column if copy else None)


_MAKERS: dict[str, Callable[[pa.Table, bool, bool], object]] = {
    "pyarrow": _to_pyarrow,
    "pandas": _to_pandas,
    "polars": _to_polars,
    "duckdb": _to_duckdb,
    "numpy": _to_numpy,
}
