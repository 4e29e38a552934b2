"""The messages for a user's mistake in a notebook: one line that says what to do, with magics rather than functions."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

from IPython.core.error import UsageError

from ..errors import ArrowSHMError, TableExists
from .snippets import quoted

_Magic = TypeVar("_Magic", bound=Callable[..., None])


def one_line(magic: _Magic) -> _Magic:
    """A magic whose errors are one line, and refer to nothing of the user's; a bug of ours shows its traceback."""

    @functools.wraps(magic)
    def run(*args: Any, **keywords: Any) -> None:
        try:
            return magic(*args, **keywords)
        except (ArrowSHMError, UsageError) as error:
            text = in_notebooks(error)
            _forget(error)
        # Not in the handler: the error before would be the context of this one, and IPython keeps the last error.
        raise usage_error(text)

    return cast(_Magic, run)


def _forget(error: BaseException | None) -> None:
    """Empty the frames of an error and of those before it: their variables are tables, some of them mapped."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def usage_error(text: str) -> UsageError:
    """An error of one line, even if another library's text or a column's name has several."""
    return UsageError(" ".join(text.split()))


def in_notebooks(error: Exception) -> str:
    """The event and the remedy, with magics where another speaker would name functions."""
    return error.says("magic") if isinstance(error, ArrowSHMError) else str(error)


def name_is_taken(error: TableExists, command: str) -> str:
    """The remedy when somebody else's table has the name; ``command`` is what a person wrote before it."""
    other = quoted(f"{error.name}2")
    return f"{error.what} Pick another name ({command} {other}), or take it over (--replace)"
