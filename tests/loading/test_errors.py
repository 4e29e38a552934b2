"""What cannot be loaded: one line that says why, and nothing half-made. ``test_files`` has files of wrong contents."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from kernel import MOUNT_NAMESPACE, needs_mount_namespace, works
from peers import IMPORTED, Peer
from pyarrow import parquet

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE
from jupyter_arrowshm.loading import remote

SOMEBODY = 65533
needs_another_user = pytest.mark.skipif(
    not works("setpriv", f"--reuid={SOMEBODY}", "--clear-groups", "true"),
    reason="this user cannot become another one, as root can",
)
pytestmark = pytest.mark.parametrize("parent", ["tmpfs"], indirect=True)


def is_clean(store: shm.Store) -> bool:
    """Nobody's table, draft or lock is there."""
    folder = Path(store.loaded.directory)
    here = (
        [path for path in folder.iterdir() if path.suffix or path.name.startswith(".new-")] if folder.exists() else []
    )
    waiting = folder / ".loading"
    return not here and not (waiting.exists() and list(waiting.iterdir())) and not store.tables()


@pytest.mark.parametrize("what", ["a file", "a directory", "a file in a directory"])
@needs_another_user
def test_no_permission(store: shm.Store, parent: Path, peer: Callable[..., Peer], what: str) -> None:
    """As another user: who may read nothing of it is told so."""
    folder = parent / "trips"
    folder.mkdir(0o755)
    for name in ("1.parquet", "2.parquet"):
        parquet.write_table(pa.table({"a": [1, 2]}), folder / name)
    os.chown(parent, SOMEBODY, SOMEBODY)
    closed = {"a file": folder / "1.parquet", "a directory": folder, "a file in a directory": folder / "2.parquet"}[
        what
    ]
    closed.chmod(0)
    path = folder / "1.parquet" if what == "a file" else folder
    one = peer()
    one.run(f"""
import pyarrow.dataset, pyarrow.parquet, pyarrow.fs, jupyter_arrowshm.core.loads
import jupyter_arrowshm.core.publication, jupyter_arrowshm.core.listing
{IMPORTED}
os.setgroups([])
os.setresgid(*[{SOMEBODY}] * 3)
os.setresuid(*[{SOMEBODY}] * 3)
""")
    with pytest.raises(shm.LoadFailed) as raised:
        one.run(f"shm.attach({str(path)!r})")
    assert str(raised.value) == f"{path} cannot be loaded: you have no permission to read it."
    one.end()
    os.chown(parent, os.geteuid(), os.getegid())
    assert one.process.poll() is not None
    assert not any(Path(store.loaded.directory).glob("*.arrow")) and not any(Path(store.directory).glob("*.arrow"))


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that takes connections, and says nothing; and little patience."""
    for name in ("PATIENCE", "CONNECT", "REQUEST", "ATTEMPTS"):
        monkeypatch.setattr(remote, name, 1)
    taken: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):  # at the end
            while True:
                taken.append(listening.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=take)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    for one in taken:
        one.close()


@pytest.mark.parametrize("kind", ["s3", "abfs"])
def test_a_bucket_that_says_nothing(store: shm.Store, silent: str, kind: str) -> None:
    uri = {
        "s3": f"s3://k:a-secret@b/x.parquet?scheme=http&endpoint_override={silent}&region=us-east-1",
        "abfs": f"abfs://k:YS1zZWNyZXQ%3D@{silent}/b/x.parquet?enable_tls=false",
    }[kind]
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(uri)
    said = str(raised.value)
    assert " cannot be loaded: " in said and "\n" not in said and "a-secret" not in said and "YS1z" not in said
    assert is_clean(store)


@pytest.mark.parametrize("kind", ["s3", "abfs", "gs"])
def test_no_network(store: shm.Store, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for name in ("PATIENCE", "CONNECT", "REQUEST", "ATTEMPTS"):
        monkeypatch.setattr(remote, name, 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = f"127.0.0.1:{listening.getsockname()[1]}"
    uri = {
        "s3": f"s3://k:s@b/x.parquet?scheme=http&endpoint_override={closed}&region=us-east-1",
        "abfs": f"abfs://k:cw%3D%3D@{closed}/b/x.parquet?enable_tls=false",
        "gs": f"gs://anonymous@b/x.parquet?scheme=http&endpoint_override={closed}",
    }[kind]
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(uri)
    said = str(raised.value)
    assert " cannot be loaded: " in said and "\n" not in said
    assert is_clean(store)


@needs_mount_namespace
@pytest.mark.parametrize("foreseen", [True, False], ids=["foreseen", "while writing"])
def test_no_room(parent: Path, tmp_path: Path, foreseen: bool) -> None:
    """What could go is named; nothing of the table stays. Loaded tables that nobody uses go by themselves."""
    path, small = tmp_path / "large.parquet", tmp_path / "small.parquet"
    parquet.write_table(pa.table({"a": pa.array(range(4 << 20))}), path, row_group_size=1 << 20)  # 32 MiB in 16
    parquet.write_table(pa.table({"a": pa.array(range(1 << 18))}), small)
    peer = Peer(prefix=MOUNT_NAMESPACE, env={ENVIRONMENT_VARIABLE: f"{parent}/store"})
    try:
        peer.run(f"""
import subprocess
from jupyter_arrowshm.core import room
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", {str(parent)!r}], check=True)
share = "import pyarrow as pa, jupyter_arrowshm as shm; shm.share(pa.table({{'a': pa.repeat(7, 1 << 17)}}), 'unused')"
subprocess.run([{sys.executable!r}, "-c", share], check=True)
shm.attach({str(small)!r})
if not {foreseen}:
    room.left = lambda where: room.NO_LIMIT
""")
        with pytest.raises(shm.NoRoom) as raised:
            peer.run(f"shm.attach({str(path)!r})")
        said = str(raised.value)
        assert "\n" not in said and "Nobody uses unused (1.0 MB)" in said and "unshare('unused') removes one" in said
        assert peer.get("[table.name for table in shm.tables()]") == ["unused"]
        assert not [one for one in peer.get("shm.tables().loaded") if one.name.startswith("large")]
        store = f"{parent}/store/.loaded"
        assert peer.get(f"[one for one in os.listdir({store!r}) if one.startswith(('.new', 'large'))]") == []
        assert peer.get(f"os.listdir({store!r} + '/.loading')") == []
        # What was taken is free again.
        peer.run("shm.share(pa.table({'a': pa.repeat(7, 1 << 20)}), 'fits')")
    finally:
        peer.end()
