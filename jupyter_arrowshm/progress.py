"""A bar for what takes longer than people like to wait for nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def shown(name: str, after: float) -> Iterator[Callable[[int], None]]:
    """A function to call with the bytes written; from ``after`` seconds on it shows a bar."""
    begun = time.monotonic()
    bar: Any = None

    def progress(written: int) -> None:
        nonlocal bar
        if bar is None and time.monotonic() - begun > after:
            from tqdm.auto import tqdm

            bar = tqdm(desc=f"sharing {name}", unit="B", unit_scale=True, leave=False)
        if bar is not None:
            bar.update(written - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()
