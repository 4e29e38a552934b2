"""Files that say when they are read, in Python processes and in those that Julia has read them.

    python -c "import loading.watched"          # Python: it is watched from now on
    python watched.py -m jupyter_arrowshm.cli.loader PATH      # what Julia takes for its Python

``$READING`` is a folder. ``log`` in it gets a line when a reading begins, and when it ends. ``overlap`` appears if two
of them read at once: a lock tells it, which the death of its holder frees. Each file ``fail-N`` lets one reading fail.
"""

from __future__ import annotations

import fcntl
import os
import runpy
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from jupyter_arrowshm.errors import LoadFailed
from jupyter_arrowshm.loading import Files
from jupyter_arrowshm.tabular import Source

FOLDER = Path(os.environ["READING"])
PAUSE = 0.02  # s, between two batches: a kill is to hit them
_read = Files.read


def note(what: str) -> None:
    with open(FOLDER / "log", "a") as file:
        file.write(f"{os.getpid()} {what}\n")


def watched(self: Files) -> Source:
    alone = open(FOLDER / "alone", "w")  # noqa: SIM115 -- closed at the end of the reading, or by a kill
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        (FOLDER / "overlap").touch()
    note("begins")
    time.sleep(PAUSE)
    for failing in FOLDER.glob("fail-*"):
        failing.unlink()
        alone.close()
        raise LoadFailed(self.address, "it fails on purpose")
    source = _read(self)

    def batches() -> Iterator[pa.RecordBatch]:
        with alone:
            for batch in source.batches:
                time.sleep(PAUSE)
                yield batch
            note("ends")

    return replace(source, batches=batches())


Files.read = watched  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.argv = sys.argv[2:]  # "-m", and the module, which takes its own place in the list
    runpy.run_module(sys.argv[0], run_name="__main__")
