"""R, driven step by step."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

from interpreter import CHECKOUT, Interpreter, fetched
from interpreter import fails as signals

__all__ = ["HERE", "LOOP", "R", "environment", "program", "signals"]

HERE = Path(__file__).parent / "r"
LOOP = f"source({json.dumps(str(HERE / 'loop.R'))})"


class R(Interpreter):
    """An R process that has arrowshm loaded.

    r = R(program())
    r.run('t <- attach_table("trips")')
    assert r.get("nrow(t)") == 3      # through JSON
    r.kill()                          # SIGKILL
    """

    language = "R"
    flags = ("--no-save", "--no-restore", "--no-init-file", "--no-echo")
    loop = LOOP
    nothing = "NULL"

    @staticmethod
    def environment() -> dict[str, str]:
        return {**environment(), "TMPDIR": temporary()}


def environment() -> dict[str, str]:
    """Where the package is: libraries of the checkout's own."""
    libraries = [str(CHECKOUT / ".r" / "library"), *filter(None, [os.environ.get("R_LIBS")])]
    return {**os.environ, "R_LIBS": os.pathsep.join(libraries), "LC_ALL": "C.UTF-8"}


@functools.cache
def temporary() -> str:
    """Where R makes its own temporary directory, which one that is killed does not remove."""
    path = tempfile.mkdtemp(prefix="arrowshm-test-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def program() -> str:
    """The R to test with, with nanoarrow."""
    return fetched(HERE / "fetch_r.py")
