"""Nested tables by chance through each pair of libraries: the same values, or a refusal that a rule names."""

from __future__ import annotations

import os
import warnings
from typing import Any

import hypothesis
import pyarrow as pa
import pytest
from nestedtables import tables
from plainly import plain

import jupyter_arrowshm as shm
from jupyter_arrowshm.arrowtypes import nested
from jupyter_arrowshm.tabular.rules import RULES

LIBRARIES = ("pyarrow", "pandas", "polars", "duckdb", "numpy")
# Beside the rules: what depends on the values (fitting.fitted, relations.decode).
BY_VALUE = ("with these values", "counts microseconds", "too far from 1970")


def rows(value: Any, to: str) -> list[list[Any]]:
    """The columns of a table of any library, in plain values."""
    if to == "pyarrow":
        return [plain(column.to_pylist()) for column in value.columns]
    if to == "duckdb":
        return [plain(list(column)) for column in zip(*value.fetchall(), strict=True)] or [[] for _ in value.columns]
    if to == "polars":
        return [plain(column.to_list()) for column in value.get_columns()]
    return [plain(list(value[name])) for name in value]


@pytest.mark.parametrize("second", LIBRARIES)
@pytest.mark.parametrize("first", LIBRARIES)
@hypothesis.settings(
    max_examples=8,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(table=tables())
def test_through_two_libraries(table: pa.Table, first: str, second: str, tmp_path_factory) -> None:
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        hypothesis.reject()  # pyarrow itself builds a null struct of a dictionary without values wrongly
    # A calendar interval is another object in each library: those have tests of their own.
    plain_ones = [n for n, field in enumerate(table.schema) if not any(map(pa.types.is_interval, nested(field.type)))]
    hypothesis.assume(plain_ones)
    table = table.select(plain_ones).rename_columns([f"c{number}" for number in range(len(plain_ones))])
    directory = tmp_path_factory.mktemp("pairs")
    os.chmod(directory, 0o700)
    store = shm.Store(directory / "store")
    store.share(table, "t")
    expected = rows(table, "pyarrow")
    # What only one of them refuses is left out there; what is left must come through.
    for to in (first, second):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries, about extension types
            kept, value = _attached(store, to)
            expected = [expected[number] for number in kept]
            assert rows(value, to) == expected
            kept = _shared_again(store, value, to)
            expected = [expected[number] for number in kept]


def _attached(store: shm.Store, to: str) -> tuple[list[int], Any]:
    """The columns that the library can have, and the table of them."""
    names = store.attach("t", to="stored").column_names
    columns = list(names)
    while columns:
        try:
            return [names.index(name) for name in columns], store.attach("t", to=to, columns=columns)
        except shm.UnsupportedTarget as error:  # noqa: PERF203
            named = [rule.why for rule in RULES[to]]
            assert any(why in error.reason for why in (*named, *BY_VALUE)), error
            hypothesis.event(f"{to} refused: {error.reason.partition('(')[0]}")
            columns.remove(str(error.column))
    return hypothesis.reject()


def _shared_again(store: shm.Store, value: Any, to: str) -> list[int]:
    """Share what was attached; a column of objects that Arrow cannot carry is left out, by its name."""
    names = list(value) if to == "numpy" else list(value.column_names if to == "pyarrow" else value.columns)
    columns = list(names)
    while columns:
        part = value
        if to in ("pandas", "polars"):
            part = value[columns]
        elif to == "numpy":
            part = {name: value[name] for name in columns}
        try:
            store.share(part, "t", replace=True)
            return [names.index(name) for name in columns]
        except shm.UnsupportedSource as error:
            assert to in ("pandas", "numpy"), error
            hypothesis.event(f"{to} cannot share: {error.reason}"[:60])
            columns.remove(str(error.column))
    return hypothesis.reject()
