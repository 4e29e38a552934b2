"""The kinds of table that can be shared and asked for. Naming them imports none of their libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args

# "source" is the kind that was shared, "stored" a pyarrow.Table of the very types that are in the file.
Kind = Literal["pyarrow", "pandas", "polars", "duckdb", "numpy", "source", "stored"]
KINDS: tuple[str, ...] = get_args(Kind)


class ExportsStream(Protocol):
    """A table of any library with Arrow's PyCapsule interface: pyarrow, pandas, polars, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ExportsArray(Protocol):
    """An array or a record batch of a library with Arrow's PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


class ExportsNumPy(Protocol):
    """An object that NumPy can take as an array."""

    def __array__(self) -> Any: ...


class ExportsDLPack(Protocol):
    """An array of a library with the DLPack interface, on the CPU."""

    def __dlpack__(self) -> object: ...


Shareable = ExportsStream | ExportsArray | ExportsNumPy | ExportsDLPack | Mapping[str, Any]
