"""Statistics of a column's values: quartiles, standard deviation, lengths of texts."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

QUARTILES = (0.25, 0.5, 0.75)


def quartiles(values: pa.ChunkedArray, is_time: bool) -> list[Any] | None:
    """The lower quartile, the median and the upper one, as pandas interpolates them; for times, some that are there."""
    if not len(values):
        return None
    if is_time:
        return list(pc.quantile(values, QUARTILES, interpolation="lower").to_pylist())
    found = pc.quantile(_floats(values), QUARTILES).to_pylist()
    return None if any(map(math.isnan, found)) else found  # between two infinities


def deviation(values: pa.ChunkedArray) -> float | None:
    """The standard deviation of a sample (n - 1), as pandas has it; ``None`` of a single value."""
    found = pc.stddev(_floats(values), ddof=1).as_py()
    return None if found is None or not math.isfinite(found) else found


def lengths(values: pa.ChunkedArray, is_text: bool) -> dict[str, Any]:
    """Characters of texts, or bytes of binary values: the fewest, the mean, the most."""
    if is_text:
        # Not checked to be UTF-8: Arrow counts the bytes that begin a character.
        type_ = pa.large_string() if pa.types.is_large_binary(values.type) else pa.string()
        counted = [pc.utf8_length(chunk.view(type_)) for chunk in values.chunks]
    else:
        counted = [pc.binary_length(chunk) for chunk in values.chunks]
    numbers = pa.chunked_array([one.cast(pa.int64()) for one in counted])
    return {**pc.min_max(numbers).as_py(), "mean": pc.mean(numbers).as_py()}


def finite(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = _floats(values)
    return values.filter(pc.is_finite(values))


def mean_of_integers(values: pa.ChunkedArray, least: int, most: int) -> float:
    # Counted from the least: Arrow adds up whole numbers in 64 bits, and a float has too few for nanoseconds.
    if (most - least).bit_length() >= values.type.bit_width:
        return float(pc.mean(values.cast(pa.float64(), safe=False)).as_py())
    above = pc.subtract(values, pa.scalar(least, values.type)).cast(pa.float64(), safe=False)
    return least + float(pc.mean(above).as_py())


def _floats(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.float64(), safe=False)
