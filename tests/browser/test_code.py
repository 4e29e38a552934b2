"""The code that the sidebar inserts, for every name that a table may have, read by the magic's own parser."""

from __future__ import annotations

import json
import keyword
from pathlib import Path

from browser.lab import CHECKOUT
from playwright.sync_api import Browser

from jupyter_arrowshm.notebook.lines import attach_arguments, targets

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "names.json").read_text())
NAMES = [entry["name"] for entry in FIXTURE["good"]]
ODD = ["it's", 'say"so"', "a$b", "{x}", "a#b", "as", "-x", "--to", "class", "end", "2013", "___", "x?", "%run", "a\\b"]


def test_it_attaches_that_table_as_a_variable(browser: Browser) -> None:
    page = browser.new_page()
    source = (CHECKOUT / "js" / "lib" / "shared" / "code.js").read_text().replace("export function", "function")
    lines = page.evaluate(
        f"names => {{ {source}\n return names.map(name => ['python', 'julia'].map(one => attachLine(name, one))); }}",
        [*NAMES, *ODD],
    )
    page.close()
    for name, (python, julia) in zip([*NAMES, *ODD], lines, strict=True):
        if python.startswith("%attach "):
            [(table, variable)] = targets(attach_arguments(python.removeprefix("%attach ")).words)
            assert not python.endswith("?"), "IPython would show help"
            assert not set("${}") & set(python), "IPython would put a variable there"
        else:
            variable, _, call = python.partition(" = ")
            table = eval(call, {"shm": Recorder()})
        assert table == name
        assert variable.isidentifier() and not keyword.iskeyword(variable), python
        assert julia.startswith("@attach "), julia


class Recorder:
    @staticmethod
    def attach(name: str, *, to: str) -> str:
        assert to == "source"
        return name
