"""A file whose rows move into another file: its memory goes as they are written, so that no table is there twice."""

from __future__ import annotations

import contextlib
import mmap

import pyarrow as pa

from .lock import Descriptor


class Drained:
    """An Arrow file of our own that nobody else has, to be read once.

    Attributes
    ----------
    batches
        Its record batches. They refer to the file's memory, and are not to be read again after :meth:`release`.
    """

    def __init__(self, file: Descriptor) -> None:
        # Writable, as MADV_REMOVE takes nothing away from a reader's mapping (madvise(2)).
        self._mapping = mmap.mmap(file.fd, 0)
        buffer = pa.py_buffer(self._mapping)
        self._start, self._size = buffer.address, buffer.size
        reader = pa.ipc.open_file(buffer)
        self.batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]

    def release(self, piece: memoryview) -> None:
        """Free the whole pages of what was written; pieces of other memory are left alone."""
        start = pa.py_buffer(piece).address - self._start
        first, last = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, (start + len(piece)) // mmap.PAGESIZE * mmap.PAGESIZE
        if 0 <= first < last <= self._size and hasattr(mmap, "MADV_REMOVE"):
            with contextlib.suppress(OSError):  # a file system that cannot: the memory goes with the file
                self._mapping.madvise(mmap.MADV_REMOVE, first, last - first)
