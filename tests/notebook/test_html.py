"""The output on a page: HTML that is bounded, escaped and scoped, and always comes with the same as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm

EVIL = "<script>alert(1)</script>"
NAME = "<img/onerror=alert(1)>&\"'".replace("/", "_")
CELLS = {
    "share": "import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t",
    "attach": "%attach {name}",
    "attach pandas": "%attach {name} as x --to pandas",
    "attach numpy": "%attach {name} as x --to numpy",
    "shared": "%shared",
    "shared one": "%shared {name}",
    "detach": "%attach {name} as x\n%detach x",
    "unshare": "%unshare {name} --force",
}


class Tags(HTMLParser):
    """The elements of a page outside its style, and whether each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_every_result(report: Notebook, store: shm.Store, cell: str) -> None:
    store.share(pa.table({EVIL: ["x", None], f"{EVIL}\n&amp;": [1, None]}), NAME)
    report.ok(f"name = {NAME!r}")
    quoted = cell.replace("{name}", f'"{NAME}"'.replace('&"', '&\\"')) if "{name}" in cell else cell
    ran = report.run(quoted)
    assert ran.status == "ok", ran
    for shown in ran.displays:
        html = shown["text/html"]
        tags = Tags(html)
        assert not tags.open and tags.seen <= {
            "style", "div", "p", "b", "code", "table", "thead", "tbody", "tr", "th", "td",
        }  # fmt: skip
        assert tags.attributes <= {"class"}
        assert shown["text/plain"].strip() and "<div" not in shown["text/plain"]
        (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
        for rule in style.split("}")[:-1]:
            for selector in rule.partition("{")[0].split(","):
                assert selector.strip().startswith(".jp-arrowshm"), "the page around it is not ours to style"
        assert re.fullmatch(r'\s*<div class="jp-arrowshm">.*</div>', html.partition("</style>")[2], re.DOTALL)


def test_a_wide_table_is_cut(report: Notebook, store: shm.Store) -> None:
    columns = {f"{'wide' * 100}{number}": [number] for number in range(3000)}
    store.share(pa.table(columns), "wide")
    for cell in ("%shared wide", "%shared", "%attach wide", "%attach wide --to pandas", "%attach wide --to numpy"):
        for shown in report.run(cell).displays:
            assert len(shown["text/plain"]) < 10_000 and len(shown["text/html"]) < 20_000
    assert "and 2,950 more columns" in report.ok("%shared wide")
    nested = pa.struct([(f"field{number}", pa.string()) for number in range(3000)])
    store.share(pa.table({"x": pa.array([None], nested)}), "nested")
    assert len(report.ok("%shared nested")) < 1_000


def test_colours_are_the_pages_own(report: Notebook, store: shm.Store) -> None:
    """Light or dark: nothing names a colour."""
    store.share(pa.table({"a": [1]}), "t")
    html = report.run("%shared").displays[0]["text/html"] + report.run("%shared t").displays[0]["text/html"]
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|\b(white|black)\b", html.replace("&#x27;", ""))
