"""A few rows of a table that lies elsewhere. Of its record batches, only those that have the rows are fetched."""

from __future__ import annotations

import bisect
import contextlib
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from .. import words
from ..core import UNREADABLE, Block, TableInfo, blocks, check_name, describe, length_of_batch
from ..errors import DamagedTable, LoadFailed, QueryStopped, TableReplaced

if TYPE_CHECKING:
    from .folder import Folder

T = TypeVar("T")
MOST = 256 << 20  # bytes of one record batch that are fetched for a page: whoever shared it decided how large it is
_KEPT = 2  # batches: a page may have rows of two
_AT_ONCE = 8  # headers of batches that are read at the same time
_ATTEMPTS = 5  # at a table that others replace all the time


class Pages(ABC):
    """One version of a table. Its rows are fetched when they are asked for, and the last batches stay at hand.

    Attributes
    ----------
    version
        As :attr:`TableInfo.version` of :meth:`Place.info`.
    """

    def __init__(self, name: str, version: str, schema: pa.Schema, num_rows: int) -> None:
        self.name, self.version, self.schema, self.num_rows = name, version, schema, num_rows
        self._batch = functools.lru_cache(_KEPT)(self._fetch)

    @abstractmethod
    def _ends(self, row: int) -> Sequence[int]:
        """For each batch, the number of the row after its last: of all batches up to the one that has ``row``."""

    @abstractmethod
    def _fetch(self, index: int) -> pa.Table:
        """The rows of a batch, checked."""

    def rows(self, offset: int, limit: int) -> pa.Table:
        """These rows, as many of them as there are.

        Raises
        ------
        TableReplaced
            Another table has the name now.
        LoadFailed, DamagedTable
            The file is damaged.
        TableLost, PlaceFailed
        QueryStopped
            Whoever shared it put more into one batch than is fetched for a page.
        """
        first, stop = max(0, offset), min(self.num_rows, offset + limit)
        parts = [self.schema.empty_table()]
        if first < stop:
            ends = self._ends(stop - 1)
            if not ends or ends[-1] < stop:
                raise self._damaged()
            for index in range(bisect.bisect_right(ends, first), bisect.bisect_left(ends, stop) + 1):
                start = ends[index - 1] if index else 0
                if start < ends[index]:
                    batch = self._batch(index)
                    if batch.num_rows != ends[index] - start:
                        raise self._damaged()
                    part = max(first, start)
                    parts.append(batch.slice(part - start, min(stop, ends[index]) - part))
        return pa.concat_tables(parts)

    def _damaged(self) -> DamagedTable:
        return DamagedTable(self.name, "", "its batches do not have as many rows as it says")


class FilePages(Pages):
    """Those of a file in a folder or bucket: its footer is read, then the headers and batches that are needed."""

    def __init__(self, folder: Folder, name: str, version: str = "") -> None:
        self._folder = folder
        current = folder.info_version(check_name(name))
        if version not in ("", current):
            raise TableReplaced(name)
        self._file = folder.open_file(name)
        self.name, self.version = name, current
        reader, table, (dictionaries, self._blocks) = self._read(self._opened)
        if table is None:
            raise DamagedTable(name, folder.path(name), "it is not a whole Arrow file")
        self._check_size(sum(block.body for block in dictionaries))
        self._reader = reader
        self._known: list[int] = []  # what _ends() found out
        super().__init__(name, current, reader.schema, table.num_rows)

    def _opened(self) -> tuple[pa.ipc.RecordBatchFileReader, TableInfo | None, tuple[list[Block], list[Block]]]:
        file, folder, name = self._file, self._folder, self.name
        table = describe(file, name, folder.path(name), file.size(), self.version)
        return pa.ipc.open_file(file), table, blocks(file)

    def _ends(self, row: int) -> Sequence[int]:
        known = self._known
        while len(known) < len(self._blocks) and (not known or known[-1] <= row):
            some = self._blocks[len(known) : len(known) + (_AT_ONCE if known else 1)]
            for rows in self._read(lambda some=some: self._lengths(some)):  # type: ignore[misc]
                known.append(rows + (known[-1] if known else 0))
        return known

    def _lengths(self, some: list[Block]) -> list[int]:
        with ThreadPoolExecutor(len(some), thread_name_prefix="arrowshm-fetch") as pool:
            return list(pool.map(lambda block: length_of_batch(self._file.read_at(block.size, block.offset)), some))

    def _fetch(self, index: int) -> pa.Table:
        self._check_size(self._blocks[index].body)

        def get() -> pa.Table:
            batch = self._reader.get_batch(index)
            batch.validate(full=True)  # anybody may have put the file there
            return pa.Table.from_batches([batch])

        return self._read(get)

    def _check_size(self, nbytes: int) -> None:
        if nbytes > MOST:
            reason = f"would have to fetch {words.size(nbytes)}, because so much is in one record batch of the file"
            raise QueryStopped(reason, "Attach the table, or copy it to this machine")

    def _read(self, call: Callable[[], T]) -> T:
        """What ``call`` reads, if all of it is of one version."""

        def explained() -> T:
            try:
                return call()
            except (*UNREADABLE, IndexError) as error:
                raise LoadFailed(self._folder.path(self.name), self._folder.reason(error)) from None

        try:
            found = self._folder.bounded(explained)
        except LoadFailed:
            self._check_version()
            raise
        self._check_version()
        return found

    def _check_version(self) -> None:
        # An object that is replaced may have been read in two parts, of two versions.
        if self._folder.version(self.name) != self.version:
            raise TableReplaced(self.name)


class Paged(ABC):
    """A place whose tables are looked at without fetching them."""

    @abstractmethod
    def look(self, name: str, version: str = "") -> Pages:
        """One version of a table, to look at some of its rows; without ``version``, the present one.

        Raises ``TableNotFound``, ``TableReplaced``, ``DamagedTable``, ``PlaceFailed``.
        """

    def head(self, name: str, rows: int = 10, *, offset: int = 0) -> pa.Table:
        """Some rows of a table, for which no more than the record batches that they are in is fetched."""
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(TableReplaced):
                return copied(self.look(name).rows(offset, rows))
        return copied(self.look(name).rows(offset, rows))


def copied(rows: pa.Table) -> pa.Table:
    """The rows alone: a slice keeps all of its batch in memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return pa.ipc.open_stream(sink.getvalue()).read_all()
