"""Rows on their way to the keepers of a cluster. They have no name yet: if their publisher ends, Ray frees them."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from ...errors import UnsupportedSource
from . import actors
from .connection import Connection

_ON_THE_WAY = 4  # objects that were put, and that the keeper has not put again yet
_PATIENCE_TO_START = 60.0  # s, for a process that the cluster starts
_PATIENCE = 300.0  # s, for a block of a data set, which may have to be computed first


def is_dataset(source: object) -> bool:
    """Whether this is a ``ray.data.Dataset``."""
    made_by = getattr(sys.modules.get("ray.data"), "Dataset", None)
    return made_by is not None and isinstance(source, made_by)


class Shipment:
    """What was sent so far.

    Attributes
    ----------
    objects
        By the name of their keeper, the objects that it owns.
    at
        For each batch, the name of its keeper and its number there.
    machines
        By the name of the keeper, its machine.
    lengths
        The rows of each batch.
    num_rows, nbytes
        Of all batches.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection, self._name = connection, name
        self._coming: deque[tuple[str, Any, Callable[[Any], list[Any]]]] = deque()
        self._keepers: dict[str, tuple[str, Any]] = {}  # by machine
        self.objects: dict[str, list[Any]] = {}
        self.at: list[tuple[str, int]] = []
        self.machines: dict[str, str] = {}
        self.lengths: list[int] = []
        self.num_rows = self.nbytes = 0

    def _keeper(self, machine: str) -> tuple[str, Any]:
        if machine not in self._keepers:
            name, keeper = self._connection.keeper(machine)
            self._connection.ask(keeper.ready.remote(), _PATIENCE_TO_START)
            self._keepers[machine] = name, keeper
            self.machines[name] = machine
            self.objects[name] = []
        return self._keepers[machine]

    def send(self, batch: pa.RecordBatch) -> Iterator[int]:
        """Send a batch in pieces; gives how many bytes were sent so far, piece by piece."""
        name, keeper = self._keeper(self._connection.machine)
        for piece in actors.pieces(batch):
            if piece.num_rows:
                with self._connection.explained():
                    put = self._connection.ray.put(actors.pack(piece))
                    self._coming.append((name, keeper.take.remote(put), list))
                self.lengths.append(piece.num_rows)
                self.num_rows += piece.num_rows
                self.nbytes += piece.nbytes
                self._receive(_ON_THE_WAY)
                yield self.nbytes

    def send_dataset(self, dataset: Any) -> pa.Schema:
        """Send the blocks of a data set to the keepers of the machines that they are on; gives their schema."""
        ray = self._connection.ray
        here, there = self._connection.machine, self._connection.machines()
        blocks = deque(dataset.to_arrow_refs())
        schemas: list[pa.Schema] = []
        sent: Counter[str] = Counter()

        def unpacked(told: tuple[bytes, list[tuple[Any, int, int]]]) -> list[Any]:
            schema, parts = told
            schemas.append(pa.ipc.read_schema(pa.py_buffer(schema)))
            self.lengths += [rows for _, rows, _ in parts]
            self.num_rows += sum(rows for _, rows, _ in parts)
            self.nbytes += sum(nbytes for _, _, nbytes in parts)
            if not schemas[-1].equals(schemas[0]):
                fix = "Make them equal with `map_batches`."
                raise UnsupportedSource("ray Dataset", "not all of its blocks have the same columns", fix)
            return [put for put, _, _ in parts]

        while blocks:
            block = blocks.popleft()
            # One at a time: asked about objects of two owners, Ray may end the process ("Promise already satisfied").
            where = self._connection.bounded(lambda one=block: ray.experimental.get_object_locations([one]))  # type: ignore[misc]
            machines = [node for node in where[block]["node_ids"] if node in there] or [here]
            chosen = min(machines, key=lambda machine: sent[machine])  # one that has a copy, and few others yet
            sent[chosen] += 1
            name, keeper = self._keeper(chosen)
            self._coming.append((name, keeper.take_block.remote(block), unpacked))
            self._receive(_ON_THE_WAY)
        self._receive(0)
        return schemas[0] if schemas else pa.schema([])

    def finish(self) -> None:
        """Wait until all that was sent is kept."""
        self._receive(0)

    def _receive(self, most: int) -> None:
        """Wait until no more than this many objects are on the way. The batches keep their order."""
        while len(self._coming) > most:
            name, coming, unpacked = self._coming.popleft()
            kept = unpacked(self._connection.ask(coming, _PATIENCE, self._name))
            self.at += [(name, len(self.objects[name]) + index) for index in range(len(kept))]
            self.objects[name] += kept
