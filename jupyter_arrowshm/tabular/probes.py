"""Whether a library can work with a type: tried once per process, on an array of two values."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa


@functools.lru_cache(maxsize=256)
def can_use(library: str, type_: pa.DataType) -> bool:
    """Whether the library works with columns of this type: it can select and order their rows, join and write them."""
    table = pa.table({"key": pa.array([1, 2]), "x": pa.nulls(2, type_)})
    try:
        _PROBES[library](table)
    except Exception:
        return False
    return True


def _pyarrow(table: pa.Table) -> None:
    from pyarrow import csv

    table.take([1, 0]).filter(pa.array([True, False]))
    table.join(table.select(["key"]), "key")
    if not table.schema.field("x").type.num_fields:
        csv.write_csv(table, io.BytesIO())


def _duckdb(table: pa.Table) -> None:
    import duckdb

    # A database of its own: after some errors every query of a database fails.
    with duckdb.connect() as connection:
        back = connection.from_arrow(table).to_arrow_table()
        if back.schema.field("x").type != table.schema.field("x").type:
            raise TypeError("it comes back as another type")


_PROBES: dict[str, Callable[[Any], None]] = {"pyarrow": _pyarrow, "duckdb": _duckdb}
