"""The columns of a table, changed so that a library can use them: the rules, applied."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pyarrow as pa

from ..arrowtypes import check_views, has_arrays, is_view
from ..errors import UnsupportedTarget
from .probes import can_use
from .recast import rebuilt, recast_column
from .rules import RULES

T = TypeVar("T")


def fitted(table: pa.Table, target: str) -> pa.Table:
    """The table with each column as the target can use it; the very same columns where nothing needs to be done.

    Raises
    ------
    UnsupportedTarget
        The target has no type for the values of some column; the error names that column.
    pyarrow.ArrowInvalid, pyarrow.lib.ArrowIndexError
        A column points out of itself: code that takes columns apart would crash the process.
    """
    changes = {}
    for number, field in enumerate(table.schema):
        kind = _type(field, target)
        wanted = [] if kind in _NUMBERS_AND_TEXT else _candidates(kind, target, field.name)
        if wanted and wanted != [kind]:
            changes[number] = (table.column(number), wanted, target, field.name)
    many = table.num_rows >= _MANY_ROWS
    _do([partial(_check, part) for column, *_ in changes.values() for part in _parts(column)], at_once=many)
    columns = _do([partial(_fit, *change) for change in changes.values()], at_once=many)
    for number, column in zip(changes, columns, strict=True):
        table = table.set_column(number, table.schema.field(number).with_type(column.type), column)
    return table


def _do(jobs: list[Callable[[], T]], *, at_once: bool) -> list[T]:
    """What the jobs return. ``at_once`` they are done on as many threads as pyarrow has, where there can be any."""
    workers = min(len(jobs), pa.cpu_count()) if at_once else 1
    if workers > 1:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(workers, thread_name_prefix="arrowshm-cast") as pool:
            try:
                futures = [pool.submit(job) for job in jobs]
            except RuntimeError:  # a container allows no more of them, or the interpreter is ending
                futures = []
        if futures:
            return [future.result() for future in futures]
    return [job() for job in jobs]


def _parts(column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    """What can be checked by itself: some rows of a column of views, else the column."""
    starts = range(0, len(column), _MANY_ROWS) if is_view(column.type) else ()
    return [column.slice(start, _MANY_ROWS) for start in starts] or [column]


def _check(column: pa.ChunkedArray) -> None:
    if not is_view(
        column.type
    ):  # whose views are all that can point anywhere; whether texts are UTF-8 costs more to know
        column.validate(full=True)
    check_views(column)


def _fit(column: pa.ChunkedArray, wanted: list[pa.DataType], target: str, name: str) -> pa.ChunkedArray:
    *others, last = wanted
    for type_ in others:
        with contextlib.suppress(pa.ArrowInvalid):
            return recast_column(column, type_)
    try:
        return recast_column(column, last)
    except pa.ArrowInvalid as error:
        reason = str(error).partition("\n")[0]
        raise UnsupportedTarget(target, f"{column.type} with these values ({reason})", name) from None


def _type(field: pa.Field, target: str) -> pa.DataType:
    if field.type in _NUMBERS_AND_TEXT or has_arrays(field.type):
        return field.type
    reason = "an interval of an older sort, which pyarrow has no arrays for"
    raise UnsupportedTarget(target, reason, field.name, instead="stored")


_MANY_ROWS = 1 << 16  # from here on a column takes longer than it takes to start a thread

# Types that need no look.
_NUMBERS_AND_TEXT = frozenset(
    [pa.int64(), pa.float64(), pa.int32(), pa.string(), pa.large_string(), pa.bool_(), pa.date32()]
)


@functools.lru_cache(maxsize=1024)
def _candidates(type_: pa.DataType, target: str, column: str) -> list[pa.DataType]:
    def leaf(choice: int) -> Callable[[pa.DataType], pa.DataType]:
        def change(part: pa.DataType) -> pa.DataType:
            for rule in RULES[target]:
                if not rule.applies(part) or (rule.probed and can_use(target, part)):
                    continue
                if rule.becomes is None:
                    raise UnsupportedTarget(target, rule.why, column)
                if not (types := rule.becomes(part)):
                    raise UnsupportedTarget(target, rule.why, column)
                return change(types[min(choice, len(types) - 1)])
            return part

        return change

    return list(dict.fromkeys(rebuilt(type_, leaf(choice)) for choice in (0, 1)))
