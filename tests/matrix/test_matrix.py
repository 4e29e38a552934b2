"""Each type of each library, in each library, under what people do there: as with the library's own conversion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = "import json, origins; print(json.dumps({library: list(made) for library, made in origins.origins().items()}))"
PARTS = 2  # of each library's types, so that two processes share the work
LIBRARIES = ("pyarrow", "pandas", "polars", "duckdb", "numpy")
TARGETS = ("pyarrow", "pandas", "polars", "duckdb", "numpy")


def run(*arguments: str) -> Iterator[dict[str, object]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return map(json.loads, done.stdout.splitlines())


@pytest.fixture(scope="module")
def types() -> dict[str, list[str]]:
    (found,) = run("-c", SCRIPT)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_attached_can_be_used(library: str, part: int, types: dict[str, list[str]], tmp_path: Path) -> None:
    """No cell fails, and none ends its process."""
    tmp_path.chmod(0o700)
    names = types[library][part::PARTS]
    results = {str(each["name"]): each["cells"] for each in run(str(HERE / "child.py"), str(tmp_path), library, *names)}
    assert list(results) == names
    failed = {
        f"{library} {name}, {cell}": verdict
        for name, cells in results.items()
        for cell, verdict in cells.items()  # type: ignore[attr-defined]
        if verdict
    }
    assert not failed
    for name, cells in results.items():
        for target in TARGETS:
            tried = [cell for cell in cells if cell.startswith(f"{target}: ")]  # type: ignore[attr-defined]
            assert len(tried) >= 12 or tried == [f"{target}: attach"], (name, target)
