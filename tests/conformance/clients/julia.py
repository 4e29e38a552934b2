"""The Julia client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from conformance.client import Client
from julia_peers import HERE, LOOP, Julia, program

PRELUDE = """
held = Any[]
pids(holders) = sort!(Any[holder.pid for holder in holders]; by = pid -> something(pid, 0))
function made(rows, log, pause)
    note(sign) = open(io -> print(io, sign), log, "a")
    note("+")
    sleep(pause)
    rows < 0 && error("no such rows")
    note("-")
    return (a = collect(0:(rows - 1)),)
end
function about(name)
    table = ArrowSHM.info(name)
    older = [holder for version in table.older for holder in version.holders]
    alive, pinned = table.publisher.alive, table.pinned
    return (rows = table.num_rows, alive = alive, pinned = pinned, pids = pids(table.holders), older = pids(older))
end
"""


class JuliaClient(Client):
    language = "julia"
    prelude = PRELUDE
    phrases: ClassVar = {
        "use": 'ENV["JUPYTER_ARROWSHM_DIR"] = {directory}',
        "default": '(delete!(ENV, "JUPYTER_ARROWSHM_DIR"); ArrowSHM.default_path())',
        "share": "share({name}, (a = collect(0:({rows} - 1)),); replace = {replace}, pin = {pin})",
        "attach": "push!(held, attach({name}))",
        "load": "push!(held, attach(() -> made({rows}, {log}, {pause}), {name}; wait = {wait}))",
        "sum": "sum(held[end].a)",
        "drop": "Session.clear(); held = Any[]",
        "unshare": "unshare({name})",
        "pin": "ArrowSHM.pin({name})",
        "unpin": "ArrowSHM.unpin({name})",
        "gc": "sort!(collect(keys(ArrowSHM.gc())))",
        "names": "[table.name for table in tables()]",
        "info": "about({name})",
        "counts": "sort!(unique(length(table.holders) for _ in 1:10 for table in tables()))",
    }

    @staticmethod
    def literal(value: str | bool | int) -> str:
        if isinstance(value, str):  # by its bytes: a lone surrogate cannot be written as a literal
            return f"String(UInt8[{', '.join(map(str, value.encode('utf-8', 'surrogateescape')))}])"
        return str(value).lower()

    def begin(
        self,
        *,
        script: Path | None = None,
        kernel: str | None = None,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        lasting: bool = False,
    ) -> Julia:
        options = ["-e", LOOP, "--"]
        if script is not None:
            script.write_text(f"include({json.dumps(str(HERE / 'loop.jl'))})")
            options = [str(script)]
        options = [*([] if lasting else ["--compile=min"]), *options, *(["-f", kernel] if kernel else [])]
        return Julia(program(), *options, env=dict(env or {}), prefix=prefix)
