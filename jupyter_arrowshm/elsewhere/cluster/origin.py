"""A table of a Ray cluster as an origin: fetched once on this machine, batch by batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ... import words
from ...loading import Where, name_of
from ...tabular import Source, index_columns
from . import actors

if TYPE_CHECKING:
    from .place import Cluster, Found

_AHEAD = 4  # batches that are on their way while one is written


class ClusterTable:
    """One table of a cluster, or a part of it: an :class:`Origin`. A part is cut out where the rows are."""

    def __init__(self, cluster: Cluster, table: str, columns: Sequence[str] | None, where: str | None) -> None:
        self._cluster, self.table = cluster, table
        self.address = cluster.path(table)
        self._read = ""  # the version of the rows
        names = [columns] if isinstance(columns, str) else columns
        self.columns = None if names is None else tuple(map(str, names))
        self._where = Where(str(where)) if where else None
        self.where = self._where.text if self._where else ""
        self.name = name_of(self.address, self.columns, self.where)

    def version(self) -> str:
        """Asks the catalogue, unless the rows of a version were read: they are of that one, whatever has its name now.

        Raises ``TableNotFound``, ``PlaceFailed``.
        """
        return self._read or self._cluster.version(self.table)

    def read(self) -> Source:
        """The rows. Raises ``TableLost``, ``PlaceFailed``, also while batches are taken."""
        found = self._cluster.find(self.table)
        self._read = found.version
        schema, fetches = self.plan(found)
        rows = None if self.where else found.entry.num_rows
        return Source(schema, self._batches(found, fetches), found.entry.source, rows, None)

    def plan(self, found: Found, *, as_tables: bool = False) -> tuple[pa.Schema, list[Callable[[], Any]]]:
        """The schema of what is wanted, and a call for each batch that gives the object with its rows.

        With ``as_tables``, the objects are Arrow tables, and not streams of any.
        """
        whole = found.entry.schema
        if self.columns is None and self._where is None and not (as_tables and not actors.is_plain(whole)):
            return whole, [lambda one=one: one for one in found.objects]  # type: ignore[misc]
        columns, where = self._columns(whole), self._where.bind(whole) if self._where else None
        schema = whole if columns is None else pa.schema([whole.field(name) for name in columns], whole.metadata)
        return schema, [
            lambda keeper=keeper, index=index: keeper.cut.options(concurrency_group="cut").remote(  # type: ignore[misc]
                found.version, index, columns, where, as_tables
            )
            for keeper, index in found.at
        ]

    def _columns(self, schema: pa.Schema) -> list[str] | None:
        """The columns that are asked for, and those of pandas' index, which comes along as always in pandas."""
        if self.columns is None:
            return None
        for name in self.columns:
            if name not in schema.names:
                raise KeyError(words.no_column(name, f"in {self.table!r}", schema.names))
        index = [name for name in index_columns(schema) if name in schema.names and name not in self.columns]
        return [*self.columns, *index]

    def _batches(self, found: Found, fetches: list[Callable[[], Any]]) -> Iterator[pa.RecordBatch]:
        """The next batches are on their way while this one is written."""

        def get(fetch: Callable[[], Any]) -> pa.Table:
            return self._cluster.rows(fetch(), self.table)

        pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="arrowshm-fetch")
        coming: deque[Future[pa.Table]] = deque()
        waiting = iter(fetches)
        try:
            coming.extend(pool.submit(get, fetch) for fetch in islice(waiting, _AHEAD))
            while coming:
                table = coming.popleft().result()
                coming.extend(pool.submit(get, fetch) for fetch in islice(waiting, 1))
                yield from table.to_batches()
            self._cluster.fetched(found)
        finally:
            # Not waited for: each ends by itself, within its own limit.
            pool.shutdown(wait=False, cancel_futures=True)
