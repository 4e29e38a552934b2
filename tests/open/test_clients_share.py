"""Julia and R share in other places: with other users of this machine, in folders and in buckets."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pyarrow as pa
import pytest
from buckets import Bucket, free_port, server, there
from dialects import Dialect
from interpreter import Failure, Interpreter, fails
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from peers import Peer
from people import Class, User
from waiting import eventually

import jupyter_arrowshm as shm

__all__ = ["server", "there"]

Start = Callable[..., Interpreter]
COLUMNS: dict[str, list[object]] = {
    "city": ["Oslo", None, "Zürich"],
    "fare": [1.5, 2.5, None],
    "ok": [True, False, True],
}
# Random numbers, which no compression makes smaller: 24 MB.
LARGE = {"julia": "(x = rand(3_000_000),)", "R": "data.frame(x = runif(3e6))"}


@pytest.fixture
def start(dialect: Dialect, directory: Path) -> Iterator[Start]:
    """A process of the client, or of another one, in this test's store."""
    started: list[Interpreter] = []

    def start(language: str = "", *, prefix: tuple[str, ...] = (), **env: str) -> Interpreter:
        one = Dialect(language) if language else dialect
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {"JUPYTER_ARROWSHM_DIR": str(directory), "PATH": path, **env}
        started.append(one.start(one.program, env=env, prefix=prefix))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def drafts(directory: Path) -> list[str]:
    """What is in the store's directory without a table's name: dot files, and files that only a descriptor leads to."""
    found = [str(file) for file in directory.glob(".new-*")]
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            numbers = os.listdir(f"/proc/{process.pid}/fd")
            for number in numbers:
                with contextlib.suppress(OSError):
                    found.append(os.readlink(f"/proc/{process.pid}/fd/{number}"))
    return [file for file in found if file.startswith((f"{directory}/#", f"{directory}/.new-"))]


def senders(place: str) -> list[int]:
    """The Pythons that send a table there."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if f"--to={place}" in process.cmdline() and process.name().startswith("python"):
                found.append(process.pid)
    return found


def test_a_table_in_a_folder_or_bucket(
    dialect: Dialect, there: Bucket, start: Start, store: shm.Store, directory: Path
) -> None:
    one, place, table = start(), shm.place(there.address), dialect.frame(**COLUMNS)
    one.run(dialect.share(table, "trips", there.address))
    assert there.files() == ["trips.arrow"] and place.attach("trips").to_pydict() == COLUMNS
    for language in ("julia", "R"):
        reader = Dialect(language)
        other = one if language == dialect.kind else start(language)
        other.run(f"trips = {reader.attach('trips', there.address)}")
        assert {name: other.get(reader.column("trips", name)) for name in COLUMNS} == COLUMNS
    # The client has shared it, and not the Python that sent it; so the client may replace it, and nobody else.
    found = place.info("trips")
    assert (found.publisher.pid, found.publisher.language) == (one.pid, dialect.kind)
    assert found.source == {"julia": "NamedTuple", "R": "data.frame"}[dialect.kind]
    one.run(dialect.share(dialect.frame(fare=[9.5, 1.0]), "trips", there.address))
    assert place.attach("trips")["fare"].to_pylist() == [9.5, 1.0]
    with pytest.raises(shm.TableExists):
        place.share({"a": [1]}, "trips")
    place.share(pa.table({"a": [1]}), "other")
    with fails(rf"^TableExists: .other. was shared by .*take it over with {dialect.replace}\.$"):
        one.run(dialect.share(table, "other", there.address))
    assert place.attach("other").column_names == ["a"]
    one.run(dialect.share(table, "other", there.address, "replace"))
    assert place.attach("other").to_pydict() == COLUMNS
    one.run(dialect.unshare("other", there.address))
    with fails(r"^TableNotFound: there is no shared table .trip. from .*\. Did you mean .trips.\?$"):
        one.run(dialect.unshare("trip", there.address))
    assert there.files() == ["trips.arrow"] and store.names() == [] == drafts(directory)


def test_users_of_this_machine(
    people: Class,
    as_user: Callable[[User], Peer],
    dialect: Dialect,
    read_as: Callable[[User], Interpreter],
    parent: Path,
) -> None:
    ada, ben, eve = read_as(people.ada), as_user(people.ben), as_user(people.eve)
    ada.run(dialect.share(dialect.frame(**COLUMNS), "trips", "everyone"))
    ada.run(dialect.share(dialect.frame(a=[1.0, 2.0]), "marks", f"group:{people.group}"))
    files = {name: parent / f"jupyter-arrowshm-{people.ada.uid}-{name}" for name in ("open", f"g{people.gid}")}
    modes = {name: (_mode(file), *map(_mode, file.glob("*.arrow"))) for name, file in files.items()}
    assert modes == {"open": ("0o755", "0o444"), f"g{people.gid}": ("0o750", "0o440")}
    marks = files[f"g{people.gid}"]
    assert {file.stat().st_gid for file in (marks, *marks.glob("*.arrow"))} == {people.gid}
    name = people.ada.name
    for reader in (ben, eve):
        reader.run(f"ada = shm.place({name!r}); trips = ada.attach('trips')")
        assert reader.get("trips.to_pydict()") == COLUMNS
    assert ben.get("ada.attach('marks')['a'].to_pylist()") == [1.0, 2.0]
    with pytest.raises(shm.ArrowSHMError):
        eve.run("ada.attach('marks')")
    # It lives, and is counted; its own table it may replace, and readers keep theirs.
    holders = {(ada.pid, name), (eve.pid, people.eve.name), (ben.pid, "")}
    assert set(ben.get("[(h.pid, h.user) for h in ada.info('trips').holders]")) == holders
    ada.run(dialect.share(dialect.frame(a=[3.0, 4.0]), "trips", name))
    assert ben.get("trips.to_pydict()") == COLUMNS and ben.get("ada.attach('trips')['a'].to_pylist()") == [3.0, 4.0]
    for place, said in {
        people.ben.name: f"{people.ben.name} holds the tables of {people.ben.name}, which nobody else can change",
        "group:nobody-s": r"group:nobody-s is not a group that you are in. You are in .*" + people.group,
    }.items():
        with fails(f"^PlaceFailed: {said}"):
            ada.run(dialect.share(dialect.frame(a=[1.0, 2.0]), "trips", place))
    ada.run(dialect.unshare("marks", f"group:{people.group}"))
    with fails("^TableNotFound: there is no shared table .marks. from group:"):
        ada.run(dialect.unshare("marks", f"group:{people.group}"))
    ada.kill()
    # Another process of the same user: the name is somebody else's, who has ended.
    again = read_as(people.ada)
    with fails(rf"^TableExists: .trips. was shared by .*, which has ended\. .*{dialect.replace}"):
        again.run(dialect.share(dialect.frame(a=[5.0, 6.0]), "trips", "everyone"))
    again.run(dialect.share(dialect.frame(a=[5.0, 6.0]), "trips", "everyone", "replace"))
    assert ben.get("ada.attach('trips')['a'].to_pylist()") == [5.0, 6.0]
    again.run(dialect.set("JUPYTER_ARROWSHM_OPEN_PLACES", "0"))
    with fails("^PlaceFailed: everyone cannot be used: tables are not shared among users here"):
        again.run(dialect.share(dialect.frame(a=[5.0, 6.0]), "trips", "everyone"))


def _mode(file: Path) -> str:
    return oct(stat.S_IMODE(file.stat().st_mode))


def test_what_cannot_be_is_said_in_one_line(
    dialect: Dialect, start: Start, store: shm.Store, directory: Path, tmp_path: Path
) -> None:
    one, table = start(), dialect.frame(**COLUMNS)
    (tmp_path / "file").write_text("")
    closed = f"s3://k:a-secret@b/x?scheme=http&endpoint_override={quote(f'127.0.0.1:{free_port()}')}&region=us-east-1"
    failing = {
        f"{tmp_path}/file/tables": r"^PlaceFailed: .*/file/tables cannot be used \(.*\)\. Nothing was changed there\.$",
        "/proc/nowhere": r"^PlaceFailed: /proc/nowhere cannot be used \(.*\)\. Nothing was changed there\.$",
        closed: r"^PlaceFailed: s3://b/x ",
        "nobody-of-this-name": '^PlaceNotFound: there is no place "nobody-of-this-name"',
    }
    for place, said in failing.items():
        for code in (dialect.share(table, "trips", place), dialect.unshare("trips", place)):
            if "unshare" in code and not place.startswith(("s3", "nobody")):
                continue
            with pytest.raises(Failure) as caught:
                one.run(code)
            with fails(said):
                raise caught.value
            assert "\n" not in str(caught.value) and "a-secret" not in str(caught.value)
    with fails("^InvalidName: .a b. cannot be a table's name"):
        one.run(dialect.share(table, "a b", str(tmp_path)))
    with fails("pin is for tables of this machine"):
        one.run(dialect.share(table, "trips", str(tmp_path), "pin"))
    one.run(dialect.set("PATH", "/nonexistent"))
    with fails("^NoPython: "):
        one.run(dialect.share(table, "trips", str(tmp_path / "team")))
    assert store.names() == [] == drafts(directory) and sorted(path.name for path in tmp_path.rglob("*")) == ["file"]


@pytest.mark.parametrize("moment", ["it writes the file", "Python runs", "Python is killed"])
def test_killed_while_it_shares(dialect: Dialect, start: Start, directory: Path, tmp_path: Path, moment: str) -> None:
    """What was there stays, or the new table is there, whole; of the file that was handed over nothing is left."""
    team = str(tmp_path / "team")
    shm.place(team).share(pa.table({"x": [1.5]}), "t")
    one = start()
    one.run(dialect.share(dialect.frame(x=[1.0, 2.0]), "warm", team))
    one.run(f"large = {LARGE[dialect.kind]}")
    one.start(dialect.share("large", "t", team, "replace"))
    if moment == "it writes the file":
        eventually(lambda: bool(drafts(directory)))
    else:
        eventually(lambda: bool(senders(team)))
    if moment == "Python is killed":
        os.kill(senders(team)[0], 9)
        with fails(rf"^PlaceFailed: {team} may not have done it: the Python that asks it was killed\. Try again\.$"):
            one.wait()
        one.run(dialect.share("large", "t", team, "replace"))
        assert shm.place(team).info("t").num_rows == 3_000_000
    else:
        one.kill()
        eventually(lambda: not senders(team))
        assert shm.place(team).attach("t").num_rows in (1, 3_000_000)
    assert drafts(directory) == [] == shm.Store(directory).names()


@needs_mount_namespace
def test_a_full_disk(dialect: Dialect, start: Start, directory: Path, tmp_path: Path) -> None:
    """The store's, that of temporary files, and that of the place: 8 MB each."""
    script = []
    for name in ("store", "temporary", "team"):
        (tmp_path / name).mkdir()
        script.append(f"mount -t tmpfs -o size=8m none {tmp_path / name}")
    one = start(
        prefix=(*MOUNT_NAMESPACE, "sh", "-c", f'{" && ".join(script)} && exec "$@"', "sh"),
        TMPDIR=str(tmp_path / "temporary"),
    )
    one.run(f"large = {LARGE[dialect.kind]}")
    team, elsewhere = str(tmp_path / "team"), str(tmp_path / "elsewhere")
    with fails(rf"^NoRoom: this table needs 24.* MB, but only .* is free in {tmp_path}/temporary"):
        one.run(dialect.share("large", "t", elsewhere))
    one.run(dialect.set("TMPDIR", "/tmp"))
    with fails(rf"^PlaceFailed: {team} cannot be used \(No space left on device\)\. Nothing was changed there\.$"):
        one.run(dialect.share("large", "t", team))
    one.run(dialect.set("JUPYTER_ARROWSHM_DIR", str(tmp_path / "store" / "tables")))
    with fails(rf"^NoRoom: this table needs 24.* MB, but only .* is free in {tmp_path}/store/tables"):
        one.run(dialect.share("large", "t", elsewhere))
    assert not os.path.exists(elsewhere) and drafts(directory) == []
    with pytest.raises(Failure, match=r"TableNotFound"):
        one.run(dialect.attach("t", team))
