"""A few rows of a table in a place: the right ones, and nothing else of the table is fetched."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from buckets import Bucket, s3, server, there

import jupyter_arrowshm as shm
from jupyter_arrowshm.elsewhere import pages
from jupyter_arrowshm.elsewhere.folder import Folder
from jupyter_arrowshm.errors import LoadFailed, QueryStopped, TableReplaced
from jupyter_arrowshm.loading import remote

__all__ = ["server", "there"]

ROWS, BATCH = 10_000, 1_000
WIDE = pa.table({"row": pa.array(range(ROWS)), "noise": pa.array([os.urandom(100) for _ in range(ROWS)])})
NESTED = pa.table(
    {
        "list": pa.array([[1, 2], None, []], pa.list_(pa.int8())),
        "struct": pa.array([{"a": 1}, {"a": None}, None]),
        "word": pa.array(["x", None, "x"]).dictionary_encode(),
        "view": pa.array(["a string that is longer than twelve", None, "b"], pa.string_view()),
        "time": pa.array([1, None, 3], pa.timestamp("ns", "Europe/Oslo")),
    }
)


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


class Counted(io.RawIOBase):
    """A file that notes how much of it is read."""

    def __init__(self, file: pa.NativeFile, read: list[int]) -> None:
        self._file, self._read = file, read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def size(self) -> int:
        return int(self._file.size())

    def read(self, size: int = -1) -> bytes:
        found: bytes = self._file.read(size)
        self._read.append(len(found))
        return found


def put(there: Bucket, name: str, table: pa.Table, batch: int = BATCH, compression: str | None = "zstd") -> int:
    """The file of a program that does not know of us; gives its size."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=batch)
    file = sink.getvalue()
    there.system.create_dir(there.root, recursive=True)
    with there.system.open_output_stream(f"{there.root}/{name}.arrow") as stream:
        stream.write(file)
    return file.size


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is read from files of places."""
    sizes: list[int] = []
    whole = Folder.open_file

    def opened(self: Folder, name: str) -> Any:
        return pa.PythonFile(Counted(whole(self, name), sizes), "r")

    monkeypatch.setattr(Folder, "open_file", opened)
    return sizes


@pytest.mark.parametrize(("offset", "rows"), [(0, 10), (995, 10), (9_995, 10), (20_000, 10), (3, 0), (500, 9_000)])
def test_any_rows(there: Bucket, store: shm.Store, offset: int, rows: int) -> None:
    put(there, "t", WIDE)
    place = shm.place(there.address)
    head = place.head("t", rows, offset=offset)
    assert head.equals(WIDE.slice(offset, rows)) and head.schema.equals(WIDE.schema)
    assert not store.loaded.names(), "nothing is kept of it here"


def test_what_was_shared(there: Bucket) -> None:
    place = shm.place(there.address)
    for name, table in {"nested": NESTED, "empty": NESTED.slice(0, 0), "bare": pa.table({})}.items():
        place.share(table, name)
        assert place.head(name).equals(table) and place.head(name).schema.equals(table.schema), name
    assert place.head("nested", 1, offset=2).equals(NESTED.slice(2))


def test_only_the_batches_with_the_rows_are_read(there: Bucket, read: list[int]) -> None:
    size = put(there, "t", WIDE)
    place = shm.place(there.address)
    for offset, batches in [(0, 1), (5_500, 1), (9_990, 1), (5_995, 2)]:
        read.clear()
        assert place.head("t", 10, offset=offset)["row"].to_pylist() == [*range(offset, offset + 10)]
        # Beside the batches: the footer, and the headers of the batches before.
        assert batches * size / 10 * 0.9 < sum(read) < batches * size / 10 * 1.1 + 10_000
    look = place.look("t")
    assert look.rows(10, 5).num_rows == 5
    read.clear()
    assert look.rows(400, 100)["row"].to_pylist() == [*range(400, 500)] and not read, "the batch is at hand"


def test_a_batch_that_is_too_large_is_not_fetched(
    there: Bucket, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 1_000_000)
    size = put(there, "t", WIDE, ROWS)
    with pytest.raises(QueryStopped, match=r"would have to fetch 1\.\d MB.* Attach the table"):
        shm.place(there.address).head("t")
    assert sum(read) < size / 20


@pytest.mark.parametrize("when", ["footer", "batch"])
def test_replaced_while_it_is_read(there: Bucket, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Of two versions with as many bytes, no page has parts of both."""
    older, newer = (pa.table({"row": [n] * 10}) for n in (1, 2))
    place = shm.place(there.address)
    put(there, "t", older, 5, None)
    look = place.look("t") if when == "batch" else None
    asked = Folder.version
    calls = []

    def version(self: Folder, name: str) -> str | None:
        found = asked(self, name)
        calls.append(found)
        if len(calls) == 1 and when == "footer":
            put(there, "t", newer, 5, None)
        return found

    monkeypatch.setattr(Folder, "version", version)
    if look is not None:
        put(there, "t", newer, 5, None)
        with pytest.raises(TableReplaced):
            look.rows(0, 10)
        with pytest.raises(TableReplaced):
            place.look("t", look.version)
    assert place.head("t").equals(newer) and place.look("t", calls[-1] or "").version == calls[-1]


def test_a_name_that_is_not_there(there: Bucket) -> None:
    place = shm.place(there.address)
    put(there, "trips", NESTED)
    with pytest.raises(shm.TableNotFound, match=r"'trip' from .*trips"):
        place.head("trip")
    with pytest.raises(shm.InvalidName):
        place.head("a b")


def test_a_damaged_file_is_said(there: Bucket) -> None:
    put(there, "t", WIDE)
    place = shm.place(there.address)
    with there.system.open_input_file(f"{there.root}/t.arrow") as file:
        whole = file.read()
    start = WIDE.schema.serialize().size + 200
    damaged = [b"", whole[:1000], bytes(len(whole)), whole[:-300] + bytes(290) + whole[-10:]]
    damaged += [whole[:start] + bytes(3_000) + whole[start + 3_000 :]]
    for content in damaged:
        with there.system.open_output_stream(f"{there.root}/t.arrow") as stream:
            stream.write(content)
        with pytest.raises((shm.DamagedTable, LoadFailed)):
            place.head("t")


def test_a_table_of_this_user_that_others_may_read(store: shm.Store, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_ARROWSHM_OPEN_PARENT", str(tmp_path))
    place = shm.place("everyone")
    place.share(WIDE, "t")
    assert place.head("t", 3, offset=9_998).equals(WIDE.slice(9_998))
    assert place.look("t").reader.read_all().equals(WIDE)
    with pytest.raises(shm.TableNotFound):
        place.head("u")


def test_a_bucket_that_is_silent_is_an_error(store: shm.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATIENCE", "CONNECT", "REQUEST", "ATTEMPTS"):
        monkeypatch.setattr(remote, name, 1)
    pytest.importorskip("moto", reason="moto, a server of the S3 protocol, is not installed")
    with s3("silent") as bucket:
        put(bucket, "t", WIDE)
        look = shm.place(bucket.address).look("t")
        assert look.rows(0, 1).num_rows == 1
        assert bucket.server is not None
        bucket.server.kill()
        with pytest.raises(shm.PlaceFailed):
            shm.place(bucket.address).head("t")
        with pytest.raises((shm.PlaceFailed, LoadFailed)):
            look.rows(5_000, 10)
