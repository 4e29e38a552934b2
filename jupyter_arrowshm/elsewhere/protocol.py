"""A place: where tables are. The private store of this machine is one; those here have the same methods."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from .. import markup
from ..core import Attachment, Look, Progress, Store, TableInfo, Tables
from ..kinds import Kind, Shareable
from .pages import Pages

LOADED = ("folder", "cluster")  # kinds of places whose tables are loaded once on a machine, and then attached there


class Place(Protocol):
    """Another user's tables, those that you let others read, a folder or bucket, or a Ray cluster.

    The methods have the names, arguments and errors of :class:`Store`.

    Attributes
    ----------
    name
        As it stands after ``--to`` and ``--from``.
    description
        What it is, for people: ``"ada's tables"``, ``"s3://bucket/tables"``.
    read_as
        As others name it after ``--from``.
    kind
        ``"yours"``: your tables that others may read; ``"user"``: another user's; ``"folder"``: a folder or bucket;
        ``"cluster"``: a Ray cluster.
    writable
        Whether you can share there at all.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def read_as(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def writable(self) -> bool: ...

    def share(
        self, source: Shareable, name: str, *, replace: bool = False, progress: Progress | None = None
    ) -> TableInfo:
        """Put a table there. Raises as :meth:`Store.share`, and ``PlaceFailed``."""

    def attach(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Any:
        """The table of this name, as :meth:`Store.attach`."""

    def attachment(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Attachment:
        """As :meth:`Store.attachment`."""

    def head(self, name: str, rows: int = 10, *, offset: int = 0) -> pa.Table:
        """Some rows of a table, from the one of this number on, without fetching or using the table.

        Of a folder, bucket or cluster, only the record batches are fetched that the rows are in. Raises as
        :meth:`attach`, and ``QueryStopped`` where such a batch has more than 256 MB.
        """

    def look(self, name: str, version: str = "") -> Look | Pages:
        """Open a version of a table to show some of it; without ``version``, the present one.

        Raises as :meth:`attach`, and ``TableReplaced``.
        """

    def names(self) -> list[str]:
        """The names of the tables there, without looking into them."""

    def tables(self) -> Tables:
        """The tables there. Prints as a table."""

    def info(self, name: str) -> TableInfo:
        """One row of :meth:`tables`."""

    def is_mine(self, name: str) -> bool:
        """Whether you may replace the table without being asked."""

    def unshare(self, name: str) -> None:
        """Remove the table's name there."""


def as_dict(place: Place) -> dict[str, Any]:
    """For JSON. The place is not asked."""
    facts = ("name", "description", "read_as", "kind", "writable")
    return {fact: getattr(place, fact) for fact in facts}


def copy(source: Store | Place, target: Store | Place, name: str, *, replace: bool = False) -> TableInfo:
    """Share the table in another place, as the kind that was shared, so that it is attached as that kind there, too."""
    return target.share(source.attach(name, to="source"), name, replace=replace)


class Places(list[Place]):
    """A list of places that prints as a table."""

    def _rows(self) -> list[tuple[str, ...]]:
        return [("place", "what it is"), *((one.name, one.description) for one in self)]

    def __repr__(self) -> str:
        rows = self._rows()
        if len(rows) == 1:
            return "no places"
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def _repr_html_(self) -> str:
        headers, *rows = self._rows()
        return markup.page(markup.table(headers, rows, frozenset()))
