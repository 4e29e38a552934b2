"""Places over HTTP: asked only when somebody opens one, and never in the way of the list of this machine."""

from __future__ import annotations

import json
import os
import socket
import threading
from urllib.parse import quote

import pyarrow as pa
import pytest
from buckets import s3

import jupyter_arrowshm as shm

TABLE = pa.table({"fare": [12.5, 9.0], "city": ["Oslo", "Lima"]})
COPY = "arrowshm/places/{}/tables/trips"


def test_a_table_is_copied_there_and_back(running, store):
    store.share(TABLE, "trips")
    place = shm.place("team")
    assert [one["name"] for one in running.get("arrowshm/places").json["places"]] == ["team"]
    for name in ("team", quote(place.description, safe="")):
        there = running.request("PUT", COPY.format(name)).json
        assert (there["name"], there["num_rows"], there["countable"], there["holders"]) == ("trips", 2, None, [])
        assert [one["name"] for one in running.get(f"arrowshm/places/{name}/tables").json["tables"]] == ["trips"]
        assert "path" not in there
    assert place.attach("trips").equals(TABLE)
    assert running.request("POST", COPY.format("team")).status == 409
    assert running.request("POST", COPY.format("team"), data='{"replace": 1}').status == 400
    place.share(TABLE.slice(1), "trips", replace=True)
    assert running.request("POST", COPY.format("team"), data='{"replace": true}').status == 200
    assert store.attach("trips").equals(TABLE.slice(1))
    assert running.request("DELETE", COPY.format("team")).status == 204 and place.names() == []


def test_what_others_may_read_is_a_place_of_its_own(running, store):
    shm.place("everyone").share(TABLE, "open")
    assert [one["name"] for one in running.get("arrowshm/places").json["places"]] == ["everyone", "team"]
    (table,) = running.get("arrowshm/places/everyone/tables").json["tables"]
    assert (table["name"], table["countable"], len(table["holders"])) == ("open", True, 1)
    assert "open" not in running.tables()
    assert running.request("DELETE", "arrowshm/places/everyone/tables/open").status == 204


def test_some_rows_of_a_table_there(running, store):
    place = shm.place("team")
    table = pa.table({"row": range(100_000), "noise": [os.urandom(300) for _ in range(100_000)]})
    place.share(table, "trips")
    version = place.info("trips").version

    def rows(query: str = "", name: str = "team") -> tuple[list[int], dict[str, object]]:
        answer = running.get(f"{COPY.format(name)}/rows?{query}")
        page = pa.ipc.open_stream(answer.data).read_all()
        return page["row"].to_pylist(), json.loads(page.schema.metadata[b"arrowshm.preview"])

    for offset in (0, 99_990, 53_000):
        found, facts = rows(f"offset={offset}&limit=20&version={version}")
        assert found == [*range(offset, min(100_000, offset + 20))]
        assert (facts["version"], facts["num_rows"], facts["matches"]) == (version, 100_000, 100_000)
    tree = running.get(f"{COPY.format('team')}/cell?row=53000&column=0&version={version}").json
    assert tree["text"] == "53000"
    assert store.loaded.names() == [] and "trips" not in running.tables()
    for query in (
        'rows?sort=[{"column":0,"descending":true}]',
        'rows?filter={"column":0,"op":">","value":1}',
        "summary",
    ):
        answer = running.get(f"{COPY.format('team')}/{quote(query, safe='?=')}")
        assert (answer.status, answer.json["reason"]) == (400, "InvalidQuery")
        assert answer.json["message"].endswith("copy it to this machine to sort and filter.")
    place.share(table.slice(50_000), "trips", replace=True)
    answer = running.get(f"{COPY.format('team')}/rows?version=another")
    assert (answer.status, answer.json["reason"]) == (409, "TableReplaced")
    assert rows("limit=1")[0] == [50_000]


def test_some_rows_of_a_table_in_a_bucket(running):
    """The worker that reads them has one thread for it, and little memory."""
    pytest.importorskip("moto", reason="moto, a server of the S3 protocol, is not installed")
    with s3("bucket") as bucket:
        shm.place(bucket.address).share(TABLE, "trips")
        path = f"{COPY.format(quote(bucket.address, safe=''))}/rows?offset=1"
        answer = running.get(path)
        assert answer.status == 200, answer.body
        assert pa.ipc.open_stream(answer.data).read_all()["fare"].to_pylist() == [9.0]
        assert bucket.server is not None
        bucket.server.kill()
        bucket.server.wait()
        answer = running.get(path)
        assert (answer.status, answer.json["reason"]) == (503, "PlaceFailed") and "a-secret" not in answer.body


def test_a_table_that_others_may_read_is_looked_at_where_it_lies(running, store):
    shm.place("everyone").share(TABLE, "trips")
    path = f"{COPY.format('everyone')}/rows?" + quote('sort=[{"column":0,"descending":false}]', safe="=")
    page = pa.ipc.open_stream(running.get(path).data).read_all()
    assert page["fare"].to_pylist() == [9.0, 12.5]
    (fare, city) = running.get(f"{COPY.format('everyone')}/summary").json["columns"]
    assert (fare["min"]["text"], city["distinct"]) == ("9", 2)
    (user,) = shm.place("everyone").info("trips").holders
    assert user.pid == os.getpid(), "looking is no use"
    shm.place("everyone").unshare("trips")


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("arrowshm/places/nowhere/tables", 404, "PlaceNotFound"),
        ("arrowshm/places/team/tables/nope", 404, "TableNotFound"),
        ("arrowshm/places/nowhere/tables/t/rows", 404, "PlaceNotFound"),
        ("arrowshm/places/team/tables/nope/rows", 404, "TableNotFound"),
        ("arrowshm/places/team/tables/a%20b/rows", 400, "InvalidName"),
        ("arrowshm/places/team/tables/bad/rows", 422, "LoadFailed"),
        ("arrowshm/places/team/tables/a%20b", 400, "InvalidName"),
    ],
)
def test_errors_say_what_is_wrong(running, path, status, reason, parent):
    (parent / "team").mkdir(exist_ok=True)
    (parent / "team" / "bad.arrow").write_bytes(bytes(100))
    answer = running.get(path)
    assert (answer.status, answer.json["reason"]) == (status, reason) and "Traceback" not in answer.body


def test_a_place_that_does_not_answer_keeps_nobody_waiting(running, store):
    store.share(TABLE, "trips")
    with socket.create_server(("127.0.0.1", 0), backlog=20) as silent:
        where = f"s3://k:a-secret@b/x?scheme=http&region=r&endpoint_override=127.0.0.1:{silent.getsockname()[1]}"
        asked = [threading.Thread(target=running.get, args=(f"arrowshm/places/{quote(where, safe='')}/tables",))] * 1
        for one in asked:
            one.start()
        assert "trips" in running.tables()
        assert json.loads(running.get("arrowshm/places").body)
        assert asked[0].is_alive(), "it waits all the while"
    for one in asked:
        one.join()


def test_what_the_server_is_told_its_kernels_know(server):
    one = server(places={"course": "/srv/course"}, open_places=False)
    assert [place["name"] for place in one.get("arrowshm/places").json["places"]] == ["course"]
    assert one.get("arrowshm/places/everyone/tables").json["reason"] == "PlaceFailed"
