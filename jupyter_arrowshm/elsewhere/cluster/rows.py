"""A few rows of a table of a cluster: only the batches that they are in are moved to this machine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from ...errors import TableReplaced
from ..pages import Pages

if TYPE_CHECKING:
    from .place import Cluster, Found


class ClusterPages(Pages):
    """Those of a version: who has found it keeps it, so that it can be looked at after it was replaced."""

    def __init__(self, cluster: Cluster, found: Found, version: str = "") -> None:
        if version not in ("", found.version):
            raise TableReplaced(found.entry.name)
        self._cluster, self._found = cluster, found
        self._known = list(itertools.accumulate(found.lengths))
        super().__init__(found.entry.name, found.version, found.entry.schema, found.entry.num_rows)

    def _ends(self, row: int) -> Sequence[int]:
        known = self._known
        while len(known) < len(self._found.objects) and (not known or known[-1] <= row):
            known.append((known[-1] if known else 0) + self._batch(len(known)).num_rows)
        return known

    def _fetch(self, index: int) -> pa.Table:
        return self._cluster.rows(self._found.objects[index], self.name)
