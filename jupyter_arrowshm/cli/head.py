"""``jupyter arrowshm head``: the first rows of a table, sorted and filtered, as text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from .. import words
from ..errors import InvalidQuery
from ..preview import METADATA_KEY, View

_CONDITION = re.compile(
    r"\s*(?P<column>.+?)\s*"
    r"(?:(?P<missing>is (?:not )?null)|(?P<op>==|!=|<=|>=|<|>|=|\bcontains\b|\bin\b)\s*(?P<value>.+))\s*$"
)
_CELL = 40  # characters


def head(
    table: pa.Table, rows: int, columns: str | None = None, sort: str | None = None, filters: Iterable[str] = ()
) -> str:
    """The first rows, and below them how many there are.

    Parameters
    ----------
    columns, sort
        Names with commas between them; ``-fare`` sorts downwards.
    filters
        ``fare > 20``, ``city contains new``, ``city in Oslo, Lima``, ``fare is null``; all must hold.

    Raises
    ------
    InvalidQuery, QueryStopped
    """
    schema = table.schema
    keys = [{"column": _column(name.lstrip("-"), schema), "descending": name[0] == "-"} for name in _names(sort)]
    conditions = [_condition(text, schema) for text in filters]
    chosen = [_column(name, schema) for name in _names(columns)]
    view = View(table, json.dumps(keys) if keys else "", json.dumps({"and": conditions}) if conditions else "")
    page = view.page(0, rows, json.dumps(chosen) if chosen else "", _CELL)
    facts = json.loads(page.schema.metadata[METADATA_KEY.encode()])
    return f"{_text(page)}\n{_told(page, facts)}"


def _names(text: str | None) -> list[str]:
    return [name for part in (text or "").split(",") if (name := part.strip())]


def _column(name: str, schema: pa.Schema) -> int:
    found = schema.get_all_field_indices(name)
    if not found:
        raise InvalidQuery(f"there is no column {name!r}; there are {', '.join(schema.names[:20])}")
    return int(found[0])


def _condition(text: str, schema: pa.Schema) -> dict[str, Any]:
    found = _CONDITION.match(text)
    if found is None:
        raise InvalidQuery(f"{text!r} is not a condition like 'fare > 20', 'city contains new' or 'fare is null'")
    column = _column(found["column"], schema)
    if found["missing"]:
        return {"column": column, "op": found["missing"]}
    op = "==" if found["op"] == "=" else found["op"]
    value: Any = found["value"].strip()
    if op == "in":
        value = [_value(part.strip(), schema.field(column)) for part in value.split(",")]
    elif op != "contains":
        value = _value(value, schema.field(column))
    return {"column": column, "op": op, "value": value, "ignore_case": op == "contains"}


def _value(text: str, field: pa.Field) -> object:
    if pa.types.is_boolean(field.type) and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _told(page: pa.RecordBatch, facts: dict[str, Any]) -> str:
    shape = words.shape(facts["num_rows"], facts["num_columns"])
    if facts["matches"] == facts["num_rows"]:
        return shape
    least = "" if facts["searched"] == facts["num_rows"] else "at least "
    return f"{least}{words.count(facts['matches'], 'row')} of {shape}"


def _text(page: pa.RecordBatch) -> str:
    """In columns, as many as the terminal is wide."""
    shown = [_cells(field, column) for field, column in zip(page.schema, page.columns, strict=True)]
    width = shutil.get_terminal_size((100, 24)).columns
    columns: list[list[str]] = []
    for cells in shown:
        room = max(map(len, cells))
        width -= room + 2
        if columns and width < 4:
            columns.append(["…"] * len(cells))
            break
        columns.append(cells)
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))


def _cells(field: pa.Field, column: pa.Array) -> list[str]:
    is_number = field.metadata[b"kind"] == b"number"
    values = column.cast(pa.string()).to_pylist()
    cells = [_printable(field.name), *("null" if value is None else _printable(value) for value in values)]
    width = max(map(len, cells))
    return [cell.rjust(width) if is_number else cell.ljust(width) for cell in cells]


def _printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
