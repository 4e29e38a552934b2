"""For what comes a moment later, and must come: the kernel drops a dead process's locks after it can be waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE = 60  # s; long past what any of it takes


def eventually(true: Callable[[], bool]) -> None:
    """Ask until it is true; a failure once the deadline is over."""
    deadline, pause = time.monotonic() + DEADLINE, 0.0002
    while not true():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(pause)
        pause = min(2 * pause, 0.01)
