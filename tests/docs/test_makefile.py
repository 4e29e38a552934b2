"""The Makefile goes on without what cannot be fetched, and says so in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_where_ray_cannot_be_installed_its_tests_are_left_out(tmp_path: Path) -> None:
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("ray<0\n")
    done = subprocess.run(
        ["make", "--no-print-directory", "test-ray", f"RAY={tmp_path / 'ray'}", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        env={**os.environ, "PIP_CONSTRAINT": str(constraint)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left_out = "Ray cannot be installed for this Python: the tests of clusters (tests/cluster) are left out"
    assert done.stdout.splitlines()[1:] == [left_out]
