"""Work on the slices of a table in a few threads: Arrow's kernels do not hold Python's lock."""

from __future__ import annotations

import concurrent.futures
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

import pyarrow as pa

THREADS = 4  # at most; each has a slice in memory, and the results that wait for their turn

Given = TypeVar("Given")
Made = TypeVar("Made")


def ahead(
    slices: Iterator[Given],
    work: Callable[[Given], Made],
    is_enough: Callable[[], bool] = lambda: False,
    most: int = THREADS,
) -> Iterator[Made]:
    """What ``work`` makes of each slice, in their order. The slices themselves are made in this thread.

    Once ``is_enough``, no further slices are taken; of those that were taken, everything is given. ``most`` is the
    number of threads; with 1, all is done in this one.
    """
    threads = min(most, pa.cpu_count())
    if threads == 1:
        while not is_enough() and (one := next(slices, None)) is not None:
            yield work(one)
        return
    waiting: deque[tuple[Given, concurrent.futures.Future[Made]]] = deque()

    def first() -> Made:
        one, future = waiting.popleft()
        try:
            return future.result()
        except MemoryError:  # there may be enough for one at a time
            concurrent.futures.wait([other for _, other in waiting])
            return work(one)

    with concurrent.futures.ThreadPoolExecutor(threads, "arrowshm-slices") as pool:
        try:
            while not is_enough() and (one := next(slices, None)) is not None:
                waiting.append((one, pool.submit(work, one)))
                if len(waiting) > threads:
                    yield first()
            while waiting:
                yield first()
        finally:
            for _, future in waiting:
                future.cancel()
