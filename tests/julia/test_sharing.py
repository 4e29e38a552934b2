"""Two languages, one protocol: locks, who uses what, deaths, names."""

# ruff: noqa: E501 -- Julia code, and tables of literals
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from julia_peers import FLAGS, Julia, environment, program, throws
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import Directory
from jupyter_arrowshm.core.lock import EXCLUSIVE, try_lock, unlock

TABLE = pa.table({"x": range(1000), "s": [str(i) for i in range(1000)]})


def eventually(true: Callable[[], bool]) -> None:
    """The kernel drops a dead process's locks a moment after it can be waited for."""
    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert true()


def labels(store: shm.Store, name: str) -> list[tuple[int | None, str]]:
    return sorted((holder.pid, holder.language) for holder in store.info(name).holders)


def entries(directory: Path) -> set[str]:
    found = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return found - {".live", ".pins"}


# -- names -------------------------------------------------------------------------------------------------------------


def test_near_names(julia: Any, store: shm.Store) -> None:
    for name in ("trips", "trips_2023", "fares"):
        store.share(TABLE, name)
    with throws(r'^TableNotFound: there is no shared table "tripps". Did you mean "trips"\?$'):
        julia.run('attach("tripps")')
    with throws(r'^TableNotFound: there is no shared table "x". tables\(\) lists what is shared.$'):
        julia.run('attach("x")')
    with throws('no column "xx" in "trips"'):
        julia.run('attach("trips").xx')


# -- locks -------------------------------------------------------------------------------------------------------------


@needs_mount_namespace
def test_an_empty_list_of_locks_is_no_list_of_nobody(julia_program: str, directory: Path, tmp_path: Path) -> None:
    """A container may have an empty file in the place of /proc/locks: used or not is known then, but not by how many."""
    script = tmp_path / "julia"
    inside = f'mount --bind /dev/null /proc/locks && exec {julia_program} "$@"'
    script.write_text(f"#!/bin/sh\nexec {' '.join(MOUNT_NAMESPACE)} sh -c '{inside}' - \"$@\"\n")
    script.chmod(0o700)
    one = Julia(str(script), env={"JUPYTER_ARROWSHM_DIR": str(directory)})
    try:
        one.run('share("t", (x = [1],)); t = attach("t"); i = tables()[1]')
        assert one.get("(ArrowSHM.in_use_by(i), i.countable)") == ["in use", False]
        assert one.get('occursin(r"in use(?! by)", repr("text/plain", tables()))') is True
    finally:
        one.kill()


def test_the_directory_lock_excludes_the_other_language(julia: Any, store: shm.Store, directory: Path) -> None:
    store.share(TABLE, "trips")
    with Directory(directory).lock():
        with throws("Busy: .* was busy for 0.05 s"):
            julia.run("Stores.locked(identity, 0.05)")
        assert julia.get('length(attach("trips"))') == 2  # attaching needs no such lock
    julia.start("Stores.locked(at -> (sleep(0.5); 0))")
    eventually(lambda: is_locked(directory))
    with pytest.raises(shm.Busy), Directory(directory).lock(timeout=0.01):
        pass
    assert julia.wait() == 0
    with Directory(directory).lock(timeout=5):
        pass


def is_locked(directory: Path) -> bool:
    fd = os.open(directory / ".live", os.O_RDONLY | os.O_DIRECTORY)
    try:
        if try_lock(fd, EXCLUSIVE):
            unlock(fd)
            return False
        return True
    finally:
        os.close(fd)


# -- who uses what -----------------------------------------------------------------------------------------------------


def ageless(listing: str) -> list[list[str]]:
    """The cells of a list of tables, without how long ago each was shared, which a moment later reads otherwise."""
    return [re.split("  +", re.sub(r"just now|\d+ \w+ ago", "", line)) for line in listing.splitlines()]


def test_holders_are_counted_alike(julia: Any, store: shm.Store, new_julia: Any) -> None:
    store.share(TABLE, "trips")
    assert labels(store, "trips") == [(os.getpid(), "python")]
    other = new_julia()
    other.run('t = attach("trips")')
    julia.run('t = attach("trips"); x = t.x; s = view(t.s, 1:2); t = nothing')
    expected = sorted([(os.getpid(), "python"), (julia.pid, "julia"), (other.pid, "julia")])
    assert labels(store, "trips") == expected
    seen = julia.get('[(h.pid, h.language) for h in ArrowSHM.info("trips").holders]')
    assert sorted(map(tuple, seen)) == expected
    assert f"julia (pid {other.pid})" in str(store.tables())
    assert ageless(julia.get('sprint(show, MIME("text/plain"), tables())')) == ageless(repr(store.tables()))
    # A column alone keeps it, a view of another one alone too; then nothing does.
    julia.run("x = nothing; ArrowSHM.let_go()")
    assert len(labels(store, "trips")) == 3
    julia.run("s = nothing; ArrowSHM.let_go()")
    assert len(labels(store, "trips")) == 2
    other.kill()
    eventually(lambda: labels(store, "trips") == [(os.getpid(), "python")])


def test_notebook_macros(julia: Any, store: shm.Store) -> None:
    store.share(TABLE, "trips")

    def printed(code: str) -> Any:
        return julia.get(f"Session.printed({json.dumps(code)})")

    assert printed("@attach trips") == f"trips: 1,000 rows x 2 columns, {size(store)}, attached\n"
    julia.run("x = trips.x")
    assert len(labels(store, "trips")) == 2
    assert printed("@detach trips").startswith("trips: still attached, a column")
    julia.run("x = nothing")
    assert printed('@attach again = "trips" wait=1').endswith(", attached\n")
    assert printed("@detach again") == "trips: detached\n"
    assert len(labels(store, "trips")) == 1
    julia.run('delays = (carrier = ["AA", "UA"], mean = [1.2, missing])')
    assert printed("@share delays").startswith("delays: 2 rows x 2 columns, ")
    assert printed('@share "more" delays pin=true').endswith(", shared\n")
    assert store.info("more").pinned
    assert store.attach("delays").to_pydict() == {"carrier": ["AA", "UA"], "mean": [1.2, None]}
    with throws('^Brief: there is no shared table "tripz"'):
        julia.run("@attach tripz")


def size(store: shm.Store) -> str:
    from jupyter_arrowshm import words

    return words.size(store.info("trips").nbytes)


def test_older_versions(julia: Any, store: shm.Store) -> None:
    store.share(TABLE, "trips")
    julia.run('old = attach("trips")')
    assert julia.get("ArrowSHM.isolder(old)") is False
    store.share(TABLE.slice(0, 10), "trips")
    assert julia.get("ArrowSHM.isolder(old)") is True
    assert julia.get("sum(old.x)") == sum(range(1000))
    (version,) = store.info("trips").older
    assert [holder.pid for holder in version.holders] == [julia.pid]
    assert julia.get('[h.pid for h in ArrowSHM.info("trips").older[1].holders]') == [julia.pid]
    store.unshare("trips")
    (removed,) = store.tables().removed
    assert removed.name == "trips"
    assert ageless(julia.get('sprint(show, MIME("text/plain"), tables())')) == ageless(repr(store.tables()))
    assert "older version" in julia.get("sprint(show, old)")


def test_a_child_of_run_keeps_nothing(new_julia: Any, store: shm.Store) -> None:
    store.share(TABLE, "trips")
    julia = new_julia()
    julia.run('t = attach("trips"); t.x; share("mine", (x = [1],))')
    child = julia.get("child = run(`sleep 600`; wait = false); getpid(child)")
    try:
        julia.kill()
        eventually(lambda: labels(store, "trips") == [(os.getpid(), "python")])
        eventually(lambda: store.info("mine").publisher.alive is False)
        assert store.info("mine").unused
        os.kill(child, 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


# -- ownership ---------------------------------------------------------------------------------------------------------


def test_ownership(julia: Any, store: shm.Store, new_julia: Any) -> None:
    store.share(TABLE, "theirs")
    with throws('^TableExists: "theirs" was shared by .*. Pick another name, or take it over with replace=true.$'):
        julia.run('share("theirs", (x = [1],))')
    julia.run('share("theirs", (x = [1],); replace = true)')
    with pytest.raises(shm.TableExists, match=f"shared by julia \\(pid {julia.pid}\\)"):
        store.share(TABLE, "theirs")
    julia.run('share("theirs", (x = [2],))')  # one's own may always be replaced
    other = new_julia()
    other.run('share("dead", (x = [1],))')
    other.quit()
    with throws("TableExists: .*which has ended"):
        julia.run('share("dead", (x = [1],))')


@pytest.fixture
def programs(new_julia: Any, tmp_path: Path) -> Callable[..., Julia]:
    """Start a script, or a kernel that has a notebook, whose paths are below a directory of the test's."""
    for name in ("below", "bin"):
        (tmp_path / name).mkdir()
    for name in ("etl.jl", "bin/serve"):
        (tmp_path / name).write_text(f"include({json.dumps(str(Path(__file__).parent / 'loop.jl'))})")
    for name in ("model.ipynb", "below/model.ipynb"):
        (tmp_path / name).write_text("{}")

    def start(script: str, *arguments: str, notebook: str = "", cwd: str = ".") -> Julia:
        env = {"JPY_SESSION_NAME": str(tmp_path / notebook) if notebook else ""}
        return new_julia(str(tmp_path / script), *arguments, env=env, cwd=tmp_path / cwd)

    return start


FIRST, LATER = ("kernel-0123-abcd.json", "/run/kernel-v2-9876.json")
# First publisher, who comes after it, whether that one may once the first has ended. While it lives, nobody may.
OWNERS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "the same program": ({"words": ["a", "--day", "1"]}, {"words": ["a", "--day", "1"]}, True),
    "other arguments": ({"words": ["a", "b"]}, {"words": ["a b"]}, False),
    "another directory": ({}, {"cwd": "below"}, False),
    "a launcher": ({"script": "bin/serve"}, {"script": "bin/serve"}, False),
    "a restarted kernel": ({"words": [FIRST]}, {"words": [f"/run/{FIRST}"]}, True),
    "another kernel": ({"words": [FIRST]}, {"words": [LATER]}, False),
    "a notebook again": (
        {"words": [FIRST], "notebook": "model.ipynb"},
        {"words": [LATER], "notebook": "model.ipynb"},
        True,
    ),
    "a notebook elsewhere": (
        {"words": [FIRST], "notebook": "model.ipynb"},
        {"words": [LATER], "notebook": "below/model.ipynb"},
        False,
    ),
    "a console": ({"words": [FIRST], "notebook": "Console 1"}, {"words": [LATER], "notebook": "Console 1"}, False),
}


@pytest.mark.parametrize("pair", OWNERS)
def test_who_may_replace_a_table(programs: Any, store: shm.Store, pair: str) -> None:
    def start(words: Any = (), script: str = "etl.jl", **keywords: str) -> Julia:
        return programs(script, *words, **keywords)

    one, other, allowed = OWNERS[pair]
    first, second = start(**one), start(**other)
    first.run('share("t", (x = [1],)); share("t", (x = [2],))')
    with throws("TableExists: .* was shared by"):
        second.run('share("t", (x = [3],))')
    first.kill()
    with contextlib.nullcontext() if allowed else throws("TableExists: .* has ended"):
        second.run('share("t", (x = [3],))')
    assert store.attach("t")["x"].to_pylist() == [3 if allowed else 2]


def test_a_notebook_that_goes_on_in_another_language(programs: Any, store: shm.Store, tmp_path: Path) -> None:
    python = Peer(kernel=f"/run/{FIRST}", env={"JPY_SESSION_NAME": str(tmp_path / "model.ipynb")})
    try:
        python.run("shm.share(pa.table({'x': [1]}), 'a')")
        julia = programs("etl.jl", LATER, notebook="model.ipynb")
        with throws("TableExists"):
            julia.run('share("a", (x = [2],))')
        python.kill()
        julia.run('share("a", (x = [2],)); share("b", (x = [2],))')
        julia.kill()
        python = Peer(kernel=f"/run/{FIRST}", env={"JPY_SESSION_NAME": str(tmp_path / "model.ipynb")})
        python.run("shm.share(pa.table({'x': [3]}), 'b')")
    finally:
        python.kill()
    assert [store.attach(name)["x"][0].as_py() for name in "ab"] == [2, 3]


def test_a_kernel_has_its_notebooks_name(programs: Any, store: shm.Store) -> None:
    julia = programs("etl.jl", FIRST, notebook="model.ipynb")
    julia.run('share("t", (x = [1],))')
    publisher = store.info("t").publisher
    assert (str(publisher), publisher.kernel_id) == ("model.ipynb (julia)", "0123-abcd")
    assert julia.get('string(ArrowSHM.info("t").holders[1])') == "model.ipynb (julia)"


def test_a_notebook_that_a_program_runs_again(new_julia: Any, store: shm.Store, tmp_path: Path) -> None:
    """It says which one on its command line; of several, none is meant."""
    (tmp_path / "a.ipynb").write_text("{}")
    run = "import subprocess, sys; i = sys.argv.index('--'); subprocess.call(sys.argv[i + 1:])"
    (tmp_path / "papermill").write_text(run)
    (tmp_path / "jupyter-nbconvert").write_text(run)
    julia = new_julia()
    path = json.dumps(str(tmp_path / "a.ipynb"))
    show = "using ArrowSHM; print(ArrowSHM.notebook_path())"
    for words, told in (
        (["papermill", "a.ipynb", "out.ipynb"], True),
        (["jupyter-nbconvert", "--output", "b.ipynb", "a.ipynb"], True),
        (["jupyter-nbconvert", "a.ipynb", "c.ipynb"], False),
    ):
        command = [sys.executable, *words, "--", program(), *FLAGS, "-e", show]
        ran = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
        assert ran.stdout == (str(tmp_path / "a.ipynb") if told else "")
    assert julia.get(f"ArrowSHM.digest_of({path})") == hashlib.sha256(os.fsencode(tmp_path / "a.ipynb")).hexdigest()


# -- removal and death -------------------------------------------------------------------------------------------------


def test_pin_and_gc(julia: Any, store: shm.Store, new_julia: Any) -> None:
    other = new_julia()
    for name in ("kept", "gone", "held"):
        other.run(f'share("{name}", (x = [1],))')
    julia.run('ArrowSHM.pin("kept"); held = attach("held")')
    other.kill()
    assert store.info("kept").pinned
    assert list(julia.get("ArrowSHM.gc()")) == ["gone"]
    assert [table.name for table in store.tables()] == ["held", "kept"]
    julia.run('ArrowSHM.unpin("kept"); held = nothing')
    assert sorted(julia.get("ArrowSHM.gc()")) == ["held", "kept"]
    # Each says what the other removed.
    with pytest.raises(shm.TableNotFound, match=r"It was removed just now: nobody used it when ArrowSHM.gc\(\) was"):
        store.attach("kept")
    third = new_julia()
    third.run('share("kept", (x = [1],))')
    third.kill()
    eventually(lambda: store.info("kept").unused)
    assert list(store.gc()) == ["kept"]
    with throws(
        r'TableNotFound: there is no shared table "kept". It was removed .*: nobody used it when gc\(\) was called'
    ):
        julia.run('attach("kept")')
    julia.run('share("kept", (x = [1],)); unshare("kept")')
    with throws(r'TableNotFound: there is no shared table "kept". tables\(\) lists'):
        julia.run('attach("kept")')


def test_kill_in_the_middle_of_sharing(new_julia: Any, store: shm.Store, directory: Path) -> None:
    """At many moments: the old version or the new one, never half of one, and nothing else is left."""
    rows = 1 << 20
    for delay in (0.0, 0.02, 0.05):
        julia = new_julia()
        julia.run(f'share("table", (x = fill(1, {rows}),); replace = true)')
        julia.start(f'big = fill(2, {rows}); while true; share("table", (x = big, y = big)); end')
        time.sleep(delay)
        julia.kill()
        table = store.attach("table", validate="full")
        assert set(table["x"].unique().to_pylist()) <= {1, 2}
        assert table.num_rows == rows
        del table
        eventually(lambda: store.info("table").unused)
    store.gc()
    assert entries(directory) - {".removed"} <= {name for name in entries(directory) if name.startswith(".removed")}


def test_a_draft_with_a_name(julia: Any, directory: Path, store: shm.Store) -> None:
    """What a file system without O_TMPFILE needs; abandoned, the next listing clears it."""
    julia.run('share("first", (x = [1],))')
    julia.run(f"""
        name = ArrowSHM.DRAFT_PREFIX * "0123456789abcdef"
        flags = ArrowSHM.O_CREAT | ArrowSHM.O_EXCL | ArrowSHM.O_RDWR
        draft = ArrowSHM.Draft(Stores.inside(at -> ArrowSHM.open_at(at, name, flags, 0o600)), name)
        ArrowSHM.try_lock(draft.file.fd, ArrowSHM.LOCK_EX)
        write(joinpath({json.dumps(str(directory))}, name), read(joinpath({json.dumps(str(directory))}, "first.arrow")))
    """)
    store.tables()
    assert (directory / ".new-0123456789abcdef").exists()
    access = f"ArrowSHM.Directory({json.dumps(str(directory))})"
    julia.run(f'Stores.locked(at -> ArrowSHM.publish(draft, at, "second", {access})); close(draft.file)')
    assert store.attach("second")["x"].to_pylist() == [1]
    (directory / ".new-abandoned").touch()
    julia.run("tables()")
    assert not list(directory.glob(".new-*"))


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_waiting(julia: Any, store: shm.Store) -> None:
    julia.start('sum(attach("late"; wait = 30).x)')
    time.sleep(0.2)
    store.share(TABLE, "late")
    assert julia.wait() == sum(range(1000))


def test_directories(julia: Any, directory: Path) -> None:
    assert julia.get("length(tables())") == 0
    assert not directory.exists()  # who only reads makes nothing
    with throws("TableNotFound"):
        julia.run('attach("x")')
    directory.mkdir(0o755)
    with throws("UnsafeDirectory: .* is open to other users. Run chmod 700"):
        julia.run("tables()")
    directory.rmdir()
    directory.symlink_to("/tmp")
    for call in ("tables()", 'share("x", (x = [1],))'):
        with throws("UnsafeDirectory: .* is a symbolic link. Remove it."):
            julia.run(call)
    directory.unlink()
    julia.run('ENV["JUPYTER_ARROWSHM_DIR"] = "relative"')
    with throws("UnsafeDirectory: relative is a relative path. Give an absolute one."):
        julia.run("tables()")


def test_room(julia: Any, store: shm.Store, directory: Path) -> None:
    julia.run('share("x", (x = [1],))')
    theirs, ours = (
        julia.get("ArrowSHM.directory_room(ArrowSHM.default_store().directory)"),
        Directory(directory).room().free,
    )
    assert abs(theirs - ours) < 0.2 * ours + (1 << 30)
    with throws("NoRoom: this table needs 8.8 PB, but only .* is free in"):
        julia.run("throw(ArrowSHM.no_room(ArrowSHM.default_store(), 8_800_000_000_000_000, 1))")


def test_files_that_are_no_tables(julia: Any, store: shm.Store, directory: Path) -> None:
    store.share(TABLE, "good")
    data = (directory / "good.arrow").read_bytes()
    (directory / "empty.arrow").touch()
    (directory / "text.arrow").write_text("hello, this is not a table at all")
    (directory / "half.arrow").write_bytes(data[: len(data) // 2])
    os.mkfifo(directory / "pipe.arrow")
    (directory / "link.arrow").symlink_to("good.arrow")
    for name in ("empty", "text", "half"):
        with throws(f'DamagedTable: "{name}" cannot be read: .* Share it again, or remove it'):
            julia.run(f'attach("{name}")')
    for name in ("pipe", "link"):
        with throws("TableNotFound"):
            julia.run(f'attach("{name}")')
    with pa.ipc.new_file(
        str(directory / "packed.arrow"), TABLE.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
    ) as w:
        w.write_table(TABLE)
    with throws("DamagedTable: .*it is compressed"):
        julia.run('attach("packed")')
    with pa.ipc.new_file(str(directory / "newer.arrow"), TABLE.schema, metadata={"arrowshm.protocol": "2"}) as w:
        w.write_table(TABLE)
    with throws("NewerProtocol: .*protocol 2, and this one knows 1"):
        julia.run('attach("newer")')
    assert "good" in julia.get("[t.name for t in tables()]")


def test_the_whole_file_goes_to_any_reader(julia: Any, store: shm.Store, directory: Path) -> None:
    store.share(TABLE, "trips")
    assert julia.get('attach(length, "trips")') == (directory / "trips.arrow").stat().st_size
    julia.run('struct Reader; bytes; end; reader = attach(Reader, "trips")')
    assert julia.get("String(reader.bytes[1:6])") == "ARROW1"
    assert len(labels(store, "trips")) == 2  # what it keeps of the bytes keeps the table
    julia.run("reader = nothing; ArrowSHM.let_go()")
    assert len(labels(store, "trips")) == 1


def test_the_prompt_s_answer(julia_program: str, store: shm.Store) -> None:
    """`@detach` takes what `ans` keeps, and `ans` goes on being the last answer, whichever module has it."""
    store.share(TABLE, "trips")
    lines = ["using ArrowSHM;", 'trips = attach("trips")', "@detach trips", "6 * 7", 'println("<", ans, ">")', "ans"]
    command = [julia_program, *FLAGS, "--compile=min", "-i"]
    found = subprocess.run(
        command, env=environment(), input="\n".join(lines), capture_output=True, text=True, check=True
    )
    assert "trips: detached" in found.stdout
    assert "<42>" in found.stdout and "ERROR" not in found.stderr


# -- many at once -----------------------------------------------------------------------------------------------------


def test_interrupts(julia: Any, store: shm.Store, directory: Path) -> None:
    """Ctrl-C while sharing: the old table or the new one, nothing half made, no lock kept."""
    rows = 1 << 21
    julia.run(f"ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0); big = fill(2, {rows})")
    julia.run(f'share("table", (x = fill(1, {rows}),))')
    interrupted = 0
    for delay in (0.01, 0.02, 0.05):
        begun = directory.parent / f"begun-{delay}"
        julia.start(f"""
            try
                touch({json.dumps(str(begun))})
                while true
                    share("table", (x = big, y = big, z = big))
                    yield()
                end
            catch error
                string(typeof(error))
            end
        """)
        while not begun.exists():
            time.sleep(0.001)
        time.sleep(delay)
        interrupted += julia.interrupt() == "InterruptException"
        assert not list(directory.glob(".new-*"))
        assert not is_locked(directory)
        assert set(store.attach("table", validate="full")["x"].unique().to_pylist()) <= {1, 2}
    assert interrupted == 3


def test_no_torn_read(julia: Any, directory: Path) -> None:
    """Python replaces the table all the time; what Julia attaches is one whole version each time."""
    peer = Peer()
    try:
        peer.run("shm.share(pa.table({'x': [0] * 50_000, 'y': [0] * 50_000}), 'table')")
        enough = directory.with_name("enough")
        share = "shm.share(pa.table({'x': pa.repeat(i, 50_000), 'y': pa.repeat(i, 50_000)}), 'table')"
        peer.run("import itertools, os")
        peer.start(
            f"for i in itertools.takewhile(lambda _: not os.path.exists({str(enough)!r}), itertools.count()): {share}"
        )
        julia.run(f"""
            seen = Set{{Int}}()
            for n in Iterators.countfrom(1)
                t = attach("table")
                x, y = t.x, t.y
                length(x) == length(y) == 50_000 && all(==(x[1]), x) && all(==(x[1]), y) || error("torn")
                push!(seen, x[1])
                n >= 300 && length(seen) >= 10 && break
            end
            touch("{enough}")
        """)
        peer.wait()
    finally:
        peer.kill()
    julia.run("ArrowSHM.let_go()")
    assert shm.info("table").older == ()


# -- real data --------------------------------------------------------------------------------------------------------


def flights() -> pa.Table:
    """All flights of 2013, where they are at hand, else rows of the same types."""
    try:
        from jupyter_arrowshm.cli.demo import read_flights

        return read_flights()
    except (ImportError, SystemExit):
        number = pa.array([None if i % 40 == 7 else i for i in range(100_000)], pa.int64())
        text = pa.array([None if i % 50 == 3 else f"N{i % 999}" for i in range(100_000)])
        hour = pa.array([1_357_016_400 + 3600 * i for i in range(100_000)], pa.timestamp("s", "UTC"))
        return pa.table(
            {**{f"n{i}": number for i in range(14)}, **{f"s{i}": text for i in range(4)}, "time_hour": hour}
        )


def test_flights(julia: Any, store: shm.Store) -> None:
    table = flights()
    assert table.num_columns == 19
    store.share(table, "flights")
    julia.run('t = attach("flights"); share("flights2", t)')
    back = store.attach("flights2", validate="full")
    assert back.equals(table.cast(back.schema)) and table.equals(back.cast(table.schema))
    for name, column in zip(table.column_names, table.columns, strict=True):
        there = f't["{name}"]'
        assert julia.get(f"count(ismissing, {there})") == column.null_count, name
        if pa.types.is_integer(column.type):
            assert julia.get(f"sum(skipmissing({there}))") == pc.sum(column).as_py(), name
        elif pa.types.is_string(column.type):
            assert julia.get(f"sum(sizeof, skipmissing({there}))") == pc.sum(pc.binary_length(column)).as_py(), name
