"""The demo where there is a Julia."""

from __future__ import annotations

import os
from pathlib import Path

from commands import command
from julia_peers import CHECKOUT


def test_julia_takes_part(julia_program: str, directory: Path) -> None:
    # In the checkout's depot, whichever Julia it is: no test writes into the user's.
    env = {**os.environ, "JULIA_DEPOT_PATH": str(CHECKOUT / ".julia" / "depot")}
    env["PATH"] = f"{Path(julia_program).parent}:{env['PATH']}"
    done = command("demo", env=env)
    assert done.returncode == 0 and done.stderr == "", done
    _, _, julia = done.stdout.partition(
        "\nJulia attaches it, too, and shares what it makes of it. Most of its time goes into compiling.\n"
    )
    julia, _, rest = julia.partition("\nThe first is killed")
    lines = [line.strip() for line in julia.splitlines()]
    assert lines[0] == "delays.jl > using ArrowSHM, Statistics"
    assert any(
        line.startswith("flights: 336,776 rows x 19 columns, ") and line.endswith(", attached") for line in lines
    )
    assert any(line.startswith("delays: 3 rows x 2 columns, ") and line.endswith(", shared") for line in lines)
    assert any(line.startswith("delays: pandas.DataFrame, 3 rows x 2 columns, ") for line in lines)
    assert any(
        line.startswith("flights ") and line.endswith("3: model.ipynb (python), delays.jl, load.ipynb (python)")
        for line in lines
    )
    assert rest.rstrip().endswith("no shared tables, no file, all memory free again")
