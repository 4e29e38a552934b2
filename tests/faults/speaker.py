"""A process that shares, attaches and drops one table, ``t``, when it is told to, in either language."""

from __future__ import annotations

from typing import Any

PHRASES = {
    "python": {
        "share": "shm.share(pa.table({'a': range(1000)}), 't', replace=True)",
        "attach": "t = shm.attach('t')",
        "sum": "sum(t['a'].to_pylist())",
        "drop": "del t",
        "unshare": "shm.unshare('t')",
        "names": "[table.name for table in shm.tables()]",
        "gc": "sorted(shm.gc())",
        "counts": "sorted({len(table.holders) for _ in range(20) for table in shm.tables()})",
    },
    "julia": {
        "share": 'share("t", (a = collect(0:999),); replace = true)',
        "attach": 't = attach("t")',
        "sum": "sum(t.a)",
        "drop": "t = nothing; GC.gc()",
        "unshare": 'unshare("t")',
        "names": "[table.name for table in tables()]",
        "gc": "sort!(collect(keys(ArrowSHM.gc())))",
        "counts": "sort!(unique(length(table.holders) for _ in 1:20 for table in tables()))",
    },
}


class Speaker:
    def __init__(self, process: Any, phrases: dict[str, str]) -> None:
        self.process, self._phrases = process, phrases

    def do(self, what: str) -> None:
        self.process.run(self._phrases[what])

    def get(self, what: str) -> Any:
        return self.process.get(self._phrases[what])
