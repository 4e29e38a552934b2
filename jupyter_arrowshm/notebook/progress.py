"""A progress bar for work that takes longer than people like to wait."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core import Progress


@contextlib.contextmanager
def shown(what: str, after: float) -> Iterator[Progress]:
    """A function to call with the bytes written, of how many; from ``after`` seconds on it shows a bar."""
    begun = time.monotonic()
    bar: Any = None

    def progress(written: int, nbytes: int | None) -> None:
        nonlocal bar
        if bar is None and time.monotonic() - begun > after:
            from tqdm.auto import tqdm

            bar = tqdm(desc=what, total=nbytes, unit="B", unit_scale=True, leave=False)
        if bar is not None:
            bar.update(written - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()
