"""Julia's side of loading; what every client does is in ``tests/conformance/test_loading.py``."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from julia_peers import throws
from waiting import eventually

import jupyter_arrowshm as shm
from jupyter_arrowshm.loading import Files

TRIPS = pa.table({"fare": [7.5, 12.0, None], "city": ["Bergen", "Oslo", "Oslo"]})


@pytest.fixture
def trips(tmp_path: Path, julia: Any, directory: Path) -> Path:
    """A file, and a Julia that finds this Python by ``PATH``."""
    path = tmp_path / "trips 2026.parquet"
    pq.write_table(TRIPS, path)
    search = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    julia.run(f'ENV["PATH"] = {json.dumps(search)}; cd({json.dumps(str(tmp_path))})')
    return path


def test_a_file_is_loaded_once_and_again_when_it_has_changed(julia: Any, store: shm.Store, trips: Path) -> None:
    julia.run('t = attach("./trips 2026.parquet")')
    assert julia.get("(sum(skipmissing(t.fare)), t.city)") == [19.5, TRIPS["city"].to_pylist()]
    [table] = store.loaded.tables()
    assert table.name == julia.get(f"ArrowSHM.name_of_address({json.dumps(str(trips))})")
    assert (table.origin, [holder.pid for holder in table.holders]) == (str(trips), [julia.pid])
    # It is there: neither language loads it again, and Julia asks nobody.
    julia.run('ENV["PATH"] = "/nonexistent"; again = attach("../" * basename(pwd()) * "/trips 2026.parquet")')
    assert julia.get("again.fare === t.fare || ArrowSHM.is_same(again, t)") is True
    assert store.attach(trips).equals(TRIPS)
    assert [one.version for one in store.loaded.tables()] == [table.version]
    pq.write_table(TRIPS.slice(1), trips)
    with throws(
        "NoPython: .* no Python with it was found. Install it .pip install jupyter-arrowshm.*`jupyter arrowshm`"
    ):
        julia.run('attach("./trips 2026.parquet")')
    julia.run(f'ENV["PATH"] = {json.dumps(str(Path(sys.executable).parent))}; newer = attach("./trips 2026.parquet")')
    assert julia.get("(newer.city, ArrowSHM.isolder(t), length(t.city))") == [["Oslo", "Oslo"], True, 3]
    # What Python loaded, Julia attaches, and the other way round.
    other = trips.with_name("more.parquet")
    pq.write_table(TRIPS, other)
    store.attach(other)
    julia.run(f'ENV["PATH"] = "/nonexistent"; more = attach({json.dumps(str(other))})')
    assert julia.get("length(more.city)") == 3


def test_a_part_of_a_file_is_a_table_of_its_own(julia: Any, store: shm.Store, trips: Path) -> None:
    frame = TRIPS.to_pandas().set_index(pa.array([10, 20, 40]).to_pandas())
    frame.index.name = "at"
    frame.to_parquet(trips)
    julia.run("""part = attach("./trips 2026.parquet"; columns = ["city", "fare"], where = " fare > 10 ")""")
    # pandas' index was loaded, too, and was not asked for.
    assert julia.get("(names(part), part.city, part.fare, size(part))") == [["city", "fare"], ["Oslo"], [12.0], [1, 2]]
    assert julia.get('attach("./trips 2026.parquet"; where = "fare > 10").at') == [20]
    # It is the same table in Python, and no part is loaded twice.
    versions = {table.name: table.version for table in store.loaded.tables()}
    assert store.attach(trips, columns=["city", "fare"], where="fare > 10").to_pydict() == {
        "city": ["Oslo"],
        "fare": [12],
    }
    julia.run('path = ENV["PATH"]; ENV["PATH"] = "/nonexistent"')
    again = """attach("./trips 2026.parquet"; columns = ["city", "fare"], where = "fare > 10")"""
    assert julia.get(f"{again}.city") == ["Oslo"]
    assert {table.name: table.version for table in store.loaded.tables()} == versions
    julia.run('ENV["PATH"] = path')
    for words, said in {
        'columns = ["citi"]': "^LoadFailed: no column 'citi' in .*Did you mean 'city'",
        'where = "fare = 10"': "^LoadFailed: this filter cannot be read .*write == to compare",
        'columns = ["city"], where = "fare > rand()"': "^LoadFailed: .rand.*. cannot be part of a filter",
    }.items():
        with throws(said):
            julia.run(f'attach("./trips 2026.parquet"; {words})')
    assert {table.name for table in store.loaded.tables()} == set(versions)


def test_columns_of_a_shared_table(julia: Any, store: shm.Store) -> None:
    store.share(TRIPS, "t")
    assert julia.get("""(t = attach("t"; columns = ["city", "fare"]); (names(t), t.city, t[2][1], t.fare[1]))""") == [
        ["city", "fare"],
        ["Bergen", "Oslo", "Oslo"],
        7.5,
        7.5,
    ]
    assert julia.get("""names(attach("t"; columns = "city"))""") == ["city"]
    with throws('no column "citi" in "t". Did you mean "city"'):
        julia.run("""attach("t"; columns = ["citi"])""")
    with throws("where= is for files"):
        julia.run("""attach("t"; where = "fare > 1")""")


def test_a_loaded_table_by_its_name(julia: Any, store: shm.Store, trips: Path) -> None:
    store.attach(trips)
    [name] = store.loaded.names()
    quoted = json.dumps(name)
    assert julia.get(f"(ArrowSHM.info({quoted}).origin, attach({quoted}).city[1])") == [str(trips), "Bergen"]
    julia.run(f"ArrowSHM.pin({quoted})")
    assert store.info(name).pinned and julia.get(f"ArrowSHM.info({quoted}).pinned") is True
    julia.run(f"Session.clear(); ArrowSHM.unpin({quoted})")
    assert not store.info(name).pinned
    julia.run(f"unshare({quoted})")
    assert not store.loaded.names()
    for call in ("ArrowSHM.info", "ArrowSHM.pin", "unshare", "attach"):
        with throws(f"^TableNotFound: there is no shared table {quoted}"):
            julia.run(f"{call}({quoted})")
    # A shared table comes first.
    store.attach(trips)
    store.share({"mine": [1]}, name)
    assert julia.get(f"names(attach({quoted}))") == ["mine"]
    julia.run(f"unshare({quoted})")
    assert store.loaded.names() == [name] and not store.names()


def test_how_far_another_process_is(julia: Any, store: shm.Store, trips: Path) -> None:
    """What the process that loads says about it reaches who waits."""
    name = Files(trips).name
    folder = Path(store.loaded.directory) / ".loading"
    folder.mkdir(0o700, parents=True)
    os.chmod(folder.parent, 0o700)
    os.chmod(folder.parent.parent, 0o700)
    fd = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.pwrite(fd, f"{1_500_000:19} {3_000_000:19}\n".encode(), 0)
    told = trips.with_name("told")
    julia.start(f"""
        tell(done, total) = write({json.dumps(str(told))}, "$done of $total")
        attach({json.dumps(str(trips))}; progress = tell).city
    """)
    eventually(lambda: told.exists() and told.read_text() == "1500000 of 3000000")
    os.close(fd)
    assert julia.wait() == TRIPS["city"].to_pylist()


def test_loaded_tables_are_listed_apart_and_collected(julia: Any, store: shm.Store, trips: Path) -> None:
    julia.run('share("mine", (a = [1],)); t = attach("./trips 2026.parquet")')
    assert julia.get("[table.name for table in tables()]") == ["mine"]
    assert julia.get("[(table.origin, table.num_rows) for table in tables().loaded]") == [[str(trips), 3]]
    for kind in ("text/plain", "text/html"):
        shown = julia.get(f'sprint(show, MIME("{kind}"), tables())')
        assert "loaded table" in shown and str(trips) in shown and shown.index("mine") < shown.index("loaded table")
    assert julia.get("ArrowSHM.gc()") == {}
    julia.run("t = nothing")
    [name] = julia.get("collect(keys(ArrowSHM.gc()))")
    assert name.startswith("trips_2026.parquet-") and not store.loaded.tables()


def test_errors_of_files_are_python_s_own(julia: Any, store: shm.Store, trips: Path) -> None:
    notes = trips.with_name("notes.txt")
    notes.touch()
    for path, said in {
        "/nowhere/x.parquet": "/nowhere/x.parquet cannot be loaded: there is no such file or directory.",
        str(notes): f"{notes} cannot be loaded: its name does not tell its format. It may end in .parquet, ",
        "gopher://x/y.csv": "gopher://x/y.csv cannot be loaded: ",
    }.items():
        with throws("^LoadFailed: " + said.replace(".", r"\.")):
            julia.run(f'attach("{path}")')
    trips.write_bytes(trips.read_bytes()[:100])
    with throws("LoadFailed: .*trips 2026.parquet cannot be loaded: "):
        julia.run('attach("./trips 2026.parquet")')
    assert not store.loaded.tables()


def test_which_python(julia: Any, tmp_path: Path) -> None:
    """That of the environment with this package in it, then that of the command on ``PATH``; no link is followed."""
    home = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    programs = [
        tmp_path / "env" / "bin" / "python3.11",
        tmp_path / "bin" / "python3",
        tmp_path / "bin" / "jupyter-arrowshm",
    ]
    for path in programs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(sys.executable)
    julia.run(f'path = ENV["PATH"]; ENV["PATH"] = {json.dumps(str(tmp_path / "bin"))}')
    find = f"ArrowSHM.find_python({json.dumps(str(home))})"
    assert julia.get(find) == str(programs[0])
    programs[0].unlink()
    assert julia.get(find) == str(programs[1])
    assert julia.get('ArrowSHM.find_python("/a/checkout")') == str(programs[1])
    julia.run('ENV["PATH"] = ""')
    with throws("NoPython"):
        julia.run(find)
    julia.run('ENV["PATH"] = path')


def test_a_function_is_called_where_there_is_no_table(julia: Any, store: shm.Store, directory: Path) -> None:
    julia.run("""
        calls = Ref(0)
        load() = attach("t") do
            calls[] += 1
            (a = [1, 2],)
        end
    """)
    assert julia.get("(load().a, load().a, calls[])") == [[1, 2], [1, 2], 1]
    assert julia.get('attach(length, "t")') == (directory / "t.arrow").stat().st_size, "of one argument: its bytes"
    with throws("^LoadsItself: .own. is being loaded by the very code that asks for it"):
        julia.run('attach(() -> attach(() -> (a = [1],), "own"), "own")')
    # Another name, or another task that then waits, is not itself.
    assert julia.get('attach(() -> (a = attach(() -> (b = [3],), "inner").b,), "outer").a') == [3]
    for code, error in {
        'error("no network")': "ErrorException: no network",
        "17": "UnsupportedSource",
        'throw(SystemError("x", 13))': "SystemError: SystemError: x",
    }.items():
        with throws(f"^{error}"):
            julia.run(f'attach(() -> {code}, "none")')
    assert not (directory / "none.arrow").exists() and not list((directory / ".loaded" / ".loading").iterdir())


def test_an_interrupt_gives_the_turn_back(julia: Any, store: shm.Store, directory: Path) -> None:
    julia.run("ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0)")
    begun = directory.parent / "begun"
    for code in ("sleep(600)", "while true; rand(9) end"):
        begun.unlink(missing_ok=True)
        julia.start(f"""
            try
                attach("t") do
                    touch({json.dumps(str(begun))})
                    {code}
                end
            catch error
                string(typeof(error))
            end
        """)
        while not begun.exists():
            time.sleep(0.001)
        assert julia.interrupt() == "InterruptException"
        assert not list((directory / ".loaded" / ".loading").iterdir())
    assert julia.get('attach(() -> (a = [1],), "t").a') == [1]
