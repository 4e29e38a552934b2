"""The actors that keep tables in a Ray cluster: a keeper on each machine that has rows, and one catalogue of names.

Their code is sent to the cluster by value, so its machines need Ray and pyarrow, and not this package: nothing here
imports the rest of it. What goes over the wire are plain values, so that both sides may be of different releases.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

PROTOCOL = 1  # of the names of actors and of the entries
PIECE = 1 << 24  # bytes of one record batch, which is one object: they are moved, spilled and lost one by one
_PATIENCE = 15.0  # s, for a keeper
_TABLE, _KEEPER = b"table:", b"keeper:"  # in the cluster's own table of keys and values, which the head keeps

Entry = dict[str, Any]


def pieces(batch: pa.RecordBatch) -> Iterator[pa.Table]:
    """Slices of a batch of at most about ``PIECE`` bytes."""
    rows = max(1, batch.num_rows * PIECE // max(1, batch.nbytes))
    for start in range(0, max(1, batch.num_rows), rows):
        yield pa.Table.from_batches([batch.slice(start, rows)])


def pack(table: pa.Table) -> pa.Table | pa.Buffer:
    """What is put into the object store.

    Ray stores tables of plain columns buffer by buffer. Others (nested, views, types of other libraries) go as an
    Arrow stream: a process that does not know a type can keep it then.
    """
    if is_plain(table.schema):
        return table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def unpack(kept: pa.Table | pa.Buffer) -> pa.Table:
    """The rows of an object, without a copy."""
    return kept if isinstance(kept, pa.Table) else pa.ipc.open_stream(kept).read_all()


def is_plain(schema: pa.Schema) -> bool:
    """Whether :func:`pack` leaves tables of this schema as they are."""
    return all(_is_plain(field.type) for field in schema)


def _is_plain(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_temporal)
    texts = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(test(kind) for test in (*tests, *texts))


def cut(table: pa.Table, columns: list[str] | None, where: Any) -> pa.Table:
    """The rows for which the filter holds, and of them these columns."""
    if where is not None:
        table = table.filter(where)
    return table if columns is None else table.select(columns)


class Keeper:
    """Owns the rows that were shared on its machine. They live as long as it does: as long as that machine.

    Ray frees an object when the process that put it ends, so what a publisher puts is put again here. The catalogue
    could do that too, but its machine would then hold every table, and its restart would lose them all.
    """

    def __init__(self) -> None:
        self._kept: dict[str, list[Any]] = {}

    def ready(self) -> bool:
        return True

    def take(self, rows: pa.Table | pa.Buffer) -> list[Any]:
        """Put the rows again, as their owner. Until :meth:`keep`, only whoever asked refers to them."""
        import ray

        return [ray.put(rows)]

    def take_block(self, block: Any) -> tuple[bytes, list[tuple[Any, int, int]]]:
        """Put a block of a data set again, in pieces: its schema, and object, rows and bytes of each."""
        import ray

        table = block if isinstance(block, pa.Table) else pa.Table.from_pandas(block, preserve_index=False)
        parts = [part for batch in table.combine_chunks().to_batches() for part in pieces(batch)]
        put = [(ray.put(pack(part)), part.num_rows, part.nbytes) for part in parts if part.num_rows]
        return table.schema.serialize().to_pybytes(), put

    def keep(self, version: str, objects: list[Any]) -> None:
        self._kept[version] = objects

    def drop(self, version: str) -> None:
        self._kept.pop(version, None)

    def retain(self, versions: set[str]) -> None:
        """Drop what no name leads to: what a catalogue was about to name when it was killed."""
        self._kept = {version: objects for version, objects in self._kept.items() if version in versions}

    def objects(self, version: str) -> list[Any] | None:
        return self._kept.get(version)

    def cut(
        self, version: str, index: int, columns: list[str] | None, where: Any, as_table: bool
    ) -> pa.Table | pa.Buffer | None:
        """A part of one batch, made where the batch is. ``None``: this version is gone."""
        import ray

        kept = self._kept.get(version)
        if kept is None:
            return None
        table = cut(unpack(ray.get(kept[index], timeout=_PATIENCE)), columns, where).combine_chunks()
        return table if as_table else pack(table)


class Catalogue:
    """The names of one namespace. What it knows is also in the head's table, so it can be restarted."""

    def __init__(self, namespace: str) -> None:
        from ray.experimental import internal_kv

        self._namespace, self._space = namespace, namespace.encode()
        self._copies: dict[str, set[str]] = {}  # by version: machines that have fetched it
        keys = internal_kv._internal_kv_list(_TABLE, namespace=self._space)
        found = [internal_kv._internal_kv_get(key, namespace=self._space) for key in keys]
        entries = [json.loads(value) for value in found if value is not None]
        self._entries: dict[str, Entry] = {entry["name"]: entry for entry in entries}
        versions = {entry["version"] for entry in entries}
        for key in internal_kv._internal_kv_list(_KEEPER, namespace=self._space):
            if (keeper := self._keeper(key.removeprefix(_KEEPER).decode())) is not None:
                keeper.retain.remote(versions)

    def _keeper(self, name: str) -> Any:
        """``None``: it is gone, with its machine."""
        import ray

        with contextlib.suppress(ValueError):
            return ray.get_actor(name, self._namespace)
        return None

    async def version(self, name: str) -> str | None:
        entry = self._entries.get(name)
        return entry["version"] if entry else None

    async def look(self, name: str) -> Entry | None:
        entry = self._entries.get(name)
        return self._with_copies(entry) if entry else None

    async def near(self, name: str) -> list[str]:
        """Names that look like this one."""
        return difflib.get_close_matches(name, self._entries, n=3)

    async def names(self) -> list[str]:
        return sorted(self._entries)

    async def entries(self) -> list[Entry]:
        return [self._with_copies(self._entries[name]) for name in sorted(self._entries)]

    def _with_copies(self, entry: Entry) -> Entry:
        return {**entry, "copies": sorted(self._copies.get(entry["version"], ()))}

    async def fetched(self, version: str, machine: str) -> None:
        self._copies.setdefault(version, set()).add(machine)

    async def commit(self, entry: Entry, objects: dict[str, list[Any]], expected: str | None) -> Entry | None:
        """Give a table its name, if that still leads to the version that is expected: empty for none, ``None`` for any.

        Gives the entry that is in the way, if one is. Asked again, after a restart, it does no harm.
        """
        from ray.experimental import internal_kv

        name, version = entry["name"], entry["version"]
        if (current := self._in_the_way(name, version, expected)) is not None:
            return current
        keepers = {keeper: self._keeper(keeper) for keeper in objects}
        for keeper in keepers:
            internal_kv._internal_kv_put(_KEEPER + keeper.encode(), b"", namespace=self._space)
        keeping = [one.keep.remote(version, objects[keeper]) for keeper, one in keepers.items() if one is not None]
        await asyncio.wait_for(asyncio.gather(*keeping), _PATIENCE)
        if (current := self._in_the_way(name, version, expected)) is not None:
            self._drop(entry)
            return current
        internal_kv._internal_kv_put(_TABLE + name.encode(), json.dumps(entry).encode(), True, namespace=self._space)
        before = self._entries.get(name)
        self._entries[name] = entry
        if before is not None and before["version"] != version:
            self._drop(before)
        return None

    def _in_the_way(self, name: str, version: str, expected: str | None) -> Entry | None:
        current = self._entries.get(name)
        if current is None or expected is None or current["version"] in (expected, version):
            return None
        return current

    def _drop(self, entry: Entry) -> None:
        self._copies.pop(entry["version"], None)
        for keeper in {keeper for keeper, _ in entry["keepers"]}:
            if (one := self._keeper(keeper)) is not None:
                one.drop.remote(entry["version"])

    async def remove(self, name: str) -> bool:
        from ray.experimental import internal_kv

        entry = self._entries.pop(name, None)
        if entry is None:
            return False
        internal_kv._internal_kv_del(_TABLE + name.encode(), namespace=self._space)
        self._drop(entry)
        return True
