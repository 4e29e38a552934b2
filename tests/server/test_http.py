"""The routes: their answers, who may ask, and whether their description is true."""

from __future__ import annotations

import re
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openapi_spec_validator import validate
from tornado import web

import jupyter_arrowshm as shm

TABLE = pa.table({"fare": [12.5, 9.0], "city": ["Oslo", "Lima"]})
ROUTES = [  # method, path, status, whether it only reads
    ("GET", "arrowshm/tables", 200, True),
    ("GET", "arrowshm/tables/trips", 200, True),
    ("GET", "arrowshm/tables/trips/rows", 200, True),
    ("POST", "arrowshm/tables/trips/rows", 200, True),
    ("GET", "arrowshm/tables/trips/summary", 200, True),
    ("POST", "arrowshm/tables/trips/summary", 200, True),
    ("GET", "arrowshm/tables/trips/find?text=Lima", 200, True),
    ("POST", "arrowshm/tables/trips/find", 400, True),  # with nothing to find
    ("GET", "arrowshm/tables/trips/cell", 200, True),
    ("POST", "arrowshm/tables/trips/cell", 200, True),
    ("GET", "arrowshm/tables/trips/group?by=1", 200, True),
    ("POST", "arrowshm/tables/trips/group", 200, True),
    ("GET", "arrowshm/tables/trips/points", 200, True),
    ("POST", "arrowshm/tables/trips/points", 200, True),
    ("GET", "arrowshm/tables/trips/export", 200, True),
    ("POST", "arrowshm/tables/trips/export", 200, True),
    ("PUT", "arrowshm/tables/trips/pin", 204, False),
    ("DELETE", "arrowshm/tables/trips/pin", 204, False),
    ("GET", "arrowshm/file?path=rides.parquet", 200, True),
    *(
        (verb, f"arrowshm/file/{what}?path=rides.parquet{more if verb == 'GET' else ''}", status, True)
        for what, more, other in [
            ("rows", "", 200),
            ("summary", "", 200),
            ("find", "&text=Lima", 400),
            ("cell", "", 200),
            ("group", "&by=1", 200),
            ("points", "", 200),
            ("export", "", 200),
        ]
        for verb, status in [("GET", 200), ("POST", other)]
    ),
    ("POST", "arrowshm/sql", 400, True),  # with no statement
    ("PUT", "arrowshm/sql/trips", 400, False),
    ("POST", "arrowshm/gc", 200, False),
    ("GET", "arrowshm/places", 200, True),
    ("PUT", "arrowshm/places/team/tables/trips", 200, False),
    ("GET", "arrowshm/places/team/tables", 200, True),
    ("GET", "arrowshm/places/team/tables/trips", 200, True),
    *(
        (verb, f"arrowshm/places/team/tables/trips/{what}", status, True)
        for what, status in [
            ("rows", 200),
            ("cell", 200),
            # All rows would have to be fetched.
            ("summary", 400),
            ("find", 400),
            ("group", 400),
            ("points", 400),
            ("export", 400),
        ]
        for verb in ("GET", "POST")
    ),
    ("DELETE", "arrowshm/tables/trips", 204, False),
    ("POST", "arrowshm/places/team/tables/trips", 200, False),
    ("DELETE", "arrowshm/places/team/tables/trips", 204, False),
]
READER = """
from jupyter_server.auth import Authorizer
class Reader(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "arrowshm" or action == "read"
c.ServerApp.authorizer_class = Reader
"""
NOBODY = READER.replace(' or action == "read"', "")


def test_the_list_and_one_table(running, store):
    assert running.get("arrowshm/tables").json["tables"] == []
    info = store.share(TABLE, "trips")
    answer = running.get("arrowshm/tables")
    (table,) = answer.json["tables"]
    assert table["num_rows"] == 2 and table["num_columns"] == 2 and table["nbytes"] == info.nbytes
    assert [column["name"] for column in table["schema"]] == ["fare", "city"]
    assert answer.json["free"] > 0 and answer.json["protocol"] == 1
    assert answer.json["total"] == answer.json["used"] + answer.json["free"]
    assert answer.json["limited_by"] in ("file system", "memory", "container")
    assert "path" not in table
    assert running.get("arrowshm/tables/trips").json["path"] == info.path


def test_a_list_that_did_not_change_is_not_sent_again(running, store):
    store.share(TABLE, "trips")
    tag = running.get("arrowshm/tables").headers["Etag"]
    assert running.get("arrowshm/tables", If_None_Match=tag).status == 304
    store.share(TABLE, "fares")
    assert running.get("arrowshm/tables", If_None_Match=tag).status == 200


def test_what_is_changed_over_http_is_changed(running, store, peer):
    peer().run("shm.share(pa.table({'a': [1]}), 'trips')")
    assert running.request("PUT", "arrowshm/tables/trips/pin").status == 204
    assert store.info("trips").pinned and running.tables()["trips"]["pinned"]
    assert running.request("DELETE", "arrowshm/tables/trips/pin").status == 204
    assert not store.info("trips").pinned
    attached = store.attach("trips")
    assert running.request("DELETE", "arrowshm/tables/trips").status == 204
    assert store.names() == [] and attached.num_rows == 1


def test_gc_removes_what_nobody_uses(running, store, peer):
    other = peer()
    other.run("shm.share(pa.table({'a': [1]}), 'left'); shm.share(pa.table({'a': [1]}), 'kept', pin=True)")
    other.kill()
    removed = running.request("POST", "arrowshm/gc").json["removed"]
    assert list(removed) == ["left"] and store.names() == ["kept"]
    with pytest.raises(shm.TableNotFound, match="removed just now: nobody used it"):
        store.attach("left")


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("arrowshm/tables/nope", 404, "TableNotFound"),
        ("arrowshm/tables/100%25", 404, "TableNotFound"),
        ("arrowshm/tables/a%20b", 400, "InvalidName"),
        ("arrowshm/tables/..%2Fsecret", 400, "InvalidName"),
        ("arrowshm/tables/%00", 400, "InvalidName"),
    ],
)
def test_errors_are_json_for_people(running, path, status, reason):
    answer = running.get(path)
    assert answer.status == status and answer.json["reason"] == reason
    assert answer.json["message"] and "Traceback" not in answer.body and "%%" not in answer.body


def test_a_removal_has_its_own_reason_and_not_that_of_one_that_failed(running, store):
    running.tables()
    listener = running.listen()
    assert running.request("DELETE", "arrowshm/tables/trips").status == 404
    store.share(TABLE, "trips")
    listener.until("published", "trips")
    store.unshare("trips")
    assert listener.until("removed", "trips")["reason"] == ""
    store.share(TABLE, "trips")
    listener.until("published", "trips")
    assert running.request("DELETE", "arrowshm/tables/trips").status == 204
    assert listener.until("removed", "trips")["reason"] == "it was unshared in the sidebar"
    listener.close()


def test_an_unsafe_directory_is_said(running, store, directory):
    store.share(TABLE, "trips")
    directory.chmod(0o755)
    answer = running.get("arrowshm/tables")
    assert answer.status == 503 and answer.json["reason"] == "UnsafeDirectory" and "chmod 700" in answer.json["message"]
    directory.chmod(0o700)
    assert list(running.tables()) == ["trips"]


def test_every_route_by_who_asks(running, server, store):
    """Without a token, or denied, a user gets nothing; a reader may only read; an allowed user may do everything."""
    store.share(TABLE, "trips")
    servers = {"reader": server(config_file=READER), "nobody": server(config_file=NOBODY), "allowed": running}
    for one in servers.values():
        pq.write_table(TABLE, one.root / "rides.parquet")
    for method, path, status, reads in ROUTES:
        found = {who: running.request(method, path).status for who, running in servers.items()}
        found["no token"] = servers["allowed"].request(method, path, token=None).status
        assert found == {
            "reader": status if reads else 403,
            "nobody": 403,
            "allowed": status,
            "no token": 403,
        }, (method, path)


def test_the_description_is_valid_and_complete(description):
    validate(description)
    from jupyter_arrowshm.server.handlers import HANDLERS

    described = {
        (re.sub(r"\{(name|place)\}", "([^/]+)", path), method.upper())
        for path, methods in description["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (re.sub(r"\?P<\w+>", "", path), method)
        for path, handler in HANDLERS
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH")
        if getattr(handler, method.lower()) is not getattr(web.RequestHandler, method.lower())
    }
    assert served == described
    asked = [(method, re.sub("trips|team", "([^/]+)", f"/{path.partition('?')[0]}")) for method, path, _, _ in ROUTES]
    assert {(path, method) for method, path in asked} == served


def test_what_is_sent_is_what_is_described(running, store, description):
    store.share(TABLE, "trips")
    held = store.attach("trips")
    store.share(TABLE.slice(1), "trips")
    schemas = description["components"]["schemas"]
    table = running.tables()["trips"]
    assert set(table) == set(schemas["Table"]["required"])
    assert set(schemas["Table"]["properties"]) == {*table, "path"}
    for process in (table["publisher"], *table["holders"], *table["older"][0]["holders"]):
        assert set(schemas["Process"]["required"]) <= set(process) <= set(schemas["Process"]["properties"])
    assert held.num_rows == 2


def test_asking_is_no_activity_of_the_user(running):
    """Idle servers are culled by last_activity: a sidebar must not keep one alive."""
    before = running.get("api/status").json["last_activity"]
    for _ in range(3):
        running.get("arrowshm/tables")
    assert running.get("api/status").json["last_activity"] == before


def test_metrics(running, store):
    store.share(TABLE, "trips")
    running.tables()
    metrics = dict(line.split() for line in running.get("metrics").body.splitlines() if line.startswith("arrowshm_"))
    assert metrics["arrowshm_tables"] == "1.0" and metrics["arrowshm_users"] == "1.0"
    assert float(metrics["arrowshm_bytes"]) == store.info("trips").nbytes
    assert metrics["arrowshm_problem"] == "0.0" and running.get("arrowshm/tables").json["problem"] is None


def test_a_directory_that_cannot_be_looked_at_is_said_until_it_can(running, store, directory):
    def problem() -> str:
        metrics = dict(line.split() for line in running.get("metrics").body.splitlines() if line[:9] == "arrowshm_")
        return metrics["arrowshm_problem"]

    store.share(TABLE, "trips")
    running.tables()  # somebody watches, and looks are frequent
    directory.chmod(0o755)
    while problem() != "1.0":
        time.sleep(0.05)
    directory.chmod(0o700)
    while problem() != "0.0":
        time.sleep(0.05)
