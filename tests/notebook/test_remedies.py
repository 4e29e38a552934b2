"""The remedy that an error states is carried out here, word for word, no matter who states it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import r_peers
from commands import says
from julia_peers import Julia, program
from notebooks import Notebook
from r_peers import R

import jupyter_arrowshm as shm
from jupyter_arrowshm.errors import Speaker

NAMES = ["trips", "trips-2024", "as", "end", "-x", "--force", "it's", 'a"b', "$HOME", "{n}", "a\\b", "é#1"]


@pytest.fixture
def damaged(store: shm.Store) -> Path:
    """The directory, with a file under each name; none of these files is a table."""
    store.share({"a": [1]}, "t")
    store.unshare("t")
    for name in NAMES:
        Path(store.path(name)).write_bytes(b"not a table")
    return Path(store.directory)


def remedies(store: shm.Store, speaker: Speaker) -> list[str]:
    """The code that removes each damaged table, as its error prints it."""
    found = []
    for name in NAMES:
        with pytest.raises(shm.DamagedTable) as caught:
            store.attach(name)
        found.append(re.search(r"remove it with (.+)\.$", caught.value.remedy(speaker))[1])
    return found


def left(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.arrow"))


def test_python(damaged: Path, store: shm.Store) -> None:
    for code in remedies(store, "python"):
        exec(f"import jupyter_arrowshm\n{code}")
    assert left(damaged) == []


def test_magic(damaged: Path, store: shm.Store, report: Notebook) -> None:
    for code in remedies(store, "magic"):
        report.ok(code if code.startswith("%") else f"import jupyter_arrowshm\n{code}")
    assert left(damaged) == []


def test_command_line(damaged: Path, store: shm.Store) -> None:
    for code in remedies(store, "cli"):
        jupyter, arrowshm, *words = shlex.split(code)
        assert (jupyter, arrowshm) == ("jupyter", "arrowshm")
        says(*words)
    assert left(damaged) == []


def test_r(damaged: Path, store: shm.Store) -> None:
    r = R(r_peers.program())
    try:
        for code in remedies(store, "r"):
            r.run(code)
    finally:
        r.kill()
    assert left(damaged) == []


def test_julia(damaged: Path, store: shm.Store) -> None:
    julia = Julia(program())
    try:
        for code in remedies(store, "julia"):
            julia.run(code)
    finally:
        julia.kill()
    assert left(damaged) == []
