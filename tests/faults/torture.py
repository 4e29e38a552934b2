"""Workers that change a store as fast as they can, to be killed; watchers that check everything they attach.

Run as a program, ``torture.py DIRECTORY``, it imports everything once, and then forks a process for each line that it
reads: starting one takes a millisecond. Nothing of the store is ever open in the program itself. What goes on it
writes line by line: "pid 4711", "+" for a step of a worker, "=" for an attached table that was whole, and "!" with the
error that ended a process.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable

import psutil  # noqa: F401  (what share imports when it is needed, once for all)
import pyarrow as pa
import pyarrow.compute as pc

from jupyter_arrowshm import Store, TableExists, TableNotFound

NAMES = ("a", "b", "c")
ACTIONS = ("share", "share", "writer", "attach", "attach", "drop", "unshare", "pin", "unpin", "gc", "list")
FILL = {"x": pa.int64(), "y": pa.float64(), "z": pa.string()}


def version_table(version: int) -> list[pa.RecordBatch]:
    """One to three batches; rows, batches and every cell follow from the number, and the schema's metadata says it."""
    pick = random.Random(version)
    schema = pa.schema(FILL, metadata={"version": str(version)})
    return [
        pa.record_batch(
            [pa.repeat(pa.scalar(version).cast(kind), rows) for kind in FILL.values()],
            schema=schema,
        )
        for rows in (pick.choice((0, 1, 100, 10_000, 100_000)) + pick.randrange(5) for _ in range(pick.randint(1, 3)))
    ]


def check(table: pa.Table) -> int:
    """The version that this table is; fails if it is not one whole version."""
    version = int(table.schema.metadata[b"version"])
    rows = sum(batch.num_rows for batch in version_table(version))
    assert table.num_rows == rows, f"version {version}: {table.num_rows} rows instead of {rows}"
    table.validate(full=True)
    for name, kind in FILL.items():
        wanted = pa.scalar(version).cast(kind)
        assert pc.all(pc.equal(table[name], wanted)).as_py() is not False, f"version {version}: {name} has other cells"
    return version


def work(store: Store, seed: int, report: Callable[[str], None]) -> None:
    """Everything that a process can do with a store, without end."""
    pick, held = random.Random(seed), []
    while True:
        name, version = pick.choice(NAMES), pick.getrandbits(40)
        action = pick.choice(ACTIONS)
        with contextlib.suppress(TableNotFound, TableExists):
            if action == "share":
                store.share(pa.Table.from_batches(version_table(version)), name, replace=pick.random() < 0.8)
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


def main(directory: str) -> None:
    """Fork a process for each line of standard input, "work SEED" or "watch SEED", and write its number."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the kernel reaps
    check(pa.Table.from_batches(version_table(1)))  # pyarrow's functions are registered at the first call: 0.4 s
    for line in iter(sys.stdin.readline, ""):
        kind, seed = line.split()
        if pid := os.fork():
            _write(f"pid {pid}")
            continue
        try:
            if int(seed) % 3 == 0:
                del os.O_TMPFILE  # as where the file system has none
            (work if kind == "work" else watch)(Store(directory), int(seed), _write)
        except BaseException:
            _write(f"!{kind} {seed}: {traceback.format_exc()[-1500:]!r}")
        finally:
            os._exit(1)


def _write(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # one call, less than PIPE_BUF: lines of several processes do not mix


if __name__ == "__main__":
    main(sys.argv[1])
