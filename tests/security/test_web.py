"""The server's routes as an attacker sees them. Who may ask what: tests/server/test_http.py has the whole matrix."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
import websocket
from peers import Peer
from servers import EVENTS, TOKEN, Server

import jupyter_arrowshm as shm

TABLE = pa.table({"fare": [12.5, 9.0], "city": ["Oslo", "Lima"]})
READS = [
    "tables",
    *(
        f"tables/trips/{what}"
        for what in ("rows", "summary", *(f"export?format={one}" for one in ("csv", "parquet", "arrow")))
    ),
]
CHANGES = [("PUT", "tables/trips/pin"), ("DELETE", "tables/trips/pin"), ("POST", "gc"), ("DELETE", "tables/trips")]


@pytest.fixture
def server(directory: Path, tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "root")
    yield started
    started.kill()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder whose name nobody needs to know."""
    path = tmp_path / "secret-folder"
    path.mkdir()
    return path


def test_a_server_tells_no_paths_and_takes_no_orders_from_elsewhere(
    server: Server, store: shm.Store, directory: Path, secret: Path, peer: Callable[..., Peer]
) -> None:
    script = peer(script=str(secret / "etl.py"))
    script.run("table = pa.table({'fare': [12.5, 9.0], 'city': ['Oslo', 'Lima']}); shm.share(table, 'trips')")
    script.run("trips = shm.attach('trips'); shm.share(table.slice(1), 'trips'); again = shm.attach('trips')")
    listener = server.listen()
    _no_paths(server, directory, secret)
    _xsrf(server, store)
    _forged_events(server, store, listener)
    listener.close()


def _no_paths(server: Server, directory: Path, secret: Path) -> None:
    """Of the store and of scripts, but in the answer about one table, and where the directory itself is the trouble."""
    answers = {path: server.get(f"arrowshm/{path}") for path in READS}
    assert {answer.status for answer in answers.values()} == {200}
    (directory / "damaged.arrow").write_bytes(b"ARROW1\0\0 not at all")
    odd = ["nope", "..%2F..%2Fetc%2Fpasswd", "%00", quote(str(directory), safe=""), "a" * 300]
    wrong = ["/summary", "/export", "/rows?filter=%7B", "/rows?version=1-2-3"]
    for rest in (*odd, *(f"{name}/rows" for name in odd), *(f"damaged{what}" for what in ("", "/rows", *wrong))):
        path = f"tables/{rest}"
        answers[path] = server.get(f"arrowshm/{path}")
        assert 400 <= answers[path].status < 500, (path, answers[path])
    for path, answer in answers.items():
        told = answer.data + json.dumps(answer.headers).encode()
        if quote(str(directory), safe="") not in path:
            assert str(directory.parent).encode() not in told and b"/dev/shm" not in told, path
        assert b"secret-folder" not in told and b"Traceback" not in told, path
    assert server.get("arrowshm/tables/trips").json["path"] == f"{directory}/trips.arrow"
    assert "etl.py" in server.users("trips")
    (directory / "damaged.arrow").unlink()


def _xsrf(server: Server, store: shm.Store) -> None:
    """A page elsewhere can make a browser send its cookies, and not the header that a page of the server sends."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    base = f"http://127.0.0.1:{server.port}/user/me/"
    browser.open(f"{base}?token={TOKEN}").close()
    browser.open(f"{base}arrowshm/tables").close()

    def ask(method: str, path: str, **headers: str) -> int:
        request = urllib.request.Request(f"{base}arrowshm/{path}", method=method, headers=headers)
        try:
            with browser.open(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    for method, path in CHANGES:
        assert ask(method, path) == 403, (method, path)
        elsewhere = {"Origin": "https://elsewhere.example", "X-XSRFToken": "guessed"}
        assert ask(method, path, **elsewhere) in (403, 404)
    assert store.names() == ["trips"] and not store.info("trips").pinned
    (token,) = [cookie.value for cookie in jar if cookie.name == "_xsrf"]
    assert token is not None
    assert ask("PUT", "tables/trips/pin", **{"X-XSRFToken": token}) == 204 and store.info("trips").pinned


def _forged_events(server: Server, store: shm.Store, listener: object) -> None:
    """Whoever may use the server can say anything on its bus; the list goes by the tables alone."""
    before = server.tables()
    forged = {
        "schema_id": EVENTS,
        "version": "1",
        "data": {"action": "removed", "name": "trips", "who": [], "reason": "x"},
    }
    post = {"data": json.dumps(forged), "Content_Type": "application/json"}
    assert server.request("POST", "api/events", token=None, **post).status == 403
    assert server.request("POST", "api/events", **post).status == 204
    assert listener.until("removed", "trips")["reason"] == "x"  # type: ignore[attr-defined]
    assert server.tables() == before and store.names() == ["trips"]
    wrong = {**forged, "data": {"action": "<script>", "name": "trips"}}
    assert server.request("POST", "api/events", data=json.dumps(wrong), Content_Type="application/json").status >= 400
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(f"ws://127.0.0.1:{server.port}/user/me/api/events/subscribe", timeout=60)
