"""What is wrong with a table itself, and not with what is asked about it."""

from __future__ import annotations

import struct

import pyarrow as pa


class Damage(pa.ArrowInvalid):  # type: ignore[misc]
    """A table leads out of itself, or is not what it says."""


class _Reading:
    """What goes wrong while a table is only read, or checked, is its own fault: a :class:`Damage`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        # Not for a type that Arrow lacks something for, nor where memory is short.
        if isinstance(error, _FAULTS) and not isinstance(error, _LIMITS):
            raise Damage(str(error)) from None


_FAULTS = (pa.ArrowException, OSError, struct.error, UnicodeDecodeError, IndexError)
_LIMITS = (Damage, pa.ArrowNotImplementedError, pa.ArrowCapacityError, MemoryError)
reading = _Reading()  # as in ``with reading:``; a generator would take longer than what it watches over
