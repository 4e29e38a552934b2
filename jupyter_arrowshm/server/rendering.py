"""Tables as JSON, as the front ends get them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from ..core import OlderVersion, TableInfo
from .keeper import Keeper

Sessions = dict[str, str]  # kernel id -> path of the notebook


class Rendering:
    """Remembers the JSON of each table, which is the same object as long as it is as it was (``Listing``)."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._last: tuple[Sessions, dict[str, tuple[TableInfo, dt.datetime | None, str]]] = ({}, {})

    def tables(self, tables: Iterable[TableInfo], sessions: Sessions) -> list[str]:
        """The text of one JSON object for each table."""
        labelled_by, known = self._last
        if labelled_by != sessions:
            known = {}
        rendered = {}
        for table in tables:
            before, goes = known.get(table.name), self._keeper.goes_at(table)
            if before is not None and before[0] is table and before[1] == goes:
                rendered[table.name] = before
            else:
                # Table by table: the encoder keeps the interpreter to itself for as long as one call takes.
                rendered[table.name] = (table, goes, json.dumps(self.table(table, sessions)))
        self._last = (sessions, rendered)
        return [text for _, _, text in rendered.values()]

    def table(self, table: TableInfo, sessions: Sessions, *, path: bool = False) -> dict[str, Any]:
        """The table for JSON; its users with the paths of their notebooks as the server knows them now."""
        rendered = table.as_dict()
        if not path:
            del rendered["path"]
        _label([rendered["publisher"], *rendered["holders"]], sessions)
        for older in rendered["older"]:
            _label(older["holders"], sessions)
        goes = self._keeper.goes_at(table)
        rendered["removed_at"] = goes.isoformat(timespec="seconds") if goes else None
        return rendered

    def version(self, version: OlderVersion, sessions: Sessions) -> dict[str, Any]:
        """A version without a name, for JSON."""
        rendered = version.as_dict()
        _label(rendered["holders"], sessions)
        return rendered


def _label(processes: list[dict[str, Any]], sessions: Sessions) -> None:
    for process in processes:
        process.pop("script")
        if notebook := sessions.get(process["kernel_id"]):
            process["notebook_path"] = notebook
            process["label"] = f"{notebook.rpartition('/')[2]} ({process['language']})"
