"""Many numbers of rows, ascending, as an Arrow array: a Python list of 100,000 takes longer than the work on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import pyarrow as pa
import pyarrow.compute as pc


class Numbers(Sequence[int]):
    """Attributes
    ----------
    array
        A ``pyarrow.Int64Array`` without nulls, in ascending order.
    """

    def __init__(self, array: pa.Int64Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[int]:
        return iter(self.array.to_pylist())

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> Numbers: ...

    def __getitem__(self, place: int | slice) -> int | Numbers:
        if isinstance(place, slice):
            return Numbers(self.array[place])
        number: int = self.array[place].as_py()
        return number

    def moved(self, by: int) -> Numbers:
        """Each less by that much."""
        return Numbers(pc.subtract(self.array, pa.scalar(by, pa.int64())))


def spread(total: int, size: int) -> Numbers:
    """``size`` of the numbers below ``total``, one by chance from each of as many equal parts; always the same."""
    # Whole numbers and what is left of the division apart: in doubles, large tables would lose rows.
    parts = pa.array(range(size), pa.int64())
    width, rest = divmod(total, size)
    begins = pc.add(pc.multiply(parts, width), pc.divide(pc.multiply(parts, rest), size))
    chance = pc.floor(pc.multiply(pc.random(size, initializer=total), float(max(1, width))))
    return Numbers(pc.add(begins, chance.cast(pa.int64())))
