"""The Python client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from conformance.client import Client
from peers import Peer

PRELUDE = """
import time
held = []

def made(rows, log, pause):
    note = lambda sign: print(sign, end="", file=open(log, "a"))
    note("+")
    time.sleep(pause)
    if rows < 0:
        raise ValueError("no such rows")
    note("-")
    return pa.table({"a": pa.arange(0, rows)})

def info(name):
    table = shm.info(name)
    return {
        "rows": table.num_rows,
        "alive": table.publisher.alive,
        "pinned": table.pinned,
        "pids": sorted((holder.pid for holder in table.holders), key=lambda pid: pid or 0),
        "older": sorted(holder.pid for version in table.older for holder in version.holders),
    }
"""


class Python(Client):
    language = "python"
    prelude = PRELUDE
    phrases: ClassVar = {
        "use": "os.environ['JUPYTER_ARROWSHM_DIR'] = {directory}",
        "default": "(os.environ.pop('JUPYTER_ARROWSHM_DIR', None), shm.Store().directory)[1]",
        "share": "shm.share(pa.table({{'a': pa.arange(0, {rows})}}), {name}, replace={replace}, pin={pin})",
        "attach": "held.append(shm.attach({name}))",
        "load": ("held.append(shm.attach({name}, load=lambda: made({rows}, {log}, {pause}), wait={wait}))"),
        "sum": "sum(held[-1]['a'].to_pylist())",
        "drop": "held.clear()",
        "unshare": "shm.unshare({name})",
        "pin": "shm.pin({name})",
        "unpin": "shm.unpin({name})",
        "gc": "sorted(shm.gc())",
        "names": "[table.name for table in shm.tables()]",
        "info": "info({name})",
        "counts": "sorted({{len(table.holders) for _ in range(10) for table in shm.tables()}})",
    }
    literal = staticmethod(repr)

    def begin(
        self,
        *,
        script: Path | None = None,
        kernel: str | None = None,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        lasting: bool = False,
    ) -> Peer:
        return Peer(script=str(script) if script else None, kernel=kernel, prefix=prefix, env=dict(env or {}))
