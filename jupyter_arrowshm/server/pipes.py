"""Wait for a pipe, with a deadline."""

from __future__ import annotations

import select


def is_readable(fd: int, seconds: float) -> bool:
    """Whether there is something to read, or the other end is gone, within ``seconds``."""
    return _is_ready(fd, select.POLLIN, seconds)


def is_writable(fd: int, seconds: float) -> bool:
    """Whether there is room to write, or the other end is gone, within ``seconds``."""
    return _is_ready(fd, select.POLLOUT, seconds)


def _is_ready(fd: int, event: int, seconds: float) -> bool:
    # Not select(2), which takes no descriptor above 1023: a busy server has more.
    poll = select.poll()
    poll.register(fd, event)
    return bool(poll.poll(1000 * seconds))
