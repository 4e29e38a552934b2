"""A file that somebody looks at as a table: Parquet, Arrow (Feather) or CSV. Nothing of it is loaded or shared."""

from __future__ import annotations

import mmap
import os
import shlex
import stat
import weakref

import pyarrow as pa

from ..core import UNREADABLE, batch_lengths, is_compressed
from ..errors import ArrowSHMError, LoadFailed, QueryStopped
from ..loading import csv_options, format_of, version_of
from ..preview import CompressedSource, Damage, ParquetSource, Source, of_file, of_table, reading

FIRST_BYTES = 16 << 20  # of a CSV file, which has no parts that could be read alone
_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4", ".br": "brotli"}
_FIX = "A preview shows Parquet, Arrow (Feather), CSV and TSV files"


class OpenFile:
    """A file as it is now. It is open for as long as this lives, also when another file gets its name.

    Attributes
    ----------
    version
        Changes whenever the file does.
    source
        Its rows; of a CSV file, those at its beginning.

    Raises
    ------
    LoadFailed
        It is gone, may not be read, is damaged, or is not a table.
    """

    def __init__(self, path: str) -> None:
        name = os.path.basename(path)
        try:
            # Without waiting for the other end of a pipe that has the name of a file.
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise _unopened(name, error) from None
        weakref.finalize(self, os.close, self._fd)
        status = os.fstat(self._fd)
        self.version = version_of(status)
        try:
            if not stat.S_ISREG(status.st_mode):
                raise LoadFailed(name, "it is not a file")
            if status.st_size == 0:
                raise LoadFailed(name, "it is empty")
            with reading:
                self.source = _source(self._fd, path, name)
        except (*UNREADABLE, IndexError, MemoryError) as error:
            raise _unread(error, name) from None

    def is_as_it_was(self) -> bool:
        """Whether nobody has written into it since it was opened."""
        return version_of(os.fstat(self._fd)) == self.version


def damaged(error: BaseException, name: str) -> LoadFailed:
    """The error of ours for one that reading the file raised."""
    return LoadFailed(name, f"it is damaged, or another kind of file than its name says ({_line(error)})")


def with_remedy(error: QueryStopped, path: str) -> QueryStopped:
    """The same, with the line that has all of the file without a preview."""
    return QueryStopped(error.reason, f"To have all of the file in a notebook: %attach {shlex.quote(path)}")


def _unread(error: BaseException, name: str) -> ArrowSHMError:
    if isinstance(error, MemoryError):
        return QueryStopped("needed more memory than it may have")
    if isinstance(error, pa.ArrowNotImplementedError):
        return LoadFailed(name, f"Arrow cannot read this file ({_line(error)})")
    return damaged(error, name)


def _unopened(name: str, error: OSError) -> LoadFailed:
    reasons: dict[type, str] = {
        FileNotFoundError: "there is no such file any more",
        PermissionError: "you have no permission to read it",
    }
    return LoadFailed(name, reasons.get(type(error), os.strerror(error.errno or 0)))


def _line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200].rstrip(". ")


def _source(fd: int, path: str, name: str) -> Source:
    kind = format_of(path)
    if kind == "parquet":
        from pyarrow import parquet

        # Read, and not mapped: where somebody shortens the file, that is an error, and no SIGBUS.
        return ParquetSource(parquet.ParquetFile(_file(fd)))
    if kind == "ipc":
        return _arrow(fd, name)
    if kind == "csv":
        return _csv(fd, path)
    raise LoadFailed(name, "its name does not tell that it is a table", f"{_FIX}.")


def _file(fd: int) -> pa.PythonFile:
    """The file from its beginning; closed when nothing refers to it."""
    os.lseek(fd, 0, os.SEEK_SET)
    return pa.PythonFile(os.fdopen(os.dup(fd), "rb"), "r")


def _arrow(fd: int, name: str) -> Source:
    buffer = pa.py_buffer(mmap.mmap(fd, 0, prot=mmap.PROT_READ))
    start = buffer.slice(0, 6).to_pybytes()
    if start[:4] == b"FEA1":
        raise LoadFailed(name, "it has version 1 of the Feather format", "Write it again: pandas writes version 2.")
    if start[:4] == b"\xff\xff\xff\xff":
        raise LoadFailed(name, "it is an Arrow stream, and not an Arrow file", "Write it with pyarrow.ipc.new_file.")
    reader = pa.ipc.open_file(buffer)
    list(reader.schema.names)  # one that is not UTF-8 raises its error here
    if is_compressed(buffer):
        return CompressedSource(buffer, reader.schema, list(batch_lengths(buffer)))
    return of_file(reader, lambda: batch_lengths(buffer))


def _csv(fd: int, path: str) -> Source:
    import pyarrow.csv

    codec = _CODECS.get(os.path.splitext(path)[1].lower())
    stream = pa.CompressedInputStream(_file(fd), codec) if codec else _file(fd)
    # One byte more than is shown tells whether there is more.
    data = stream.read(FIRST_BYTES + 1)
    is_cut = len(data) > FIRST_BYTES
    if is_cut:
        data = _whole_rows(data[:FIRST_BYTES])
    read = pyarrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1)
    separated, nulls = csv_options(path)
    return of_table(pyarrow.csv.read_csv(pa.BufferReader(data), read, separated, nulls), is_cut=is_cut)


def _whole_rows(data: bytes) -> bytes:
    """The rows that have an end: a line may also end between the quotes of a cell."""
    end = data.rfind(b"\n") + 1
    is_quoted = data.count(b'"', 0, end) % 2 == 1
    while end and is_quoted:
        before = data.rfind(b"\n", 0, end - 1) + 1
        is_quoted ^= data.count(b'"', before, end) % 2 == 1
        end = before
    if not end:
        raise Damage(f"its first {FIRST_BYTES >> 20} MB have no end of a row")
    return data[:end]
