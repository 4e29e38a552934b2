"""Write the pages of docs/reference/ from what the code says of itself: docstrings, --help, traits, the OpenAPI file.

    python docs/generate.py

A test holds the pages to be those that this writes.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from traitlets import TraitType
from traitlets.config import Configurable

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli import main as cli
from jupyter_arrowshm.notebook.magics import ArrowSHMMagics
from jupyter_arrowshm.server import app, metrics

DOCS = Path(__file__).parent
SERVER = Path(app.__file__).parent
SIDEBAR = DOCS.parent / "js" / "schema"
MAGICS = ("share", "attach", "shared", "detach", "unshare")
_NOTE = "<!-- Written by docs/generate.py; edit the source that it describes. -->\n"
_VERBS = ("get", "put", "post", "delete")


def pages() -> dict[str, str]:
    """File name in docs/reference/ -> Markdown."""
    found = {
        "magics.md": magics(),
        "python.md": python(),
        "command-line.md": command_line(),
        "configuration.md": configuration(),
        "rest.md": rest(),
    }
    return {name: f"{_NOTE}\n{text.strip()}\n" for name, text in found.items()}


# -- magics, command line ----------------------------------------------------------------------------------------------


def magics() -> str:
    parts = [
        "# Magics",
        (
            "`%load_ext jupyter_arrowshm` loads them in one notebook, `jupyter arrowshm enable-magics` in all of an"
            " environment. `%share?` shows the same as below. In Julia, [macros](../julia.md) do the same."
            "\n\n`{n}` and `$n` in a name are the value of the variable `n`, so that `%share part as part_{n}` works in"
            " a loop; so do its attributes, items and sums (`{n + 1}`), and nothing that would have to be called."
            " Between quotes, a name is nothing but a name: `%attach '{n}'`. They are not replaced in the expression"
            " that `%share` is given."
        ),
    ]
    for name in MAGICS:
        parts += [f"## `%{name}`", _fenced(inspect.getdoc(getattr(ArrowSHMMagics, name)) or "")]
    return "\n\n".join(parts)


def command_line() -> str:
    parser = cli._parser()
    parts = [
        "# Command line",
        (
            "`jupyter arrowshm COMMAND`, or `python -m jupyter_arrowshm COMMAND` where there is no `jupyter`."
            " The exit code is 0, or 1 if something is wrong: one line on standard error says what."
        ),
        _fenced(_help(parser)),
    ]
    for name, command in commands(parser).items():
        parts += [f"## `jupyter arrowshm {name}`", _fenced(_help(command))]
    return "\n\n".join(parts)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return dict(next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction)).choices)


def _help(parser: argparse.ArgumentParser) -> str:
    # As wide as the terminal would be here; the same everywhere. Releases of Python differ in one heading.
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=110, max_help_position=30)
    return re.sub(r"\x1b\[[0-9;]*m", "", parser.format_help()).replace("optional arguments:", "options:")


# -- Python ------------------------------------------------------------------------------------------------------------


def python() -> str:
    functions: list[tuple[str, Any]] = []
    classes: list[tuple[str, Any]] = []
    errors: list[tuple[str, Any]] = []
    for name in shm.__all__:
        value = getattr(shm, name)
        if inspect.isclass(value):
            (errors if issubclass(value, Exception) else classes).append((name, value))
        elif callable(value):
            functions.append((name, value))
    parts = [
        "# Python",
        "```python\nimport jupyter_arrowshm as shm\n```",
        f"`shm.__version__` is the version, `shm.errors` the module of the errors. {_prose(_summary(shm))}",
        "## Functions",
        "Those of the store that all notebooks share. What they take and raise is said at the method of `Store`.",
        *_each(functions),
        "## Classes",
        *_each(classes),
        "## Errors",
        "Every error is an `ArrowSHMError`, has its facts as attributes, and can be pickled.",
        *_each(errors),
    ]
    return "\n\n".join(parts)


def _each(values: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, value in values:
        if not inspect.isclass(value):
            yield f"### `{name}`"
            yield _code(f"{name}{_signature(value)}")
            of_store = hasattr(shm.Store, name)
            text = inspect.getdoc(value)
            yield f"{_prose(text.partition(chr(10) * 2)[0])} See `Store.{name}`." if of_store else _prose(text)
            continue
        raised = issubclass(value, Exception)
        yield f"### `{name}({', '.join(one.__name__ for one in value.__bases__)})`" if raised else f"### `{name}`"
        yield _docstring(value)
        fields = getattr(value, "__dataclass_fields__", None)
        if fields and "\nAttributes\n---" not in (inspect.getdoc(value) or ""):
            yield "Attributes: " + ", ".join(f"`{field}`" for field in fields) + "."
        if raised:
            continue
        for member, defined in _members(value):
            if inspect.isfunction(defined):
                yield f"#### `{name}.{member}`"
                yield _code(f"{member}{_signature(defined)}")
                yield _docstring(defined)
            elif isinstance(defined, property):
                yield f"#### `{name}.{member}`"
                yield _docstring(defined)


def _members(of: type) -> Iterator[tuple[str, Any]]:
    """Those of the class, and of its bases that have no section of their own."""
    for each in of.__mro__:
        if each is of or (each.__module__.startswith("jupyter_arrowshm.core") and each.__name__ not in shm.__all__):
            yield from ((name, defined) for name, defined in vars(each).items() if not name.startswith("_"))


def _code(signature: str) -> str:
    """What is longer than a line is broken at its parameters."""
    if len(signature) > 88:
        signature = re.sub(r"([(,]) ?(?=[\w*]+[:,=])", r"\1\n    ", signature)
        signature = re.sub(r"\)(?= -> )", ",\n)", signature)
    return f"```python\n{signature}\n```"


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [one for one in signature.parameters.values() if one.name != "self"]
    # Annotations are text: without its quotes, `str(signature)` says what the source says.
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature.replace(parameters=parameters)))


def _summary(value: Any) -> str:
    return (inspect.getdoc(value) or "").rpartition("\n\n")[2]


def _docstring(value: Any) -> str:
    """A docstring of numpydoc's form as Markdown."""
    text = inspect.getdoc(value) or ""
    if text.startswith(f"{getattr(value, '__name__', '')}("):  # a dataclass without one
        return ""
    first, *sections = re.split(r"^(\w+)\n-+\n", text, flags=re.MULTILINE)
    parts = [_prose(first)]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        parts.append(f"*{title}*")
        parts.append(_prose(body) if title == "Notes" else "\n".join(_items(body)))
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _items(body: str) -> Iterator[str]:
    """``name`` and an indented text below it, as a list."""
    for entry in re.split(r"\n(?=\S)", body.strip()):
        name, _, text = entry.partition("\n")
        names = ", ".join(f"`{one.strip()}`" for one in name.split(","))
        said = " ".join(line.strip() for line in text.splitlines())
        yield f"- {names}" + (f": {_prose(said)}" if said else "")


def _prose(text: str) -> str:
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`").strip()


# -- configuration -----------------------------------------------------------------------------------------------------


def configuration() -> str:
    parts = [
        "# Configuration",
        "## Environment",
        (
            "- `JUPYTER_ARROWSHM_DIR`: absolute path of the directory of tables, for every process that has it. Without"
            " it, a private directory in `/dev/shm`, or in `/tmp` where `/dev/shm` is smaller than 1 GiB."
        ),
        "## Server",
        "In `jupyter_server_config.py`, or on the command line of `jupyter lab` as `--ArrowSHM.idle_timeout=3600`.",
        *_traits(app.ArrowSHM),
        "## Magics",
        "In `ipython_kernel_config.py`; in a notebook, `%config ArrowSHMMagics` shows and sets them.",
        *_traits(ArrowSHMMagics),
        "## Sidebar",
        'In "Settings", "Settings Editor", "Shared Tables".',
    ]
    for file in sorted(SIDEBAR.glob("*.json")):
        for name, setting in json.loads(file.read_text())["properties"].items():
            values = " or ".join(f"`{json.dumps(one)}`" for one in setting.get("enum", ()))
            said = " ".join(filter(None, [f"{setting['title']}.", setting.get("description", ""), values]))
            parts.append(f"- `{name}` = `{json.dumps(setting['default'])}`: {said}")
    return "\n\n".join(parts)


def traits(of: type[Configurable]) -> dict[str, TraitType[Any, Any]]:
    """Those that are ours, and that may be configured."""
    return {name: trait for name, trait in of.class_own_traits(config=True).items() if trait.this_class is of}


def _traits(of: type[Configurable]) -> Iterator[str]:
    for name, trait in traits(of).items():
        yield f"- `c.{of.__name__}.{name}` = `{trait.default()!r}`: {trait.help}"


# -- REST --------------------------------------------------------------------------------------------------------------


def rest() -> str:
    api = yaml.safe_load((SERVER / "rest-api.yml").read_text())
    event = yaml.safe_load((SERVER / "events" / "table.yaml").read_text())
    parts = [
        "# REST, events, metrics",
        _flowed(api["info"]["description"]) + " The paths follow the server's base URL. Every verb needs the"
        " server's authentication (`Authorization: token ...`), and asks its authorizer for the resource `arrowshm`."
        " `jupyter_arrowshm/server/rest-api.yml` says the same, and more, as an OpenAPI file.",
        "## Routes",
    ]
    known: dict[int, str] = {}  # the file describes some routes by an alias of another one
    for path, item in api["paths"].items():
        for verb in _VERBS:
            if (operation := item.get(verb)) is None:
                continue
            route = f"`{verb.upper()} {path}`"
            parts.append(f"### {route}")
            if (same := known.setdefault(id(operation), route)) != route:
                parts.append(f"As {same}, of the file at `path`, which is in the URL.")
                continue
            parts.append(_flowed(operation["summary"]) + ".")
            if "description" in operation:
                parts.append(_flowed(operation["description"]))
            if listed := [_resolved(one, api) for one in operation.get("parameters", ())]:
                parts.append("\n".join(_named(one["name"], one.get("description", "")) for one in listed))
            parts.append(
                "Answers: " + ", ".join(_answer(code, one, api) for code, one in operation["responses"].items()) + "."
            )
    parts += [
        "## Events",
        f"Schema `{event['$id']}`, on the server's event bus (`api/events/subscribe`). {_flowed(event['description'])}",
    ]
    for name, field in event["properties"].items():
        values = ": " + ", ".join(f"`{one}`" for one in field["enum"]) if "enum" in field else ""
        parts.append(f"- `{name}`: {field['title']}{values}")
    parts += ["## Metrics", "Gauges for Prometheus, at the server's `/metrics`."]
    parts.append("\n".join(f"- `{one._name}`: {one._documentation}" for one in gauges()))
    return "\n\n".join(parts)


def gauges() -> list[Any]:
    return [value for name, value in vars(metrics).items() if name.isupper()]


def _named(name: str, said: str) -> str:
    return f"- `{name}`" + (f": {_flowed(said)}" if said else "")


def _answer(code: str, response: dict[str, Any], api: dict[str, Any]) -> str:
    content = _resolved(response, api).get("content", {})
    return f"{code} ({', '.join(content)})" if content and code == "200" else code


def _resolved(part: dict[str, Any], api: dict[str, Any]) -> dict[str, Any]:
    for key in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        api = api[key]
    return api if "$ref" in part else part


def _flowed(text: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in re.split(r"\n\n+", text.strip()))


def _fenced(text: str) -> str:
    return f"```text\n{text.strip()}\n```"


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / "reference" / name).write_text(text)
