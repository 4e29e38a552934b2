"""What a user's mistake reads like in a notebook: one line that says what to do, with magics rather than functions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from IPython.core.error import UsageError

from ..errors import ArrowSHMError, NoRoom, TableExists, TableNotFound


@contextlib.contextmanager
def one_line() -> Iterator[None]:
    """Our errors as one line; anything else is a bug of ours, and shows its traceback."""
    try:
        yield
    except ArrowSHMError as error:
        raise usage_error(_in_notebooks(error)) from None


def usage_error(text: str) -> UsageError:
    """One line, whatever the error of another library or the name of a column has in it."""
    return UsageError(" ".join(text.split()))


def _in_notebooks(error: ArrowSHMError) -> str:
    """The error's text, with magics where it names functions."""
    if isinstance(error, TableNotFound):
        return str(error).replace("tables() lists", "%shared lists")
    if isinstance(error, NoRoom):
        return str(error).replace("unshare() them, or gc() frees all", "%unshare them")
    return str(error)


def name_is_taken(error: TableExists, source: str) -> str:
    reason = str(error).rpartition(";")[0]
    other = f"{error.name}2"
    return f"{reason}; pick another name (%share {source} as {other}) or take it over (--replace)"
