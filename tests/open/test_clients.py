"""Julia and R read what another user shares, as that user lets them, and what is in a folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from dialects import Dialect
from interpreter import Failure, Interpreter
from peers import Peer
from people import Class, User

import jupyter_arrowshm as shm

PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"
Start = Callable[[User], Peer]


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
    with pytest.raises(Failure, match=r"where=? is for files and clusters"):
        reader.run(dialect.attach("trips", name, ', where = "a > 1"'))
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
        with pytest.raises(Failure, match="where= is for files and clusters"):
            reader.run(dialect.attach("trips", "team", ', where = "a > 1"'))
        [table] = store.loaded.tables()
        assert [holder.pid for holder in table.holders] == [reader.pid], "loaded once"
        with pytest.raises(Failure, match=r"TableNotFound: there is no shared table .nope. from team"):
            reader.run(dialect.attach("nope", "team"))
        reader.run(dialect.set("PATH", "/nonexistent"))
        with pytest.raises(Failure, match="NoPython"):
            reader.run(dialect.attach("trips", "team"))
        with pytest.raises(Failure, match="NoPython"):
            reader.run(dialect.tables("team"))
    finally:
        reader.kill()
