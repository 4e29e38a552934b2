"""The value that a person compares a column with: read from JSON, in the terms of the column's comparable type."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import zoneinfo
from decimal import Decimal

import pyarrow as pa

from ..arrowtypes import plain
from ..errors import InvalidQuery
from . import period
from .extensions import PeriodType, innermost
from .kind import is_bool8, kind, type_name

PRECISION = decimal.Context(prec=200, Emax=10**6, Emin=-(10**6))  # more than decimal256 and every time have
_LENGTH = 100  # characters of a number or time
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d+)?))?"
_TIMESTAMP = re.compile(rf"(?P<date>\d{{4}}-\d\d-\d\d)(?:[T ]{_CLOCK})? ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?$")
_TIME = re.compile(rf"{_CLOCK}$")
_DURATION = re.compile(rf"(?P<sign>-)?(?:(?P<days>\d+) days? )?{_CLOCK}$")

Literal = Decimal | float | str | bytes


def parse(value: object, type_: pa.DataType) -> Literal:
    """The meaning of ``value`` in a comparison with a column of this type.

    Numbers, bools and times become a ``Decimal`` (times in the column's unit,
    as :func:`kind.comparable` has them), floats a ``float``.

    Raises
    ------
    InvalidQuery
        It cannot be compared with such a column.
    """
    values = innermost(type_)
    type_ = pa.bool_() if is_bool8(type_) else plain(type_)
    try:
        ordinal = _period(value, values.frequency) if isinstance(values, PeriodType) else None
        literal = _parse(value, type_) if ordinal is None else ordinal
    except (ValueError, ArithmeticError, KeyError):
        literal = None
    if literal is None:
        raise InvalidQuery(f"{str(value)[:60]!r} cannot be compared with a column of {type_name(values)}")
    return literal


def _parse(value: object, type_: pa.DataType) -> Literal | None:
    what = kind(type_)
    if what == "bool":
        return Decimal(value) if isinstance(value, bool) else None
    if what == "text":
        return _text(value) if isinstance(value, str) else None
    if what == "binary":
        return bytes.fromhex(value.replace("-", "")) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and len(value) > _LENGTH:
        return None
    if what == "time":
        return _time(value, type_)
    if pa.types.is_floating(type_):
        return float(value)
    return _number(value) if what == "number" else None


def _text(value: str) -> str:
    value.encode()  # raises ValueError for half of a surrogate pair, which JSON can say and no column has
    return value


def _period(value: object, frequency: str) -> Decimal | None:
    number = period.parse(value.strip(), frequency) if isinstance(value, str) else None
    return None if number is None else Decimal(number)


def _number(value: float | str) -> Decimal | None:
    number = Decimal(value, PRECISION)
    return None if number.is_nan() else number


def _time(value: float | str, type_: pa.DataType) -> Decimal | None:
    if not isinstance(value, str):
        return _number(value)
    text = value.strip()
    if re.fullmatch(r"-?\d+", text):
        return Decimal(text)
    if pa.types.is_duration(type_):
        match = _DURATION.match(text)
        if match is None:
            return None
        seconds = _DAY * int(match["days"] or 0) + _seconds(match)
        return (-seconds if match["sign"] else seconds) * _PER_SECOND[type_.unit]
    if pa.types.is_time(type_):
        match = _TIME.match(text)
        return _seconds(match) * _PER_SECOND[type_.unit] if match else None
    return _instant(text, type_)


def _instant(text: str, type_: pa.DataType) -> Decimal | None:
    match = _TIMESTAMP.match(text)
    if match is None:
        return None
    day = dt.date.fromisoformat(match["date"])
    seconds = _DAY * Decimal(day.toordinal() - dt.date(1970, 1, 1).toordinal())
    if match["hour"]:
        seconds += _seconds(match)
    if pa.types.is_date32(type_):
        return seconds / _DAY
    if pa.types.is_date64(type_):
        return seconds * 1000
    zone = match["zone"] or type_.tz
    if match["zone"] and not type_.tz:
        return None  # a wall clock's time is not an instant
    if zone:
        wall = dt.datetime.combine(day, dt.time(int(match["hour"] or 0), int(match["minute"] or 0)))
        seconds -= Decimal(_offset(zone, wall))
    return seconds * _PER_SECOND[type_.unit]


def _seconds(clock: re.Match[str]) -> Decimal:
    return 3600 * int(clock["hour"]) + 60 * int(clock["minute"]) + Decimal(clock["second"] or 0)


def _offset(zone: str, wall: dt.datetime) -> float:
    """Seconds east of Greenwich, for ``+05:45`` or for a zone at that local time."""
    if fixed := re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone):
        seconds = 3600 * int(fixed[2]) + 60 * int(fixed[3])
        return -seconds if fixed[1] == "-" else seconds
    if zone in ("Z", "UTC"):
        return 0
    offset = wall.replace(tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset()
    return offset.total_seconds() if offset is not None else 0
