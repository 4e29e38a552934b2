"""Rows that have to be had first: decoded, of Parquet files and compressed Arrow files, or fetched from elsewhere."""

from __future__ import annotations

import functools
import itertools
import sys
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import InvalidQuery, QueryStopped
from . import layout
from .damage import Damage, reading
from .extensions import recognised
from .source import SLICE_ROWS, Piece, Source, TableSource

if TYPE_CHECKING:
    from pyarrow import parquet

KEPT = 256 << 20  # bytes of decoded columns that are at hand at once
MOST = 256 << 20  # bytes of one column of a row group: decoding may take a multiple of it
_READERS = 64


class PartsSource(Source):
    """Rows in parts (row groups, batches). Of each, a column is decoded when it is looked at.

    Raises :class:`Damage` for parts of no possible length.
    """

    is_at_hand = False

    def __init__(self, schema: pa.Schema, lengths: list[int]) -> None:
        super().__init__()
        self.schema = recognised(schema)
        if lengths and min(lengths) < 0:
            raise Damage("a part of it has fewer than no rows")
        self._lengths = lengths
        self._known_ends = list(itertools.accumulate(lengths))
        self.num_rows = self._known_ends[-1] if self._known_ends else 0
        if self.num_rows > sys.maxsize:
            raise Damage("it has more rows than there are numbers")
        self._decoded: OrderedDict[tuple[int, int], pa.Array] = OrderedDict()
        self._nbytes = 0

    @abstractmethod
    def _decode(self, column: int, index: int) -> pa.Array: ...

    def _ends(self, column: int) -> Sequence[int]:
        return self._known_ends

    def _chunk(self, column: int, index: int) -> pa.Array:
        key = column, index
        if key in self._decoded:
            self._decoded.move_to_end(key)
            return self._decoded[key]
        try:
            array = self._decode(column, index)
        except MemoryError:  # there may be enough without what is kept
            self._decoded.clear()
            self._nbytes = 0
            array = self._decode(column, index)
        if len(array) != self._lengths[index]:
            raise Damage("a part of it has another length than it says")
        self._decoded[key] = array
        self._nbytes += array.get_total_buffer_size()
        while self._nbytes > KEPT and len(self._decoded) > 1:
            _, oldest = self._decoded.popitem(last=False)
            self._nbytes -= oldest.get_total_buffer_size()
        return array

    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        names = [self.schema.field(column).name for column in columns]
        for index, length in enumerate(self._lengths):
            batch = pa.RecordBatch.from_arrays([self._chunk(column, index) for column in columns], names=names)
            for first in range(0, length, SLICE_ROWS):
                yield batch.slice(first, SLICE_ROWS)


class ParquetSource(PartsSource):
    """A Parquet file, by its row groups. Raises :class:`Damage`."""

    def __init__(self, file: parquet.ParquetFile) -> None:
        metadata = file.metadata
        self._file, self._metadata = file, metadata
        with reading:
            schema = file.schema_arrow
            lengths = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        # By number: two columns may have one name, and a name may look like the path of a part of another column.
        ends = list(itertools.accumulate((_leaves(field.type) for field in schema), initial=0))
        if ends[-1] != metadata.num_columns:
            raise Damage("its columns are not those of its schema")
        self._leaves = [list(range(*pair)) for pair in itertools.pairwise(ends)]
        super().__init__(schema, lengths)

    def _decode(self, column: int, index: int) -> pa.Array:
        group, leaves = self._metadata.row_group(index), self._leaves[column]
        type_ = self._file.schema_arrow.field(column).type
        size = sum(group.column(leaf).total_uncompressed_size for leaf in leaves)
        if pa.types.is_primitive(type_):
            size = max(size, group.num_rows * type_.bit_width // 8)
        if size > MOST:
            name = self.schema.field(column).name
            raise QueryStopped(
                f"would need more memory than it may have: column {name!r} of one row group has {size >> 20:,} MB"
            )
        # In this thread: where memory is short, it raises an error here.
        table = self._file.reader.read_row_group(index, column_indices=leaves, use_threads=False)
        chunked = table.column(0)
        if chunked.num_chunks != 1:
            chunked = chunked.unify_dictionaries().combine_chunks()
            if isinstance(chunked, pa.ChunkedArray):  # more text than one array can have
                raise MemoryError
            return chunked
        return chunked.chunk(0)


class CompressedSource(PartsSource):
    """An Arrow file that lies in memory and is compressed, by its batches."""

    def __init__(self, buffer: pa.Buffer, schema: pa.Schema, lengths: list[int]) -> None:
        super().__init__(schema, lengths)
        self._buffer = buffer
        self._lacks_arrays = layout.schema_with_arrays(schema) is not None
        self._reader = functools.lru_cache(_READERS)(self._reader_of)

    def _decode(self, column: int, index: int) -> pa.Array:
        batch = self._reader(column).get_batch(index)
        return (layout.with_arrays(batch) if self._lacks_arrays else batch).column(0)

    def _reader_of(self, column: int) -> pa.ipc.RecordBatchFileReader:
        # Nothing of the other columns is decompressed.
        options = pa.ipc.IpcReadOptions(included_fields=[column], use_threads=False)
        return pa.ipc.open_file(self._buffer, options=options)


class FarSource(Source):
    """A table that is not on this machine: ``rows`` fetches some that follow each other. It has no others at hand.

    What needs all rows raises ``InvalidQuery``.
    """

    is_at_hand = False

    def __init__(self, schema: pa.Schema, num_rows: int, rows: Callable[[int, int], pa.Table]) -> None:
        super().__init__()
        self.schema, self.num_rows = recognised(schema), num_rows
        # One column after the other is asked for the same rows.
        self._window = functools.lru_cache(1)(lambda first, stop: TableSource(rows(first, stop - first)))

    def pieces(self, column: int, rows: Sequence[int]) -> Iterator[Piece]:
        if len(rows):
            first, stop = rows[0], rows[-1] + 1
            yield from self._window(first, stop).pieces(column, range(stop - first))

    def _ends(self, column: int) -> Sequence[int]:
        return [self.num_rows]

    def _chunk(self, column: int, index: int) -> pa.Array:
        raise FarSource.refusal()

    def _batches(self, columns: list[int]) -> Iterator[pa.RecordBatch]:
        raise FarSource.refusal()

    @staticmethod
    def refusal() -> InvalidQuery:
        """The error for questions about all rows."""
        return InvalidQuery("the table is in another place; copy it to this machine to sort and filter")


def _leaves(type_: pa.DataType) -> int:
    """The number of columns that a column of this type has in a Parquet file."""
    if isinstance(type_, pa.BaseExtensionType):
        return _leaves(type_.storage_type)
    if not pa.types.is_nested(type_):
        return 1
    return sum(_leaves(type_.field(number).type) for number in range(type_.num_fields))
