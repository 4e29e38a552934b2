"""What a user's mistake reads like in a notebook: one line that says what to do, with magics rather than functions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from IPython.core.error import UsageError

from ..errors import ArrowSHMError, TableExists


@contextlib.contextmanager
def one_line() -> Iterator[None]:
    """Our errors as one line; anything else is a bug of ours, and shows its traceback."""
    try:
        yield
    except ArrowSHMError as error:
        raise usage_error(error.says("magic")) from None


def usage_error(text: str) -> UsageError:
    """One line, whatever the error of another library or the name of a column has in it."""
    return UsageError(" ".join(text.split()))


def name_is_taken(error: TableExists, source: str) -> str:
    """What to do when somebody else's table has the name that ``source`` was to be shared under."""
    return f"{error.what} Pick another name (%share {source} as {error.name}2), or take it over (--replace)"
