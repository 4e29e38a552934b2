"""The results that the magics show: small objects that say what happened, and never hold a table."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import markup, words
from .snippets import julia_line, magic_line, quoted, r_line

if TYPE_CHECKING:
    import pyarrow as pa

    from ..core import Attachment, TableInfo

_MOST_COLUMNS = 50
_LONG = 0.05  # s


@dataclass
class Result:
    """A headline, sentences, and lines of code to copy.

    Attributes
    ----------
    data
        The same for programs, under :data:`markup.MIME_TYPE`.
    """

    headline: str
    notes: list[str] = field(default_factory=list)
    code: list[tuple[str, str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        lines = [self.headline, *(f"  {note}" for note in self.notes)]
        width = max((len(label) for label, _ in self.code), default=0)
        return "\n".join(lines + [f"  {label:>{width}}: {code}" for label, code in self.code])

    def _repr_html_(self) -> str:
        name, colon, rest = self.headline.partition(": ")
        headline = f"<b>{markup.text(name)}</b>{colon}{markup.text(rest)}"
        codes = " &nbsp; ".join(f"{markup.text(label)} {markup.code(code)}" for label, code in self.code)
        return markup.page(
            markup.paragraph(headline),
            *(markup.paragraph(markup.text(note), muted=True) for note in self.notes),
            markup.paragraph(codes) if codes else "",
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), markup.MIME_TYPE: self.data}


_TYPES = {
    "pyarrow": "pyarrow.Table",
    "pandas": "pandas.DataFrame",
    "pandas.Series": "pandas.Series",
    "geopandas": "geopandas.GeoDataFrame",
    "polars": "polars.DataFrame",
    "polars.Series": "polars.Series",
    "duckdb": "DuckDB relation",
    "numpy": "dict of NumPy arrays",
    "numpy.array": "NumPy array",
}


def of_table(table: TableInfo, notes: list[str], code: list[tuple[str, str]]) -> Result:
    """A table and the notes on it."""
    headline = f"{table.name}: {table.shape}, {words.size(table.nbytes)}, {table.usage}"
    return Result(headline, notes, code, table.brief())


def how_to_attach(name: str, place: str = "") -> list[tuple[str, str]]:
    """The lines that attach the table in another notebook."""
    if place:
        return [("Python", f"{magic_line(name)} --from {quoted(place)}")]
    return [("Python", magic_line(name)), ("Julia", julia_line(name)), ("R", r_line(name))]


def columns_of(schema: pa.Schema) -> list[str]:
    """A line for each column; in a wide table, for the first ones."""
    lines = [f"{_short(column.name)}: {_short(str(column.type))}" for column in itertools.islice(schema, _MOST_COLUMNS)]
    more = len(schema) - len(lines)
    return [*lines, f"and {words.count(more, 'more column')}"] if more else lines


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def attached_as(attachment: Attachment) -> str:
    """The type of what was attached, and its shape where it has one."""
    shape = getattr(attachment.value, "shape", None)
    text = _TYPES.get(attachment.kind, attachment.kind)
    if isinstance(shape, tuple) and len(shape) == 2:
        return f"{text}, {words.shape(*shape)}"
    return text


def how_it_was_attached(attachment: Attachment, private: bool) -> list[str]:
    """Why it is not the kind that was shared, what was copied, and what is read-only."""
    notes = [attachment.note] if attachment.note else []
    if private:
        return [*notes, "a private copy: you can write into it, and it keeps nothing attached"]
    copied = sum(attachment.copied.values())
    if copied:
        names = ", ".join(_short(label) for label in list(attachment.copied)[:5])
        names += ", ..." if len(attachment.copied) > 5 else ""
        notes.append(f"{words.size(copied)} copied ({names}); the rest is the shared memory itself")
    else:
        notes.append("nothing copied")
    return notes


def read_only(variable: str, attachment: Attachment, explain: bool) -> list[str]:
    """The limits of an attached table; nothing for kinds that nobody expects to write into."""
    if attachment.kind.partition(".")[0] not in ("pandas", "numpy"):
        return []
    notes = [f"read-only where it is shared; to write into it: %attach {quoted(attachment.name)} --copy"]
    if explain and attachment.kind == "pandas":
        notes.insert(
            0,
            f'{variable}["x"] = ... makes a column of your own; {variable}.loc[0, "x"] = ..., '
            f"{variable}.fillna(0, inplace=True) and compiled code that writes into the columns fail",
        )
    return notes


def duration(took: float, imports: dict[str, float]) -> str:
    """How long our part took, and separately the libraries that took long to import."""
    long = {library: spent for library, spent in imports.items() if spent > _LONG}
    if not long:
        return seconds(took + sum(imports.values()))
    return f"{seconds(took)}, after importing {' and '.join(long)} in {seconds(sum(long.values()))}"


def seconds(value: float) -> str:
    """A duration as people read it: ``45 ms``, ``1.2 s``."""
    return f"{value * 1000:.3g} ms" if value < 0.9995 else f"{value:.3g} s"
