"""The footer of an Arrow file, and the schema in it, changed to what pyarrow does not write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jupyter_arrowshm.core.flatbuffer import Table


def change(path: Path, at: Callable[[Table], None], *, of_schema: bool = True) -> None:
    """Let ``at`` change the schema in the footer of a file, or the footer."""
    data = bytearray(path.read_bytes())
    start = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    footer = Table.root(memoryview(data)[start:], 0)
    table = footer.table(1) if of_schema else footer
    assert table is not None
    at(table)
    path.chmod(0o600)
    path.write_bytes(data)


def durations_to_intervals(schema: Table) -> None:
    start, count = schema.vector(1)
    for k in range(count):
        field = Table.root(schema.data, start + 4 * k)
        if schema.data[field.field(2)] == 18:
            kind = field.table(3)
            assert kind is not None
            schema.data[field.field(2)] = 11
            schema.data[kind.field(0)] //= 2  # seconds become months (0), microseconds (2) days and milliseconds (1)
