"""A file of the server's folder as a table: nothing is loaded, nothing runs, and no file can hurt the server."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from servers import Answer, Server

NESTED = pa.array([[{"a": 1, "b": "x"}], None, [], [{"a": 2, "b": None}]] * 25)
TABLE = pa.table(
    {
        "n": pa.array(range(100), pa.int64()),
        "city": pa.array(["Oslo", None, "Lima", "Bern"] * 25).dictionary_encode(),
        "parts": NESTED,
        "parts.list": pa.array(["a name like a path"] * 100),
    }
)
# Two columns may have one name.
TABLE = TABLE.append_column("n", pa.array([str(number) for number in range(100)]))
DENY_CONTENTS = """
from jupyter_server.auth import Authorizer
class NoFiles(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "contents"
c.ServerApp.authorizer_class = NoFiles
"""


def ask(server: Server, what: str, path: str, **query: Any) -> Answer:
    text = {key: value if isinstance(value, (str, int)) else json.dumps(value) for key, value in query.items()}
    return server.get(f"arrowshm/file{what and '/'}{what}?{urlencode({'path': path, **text})}")


def about(server: Server, path: str) -> dict[str, Any]:
    answer = ask(server, "", path)
    assert answer.status == 200, answer.body
    return answer.json


def rows(server: Server, path: str, **query: Any) -> pa.Table:
    answer = ask(server, "rows", path, **query)
    assert answer.status == 200, answer.body
    return pa.ipc.open_stream(answer.data).read_all()


def write_arrow(table: pa.Table, path: Path, compression: str | None = None, rows: int = 30) -> None:
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(path, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)


def write(name: str, table: pa.Table, path: Path) -> None:
    if name.endswith("parquet"):
        # Parquet's own word for what is in a list is not Arrow's.
        pq.write_table(table, path, row_group_size=30, use_compliant_nested_type=False)
    else:
        write_arrow(table, path, "zstd" if name.startswith("packed") else None)


@pytest.mark.parametrize("name", ["rides.parquet", "rides.arrow", "packed.feather"])
def test_every_route_answers_as_for_the_same_table_when_it_is_shared(running, store, name):
    store.share(TABLE, "rides")
    write(name, TABLE, running.root / name)
    found = about(running, name)
    assert found["num_rows"] == 100 and not found["is_cut"] and found["name"] == name
    assert [column["name"] for column in found["schema"]] == TABLE.schema.names
    assert [column["type"] for column in found["schema"]] == [str(field.type) for field in TABLE.schema]
    sorted_down = {"sort": [{"column": 0, "descending": True}]}
    for what, query in [
        ("rows", {}),
        ("rows", sorted_down),
        ("rows", {"offset": 55, "limit": 10, "columns": [4, 2]}),
        ("rows", {"filter": {"column": 1, "op": "==", "value": "Lima"}}),
        ("summary", {}),
        ("find", {"text": "lima", "row": 30}),
        ("cell", {"row": 33, "column": 2}),
        ("group", {"by": 1}),
        ("points", {}),
        ("export", {**sorted_down, "columns": [0, 1, 3]}),
    ]:
        of_file = ask(running, what, name, version=found["version"], **query)
        text = urlencode(
            {key: value if isinstance(value, (str, int)) else json.dumps(value) for key, value in query.items()}
        )
        of_table = running.get(f"arrowshm/tables/rides/{what}?{text}")
        assert (of_file.status, of_table.status) == (200, 200), of_file.body
        version = store.info("rides").version
        assert plain(what, of_file.data, found["version"]) == plain(what, of_table.data, version), what
    posted = running.request("POST", f"arrowshm/file/rows?path={name}", data=json.dumps({**sorted_down, "limit": 1}))
    assert pa.ipc.open_stream(posted.data).read_all().column(0)[0].as_py() == 99
    # Nothing was shared or loaded, and no kernel was asked.
    assert store.names() == ["rides"] and store.loaded.names() == []
    assert running.get("api/kernels").json == []


def plain(what: str, data: bytes, version: str) -> Any:
    """An answer without what tells the file from the table."""
    if what == "export":
        return data
    if what != "rows":
        return {**json.loads(data), "version": ""}
    table = pa.ipc.open_stream(data).read_all()
    facts = json.loads(table.schema.metadata[b"arrowshm.preview"])
    assert facts.pop("version") == version
    return facts, [table.column(number).to_pylist() for number in range(table.num_columns)]


def test_the_first_rows_of_a_csv_file(running):
    line = '1,"Bern,\nold town",2.5\n'
    size = 17 << 20
    (running.root / "long.csv").write_text("n,city,fare\n" + line * (size // len(line)))
    found = about(running, "long.csv")
    assert found["is_cut"] and 0 < found["num_rows"] < size // len(line)
    assert (found["num_rows"] + 1) * len(line) + len("n,city,fare\n") > 16 << 20  # all that are whole
    last = rows(running, "long.csv", offset=found["num_rows"] - 1)
    assert last.to_pylist() == [{"n": 1, "city": "Bern,\nold town", "fare": 2.5}]
    with gzip.open(running.root / "rides.tsv.gz", "wt") as file:
        file.write("n\tcity\n1\tLima\n2\t\n")
    assert not about(running, "rides.tsv.gz")["is_cut"]
    assert rows(running, "rides.tsv.gz").to_pylist() == [{"n": 1, "city": "Lima"}, {"n": 2, "city": None}]


def test_a_file_that_was_replaced_has_another_version(running):
    path = running.root / "rides.parquet"
    for way in ("renamed", "written into"):
        pq.write_table(TABLE.select([1]), path)
        first = ask(running, "", "rides.parquet")
        tag = first.headers["Etag"]
        assert ask_again(running, tag).status == 304
        assert rows(running, "rides.parquet", version=first.json["version"]).num_rows == 100
        other = path.with_suffix(".new") if way == "renamed" else path
        pq.write_table(TABLE.select([1]).slice(40), other)
        os.replace(other, path)
        assert ask_again(running, tag).json["num_rows"] == 60
        older = ask(running, "rows", "rides.parquet", version=first.json["version"])
        if way == "renamed":  # it is still open
            assert pa.ipc.open_stream(older.data).read_all().num_rows == 100
        else:
            assert older.status == 409 and older.json["reason"] == "TableReplaced"
        assert rows(running, "rides.parquet").num_rows == 60


def ask_again(server: Server, tag: str) -> Answer:
    return server.get("arrowshm/file?path=rides.parquet", If_None_Match=tag)


def test_only_files_that_the_contents_api_gives(running, server, tmp_path):
    root = running.root
    for path in (root / ".hidden", root / "folder", root.with_name(f"{root.name}-2")):
        path.mkdir()
        pq.write_table(TABLE, path / "rides.parquet")
    for path, status in {
        "folder/rides.parquet": 200,
        "/folder/rides.parquet": 200,
        "folder": 422,
        "": 400,
        "nothing.parquet": 404,
        ".hidden/rides.parquet": 404,
        f"../{root.name}-2/rides.parquet": 404,
        f"folder/../../{root.name}-2/rides.parquet": 404,
    }.items():
        for what in ("", "rows"):
            answer = ask(running, what, path)
            assert answer.status == status, (path, answer.body)
            assert status == 200 or answer.json["message"]
    # Whatever a question says about files is not believed: the path in the URL alone counts.
    body = {"file": str(root / ".hidden" / "rides.parquet"), "what": "about", "directory": "/"}
    assert running.request("POST", "arrowshm/tables/nothing/rows", data=json.dumps(body)).status == 404
    denying = server(config_file=DENY_CONTENTS)
    pq.write_table(TABLE, denying.root / "rides.parquet")
    assert [ask(denying, what, "rides.parquet").status for what in ("", "rows", "export")] == [403] * 3
    assert denying.get("arrowshm/tables").status == 200


def test_what_is_no_table_is_said_in_words(running):
    root = running.root
    whole = root / "whole.parquet"
    pq.write_table(TABLE, whole)
    (root / "text.parquet").write_text("hello, this is text")
    (root / "short.parquet").write_bytes(whole.read_bytes()[:-20])
    (root / "short.arrow").write_bytes(b"ARROW1\0\0" + b"x" * 100)
    (root / "old.feather").write_bytes(b"FEA1" + b"\0" * 100 + b"FEA1")
    (root / "empty.csv").touch()
    (root / "uneven.csv").write_text("a,b\n1,2\n3\n")
    (root / "notes.txt").write_text("hello")
    os.mkfifo(root / "pipe.parquet")
    with pa.ipc.new_stream(root / "stream.arrow", TABLE.schema) as writer:
        writer.write_table(TABLE)
    for name, words in {
        "text.parquet": "damaged, or another kind of file",
        "short.parquet": "damaged, or another kind of file",
        "short.arrow": "damaged, or another kind of file",
        "old.feather": "version 1 of the Feather format",
        "empty.csv": "it is empty",
        "uneven.csv": "Expected 2 columns, got 1",
        "notes.txt": "does not tell that it is a table",
        "pipe.parquet": "it is not a file",
        "stream.arrow": "an Arrow stream",
    }.items():
        answer = ask(running, "", name)
        assert answer.status == 422 and answer.json["reason"] == "LoadFailed", (name, answer.body)
        assert words in answer.json["message"] and name in answer.json["message"]
        assert str(root) not in answer.json["message"] and "Traceback" not in answer.body
    assert about(running, "whole.parquet")["num_rows"] == 100


def test_a_garbled_file_never_stops_the_preview(running):
    """Each answer is a page or a sentence, and the next file is shown as ever."""
    dice = random.Random(1)
    for name in ("rides.parquet", "packed.feather", "rides.arrow"):
        write(name, TABLE, running.root / name)
        whole = (running.root / name).read_bytes()
        for number in range(12):
            data = bytearray(whole)
            for _ in range(dice.choice([1, 4, 16])):
                data[dice.randrange(len(data))] = dice.randrange(256)
            other = f"{number}-{name}"
            (running.root / other).write_bytes(data)
            for what in ("", "rows", "summary"):
                answer = ask(running, what, other)
                assert answer.status in (200, 400, 422, 503), answer.body
                assert answer.status == 200 or answer.json["message"]
        assert rows(running, name).num_rows == 100


def test_what_would_need_too_much_memory_is_refused_with_the_line_that_has_it(running, store):
    """A row group of texts that are each the same takes no room in the file, and too much here."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 400_000, pa.int32()), pa.array(["x" * 10_000]))
    small = pa.array(range(400_000))
    plain = pa.table({"n": small, "long": texts}).cast(pa.schema([("n", pa.int64()), ("long", texts.type)]))
    path = running.root / "my rides.parquet"
    pq.write_table(plain, path, store_schema=False)
    assert path.stat().st_size < 10 << 20
    assert (
        rows(running, "my rides.parquet", columns=[0], sort=[{"column": 0, "descending": True}])["n"][0].as_py()
        == 399_999
    )
    answer = ask(running, "rows", "my rides.parquet")
    assert answer.status == 503 and answer.json["reason"] == "QueryStopped", answer.body
    assert "more memory than it may have" in answer.json["message"]
    line = re.search(r"%attach '(.*)'", answer.json["message"])
    assert line and line[1] == str(path)
    # The remedy, for the column that fits on a machine of any size.
    assert store.attach(line[1], columns=["n"]).num_rows == 400_000
    workers = [
        one for one in psutil.Process(running.process.pid).children() if "preview_worker" in " ".join(one.cmdline())
    ]
    assert workers, "refused, and not killed"
