"""A shared table as people see it: its facts, who uses it, and how a list of tables reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from .. import markup, words
from . import extension
from .process import Holder, Publisher


@dataclass(frozen=True)
class OlderVersion:
    """A version that has lost its name, and that somebody still has attached."""

    name: str
    nbytes: int
    holders: tuple[Holder, ...]

    @property
    def users(self) -> str:
        """As a phrase: ``56.1 MB, still in use by model.ipynb (python)``."""
        return f"{words.size(self.nbytes)}, still in use by {_names(self.holders)}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "nbytes": self.nbytes, "holders": [_process(holder) for holder in self.holders]}


@dataclass(frozen=True)
class TableInfo:
    """A shared table as it was at one moment.

    Attributes
    ----------
    name, path
        The table's name, and its Arrow file, which any Arrow reader can open.
    num_rows, num_columns, num_batches, nbytes
        Size; ``nbytes`` is that of the file.
    published_at
        With zone; ``None`` if the file does not say.
    publisher
        Who shared it, and whether that process still runs.
    holders
        The live processes that keep it alive: the publisher and everybody who has it attached.
    countable
        False where the system does not show who holds a lock; ``holders`` then says no more than used or not.
        ``None`` where not even that is known: in a folder or bucket.
    pinned
        Never removed automatically.
    schema
        A ``pyarrow.Schema``: the columns' names and types, and the user's metadata.
    source
        The kind of object that was shared: ``"pandas"``, ``"polars"``, ...
    older
        Older versions that are still attached somewhere, and so still take memory.
    version
        Changes whenever another table takes the name.
    last_attached
        When it was attached last: the file's time of access, in ns. It is there to be compared: a clock may be set.
    origin
        The path or URI of the files that it was loaded from; empty for a table that somebody shared.
    origin_columns, origin_where
        The part of the files that it is: names of columns, and a filter; ``None`` and empty for all.
    machines
        In a cluster: how many machines have a copy; 0 if all that had one are gone. ``None`` anywhere else.
    """

    name: str
    num_rows: int
    num_columns: int
    num_batches: int
    nbytes: int
    published_at: dt.datetime | None
    publisher: Publisher
    holders: tuple[Holder, ...]
    pinned: bool
    path: str
    schema: pa.Schema = field(repr=False, compare=False)
    source: str = ""
    countable: bool | None = True
    older: tuple[OlderVersion, ...] = ()
    version: str = ""
    last_attached: int = 0
    origin: str = ""
    origin_columns: tuple[str, ...] | None = None
    origin_where: str = ""
    machines: int | None = None

    @property
    def unused(self) -> bool:
        """Whether no live process uses it, as far as that is known."""
        return not self.holders and self.countable is not None

    @property
    def in_use_by(self) -> str:
        """The number of processes that use the table, where the system tells it."""
        if self.countable:
            return str(len(self.holders))
        if self.machines is not None:
            return f"on {words.count(self.machines, 'machine')}" if self.machines else "lost"
        if self.countable is None:
            return "use not known"
        return "in use" if self.holders else "unused"

    def __str__(self) -> str:
        used = f"in use by {self.in_use_by}" if self.countable else self.in_use_by
        return f"{self.name}: {self.shape}, {words.size(self.nbytes)}, {used}"

    @property
    def usage(self) -> str:
        """As a phrase: ``in use by 2: load.py, model.ipynb (python)``."""
        return f"in use by {self.users}" if self.countable else self.in_use_by

    @property
    def shape(self) -> str:
        """As a phrase: ``336,776 rows x 19 columns``."""
        return words.shape(self.num_rows, self.num_columns)

    def as_dict(self) -> dict[str, Any]:
        """For JSON. Processes are described by pid, label, language, kernel id, notebook and script."""
        return {
            "name": self.name,
            "num_rows": self.num_rows,
            "num_columns": self.num_columns,
            "num_batches": self.num_batches,
            "nbytes": self.nbytes,
            "published_at": self.published_at.isoformat() if self.published_at else None,
            "publisher": {**_process(self.publisher), "alive": self.publisher.alive},
            "holders": [_process(holder) for holder in self.holders],
            "countable": self.countable,
            "pinned": self.pinned,
            "path": self.path,
            "schema": [
                {"name": one.name, "type": _type(one), "nullable": one.nullable} for one in vars(self)["schema"]
            ],
            "source": self.source,
            "older": [version.as_dict() for version in self.older],
            "version": self.version,
            "origin": self.origin,
            "origin_columns": None if self.origin_columns is None else list(self.origin_columns),
            "origin_where": self.origin_where,
            "machines": self.machines,
        }

    def brief(self) -> dict[str, Any]:
        """For JSON that a notebook keeps: the facts of one line."""
        return {
            "name": self.name,
            "num_rows": self.num_rows,
            "num_columns": self.num_columns,
            "nbytes": self.nbytes,
            "in_use_by": [str(user) for user in self.holders],
        }

    @property
    def users(self) -> str:
        """Number and names: ``2: load.py, model.ipynb (python)``; of many, the first three."""
        if not self.holders:
            return self.in_use_by
        more = len(self.holders) - 3
        names = _names(self.holders[:3]) + (f" and {more} more" if more > 0 else "")
        return f"{self.in_use_by}: {names}"

    @property
    def remarks(self) -> list[str]:
        """Further facts for people: pinned, unused, older versions that still take memory."""
        remarks = ["pinned"] if self.pinned else []
        if self.unused:
            remarks.append("unused")
        return remarks + [f"older version, {version.users}" for version in self.older]


class _Resolved:
    """The schema, with the types that others have registered looked up when it is asked for, and not in every list."""

    def __get__(self, table: TableInfo | None, of: type[TableInfo]) -> pa.Schema:
        if table is None:
            raise AttributeError("schema")  # as of a field without a default
        return extension.resolved(vars(table)["schema"])

    def __set__(self, table: TableInfo, schema: pa.Schema) -> None:
        vars(table)["schema"] = schema


TableInfo.schema = _Resolved()

_HEADERS = ("table", "rows", "columns", "size", "shared", "by", "in use by", "")
_LOADED_HEADERS = ("loaded", "rows", "columns", "size", "when", "from", "in use by", "")
_NUMBERS = frozenset({1, 2, 3})
_MOST_SHOWN = 100  # tables: a notebook keeps what it shows


class Tables(list[TableInfo]):
    """A list of tables that prints as a table.

    Attributes
    ----------
    removed
        Versions whose name is gone, but that somebody still has attached.
    """

    def __init__(
        self,
        tables: Iterable[TableInfo] = (),
        removed: tuple[OlderVersion, ...] = (),
        loaded: Tables | None = None,
    ) -> None:
        super().__init__(tables)
        self.removed = removed
        self._loaded = loaded

    @property
    def loaded(self) -> Tables:
        """The tables that were loaded from files. They are not in the list itself, and the first to be removed."""
        return self._loaded if self._loaded is not None else Tables()

    @property
    def everything(self) -> list[TableInfo]:
        """The shared tables, then the loaded ones."""
        return [*self, *self.loaded]

    def _rows(self, most: int | None) -> list[tuple[str, ...]]:
        rows = [
            (
                table.name,
                f"{table.num_rows:,}",
                f"{table.num_columns:,}",
                words.size(table.nbytes),
                words.age(table.published_at) if table.published_at else "",
                table.origin or str(table.publisher),
                table.users,
                "; ".join(table.remarks),
            )
            for table in self[:most]
        ]
        headers = _LOADED_HEADERS if any(table.origin for table in self) else _HEADERS
        return [headers, *rows] if any(row[-1] for row in rows) else [row[:-1] for row in (headers, *rows)]

    def _notes(self, most: int | None) -> list[str]:
        more = [] if most is None or len(self) <= most else [f"and {words.count(len(self) - most, 'more table')}"]
        return more + [f"{version.name} was unshared; {version.users}" for version in self.removed[:most]]

    def __repr__(self) -> str:
        return self.text(_MOST_SHOWN)

    def text(self, most: int | None = None) -> str:
        """The first ``most`` tables, or all, in aligned columns; below them, those that were loaded."""
        below = ["", self.loaded.text(most)] if self.loaded else []
        if not self:
            return "\n".join(["no shared tables", *self._notes(most), *below])
        rows = self._rows(most)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if i in _NUMBERS else cell.ljust(width) for i, (cell, width) in enumerate(cells)
            )
            for cells in (zip(row, widths, strict=True) for row in rows)
        ]
        return "\n".join([*(line.rstrip() for line in lines), *self._notes(most), *below])

    def _repr_html_(self) -> str:
        notes = [markup.paragraph(markup.text(note), muted=True) for note in self._notes(_MOST_SHOWN)]
        below = [self.loaded._repr_html_()] if self.loaded else []
        if not self:
            return markup.page(markup.paragraph("no shared tables", muted=True), *notes, *below)
        headers, *rows = self._rows(_MOST_SHOWN)
        return markup.page(markup.table(headers, rows, _NUMBERS), *notes, *below)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        data = {"tables": [table.brief() for table in self.everything[:_MOST_SHOWN]]}
        return {"text/plain": repr(self), "text/html": self._repr_html_(), markup.MIME_TYPE: data}


def _type(field: pa.Field) -> str:
    """The type as pyarrow writes it; for another library's type, its name, whether that library is there or not."""
    name = extension.name_of(field)
    return f"extension<{name}>" if name else str(field.type)


def _process(holder: Holder) -> dict[str, Any]:
    return {
        "label": holder.label,
        "pid": holder.pid,
        "language": holder.language,
        "kernel_id": holder.kernel_id,
        "notebook": holder.notebook,
        "script": holder.script,
        "user": holder.user,
    }


def _names(holders: tuple[Holder, ...]) -> str:
    return ", ".join(map(str, holders)) or "unknown process"
