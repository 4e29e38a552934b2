"""Julia and R read what another user shares, as that user lets them, and what is in a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import julia_peers
import pyarrow as pa
import pytest
import r_peers
from interpreter import Failure, Interpreter
from peers import Peer
from people import Class, User

import jupyter_arrowshm as shm

PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"
Start = Callable[[User], Peer]


class Dialect:
    """How a client is written."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.program = julia_peers.program() if kind == "julia" else r_peers.program()
        self.start: type[Interpreter] = julia_peers.Julia if kind == "julia" else r_peers.R

    def attach(self, name: str, place: str, more: str = "") -> str:
        if self.kind == "julia":
            return f"attach({json.dumps(name)}; from={json.dumps(place)}{more})"
        return f"attach_table({json.dumps(name)}, from = {json.dumps(place)}{more})"

    def total(self, table: str) -> str:
        return f"sum({table}.a)" if self.kind == "julia" else f"sum({table}$a)"

    def tables(self, place: str) -> str:
        if self.kind == "julia":
            return f"tables(from={json.dumps(place)})"
        return f"shared_tables(from = {json.dumps(place)})"

    def names(self, listed: str) -> str:
        """Name, rows, columns and use of each table, as one text."""
        if self.kind == "julia":
            return f"join([string(t.name, ' ', t.num_rows, ' ', t.num_columns, ' ', t.usage) for t in {listed}], ';')"
        return f"with({listed}, paste(name, rows, columns, in_use_by, collapse = ';'))"

    def shown(self, listed: str) -> str:
        if self.kind == "julia":
            return f'repr("text/plain", {listed}) * repr("text/html", {listed})'
        html = f"arrowshm:::repr_html.arrowshm_tables({listed})"
        return f"paste(c(capture.output(print({listed})), {html}), collapse = ' ')"

    def set(self, variable: str, value: str) -> str:
        if self.kind == "julia":
            return f"ENV[{json.dumps(variable)}] = {json.dumps(value)}"
        return f"Sys.setenv({variable} = {json.dumps(value)})"


@pytest.fixture(scope="module", params=["julia", "R"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return Dialect(request.param)


@pytest.fixture
def read_as(dialect: Dialect, parent: Path) -> Iterator[Callable[[User], Interpreter]]:
    """A process of this user; Julia's compiled code goes where that user may write."""
    started: list[Interpreter] = []

    def start(user: User) -> Interpreter:
        become = ("setpriv", "--reuid", user.name, "--regid", str(user.gid), "--init-groups")
        if subprocess.run([*become, "test", "-x", dialect.program], check=False).returncode:
            pytest.skip(f"other users may not run {dialect.program}: it was not tried as another user")
        home = parent / f"home-{user.name}"
        home.mkdir()
        os.chown(home, user.uid, user.gid)
        depot = f"{home}:{julia_peers.environment()['JULIA_DEPOT_PATH']}"
        private = f"{parent}/jupyter-arrowshm-{user.uid}"
        env = {"HOME": str(home), "TMPDIR": str(home), "JULIA_DEPOT_PATH": depot, PARENT: str(parent)}
        started.append(
            dialect.start(dialect.program, env={**env, "JUPYTER_ARROWSHM_DIR": private}, cwd=home, prefix=become)
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()


def test_what_another_user_shares(
    people: Class, as_user: Start, dialect: Dialect, read_as: Callable[[User], Interpreter], parent: Path
) -> None:
    ada, eve = map(as_user, (people.ada, people.eve))
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': [1, 2, 3]}), 'trips')")
    ada.run(f"shm.place('group:{people.group}').share(pa.table({{'a': [4]}}), 'marks')")
    name = people.ada.name
    reader = read_as(people.ben)
    reader.run(f"trips = {dialect.attach('trips', name)}; marks = {dialect.attach('marks', name)}")
    assert reader.get(dialect.total("trips")) == 6 and reader.get(dialect.total("marks")) == 4
    holders = ada.get("[(h.pid, h.user) for h in mine.info('trips').holders]")
    assert set(holders) == {(ada.pid, ""), (reader.pid, people.ben.name)}
    with pytest.raises(Failure, match=f'TableNotFound: there is no shared table "nope" from {name}'):
        reader.run(dialect.attach("nope", name))
    with pytest.raises(Failure, match='PlaceNotFound: there is no place "nobody-here"'):
        reader.run(dialect.attach("trips", "nobody-here"))

    # One who keeps the table locked keeps nobody from reading it.
    eve.run(f"held = open('{parent}/jupyter-arrowshm-{people.ada.uid}-open/trips.arrow', 'rb')")
    ada.run("mine.share(pa.table({'a': [10, 20]}), 'trips')")
    eve.run(f"held = open('{parent}/jupyter-arrowshm-{people.ada.uid}-open/trips.arrow', 'rb')")
    eve.run("fcntl.flock(held, fcntl.LOCK_EX)")
    assert reader.get(dialect.total(dialect.attach("trips", name))) == 30
    ada.kill()
    assert reader.get(dialect.total("trips")) == 6, "it keeps the version that it has"

    reader.run(dialect.set("JUPYTER_ARROWSHM_OPEN_PLACES", "0"))
    with pytest.raises(Failure, match=r"PlaceFailed: .* cannot be used: tables are not shared among users here"):
        reader.run(dialect.attach("trips", name))


def test_what_is_not_as_its_owner_alone_can_make_it(
    people: Class, as_user: Start, dialect: Dialect, read_as: Callable[[User], Interpreter], parent: Path
) -> None:
    ada = as_user(people.ada)
    ada.run(f"shm.place('group:{people.group}').share(pa.table({{'a': [4]}}), 'marks')")
    name, reader = people.ada.name, read_as(people.eve)
    with pytest.raises(Failure, match=r"UnsafeDirectory: .* is not open to you. Ask its owner to share with a group"):
        reader.run(dialect.attach("marks", name))
    folder = parent / f"jupyter-arrowshm-{people.ada.uid}-open"
    shutil.rmtree(parent / f"jupyter-arrowshm-{people.ada.uid}-g{people.gid}")

    # Each offset is checked before anything is read by it.
    ada.run("mine = shm.place('everyone'); mine.share(pa.table({'a': ['x', 'yy'], 'n': [1, 2]}), 'trips')")
    table = folder / "trips.arrow"
    read = f"{dialect.attach('trips', name)}.a[2]" if dialect.kind == "julia" else dialect.attach("trips", name)
    reader.run(read)
    if dialect.kind == "R":
        assert reader.get("length(arrowshm:::session$checked)") == 1
        reader.run(read)
        assert reader.get("length(arrowshm:::session$checked)") == 1, "once for each version"
    wrong = table.read_bytes().replace(b"\1\0\0\0\3\0\0\0", b"\1\0\0\0\3\0\0\x70")
    table.unlink()
    table.write_bytes(wrong)
    os.chown(table, people.ada.uid, people.ada.gid)
    with pytest.raises(Failure, match=r"Damaged(Table|Column): "):
        reader.run(read)

    # Neither a directory that others write to, nor a link, nor one of another user's is taken for the publisher's.
    folder.chmod(0o777)
    with pytest.raises(Failure, match=r"UnsafeDirectory: .* can be written by others than its owner"):
        reader.run(dialect.attach("trips", name))
    folder.chmod(0o755)
    moved = folder.rename(parent / "moved")
    folder.symlink_to(moved)
    with pytest.raises(Failure, match=r"UnsafeDirectory: .* is a symbolic link. Ask its owner or an administrator to"):
        reader.run(dialect.attach("trips", name))
    folder.unlink()
    folder.mkdir()
    os.chown(folder, people.ben.uid, people.ben.gid)
    with pytest.raises(
        Failure, match=rf"UnsafeDirectory: .* belongs to user {people.ben.uid}, not to user .*Ask its owner or an admin"
    ):
        reader.run(dialect.attach("trips", name))


def test_what_is_in_a_folder(dialect: Dialect, store: shm.Store, directory: Path, tmp_path: Path) -> None:
    team = tmp_path / "team"
    shm.place(str(team)).share(pa.table({"a": [1, 2, 3]}), "trips")
    config = tmp_path / "config"
    config.mkdir()
    (config / "arrowshm.json").write_text(json.dumps({"places": {"course": str(team)}}))
    reader = dialect.start(
        dialect.program,
        env={
            "JUPYTER_ARROWSHM_DIR": str(directory),
            "JUPYTER_ARROWSHM_PLACES": json.dumps({"team": str(team)}),
            "JUPYTER_CONFIG_DIR": str(config),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    try:
        empty = tmp_path / "empty"
        empty.mkdir()
        assert reader.get(dialect.names(dialect.tables(str(empty)))) == ""
        with pytest.raises(Failure, match="PlaceNotFound: "):
            reader.run(dialect.tables("nobody-of-this-name"))
        shm.place(str(team)).share(pa.table({"b": ["x"]}), "zürich")
        for place in (str(team), "team", "course"):
            listed = reader.get(dialect.names(dialect.tables(place)))
            assert listed == "trips 3 1 use not known;zürich 1 1 use not known"
            shown = reader.get(dialect.shown(dialect.tables(place)))
            assert shown.count("zürich") == 2 and "use not known" in shown
            reader.run(f"trips = {dialect.attach('trips', place)}")
            assert reader.get(dialect.total("trips")) == 6
        [table] = store.loaded.tables()
        assert [holder.pid for holder in table.holders] == [reader.pid], "loaded once"
        with pytest.raises(Failure, match="LoadFailed: there is no shared table 'nope' from team"):
            reader.run(dialect.attach("nope", "team"))
        reader.run(dialect.set("PATH", "/nonexistent"))
        with pytest.raises(Failure, match="NoPython"):
            reader.run(dialect.attach("trips", "team"))
        with pytest.raises(Failure, match="NoPython"):
            reader.run(dialect.tables("team"))
    finally:
        reader.kill()
