"""A table on the reader's side: mapped, opened, and made into what the reader asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from .. import tabular, words
from ..errors import TableNotFound
from . import arrowfile, names, segment
from .directory import LOCK_TIMEOUT, Directory
from .facts import SOURCE_KEY
from .lock import wait_for

_MOST_CHECKED = 10_000  # versions of other users' tables of which we know that they were checked


@dataclass(frozen=True)
class Attachment:
    """The result of :meth:`Store.attachment`: the data, and how it was obtained.

    Attributes
    ----------
    value
        The table, as the kind that was asked for.
    kind
        The kind of ``value``: ``"pyarrow"``, ``"pandas"``, ...
    copied
        Column label -> bytes that had to be copied; the rest of ``value`` is the shared memory itself.
    note
        Why ``value`` is not of the kind that was shared, or ``None``.
    version
        Equal to :attr:`TableInfo.version` for as long as this is the newest.
    importing
        Seconds that it took to import the library of ``kind``; almost none once it is loaded.
    """

    value: Any
    name: str
    kind: str
    nbytes: int
    copied: dict[str, int]
    note: str | None
    version: str
    importing: float = 0.0


class Opened(NamedTuple):
    """A mapped table, and the columns of it that were asked for."""

    name: str
    path: str
    mapping: pa.Buffer
    whole: pa.Table
    table: pa.Table
    metadata: Mapping[bytes, bytes]
    status: os.stat_result

    @property
    def source(self) -> str | None:
        """The kind of what was shared; None where that is not known."""
        kind = self.metadata.get(SOURCE_KEY)
        return kind.decode(errors="replace") if kind else None


class Request(NamedTuple):
    """How a table is to be attached; see :meth:`Store.attach`."""

    columns: Sequence[str] | None
    wait: float
    validate: bool
    copy: bool


def open_table(directory: Directory, not_found: Callable[[str], TableNotFound], name: str, how: Request) -> Opened:
    """Map the table and open it, waiting up to ``how.wait`` seconds for somebody to share it.

    Another user's table is checked in full, once for each version. A copy of one is made first and checked then,
    so that nothing its owner does meanwhile can deceive the check.
    """
    names.check(name)
    if not how.wait >= 0:
        raise ValueError(f"wait is a number of seconds, 0 or more, not {how.wait!r}")
    path = directory.file(name)
    mapped = _map(directory, name, path, how.copy)
    if mapped is None and how.wait:

        def shared() -> bool:
            nonlocal mapped
            mapped = _map(directory, name, path, how.copy)
            return mapped is not None

        wait_for(shared, how.wait)
    if mapped is None:
        raise not_found(name)
    buffer, status = mapped
    is_checked = directory.access.is_mine or (not how.copy and segment.version_of(status) in directory.checked)
    whole, metadata = arrowfile.read(buffer, name, path, validate=how.validate or not is_checked)
    if not is_checked and not how.copy:
        if len(directory.checked) >= _MOST_CHECKED:
            directory.checked.clear()
        directory.checked.add(segment.version_of(status))
    table = whole if how.columns is None else _select(whole, _names(how.columns), name)
    return Opened(name, path, buffer, whole, table, metadata, status)


def convert(opened: Opened, to: str, copy: bool) -> Attachment:
    """Make the table into the kind that was asked for, and say what that took."""
    table = opened.table
    if table is not opened.whole and to in ("pandas", "source"):
        # A pandas user who picks columns keeps the index, as always in pandas.
        missing = [name for name in tabular.index_columns(opened.whole.schema) if name not in table.column_names]
        table = _select(opened.whole, [*table.column_names, *missing], opened.name)
    with _reading(opened):
        made = tabular.from_arrow(table, to, kind=opened.source, copy=copy)
    mapping = opened.mapping
    return Attachment(
        made.value,
        opened.name,
        made.kind,
        opened.status.st_size,
        tabular.copied(made.value, made.kind, mapping.address, mapping.size),
        made.note,
        segment.version_of(opened.status),
        made.importing,
    )


def usable(opened: Opened) -> pa.Table:
    """The table with columns that pyarrow can compute with."""
    if opened.metadata.get(SOURCE_KEY) == b"pyarrow":
        return opened.table
    with _reading(opened):
        return tabular.usable(opened.table, opened.source)


@contextlib.contextmanager
def _reading(opened: Opened) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.lib.ArrowIndexError) as error:
        raise arrowfile.damaged(error, opened.name, opened.path) from None


def _map(directory: Directory, name: str, path: str, copy: bool) -> tuple[pa.Buffer, os.stat_result] | None:
    try:
        opened = directory.open()
        if opened is None:
            return None
        if copy and not directory.access.is_mine:
            return segment.read_whole(opened.fd, name, path)
        return segment.map_shared(opened.fd, name, path, LOCK_TIMEOUT, directory.access)
    except OSError as error:
        raise directory.explain(error) from None


def _names(columns: Sequence[str]) -> Sequence[str]:
    names = [columns] if isinstance(columns, str) else columns
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"columns are given by their names, which are text: {str(name)!r}, not {name!r}")
    return names


def _select(table: pa.Table, columns: Sequence[str], name: str) -> pa.Table:
    """The columns of these names, in this order; a name that occurs twice gives both columns."""
    indices = []
    for column in columns:
        if not (matches := table.schema.get_all_field_indices(column)):
            raise KeyError(words.no_column(column, f"in {name!r}", table.column_names))
        indices += matches
    return table.select(indices)
