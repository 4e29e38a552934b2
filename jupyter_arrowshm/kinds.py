"""The kinds of table that a person can ask for. Naming them imports none of their libraries."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["pyarrow", "pandas", "polars", "duckdb", "numpy", "source"]  # "source": the kind that was shared
KINDS: tuple[str, ...] = get_args(Kind)
