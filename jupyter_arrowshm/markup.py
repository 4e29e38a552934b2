"""HTML for notebooks that suits light and dark pages: it takes its colours from the text around it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

# For programs: the data that we show. Not application/json: JupyterLab would prefer that to the HTML, as a tree.
MIME_TYPE = "application/vnd.jupyter-arrowshm+json"

_CLASS = "jp-arrowshm"

# Every rule is under our class: twice, where notebooks style tables themselves. Colours are mixed from the page's own,
# so nothing has to know which theme is on.
_STYLE = f"""<style>
.{_CLASS} {{ font-size: 13px; line-height: 1.5; color: inherit; }}
.{_CLASS} p {{ margin: 0; }}
.{_CLASS} .muted {{ opacity: 0.7; }}
.{_CLASS} code {{ color: inherit; background: color-mix(in srgb, currentColor 8%, transparent); padding: 1px 5px;
  border-radius: 3px; user-select: all; }}
.{_CLASS}.{_CLASS} table {{ border-collapse: collapse; margin: 2px 0; color: inherit; font-size: inherit; }}
.{_CLASS}.{_CLASS} tr {{ background: none; }}
.{_CLASS}.{_CLASS} th, .{_CLASS}.{_CLASS} td {{ text-align: left; vertical-align: top; padding: 3px 14px 3px 0;
  border: none; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }}
.{_CLASS}.{_CLASS} th {{ font-weight: 600; opacity: 0.7; }}
.{_CLASS}.{_CLASS} .number {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style>"""


def page(*parts: str) -> str:
    return f'{_STYLE}<div class="{_CLASS}">{"".join(parts)}</div>'


def text(content: str) -> str:
    return html.escape(content)


def paragraph(content: str, *, muted: bool = False) -> str:
    """A line of HTML that was escaped already."""
    return f'<p class="muted">{content}</p>' if muted else f"<p>{content}</p>"


def code(content: str) -> str:
    return f"<code>{html.escape(content)}</code>"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> str:
    """Plain text in, HTML out; the columns in ``numbers`` are right-aligned."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if i in numbers else ''}>{html.escape(cell)}</{tag}>" for i, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{cells(headers, 'th')}</tr></thead><tbody>{body}</tbody></table>"
