"""``jupyter arrowshm head``: the first rows of a table, sorted and filtered, as text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from .. import words
from ..arrowtypes import plain
from ..errors import InvalidQuery
from ..preview import METADATA_KEY, Source, View

# The text after a column's name. A word needs a space before it, a sign does not.
_REST = re.compile(
    r"(?:\s+(?P<missing>is\s+(?:not\s+)?null)"
    r"|(?:\s*(?P<sign>==|!=|<=|>=|<|>|=)|\s+(?P<word>contains|in)(?=[\s'\"]))\s*(?P<value>\S.*))\s*$",
    re.DOTALL,
)
_CELL = 40  # characters


def head(table: pa.Table | Source, rows: int, columns: str = "", sort: str = "", filters: Iterable[str] = ()) -> str:
    """The first rows, and below them how many there are.

    Parameters
    ----------
    columns, sort
        Names with commas between them; ``-fare`` sorts downwards.
    filters
        ``fare > 20``, ``city contains new``, ``city in Oslo, Lima``, ``fare is null``; all must hold.

    A name may have signs, commas and spaces in it: the longest one that there is counts. It may stand in quotes.

    Raises
    ------
    InvalidQuery, QueryStopped
    """
    schema = table.schema
    keys = [{"column": column, "descending": bool(sign)} for sign, column in _listed(sort, schema, ("", "-"))]
    conditions = [_condition(text, schema) for text in filters]
    chosen = [column for _, column in _listed(columns, schema)]
    view = View(table, json.dumps(keys) if keys else "", json.dumps({"and": conditions}) if conditions else "")
    page = view.page(0, rows, json.dumps(chosen) if chosen else "", _CELL)
    facts = json.loads(page.schema.metadata[METADATA_KEY.encode()])
    return f"{_text(page)}\n{_told(page, facts)}"


def _listed(text: str, schema: pa.Schema, signs: Sequence[str] = ("",)) -> Iterator[tuple[str, int]]:
    """The columns that are named, each with the sign before it. A name counts before a sign and another name."""
    while text := text.lstrip(" ,"):
        candidates = [
            (len(sign + name), sign, column)
            for name, column in _written(schema)
            for sign in signs
            if text.startswith(sign + name) and re.match(r"\s*(,|$)", text[len(sign + name) :])
        ]
        if not candidates:
            raise _no_column(text.partition(",")[0].strip(), schema)
        length, sign, column = max(candidates, key=lambda one: (one[0], not one[1]))
        yield sign, column
        text = text[length:]


def _written(schema: pa.Schema) -> Iterator[tuple[str, int]]:
    """Each name as it may be written, and its column; of several columns of a name the first comes first."""
    for column, name in enumerate(schema.names):
        yield from ((written, column) for written in (name, f"'{name}'", f'"{name}"') if written)


def _no_column(name: str, schema: pa.Schema) -> InvalidQuery:
    return InvalidQuery(f"there is no column {name!r}; there are {', '.join(map(words.printable, schema.names[:20]))}")


def _condition(text: str, schema: pa.Schema) -> dict[str, Any]:
    text = text.strip()
    named = [(name, column) for name, column in _written(schema) if text.startswith(name)]
    candidates = [(len(name), column, rest) for name, column in named if (rest := _REST.match(text[len(name) :]))]
    if not candidates:
        for start in range(1, len(text)):
            if _REST.match(text[start:]):
                raise _no_column(text[:start].strip(), schema)
        raise InvalidQuery(f"{text!r} is not a condition such as 'fare > 20', 'city contains new' or 'fare is null'")
    _, column, rest = max(candidates, key=lambda one: one[0])
    if rest["missing"]:
        return {"column": column, "op": " ".join(rest["missing"].split())}
    op = {"=": "=="}.get(rest["sign"], rest["sign"]) or rest["word"]
    value: Any = rest["value"].strip()
    if op == "in":
        value = [_value(part.strip(), schema.field(column)) for part in value.split(",")]
    else:
        value = _value(value, schema.field(column))
    return {"column": column, "op": op, "value": value, "ignore_case": op == "contains"}


def _value(text: str, field: pa.Field) -> object:
    if pa.types.is_boolean(plain(field.type)) and text.lower() in ("true", "false"):
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
    cells = [words.printable(field.name), *("null" if value is None else words.printable(value) for value in values)]
    width = max(map(len, cells))
    return [cell.rjust(width) if is_number else cell.ljust(width) for cell in cells]
