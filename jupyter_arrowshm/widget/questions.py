"""The page's questions, answered one after the other beside the kernel's own work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..core import renew_in_children

KEPT = 5.0  # s that tables stay mapped after the last question
_MAX_WAITING = 64

Message = dict[str, Any]  # with an ``id``, which the answer has, too


class Questions:
    """A queue with a thread that ends when nothing has been asked for :data:`KEPT` seconds.

    A question may take seconds. Answered where it arrives, it would keep all
    other widgets waiting.

    Parameters
    ----------
    answer
        Called in the thread with each question, and with what tells whether it is still wanted; sends the answer.
    forget
        Called when the thread ends: anything kept for the next question can go.
    """

    def __init__(self, answer: Callable[[Message, Callable[[], bool]], None], forget: Callable[[], None]) -> None:
        self._answer, self._forget = answer, forget
        self._stopped = False
        self.forked()
        renew_in_children(self)

    def forked(self) -> None:
        """A child has copies of locks that its parent's threads held, and none of the threads."""
        self._waiting: dict[int, Message] = {}
        self._answering: int | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, question: Message) -> None:
        with self._changed:
            if self._stopped:
                return
            self._waiting[question["id"]] = question
            while len(self._waiting) > _MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]  # who asks so much has stopped waiting for the first
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="arrowshm-widget", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, number: int) -> None:
        """Nobody wants that answer any more."""
        with self._changed:
            self._waiting.pop(number, None)
            if self._answering == number:
                self._answering = None

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._answering = None
            self._changed.notify()

    def _run(self) -> None:
        while (question := self._next()) is not None:
            number = question["id"]
            self._answer(question, lambda number=number: self._answering == number)  # type: ignore[misc]
            del question

    def _next(self) -> Message | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped, KEPT)
            if self._waiting:
                question = self._waiting.pop(next(iter(self._waiting)))
                self._answering = question["id"]
                return question
            # Under the lock: the next thread must not open what this one is closing.
            self._forget()
            self._thread = None
            return None
