"""``python -m jupyter_arrowshm.cli.loader PATH``: load files for a client in another language.

It prints the name of their table in ``.loaded`` (docs/protocol.md, "Loading"). With ``--from PLACE`` the path is the
name of a table in a folder, a bucket or a Ray cluster. With ``--progress`` lines of two numbers come before the name:
bytes written so far, and bytes in all (0 if unknown).

With ``--from PLACE`` alone it lists the tables there. Each is a line of words with tabs between them: name, rows,
columns, bytes, whether it is pinned (0 or 1), how many older versions are in use, when it was shared (seconds since
1970, or nothing), by whom, and who uses it.

With ``--to PLACE`` standard input is an open file, in which the client has written the table to be shared there under
the name, as it writes those of its store; the line of the new table is printed. ``--from PLACE --remove`` removes one.

An error is one line of words on standard error: its type, its text, and its fields as ``key=value``.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import sys
import time
from collections.abc import Sequence
from typing import Any, get_args

from .. import words
from ..core import TableInfo, default_store, take_over
from ..elsewhere import LOADED, Place, place
from ..errors import ArrowSHMError, PlaceNotFound, Speaker

_TELL_EVERY = 0.1  # s


def main(arguments: Sequence[str]) -> int:
    """Load, or wait until another process has loaded; gives the exit code."""
    parser = argparse.ArgumentParser(prog="jupyter_arrowshm.cli.loader")
    parser.add_argument("path", nargs="?")
    parser.add_argument("--from", dest="place", metavar="PLACE")
    parser.add_argument("--to", metavar="PLACE")
    parser.add_argument("--replace", action="store_true")
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--column", action="append", metavar="NAME", dest="columns")
    parser.add_argument("--where", metavar="FILTER")
    parser.add_argument("--wait", type=float, metavar="SECONDS")
    parser.add_argument("--progress", action="store_true")
    parser.add_argument("--speaker", choices=get_args(Speaker), default="cli", help="whose code a remedy is in")
    asked = parser.parse_args(arguments)
    told = time.monotonic()

    def tell(written: int, total: int | None) -> None:
        nonlocal told
        if asked.progress and (now := time.monotonic()) - told >= _TELL_EVERY:
            told = now
            print(written, total or 0, flush=True)

    if asked.path is None and not asked.place:
        parser.error("a path, or --from")
    options = {"columns": asked.columns, "where": asked.where, "wait": asked.wait, "progress": tell}
    try:
        if asked.path is None:
            print("".join(f"{_line(table)}\n" for table in place(asked.place).tables()), end="")
        elif asked.to:
            source: Any = take_over(0)
            print(_line(_loaded(asked.to).share(source, asked.path, replace=asked.replace, progress=tell)))
        elif asked.remove:
            _loaded(asked.place).unshare(asked.path)
        elif asked.place:
            print(_loaded(asked.place).attachment(asked.path, to="stored", **options).name)
        else:
            print(default_store().attachment(asked.path, to="stored", **options).name)
    except ArrowSHMError as error:
        print(_told(error, asked.speaker), file=sys.stderr)
        return 1
    except (KeyError, ValueError) as error:  # no such column, or a filter that cannot be read
        print(error.args[0] if error.args else error, file=sys.stderr)
        return 1
    return 0


def _loaded(name: str) -> Place:
    """A place whose tables are loaded; those of users are files that each client maps, and writes, itself."""
    found = place(name)
    if found.kind not in LOADED:
        raise PlaceNotFound(name)
    return found


def _line(table: TableInfo) -> str:
    published = table.published_at.timestamp() if table.published_at else ""
    numbers = (table.num_rows, table.num_columns, table.nbytes, int(table.pinned), len(table.older), published)
    return "\t".join((table.name, *map(str, numbers), *map(words.printable, (str(table.publisher), table.usage))))


def _told(error: ArrowSHMError, speaker: Speaker) -> str:
    fields = {one.name: _word(getattr(error, one.name)) for one in dataclasses.fields(error)}  # type: ignore[arg-type]
    told = (f"{key}={word}" for key, word in fields.items() if word)
    return "\t".join(map(words.printable, (type(error).__name__, error.says(speaker), *told)))


def _word(value: object) -> str:
    """Of a time, the seconds since 1970; of names, which have no blanks, all of them; empty where it is more."""
    if isinstance(value, dt.datetime):
        return str(value.timestamp())
    if isinstance(value, tuple):
        return " ".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else str(int(value)) if isinstance(value, int) else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
