"""SQL over shared tables: what it answers, and that it reads nothing else, changes nothing and comes to an end."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from servers import Answer, Server

import jupyter_arrowshm as shm
from jupyter_arrowshm.errors import QueryStopped
from jupyter_arrowshm.looking import sql
from jupyter_arrowshm.looking.questions import SqlQuestion
from jupyter_arrowshm.preview import Patience, Unwanted

TRIPS = pa.table({"zone": [1, 2, 1], "fare": [12.5, 9.0, 2.5]})
ZONES = pa.table({"zone": [1, 2], "name": ["Old town", "Lake"]})


def ask(server: Server, statement: str, share: str = "") -> Answer:
    method, path = ("PUT", f"arrowshm/sql/{share}") if share else ("POST", "arrowshm/sql")
    return server.request(method, path, data=json.dumps({"statement": statement}))


def rows(answer: Answer) -> dict[str, list[Any]]:
    assert answer.status == 200, answer.body
    found: dict[str, list[Any]] = pa.ipc.open_stream(answer.data).read_all().to_pydict()
    return found


def test_tables_are_joined_looked_at_and_shared(running, store):
    store.share(TRIPS, "trips")
    store.share(ZONES, "Zones of 2026".replace(" ", "-"))
    statement = (
        'FROM Trips JOIN "zones-of-2026" USING (zone) SELECT name, sum(fare) AS fares GROUP BY name ORDER BY name'
    )
    answer = ask(running, statement)
    assert rows(answer) == {"name": ["Lake", "Old town"], "fares": [9.0, 15.0]}
    assert answer.headers["X-Arrowshm-Cut"] == "false"
    assert ask(running, statement, "fares").json == {"name": "fares", "num_rows": 2}
    assert store.attach("fares").to_pydict() == {"name": ["Lake", "Old town"], "fares": [9.0, 15.0]}
    assert "fares" in running.tables()
    assert rows(ask(running, "SELECT count(*) AS n FROM fares")) == {"n": [2]}
    # Somebody else's table keeps its name.
    assert ask(running, statement, "trips").status == 409
    assert store.attach("trips").equals(TRIPS)
    # Of many rows the first are shown, and all are shared.
    answer = ask(running, "SELECT * FROM range(100000) r(n)")
    assert rows(answer)["n"] == list(range(1000)) and answer.headers["X-Arrowshm-Cut"] == "true"
    assert ask(running, "SELECT * FROM range(100000) r(n)", "many").json["num_rows"] == 100_000
    assert store.attach("many")["n"].to_pylist() == list(range(100_000))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT content FROM read_text('{file}')",
        "SELECT content FROM read_blob('/proc/self/environ')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('{file}')",
        "SELECT * FROM query('SELECT * FROM read_csv(''{file}'')')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT getenv('HOME')",
        "ATTACH '{folder}/other.db'",
        "COPY trips TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{file}'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "RESET lock_configuration",
        "CALL enable_logging()",
        "CREATE TABLE t AS SELECT 1",
        "INSERT INTO trips VALUES (1, 2)",
        "DROP VIEW trips",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "",
        "nonsense",
        "SELECT nothing FROM trips",
        "FROM no_such_table",
        "FROM store",  # a variable of ours
    ],
)
def test_nothing_but_shared_tables_is_read_and_nothing_is_changed(running, store, tmp_path: Path, statement: str):
    secret = tmp_path / "secret.csv"
    secret.write_text("what nobody may read\n1\n")
    store.share(TRIPS, "trips")
    answer = ask(running, statement.format(file=secret, folder=tmp_path))
    assert answer.status == 400 and answer.json["reason"] == "InvalidQuery", answer.body
    assert "nobody may read" not in answer.body and "Traceback" not in answer.body
    assert list(tmp_path.iterdir()) == [secret]
    assert store.names() == ["trips"] and store.attach("trips").equals(TRIPS)


def test_a_statement_without_end_or_bound_is_stopped(running, store):
    """... in memory, and in time, and when nobody waits for it any more."""
    store.share(TRIPS, "trips")
    too_much = ask(
        running, "SELECT list(a.n || b.n || 'a text of some length') FROM range(100000) a(n), range(1000) b(n)"
    )
    assert too_much.status == 503 and too_much.json["reason"] == "QueryStopped"
    looks = itertools.chain([True] * 5, itertools.repeat(False))
    endless = SqlQuestion(
        "", store.directory, statement="SELECT count(*) FROM range(1000000000) a, range(1000000000) b"
    )
    with pytest.raises(Unwanted):
        sql.run(endless, Patience(60, lambda: next(looks)))
    with pytest.raises(QueryStopped, match=r"took longer than 0\.5 s"):
        sql.run(endless, Patience(0.5))
    # Nothing half-made is shared.
    assert ask(running, "SELECT 1 / n FROM range(10) r(n) WHERE error('stop') IS NULL", "half").status == 400
    assert store.names() == ["trips"]


def test_a_result_is_a_table_like_any_other(running, store, peer):
    store.share(TRIPS, "trips")
    assert ask(running, "FROM trips", "copy").json["num_rows"] == 3
    assert shm.Store(store.directory).info("copy").publisher.label.startswith("preview")
    other = peer()
    other.run("copied = shm.attach('copy', to='pandas')")
    assert ask(running, "SELECT max(fare) AS most FROM trips", "copy").json["num_rows"] == 1, (
        "its own table is replaced"
    )
    other.run("assert len(copied) == 3")
