"""The reference names everything that a user can name; `python docs/generate.py` writes it anew."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from traitlets import HasTraits

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli import main as cli
from jupyter_arrowshm.kinds import KINDS
from jupyter_arrowshm.notebook import lines as magic_lines
from jupyter_arrowshm.notebook.magics import ArrowSHMMagics
from jupyter_arrowshm.server import app, metrics
from jupyter_arrowshm.server.handlers import HANDLERS

DOCS = Path(__file__).parents[2] / "docs"
OWN = [app.ArrowSHM, ArrowSHMMagics]


def page(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text()


def section(text: str, heading: str) -> str:
    """From this heading to the next of its rank."""
    found = re.search(rf"^## `{re.escape(heading)}`$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{heading} is missing"
    return found[1]


def test_every_magic_and_each_of_its_options() -> None:
    text = page("magics")
    for name in ArrowSHMMagics.magics["line"]:
        assert section(text, f"%{name}")
    options = {
        "share": magic_lines.SHARE_OPTIONS,
        "attach": magic_lines.ATTACH_OPTIONS,
        "unshare": magic_lines.UNSHARE_OPTIONS,
    }
    for name, known in options.items():
        assert set(known) <= set(re.findall(r"^--\w+", section(text, f"%{name}"), re.MULTILINE))
    assert set(KINDS) - {"source"} <= set(re.findall(r"\w+", section(text, "%attach")))


def test_every_command_and_each_of_its_options() -> None:
    text = page("command-line")
    parser = cli._parser()
    subparsers = next(action for action in parser._actions if action.dest == "==SUPPRESS==" and action.choices)
    for name, command in subparsers.choices.items():
        said = section(text, f"jupyter arrowshm {name}")
        for action in command._actions:
            for option in action.option_strings or [action.metavar or action.dest]:
                assert option in said, (name, option)


@pytest.mark.parametrize("name", shm.__all__)
def test_every_public_name_of_python(name: str) -> None:
    text = page("python")
    assert re.search(rf"\b{name}\b", text)
    value = getattr(shm, name)
    if inspect.isclass(value) and not issubclass(value, Exception):
        for member in vars(value):
            described = inspect.isfunction(vars(value)[member]) or isinstance(vars(value)[member], property)
            if described and not member.startswith("_"):
                assert f"`{name}.{member}" in text, member
        traits = value.class_own_traits(sync=True) if issubclass(value, HasTraits) else ()
        for trait in traits:
            assert trait.startswith("_") or re.search(rf"### `{name}`.*?^- `{trait}`: ", text, re.M | re.S), trait
        for field in getattr(value, "__dataclass_fields__", ()):
            assert re.search(rf"`{field}`", text), field


@pytest.mark.parametrize("of", OWN, ids=lambda of: of.__name__)
def test_every_setting(of: type) -> None:
    text = page("configuration")
    for name, trait in of.class_own_traits(config=True).items():  # type: ignore[attr-defined]
        if trait.this_class is of:
            assert f"`c.{of.__name__}.{name}`" in text
            assert trait.help and trait.help in text


def test_every_route_event_and_gauge() -> None:
    text = page("rest")
    for path, handler in HANDLERS:
        for verb in ("get", "put", "post", "delete"):
            if verb in vars(handler):
                described = path.replace("places/([^/]+)", "places/{place}").replace("([^/]+)", "{name}")
                assert f"### `{verb.upper()} {described}`" in text
    event = yaml.safe_load((Path(app.__file__).parent / "events" / "table.yaml").read_text())
    for action in event["properties"]["action"]["enum"]:
        assert f"`{action}`" in text
    for name, gauge in vars(metrics).items():
        if name.isupper():
            assert f"`{gauge._name}`" in text


@pytest.mark.parametrize("name", ["README", "CHANGELOG", "CONTRIBUTING"])
def test_links_of_the_checkout_lead_to_files(name: str) -> None:
    """Those of docs/ are Sphinx's matter."""
    text = (DOCS.parent / f"{name}.md").read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DOCS.parent / target).exists(), target


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((DOCS.parent / "CITATION.cff").read_text())
    assert citation["version"] == shm.__version__
