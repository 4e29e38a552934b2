"""Remedies for a pandas column that Arrow cannot carry: code that was tried on that very column.

A remedy after which the column still cannot be shared, or that turns into text
what cannot be read back from it (an array of 40 x 40 prints three dots), is
worse than none.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas

pd: Any = pandas


@dataclass(frozen=True)
class Remedy:
    """Code for a column, ``{it}``, and what it does to one; for columns whose objects are all of ``types``."""

    code: str
    types: tuple[type, ...]
    apply: Callable[[Any], Any]


_NESTED = (list, tuple, dict, set, frozenset)
_JSON = (*_NESTED, str, int, float, bool, np.ndarray)

# In the order in which they are tried.
OF_OBJECTS = (
    Remedy(
        "{it} = {it}.map(list, na_action='ignore')",
        (list, tuple, set, frozenset),
        lambda column: column.map(list, na_action="ignore"),
    ),
    Remedy(
        "{it} = {it}.map(lambda a: a.tolist(), na_action='ignore')",
        (np.ndarray, np.generic),
        lambda column: column.map(lambda a: a.tolist(), na_action="ignore"),
    ),
    Remedy(
        "{it} = {it}.map(bytes, na_action='ignore')",
        (bytes, bytearray, memoryview),
        lambda column: column.map(bytes, na_action="ignore"),
    ),
    Remedy("{it} = {it}.astype('float64')", (int, float), lambda column: _as_floats(column)),
    Remedy("{it} = pd.to_datetime({it})", (dt.datetime,), lambda column: pd.to_datetime(column)),
    Remedy("{it} = pd.to_datetime({it}, utc=True)", (dt.datetime,), lambda column: pd.to_datetime(column, utc=True)),
    Remedy(
        "import json; {it} = {it}.map(lambda value: json.dumps(value, default=str), na_action='ignore')",
        _JSON,
        lambda column: column.map(lambda value: json.dumps(value, default=str), na_action="ignore"),
    ),
)
AS_TEXT = "{it} = {it}.astype(str)"


def _as_floats(column: Any) -> Any:
    made = column.astype("float64")
    if not all(int(new) == old for new, old in zip(made, column, strict=True) if type(old) is int):
        raise ValueError("an integer would be rounded")
    return made


def of_objects(it: str, values: Any, shareable: Callable[[Any], object]) -> str:
    """Code after which ``shareable`` takes the object column ``values``, for which it raised an error."""
    column = pd.Series(values, dtype=object)
    kinds = {type(value) for value in values[~np.asarray(pd.isna(column))]}
    for remedy in OF_OBJECTS:
        if not all(issubclass(kind, remedy.types) for kind in kinds):
            continue
        if remedy.types is _JSON and not any(issubclass(kind, (*_NESTED, np.ndarray)) for kind in kinds):
            continue
        try:
            shareable(remedy.apply(column))
        except Exception:
            continue
        return remedy.code.format(it=it)
    return AS_TEXT.format(it=it)
