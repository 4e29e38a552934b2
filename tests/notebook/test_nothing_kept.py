"""After an error of ours we keep no reference to the user's data, in ``sys.last_value`` or elsewhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from kernel import leases
from notebooks import Notebook

import jupyter_arrowshm as shm

# Frames that are counted. The cycle collector is off: a frame that is kept in a cycle counts as well.
WATCHED = """\
import gc, weakref, pandas as pd
gc.disable()
made = []
class Watched(pd.DataFrame):
    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        made.append(weakref.ref(self))
    _constructor = property(lambda self: Watched)
def private(**columns):
    return Watched({'x': [1, 2, 3], **columns})
def fails(frame):
    raise ValueError('no')
"""
ALIVE = "(len(made) > 0, sum(one() is not None for one in made))"


@pytest.mark.parametrize(
    "line",
    [
        "%attach t --columns nope",
        "%attach t --columns a as x t --columns nope",
        "%attach u --to pandas --columns nope",
        "%attach t as x nothing",
    ],
)
def test_a_failed_attach_attaches_nothing(report: Notebook, store: shm.Store, directory: Path, line: str) -> None:
    for name in ("t", "u"):
        store.share(pa.table({"a": [1, 2, 3]}), name)
    report.ok("import gc\ngc.disable()")
    assert report.run(line).status == "error"
    assert report.ok("import sys\nprint(sys.last_value.__context__, sys.last_value.__cause__)") == "None None"
    report.ok("x = None")
    assert [pid for name in ("t", "u") for pid in leases(directory / f"{name}.arrow") if pid == report.pid] == []
    report.ok("gc.enable()")


@pytest.mark.parametrize(
    "line",
    [
        "%share private() as a/b",
        "%share private(y=[object()] * 3) as t",
        "%share private() as theirs",
        "%share fails(private()) as t",
        "%share private()['nope'] as t",
        "%share private().nope as t",
        "%share [private()] + 1 as t",
        "%%share a/b\nprivate()",
        "%%share theirs\nframe = private()\nresult = frame.head(1)\ndel frame, result\nprivate()",
    ],
)
def test_a_failed_share_keeps_no_private_frame(model: Notebook, report: Notebook, store: shm.Store, line: str) -> None:
    report.ok("import pyarrow as pa\ntheirs = pa.table({'a': [1]})\n%share theirs")
    model.ok(WATCHED)
    assert model.run(line).status == "error"
    assert model.get(ALIVE) == "(True, 0)"
    assert store.names() == ["theirs"]
    model.ok("gc.enable()")


def test_an_interrupted_share_keeps_no_private_frame(model: Notebook, store: shm.Store) -> None:
    model.ok(
        WATCHED
        + "import time, pyarrow as pa\n"
        + "batch = pa.record_batch({'x': [1]})\n"
        + "def batches():\n    frame = private()\n    for number in range(1000):\n        print('batch', number)\n"
        + "        time.sleep(0.02)\n        yield batch\n"
    )
    request = model.start("%share pa.RecordBatchReader.from_batches(batch.schema, batches()) as big")
    model.until(request, "batch 3")
    model.interrupt()
    assert "was not shared" in model.wait(request).error
    assert model.get(ALIVE) == "(True, 0)"
    model.ok("gc.enable()")


def test_the_users_own_error_is_not_touched(model: Notebook, store: shm.Store) -> None:
    model.ok(
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    kept = error\nframe = kept.__traceback__.tb_frame"
    )
    assert model.run("try:\n    1 / 0\nexcept ZeroDivisionError:\n    %share nothing").status == "error"
    assert model.get("kept.__traceback__.tb_frame.f_locals is globals()") == "True"
