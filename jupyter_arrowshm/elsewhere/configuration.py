"""The places that have names, and whether users may read each other's tables: what the administrator and the user say.

A server exports ``c.ArrowSHM.places`` and ``c.ArrowSHM.open_places`` to its kernels in the environment. Processes that
no server started read ``arrowshm.json`` of each directory of Jupyter's configuration path.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import PlaceFailed

PLACES = "JUPYTER_ARROWSHM_PLACES"  # JSON: {"team": "s3://bucket/tables"}
OPEN_PLACES = "JUPYTER_ARROWSHM_OPEN_PLACES"  # "0": nobody reads other users' tables, and nobody shares with them
FILE = "arrowshm.json"


def places() -> dict[str, str]:
    """The addresses by name; what the environment says comes before the user's file, and that before the system's.

    Raises
    ------
    PlaceFailed
        The environment or a file does not say it in JSON.
    """
    found: dict[str, str] = {}
    for where, told in reversed([("$" + PLACES, {"places": _environment()}), *_files()]):
        given = told.get("places", {})
        if not is_valid(given):
            raise PlaceFailed(where, 'does not map names to addresses, as {"team": "s3://bucket/tables"} does')
        found.update(given)
    return found


def is_valid(given: object) -> bool:
    """Whether this maps names of places to addresses."""
    return isinstance(given, Mapping) and all(
        isinstance(name, str) and name and not name.startswith("-") and isinstance(address, str) and address
        for name, address in given.items()
    )


def allows_open_places() -> bool:
    """Whether users may share with other users. One "no" is enough, wherever it stands."""
    if os.environ.get(OPEN_PLACES, "") == "0":
        return False
    return all(told.get("open_places", True) is not False for _, told in _files())


def _environment() -> Any:
    text = os.environ.get(PLACES, "")
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return None


def _files() -> Iterator[tuple[str, dict[str, Any]]]:
    """The files that exist, the user's first."""
    for directory in _directories():
        path = Path(directory, FILE)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            try:
                told = json.loads(path.read_text())
            except ValueError as error:
                raise PlaceFailed(str(path), f"is not JSON ({error})") from None
            yield str(path), told if isinstance(told, dict) else {"places": None}


def _directories() -> list[str]:
    try:
        from jupyter_core.paths import jupyter_config_path
    except ImportError:  # a process without Jupyter reads the system's
        return [os.path.expanduser("~/.jupyter"), f"{sys.prefix}/etc/jupyter", "/usr/local/etc/jupyter", "/etc/jupyter"]
    return list(jupyter_config_path())
