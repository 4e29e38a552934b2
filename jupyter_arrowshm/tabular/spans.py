"""Calendar intervals of months, days and nanoseconds, as the plain spans of time that some of them are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

_LAYOUT = np.dtype([("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])
_DAY = 86_400 * 10**9
_FURTHEST = 106_000  # days of a span whose nanoseconds are 64 bits, and some to spare


def timedeltas(column: pa.ChunkedArray) -> Any:
    """``timedelta64[ns]``, NaT for nulls; None where a month is in them, which has no length, or too many days."""
    parts = [np.zeros(0, "m8[ns]")]
    for chunk in column.chunks:
        known = chunk.is_valid().to_numpy(zero_copy_only=False)
        values = np.frombuffer(chunk.buffers()[1], _LAYOUT)[chunk.offset :][: len(chunk)]
        days, rest = values["days"].astype("i8"), values["nanoseconds"]
        most = abs(days) + abs(rest // _DAY)
        if values["months"][known].any() or (most[known] > _FURTHEST).any():
            return None
        parts.append(np.where(known, (days * _DAY + rest).astype("m8[ns]"), np.timedelta64("NaT", "ns")))
    return np.concatenate(parts)


def are_finer(column: pa.ChunkedArray) -> bool:
    """Whether some of them have a part of a microsecond."""
    for chunk in column.chunks:
        known = chunk.is_valid().to_numpy(zero_copy_only=False)
        nanoseconds = np.frombuffer(chunk.buffers()[1], _LAYOUT)["nanoseconds"][chunk.offset :][: len(chunk)]
        if (nanoseconds[known] % 1000).any():
            return True
    return False
