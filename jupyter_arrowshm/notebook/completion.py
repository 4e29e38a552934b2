"""Tab for the magics: names of tables, variables that can be shared, options and kinds."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.getipython import get_ipython

from .. import words
from ..errors import ArrowSHMError
from ..kinds import KINDS
from .lines import ATTACH_OPTIONS, SHARE_OPTIONS, SHARED_OPTIONS, UNSHARE_OPTIONS
from .sharing import is_records
from .snippets import quoted

# The name of one of our magics, with the cursor after it.
_LINE = re.compile(r"^\s*%{0,2}(share|attach|shared|detach|unshare)\s+(.*)$", re.DOTALL)
_MOST_DESCRIBED = 200  # tables: to look into more takes longer than a person waits for a list
_OPTIONS = {"share": SHARE_OPTIONS, "attach": ATTACH_OPTIONS, "shared": SHARED_OPTIONS, "unshare": UNSHARE_OPTIONS}
_PATIENCE = 1.0  # s, for a place: a person who pressed Tab waits


@context_matcher(identifier="jupyter_arrowshm.complete")
def complete(context: CompletionContext) -> dict[str, Any]:
    """The completions at the cursor; none except after our magics, so that others complete."""
    line = context.line_with_cursor[: context.cursor_position]
    match = _LINE.match(line)
    # Without its %, a magic with the name of a variable is that variable.
    if match is None or (not line.lstrip().startswith("%") and match[1] in _user_variables()):
        return {"completions": []}
    magic, typed = match[1], match[2].split()
    token = "" if line[-1:].isspace() or not typed else typed[-1]
    before = typed[:-1] if token else typed
    # A name that has to be quoted is completed with its quotes, whether the first of them was typed or not.
    fitting = [
        SimpleCompletion(text, type=kind)
        for text, kind in _candidates(magic, before, token)
        if text.startswith((token, f"'{token}"))
    ]
    return {"completions": fitting, "suppress": True, "matched_fragment": token}


def _candidates(magic: str, before: list[str], token: str) -> list[tuple[str, str]]:
    if before and (before[-1] == "--from" or (before[-1] == "--to" and magic == "share")):
        return [(name, "place") for name in _within(_PATIENCE, functools.partial(_places, magic))]
    if before and before[-1] == "--to":
        return [(kind, "kind") for kind in KINDS]
    if token.startswith("-"):
        return [(option, "option") for option in _OPTIONS.get(magic, ()) if option not in before]
    if magic == "share":
        return [(name, "variable") for name in _shareable()]
    if "--from" in before[:-1]:
        elsewhere = before[before.index("--from") + 1]
        return [(quoted(name), "table") for name in _within(_PATIENCE, functools.partial(_tables_in, elsewhere))]
    from ..core import default_store

    store = default_store()
    names = store.names()
    if len(names) > _MOST_DESCRIBED:
        return [(quoted(name), "table") for name in names]
    return [(quoted(one.name), f"table: {one.shape}, {words.size(one.nbytes)}") for one in store.tables().everything]


def _places(magic: str) -> list[str]:
    from ..elsewhere import places

    known = [one.name for one in places() if one.writable or magic != "share"]
    return sorted({*known, *(["everyone"] if magic == "share" else [])})


def _tables_in(name: str) -> list[str]:
    from ..elsewhere import place

    return place(name).names()


def _within(seconds: float, names: Callable[[], list[str]]) -> list[str]:
    """The names, or none if they are not there in time: a bucket may not answer, and completion must not say why."""
    found: list[str] = []

    def look() -> None:
        with contextlib.suppress(ArrowSHMError):
            found.extend(names())

    thread = threading.Thread(target=look, name="arrowshm-completion", daemon=True)
    thread.start()
    thread.join(seconds)
    return list(found)


def _user_variables() -> dict[str, Any]:
    shell = get_ipython()
    if shell is None:
        return {}
    return {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and name not in shell.user_ns_hidden
    }


def _shareable() -> list[str]:
    """Variables that hold a table, told by their type: nothing of the user's is called or imported."""
    return sorted(name for name, value in _user_variables().items() if _is_tabular(value))


def _is_tabular(value: Any) -> bool:
    if isinstance(value, type):
        return False
    numpy = sys.modules.get("numpy")
    if is_records(value) or (numpy is not None and isinstance(value, numpy.ndarray)):
        return True
    if isinstance(value, dict):
        return bool(value) and numpy is not None and all(isinstance(array, numpy.ndarray) for array in value.values())
    return any(hasattr(type(value), name) for name in ("__arrow_c_stream__", "__arrow_c_array__"))
