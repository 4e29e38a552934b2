"""Files as an origin: one, or a directory of them, on this machine or in a bucket, through ``pyarrow.dataset``."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import pyarrow as pa

from .. import words
from ..errors import LoadFailed
from ..tabular import Source, index_columns
from . import remote
from .origin import name_of
from .where import Where

if TYPE_CHECKING:
    import pyarrow.csv
    import pyarrow.dataset as ds
    import pyarrow.fs as fs

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SECRET = re.compile("secret|password|token|signature|credential|key|^sig$|^sas", re.IGNORECASE)
_FORMATS = {
    "parquet": "parquet",
    "pq": "parquet",
    "arrow": "ipc",
    "feather": "ipc",
    "ipc": "ipc",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
    "orc": "orc",
}
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")
# Files of a data set that are no part of its rows, as Spark and Hive write them.
_IGNORED = ("_", ".")
_BATCH = 1 << 17  # rows; those of several columns are in memory twice while they are written
_ENDINGS = ".parquet, .arrow, .feather, .csv, .tsv, .json or .orc"


class Files:
    """A Parquet, Arrow (Feather), CSV, JSON or ORC file, or a directory of files of one of these formats.

    Parameters
    ----------
    path
        A path, or a URI that ``pyarrow.fs`` knows (``s3://``, ``gs://``, ``abfs://``, ``hdfs://``, ``file://``).
        Credentials are found as pyarrow finds them.
    columns, where
        Only these columns, and the rows for which a filter holds; neither reads more of a Parquet file than it needs.

    Raises
    ------
    ValueError
        The filter cannot be read.
    """

    def __init__(
        self, path: str | os.PathLike[str], columns: Sequence[str] | None = None, where: str | None = None
    ) -> None:
        text = os.fspath(path)
        if text.startswith("file://"):
            text = urlsplit(text).path
        self._is_local = _SCHEME.match(text) is None
        self._uri = os.path.abspath(os.path.expanduser(text)) if self._is_local else text
        self.address = self._uri if self._is_local else _without_secrets(text)
        self.columns = None if columns is None else tuple([columns] if isinstance(columns, str) else columns)
        self._where = Where(where) if where else None
        self.where = self._where.text if self._where else ""
        self.name = name_of(self.address, self.columns, self.where)

    def version(self) -> str:
        with self._explained():
            if self._is_local and not os.path.isdir(self._uri):
                # The inode, too: a program may write a file of the same size within one tick of its clock.
                return version_of(os.stat(self._uri))
            return self._version_of_many() if self._is_local else remote.within(self._version_of_many)

    def _version_of_many(self) -> str:
        system, path = self._place()
        files = self._files(system, path)
        if len(files) == 1 and files[0].path == path and (tag := entity_tag(system, path)):
            return tag
        stamps = "\n".join(f"{file.path} {file.mtime_ns} {file.size} {self._inode(file)}" for file in files)
        return hashlib.sha256(stamps.encode(errors="surrogateescape")).hexdigest()[:32]

    def _inode(self, file: fs.FileInfo) -> int:
        return os.stat(file.path).st_ino if self._is_local else 0

    def read(self) -> Source:
        with self._explained():
            system, path = self._place()
            if self._is_local:
                return self._read(system, path, self._files(system, path))
            files = remote.within(lambda: self._files(system, path))
            return remote.within(lambda: self._read(system, path, files), remote.patience_for(_size(files)))

    def _read(self, system: fs.FileSystem, path: str, files: list[fs.FileInfo]) -> Source:
        import pyarrow.dataset as ds

        kind = format_of(files[0].path)
        options = ds.FileSystemFactoryOptions(partition_base_dir=path, partitioning=ds.partitioning(flavor="hive"))
        factory = ds.FileSystemDatasetFactory(
            system, [file.path for file in files], _reader(kind, files[0].path, self._is_local), options
        )
        dataset = factory.finish(factory.inspect())
        columns = self._columns(dataset.schema)
        rows = self._where.bind(dataset.schema) if self._where else None
        scanner = dataset.scanner(columns, rows, batch_size=_BATCH, batch_readahead=1, fragment_readahead=1)
        # What a Parquet or Arrow file says about its rows costs no reading of them.
        count = dataset.count_rows() if rows is None and kind != "csv" and kind != "json" else None
        library = _written_by(kind, system, files[0].path)
        return Source(scanner.projected_schema, self._batches(scanner, _size(files)), library, count, None)

    def _batches(self, scanner: ds.Scanner, nbytes: int) -> Iterator[pa.RecordBatch]:
        with self._explained():
            reader = scanner.to_reader()
            if self._is_local:
                yield from reader
                return
            # With a filter, all files may have to be read before the next batch.
            seconds = remote.patience_for(nbytes)
            while (batch := remote.within(lambda: next(reader, None), seconds)) is not None:
                yield batch

    def _columns(self, schema: pa.Schema) -> list[str] | None:
        """The columns that are asked for, and those of pandas' index, which comes along as always in pandas."""
        if self.columns is None:
            return None
        for name in self.columns:
            if name not in schema.names:
                raise KeyError(words.no_column(name, f"in {self.address}", schema.names))
        index = [name for name in index_columns(schema) if name in schema.names]
        return [*self.columns, *(name for name in index if name not in self.columns)]

    def _place(self) -> tuple[fs.FileSystem, str]:
        """The file system and the path in it. A bucket's region may be asked for over the network."""
        from pyarrow import fs

        if self._is_local:
            return fs.LocalFileSystem(), self._uri
        return remote.file_system(self._uri)

    def _files(self, system: fs.FileSystem, path: str) -> list[fs.FileInfo]:
        """The files of rows, by path: those of the format that the first one has."""
        from pyarrow import fs

        found = system.get_file_info(path)
        if found.type == fs.FileType.NotFound:
            raise FileNotFoundError(errno.ENOENT, "there is no such file or directory")
        if found.type == fs.FileType.File:
            if not format_of(path):
                raise LoadFailed(self.address, "its name does not tell its format", f"It may end in {_ENDINGS}.")
            return [found]
        inside = sorted(system.get_file_info(fs.FileSelector(path, recursive=True)), key=lambda file: file.path)
        formats = [
            (format_of(file.path), file)
            for file in inside
            if file.type == fs.FileType.File and not _is_ignored(file.path[len(path) :])
        ]
        kinds = [kind for kind, _ in formats if kind]
        if not kinds:
            raise LoadFailed(self.address, f"no file in it ends in {_ENDINGS}")
        return [file for kind, file in formats if kind == kinds[0]]

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of files, buckets and networks as one that names what was to be loaded."""
        try:
            yield
        except PermissionError:
            raise LoadFailed(self.address, "you have no permission to read it") from None
        except FileNotFoundError:
            raise LoadFailed(self.address, "there is no such file or directory") from None
        except (OSError, pa.ArrowException) as error:
            raise LoadFailed(self.address, self._reason(error)) from None

    def _reason(self, error: BaseException) -> str:
        """The innermost sentence of an error, without passwords."""
        if isinstance(error, OSError) and error.errno and error.errno > 0:
            return os.strerror(error.errno)
        text = str(error).strip().partition("\n")[0].partition("; Details: ")[0]
        text = text.rpartition("': ")[2].partition(". ")[0]  # before it, each layer has said which file it is about
        for secret in _secrets(self._uri):
            text = text.replace(secret, "***")
        return text.rstrip(". ")


def _size(files: list[fs.FileInfo]) -> int:
    return sum(file.size or 0 for file in files)


def version_of(status: os.stat_result) -> str:
    """Text that differs after every change of a local file."""
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"


def entity_tag(system: fs.FileSystem, path: str) -> str:
    """The version that an object store gives one object (RFC 9110, section 8.8.3); empty where there is none."""
    with system.open_input_file(path) as file:
        metadata = file.metadata() or {}
    for key, value in metadata.items():
        if key.lower() in (b"etag", "etag"):
            return (value.decode(errors="replace") if isinstance(value, bytes) else str(value)).strip('"')
    return ""


def format_of(path: str) -> str:
    """The format that a file's name tells; empty if it tells none."""
    name = path.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    found = _FORMATS.get(PurePath(name).suffix[1:], "")
    return found if name == path.lower() or found in ("csv", "json") else ""


def csv_options(path: str) -> tuple[pyarrow.csv.ParseOptions, pyarrow.csv.ConvertOptions]:
    """How a CSV or TSV file is read."""
    import pyarrow.csv

    # As write_csv writes them, and as pandas reads them: nothing between two commas is no text, "" is an empty one.
    nulls = pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    return pyarrow.csv.ParseOptions(delimiter="\t" if ".tsv" in path.lower() else ","), nulls


def _reader(kind: str, path: str, is_local: bool) -> ds.FileFormat:
    import pyarrow.dataset as ds

    if kind == "csv":
        separated, nulls = csv_options(path)
        scan = ds.CsvFragmentScanOptions(convert_options=nulls)
        return ds.CsvFileFormat(separated, default_fragment_scan_options=scan)
    if kind == "parquet":
        # Fetching the columns of a row group at once saves requests to a bucket; from a disk it takes twice the memory.
        whole = ds.ParquetFragmentScanOptions(pre_buffer=not is_local)
        return ds.ParquetFileFormat(default_fragment_scan_options=whole)
    formats: dict[str, Any] = {
        "ipc": ds.IpcFileFormat,
        "json": ds.JsonFileFormat,
        "orc": getattr(ds, "OrcFileFormat", None),
    }
    if formats[kind] is None:
        raise pa.ArrowNotImplementedError("this pyarrow cannot read ORC files")
    made: ds.FileFormat = formats[kind]()
    return made


def _written_by(kind: str, system: fs.FileSystem, path: str) -> str:
    """The library that wrote the file, as a kind of ``attach(to=)``; pandas where it does not say."""
    if kind == "parquet":
        from pyarrow import parquet

        with system.open_input_file(path) as file:
            created_by = parquet.read_metadata(file).created_by or ""
        if created_by.lower().startswith("polars"):
            return "polars"
    return "pandas"


def _is_ignored(path: str) -> bool:
    return any(part.startswith(_IGNORED) for part in path.split("/") if part)


def _without_secrets(uri: str) -> str:
    """The URI for people and for names: without user, password and keys."""
    parts = urlsplit(uri)
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if not _SECRET.search(key)])
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _secrets(uri: str) -> list[str]:
    parts = urlsplit(uri)
    found = [parts.password or "", parts.username or ""]
    found += [value for key, value in parse_qsl(parts.query) if _SECRET.search(key)]
    return [one for secret in found if secret for one in (secret, unquote(secret))]
