"""The sort order and filter of a preview, in Python's terms: names of columns, and plain values."""

from __future__ import annotations

import datetime as dt
import numbers
from collections.abc import Iterator, Mapping
from typing import Any

from traitlets import TraitType

_DIRECTIONS = ("ascending", "descending")
_CONDITIONS = ({"min", "max"}, {"min", "below"}, {"values", "missing"}, {"except"}, {"contains", "ignore_case"})
_NEEDED = {"except", "min", "max", "below", "values", "contains", "missing"}


_FORMATS = ("auto", "raw", "percent", *range(7))


class Formats(TraitType[Any, Any]):
    """A dict from column to ``"auto"`` (4 to 6 digits), ``"raw"`` (all), ``"percent"``, or 0 to 6 decimals."""

    info_text = 'a dict such as {"fare": 2, "share": "percent", "id": "raw"}'

    def make_dynamic_default(self) -> dict[str, str | int]:
        return {}

    def validate(self, obj: Any, value: Any) -> dict[str, str | int]:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            self.error(obj, value)
        if any(isinstance(one, bool) or one not in _FORMATS for one in value.values()):
            self.error(obj, value)
        return dict(value)


class Sort(TraitType[Any, Any]):
    """A list of ``(column, "ascending" or "descending")``, as ``Table.sort_by`` of pyarrow has it; a name will do."""

    info_text = 'a list of (column, "ascending" or "descending")'

    def make_dynamic_default(self) -> list[tuple[str, str]]:
        return []

    def validate(self, obj: Any, value: Any) -> list[tuple[str, str]]:
        keys = [value] if isinstance(value, str) else value
        if not isinstance(keys, (list, tuple)):
            self.error(obj, value)
        pairs = [(key, "ascending") if isinstance(key, str) else tuple(key) for key in keys]
        if any(len(key) != 2 or not isinstance(key[0], str) or key[1] not in _DIRECTIONS for key in pairs):
            self.error(obj, value)
        return pairs


class Filter(TraitType[Any, Any]):
    """A dict from column to condition: ``{"min": 3, "max": 9}``, ``{"values": ["a"]}``, ``{"contains": "x"}``, ..."""

    info_text = 'a dict such as {"fare": {"min": 3, "max": 9}, "city": ["Oslo", "Lima"], "note": {"contains": "x"}}'

    def make_dynamic_default(self) -> dict[str, dict[str, Any]]:
        return {}

    def validate(self, obj: Any, value: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            self.error(obj, value)
        return {name: self._condition(obj, condition) for name, condition in value.items()}

    def _condition(self, obj: Any, condition: Any) -> dict[str, Any]:
        if not isinstance(condition, Mapping):
            condition = {"values": condition if isinstance(condition, (list, tuple, set)) else [condition]}
        keys = set(condition)
        if not keys & _NEEDED or not any(keys <= allowed for allowed in _CONDITIONS):
            self.error(obj, condition)
        return dict(_plain(condition))


def _plain(condition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in condition.items():
        if key in ("values", "except"):
            yield key, [_scalar(one) for one in value]
        elif key in ("missing", "ignore_case"):
            yield key, bool(value)
        elif value is not None:  # no limit
            yield key, _scalar(value)


def _scalar(value: Any) -> bool | int | float | str:
    """A value that JSON has; all else as the text that a preview reads."""
    if hasattr(value, "item"):  # NumPy
        value = value.item()
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, numbers.Integral):
        return int(value) if abs(int(value)) < 2**53 else str(int(value))
    return float(value) if isinstance(value, numbers.Real) else str(value)
