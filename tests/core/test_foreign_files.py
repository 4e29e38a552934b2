"""Any file in the directory under a table's name is read, or refused with a typed error; nothing hangs or dies.

A test that could hang or die runs in a process of its own, which must be alive afterwards.
"""

from __future__ import annotations

import io
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

TABLE = pa.table(
    {"n": range(5), "s": ["a", None, "ccc", "", "e"], "l": [[1], [], None, [2, 3], [4]]}, metadata={"k": "v"}
).append_column("d", pa.array(["x", "y", None, "x", "y"]).dictionary_encode())


def arrow_file(table: pa.Table = TABLE, metadata: dict[str, str] | None = None, **options: object) -> bytes:
    """An Arrow file, written as any other program writes it."""
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options), metadata=metadata) as writer:
        writer.write_table(table)
    return sink.getvalue()


def stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.fixture
def put(store: shm.Store) -> Callable[[str, bytes], Path]:
    """Write bytes as the file of a table, beside a good one."""
    store.share(TABLE, "good")

    def write(name: str, data: bytes) -> Path:
        path = Path(store.path(name))
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        return path

    return write


def assert_only_good_is_listed(store: shm.Store) -> None:
    assert [table.name for table in store.tables()] == ["good"]
    assert store.attach("good").equals(TABLE)


# -- Arrow files of other programs -------------------------------------------------------------------------------------


def test_a_plain_arrow_file_is_a_table(store, put) -> None:
    path = put("t", arrow_file())
    assert store.attach("t").equals(TABLE, check_metadata=True)
    info = store.info("t")
    assert (info.num_rows, info.num_columns, info.nbytes) == (5, 4, path.stat().st_size)
    assert (info.publisher.label, info.published_at, info.holders) == ("another program", None, ())
    assert "another program" in repr(store.tables())
    with pytest.raises(shm.TableExists, match="'t' was shared by another program"):
        store.share(TABLE, "t")
    store.share(TABLE.slice(1), "t", replace=True)
    assert store.attach("t").num_rows == 4


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("table", [TABLE, TABLE.select(["d"])], ids=["rows", "dictionaries"])
def test_a_compressed_file_is_refused(store, put, compression, table) -> None:
    if not pa.Codec.is_available(compression):
        pytest.skip(f"this pyarrow has no {compression}")
    put("t", arrow_file(table, compression=compression))
    with pytest.raises(shm.DamagedTable, match="compressed") as caught:
        store.attach("t")
    assert (caught.value.name, caught.value.path) == ("t", store.path("t"))
    assert "good" in [info.name for info in store.tables()]


def test_a_newer_protocol_is_refused(store, put, peer) -> None:
    put("t", arrow_file(metadata={"arrowshm.protocol": "2", "arrowshm.novelty": "x"}))
    with pytest.raises(shm.NewerProtocol, match="pip install --upgrade jupyter-arrowshm") as caught:
        peer().run("shm.attach('t')")
    assert (caught.value.name, caught.value.protocol, caught.value.supported) == ("t", "2", "1")
    assert "good" in [info.name for info in store.tables()]


@pytest.mark.parametrize(
    "facts",
    [
        {"rows": "9" * 5000, "pid": "-1"},
        {"rows": "five", "pid": "\N{ARABIC-INDIC DIGIT THREE}", "published": "yesterday"},
        {"published": "2024-01-01T00:00:00"},
        {"published": "0001-01-01T00:00:00+00:00", "rows": "0"},
        {"token": ".."},
        {"token": "../good.arrow"},
        {"token": "a\0b"},
        {"token": "a" * 5000},
        {"token": "", "kernel": "/" * 999, "script": "", "notebook": "<\N{SNOWMAN}>"},
    ],
    ids=str,
)
def test_a_footer_may_say_anything(store, put, facts) -> None:
    put("t", arrow_file(metadata={"arrowshm.protocol": "1", **{f"arrowshm.{key}": facts[key] for key in facts}}))
    assert store.attach("t").equals(TABLE)
    assert store.info("t").publisher.alive is not True
    assert repr(store.tables()) and store.tables()._repr_html_()
    with pytest.raises(shm.TableExists) as caught:
        store.share(TABLE, "t")
    assert str(caught.value)
    assert store.gc().keys() == {"t"}


@pytest.mark.parametrize(
    "data", [arrow_file(), arrow_file(metadata={"arrowshm.protocol": "1"})], ids=["foreign", "ours"]
)
def test_a_file_cut_short_anywhere_is_refused(store, put, peer, data) -> None:
    path = put("t", data)
    reader = peer()
    for length in range(len(data) - 1, -1, -13):
        os.truncate(path, length)
        with pytest.raises(shm.DamagedTable):
            reader.run("shm.attach('t')")
        assert_only_good_is_listed(store)
    store.unshare("t")


MUTATE = """
import random
def mutate(data, path, name, positions):
    '''How often a file with some bytes changed was read, and how often refused.'''
    outcomes = {"read": 0, "refused": 0}
    for position in positions:
        changed = bytearray(data)
        changed[position] ^= random.Random(position).randrange(1, 256)
        with open(path, "r+b") as file:
            file.write(changed)
        try:
            table = shm.attach(name, validate="full")
            table.validate(full=True)
            table.to_batches()
            outcomes["read"] += 1
        except shm.ArrowSHMError as error:
            str(error)
            outcomes["refused"] += 1
        shm.tables()
    return outcomes
"""


@pytest.mark.parametrize("ours", [False, True], ids=["foreign", "ours"])
def test_garbled_bytes_never_kill_a_reader(store, put, peer, ours) -> None:
    data = Path(store.path("good")).read_bytes() if ours else arrow_file()
    path = put("t", data)
    reader = peer()
    reader.run(MUTATE)
    outcomes = reader.get(f"mutate({data!r}, {str(path)!r}, 't', range(0, {len(data)}, 5))")
    assert outcomes["read"] and outcomes["refused"]
    assert store.attach("good").equals(TABLE)


def test_a_file_of_ours_is_checked_when_asked_for(store) -> None:
    """Not otherwise: it costs as much as reading everything."""
    store.share(pa.table({"s": ["abcde", "fg"]}), "t")
    path = store.path("t")
    data = Path(path).read_bytes()
    os.chmod(path, 0o600)
    good, bad = (pa.array([0, 5, end], pa.int32()).buffers()[1].to_pybytes() for end in (7, 999))
    assert data.count(good) == 1
    Path(path).write_bytes(data.replace(good, bad))
    assert store.attach("t").num_rows == 2
    with pytest.raises(shm.DamagedTable):
        store.attach("t", validate="full")


# -- what is not an Arrow file -----------------------------------------------------------------------------------------

NO_ARROW = {
    "empty": b"",
    "one byte": b"A",
    "the magic alone": b"ARROW1",
    "the magic at both ends": b"ARROW1\0\0" + b"ARROW1",
    "a footer of negative length": b"ARROW1\0\0" + b"\xff\xff\xff\xff" + b"ARROW1",
    "a footer longer than the file": b"ARROW1\0\0" + b"\xff\xff\xff\x7f" + b"ARROW1",
    "text": b"name,fare\nx,1\n" * 100,
    "zeros": bytes(8192),
    "an Arrow stream": stream(TABLE),
}


@pytest.mark.parametrize("what", NO_ARROW)
def test_a_file_that_is_no_arrow_file(store, put, peer, what) -> None:
    path = put("t", NO_ARROW[what])
    with pytest.raises(shm.DamagedTable) as caught:
        peer().run("shm.attach('t')")
    assert (caught.value.name, caught.value.path) == ("t", str(path))
    assert_only_good_is_listed(store)
    assert "t" not in store.gc(), "somebody's file that we cannot read is not ours to remove"
    store.unshare("t")  # as the error says
    assert not path.exists()


def _symlink_to_good(path: Path) -> None:
    path.symlink_to("good.arrow")


def _symlink_outside(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _device(path: Path) -> None:
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero: reading it never ends


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _of_another_user(path: Path) -> None:
    path.write_bytes(arrow_file())
    os.chown(path, 65534, 65534)


def _unreadable(path: Path) -> None:
    path.write_bytes(arrow_file())
    path.chmod(0)


NO_FILE = [Path.mkdir, os.mkfifo, _socket, _symlink_to_good, _symlink_outside]
NO_FILE += [_device, _of_another_user] if os.geteuid() == 0 else [_unreadable]  # root may read everything


@pytest.mark.parametrize("make", NO_FILE)
def test_what_is_no_file_of_ours_is_no_table(store, put, peer, make) -> None:
    path = Path(store.path("t"))
    make(path)
    reader = peer()
    for call in ("attach('t')", "info('t')", "unshare('t')", "pin('t')"):
        with pytest.raises(shm.TableNotFound):
            reader.run(f"shm.{call}")
    reader.run("shm.tables(); shm.gc()")
    assert os.path.lexists(path)
    assert_only_good_is_listed(store)
    if make is Path.mkdir:
        with pytest.raises(shm.StoreFailed):
            reader.run("shm.share(pa.table({'a': [1]}), 't')")
        path.rmdir()
    else:
        reader.run("shm.share(pa.table({'a': [1]}), 't')")
        assert store.attach("t").num_rows == 1
    assert store.attach("good").equals(TABLE)
    assert set(os.listdir(store.directory)) <= {".live", ".pins", "good.arrow", "t.arrow"}
