"""A pandas frame or Series <-> an Arrow table, such that it comes back equal.

``pa.Table.from_pandas`` and ``to_pandas`` lose or refuse much: in pyarrow 26
labels that are not strings, categories of intervals or periods, the kind of a
string dtype, object columns of numbers, attributes of the index. So each
column is converted by its dtype, and what the Arrow type does not tell is
recorded as JSON in the schema's metadata, next to the usual ``pandas`` key by
which any pyarrow makes a near enough frame. Each column's Arrow type is
recorded too: a column that others changed is left to pyarrow.

These do not come back as they were, without an error:

- missing values of several kinds in one object column: all are ``None``
  (of one kind, None, nan, pd.NA or NaT, they stay what they were);
- NaN in a float column is null in Arrow, and NaN again in pandas;
- a ``Decimal`` is equal but may have more zeros; a named fixed offset loses its name;
- levels of a MultiIndex lose what no row uses, as ``remove_unused_levels()``;
- a subclass of DataFrame is a DataFrame where nobody has imported its class (:mod:`.subclasses`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas
import pyarrow as pa

from ..errors import UnsupportedSource
from . import subclasses
from .arrays import FAILURES
from .fitting import fitted
from .integers import would_be_rounded
from .memory import DUCKDB_KEY, PANDAS_KEY, rows_only, with_metadata
from .recast import recast_column
from .values import (
    Private,
    bounds_of,
    decode_index,
    decode_label,
    decode_labels,
    decode_values,
    encode_index,
    encode_label,
    encode_labels,
    encode_values,
    is_object,
    values_of,
)

# Stubs of pandas, where they are installed, know less than pandas does.
pd: Any = pandas

_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}
# Types that pyarrow can always convert, so that nothing needs to be tried.
_SIMPLE = {
    *(getattr(pa, name)() for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")),
    *(pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string(), pa.date32()),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
}


def encode(obj: Any) -> pa.Table:
    """The Arrow table of a DataFrame or Series; null-free numbers are not copied."""
    series = isinstance(obj, pd.Series)
    frame: Any = obj.to_frame() if series else obj
    kind = "pandas Series" if series else "pandas DataFrame"
    mine = "s" if series else "df"
    if not frame.columns.is_unique:
        label = frame.columns[frame.columns.duplicated()][0]
        fix = "Keep the first of each: `df = df.loc[:, ~df.columns.duplicated()]`"
        raise UnsupportedSource(kind, "another column has the same label", fix, str(label))
    names: dict[str, None] = {}
    arrays, columns, index = [], [], []
    for label, column in frame.items():
        values = values_of(column)
        it = "s" if series else f"df[{label!r}]"
        try:
            array, spec = encode_values(values)
        except FAILURES as error:
            shown = str(obj.name) if series else str(label)
            raise UnsupportedSource(kind, str(error), f"Convert it: `{_fix(it, values, error)}`", shown) from None
        columns.append([_fresh(label if isinstance(label, str) else str(label), names), str(array.type), spec])
        arrays.append(array)
    try:
        bounds = bounds_of(frame.index)
        index_names = list(map(encode_label, frame.index.names))
        # Without names: get_level_values(1) is the level that is called 1.
        bare = frame.index.set_names([None] * frame.index.nlevels)
        levels = [] if bounds else [bare.get_level_values(number) for number in range(bare.nlevels)]
        for number, level in enumerate(levels):
            array, spec = encode_index(level)
            name = frame.index.names[number]
            name = name if isinstance(name, str) and name not in names else f"__index_level_{number}__"
            index.append([_fresh(name, names), str(array.type), spec])
            arrays.append(array)
    except FAILURES as error:
        fix = f"{mine}.index = {mine}.index.map(str); {mine}.index.name = None"
        if "frequency" in str(error):
            fix = f"{mine}.index.freq = None"
        raise UnsupportedSource(kind, str(error), f"Convert it: `{fix}`", "index") from None
    try:
        labels = encode_labels(frame.columns)
    except FAILURES as error:
        fix = "`s.name = str(s.name)`" if series else "`df.columns = [str(label) for label in df.columns]`"
        raise UnsupportedSource(kind, f"its column labels: {error}", f"Rename them: {fix}") from None
    meta: dict[str, Any] = {"columns": columns, "labels": labels, "index": index, "names": index_names}
    meta["range"], meta["multi"] = bounds, isinstance(frame.index, pd.MultiIndex)
    meta["attrs"] = _attrs(obj, kind, mine)
    meta["unique"] = not obj.flags.allows_duplicate_labels
    if described := subclasses.describe(obj, kind, mine):
        meta["class"] = described
    if series:
        meta["series"] = encode_label(obj.name)
    table = pa.Table.from_arrays(arrays, names=list(names)) if arrays else rows_only(len(frame))
    return with_metadata(table, {b"pandas": _usual(meta, frame), PANDAS_KEY: json.dumps(meta).encode()})


def _fresh(name: str, taken: dict[str, None]) -> str:
    """A name that no other column has: the labels 1 and "1" are different, their names would not be."""
    while name in taken:
        name += "_"
    taken[name] = None
    return name


def _fix(it: str, values: Any, error: Exception) -> str:
    """Code that turns a column that Arrow cannot carry into one that it can."""
    from . import remedies

    dtype = values.dtype
    if isinstance(error, UnicodeError):
        return f"{it} = {it}.str.encode('utf-8', 'surrogatepass')"
    if "missing values" in str(error):
        return f"{it} = {it}.where({it}.notna(), None)"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return f"{it} = {it}.dt.tz_convert('UTC')"
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return f"{it} = {it}.astype('float64')"
    if is_object(dtype):
        return remedies.of_objects(it, values, lambda column: encode_values(values_of(column)))
    return remedies.AS_TEXT.format(it=it)


def _attrs(obj: Any, kind: str, mine: str) -> dict[str, Any]:
    for key, value in obj.attrs.items():
        if type(key) is not str or not subclasses.is_json(value):
            fix = f"Drop it: `{mine}.attrs.pop({key!r})`"
            raise UnsupportedSource(kind, f"attrs[{key!r}] is not what JSON can hold", fix)
    return dict(obj.attrs)


def _usual(meta: dict[str, Any], frame: Any) -> bytes:
    """The ``pandas`` metadata that every pyarrow reads: the index, and dtypes where those can be told by name."""
    columns = []
    for name, kind, spec in meta["columns"] + [[name, kind, spec["values"]] for name, kind, spec in meta["index"]]:
        dtype = "object"
        if isinstance(spec, dict):
            dtype = spec.get("numpy") or spec.get("extension") or dtype
        columns.append({"name": name, "field_name": name, "pandas_type": kind, "numpy_type": dtype, "metadata": None})
    index: list[Any] = [name for name, _, _ in meta["index"]]
    if meta["range"]:
        name = frame.index.name if isinstance(frame.index.name, str) else None
        index = [{"kind": "range", "name": name, **dict(zip(("start", "stop", "step"), meta["range"], strict=True))}]
    for column, name in zip(columns[len(meta["columns"]) :], meta["names"], strict=False):
        column["name"] = name if isinstance(name, str) else None
    return json.dumps(
        {
            "index_columns": index,
            "column_indexes": [],
            "columns": columns,
            "creator": {"library": "jupyter-arrowshm", "version": "1"},
            "pandas_version": pd.__version__,
        }
    ).encode()


def decode(table: pa.Table, *, as_series: bool, private: Private | None) -> Any:
    """The frame, or the Series, of a table; ``private`` copies a column out of the mapping, or is None."""
    meta = json.loads((table.schema.metadata or {}).get(PANDAS_KEY, b"null"))
    at = {name: position for position, name in enumerate(table.column_names)}
    recorded = {name for name, _, _ in meta["columns"] + meta["index"]} if meta else set()
    if not meta or len(at) < table.num_columns or not recorded >= set(at):
        return _foreign(table, private)

    def make(how: Callable[..., Any], name: str, kind: str, spec: Any) -> Any:
        data = table.column(at[name])
        if str(data.type) == kind:
            return how(data, spec, private)
        plain = (private(data) if private else data).to_pandas()
        return plain.array if how is decode_values else pd.Index(plain)

    kept = [number for number, (name, _, _) in enumerate(meta["columns"]) if name in at]
    arrays = {number: make(decode_values, *meta["columns"][number]) for number in kept}
    # copy=False keeps each column where it is; the labels come after, since a dict would mix up 1, True and NaN.
    # For bare object arrays pandas would guess another dtype; for each Series it compares and copies an index.
    columns = {
        at: pd.Series(array, dtype=array.dtype, copy=False) if is_object(array.dtype) else array
        for at, array in arrays.items()
    }
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)
    names = list(map(decode_label, meta["names"]))
    if meta["range"] and len(range(*meta["range"])) == table.num_rows:
        frame.index = pd.RangeIndex(*meta["range"], name=names[0])
    elif meta["index"] and all(name in at for name, _, _ in meta["index"]):
        levels = [make(decode_index, *level) for level in meta["index"]]
        frame.index = pd.MultiIndex.from_arrays(levels) if meta["multi"] else levels[0]
        frame.index.names = names
    labels = decode_labels(meta["labels"])
    frame.columns = labels if len(kept) == len(labels) else labels.take(kept)
    result: Any = frame
    if as_series and "series" in meta and len(kept) == 1:
        result = frame.iloc[:, 0].rename(decode_label(meta["series"]))
    result.attrs = meta["attrs"]
    return result.set_flags(allows_duplicate_labels=False) if meta["unique"] else result


def as_it_was(made: Any, table: pa.Table) -> tuple[Any, str | None]:
    """What :func:`decode` made, as the subclass that was shared; or as it is, with a note that says why."""
    meta = json.loads((table.schema.metadata or {}).get(PANDAS_KEY, b"null")) or {}
    described = meta.get("class")
    if not described or ("series" in meta) is isinstance(made, pd.DataFrame):
        return made, None
    return subclasses.restored(made, described)


def _foreign(table: pa.Table, private: Private | None) -> Any:
    """A table that did not come from pandas, as pyarrow makes it, except columns that it cannot make or would change.

    pyarrow turns integers with nulls into floats, and 2**60 + 1 would be 2**60. A column with such a value is ``Int64``
    or ``UInt64``; inside lists or structs, all integers are Python's. Values that pandas has no type for are Python
    objects, or else ``ArrowDtype``. No column affects the type of another.
    """
    labels = table.column_names
    table = fitted(table, "pandas")
    if private and table.num_columns:
        table = pa.table([private(column) for column in table.columns], schema=table.schema)
    if len(set(labels)) < len(labels):
        # pyarrow takes the values of all columns of one name for those of one column.
        table = table.rename_columns(list(map(str, range(len(labels))))).replace_schema_metadata(None)
    # As each library's own conversion to pandas: DuckDB turns a map into a dict, pyarrow into a list of pairs.
    maps = "strict" if DUCKDB_KEY in (table.schema.metadata or {}) else None
    own: dict[str, Any] = {}
    for number, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
        if (made := _special(column, maps)) is not None:
            own[name] = made
            table = table.set_column(number, name, pa.nulls(len(column), pa.int8()))
    frame = table.to_pandas(split_blocks=True, maps_as_pydicts=maps)
    for name, made in own.items():
        if name in frame.columns:  # and not its index
            frame.isetitem(frame.columns.get_loc(name), made)
    if table.column_names != labels:
        frame.columns = labels
    return frame.copy() if private else frame


def _special(column: pa.ChunkedArray, maps: str | None) -> Any:
    """The values of a column that pyarrow cannot make, or would change; None for any other."""
    if would_be_rounded(column):
        return column.to_pandas(types_mapper=_NULLABLE.get, integer_object_nulls=True, maps_as_pydicts=maps).array
    if column.type in _SIMPLE:
        return None
    if column.type == pa.time64("ns") and _are_finer(column):
        return pd.arrays.ArrowExtensionArray(column)
    if pa.types.is_interval(column.type):
        from .spans import timedeltas

        if (made := timedeltas(column)) is not None:
            return made
    tried = column
    if pa.types.is_dictionary(column.type):  # whose entries decide, not its rows
        tried = pa.chunked_array([chunk.slice(0, 0) for chunk in column.chunks], column.type)
    try:
        # Tried exactly as it will be done: pyarrow can convert more from a column alone, or in one block.
        pa.table({"": tried}).to_pandas(split_blocks=True, maps_as_pydicts=maps)
        return None
    except (*FAILURES, KeyError, NotImplementedError):  # KeyError: extension types that pandas has no dtype for
        pass
    if isinstance(column.type, pa.BaseExtensionType):
        stored = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        made = _special(stored, maps)
        return stored.to_pandas().array if made is None else made
    if pa.types.is_dictionary(column.type):  # of nulls, among others
        plain = recast_column(column, column.type.value_type)
        made = _special(plain, maps)
        return plain.to_pandas().array if made is None else made
    try:
        objects = np.empty(len(column), dtype=object)
        objects[:] = column.to_pylist()
    except (*FAILURES, KeyError):
        return pd.arrays.ArrowExtensionArray(column)
    return objects


def _are_finer(times: pa.ChunkedArray) -> bool:
    """Whether some have a fraction of a microsecond, which Python's times cannot hold: pyarrow would drop it."""
    try:
        times.cast(pa.time64("us"))
    except pa.ArrowInvalid:
        return True
    return False


# -- where the bytes are ---------------------------------------------------------------------------------------------


def parts(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Each column of a frame or Series, and its index, with the NumPy and Arrow arrays behind it."""
    frame = value.to_frame() if isinstance(value, pd.Series) else value
    for label, column in frame.items():
        yield str(label), list(_arrays_of(column.array))
    levels = frame.index.levels if isinstance(frame.index, pd.MultiIndex) else [frame.index]
    for number, level in enumerate(levels):
        if isinstance(level, pd.RangeIndex):
            continue
        codes = [frame.index.codes[number]] if isinstance(frame.index, pd.MultiIndex) else []
        name = "index" if level.name is None else str(level.name)
        yield name, [*_arrays_of(level.array), *map(np.asarray, codes)]


def _arrays_of(array: Any) -> Iterator[Any]:
    if isinstance(array, pd.Categorical):
        yield np.asarray(array.codes)
        yield from _arrays_of(array.categories.array)
    elif isinstance(array, pd.arrays.IntervalArray):
        yield from _arrays_of(array.left.array)
        yield from _arrays_of(array.right.array)
    elif hasattr(array, "asi8"):
        yield array.asi8
    elif hasattr(array, "__arrow_array__") and not hasattr(array, "_mask") and hasattr(array, "_pa_array"):
        yield array._pa_array
    else:
        # pandas has no public way to the two arrays of a nullable dtype.
        for name in ("_data", "_mask", "_ndarray"):
            if isinstance(part := getattr(array, name, None), np.ndarray):
                yield part
