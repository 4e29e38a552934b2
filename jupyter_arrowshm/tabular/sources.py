"""The objects that ``share`` takes, as Arrow record batches: no copy where a library's data is in Arrow's layout."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ..arrowtypes import has_arrays
from ..errors import ArrowSHMError, UnsupportedSource
from . import cast
from .memory import rows_only
from .weight import weigh_batch, weigh_table

_ACCEPTED = (
    "share() takes a pyarrow Table, RecordBatch, RecordBatchReader or dataset scanner, a pandas or polars DataFrame "
    "or Series, a DuckDB relation, an array, a dict of arrays, and anything with "
    "__arrow_c_stream__, __arrow_c_array__, __array__ or __dlpack__"
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
        Where the object is not a table, or Arrow cannot carry it such that it comes back equal.
    """
    with _noting():
        source = _source(obj)
    for field in source.schema:
        if not has_arrays(field.type):
            fix = f"Leave it out: `t = t.drop_columns([{field.name!r}])`"
            reason = "it is an interval of an older sort, which pyarrow has no arrays for"
            raise UnsupportedSource(f"{source.kind} table", reason, fix, field.name)
    return source if source.num_rows is not None else replace(source, batches=_noted(source.batches))


def _noted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with _noting():
        yield from batches


_NOTE = "This came up while the rows were read to be shared. Nothing was shared."


@contextlib.contextmanager
def _noting() -> Iterator[None]:
    """An error of another library stays the error that it is, with a note about us."""
    try:
        yield
    except (ArrowSHMError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of polars is no Exception
        with contextlib.suppress(AttributeError, TypeError):
            # add_note() is of Python 3.11; this is what it does.
            error.__notes__ = [*getattr(error, "__notes__", ()), _NOTE]  # type: ignore[attr-defined]
        raise


def is_of_source(error: BaseException) -> bool:
    """Whether the error came up in the code behind a source, while its rows were read."""
    return _NOTE in getattr(error, "__notes__", ())


def _source(obj: Any) -> Source:
    if isinstance(obj, Source):
        return obj
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
    if _instance(obj, "geopandas", "GeoDataFrame"):
        # GeoArrow's well-known binary, with the system of coordinates in the field's metadata.
        return _in_memory(pa.table(obj.to_arrow(geometry_encoding="WKB")), "geopandas")
    if _instance(obj, "pandas", "DataFrame", "Series"):
        from . import frames

        series = _instance(obj, "pandas", "Series")
        return _in_memory(frames.encode(obj), "pandas.Series" if series else "pandas")
    if _instance(obj, "polars", "DataFrame", "Series", "LazyFrame"):
        return _from_polars(obj)
    if _instance(obj, "duckdb", "DuckDBPyRelation"):
        from . import relations

        # Not to_arrow_table(): the batches arrive while they are written, so a query may be larger than the memory.
        schema, batches = relations.encode(obj)
        return Source(schema, batches, "duckdb", None, None)
    if fix := _shareable(obj):
        raise UnsupportedSource(type(obj).__name__, "it is not a table in memory", f"Make it one: `{fix}`")
    if isinstance(obj, Mapping):  # xarray's Dataset is one, too
        from . import arrays

        _check_alignment(obj)
        return _in_memory(arrays.encode(obj), "numpy")
    if hasattr(obj, "__arrow_c_stream__") or hasattr(obj, "__arrow_c_array__"):
        return _from_capsule(obj, "pyarrow" if isinstance(obj, (pa.Array, pa.ChunkedArray)) else _kind(obj))
    if hasattr(obj, "__dataframe__"):  # an older protocol, without Arrow's types
        fix = "Convert it: `from pyarrow.interchange import from_dataframe; x = from_dataframe(x)`"
        raise UnsupportedSource(type(obj).__name__, "it only has the older __dataframe__ protocol", fix)
    if (array := _as_array(obj)) is not None:
        from . import arrays

        return _in_memory(arrays.encode_single(array), "numpy.array")
    raise UnsupportedSource(type(obj).__name__, "it is not a table", f"{_ACCEPTED}.")


# Module and class of objects that are almost tables, and the call that makes a table of the variable `x`.
_ALMOST = {
    ("dask.dataframe", "DataFrame"): "x = x.compute()",
    ("dask.dataframe", "Series"): "x = x.compute()",
    ("dask.array", "Array"): "x = x.compute()",
    ("modin.pandas", "DataFrame"): "x = x.modin.to_pandas()",
    ("modin.pandas", "Series"): "x = x.modin.to_pandas()",
    ("pyspark.sql", "DataFrame"): "x = x.toArrow()",
    ("pyspark.pandas", "DataFrame"): "x = x.to_pandas()",
    ("pyspark.pandas", "Series"): "x = x.to_pandas()",
    ("pandas", "Index"): "x = x.to_frame(index=False)",
    ("pandas.api.extensions", "ExtensionArray"): "x = pd.Series(x)",
    ("xarray", "DataArray"): "x = x.to_series()",
    ("xarray", "Dataset"): "x = x.to_dataframe()",
}


def _shareable(obj: object) -> str:
    fix = next((fix for (module, name), fix in _ALMOST.items() if _instance(obj, module, name)), "")
    return "x = x.toPandas()" if "toArrow" in fix and not hasattr(obj, "toArrow") else fix  # before pyspark 4


def _check_alignment(columns: Mapping[Any, Any]) -> None:
    """Series have labels for their rows: put side by side by position, rows of different labels would be one."""
    series = {name: value for name, value in columns.items() if _instance(value, "pandas", "Series")}
    indexes = {name: value.index for name, value in series.items()}
    for name, index in indexes.items():
        if not index.equals(next(iter(indexes.values()))):
            fix = "Align them: `d = pd.DataFrame(d)`"
            raise UnsupportedSource("dict of Series", "its index differs from that of another", fix, str(name))


def _as_array(obj: Any) -> Any:
    """A NumPy array over the memory of an object that can give one; None for anything else, and for a single number."""
    if not hasattr(obj, "__array__") and not hasattr(obj, "__dlpack__"):
        return None
    import numpy as np

    if isinstance(obj, np.generic):
        return None
    if not isinstance(obj, np.ndarray) and hasattr(obj, "__dlpack__"):
        device = getattr(obj, "__dlpack_device__", lambda: (1, 0))()
        if int(device[0]) != 1:  # kDLCPU
            raise UnsupportedSource(type(obj).__name__, "it is in the memory of a device", "Copy it: `x = x.cpu()`")
        return np.from_dlpack(obj)
    return np.asanyarray(obj)


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
        # 128-bit integers have no Arrow type; the error does not say which column it is.
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
    """The batches that ``writer.write(obj)`` writes, of exactly ``schema``.

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
        if said:
            nulls = [f"batch = batch.append_column({name!r}, pa.nulls(len(batch)))" for name in missing]
            code = "; ".join(["batch = pa.table(batch)", *nulls, f"batch = batch.select({wanted!r})"])
            fix += f" Make them so: `{code}`"
        raise UnsupportedSource(kind, " and ".join(said) or "its columns have other names", fix)
    order = range(len(names)) if names == wanted else [names.index(name) for name in wanted]
    return (cast.fit(batch, schema, order, kind) for batch in source.batches)
