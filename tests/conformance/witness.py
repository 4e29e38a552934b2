"""The store as docs/protocol.md describes it, read and changed without the code of any client."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

EXCLUSIVE, SHARED = fcntl.LOCK_EX, fcntl.LOCK_SH


def footer(path: Path) -> dict[str, str]:
    """The custom metadata of an Arrow file's footer."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        return {key.decode(): value.decode() for key, value in (reader.metadata or {}).items()}


def write(path: Path, facts: dict[str, str], rows: int = 3, **options: object) -> None:
    """An Arrow file with the column ``a`` = 0, 1, ... and this footer."""
    table = pa.table({"a": pa.array(range(rows), pa.int64())})
    with pa.ipc.new_file(path, table.schema, metadata=facts, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)


def can_lock(path: Path, operation: int) -> bool:
    """Whether ``flock(operation | LOCK_NB)`` on this file or directory is granted; it is released again."""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        fcntl.flock(fd, fcntl.LOCK_UN)
        return True
    finally:
        os.close(fd)


@contextlib.contextmanager
def locked(path: Path, operation: int = EXCLUSIVE) -> Iterator[None]:
    """Hold a lock on this file or directory."""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def entries(directory: Path) -> set[str]:
    """Every file of the store, by its path in it."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}
