"""Run ``R CMD check`` on the R package; the exit code is 1 if it has an error or a warning.

python tests/r/check_package.py
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from r.fetch_r import PACKAGE
from r_peers import environment


def check(folder: Path) -> str:
    """The whole report. The manual as PDF needs TeX, and a look at CRAN a network: both are left out."""
    env = environment() | {"_R_CHECK_CRAN_INCOMING_": "FALSE", "_R_CHECK_FORCE_SUGGESTS_": "FALSE"}
    subprocess.run(["R", "CMD", "build", str(PACKAGE)], cwd=folder, env=env, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    command = ["R", "CMD", "check", "--no-manual", archive.name]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = check(Path(folder))
    print(report)
    return bool(re.search(r"\.\.\. (ERROR|WARNING)", report)) or "Status:" not in report


if __name__ == "__main__":
    sys.exit(main())
