"""A table of a folder or bucket as an origin: loaded once on this machine, then attached by everybody on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import LoadFailed
from ..loading import name_of, remote
from ..tabular import Source

if TYPE_CHECKING:
    from .folder import Folder

_SOURCE = b"arrowshm.source"


class PlacedTable:
    """One table of a folder, whole: an :class:`Origin`. Columns are picked where it is attached."""

    columns: tuple[str, ...] | None = None
    where = ""

    def __init__(self, folder: Folder, table: str) -> None:
        self._folder, self._table = folder, table
        self.address = folder.path(table)
        self.name = name_of(self.address, None, "")

    def version(self) -> str:
        """Costs a request. Raises ``TableNotFound``, ``PlaceFailed``."""
        return self._folder.info_version(self._table)

    def read(self) -> Source:
        """The rows. Every offset and index is checked: anybody may have put the file there."""
        file = self._folder.open_file(self._table)
        try:
            reader = remote.within(lambda: pa.ipc.open_file(file))
        except (OSError, pa.ArrowException) as error:
            raise self._failed(error) from None
        kind = (reader.metadata or {}).get(_SOURCE, b"pyarrow").decode(errors="replace")
        return Source(reader.schema, self._batches(reader, file), kind, None, None)

    def _batches(self, reader: pa.ipc.RecordBatchFileReader, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        """The next batch is fetched and decompressed while this one is written."""

        def get(index: int) -> pa.RecordBatch:
            batch = reader.get_batch(index)
            batch.validate(full=True)
            return batch

        count = reader.num_record_batches
        seconds = remote.patience_for(file.size() // max(1, count))  # their own sizes would cost requests
        following = remote.Begun(lambda: get(0)) if count else None
        for index in range(1, count + 1):
            assert following is not None
            try:
                batch = following.result(seconds)
            except (OSError, pa.ArrowException) as error:
                raise self._failed(error) from None
            following = remote.Begun(lambda index=index: get(index)) if index < count else None  # type: ignore[misc]
            yield batch
        file.close()

    def _failed(self, error: BaseException) -> LoadFailed:
        return LoadFailed(self.address, self._folder.reason(error))
