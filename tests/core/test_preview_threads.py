"""Slices that are worked on in a few threads: each result once and in order, whatever the threads do."""

from __future__ import annotations

import contextlib
import threading
import time

import pyarrow as pa
import pytest

from jupyter_arrowshm.preview import source
from jupyter_arrowshm.preview.patience import Patience, Unwanted
from jupyter_arrowshm.preview.threads import ahead
from jupyter_arrowshm.preview.view import View


def ours() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("arrowshm-slices")]


def test_the_results_come_in_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (7 - number % 7))
        return 2 * number

    assert list(ahead(iter(range(50)), work)) == list(range(0, 100, 2))
    assert not ours()


def test_the_work_is_done_by_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(pa, "cpu_count", lambda: 2)
    assert list(ahead(iter(range(4)), lambda number: both.wait() >= 0)) == [True] * 4


def test_when_it_is_enough_what_was_taken_is_still_given() -> None:
    numbers, enough = iter(range(100)), threading.Event()
    found = []
    for number in ahead(numbers, lambda one: one, enough.is_set):
        found.append(number)
        enough.set()
    assert found == list(range(len(found)))
    assert list(numbers) == list(range(len(found), 100))


def test_a_slice_without_enough_memory_is_tried_again_alone() -> None:
    running, lock = [0], threading.Lock()

    def work(number: int) -> int:
        with lock:
            running[0] += 1
            is_alone = running[0] == 1
        try:
            time.sleep(0.01)
            if number % 3 == 0 and (not is_alone or running[0] > 1):
                raise MemoryError
            return number
        finally:
            with lock:
                running[0] -= 1

    assert list(ahead(iter(range(20)), work)) == list(range(20))


def test_one_thread_is_this_one() -> None:
    numbers, enough = iter(range(10)), threading.Event()
    found = []
    for thread in ahead(numbers, lambda one: threading.current_thread(), enough.is_set, 1):
        found.append(thread)
        enough.set()
    assert found == [threading.current_thread()]
    assert next(numbers) == 1


def test_an_error_ends_it_and_no_thread_is_left() -> None:
    def work(number: int) -> float:
        return 1 / (5 - number)

    with pytest.raises(ZeroDivisionError):
        list(ahead(iter(range(100)), work))
    assert not ours()


def test_a_search_that_is_not_wanted_loses_no_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 10)
    monkeypatch.setattr(source, "_FEW_ROWS", 1)
    view = View(pa.table({"n": pa.array(range(1000))}), filter='{"column": 0, "op": ">=", "value": 50}')
    interrupted = 0
    while True:
        with contextlib.suppress(Unwanted):
            rows = view.select(Patience(is_wanted=lambda: False)).rows
            break
        interrupted += 1
    assert interrupted > 2
    assert list(rows) == list(range(50, 1000))
