"""Questions about the rows of a table: the kinds of question, and how they travel.

One wire form serves the server's routes, its preview worker and the widget: a
JSON object with ``what`` and the fields below. ``columns``, ``sort`` and
``filter`` may be JSON themselves, or the text of it as a URL has it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InvalidQuery
from ..preview import CELL

_JSON = ("columns", "sort", "filter")  # ``server/rest-api.yml`` says what is in them


@dataclass(frozen=True)
class Question:
    """A question about some columns of a table, and some of its rows in some order.

    Attributes
    ----------
    name, directory
        The table, and the store that it is in.
    file
        The path of a file that is looked at instead; ``name`` is then its last part.
    place
        The place that the table is in instead, as ``elsewhere.place`` takes it.
    version
        The version that is meant; empty: the present one.
    columns, sort, filter
        JSON; empty: all columns, and all rows as the table has them.
    """

    what: ClassVar[str] = ""

    name: str
    directory: str = ""
    version: str = ""
    columns: str = ""
    sort: str = ""
    filter: str = ""
    file: str = dataclasses.field(default="", kw_only=True)
    place: str = dataclasses.field(default="", kw_only=True)

    def wire(self) -> dict[str, Any]:
        """The JSON from which :func:`parse` makes the question."""
        return {"what": self.what, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class AboutQuestion(Question):
    """The number of rows, and the columns."""

    what = "about"


@dataclass(frozen=True)
class RowsQuestion(Question):
    """A page: ``limit`` rows from ``offset``, with ``cell`` characters in a cell at most."""

    what = "rows"

    offset: int = 0
    limit: int = 100
    cell: int = CELL


@dataclass(frozen=True)
class SummaryQuestion(Question):
    """A summary of the columns. Rows in any order have the same summary."""

    what = "summary"


@dataclass(frozen=True)
class FindQuestion(Question):
    """The next (``direction`` 1) or the previous (-1) cell with ``text``, or (0) the first one from a cell on.

    ``row`` is the place of that cell in the view, -1 if there is none, and ``column`` its column's number.
    """

    what = "find"

    text: str = ""
    ignore_case: int = 1
    row: int = -1
    column: int = -1
    direction: int = 0


@dataclass(frozen=True)
class CellQuestion(Question):
    """The cell at place ``row`` of the view, in the column of this number, as a tree."""

    what = "cell"

    row: int = 0
    column: int = 0


@dataclass(frozen=True)
class GroupQuestion(Question):
    """The rows of the view by the values of column ``by``: their ``count``, or a ``measure`` of column ``of``."""

    what = "group"

    by: int = 0
    of: int = -1
    measure: str = "count"


@dataclass(frozen=True)
class PointsQuestion(Question):
    """The columns ``x`` and ``y`` of the view as up to 5,000 points."""

    what = "points"

    x: int = 0
    y: int = 0


@dataclass(frozen=True)
class ExportQuestion(Question):
    """The view as a file of this ``format``."""

    what = "export"

    format: str = "csv"


@dataclass(frozen=True)
class NumbersQuestion(Question):
    """Which numbers the rows at the places ``first`` to ``last`` of the view have in the table."""

    what = "rows_of"

    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class PlacesQuestion(Question):
    """At which places of the view the ``rows`` of these numbers are, without those that are not in it."""

    what = "places_of"

    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class SqlQuestion(Question):
    """The result of ``statement``, a SELECT over the tables of the store, to look at or to ``share`` under a name."""

    what = "sql"

    statement: str = ""
    share: str = ""


_KINDS: dict[str, type[Question]] = {
    kind.what: kind
    for kind in (
        AboutQuestion,
        RowsQuestion,
        SummaryQuestion,
        FindQuestion,
        CellQuestion,
        GroupQuestion,
        PointsQuestion,
        ExportQuestion,
        NumbersQuestion,
        PlacesQuestion,
        SqlQuestion,
    )
}


def parse(wire: Mapping[str, Any], **known: str) -> Question:
    """The question that came over a wire; ``known`` is what the receiver knows better. Raises ``InvalidQuery``.

    A page must not choose a file or a place by itself: ``file`` and ``place`` are taken from ``known`` alone.
    """
    kind = _KINDS.get(str(wire.get("what")))
    if kind is None:
        raise InvalidQuery(f"a question is one of {', '.join(_KINDS)}")
    given = {**wire, "file": "", "place": "", **known}
    fields = {field.name: field for field in dataclasses.fields(kind)}
    return kind(**{key: _value(fields[key], given[key]) for key in fields.keys() & given.keys()})


def _value(field: dataclasses.Field[Any], value: Any) -> Any:
    if field.name in _JSON and not isinstance(value, str):
        return json.dumps(value) if value is not None else ""
    if field.name == "rows":
        if not isinstance(value, list):
            raise InvalidQuery("rows is a list of numbers")
        return tuple(_whole_number(field.name, one) for one in value)
    if field.type == "int":
        return _whole_number(field.name, value)
    if not isinstance(value, str):
        raise InvalidQuery(f"{field.name} is text")
    return value


def _whole_number(name: str, value: Any) -> int:
    try:
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise InvalidQuery(f"{name} is a whole number")
