"""The list of shared tables as a widget."""

from __future__ import annotations

from typing import Any

from traitlets import Dict, Enum, List, Unicode

from .. import markup
from ..core import OlderVersion, Room, Store, TableInfo, Tables, default_store
from ..elsewhere import as_dict, copy, place, places, targets
from ..errors import ArrowSHMError
from ..looking import questions
from ..looking.answers import Answer, OpenTables, answer
from ..preview import Patience
from .base import LiveWidget
from .questions import Message

_ORDERS = ("name", "size", "age", "users")
_ELSEWHERE = (
    "places",
    "place",
    "placed",
    "copy to",
    "copy from",
)  # questions about other places than this machine's tables


class SharedTables(LiveWidget):
    """The tables that are shared now, their sizes, users and contents; it keeps itself up to date while it is seen.

    Parameters
    ----------
    store
        The store to list; without it, the tables that all notebooks of this user share.
    **traits
        ``selected``, ``filter``, ``sort`` and what every widget has (``layout``).

    Attributes
    ----------
    tables
        A list of dicts, read-only: name, num_rows, num_columns, nbytes, published_at, publisher, holders, ... as it was
        when somebody last looked; :meth:`refresh` looks now. May be observed; while cells run the observer is called in
        another thread.
    selected
        The name of the table whose rows are shown below the list, or ``None``.
    filter
        Words that must be found in a table's name, columns, types or users.
    sort
        ``"name"``, ``"size"``, ``"age"`` or ``"users"``.

    Notes
    -----
    Showing rows does not count as using the table: it may be unshared or removed meanwhile, and is free a few seconds
    later.
    """

    tables = List(Dict(), read_only=True).tag(sync=True)
    selected = Unicode(None, allow_none=True).tag(sync=True)
    filter = Unicode("").tag(sync=True)
    sort = Enum(_ORDERS, "name").tag(sync=True)
    _removed = List(Dict()).tag(sync=True)
    _room = List([0, 0, ""]).tag(sync=True)
    _problem = Unicode("").tag(sync=True)
    _kind = Unicode("tables").tag(sync=True)

    def __init__(self, store: Store | None = None, **traits: Any) -> None:
        self._store = store if store is not None else default_store()
        self._open, self._far = OpenTables(), OpenTables()  # of this machine, and of places: one for each thread
        self._seen = Tables()
        self._told = Room(0, 0, 0, "")
        super().__init__(**traits)
        self._look()

    def __repr__(self) -> str:
        return f"SharedTables({', '.join(table['name'] for table in self.tables[:10])})"

    def refresh(self) -> None:
        """Look now."""
        self._look()

    def _look(self) -> None:
        try:
            seen, room, problem = self._store.tables(), self._store.room(), ""
        except ArrowSHMError as error:
            seen, room, problem = Tables(), Room(0, 0, 0, ""), error.says("magic")
        tables = [described(table) for table in seen.everything]
        with self._changing():
            self._seen = seen
            self.set_trait("tables", tables)
            self._removed = [described_version(version) for version in (*seen.removed, *seen.loaded.removed)]
            self._problem = problem
            # What is free changes all the time, and a pixel of the bar is a percent of it.
            if room.total != self._told.total or abs(room.free - self._told.free) > room.total / 100:
                self._told, self._room = room, [room.free, room.total, room.limited_by]

    def _is_slow(self, message: Message) -> bool:
        return message.get("what") in _ELSEWHERE or "place" in message

    def _answer(self, message: Message, patience: Patience) -> Answer:
        if message.get("what") in _ELSEWHERE:
            return self._answer_from_elsewhere(message)
        if "place" in message:
            # The page has the place from a list that it asked for, and may ask for any.
            question = questions.parse(message, directory=self._store.directory, place=message["place"])
            return answer(self._far, question, patience)
        if "pinned" in message:
            change = self._store.pin if message["pinned"] else self._store.unpin
            change(message["name"])
            self._look()
            return Answer({})
        return answer(self._open, questions.parse(message, directory=self._store.directory), patience)

    def _answer_from_elsewhere(self, message: Message) -> Answer:
        if message["what"] == "places":
            return Answer({"places": [*map(as_dict, places())], "targets": [*map(as_dict, targets())]})
        there, name = place(message["place"]), message.get("name", "")
        if message["what"] == "place":
            return Answer({"tables": [described(table) for table in there.tables()]})
        if message["what"] == "placed":
            return Answer({"table": described(there.info(name))})
        source, target = (self._store, there) if message["what"] == "copy to" else (there, self._store)
        copy(source, target, name, replace=message["replace"])
        self._look()
        return Answer({})

    def _forget(self) -> None:
        self._open.forget()

    def _forget_slow(self) -> None:
        self._far.forget()

    def _otherwise(self) -> dict[str, Any]:
        self._look()
        if self._problem:
            html = markup.page(markup.paragraph(markup.text(self._problem)))
            return {"text/plain": self._problem, "text/html": html}
        return self._seen._repr_mimebundle_()


def described(table: TableInfo) -> dict[str, Any]:
    """The table for the page, which may be stored and given away: no paths of this machine."""
    facts = table.as_dict()
    del facts["path"]
    older = [described_version(version) for version in table.older]
    for process in (facts["publisher"], *facts["holders"]):
        del process["script"]
    # Only the server knows who collects, and when.
    origin = table.origin.rstrip("/").rpartition("/")[2]
    return {**facts, "older": older, "removed_at": None, "origin": origin}


def described_version(version: OlderVersion) -> dict[str, Any]:
    """The same for a version without a name."""
    facts = version.as_dict()
    for process in facts["holders"]:
        del process["script"]
    return facts
