"""Periods as pandas has them: months, quarters, weeks, numbered from the one that holds the first of January 1970."""

from __future__ import annotations

import datetime as dt
import re

_FREQUENCY = re.compile(r"\d*([A-Za-z]+)(?:-([A-Z]{3}))?$")
_OLDER = {"A": "Y", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"}  # as pandas 2 spells them
_PER_DAY = {"h": 24, "min": 1440, "s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_PER_YEAR = {"Y": 1, "Q": 4, "M": 12, "W": 52, "B": 260, "D": 365} | {unit: 365 * n for unit, n in _PER_DAY.items()}
_DIGITS = {"ms": 3, "us": 6, "ns": 9}
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIRST = dt.date(1970, 1, 1)


def text(number: int, frequency: str) -> str:
    """As pandas shows it: ``2024-03``, ``2024Q1``, ``2024-03-04/2024-03-10``; else the number itself."""
    unit, anchor = _parsed(frequency)
    if unit not in _PER_YEAR or abs(number) >= 8000 * _PER_YEAR[unit]:
        return str(number)
    try:
        return _text(number, unit, anchor)
    except (OverflowError, ValueError):  # before the first year of Python's calendar
        return str(number)


def parse(value: str, frequency: str) -> int | None:
    """The number of the first period whose text is ``value``, or begins with it as 2024-03 does with 2024."""
    unit, _ = _parsed(frequency)
    if unit not in _PER_YEAR or not value:
        return None
    # All texts of one frequency are in the order of their numbers.
    low, high = -1960 * _PER_YEAR[unit], 8000 * _PER_YEAR[unit] - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if text(middle, frequency) < value else (low, middle)
    found = text(low, frequency)
    return low if found.startswith(value) and not found[len(value) :][:1].isdigit() else None


def _parsed(frequency: str) -> tuple[str, str]:
    match = _FREQUENCY.match(frequency)
    return (_OLDER.get(match[1], match[1]), match[2] or "") if match else ("", "")


def _text(number: int, unit: str, anchor: str) -> str:
    if unit == "Y":
        return f"{1970 + number:04}"
    if unit == "Q":
        return f"{1970 + number // 4:04}Q{number % 4 + 1}"
    if unit == "M":
        return f"{1970 + number // 12:04}-{number % 12 + 1:02}"
    if unit == "W":
        # The week of number 0 ends on the 28th of December 1969, a Sunday, or on one of the six days after it.
        last = _FIRST + dt.timedelta(7 * number - 4 + _DAYS.index(anchor or "SUN"))
        return f"{last - dt.timedelta(6)}/{last}"
    if unit == "B":
        weeks, day = divmod(number + 3, 5)  # the first of January 1970 was a Thursday
        return str(_FIRST + dt.timedelta(7 * weeks + day - 3))
    if unit == "D":
        return str(_FIRST + dt.timedelta(number))
    days, rest = divmod(number, _PER_DAY[unit])
    seconds, part = divmod(rest * 86_400, _PER_DAY[unit])
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    if unit not in ("h", "min"):
        clock += f":{seconds % 60:02}"
    if unit in _DIGITS:
        clock += f".{part // 86_400:0{_DIGITS[unit]}}"
    return f"{_FIRST + dt.timedelta(days)} {clock}"
