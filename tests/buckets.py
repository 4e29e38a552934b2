"""Folders and buckets of tables: on a disk, and in a real server of the S3 protocol (moto)."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from pyarrow import fs
from waiting import eventually

import jupyter_arrowshm as shm


@dataclass
class Bucket:
    address: str
    system: fs.FileSystem
    root: str
    server: subprocess.Popen[bytes] | None = None

    def files(self) -> list[str]:
        found = self.system.get_file_info(fs.FileSelector(self.root, allow_not_found=True))
        return sorted(one.base_name for one in found)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def s3(name: str) -> Iterator[Bucket]:
    """A server of its own, and an empty bucket in it."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: _answers(port))
        endpoint = f"127.0.0.1:{port}"
        system = fs.S3FileSystem(
            access_key="someone", secret_key="a-secret", endpoint_override=endpoint, scheme="http", region="us-east-1",
            allow_bucket_creation=True,
        )  # fmt: skip
        system.create_dir(name)
        address = (
            f"s3://someone:a-secret@{name}/tables?scheme=http&endpoint_override={quote(endpoint)}&region=us-east-1"
        )
        yield Bucket(address, system, f"{name}/tables", server)
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    pytest.importorskip("moto", reason="moto, a server of the S3 protocol, is not installed")
    with s3("bucket") as bucket:
        yield bucket


@pytest.fixture(params=["folder", "bucket"])
def there(request: pytest.FixtureRequest, store: shm.Store, tmp_path: Path) -> Iterator[Bucket]:
    """An empty folder, or an empty bucket."""
    if request.param == "folder":
        yield Bucket(f"{tmp_path}/tables", fs.LocalFileSystem(), f"{tmp_path}/tables")
        return
    bucket: Bucket = request.getfixturevalue("server")
    yield bucket
    for name in bucket.files():
        bucket.system.delete_file(f"{bucket.root}/{name}")
