"""Julia's side of loading; what every client does is in ``tests/conformance/test_loading.py``."""

from __future__ import annotations

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

import jupyter_arrowshm as shm

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
