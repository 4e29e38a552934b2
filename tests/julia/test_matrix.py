"""docs/types.md says what is true: every Arrow type in every library, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matrix
import pyarrow as pa
import pytest
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
    julia.run(matrix.JULIA)
    found = {}
    for name, array in matrix.columns().items():
        expected = pa.table({"x": array})
        store.share(expected, "x", replace=True)
        assert store.attach("x").equals(expected), name
        column = expected["x"]
        python = [matrix.in_python(library, store, "x", column) for library in ("pandas", "polars")]
        found[name] = (*python, matrix.in_julia(julia, store, "x", column))
    assert found == matrix.CELLS


def test_document() -> None:
    assert matrix.DOCUMENT.read_text("utf-8") == matrix.document(), "run: python tests/matrix.py"
