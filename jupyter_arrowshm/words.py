"""Sizes, times and names as people read them: "1.2 GB", "2 min ago"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

_MOST_NAMES = 20  # of columns, that a sentence lists
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_SPANS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (float("inf"), 86400, "day"))


def size(nbytes: float) -> str:
    """``nbytes`` in decimal units with at most three digits: ``"42.3 MB"``."""
    value, unit = float(nbytes), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return "1 byte" if value == 1 else f"{value:.0f} bytes"
    digits = 0 if abs(value) >= 99.95 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def age(since: dt.datetime, now: dt.datetime | None = None) -> str:
    """How long ago ``since`` was; both times carry a zone. A future time (a clock was set back) is "just now"."""
    now = now or dt.datetime.now(dt.timezone.utc)
    seconds = (now - since).total_seconds()
    unit, name = next((unit, name) for limit, unit, name in _SPANS if seconds < limit)
    number = int(seconds // unit)
    if number < 1:
        return "just now"
    return f"{number} {'days' if name == 'day' and number > 1 else name} ago"


def count(number: int, noun: str) -> str:
    """``count(1, "row")`` is "1 row", ``count(336776, "row")`` is "336,776 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shape(num_rows: int, num_columns: int) -> str:
    return f"{count(num_rows, 'row')} x {count(num_columns, 'column')}"


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def no_column(name: str, where: str, names: Sequence[str]) -> str:
    """``no column 'fair' in 'trips'. Did you mean 'fare'?``; ``where`` is ``in 'trips'``, ``names`` are those there."""
    import difflib

    more = len(names) - _MOST_NAMES
    known = ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"It has {known}."
    return f"no column {name!r} {where}. {hint}"
