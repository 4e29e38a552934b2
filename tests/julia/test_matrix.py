"""docs/types.md says what is true: every Arrow type in every library, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
import typetable
from julia_peers import LOOP, Julia

import jupyter_arrowshm as shm


@pytest.fixture(scope="module")
def julia_process(julia_program: str) -> Iterator[Julia]:
    """One that interprets: six rows of each type are not worth compiling for."""
    started = Julia(julia_program, "--compile=min", "-e", LOOP)
    yield started
    started.kill()


def test_matrix(julia: Any, store: shm.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "0")  # polars panics where it knows no type, at length
    julia.run(typetable.JULIA)
    found = {}
    for name, array in typetable.columns().items():
        expected = pa.table({"x": array})
        store.share(expected, "x", replace=True)
        assert store.attach("x").equals(expected), name
        column = expected["x"]
        python = [typetable.in_python(library, store, "x", column) for library in ("pandas", "polars")]
        found[name] = (*python, typetable.in_julia(julia, store, "x", column))
    assert found == typetable.CELLS


def test_what_pandas_own_types_are(julia: Any, store: shm.Store) -> None:
    julia.run(typetable.JULIA)
    found = {}
    for name, series in typetable.pandas_columns().items():
        stored, polars = typetable.own_in_python(store, series)
        found[name] = (stored, polars, typetable.own_in_julia(julia), typetable.OF_PANDAS[name][3])
    assert found == typetable.OF_PANDAS


def test_document() -> None:
    assert typetable.DOCUMENT.read_text("utf-8") == typetable.document(), "run: python tests/typetable.py"
