"""What a user does on a machine, done in a peer; imported by it, so that one process answers several questions."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from pathlib import Path

import psutil  # noqa: F401  with the rest, before anything is taken away
import pyarrow as pa
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli import doctor

CHECKOUT = Path(__file__).parents[2]
TABLE = pa.table({"n": range(1000), "s": ["x"] * 1000})
_THERE = "t = shm.attach('t'); assert t.num_rows == 1000"


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def empty_tmp() -> None:
    """A new /tmp, for this mount namespace; a checkout that is in the old one stays."""
    inside = CHECKOUT.is_relative_to("/tmp")
    if inside:
        mount("--bind", str(CHECKOUT), "/mnt")
    mount("-t", "tmpfs", "none", "/tmp")
    if inside:
        CHECKOUT.mkdir(parents=True)
        mount("--bind", "/mnt", str(CHECKOUT))


def walk() -> list[str]:
    """By how many the table is used: shared, attached elsewhere too, replaced, its publisher's alone; then it goes."""
    seen = []

    def look() -> None:
        (table,) = shm.tables()
        assert table.name == "t" and table.publisher.alive
        seen.append(table.in_use_by)

    shm.share(TABLE, "t")
    look()
    other = Peer()
    other.run(_THERE)
    look()
    shm.share(TABLE.slice(1), "t", pin=True)
    look()
    assert other.get("t.num_rows") == 1000 and other.get("shm.attach('t').num_rows") == 999
    other.kill()
    assert shm.attach("t").equals(TABLE.slice(1)) and shm.gc() == {}
    shm.unshare("t")
    assert not [name for name in os.listdir(shm.Store().directory) if not name.startswith(".") or ".new-" in name]
    return seen


def findings() -> dict[str, str]:
    """What the doctor says, and its remedies."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        doctor.report(shm.Store())
    found: dict[str, str] = {}
    for line in said.getvalue().splitlines()[:-2]:
        if line.startswith("     -> "):
            found[next(reversed(found))] = line.removeprefix("     -> ")
        else:
            found[line[5:]] = ""
    return found
