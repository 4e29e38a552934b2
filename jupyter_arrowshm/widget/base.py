"""The base of the widgets: they look while somebody sees them, and answer questions about rows."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Unicode

from ..core import is_run_by_program, renew_in_children
from ..looking.answers import Answer, failed
from ..preview import Patience
from .questions import Message, Questions

INTERVAL = 0.5  # s between looks
WATCHED_FOR = 120.0  # s after a view said that it can be seen; it says so every 30 s

_DISPLAYED = "displayed"  # stands for the views that have not said anything yet
_WIDGET = "application/vnd.jupyter.widget-view+json"
_STATIC = Path(__file__).resolve().parents[1] / "static"
_NOT_BUILT = """\
export default {
  render({ el }) {
    el.textContent = "This installation of jupyter-arrowshm has no widgets: in its checkout, run make js.";
  }
};
"""


def _built(name: str, otherwise: str) -> str:
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return otherwise


_MODULE, _STYLE = _built("widget.js", _NOT_BUILT), _built("widget.css", "")


class LiveWidget(anywidget.AnyWidget):
    """A widget that follows what it shows while one of its views can be seen.

    Its traits may be used from any thread: ipykernel 7 handles what the front
    end sends beside the cell that runs, in a thread of its own.
    """

    _esm = Unicode(_MODULE).tag(sync=True)
    _css = Unicode(_STYLE).tag(sync=True)
    _kind = Unicode().tag(sync=True)

    _questions: tuple[Questions, ...] = ()

    def __init__(self, **traits: Any) -> None:
        self._watchers: dict[str, float] = {}  # views that can be seen, and until when that holds
        self.forked()
        renew_in_children(self)
        # A timer's bound method, or a thread's, would keep a widget that nobody has any more.
        this = weakref.ref(self)
        self._questions = (
            Questions(lambda *asked: _answer(this, *asked), lambda: _forget(this)),
            Questions(lambda *asked: _answer(this, *asked), lambda: _forget(this, slow=True)),
        )
        super().__init__(**traits)
        _let_the_sender_choose(self.comm)
        self.on_msg(LiveWidget._receive)

    # -- for those who write a widget ----------------------------------------------------------------------------------

    def _look(self) -> None:
        """See what has changed."""
        raise NotImplementedError

    def _answer(self, message: Message, patience: Patience) -> Answer:
        """The answer to what the page asks."""
        raise NotImplementedError

    def _is_slow(self, message: Message) -> bool:
        """Whether the answer may come from far away: other questions do not wait for it."""
        return False

    def _forget(self) -> None:
        """Let go of what was kept for the next question."""

    def _forget_slow(self) -> None:
        """The same, for the questions whose answers may come from far away."""

    def _otherwise(self) -> dict[str, Any]:
        """The text for a terminal, and for a page without widgets or a kernel, by MIME type."""
        raise NotImplementedError

    def forked(self) -> None:
        """A child has copies of locks that its parent's threads held, and none of the threads."""
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._looker: threading.Thread | None = None

    # -- what is seen --------------------------------------------------------------------------------------------------

    def _watch(self, view: str, on: bool) -> None:
        with self._lock:
            if not self._questions:
                return
            if on:
                self._watchers[view] = time.monotonic() + WATCHED_FOR
            else:
                self._watchers.pop(view, None)
            if self._watchers and self._looker is None:
                self._looker = threading.Thread(
                    target=_keep_looking, args=(weakref.ref(self), self._wake), name="arrowshm-look", daemon=True
                )
                self._looker.start()
        self._wake.set()

    def _look_if_watched(self) -> bool:
        with self._lock:
            now = time.monotonic()
            self._watchers = {view: until for view, until in self._watchers.items() if now < until}
            if not self._watchers:
                self._looker = None
                return False
        try:
            self._look()
        except Exception:  # also from a user's observer: the next change has another chance
            self.log.exception("%s could not be updated", type(self).__name__)
        return True

    # -- the comm ------------------------------------------------------------------------------------------------------

    def _receive(self, content: Any, buffers: Any) -> None:
        if "watch" in content:
            self._watch(str(content["watch"]), bool(content.get("on")))
            self._watch(_DISPLAYED, False)
        elif "drop" in content:
            for queue in self._questions:
                queue.drop(content["drop"])
        elif self._questions and "id" in content:
            self._questions[self._is_slow(content)].ask(content)

    def _handle_msg(self, msg: Any) -> None:
        # While traitlets hold back notifications, another thread's change would get between them.
        with self._lock:
            super()._handle_msg(msg)

    def _notify_trait(self, name: str, old_value: Any, new_value: Any) -> None:
        with self._lock:
            super()._notify_trait(name, old_value, new_value)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Several traits in one message."""
        with self._lock, self.hold_sync():
            yield

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The synchronised traits; for marimo's ``.value``, which asks for all, only those that are public."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is not None or not type(self.comm).__module__.startswith("marimo."):
            return state
        return {name: value for name, value in state.items() if not name.startswith("_")}

    def send_state(self, key: Any = None) -> None:
        # All of it, by name: the page needs what is not public.
        super().send_state(self.keys if key is None else key)

    # -- how it is shown -----------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        shown = super()._repr_mimebundle_(**keywords)
        if shown is None:
            return None
        data, metadata = shown
        if is_run_by_program():
            # The notebook is read when its kernel is gone, and a page with a widget in it then shows nothing.
            kept = {kind: value for kind, value in data.items() if kind != _WIDGET}
            return {**kept, **self._otherwise()}, metadata
        # Until the front end says itself what it shows: its first word may have to wait for the cell.
        self._watch(_DISPLAYED, True)
        return {**data, **self._otherwise()}, metadata

    def close(self) -> None:
        """Take it off the page, and stop looking."""
        questions, self._questions = self._questions, ()
        if questions:
            with self._lock:
                self._watchers.clear()
            self._wake.set()
            for queue in questions:
                queue.stop()
        super().close()


def _let_the_sender_choose(comm: Any) -> None:
    # ipykernel 7.4 has what the front end sends handled by the shell that was last sent from (BaseComm):
    # after a cell has made or changed a widget, by the one that is busy with that cell.
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default


def _keep_looking(this: weakref.ref[LiveWidget], wake: threading.Event) -> None:
    while (widget := this()) is not None and widget._look_if_watched():
        del widget
        wake.wait(INTERVAL)
        wake.clear()


def _answer(this: weakref.ref[LiveWidget], message: Message, is_wanted: Callable[[], bool]) -> None:
    if (widget := this()) is None:
        return
    try:
        head, body = widget._answer(message, Patience(is_wanted=is_wanted))
    except Exception as error:
        head, body = failed(error)
    if is_wanted():
        widget.send({**head, "id": message["id"]}, [body])


def _forget(this: weakref.ref[LiveWidget], slow: bool = False) -> None:
    if (widget := this()) is not None:
        widget._forget_slow() if slow else widget._forget()
