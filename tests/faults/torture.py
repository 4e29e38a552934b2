"""Workers that change a store as fast as they can, to be killed; watchers that check everything they attach.

Run as a program it imports everything once, and then forks a process for each line that it reads: starting one takes a
millisecond. ``torture.jl`` and ``torture.R`` are the same in Julia and R. Nothing of a store is ever open in the
program itself.

A line is ``KIND SEED FILTER DIRECTORY``. The kinds are ``work`` and ``watch``, which never end, and ``do:ACTION``,
which does one thing. FILTER is a program of seccomp(2) in hexadecimal digits, or ``-``; with ``do:`` the descriptor
that it answers to goes to the socket that ARROWSHM_LISTENERS names.

What goes on is written line by line: ``pid 4711``, ``+`` for a step of a worker, ``=`` for an attached table that was
whole, ``? RESULT`` for the end of a ``do:`` (``ok`` or the error's type, and after tabs
what it left open in the store), and ``!`` with the error that ended a process.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import socket
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable

import psutil  # noqa: F401  (what share imports when it is needed, once for all)
import pyarrow as pa
import pyarrow.compute as pc

from jupyter_arrowshm import Store, TableExists, TableNotFound
from jupyter_arrowshm.core import EVERYONE
from jupyter_arrowshm.core.directory import LIVE
from jupyter_arrowshm.elsewhere.folder import Folder

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from faults import interception

NAMES = ("a", "b", "c")
ACTIONS = ("share", "share", "writer", "attach", "attach", "drop", "unshare", "pin", "unpin", "gc", "list")
ROWS = (0, 1, 100, 10_000, 100_000)


def version_table(version: int) -> list[pa.RecordBatch]:
    """One to three batches; rows and every cell follow from the number, and the first column's name says it."""
    rows, parts = ROWS[version % 5] + version % 7, 1 + version % 3
    fill = {f"x{version}": pa.scalar(version, pa.int64()), "y": pa.scalar(float(version)), "z": pa.scalar(str(version))}
    sizes = [rows // parts] * (parts - 1) + [rows - rows // parts * (parts - 1)]
    return [pa.record_batch({name: pa.repeat(value, size) for name, value in fill.items()}) for size in sizes]


def check(table: pa.Table) -> int:
    """The version that this table is; fails if it is not one whole version."""
    version = int(table.column_names[0][1:])
    rows = ROWS[version % 5] + version % 7
    assert table.num_rows == rows, f"version {version}: {table.num_rows} rows instead of {rows}"
    table.validate(full=True)
    for column, cell in zip(table.columns, (version, float(version), str(version)), strict=True):
        equal = pc.all(pc.equal(column, pa.scalar(cell, column.type))).as_py()
        assert equal is not False, f"version {version} has other cells"
    return version


def act(store: Store, action: str, name: str, version: int, held: list[pa.Table], replace: bool) -> None:
    if action == "put":  # the directory is a folder, which may be anywhere
        place = Folder(store.directory, store.directory)
        place.share(pa.Table.from_batches(version_table(version)), name, replace=replace)
    elif action == "open":  # to all users of the machine
        Store(store.directory, access=EVERYONE).share(
            pa.Table.from_batches(version_table(version)), name, replace=replace
        )
    elif action == "share":
        store.share(pa.Table.from_batches(version_table(version)), name, replace=replace)
    elif action == "writer":
        batches = version_table(version)
        with store.writer(name, batches[0].schema, replace=True) as writer:
            for batch in batches:
                writer.write(batch)
    elif action == "attach":
        held.append(store.attach(name))
        check(held[-1])
    elif action == "drop":
        held.clear()
    elif action in ("unshare", "pin", "unpin"):
        getattr(store, action)(name)
    elif action == "gc":
        store.gc()
    else:
        store.tables()


def work(store: Store, seed: int, report: Callable[[str], None]) -> None:
    """Everything that a process can do with a store, without end."""
    pick, held = random.Random(seed), []
    while True:
        with contextlib.suppress(TableNotFound, TableExists):
            act(store, pick.choice(ACTIONS), pick.choice(NAMES), pick.getrandbits(40), held, pick.random() < 0.8)
        report("+")


def watch(store: Store, seed: int, report: Callable[[str], None]) -> None:
    """Attach and check, and check again when the name has led elsewhere for a while."""
    pick, held = random.Random(seed), deque()
    while True:
        with contextlib.suppress(TableNotFound):
            table = store.attach(pick.choice(NAMES))
            held.append((check(table), table))
            report("=")
        if len(held) > 5:
            version, table = held.popleft()
            assert check(table) == version


def do(store: Store, action: str, seed: int, filter_: bytes) -> None:
    """One action on the table ``t``, intercepted."""
    held, result = [], "ok"
    with socket.socket(fileno=int(os.environ["ARROWSHM_LISTENERS"])) as listeners:
        if filter_:
            socket.send_fds(listeners, [b"."], [interception.install(filter_, listen=True)])
    try:
        act(store, action, "t", seed, held, replace=True)
    except AssertionError:
        raise
    except Exception as error:
        result = type(error).__name__
        if not type(error).__module__.startswith("jupyter_arrowshm"):
            result += ": " + repr(traceback.format_exc()[-1500:])
    held.clear()
    gc.collect()
    with contextlib.suppress(OSError):
        os.close(interception.END)
    report("\t".join([f"? {result}", *open_files(store.directory)]))


def open_files(directory: str) -> list[str]:
    """What this process has open in a store, but for the directory itself and the process's token."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            path = os.readlink(f"/proc/self/fd/{fd}")
            if path.startswith(f"{directory}/") and not path.startswith(f"{directory}/{LIVE}/"):
                found.append(path)
    return found


def report(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one call, less than PIPE_BUF: lines of several processes do not mix


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the kernel reaps
    with tempfile.TemporaryDirectory() as folder:  # what is imported or registered at the first use: 0.4 s
        store, held = Store(f"{folder}/store"), []
        for action in ("share", "writer", "attach", "pin", "list", "unpin", "unshare", "gc"):
            act(store, action, "t", 1, held, replace=True)
        del held
    report("ready")
    for line in iter(sys.stdin.readline, ""):
        kind, seed, filter_, directory = line.rstrip("\n").split(" ", 3)
        if pid := os.fork():
            report(f"pid {pid}")
            continue
        try:
            filter_ = b"" if filter_ == "-" else bytes.fromhex(filter_)
            store, _, action = Store(directory), *kind.partition(":")[1:]
            if action:
                do(store, action, int(seed), filter_)
            else:
                if filter_:
                    interception.install(filter_)
                (work if kind == "work" else watch)(store, int(seed), report)
            os._exit(0)
        except BaseException:
            report(f"!{kind} {seed}: {traceback.format_exc()[-1500:]!r}")
        finally:
            os._exit(1)


if __name__ == "__main__":
    main()
