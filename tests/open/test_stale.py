"""A folder or bucket that changes while it is listed or read; a publisher that is killed at each of its requests."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from open.test_folders import Bucket, parent, server, there
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.elsewhere.fetching import PlacedTable
from jupyter_arrowshm.elsewhere.folder import Folder

__all__ = ["parent", "server", "there"]  # fixtures

ROWS = 200_000  # the same number of bytes in each version: a mixture of two would be a table, too
BATCHES = 3


def version(number: int) -> pa.Table:
    part = pa.table({"a": pa.array([number] * ROWS, pa.int64())})
    return pa.concat_tables([part] * BATCHES)


def test_a_list_that_is_stale(there: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """One table is gone, and another one replaced, between the list and the reading of what is in it."""
    place = shm.place(there.address)
    assert isinstance(place, Folder)
    for name in ("gone", "kept", "new"):
        place.share(pa.table({"a": [1]}), name)
    files = place._files

    def stale() -> object:
        found = files()
        monkeypatch.setattr(place, "_files", files)
        there.system.delete_file(f"{there.root}/gone.arrow")
        shm.place(there.address).share(pa.table({"a": [1, 2]}), "new", replace=True)
        return found

    monkeypatch.setattr(place, "_files", stale)
    rows = {table.name: table.num_rows for table in place.tables()}
    assert rows.pop("kept") == 1 and rows.pop("new") in (1, 2) and not rows
    assert {table.name: table.num_rows for table in place.tables()} == {"kept": 1, "new": 2}
    with pytest.raises(shm.TableNotFound):
        place.attach("gone")
    assert place.attach("new").num_rows == 2


@pytest.mark.parametrize("moment", ["before the footer", "before the rows", "between two batches", "after the rows"])
def test_a_version_that_is_replaced_while_it_is_fetched(
    there: Bucket, moment: str, store: shm.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shm.place(there.address)
    place.share(version(1), "t")
    replaced = []

    def replace(at: str) -> None:
        if at == moment and not replaced:
            replaced.append(at)
            shm.place(there.address).share(version(2), "t", replace=True)

    open_file, batches = Folder.open_file, PlacedTable._batches

    def opened(self: Folder, name: str) -> pa.NativeFile:
        replace("before the footer")
        return open_file(self, name)

    def read(self: PlacedTable, reader: pa.RecordBatchFileReader, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        replace("before the rows")
        for batch in batches(self, reader, file):
            yield batch
            replace("between two batches")
        replace("after the rows")

    monkeypatch.setattr(Folder, "open_file", opened)
    monkeypatch.setattr(PlacedTable, "_batches", read)
    table = place.attach("t")
    assert replaced == [moment]
    assert table.equals(version(2)), set(table["a"].to_pylist())
    [loaded] = store.loaded.tables()
    assert loaded.num_rows == BATCHES * ROWS


@pytest.mark.parametrize("moment", ["before the footer", "between two batches"])
def test_a_table_that_is_removed_while_it_is_fetched(
    there: Bucket, moment: str, store: shm.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shm.place(there.address)
    place.share(version(1), "t")
    open_file, batches = Folder.open_file, PlacedTable._batches

    def remove(at: str) -> None:
        if at == moment:
            with contextlib.suppress(FileNotFoundError):
                there.system.delete_file(f"{there.root}/t.arrow")

    def opened(self: Folder, name: str) -> pa.NativeFile:
        remove("before the footer")
        return open_file(self, name)

    def read(self: PlacedTable, reader: pa.RecordBatchFileReader, file: pa.NativeFile) -> Iterator[pa.RecordBatch]:
        for batch in batches(self, reader, file):
            yield batch
            remove("between two batches")

    monkeypatch.setattr(Folder, "open_file", opened)
    monkeypatch.setattr(PlacedTable, "_batches", read)
    with pytest.raises(shm.TableNotFound):
        place.attach("t")
    assert store.loaded.names() == []


class Gate:
    """A port in front of a server: it lets so many requests through, and calls ``then`` instead of the next one."""

    def __init__(self, server: int, most: int, then: Callable[[], object]) -> None:
        self.passed, self._most, self._then = 0, most, then
        self._server, self._lock = server, threading.Lock()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open += [client, server]
                for way in ((client, server, True), (server, client, False)):
                    self._threads.append(threading.Thread(target=self._carry, args=way, daemon=True))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                # The SDK sends the head of a request by itself, in one piece.
                if counts and data.split(b" ", 1)[0] in (b"GET", b"PUT", b"POST", b"HEAD", b"DELETE"):
                    with self._lock:
                        if self.passed == self._most:
                            self._then()
                            break
                        self.passed += 1
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()


def test_a_publisher_is_killed_at_each_request_to_a_bucket(
    server: Bucket, store: shm.Store, peer: Callable[..., Peer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads to the old table until the last request, and nothing else has a name there."""
    endpoint = int(server.address.partition("endpoint_override=127.0.0.1%3A")[2].partition("&")[0])
    place = shm.place(server.address)
    seen, most = [], 0
    (own := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(own))
    while True:
        place.share(pa.table({"a": [1]}), "t", replace=True)
        one = peer()
        gate = Gate(endpoint, most, one.process.kill)
        try:
            address = server.address.replace(quote(f"127.0.0.1:{endpoint}"), quote(f"127.0.0.1:{gate.port}"))
            one.run(f"place = shm.place({address!r}); rng = __import__('random').Random(1)")
            # More than one part of an upload: 10 MB is the least that pyarrow sends by itself.
            one.run("t = pa.table({'a': pa.array([rng.randbytes(1 << 20) for _ in range(12)])})")
            with contextlib.suppress(EOFError, OSError):
                one.run("place.share(t, 't', replace=True)")
                assert gate.passed <= most
                break
            one.process.wait()
        finally:
            gate.close()
        seen.append(place.attach("t").num_rows)
        assert place.names() == ["t"] and server.files() == ["t.arrow"]
        most += 1
    assert place.attach("t").num_rows == 12
    place.unshare("t")
    # The upload begins, its parts come, it is completed; then its version is asked for.
    assert len(seen) > 4 and seen[:4] == [1] * 4 and set(seen) == {1, 12}, seen
