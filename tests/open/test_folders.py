"""Tables in a folder and in a bucket: on a disk, and in a real server of the S3 protocol (moto)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from buckets import Bucket, free_port, s3, server, there
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.loading import remote

__all__ = ["server", "there"]

TABLE = pa.table({"city": ["Oslo", "Lima", None], "fare": [1.5, 2.5, 3.5]})


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


def test_what_one_shares_another_attaches_and_the_machine_fetches_it_once(
    there: Bucket, peer: Callable[..., Peer], store: shm.Store, tmp_path: Path
) -> None:
    other = peer()
    other.run(f"place = shm.place({there.address!r}); data = {TABLE.to_pydict()!r}")
    other.run("place.share(pa.table(data), 'trips')")
    other.quit()  # nobody of this machine has to run
    place = shm.place(there.address)
    assert place.names() == ["trips"] and there.files() == ["trips.arrow"]
    (table,) = place.tables()
    assert (table.num_rows, table.num_columns, table.holders, table.unused) == (3, 2, (), False)
    assert table.in_use_by == "use not known" and "a-secret" not in repr((place, place.tables(), table))
    attached = place.attach("trips")
    assert attached.equals(TABLE) and attached.schema.equals(TABLE.schema)
    # Every other process maps the same copy: also if the place is gone.
    (loaded,) = store.loaded.tables()
    again = peer()
    again.run(f"place = shm.place({there.address!r}); trips = place.attach('trips')")
    assert again.get("trips['fare'].to_pylist()") == [1.5, 2.5, 3.5]
    assert again.pid in {user.pid for user in store.loaded.info(loaded.name).holders}
    assert place.attach("trips", columns=["fare"]).column_names == ["fare"]
    # A newer version is fetched again; who has the older one keeps it.
    place.share(pa.table({"fare": [9.0]}), "trips", replace=True)
    assert place.attach("trips")["fare"].to_pylist() == [9.0] and attached.equals(TABLE)
    assert again.get("trips.num_rows, place.attach('trips').num_rows") == (3, 1)
    place.unshare("trips")
    with pytest.raises(shm.TableNotFound, match="no shared table 'trips' from "):
        place.attach("trips")
    assert attached.equals(TABLE) and there.files() == []


def test_the_kind_that_was_shared_comes_back(there: Bucket) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"])}, index=pd.Index([3, 4], name="n"))
    place = shm.place(there.address)
    place.share(frame, "frame")
    back = place.attach("frame", to="source")
    pd.testing.assert_frame_equal(back, frame)


def test_the_name_of_another_script_needs_the_word(there: Bucket, peer: Callable[..., Peer]) -> None:
    one, other = peer(), peer()
    for who in (one, other):
        who.run(f"place = shm.place({there.address!r})")
    one.run("place.share(pa.table({'a': [1]}), 't'); place.share(pa.table({'a': [2]}), 't')")
    with pytest.raises(shm.TableExists, match=r"'t' was shared by .*replace=True"):
        other.run("place.share(pa.table({'a': [3]}), 't')")
    assert other.get("place.attach('t')['a'].to_pylist(), place.is_mine('t')") == ([2], False)
    other.run("place.share(pa.table({'a': [3]}), 't', replace=True)")
    assert one.get("place.attach('t')['a'].to_pylist()") == [3]


def test_of_two_at_the_same_moment_one_wins_whole(there: Bucket, peer: Callable[..., Peer]) -> None:
    writers = [peer() for _ in range(3)]
    for number, one in enumerate(writers):
        one.run(f"place = shm.place({there.address!r}); t = pa.table({{'a': [{number}] * 200_000}})")
    for _ in range(3):
        for one in writers:
            one.start("place.share(t, 't', replace=True)")
        for one in writers:
            one.wait()
        values = set(shm.place(there.address).attach("t")["a"].to_pylist())
        assert len(values) == 1 and there.files() == ["t.arrow"]


def test_killed_while_it_shares_leaves_what_was_there(
    there: Bucket, peer: Callable[..., Peer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(own))
    place = shm.place(there.address)
    place.share(pa.table({"a": [1]}), "t")
    for pause in (0.02, 0.05, 0.1, 0.2, 0.4):
        one = peer()
        one.run(f"place = shm.place({there.address!r})")
        one.run("t = pa.table({'a': pa.array([os.urandom(1000) for _ in range(20_000)])})")
        one.start("place.share(t, 't', replace=True)")
        time.sleep(pause)
        one.kill()
        assert place.attach("t").num_rows in (1, 20_000)
        assert "t.arrow" in there.files()
    # Rows on the disk have no name, but for the moment between the end of their writing and the removal of it.
    assert len([file for file in own.rglob("*") if file.is_file() and file.stat().st_size]) <= 1


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1\0\0" + bytes(100), b"not a table" * 100], ids=["empty", "torn", "text"]
)
def test_a_file_that_is_not_a_table_is_said(there: Bucket, content: bytes) -> None:
    place = shm.place(there.address)
    place.share(TABLE, "good")
    with there.system.open_output_stream(f"{there.root}/bad.arrow") as file:
        file.write(content)
    assert [table.name for table in place.tables()] == ["good"]
    with pytest.raises(shm.DamagedTable):
        place.info("bad")
    with pytest.raises((shm.DamagedTable, shm.errors.LoadFailed)):
        place.attach("bad")
    assert place.attach("good").equals(TABLE)


def test_a_table_that_was_cut_short_is_never_half_a_table(there: Bucket, store: shm.Store) -> None:
    place = shm.place(there.address)
    place.share(pa.table({"a": pa.array([os.urandom(1000) for _ in range(3000)])}), "t")
    with there.system.open_input_file(f"{there.root}/t.arrow") as file:
        whole = file.read()
    # Cut off at the end, and with a hole where a batch begins.
    for content in (whole[: len(whole) // 2], whole[:8] + bytes(2000) + whole[2008:]):
        with there.system.open_output_stream(f"{there.root}/t.arrow") as file:
            file.write(content)
        with pytest.raises((shm.DamagedTable, shm.errors.LoadFailed)):
            place.attach("t")
        assert store.loaded.names() == []


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 1000\r\n\r\n<?xml version='1.0'?>"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a bucket that does not answer, shorter."""
    for name in ("PATIENCE", "CONNECT", "REQUEST", "ATTEMPTS"):
        monkeypatch.setattr(remote, name, 1)


@pytest.mark.usefixtures("store", "quick")
@pytest.mark.parametrize("kind", ["refuses", "is silent", "breaks off", "is stopped"])
def test_a_bucket_that_fails_is_an_error_and_nothing_is_half_done(kind: str, store: shm.Store) -> None:
    with contextlib.ExitStack() as stack:
        if kind == "is stopped":
            pytest.importorskip("moto", reason="moto, a server of the S3 protocol, is not installed")
            bucket = stack.enter_context(s3("stopped"))
            place = shm.place(bucket.address)
            place.share(TABLE, "t")
            assert bucket.server is not None
            bucket.server.send_signal(signal.SIGSTOP)
        else:
            port = free_port()
            if kind != "refuses":
                stack.enter_context(_strange(port, answer=HALF if kind == "breaks off" else b""))
            where = quote(f"127.0.0.1:{port}")
            place = shm.place(f"s3://k:a-secret@b/x?scheme=http&endpoint_override={where}&region=us-east-1")
        for call in (place.names, place.tables, lambda: place.info("t"), lambda: place.attach("t")):
            with pytest.raises(shm.ArrowSHMError) as caught:
                call()
            assert "a-secret" not in str(caught.value)
        with pytest.raises(shm.PlaceFailed):
            place.share(TABLE, "t", replace=True)
        assert store.loaded.names() == [] == store.names()


@contextlib.contextmanager
def _strange(port: int, answer: bytes) -> Iterator[None]:
    """A server that takes every connection, and then says nothing, or half of an answer."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        taken: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listening.accept()[0])
                    if answer:
                        taken[-1].recv(1 << 16)
                        taken[-1].sendall(answer)
                        taken[-1].close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()
        thread.join()


@needs_mount_namespace
def test_a_full_disk_while_it_is_fetched_leaves_nothing(
    there: Bucket, peer: Callable[..., Peer], tmp_path: Path
) -> None:
    shm.place(there.address).share(pa.table({"a": pa.array([os.urandom(1000) for _ in range(20_000)])}), "t")
    small = tmp_path / "small"
    small.mkdir()
    command = [*MOUNT_NAMESPACE, "sh", "-c", f'mount -t tmpfs -o size=8m none {small} && exec "$@"', "sh"]
    one = peer(prefix=command, env={"JUPYTER_ARROWSHM_DIR": f"{small}/store"})
    with pytest.raises(shm.NoRoom):
        one.run(f"shm.place({there.address!r}).attach('t')")
    assert one.get("shm.Store().loaded.names(), shm.Store().room().used < 1_000_000") == ([], True)


def test_a_folder_that_may_not_be_written_is_said(store: shm.Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (f"{tmp_path}/file/tables", "/proc/nowhere/tables"):
        with pytest.raises(shm.PlaceFailed, match=r"cannot be used .*\. Nothing was changed there\.$"):
            shm.place(place).share(TABLE, "t")
    assert not [path for path in tmp_path.rglob("*") if ".new-" in path.name]


def test_names_come_from_files_of_the_configuration_and_the_environment(
    store: shm.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, text in (
        ("JUPYTER_CONFIG_DIR", '{"places": {"team": "/srv/user", "mine": "/srv/mine"}}'),
        ("JUPYTER_CONFIG_PATH", '{"places": {"team": "/srv/system", "course": "/srv/course"}, "open_places": true}'),
    ):
        (tmp_path / variable).mkdir()
        (tmp_path / variable / "arrowshm.json").write_text(text)
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setenv("JUPYTER_ARROWSHM_OPEN_PARENT", str(tmp_path))
    monkeypatch.setenv("JUPYTER_ARROWSHM_PLACES", '{"mine": "/srv/now"}')
    found = {one.name: one.description for one in shm.places()}
    assert found["course"] == "/srv/course" and found["mine"] == "/srv/now"
    assert found["team"] in ("/srv/user", "/srv/system")
    (tmp_path / "JUPYTER_CONFIG_PATH" / "arrowshm.json").write_text('{"open_places": false}')
    with pytest.raises(shm.PlaceFailed, match="not shared among users here"):
        shm.place("everyone")
    for text in ('{"places": ["a"]}', "{", '{"places": {"": "/x"}}'):
        (tmp_path / "JUPYTER_CONFIG_DIR" / "arrowshm.json").write_text(text)
        with pytest.raises(shm.PlaceFailed, match=r"arrowshm\.json"):
            shm.places()


@pytest.mark.usefixtures("store")
def test_a_place_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_ARROWSHM_PLACES", '{"team": "/srv/team"}')
    with pytest.raises(shm.PlaceNotFound, match=r"no place 'taem', and no user of this name\. Did you mean 'team'"):
        shm.place("taem")
