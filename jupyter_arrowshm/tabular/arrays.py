"""A dict of NumPy arrays <-> an Arrow table, and columns of Python objects.

What comes back: null-free numbers of one batch are read-only views; floats
with nulls have NaN there, times NaT; integers and bools with nulls are
``np.ma.MaskedArray``; a masked array that was shared is one again, other
values under the mask. What does not come back as it was: big-endian arrays
(native order), NumPy's ``StringDType`` and lists (arrays of str objects, or
of their natural dtype). A timestamp with a zone, which no NumPy dict can
have had, is given in UTC. The rest is what pyarrow gives: objects.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import UnsupportedSource, UnsupportedTarget
from .integers import would_be_rounded
from .memory import ARRAY_KEY, NUMPY_KEY, rows_only, with_metadata

_KIND = "dict of arrays"

# Types whose Arrow form is exact, so a check of the types is enough; for others, each value is compared.
_EXACT = (str, bytes, bool, int, float, dt.date, dt.timedelta)

# The errors that pa.array raises for values that it cannot take.
FAILURES = (pa.ArrowException, TypeError, ValueError, OverflowError)


def encode(columns: Mapping[Any, Any]) -> pa.Table:
    """The Arrow table of a dict of arrays; contiguous numbers are not copied."""
    arrays: dict[str, Any] = {}
    how: dict[str, dict[str, Any]] = {}
    for name, value in columns.items():
        if not isinstance(name, str):
            fix = "Name it: `d = {str(name): array for name, array in d.items()}`"
            raise UnsupportedSource(_KIND, "its name is not a string", fix, str(name))
        arrays[name], how[name] = _encode_column(name, value)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        rows = min(lengths.values())
        name = next(name for name in lengths if lengths[name] != rows)
        fix = f"Cut them to one length: `d = {{name: array[:{rows}] for name, array in d.items()}}`"
        raise UnsupportedSource(_KIND, f"it has {lengths[name]} rows where others have {rows}", fix, name)
    return with_metadata(pa.table(arrays) if arrays else rows_only(0), {NUMPY_KEY: json.dumps(how).encode()})


def _encode_column(name: str, value: Any) -> tuple[Any, dict[str, Any]]:
    mine = f"d[{name!r}]"
    if not isinstance(value, np.ndarray):
        if isinstance(value, pa.ChunkedArray):
            return value, {}
        if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
            fix = f"Make it an array: `{mine} = [{mine}]`"
            raise UnsupportedSource(_KIND, f"a {type(value).__name__} is not a column", fix, name)
        try:
            return pa.array(value), {}
        except FAILURES as error:
            fix = f"Make them alike: `{mine} = [str(value) for value in {mine}]`"
            raise UnsupportedSource(_KIND, str(error), fix, name) from None
    if not value.ndim:
        raise UnsupportedSource(_KIND, "it has no dimension", f"One is needed: `{mine} = {mine}.reshape(1)`", name)
    if value.ndim > 1:
        flat, of_items = _encode_column(name, value.reshape(-1))
        array = _stacked(flat, value.shape)
        return array, {**of_items, "items": str(flat.type), "type": str(array.type)}
    masked = isinstance(value, np.ma.MaskedArray)
    mask = np.ma.getmaskarray(value) if masked else None
    data = np.asarray(value.data if masked else value)
    how: dict[str, Any] = {"masked": True} if masked else {}
    if not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    try:
        if data.dtype.kind == "O":
            missing = np.array([item is None for item in data], dtype=bool) if mask is None else mask
            array, how["objects"] = encode_objects(data, missing)
            return array, {**how, "type": str(array.type)}
        array = pa.array(data, mask=mask, from_pandas=False)
        # pyarrow silently ends these at their first NUL.
        if data.dtype.kind in "US" and _characters(array) != int(
            np.char.str_len(data if mask is None else data[~mask]).sum()
        ):
            array = pa.array(data.tolist(), array.type, mask=mask)
    except FAILURES as error:
        raise UnsupportedSource(_KIND, str(error), f"Convert it: `{_fix(mine, data)}`", name) from None
    if data.dtype.kind in "biufmMUS":
        how["dtype"] = data.dtype.str
    return array, {**how, "type": str(array.type)}


def _stacked(flat: pa.Array, shape: tuple[int, ...]) -> pa.Array:
    """The items of an array as rows of Arrow's fixed-shape tensors."""
    rows, *inner = shape
    tensor = pa.fixed_shape_tensor(flat.type, inner)
    # Not FixedSizeListArray.from_arrays, which cannot make lists of no items.
    lists = pa.Array.from_buffers(tensor.storage_type, rows, [None], children=[flat])
    return pa.ExtensionArray.from_storage(tensor, lists)


def _characters(array: pa.Array) -> int:
    import pyarrow.compute as pc

    length = pc.utf8_length if pa.types.is_string(array.type) else pc.binary_length
    return int(pc.sum(length(array)).as_py() or 0)


def _fix(mine: str, data: np.ndarray[Any, Any]) -> str:
    """Code that turns an array that Arrow cannot carry into one that it can."""
    kind = data.dtype.kind
    if data.dtype.names:
        return f"d = {{**d, **{{name: {mine}[name] for name in {mine}.dtype.names}}}}; del {mine}"
    if kind == "V":
        return f"{mine} = [bytes(value) for value in {mine}]"
    target = "str"
    if kind in "mM":  # Arrow has s, ms, us and ns
        unit = "ns" if np.datetime_data(data.dtype)[0] in ("ps", "fs", "as") else "s"
        target = repr(f"{'datetime64' if kind == 'M' else 'timedelta64'}[{unit}]")
    elif kind == "f":
        target = "'float64'"
    return f"{mine} = {mine}.astype({target})"


def encode_objects(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any]) -> tuple[pa.Array, str]:
    """Arrow form of Python objects, and how :func:`decode_objects` makes the same objects from it.

    Raises ``TypeError`` where the objects would come back as others: pyarrow
    turns sets and tuples into lists, a mix of int and float into floats, of
    str and bytes into bytes, ns timestamps into us, and fills in dict keys.
    """
    present = values[~missing]
    types = set(map(type, present))
    if not types:
        return pa.nulls(len(values)), "python"
    try:
        # Not from_pandas: it turns NaNs inside lists into nulls.
        array = pa.array(values, mask=missing, from_pandas=False)
    except UnicodeError:  # lone surrogates, which have a remedy of their own
        raise
    except FAILURES as error:
        if types != {int} or present.min() < 0:
            raise TypeError(_mixture(types) or str(error)) from None
        # pyarrow infers int64 alone.
        array = pa.array(values, pa.uint64(), mask=missing)
    only = next(iter(types)) if len(types) == 1 else None
    if only in _EXACT:
        return array, "python"
    how = "array" if only is np.ndarray else "python"
    if only is not None and issubclass(only, np.generic):
        how = np.dtype(only).str
        if np.dtype(only).kind not in "biuf":
            raise TypeError(f"it holds {only.__name__} objects")
    back = decode_objects(pa.chunked_array([array]), how, None)
    if not all(_same(one, other) for one, other in zip(values[~missing], back[~missing], strict=True)):
        names = ", ".join(sorted(each.__name__ for each in types))
        raise TypeError(_mixture(types) or f"its {names} objects would come back different")
    return array, how


def _mixture(types: set[type]) -> str:
    names = sorted(each.__name__ for each in types)
    return f"it mixes {', '.join(names[:-1])} and {names[-1]} objects" if len(names) > 1 else ""


def decode_objects(column: pa.ChunkedArray, how: str, missing: Any) -> np.ndarray[Any, Any]:
    """The object array that :func:`encode_objects` was given, ``missing`` for each null."""
    kind = column.type
    if how == "python" and (pa.types.is_string(kind) or pa.types.is_binary(kind)):
        values = column.to_numpy()  # the same objects as to_pylist(), much faster
    else:
        items: Iterable[Any]
        if how == "python":
            items = column.to_pylist()
        elif how == "array":  # views of the column
            items = (item for chunk in column.chunks for item in chunk.to_numpy(zero_copy_only=False))
        else:
            import pyarrow.compute as pc

            items = pc.fill_null(column, False if np.dtype(how).kind == "b" else 0).to_numpy().astype(how, copy=False)
        # Not values[:] = items, which turns lists of one length into a matrix, and NumPy's numbers into Python's.
        values = np.fromiter(items, dtype=object, count=len(column))
    if column.null_count:
        values[column.is_null().to_numpy()] = missing
    return values  # type: ignore[no-any-return]


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and all(map(_same, one.tolist(), other.tolist()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, (dt.datetime, dt.time)):
        return one == other and str(one.tzinfo) == str(other.tzinfo)
    return bool(one == other or (one != one and other != other))


def decode(table: pa.Table, *, private: Callable[[pa.ChunkedArray], pa.ChunkedArray] | None) -> dict[str, Any]:
    """A dict of arrays; ``private`` copies a column out of the mapping, or is None."""
    if len(set(table.column_names)) < table.num_columns:
        raise UnsupportedTarget("numpy", "a dict has one column of a name")
    recorded = json.loads((table.schema.metadata or {}).get(NUMPY_KEY, b"{}"))
    arrays = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if private and not pa.types.is_primitive(column.type):
            column = private(column)
        how = recorded.get(name, {})
        # Another type: somebody changed the column and kept the metadata.
        array = _decode_column(column, how if how.get("type") == str(column.type) else {})
        arrays[name] = array.copy() if private and not array.flags.writeable else array
    return arrays


def single(columns: dict[str, Any], table: pa.Table) -> Any:
    """The array that was shared as one, from what :func:`decode` made of its table."""
    recorded = json.loads((table.schema.metadata or {}).get(ARRAY_KEY, b"{}"))
    if not recorded.get("fields"):
        return next(iter(columns.values()))
    rows = np.ma.MaskedArray if any(isinstance(each, np.ma.MaskedArray) for each in columns.values()) else np.array
    dtype = [(name, each.dtype, each.shape[1:]) for name, each in columns.items()]
    made = rows(np.empty(table.num_rows, np.dtype(dtype, align=recorded["aligned"])))
    for name, each in columns.items():
        made[name] = each
    return made


def encode_single(array: np.ndarray[Any, Any]) -> pa.Table:
    """The Arrow table of one array: a column "value" of its rows, or the fields of a structured array."""
    names = array.dtype.names
    if not array.ndim:
        raise UnsupportedSource("array", "it has no dimension", "One is needed: `a = a.reshape(1)`")
    if names and array.ndim > 1:
        raise UnsupportedSource("array", "it is structured and has dimensions", "One is needed: `a = a.reshape(-1)`")
    table = encode({name: array[name] for name in names} if names else {"value": array})
    how = json.dumps({"fields": names, "aligned": array.dtype.isalignedstruct}).encode()
    return with_metadata(table, {**table.schema.metadata, ARRAY_KEY: how})


def _decode_column(column: pa.ChunkedArray, how: dict[str, Any]) -> np.ndarray[Any, Any]:
    import pyarrow.compute as pc

    if isinstance(column.type, pa.FixedShapeTensorType) and not column.null_count:
        return _unstacked(column, how)
    if would_be_rounded(column) and not pa.types.is_integer(column.type):
        return np.fromiter(column.to_pylist(), dtype=object, count=len(column))
    if pa.types.is_dictionary(column.type):  # with several chunks, to_numpy() turns a null into the first value
        column = column.cast(column.type.value_type)
    kind = column.type
    if "objects" in how:
        return _masked(decode_objects(column, how["objects"], None), column, how)
    numbers = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    filled = column
    if column.null_count and (numbers or how.get("masked")):
        how = {**how, "masked": True}
        if not pa.types.is_temporal(kind):  # their nulls become NaT, which the mask covers
            empty = False if pa.types.is_boolean(kind) else "" if pa.types.is_string(kind) else 0
            filled = pc.fill_null(column, pa.scalar(b"" if pa.types.is_binary(kind) else empty, kind))
    try:
        array = filled.to_numpy()
    except pa.ArrowException:
        array = np.fromiter(column.to_pylist(), dtype=object, count=len(column))
    if "dtype" in how and (how.get("masked") or not column.null_count):
        array = array.astype(how["dtype"], copy=False)
    return _masked(array, column, how)


def _unstacked(column: pa.ChunkedArray, how: dict[str, Any]) -> np.ndarray[Any, Any]:
    size = column.type.storage_type.list_size
    storages = (chunk.storage for chunk in column.chunks)
    flat = [each.values.slice(each.offset * size, len(each) * size) for each in storages]
    items = pa.chunked_array(flat, column.type.value_type)
    array = _decode_column(items, {**how, "type": how.get("items")}).reshape(len(column), *column.type.shape)
    order = column.type.permutation
    return array if order is None else array.transpose(0, *(1 + number for number in order))


def _masked(array: np.ndarray[Any, Any], column: pa.ChunkedArray, how: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.ma.MaskedArray(array, mask=column.is_null().to_numpy()) if how.get("masked") else array
