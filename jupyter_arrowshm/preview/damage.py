"""Errors in a table itself, not in a question about it."""

from __future__ import annotations

import struct

import pyarrow as pa


class Damage(pa.ArrowInvalid):  # type: ignore[misc]
    """A table points out of itself, or is not what it says."""


class _Reading:
    """Turns an error while a table is only read, or checked, into :class:`Damage`: it is the table's fault."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        # Not where Arrow lacks something for a type, nor where memory is short.
        if isinstance(error, _FAULTS) and not isinstance(error, _LIMITS):
            raise Damage(str(error)) from None


_FAULTS = (pa.ArrowException, OSError, struct.error, UnicodeDecodeError, IndexError)
_LIMITS = (Damage, pa.ArrowNotImplementedError, pa.ArrowCapacityError, MemoryError)
reading = _Reading()  # as in ``with reading:``; a generator would take longer than what it watches over
