"""The other ways from one kernel to another, as somebody writes them who does not have us.

Each class is made in both kernels: ``give(df)`` in the first, ``take()`` in the second, ``drop()`` in the first.
``serve()`` starts a server or a cluster in the first kernel, before anything is timed.
"""

from __future__ import annotations

import mmap
import os
import pickle
import threading
from collections.abc import Iterator
from multiprocessing import shared_memory
from multiprocessing.managers import DictProxy, SyncManager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import flight


class Peer:
    def __init__(self, memory: str) -> None:
        self.file = Path(memory, type(self).__name__)

    def serve(self) -> None:
        pass

    def drop(self) -> None:
        self.file.unlink()


class Feather(Peer):
    def give(self, df: pd.DataFrame) -> None:
        df.to_feather(self.file)

    def take(self) -> pd.DataFrame:
        return pd.read_feather(self.file)


class Parquet(Peer):
    def give(self, df: pd.DataFrame) -> None:
        df.to_parquet(self.file)

    def take(self) -> pd.DataFrame:
        return pd.read_parquet(self.file)


class SharedMemory(Peer):
    """An Arrow stream in a block whose size is found by writing it once to nowhere."""

    def __init__(self, memory: str) -> None:
        super().__init__(memory)
        self.name = f"{Path(memory).name}-block"

    def give(self, df: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(df)
        size = pa.MockOutputStream()
        self._write(size, table)
        self.block = shared_memory.SharedMemory(self.name, create=True, size=size.size())
        self._write(pa.FixedSizeBufferWriter(pa.py_buffer(self.block.buf)), table)

    def _write(self, sink: pa.NativeFile, table: pa.Table) -> None:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)

    def take(self) -> pd.DataFrame:
        return pa.ipc.open_stream(pa.py_buffer(Block(self.name).buf)).read_all().to_pandas()

    def drop(self) -> None:
        self.block.close()
        self.block.unlink()


class Block(shared_memory.SharedMemory):
    """Its close() refuses while Arrow or pandas refers to it: here the last reference closes it, without an error."""

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._buf = self._mmap = None


class Pickle5(Peer):
    """Pickle protocol 5, its buffers out of band in one file that the reader maps (PEP 574)."""

    def give(self, df: pd.DataFrame) -> None:
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(df, protocol=5, buffer_callback=buffers.append)
        with open(self.file, "wb") as file:
            pickle.dump((head, [buffer.raw().nbytes for buffer in buffers]), file)
            for buffer in buffers:
                file.seek(-file.tell() % 64, os.SEEK_CUR)
                file.write(buffer.raw())

    def take(self) -> Any:
        with open(self.file, "rb") as file:
            head, sizes = pickle.load(file)
            memory = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
            return pickle.loads(head, buffers=self._buffers(memory, file.tell(), sizes))

    def _buffers(self, memory: memoryview, at: int, sizes: list[int]) -> Iterator[memoryview]:
        for size in sizes:
            at += -at % 64
            yield memory[at : at + size]
            at += size


class Manager(Peer):
    """``multiprocessing``'s manager: a process that keeps pickles' objects and sends them."""

    def serve(self) -> None:
        self.manager = _Manager(str(self.file), b"benchmark")
        self.manager.start()

    def give(self, df: pd.DataFrame) -> None:
        self.manager.tables().update(df=df)

    def take(self) -> Any:
        manager = _Manager(str(self.file), b"benchmark")
        manager.connect()
        return manager.tables().get("df")

    def drop(self) -> None:
        self.manager.tables().clear()


class _Manager(SyncManager):
    tables: Any


_TABLES: dict[str, object] = {}
_Manager.register("tables", lambda: _TABLES, DictProxy)


class Flight(Peer):
    """Arrow Flight over a Unix socket, its server in a thread of the first kernel."""

    @property
    def _address(self) -> str:
        return f"grpc+unix://{self.file}"

    def serve(self) -> None:
        self.server = _Server(self._address)
        threading.Thread(target=self.server.serve, daemon=True).start()

    def give(self, df: pd.DataFrame) -> None:
        self.server.table = pa.Table.from_pandas(df)

    def take(self) -> pd.DataFrame:
        with flight.connect(self._address) as client:
            return client.do_get(flight.Ticket(b"df")).read_all().to_pandas()

    def drop(self) -> None:
        self.server.table = None


class _Server(flight.FlightServerBase):
    table: pa.Table | None = None

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        return flight.RecordBatchStream(self.table)


class Ray(Peer):
    """A cluster on this machine, and an actor that passes the reference on: Ray's objects have no names."""

    def __init__(self, memory: str) -> None:
        super().__init__(memory)
        import ray

        self.ray = ray

    def serve(self) -> None:
        ray = self.ray
        ray.init(address="local", log_to_driver=False, include_dashboard=False, namespace="benchmark")
        self.file.write_text(ray.get_runtime_context().gcs_address)

        @ray.remote(num_cpus=0)
        class Names:
            def __init__(self) -> None:
                self.kept: list[Any] = []

            def keep(self, kept: list[Any]) -> None:
                self.kept = kept

            def get(self) -> list[Any]:
                return self.kept

        self.names = Names.options(name="names", lifetime="detached").remote()

    def give(self, df: pd.DataFrame) -> None:
        self.ray.get(self.names.keep.remote([self.ray.put(df)]))

    def take(self) -> Any:
        ray = self.ray
        if not ray.is_initialized():
            ray.init(address=self.file.read_text(), log_to_driver=False, namespace="benchmark")
        return ray.get(ray.get(ray.get_actor("names").get.remote())[0])

    def drop(self) -> None:
        self.ray.get(self.names.keep.remote([]))
