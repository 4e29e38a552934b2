"""The bins of a histogram, about twenty: their edges are numbers and times that people would choose."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

BINS = 20
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAYS = (1, 2, 7, 14, 30, 60, 90, 180, 365, 730)


def whole_edges(least: int, most: int, unit: str | None = None) -> list[int]:
    """Edges for whole numbers; for times with their ``unit``: ``s``, ``ms``, ``us``, ``ns`` or ``D`` for days."""
    width = -(-(most - least + 1) // BINS)
    step = next(step for step in (_steps() if unit is None else _time_steps(unit)) if step >= width)
    first = least // step * step
    return list(range(first, most + step + 1, step))


def edges(least: float, most: float) -> list[float]:
    """Edges for floats; the last bin includes its end."""
    if least == most:
        return [least, most]
    return _round_edges(least, most) or _even_edges(least, most)


def _round_edges(least: float, most: float) -> list[float] | None:
    """``None`` where there are none: near the ends of what floats can be, and for neighbours."""
    width = most / BINS - least / BINS
    if not 1e-290 < width < 1e290:
        return None
    exponent = math.floor(math.log10(width))
    factor = next(factor for factor in (1, 2, 5, 10) if factor * 10.0**exponent >= width * (1 - 1e-9))

    def edge(number: int) -> float:
        # One division or product of whole numbers: rounded once, so it reads as 0.3 and not as 0.30000000000000004.
        return number * factor / 10**-exponent if exponent < 0 else float(number * factor * 10**exponent)

    number = math.floor(least / (factor * 10.0**exponent))
    while edge(number) > least:
        number -= 1
    found = [edge(number)]
    while found[-1] < most and len(found) <= 2 * BINS:
        number += 1
        found.append(edge(number))
    is_rising = all(one < other for one, other in itertools.pairwise(found))
    return found if is_rising and found[-1] >= most else None


def _even_edges(least: float, most: float) -> list[float]:
    parts = (part / BINS for part in range(1, BINS))
    # Not least + part * (most - least): that difference may be too large for a float.
    return sorted({least, *(least * (1 - part) + most * part for part in parts), most})


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _time_steps(unit: str) -> Iterator[int]:
    if unit != "D":
        per_second = _PER_SECOND[unit]
        yield from itertools.takewhile(lambda step: step < per_second, _steps())
        yield from (step * per_second for step in _SECONDS)
    per_day = 1 if unit == "D" else _DAY * _PER_SECOND[unit]
    yield from (step * per_day for step in _DAYS)
    yield from (step * 365 * per_day for step in _steps() if step > 2)
