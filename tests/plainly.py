"""Values of any library made comparable."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

EPOCH = dt.datetime(1970, 1, 1)


def plain(value: Any) -> Any:
    """The value whatever type has it: missing is None, numbers are numbers, times are counted from 1970."""
    if (
        value is None
        or value is np.ma.masked
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float) and value != value)
    ):
        return None
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return None if np.isnat(value) else int(value.astype(f"{value.dtype.kind}8[ns]").astype("i8"))
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return int(value.as_unit("ns")._value)
    if isinstance(value, (pd.Period, pd.Interval)):
        return str(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (bool, int, float, decimal.Decimal)):
        return float(f"{value:.12g}") if abs(value) > 2**53 or value != int_of(value) else int(value)
    if isinstance(value, dt.datetime):
        return (
            (value.replace(tzinfo=None) - (value.utcoffset() or dt.timedelta()) - EPOCH)
            // dt.timedelta(microseconds=1)
            * 1000
        )
    if isinstance(value, dt.date):
        return (value.toordinal() - EPOCH.toordinal()) * 86_400_000_000_000
    if isinstance(value, dt.timedelta):
        return value // dt.timedelta(microseconds=1) * 1000
    if isinstance(value, dt.time):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return value.bytes.hex()
    if isinstance(value, dict):
        return [[plain(key), plain(item)] for key, item in value.items()]
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return plain(value.reshape(-1))
    if isinstance(value, (list, tuple, set, np.ndarray, pl.Series)):
        return [plain(item) for item in value]
    return str(value)


def int_of(value: Any) -> Any:
    try:
        return int(value)
    except (OverflowError, ValueError):
        return None
