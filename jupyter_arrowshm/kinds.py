"""The kinds of table that a person can ask for. Naming them imports none of their libraries."""

from __future__ import annotations

from typing import Literal, get_args

# "source" is the kind that was shared, "stored" a pyarrow.Table of the very types that are in the file.
Kind = Literal["pyarrow", "pandas", "polars", "duckdb", "numpy", "source", "stored"]
KINDS: tuple[str, ...] = get_args(Kind)
