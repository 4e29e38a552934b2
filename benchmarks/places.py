"""How long attaching from a place takes, in turns, in one run, against

    private          a table of this user's own, on this machine
    another user     one that another user lets this one read, which was checked before

and getting a table out of a bucket (a real server of the S3 protocol, moto, on this machine), against

    pyarrow.fs       its own file system object and ``read_all`` of the same file, into the memory of one process

Takes root, to become another user.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import timing

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import EVERYONE, Store, default_store
from jupyter_arrowshm.elsewhere import openstores

sys.path += [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests" / "open")]
OTHER = 65533


def rows(count: int) -> pa.Table:
    generator = np.random.default_rng(1)
    return pa.table({"a": generator.random(count), "b": generator.integers(0, 1000, count)})


def publish_as_another(parent: str, table: pa.Table) -> None:
    Store(f"{parent}/first").share(table, "trips")  # all is imported now: the other may not read the package
    if not (child := os.fork()):
        os.setgroups([])
        os.setresgid(*[OTHER] * 3)
        os.setresuid(*[OTHER] * 3)
        Store(f"{parent}/jupyter-arrowshm-{OTHER}-open", access=EVERYONE).share(table, "trips")
        os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as parent:
        os.chmod(parent, 0o1777)
        os.environ["JUPYTER_ARROWSHM_OPEN_PARENT"], os.environ["JUPYTER_ARROWSHM_DIR"] = parent, f"{parent}/mine"
        table = rows(10_000_000)
        publish_as_another(parent, table)
        store, place = default_store(), openstores.UserStores(OTHER)
        store.share(table, "trips")
        place.attach("trips")
        ways = {"private": partial(hold, store.attach), "another user": partial(hold, place.attach)}
        show(timing.compare("attach", ways, rounds=2000))
        from test_folders import s3

        with s3("bench") as bucket:
            there = shm.place(bucket.address)
            there.share(table, "trips")

            def fetch() -> object:
                return there.attach("trips")

            def read() -> object:
                with bucket.system.open_input_file(f"{bucket.root}/trips.arrow") as file:
                    return pa.ipc.open_file(file).read_all()

            def fetched() -> timing.Callable[[], object]:
                held = [fetch()]

                def forget() -> None:
                    held.clear()
                    shutil.rmtree(store.loaded.directory)

                return forget

            show(
                timing.compare(
                    "fetch", {"pyarrow.fs": partial(hold, lambda _: read()), "place": fetched}, rounds=7, budget=60
                )
            )


def hold(get: timing.Callable[[str], object]) -> timing.Callable[[], object]:
    held = [get("trips")]
    return held.clear


def show(results: list[timing.Result]) -> None:
    for one in results:
        print(f"{one.group:8} {one.way:14} {one.median / 1e6:10.3f} ms  {one.ratio:5.2f}", flush=True)


if __name__ == "__main__":
    main()
