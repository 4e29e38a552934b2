"""A Ray cluster as a place: ``ray://``, ``ray://head:6379``, ``ray://head:6379/namespace``."""

from __future__ import annotations

import base64
import functools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import pyarrow as pa

from ...core import (
    Attachment,
    Entry,
    Progress,
    TableInfo,
    Tables,
    attach_origin,
    check_name,
    default_store,
    wait_for,
)
from ...errors import NoRoom, PlaceFailed, TableExists, TableLost, TableNotFound
from ...kinds import Kind, Shareable
from ...tabular import from_arrow, to_arrow
from ..pages import Paged
from . import actors
from .connection import Connection
from .origin import ClusterTable
from .rows import ClusterPages
from .shipment import Shipment, is_dataset

SCHEME = "ray://"
DATASET = "ray.data"
_NAMESPACE = "default"
_ATTEMPTS = 5  # at a name that others replace all the time
_PATIENCE_TO_START = 60.0  # s


@dataclass(frozen=True)
class Found:
    """A version of a table, the objects of its batches, and where each can be cut: a keeper and a number.

    ``lengths`` has the rows of each batch, as far as they are known: older releases did not say it.
    """

    entry: Entry
    version: str
    objects: Sequence[Any]
    at: Sequence[tuple[Any, int]]
    lengths: Sequence[int]


class Cluster(Paged):
    """The tables of one namespace of a Ray cluster.

    A table's rows are objects of Ray's on the machine where it was shared, and stay when its publisher ends. They are
    gone with that machine. Each machine that attaches a table fetches it once, into its own store.
    """

    kind, writable = "cluster", True

    def __init__(self, name: str, address: str) -> None:
        parts = urlsplit(address)
        self._namespace = parts.path.strip("/") or _NAMESPACE
        where = f"at {parts.netloc}" if parts.netloc else "that this process is in"
        self.name = self.read_as = name
        self.description = f"the Ray cluster {where}" + (f", {parts.path.strip('/')}" if parts.path.strip("/") else "")
        self._connection = Connection(name, parts.netloc, self._namespace)

    def __repr__(self) -> str:
        return f"<place {self.name}: {self.description}>"

    def path(self, name: str) -> str:
        """An address that tells the table from all others."""
        return f"{SCHEME}{self._connection.address}/{self._namespace}/{name}"

    # -- sharing ----------------------------------------------------------------------------------------------------

    def share(
        self, source: Shareable, name: str, *, replace: bool = False, progress: Progress | None = None
    ) -> TableInfo:
        """Put a table there, batch by batch: it may be larger than the memory of this process.

        Until it is whole, and if anything fails, whatever has the name stays. Of two that share one name at the same
        moment, the second one is told.
        """
        name = _checked(name)
        expected = None if replace else self._allowed(name)
        shipment = Shipment(self._connection, name)
        if is_dataset(source):
            schema, kind = shipment.send_dataset(source), "pyarrow"
        else:
            rows = to_arrow(source)
            schema, kind = rows.schema, rows.kind
            for batch in rows.batches:
                for written in shipment.send(batch):
                    if progress is not None:
                        progress(written, rows.nbytes)
        shipment.finish()
        return self._commit(
            shipment, Entry.new(name, schema, kind, shipment.num_rows, len(shipment.at), shipment.nbytes), expected
        )

    def _allowed(self, name: str) -> str:
        """The version that this process may replace; empty: there is none. Raises ``TableExists``."""
        told = self._look(name)
        if told is None:
            return ""
        _entry_of(told).check_owner()
        return cast(str, told["version"])

    def _commit(self, shipment: Shipment, entry: Entry, expected: str | None) -> TableInfo:
        version = secrets.token_hex(16)
        told: actors.Entry = {
            "name": entry.name,
            "version": version,
            "schema": base64.b64encode(entry.schema.serialize()).decode(),
            "rows": entry.num_rows,
            "nbytes": entry.nbytes,
            "facts": entry.metadata,
            "at": shipment.at,
            "lengths": shipment.lengths,
            "keepers": list(shipment.machines.items()),
        }
        catalogue = self._connection.catalogue(create=True)
        ask = self._connection.ask
        while (other := ask(catalogue.commit.remote(told, shipment.objects, expected), _PATIENCE_TO_START)) is not None:
            _entry_of(other).check_owner()  # somebody has taken the name meanwhile, and it may have been this process
            expected = other["version"]
        return entry.described(self.path(entry.name), version, len(shipment.machines))

    # -- reading ----------------------------------------------------------------------------------------------------

    def attach(self, name: str, *, to: Kind | Literal["ray.data"] = "pyarrow", **options: Any) -> Any:
        """The table, fetched once per machine; see :meth:`Store.attach`, and :meth:`attachment`.

        ``to="ray.data"`` gives a ``ray.data.Dataset`` of it, for which nothing is fetched.
        """
        return self.attachment(name, to=to, **options).value

    def attachment(
        self,
        name: str,
        *,
        to: Kind | Literal["ray.data"] = "pyarrow",
        columns: Sequence[str] | None = None,
        where: str | None = None,
        wait: float | None = None,
        **options: Any,
    ) -> Attachment:
        """As :meth:`Store.attachment`.

        Parameters
        ----------
        columns, where
            Only these columns, and the rows for which a filter holds. They are picked where the rows are, and nothing
            else is fetched.
        to
            A kind as everywhere, or ``"ray.data"``.
        wait
            Seconds to wait for somebody to share the table, and for another process that is fetching it.
        """
        name = _checked(name)
        if wait is not None:
            wait_for(lambda: self._version(name) is not None, wait)
        origin = ClusterTable(self, name, columns, where)
        if to == DATASET:
            return self._dataset(origin)
        try:
            return attach_origin(default_store(), origin, to, wait=wait, **options)
        except NoRoom:
            if to not in ("pyarrow", "stored") or options.get("copy"):
                raise
            return self._objects(origin, to)

    def _dataset(self, origin: ClusterTable) -> Attachment:
        import ray.data

        found = self.find(origin.table)
        _, fetches = origin.plan(found, as_tables=True)
        value = ray.data.from_arrow_refs([fetch() for fetch in fetches])
        return Attachment(value, origin.table, DATASET, found.entry.nbytes, {}, None, found.version)

    def _objects(self, origin: ClusterTable, to: str) -> Attachment:
        """The rows where Ray has them: no other process shares them, and no copy of them was made here."""
        found = self.find(origin.table)
        schema, fetches = origin.plan(found)
        tables = [self.rows(fetch(), origin.table) for fetch in fetches]
        made = from_arrow(pa.concat_tables([schema.empty_table(), *tables]), to, kind=found.entry.source, copy=False)
        note = "the store of this machine has no room for it, so this is the memory of Ray, which keeps it meanwhile"
        return Attachment(made.value, origin.table, made.kind, found.entry.nbytes, {}, note, found.version)

    def look(self, name: str, version: str = "") -> ClusterPages:
        """As :meth:`Paged.look`. No row is fetched."""
        return ClusterPages(self, self.find(_checked(name)), version)

    def version(self, name: str) -> str:
        """Changes when another table takes the name. Raises ``TableNotFound``."""
        version = self._version(name)
        if version is None:
            raise self._not_found(name)
        return version

    def _version(self, name: str) -> str | None:
        catalogue = self._connection.catalogue()
        return self._connection.ask(catalogue.version.remote(name)) if catalogue is not None else None

    def _look(self, name: str) -> actors.Entry | None:
        catalogue = self._connection.catalogue()
        return self._connection.ask(catalogue.look.remote(name)) if catalogue is not None else None

    def find(self, name: str) -> Found:
        """The newest version, whole. Raises ``TableNotFound``, ``TableLost``."""
        connection = self._connection
        lost = ""
        for _ in range(_ATTEMPTS):
            told = self._look(name)
            if told is None:
                raise self._not_found(name)
            if told["version"] == lost:
                break
            keepers = {keeper: connection.find(keeper) for keeper, _ in told["keepers"]}
            objects: dict[str, list[Any] | None] = {}
            for keeper, actor in keepers.items():
                try:
                    asked = actor and connection.ask_keeper(
                        functools.partial(actor.objects.remote, told["version"]), name
                    )
                except TableLost:
                    asked = None
                objects[keeper] = asked
            if None not in objects.values():
                batches = [cast(list[Any], objects[keeper])[index] for keeper, index in told["at"]]
                at = [(keepers[keeper], index) for keeper, index in told["at"]]
                return Found(_entry_of(told), told["version"], batches, at, told.get("lengths", ()))
            lost = told["version"]  # or somebody has replaced it this instant
        raise TableLost(name, self.name)

    def rows(self, reference: Any, name: str) -> pa.Table:
        """The rows of an object of the table of this name."""
        kept = self._connection.ask(reference, table=name)
        if kept is None:
            raise TableLost(name, self.name)
        return actors.unpack(kept)

    def fetched(self, found: Found) -> None:
        """Tell the catalogue that this machine has a copy now; nobody waits for that."""
        catalogue = self._connection.catalogue()
        if catalogue is not None:
            catalogue.fetched.remote(found.version, self._connection.machine)

    def names(self) -> list[str]:
        catalogue = self._connection.catalogue()
        return self._connection.ask(catalogue.names.remote()) if catalogue is not None else []

    def tables(self) -> Tables:
        catalogue = self._connection.catalogue()
        if catalogue is None:
            return Tables()
        there = self._connection.machines()
        return Tables([self._info(told, there) for told in self._connection.ask(catalogue.entries.remote())])

    def info(self, name: str) -> TableInfo:
        name = _checked(name)
        told = self._look(name)
        if told is None:
            raise self._not_found(name)
        return self._info(told, self._connection.machines())

    def _info(self, told: actors.Entry, there: set[str]) -> TableInfo:
        keeping = {machine for _, machine in told["keepers"]}
        machines = len((keeping | set(told["copies"])) & there) if keeping <= there else 0
        return _entry_of(told).described(self.path(told["name"]), told["version"], machines)

    def is_mine(self, name: str) -> bool:
        try:
            self._allowed(_checked(name))
        except TableExists:
            return False
        return True

    def unshare(self, name: str) -> None:
        """Remove the name. Who has the table attached keeps it."""
        name = _checked(name)
        catalogue = self._connection.catalogue()
        if catalogue is None or not self._connection.ask(catalogue.remove.remote(name)):
            raise self._not_found(name)

    def _not_found(self, name: str) -> TableNotFound:
        near: list[str] = []
        try:
            catalogue = self._connection.catalogue()
            near = self._connection.ask(catalogue.near.remote(name)) if catalogue is not None else []
        except PlaceFailed:
            pass
        return TableNotFound(name, tuple(near), place=self.name)


def _checked(name: str) -> str:
    # A magic's words are a class of their own, which no other process knows.
    return str(check_name(name))


def _entry_of(told: actors.Entry) -> Entry:
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(told["schema"])))
    return Entry(told["name"], schema, told["rows"], len(told["at"]), told["nbytes"], told["facts"])
