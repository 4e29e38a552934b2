"""Questions that wait for each other, and the worker that answers them: stopped when it is late, restarted when gone.

The thread that starts the worker lives as long as the server: a worker dies
with the thread that started it (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import threading

from .. import errors
from ..core import Store
from ..errors import ArrowSHMError, DamagedTable, LoadFailed, QueryStopped
from ..looking.answers import Answer
from ..looking.files import with_remedy
from ..looking.questions import Question, RowsQuestion
from .worker import Worker

TIMEOUT = 5.0  # s that a question may take
_MAX_WAITING = 32  # questions
_ENDS = (0, signal.SIGKILL, signal.SIGTERM)
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class Refused(ArrowSHMError):
    """An error that the worker reported, by its type and its text."""

    def __init__(self, kind: type[ArrowSHMError], message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message

    @property
    def what(self) -> str:
        return self.message


class Errand:
    """A question and the future of its answer."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        self.is_wanted = True


class Lane:
    """A thread and its worker. Pages go first: somebody looks at them."""

    def __init__(self, name: str, timeout: float = TIMEOUT) -> None:
        self._name, self._timeout = name, timeout
        self._changed = threading.Condition()
        self._waiting: list[Errand] = []
        self._thread: threading.Thread | None = None
        self._worker: Worker | None = None
        self._stopped = False

    @property
    def is_awake(self) -> bool:
        """Whether there is a worker, which may have tables at hand."""
        return self._worker is not None

    async def ask(self, question: Question) -> Answer:
        """See :meth:`previewer.Previewer.ask`."""
        errand = Errand(question)
        try:
            self._put(errand)
        except RuntimeError as error:  # "can't start new thread": a full process table
            raise QueryStopped("could not be started", f"Python says: {error}") from None
        try:
            return await asyncio.wrap_future(errand.answer)
        except asyncio.CancelledError:
            self._drop(errand)
            raise

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            waiting, self._waiting = self._waiting, []
            self._changed.notify()
        for errand in waiting:
            errand.answer.cancel()
        if (worker := self._worker) is not None:
            worker.process.kill()
        if self._thread is not None:
            self._thread.join()

    def _put(self, errand: Errand) -> None:
        with self._changed:
            if self._stopped or len(self._waiting) >= _MAX_WAITING:
                raise QueryStopped("has to wait for too many others", "Try again")
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"arrowshm-{self._name}", daemon=True)
                thread.start()
                self._thread = thread
            self._waiting.append(errand)
            self._changed.notify()

    def _drop(self, errand: Errand) -> None:
        with self._changed:
            errand.is_wanted = False
            if errand in self._waiting:
                self._waiting.remove(errand)

    def _run(self) -> None:
        while (errand := self._next()) is not None:
            try:
                answer = self._ask(errand)
            except BaseException as error:
                _settle(errand.answer, error)
            else:
                _settle(errand.answer, answer)
            del errand
        self._end()

    def _next(self) -> Errand | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            if self._stopped:
                return None
            first = next((one for one in self._waiting if isinstance(one.question, RowsQuestion)), self._waiting[0])
            self._waiting.remove(first)
            return first

    def _ask(self, errand: Errand, again: bool = True) -> Answer:
        worker = self._started()
        try:
            head, body = worker.ask(errand.question, self._timeout, lambda: errand.is_wanted)
        except TimeoutError:
            self._end()
            late = QueryStopped(f"took longer than {self._timeout:g} s and was stopped")
            raise (with_remedy(late, errand.question.file) if errand.question.file else late) from None
        except (EOFError, BrokenPipeError):
            code = self._end()
            # It had not been asked for long, and ended at this moment; or somebody killed it.
            if again and not self._stopped and -code in _ENDS:
                return self._ask(errand, again=False)
            raise _ended(code, errand.question) from None
        return checked(Answer(head, body))

    def _started(self) -> Worker:
        if self._worker is not None and self._worker.process.poll() is not None:
            self._end()
        if self._worker is None:
            try:
                self._worker = Worker()
            except (EOFError, TimeoutError):
                raise QueryStopped("could not be started", "The server's log says why") from None
            except OSError as error:
                raise QueryStopped("could not be started", os.strerror(error.errno or 0)) from None
        return self._worker

    def _end(self) -> int:
        worker, self._worker = self._worker, None
        return worker.end() if worker is not None else 0


def checked(answer: Answer) -> Answer:
    """The answer. Raises the error that it says."""
    if "error" in answer.head:
        raise Refused(getattr(errors, answer.head["error"], ArrowSHMError), answer.head["message"])
    return answer


def _settle(future: concurrent.futures.Future[Answer], outcome: Answer | BaseException) -> None:
    # Cancelled while it was answered, it takes no answer.
    if future.set_running_or_notify_cancel():
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _ended(code: int, question: Question) -> ArrowSHMError:
    if -code in _CRASHES and not question.name:
        return QueryStopped("crashed", "A table in it may be damaged")
    if -code in _CRASHES and question.file:
        return LoadFailed(question.name, "reading it crashed: it is damaged, or somebody has just written into it")
    if -code in _CRASHES:
        path = question.place or Store(question.directory).path(question.name)
        return DamagedTable(question.name, path, "reading it crashed")
    return QueryStopped("was ended from outside", "Ask again")
