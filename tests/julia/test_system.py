"""What Julia's client asks of the operating system: whole files, one kind of error, no interrupt in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
from julia_peers import FLAGS, environment, throws
from kernel import MOUNT_NAMESPACE, needs_mount_namespace

import jupyter_arrowshm as shm
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

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
        SystemError("x", 5), Base.IOError("x", -5), Base.IOError("x", 5), Base.IOError("x", Base.UV_EOF), EOFError()
    ]""")
    assert julia.get("ArrowSHM.error_number.(told)") == [5] * 5
    for i in range(1, 6):
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
