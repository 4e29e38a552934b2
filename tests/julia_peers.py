"""Julia, driven step by step."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

from interpreter import CHECKOUT, Interpreter, fetched
from interpreter import fails as throws

__all__ = ["CHECKOUT", "FLAGS", "HERE", "LOOP", "PACKAGES", "Julia", "environment", "program", "throws"]

HERE = Path(__file__).parent / "julia"
PACKAGES = CHECKOUT / "jupyter_arrowshm" / "julia"
# Every @inbounds is checked all the same, and compiling is most of what these tests wait for.
FLAGS = ("--startup-file=no", "--history-file=no", "--color=no", "--check-bounds=yes", "-O0")
LOOP = f"include({json.dumps(str(HERE / 'loop.jl'))})"


class Julia(Interpreter):
    """A Julia process that has ArrowSHM loaded.

    julia = Julia(program())
    julia.run('t = attach("trips")')
    assert julia.get("length(t)") == 3      # through JSON
    julia.kill()                            # SIGKILL
    """

    language = "julia"
    flags = FLAGS
    loop = LOOP
    nothing = "nothing"

    @staticmethod
    def environment() -> dict[str, str]:
        return environment()


def environment() -> dict[str, str]:
    """Where the package is, and a depot of the checkout's own: no test writes into the user's."""
    return {
        **os.environ,
        "JULIA_LOAD_PATH": f"{PACKAGES}:{HERE / 'packages'}:@stdlib",
        "JULIA_DEPOT_PATH": str(CHECKOUT / ".julia" / "depot"),
    }


@functools.cache
def program() -> str:
    """The Julia to test with. Under CI it must be there."""
    return fetched(HERE / "fetch_julia.py", needed_by_ci=True)
