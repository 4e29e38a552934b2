"""A subclass of DataFrame or Series <-> its name in the metadata, by which a process that has the class makes it again.

A file never makes a process import anything: whoever can put a file where it is attached would choose the code that
runs. So a class is found only where its module is imported already; elsewhere the frame is a plain one, and a note
says which import is missing.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas

from ..errors import UnsupportedSource

pd: Any = pandas


def describe(obj: Any, kind: str, mine: str) -> dict[str, Any] | None:
    """The class of a frame or Series, and the attributes that it carries along (``_metadata``); None for pandas' own.

    Raises
    ------
    UnsupportedSource
        One of these attributes is not what JSON can hold.
    """
    cls = type(obj)
    if cls in (pd.DataFrame, pd.Series):
        return None
    names = [name for name in cls._metadata if name not in pd.Series._metadata and hasattr(obj, name)]
    state = {name: getattr(obj, name) for name in names}
    for name, value in state.items():
        if not is_json(value):
            base = "DataFrame" if isinstance(obj, pd.DataFrame) else "Series"
            fix = f"Share it as pandas' own class: `{mine} = pd.{base}({mine})`"
            raise UnsupportedSource(kind, f"its {name} is not what JSON can hold", fix)
    return {"module": cls.__module__, "name": cls.__qualname__, "state": state}


def is_json(value: Any) -> bool:
    """Whether JSON brings the value back as it is."""
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def restored(plain: Any, described: dict[str, Any]) -> tuple[Any, str | None]:
    """The frame or Series as what :func:`describe` named, or as it is with a note that says why."""
    module, name = str(described["module"]), str(described["name"])
    found: Any = sys.modules.get(module)
    if found is None:
        return plain, f"this was a {name} of {module}: import {module} before you attach it to have one again"
    for part in name.split("."):  # not by getattr, for which a module may import another
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    base = pd.DataFrame if isinstance(plain, pd.DataFrame) else pd.Series
    if not (isinstance(found, type) and issubclass(found, base)):
        where = "here" if module == "__main__" else f"in {module}"
        return plain, f"this was a {name}, and there is no such subclass of {base.__name__} {where}"
    cls: Any = found
    try:
        made = cls(plain)
        if type(made) is not cls or made.shape != plain.shape:
            raise TypeError("it makes another table")
        for attribute, value in described["state"].items():
            if attribute in cls._metadata:
                object.__setattr__(made, attribute, value)
        made.attrs = plain.attrs
        made.flags.allows_duplicate_labels = plain.flags.allows_duplicate_labels
    except Exception as error:  # of that class
        return plain, f"this was a {name}, which cannot be made of a {base.__name__} ({type(error).__name__}: {error})"
    return made, None
