"""How long an answer may take, and whether anybody still waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 4.0  # after which an answer is given with what there is, or not at all


class Unwanted(Exception):
    """Nobody waits for the answer any more, so work on it stopped."""


class Patience:
    """The patience of the one who asked. Long work checks it between steps of some milliseconds each.

    Parameters
    ----------
    seconds
        How long the answer may take, from now on.
    is_wanted
        Whether somebody still waits for it.
    """

    def __init__(self, seconds: float = SECONDS, is_wanted: Callable[[], bool] = lambda: True) -> None:
        self.seconds = seconds
        self._begun = time.monotonic()
        self._is_wanted = is_wanted

    @property
    def left(self) -> float:
        """Seconds, below zero when time is over."""
        return self._begun + self.seconds - time.monotonic()

    def is_over(self) -> bool:
        """Whether the time is up. Raises :class:`Unwanted`."""
        if not self._is_wanted():
            raise Unwanted
        return self.left < 0

    def within(self, seconds: float) -> Patience:
        """The patience for a part of the work, which may take that long at most."""
        return Patience(min(seconds, self.left), self._is_wanted)
