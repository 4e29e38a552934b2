"""The object that a person names after ``%share``: its value, and that value as a shared table."""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from .. import tabular
from ..errors import TableExists
from . import progress
from .mistakes import name_is_taken, usage_error
from .results import seconds
from .scope import Scope

if TYPE_CHECKING:
    from ..core import Store, TableInfo
    from ..elsewhere import Place


def evaluate(scope: Scope, source: str) -> Any:
    """The value of an expression on a magic's line."""
    try:
        return scope.evaluate(source)
    except NameError as error:
        raise usage_error(f"{error}. Share a variable or an expression: %share EXPRESSION as NAME") from None
    except Exception as error:
        raise usage_error(f"{source} failed: {type(error).__name__}: {error}") from None


def share(
    store: Store, get: Callable[[], Any], name: str, command: str, options: dict[str, str], progress_after: float
) -> tuple[TableInfo, str, Callable[[], Any]]:
    """Share what ``get`` gives; ``command`` is what a person wrote before the name.

    Gives the table, how long it took, and a weak reference to what is private.
    """
    value = frame_of_records(get())
    begun = time.perf_counter()
    with _source_errors(name), progress.shown(f"sharing {name}", progress_after) as written:
        before = store.version(name)
        try:
            table = store.share(value, name, replace="--replace" in options, pin="--pin" in options, progress=written)
        except TableExists as error:
            raise UsageError(name_is_taken(error, command)) from None
        except KeyboardInterrupt:
            # Freeing a large older version takes a while, and is interrupted after the new one has the name.
            if store.version(name) != before and store.is_mine(name):
                raise UsageError(f"interrupted, but {name!r} was shared already") from None
            raise UsageError(f"interrupted: {name!r} was not shared, and nothing is left of it") from None
    return table, seconds(time.perf_counter() - begun), _weak(value)


def share_in(
    place: Place, get: Callable[[], Any], name: str, command: str, options: dict[str, str], progress_after: float
) -> tuple[TableInfo, str]:
    """As :func:`share`, in another place; gives the table, and how long it took."""
    if other := [option for option in ("--move", "--pin") if option in options]:
        raise UsageError(f"{other[0]} is for tables of this machine, not with --to")
    value = frame_of_records(get())
    begun = time.perf_counter()
    with _source_errors(name), progress.shown(name, progress_after) as written:
        try:
            table = place.share(value, name, replace="--replace" in options, progress=written)
        except TableExists as error:
            raise UsageError(name_is_taken(error, command)) from None
        except KeyboardInterrupt:
            raise UsageError(f"interrupted: {name!r} is whole there, as it was or as it is now") from None
    return table, seconds(time.perf_counter() - begun)


@contextlib.contextmanager
def _source_errors(name: str) -> Iterator[None]:
    """One line for an error of a query, of a generator, of another library, that came up while the rows were read."""
    try:
        yield
    except BaseException as error:
        if not tabular.is_of_source(error):
            raise
        said = next((line for line in str(error).splitlines() if line.strip()), "")
        failed = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise usage_error(f"{name!r} was not shared: reading its rows failed: {failed}") from None


def is_records(value: object) -> bool:
    """Whether this is a list of dicts: rows, as JSON has them."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def frame_of_records(value: Any) -> Any:
    """The frame that pandas makes of rows; anything else as it is."""
    if not is_records(value):
        return value
    try:
        import pandas
    except ImportError:
        raise UsageError("a list of dicts is shared as a DataFrame: pip install pandas") from None
    return pandas.DataFrame(value)


def _weak(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:  # a dict: whether somebody else refers to it cannot be told
        return lambda: None
