"""A type checker knows what share and attach take. `make lint` checks this file, and that each comment is needed."""

from __future__ import annotations

import numpy as np

import jupyter_arrowshm as shm


def shares(table: object) -> None:
    shm.share({"a": np.zeros(3)}, "t")
    shm.share(np.zeros(3), "t")
    shm.share(3, "t")  # type: ignore[arg-type]
    shm.share(table, "t")  # type: ignore[arg-type]
    shm.share({"a": np.zeros(3)}, "t", overwrite=True)  # type: ignore[call-arg]


def attaches() -> None:
    shm.attach("t", to="polars", columns=["a"])
    shm.attach("t", to="polers")  # type: ignore[call-overload]
    shm.attach("t", wait="10")  # type: ignore[call-overload]
    shm.attachment("t", timeout=1)  # type: ignore[call-arg]
