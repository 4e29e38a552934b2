"""The contents of a pandas frame <-> Arrow and JSON: columns and index levels by their dtype, and labels."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas
import pyarrow as pa

from .arrays import decode_objects, encode_objects

# Stubs of pandas, where they are installed, know less than pandas does.
pd: Any = pandas

Private = Callable[[pa.ChunkedArray], pa.ChunkedArray]

_MISSING: dict[str, Any] = {"None": None, "nan": np.nan, "NA": pd.NA, "NaT": pd.NaT}


# -- values: one column, index level or set of categories ------------------------------------------------------------


def encode_values(array: Any) -> tuple[Any, Any]:
    """The Arrow array of a pandas or NumPy array, and the spec to restore it. Raises TypeError where it cannot be."""
    dtype: Any = array.dtype
    if isinstance(dtype, np.dtype):
        values = np.asarray(array)
        if dtype.kind == "O":
            missing = np.asarray(pd.isna(values))
            encoded, how = encode_objects(values, missing)
            return encoded, {"objects": how, "missing": _missing(values[missing])}
        if dtype.kind not in "biufmM":
            raise TypeError(f"Arrow has no {dtype}")
        return pa.array(values.astype(dtype.newbyteorder("="), copy=False), from_pandas=True), {"numpy": str(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        if isinstance(dtype.categories.dtype, (pd.IntervalDtype, pd.PeriodDtype)):  # text, for all but pandas
            spec, categories = {"labels": encode_labels(dtype.categories)}, pa.array(map(str, dtype.categories))
        else:
            categories, spec = encode_index(dtype.categories)
        if isinstance(categories, pa.ChunkedArray):
            categories = categories.combine_chunks()
        if pa.types.is_null(categories.type):  # pyarrow cannot read a dictionary of nulls
            categories = categories.cast(pa.string())
        if pa.types.is_dictionary(categories.type):
            raise TypeError("its categories are a dictionary, which Arrow files cannot nest")
        codes = pa.array(array.codes, mask=array.codes == -1)
        return pa.DictionaryArray.from_arrays(codes, categories, ordered=bool(dtype.ordered)), {"categories": spec}
    if isinstance(dtype, pd.DatetimeTZDtype):
        zone = _zone(dtype.tz)
        instants = pa.array(array.asi8.view(f"M8[{dtype.unit}]"), from_pandas=True)
        return instants.cast(pa.timestamp(dtype.unit, zone[1])), {"zone": zone}
    if isinstance(dtype, pd.PeriodDtype):
        return _encode_periods(array), {"period": str(dtype)}
    if isinstance(dtype, pd.IntervalDtype):
        (left, spec), (right, _) = (encode_values(values_of(side)) for side in (array.left, array.right))
        closed = pa.repeat(pa.scalar(dtype.closed), len(array))
        missing = pa.array(np.asarray(array.isna()))
        struct = pa.StructArray.from_arrays([left, right, closed], ["left", "right", "closed"], mask=missing)
        return struct, {"interval": spec, "closed": dtype.closed}
    if isinstance(dtype, pd.SparseDtype):
        encoded, spec = encode_values(array.to_dense())
        fill = encode_labels(pd.Index([dtype.fill_value], dtype=dtype.subtype))
        return encoded, {"sparse": fill, "values": spec}
    encoded = pa.array(array)
    if isinstance(dtype, pd.ArrowDtype):
        return encoded, "arrow"
    if isinstance(dtype, pd.StringDtype):
        return encoded, {"string": dtype.storage, "missing": "nan" if _nan_string(dtype) else "NA"}
    try:
        known = pd.api.types.pandas_dtype(str(dtype)) == dtype
    except TypeError:
        known = False
    if not known or not hasattr(dtype, "__from_arrow__"):
        raise TypeError(f"pandas cannot make {dtype} of Arrow data")
    return encoded, {"extension": str(dtype)}


def decode_values(column: pa.ChunkedArray, spec: Any, private: Private | None) -> Any:
    """The array that :func:`encode_values` was given, such that pandas takes it as it is."""
    if private and "numpy" not in spec:
        column = private(column)
    if spec == "arrow":
        return pd.arrays.ArrowExtensionArray(column)
    if "numpy" in spec:
        values = _with_sentinels(column).to_numpy().astype(spec["numpy"], copy=False)
        return np.array(values) if private else values
    if "objects" in spec:
        return decode_objects(column, spec["objects"], _MISSING[spec["missing"]])
    if "categories" in spec:
        whole = _one_chunk(column.unify_dictionaries())
        codes = (whole.indices.fill_null(-1) if whole.null_count else whole.indices).to_numpy(zero_copy_only=False)
        of = spec["categories"]
        categories = (
            decode_labels(of["labels"])
            if "labels" in of
            else decode_index(pa.chunked_array([whole.dictionary]), of, None)
        )
        dtype = pd.CategoricalDtype(categories, ordered=whole.type.ordered)
        return pd.Categorical.from_codes(codes.copy() if private else codes, dtype=dtype, validate=False)
    if "zone" in spec:
        instants = _with_sentinels(column.cast(pa.timestamp(column.type.unit))).to_numpy().view("i8")
        dtype = pd.DatetimeTZDtype(column.type.unit, _zone_of(*spec["zone"]))
        return pd.array(instants, dtype=dtype, copy=bool(private))
    if "period" in spec:
        return _decode_periods(column, spec["period"])
    if "sparse" in spec:
        dense, fill = decode_values(column, spec["values"], None), decode_labels(spec["sparse"])
        return pd.arrays.SparseArray(dense, dtype=pd.SparseDtype(fill.dtype, fill[0]))
    if "interval" in spec:
        struct = _one_chunk(column)
        sides = [decode_values(pa.chunked_array([struct.field(name)]), spec["interval"], None) for name in (0, 1)]
        return pd.arrays.IntervalArray.from_arrays(*sides, closed=spec["closed"], copy=bool(private))
    if "string" in spec:
        dtype = _string_dtype(spec["string"], spec["missing"])
    else:
        dtype = pd.api.types.pandas_dtype(spec["extension"])
    values = dtype.__from_arrow__(column)
    return values.copy() if private else values


def _encode_periods(array: Any) -> pa.Array:
    """When each period begins: a date, or a time where a day has several. pandas' extension type makes polars warn."""
    unit = _finest(array.dtype)
    begins = pa.array(array.asfreq(unit, how="start").asi8, mask=np.asarray(array.isna()))
    return begins.cast(pa.int32()).cast(pa.date32()) if unit == "D" else begins.cast(pa.timestamp(unit))


def _decode_periods(column: pa.ChunkedArray, name: str) -> Any:
    dtype = pd.api.types.pandas_dtype(name)
    unit = _finest(dtype)
    days = column.cast(pa.int32()) if unit == "D" else column
    begins = days.cast(pa.int64())
    ordinals = begins.fill_null(pd.NaT._value).to_numpy()
    return pd.PeriodIndex.from_ordinals(ordinals, freq=unit).asfreq(dtype.freq).array


def _finest(dtype: Any) -> str:
    """The unit in which periods of this frequency begin."""
    name = dtype.freq.base.rule_code
    return {"h": "s", "min": "s"}.get(name, name if name in ("s", "ms", "us", "ns") else "D")


def _with_sentinels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without its validity bitmap: NaN and NaT lie below the nulls, as pandas wrote them.

    pyarrow makes nulls of them by adding a bitmap to the same buffer. With the
    bitmap, a column that misses one value would have to be copied.
    """
    chunks = [
        pa.Array.from_buffers(chunk.type, len(chunk), [None, chunk.buffers()[1]], 0, chunk.offset)
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, column.type)


def _one_chunk(column: pa.ChunkedArray) -> Any:
    # combine_chunks() copies a single chunk too.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _missing(values: Iterable[Any]) -> str:
    kinds = set()
    for value in values:
        if isinstance(value, float):
            kinds.add("nan")
        elif value is None or value is pd.NA or value is pd.NaT:
            kinds.add("None" if value is None else "NA" if value is pd.NA else "NaT")
        else:
            raise TypeError(f"its missing values are {value!r}")
    return kinds.pop() if len(kinds) == 1 else "None"


def _nan_string(dtype: Any) -> bool:
    return dtype.na_value is not pd.NA


def _string_dtype(storage: str, missing: str) -> Any:
    try:
        return pd.StringDtype(storage, na_value=_MISSING[missing])
    except TypeError:  # pandas 2.2 names the one with NaN by its storage
        return pd.StringDtype("pyarrow_numpy" if missing == "nan" else storage)


def _zone(zone: Any) -> list[str]:
    """Library and name of a time zone: to pandas a zone of zoneinfo is another than the same of pytz."""
    library = type(zone).__module__.partition(".")[0]
    name = getattr(zone, "key", None) if library == "zoneinfo" else getattr(zone, "zone", None)
    offset = zone.utcoffset(None) if name is None and library in ("datetime", "pytz", "dateutil") else None
    if name is None and offset is not None and library != "dateutil":
        minutes, seconds = divmod(int(offset.total_seconds()), 60)
        if seconds:
            raise TypeError("Arrow has no zones with seconds in their offset")
        sign = "-" if minutes < 0 else "+"
        name = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"
    if library not in ("zoneinfo", "pytz", "datetime") or not name:
        raise TypeError(f"Arrow has no such time zone as {zone!r}")
    return [library, name]


def _zone_of(library: str, name: str) -> Any:
    offset = name[0] in "+-"
    if library == "datetime" or offset:
        hours, minutes = (int(name[1:3]), int(name[4:6])) if offset else (0, 0)
        zone = dt.timezone(dt.timedelta(hours=hours, minutes=minutes) * (-1 if name[0] == "-" else 1))
    if library == "pytz":
        try:
            pytz = importlib.import_module("pytz")
        except ImportError:  # pandas 3 does without
            return zone if offset else name
        return pytz.FixedOffset(zone.utcoffset(None).total_seconds() // 60) if offset else pytz.timezone(name)
    return zone if library == "datetime" else zoneinfo.ZoneInfo(name)


def is_object(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def values_of(column: Any) -> Any:
    """The array behind a Series or Index: NumPy's for its dtypes, pandas' for the others."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


# -- labels: whatever names a column, a level or an index ------------------------------------------------------------


def encode_index(index: Any) -> tuple[Any, Any]:
    """As :func:`encode_values`, with what an Index has besides its values."""
    encoded, spec = encode_values(values_of(index))
    return encoded, {"values": spec, "name": encode_label(index.name), "freq": _freq(index), "range": bounds_of(index)}


def decode_index(column: pa.ChunkedArray, spec: Any, private: Private | None) -> Any:
    name = decode_label(spec["name"])
    if spec["range"] and len(column) == len(range(*spec["range"])):
        return pd.RangeIndex(*spec["range"], name=name)
    values = decode_values(column, spec["values"], private)
    index = pd.Index(values, dtype=values.dtype, copy=False, name=name, tupleize_cols=False)
    if spec["freq"]:
        index.freq = spec["freq"]
    return index


def bounds_of(index: Any) -> list[int] | None:
    return [index.start, index.stop, index.step] if isinstance(index, pd.RangeIndex) else None


def _freq(index: Any) -> str | None:
    if not isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) or index.freq is None:
        return None
    if pd.tseries.frequencies.to_offset(index.freqstr) != index.freq:  # a calendar of holidays has no name
        raise TypeError(f"its frequency {index.freq!r} cannot be written down")
    return str(index.freqstr)


def encode_label(label: Any) -> Any:
    """JSON of a label."""
    if label is None or type(label) in (str, int, bool):
        return label
    if type(label) is tuple:
        return {"tuple": [encode_label(part) for part in label]}
    if type(label) is float:
        return {"float": repr(label)}
    if type(label) is dt.date:
        return {"date": label.isoformat()}
    if type(label) is bytes:
        return {"bytes": label.hex()}
    if label is pd.NA or label is pd.NaT:
        return {"missing": "NA" if label is pd.NA else "NaT"}
    index = pd.Index([label])  # a Timestamp, a Period, a NumPy scalar ...
    if is_object(index.dtype) or type(index[0]) is not type(label):
        raise TypeError(f"a {type(label).__name__} cannot be written down")
    return {"scalar": encode_labels(index)}


def decode_label(spec: Any) -> Any:
    if not isinstance(spec, dict):
        return spec
    ((how, value),) = spec.items()
    if how == "scalar":
        return decode_labels(value)[0]
    if how == "tuple":
        return tuple(map(decode_label, value))
    if how == "missing":
        return _MISSING[value]
    if value == "nan":
        return np.nan  # the very object: pandas 2 compares names by identity first
    makers: dict[str, Callable[[str], Any]] = {"float": float, "date": dt.date.fromisoformat, "bytes": bytes.fromhex}
    return makers[how](value)


def encode_labels(index: Any) -> Any:
    """JSON of all column labels. Dtypes that JSON does not have go as an Arrow stream."""
    if isinstance(index, pd.MultiIndex):
        codes = [np.asarray(level).tolist() for level in index.codes]
        names = list(map(encode_label, index.names))
        return {"levels": list(map(encode_labels, index.levels)), "codes": codes, "names": names}
    if isinstance(index, pd.RangeIndex):
        return {"range": bounds_of(index), "name": encode_label(index.name)}
    dtype = index.dtype
    if is_object(dtype):
        return {"labels": list(map(encode_label, index)), "string": None, "name": encode_label(index.name)}
    if isinstance(dtype, pd.StringDtype):
        labels = [label if isinstance(label, str) else None for label in index]
        string = [dtype.storage, "nan" if _nan_string(dtype) else "NA"]
        return {"labels": labels, "string": string, "name": encode_label(index.name)}
    encoded, spec = encode_index(index)
    sink = pa.BufferOutputStream()
    table = pa.table({"": encoded})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"arrow": base64.b64encode(sink.getvalue()).decode(), "spec": spec}


def decode_labels(spec: Any) -> Any:
    if "levels" in spec:
        names = list(map(decode_label, spec["names"]))
        return pd.MultiIndex(list(map(decode_labels, spec["levels"])), spec["codes"], names=names)
    if "arrow" in spec:
        stored = pa.ipc.open_stream(base64.b64decode(spec["arrow"])).read_all()
        return decode_index(stored.column(0), spec["spec"], None)
    if "range" in spec:
        return pd.RangeIndex(*spec["range"], name=decode_label(spec["name"]))
    dtype = _string_dtype(*spec["string"]) if spec["string"] else object
    values = np.empty(len(spec["labels"]), dtype=object)
    values[:] = list(map(decode_label, spec["labels"]))
    return pd.Index(values, dtype=dtype, name=decode_label(spec["name"]), tupleize_cols=False)
