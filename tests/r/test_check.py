"""The package is as R wants packages to be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_r_cmd_check_has_no_error_and_no_warning(r_program: str) -> None:
    script = Path(__file__).with_name("check_package.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
