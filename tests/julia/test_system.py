"""What Julia's client asks of the operating system: whole files, one kind of error, no interrupt in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from julia_peers import FLAGS, environment, throws
from kernel import MOUNT_NAMESPACE, needs_mount_namespace

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE, Directory

# -- whole files -------------------------------------------------------------------------------------------------------


def test_a_file_that_answers_in_pieces_is_read_to_its_end(julia: Any, tmp_path: Path) -> None:
    """A file of /proc gives a page at a time, a pipe what was written: a short answer is not the end."""
    pipe, more = tmp_path / "pipe", threading.Event()
    os.mkfifo(pipe)

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:
            for piece in (b"a" * 4000, b"b", b"c" * 4096, b"d" * 5000):
                file.write(piece)
                more.wait(0.1)  # the reader has this piece, and no other one

    writer = threading.Thread(target=write)
    writer.start()
    assert julia.get(f"ArrowSHM.read_text({json.dumps(str(pipe))})") == "a" * 4000 + "b" + "c" * 4096 + "d" * 5000
    writer.join()
    assert julia.get('ArrowSHM.read_text("/proc/self/maps")').count("\n") > 50


MANY_MOUNTS = """
mount -t tmpfs none "$1"
for i in $(seq 150); do mkdir "$1/$i" && mount -t tmpfs none "$1/$i" || exit 1; done
mount -t tmpfs -o size=2g none /dev/shm
test "$(wc -c < /proc/self/mountinfo)" -gt 8192 && tail -n 1 /proc/self/mountinfo | grep -q " /dev/shm " || exit 2
shift
exec "$@"
"""


@needs_mount_namespace
def test_both_languages_choose_the_same_directory_behind_many_mounts(julia_program: str, tmp_path: Path) -> None:
    (tmp_path / "mounts").mkdir()
    inside = [*MOUNT_NAMESPACE, "sh", "-c", MANY_MOUNTS, "sh", str(tmp_path / "mounts")]
    python = [sys.executable, "-c", "import jupyter_arrowshm as shm; print(shm.Store().directory)"]
    julia = [julia_program, *FLAGS, "-e", "using ArrowSHM; println(ArrowSHM.default_path())"]
    env = environment()
    env.pop(ENVIRONMENT_VARIABLE, None)
    found = [
        subprocess.run([*inside, *command], env=env, capture_output=True, text=True, check=True).stdout.strip()
        for command in (python, julia)
    ]
    assert found == [f"/dev/shm/jupyter-arrowshm-{os.geteuid()}"] * 2


# -- one kind of error -------------------------------------------------------------------------------------------------


def test_an_error_of_the_system_has_one_number(julia: Any, store: shm.Store) -> None:
    """Base has three types for it, and which function throws which depends on its release."""
    store.share(pa.table({"a": [1]}), "t")
    julia.run("""told = [
        SystemError("x", 5), Base.IOError("x", -5), Base.IOError("x", Base.UV_EOF), EOFError()
    ]""")
    assert julia.get("ArrowSHM.error_number.(told)") == [5] * 4
    for i in range(1, 5):
        with throws("StoreFailed: .* failed: Input/output error"):
            julia.run(f"Stores.inside(at -> throw(told[{i}]))")
    with throws("ErrorException: x"):
        julia.run('Stores.inside(at -> error("x"))')


def test_a_directory_that_cannot_be_read_is_a_typed_error(julia: Any, store: shm.Store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    with throws("StoreFailed|UnsafeDirectory"):
        julia.run('Stores.inside(at -> ArrowSHM.list_directory(ArrowSHM.open_at(at, "t.arrow", ArrowSHM.O_RDONLY).fd))')
    assert julia.get("Stores.inside(at -> ArrowSHM.list_directory(1_000_000))") == []


def test_a_column_of_a_file_that_was_cut_short(julia: Any, store: shm.Store) -> None:
    """What was mapped is the operating system's to defend; what is not yet mapped is found out first."""
    store.share(pa.table({"a": range(1 << 16), "b": [True, False] * (1 << 15)}), "t")
    julia.run('t = attach("t")')
    path = store.path("t")
    os.chmod(path, 0o600)
    os.truncate(path, 5000)
    for column in ("a", "b"):
        with throws(r"DamagedTable: .*it shrank"):
            julia.run(f"t.{column}")
    with throws(r"DamagedTable"):
        julia.run('attach("t")')


def test_a_file_s_number_has_64_bits(julia: Any, directory: Path) -> None:
    """Base's `stat` gives 32 of them. A large XFS has larger ones: no lock was found there, and nobody's name."""
    directory.mkdir()
    (directory / "file").write_bytes(b"12345")
    (directory / "link").symlink_to("file")
    facts = "(f = {}; [f.device, f.inode, f.mode, f.nlink, f.uid, f.size])"
    for path in (directory, directory / "file", directory / "link"):
        found = os.lstat(path)
        there = julia.get(facts.format(f"ArrowSHM.facts_at({json.dumps(str(path))})"))
        assert there == [found.st_dev, found.st_ino, found.st_mode, found.st_nlink, found.st_uid, found.st_size]
    for path in (directory / "none", directory / "file" / "none"):
        assert julia.get(f"ArrowSHM.facts_at({json.dumps(str(path))})") is None
    julia.run(
        "n = zeros(UInt64, 20); n[1], n[7], n[15], n[16] = 3 << 33, 5 << 40, 7, 500_000_000; f = ArrowSHM.Facts(n)"
    )
    assert julia.get("[f.device, f.inode, f.changed]") == [3 << 33, 5 << 40, 7_500_000_000]
    with throws("SystemError: fstat: Bad file descriptor"):
        julia.run("ArrowSHM.facts_of(1_000_000)")


# -- interrupts --------------------------------------------------------------------------------------------------------

STEPS = """
function steps(rows)
    while true
        t = attach("theirs")
        sum(t.x) == rows && t.s[1] == "a" || error("torn")
        share("ours", (a = t.x, b = ["x", missing]); replace = true)
        tables()
        GC.gc()
    end
end
"""


def open_in(process: Any, directory: Path) -> set[str]:
    """What the process has open in the store, but for the directory and its mark of life."""
    found = set()
    for fd in os.listdir(f"/proc/{process.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/{process.pid}/fd/{fd}"))
    return {path for path in found if path.startswith(f"{directory}/") and "/.live/" not in path}


def test_an_interrupt_at_any_moment_leaves_nothing_behind(julia: Any, store: shm.Store, directory: Path) -> None:
    """No lock, no descriptor, no table in use; and what is shared is whole."""
    rows, pick, begun = 2, random.Random(), directory.parent / "begun"
    store.share(pa.table({"x": [1] * rows, "s": ["a"] * rows}), "theirs")
    julia.run(f"ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0); {STEPS}")
    for _ in range(100):
        begun.unlink(missing_ok=True)
        julia.start(f"""
            try
                touch({json.dumps(str(begun))})
                steps({rows})
            catch error
                error isa InterruptException || rethrow()
                islocked(ArrowSHM.GUARD)
            end
        """)
        while not begun.exists():
            time.sleep(0.001)
        time.sleep(pick.uniform(0, 0.05))
        assert julia.interrupt() is False
        with Directory(directory).lock(timeout=0):
            assert not list(directory.glob(".new-*"))
    julia.run("ArrowSHM.gc()")
    assert julia.get("length(ArrowSHM.MAPPINGS)") == 0
    assert [holder.pid for holder in store.info("theirs").holders] == [os.getpid()]
    assert store.info("ours").older == () and store.attach("ours", validate="full").num_rows == rows
    assert open_in(julia, directory) == set()


def test_the_collector_lets_go_of_what_a_finalizer_lost(julia: Any, store: shm.Store) -> None:
    """An interrupt that comes into a finalizer takes it with it: Julia goes on without."""
    store.share(pa.table({"x": [1, 2]}), "t")
    julia.run("""
        function lose(t)
            kept = ArrowSHM.MAPPINGS[end]
            ArrowSHM.MAPPINGS[end] = ArrowSHM.Mapping(typeof(kept.start)(kept.start[]), kept.nbytes, kept.owner)
            kept.start[] = 0  # its finalizer has nothing to do
            nothing
        end
        lose(attach("t").x)
    """)
    julia.run("GC.gc(); GC.gc()")
    assert julia.pid in [holder.pid for holder in store.info("t").holders]
    julia.run("ArrowSHM.gc()")
    assert [holder.pid for holder in store.info("t").holders] == [os.getpid()]


# -- what others wrote -------------------------------------------------------------------------------------------------


def test_nothing_of_a_file_controls_the_terminal(julia: Any, store: shm.Store, directory: Path) -> None:
    """Names of columns, of programs and of time zones, and notes, may hold what a terminal obeys."""
    evil = "\x1b]0;evil\x07\x9b31m\u202e"
    inner = pa.array([{evil: ["x"]}], pa.struct([(evil, pa.list_(pa.string()))]))
    table = pa.table({evil: inner, "z": pa.array([0], pa.timestamp("us", evil))})
    store.share(pa.table({"a": [1]}), "first")
    facts = {"protocol": "1", "name": "t", "script": f"/home/me/{evil}.py", "language": evil, "token": evil, "pid": "1"}
    metadata = {f"arrowshm.{key}": value for key, value in facts.items()}
    with pa.ipc.new_file(str(directory / "t.arrow"), table.schema, metadata=metadata) as file:
        file.write_table(table)
    (directory / "t.arrow").chmod(0o400)
    (directory / ".removed").mkdir(0o700)
    (directory / ".removed" / "gone").write_text(evil)
    julia.run('caught(f) = try f() catch error; sprint(showerror, error) end; t = attach("t")')
    for shown in (
        'repr("text/plain", t)',
        'repr("text/plain", tables())',
        "string(tables()[2].publisher)",
        'caught(() -> attach("gone"))',
        "caught(() -> t.nope)",
        'caught(() -> share("t", (x = [1],)))',
    ):
        text = julia.get(shown)
        assert "evil" in text and not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text), shown


def test_a_wait_is_a_number_of_seconds(julia: Any, store: shm.Store) -> None:
    for wait in ("NaN", "-1", "-Inf"):
        with throws("ArgumentError: wait is a number of seconds, 0 or more"):
            julia.run(f'attach("t"; wait = {wait})')
    with throws("TableNotFound"):
        julia.run('attach("t"; wait = 0)')


def test_a_store_that_can_only_be_read_is_listed(julia: Any, store: shm.Store, directory: Path) -> None:
    """With something to tidy, which cannot be: somebody holds the lock."""
    store.share(pa.table({"a": [1]}), "t")
    (directory / ".new-0123456789abcdef").touch()
    with Directory(directory).lock():
        assert julia.get("[table.name for table in tables()]") == ["t"]
    assert julia.get("[table.name for table in tables()]") == ["t"]
    assert not list(directory.glob(".new-*"))


def test_a_list_of_locks_that_may_mean_another_file(julia: Any, store: shm.Store) -> None:
    """On btrfs and overlay an inode's number is not one file's: whose lock it is, the lock itself knows."""
    store.share(pa.table({"a": [1]}), "t")
    julia.run(f"""
        function users(certain)
            Stores.inside() do at
                file, found = ArrowSHM.open_regular(at, "t")
                pids = Dict((UInt64(found.inode), "READ") => Set([{os.getppid()}, getpid()]))
                locks = ArrowSHM.Locks(ArrowSHM.lock_device(Stores.here(), at), certain, true, pids)
                info = ArrowSHM.describe(ArrowSHM.default_store(), at, "t", file.fd, found, locks, ArrowSHM.Labels())
                close(file)
                sort!([something(holder.pid, 0) for holder in info.holders])
            end
        end
    """)
    publisher, others = os.getpid(), [os.getppid(), julia.pid]
    assert julia.get("users(true)") == sorted([*others, publisher])
    assert julia.get("users(false)") == [publisher], "nobody has its lock"
    julia.run('kept = attach("t"); kept.a')
    assert julia.get("users(false)") == sorted([*others, publisher]), "somebody has, and these map no other file"


def test_a_replacement_that_fails_pins_nothing(julia: Any, store: shm.Store) -> None:
    julia.run("""
        share("t", (x = [1],))
        function fail()
            store, draft = ArrowSHM.default_store(), Stores.inside(ArrowSHM.Draft)
            close(draft.file)
            ArrowSHM.explaining(store.directory) do
                ArrowSHM.name_draft(store, draft, "t", ArrowSHM.myself(), true, true, nothing)
            end
        end
    """)
    with throws("UnsafeDirectory: .*without locks .Bad file descriptor"):
        julia.run("fail()")
    assert not store.info("t").pinned
    store.pin("t")
    with throws("UnsafeDirectory"):
        julia.run("fail()")
    assert store.info("t").pinned, "as it was before"


def test_an_attach_leaves_a_trace_and_a_look_does_not(julia: Any, store: shm.Store) -> None:
    """By it whoever removes unused tables knows of a use that was over before they looked."""
    store.share(pa.table({"a": [1]}), "t")
    path = store.path("t")
    past = 1_000_000_000 * 10**9
    os.utime(path, ns=(past, os.stat(path).st_mtime_ns))
    before = os.stat(path)
    julia.run('tables(); ArrowSHM.info("t")')
    assert os.stat(path).st_atime_ns == past
    julia.run('attach("t").a')
    after = os.stat(path)
    assert after.st_atime_ns > past and after.st_mtime_ns == before.st_mtime_ns


def test_a_file_system_without_locks_is_refused(julia: Any, store: shm.Store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    with throws("UnsafeDirectory: .* without locks .No locks available.: its locks do not tell who uses a table. Set "):
        julia.run('Stores.inside(at -> throw(SystemError("flock", Libc.ENOLCK)))')
