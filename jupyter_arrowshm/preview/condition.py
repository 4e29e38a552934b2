"""Which rows are wanted: a tree of comparisons, read from JSON and tried on one slice of a table after the other."""

from __future__ import annotations

import decimal
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..arrowtypes import is_text, plain
from ..errors import InvalidQuery
from . import literal
from .kind import comparable_type, each, is_comparable, missing
from .literal import Literal

MAX_CONDITIONS = 100
MAX_VALUES = 1000  # of "in"
MAX_TEXT = 10_000  # characters of what is looked for
_MAX_LOWERED = 64_000_000  # bytes of texts that are copied
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "contains", "is null", "is not null")
Columns = Mapping[int, pa.Array]


@dataclass(frozen=True)
class Comparison:
    """One column, an operator and a value. A missing value matches nothing but ``is null``."""

    column: int
    op: str
    type: pa.DataType
    values: tuple[Literal, ...] = ()
    ignore_case: bool = False

    @property
    def columns(self) -> frozenset[int]:
        return frozenset((self.column,))

    def mask(self, columns: Columns) -> pa.BooleanArray:
        """Which of the rows match; no nulls."""
        array = columns[self.column]
        if self.op.startswith("is "):
            found = missing(array)
            return found if self.op == "is null" else pc.invert(found)
        return each(array, self._of)

    def _of(self, array: pa.Array) -> pa.BooleanArray:
        value = self.values[0]
        if self.op == "contains":
            return _contains(array, str(value), self.ignore_case)
        if self.op == "in":
            return self._one_of(array)
        if self.op in ("==", "!="):
            found = _equal(array, value)
            return found if self.op == "==" else pc.invert(found)
        if isinstance(value, Decimal):
            below = _below(array, value, inclusive=self.op in ("<=", ">"))
            return below if self.op in ("<", "<=") else pc.invert(below)
        function = {"<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}[self.op]
        return function(array, pa.scalar(value, array.type))

    def _one_of(self, array: pa.Array) -> pa.BooleanArray:
        if not any(isinstance(value, Decimal) for value in self.values):
            matches = pc.is_in(array, pa.array(self.values, array.type))
            # Arrow compares bits, and 0.0 and NaN each have several forms.
            for value in {value for value in self.values if isinstance(value, float) and (value != value or not value)}:
                matches = pc.or_(matches, pc.fill_null(_equal(array, value), False))
            return matches
        exact = [number for value in self.values if (number := _exact(value, array.type)) is not None]
        return pc.is_in(array, pa.array(exact, array.type))


def _contains(texts: pa.Array, part: str, ignore_case: bool) -> pa.BooleanArray:
    """As ``pc.match_substring``, which takes eight times as long if case is ignored."""
    if not len(texts):  # .nbytes of an empty array without offsets ends the process
        return pa.array([], pa.bool_())
    if ignore_case and part.lower() == part.upper():
        ignore_case = False
    elif ignore_case and part.isascii() and texts.nbytes <= _MAX_LOWERED:
        lower = part.lower()
        # No other letters are the same as one of ASCII, but for the long s and the sign for kelvin (CaseFolding.txt).
        if not {"s", "k"} & set(lower) or pc.all(pc.string_is_ascii(texts)).as_py() is not False:
            texts, part, ignore_case = pc.ascii_lower(texts), lower, False
    return pc.match_substring(texts, part, ignore_case=ignore_case)


@dataclass(frozen=True)
class Combination:
    """All of some conditions, or any of them."""

    every: bool
    parts: tuple[Condition, ...]

    @property
    def columns(self) -> frozenset[int]:
        return frozenset().union(*(part.columns for part in self.parts))

    def mask(self, columns: Columns) -> pa.BooleanArray:
        combine = pc.and_ if self.every else pc.or_
        found = self.parts[0].mask(columns)
        for part in self.parts[1:]:
            found = combine(found, part.mask(columns))
        return found


Condition = Comparison | Combination


def parse(text: str, schema: pa.Schema) -> Condition:
    """The tree that this JSON describes (``rest-api.yml``, ``filter``). Raises ``InvalidQuery``."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidQuery("the filter is not JSON") from None
    return _parse(tree, schema, [0], 0)


def _parse(tree: Any, schema: pa.Schema, count: list[int], depth: int) -> Condition:
    count[0] += 1
    if count[0] > MAX_CONDITIONS or depth > 20:
        raise InvalidQuery(f"the filter has more than {MAX_CONDITIONS} conditions, or is nested too deep")
    for word in ("and", "or"):
        if isinstance(tree, dict) and set(tree) == {word} and isinstance(tree[word], list) and tree[word]:
            parts = tuple(_parse(part, schema, count, depth + 1) for part in tree[word])
            return Combination(word == "and", parts)
    if not isinstance(tree, dict) or not {"column", "op"} <= set(tree) <= {"column", "op", "value", "ignore_case"}:
        raise InvalidQuery('a filter is {"and": [...]}, {"or": [...]} or {"column": 0, "op": "==", "value": 5}')
    column, op = tree["column"], tree["op"]
    field = schema.field(check_column(column, schema))
    if op not in OPERATORS:
        raise InvalidQuery(f"there is no operator {str(op)[:20]!r}; there are {', '.join(OPERATORS)}")
    if op.startswith("is "):
        return Comparison(column, op, field.type)
    if not is_comparable(field.type) or (op == "contains" and not is_text(plain(field.type))):
        raise InvalidQuery(f"{op!r} does not work on column {field.name[:60]!r} of {str(field.type)[:60]}")
    values = tree.get("value") if op == "in" else [tree.get("value")]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_VALUES:
        raise InvalidQuery(f"'in' needs a list of 1 to {MAX_VALUES} values")
    if any(isinstance(one, str) and len(one) > MAX_TEXT for one in values):
        raise InvalidQuery(f"a filter's text has {MAX_TEXT:,} characters at most")
    literals = tuple(literal.parse(one, field.type) for one in values)
    return Comparison(column, op, field.type, literals, bool(tree.get("ignore_case")))


def check_column(column: object, schema: pa.Schema) -> int:
    if not isinstance(column, int) or isinstance(column, bool) or not 0 <= column < len(schema):
        raise InvalidQuery(f"there is no column {str(column)[:20]}; the table has {len(schema)}, counted from 0")
    return column


# -- whole numbers and decimals: compared without rounding, however they were written ----------------------------------


def _equal(array: pa.Array, value: Literal) -> pa.BooleanArray:
    if isinstance(value, Decimal):
        exact = _exact(value, array.type)
        return _always(array, False) if exact is None else pc.equal(array, pa.scalar(exact, array.type))
    if value != value:  # a person who asks for NaN means NaN
        return pc.is_nan(array)
    return pc.equal(array, pa.scalar(value, array.type))


def _below(array: pa.Array, value: Decimal, inclusive: bool) -> pa.BooleanArray:
    """Which values are less than ``value``, or equal: in steps of the type, so that 2.5 splits 2 from 3."""
    low, high, step = _range(array.type)
    if value > high or value < low:
        return _always(array, value > high)
    floor = _floor(value, step)
    bound = literal.PRECISION.add(floor, step) if inclusive or floor != value else floor
    if bound > high:
        return _always(array, True)
    return pc.less(array, pa.scalar(_number(bound, array.type), array.type))


def _exact(value: Literal, type_: pa.DataType) -> int | Decimal | None:
    """The value of this type that is equal to ``value``, if there is one."""
    assert isinstance(value, Decimal)
    low, high, step = _range(type_)
    if not low <= value <= high or _floor(value, step) != value:
        return None
    return _number(value, type_)


def _floor(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, decimal.ROUND_FLOOR, literal.PRECISION)


def _number(value: Decimal, type_: pa.DataType) -> int | Decimal:
    return value if pa.types.is_decimal(type_) else int(value)


def _range(type_: pa.DataType) -> tuple[Decimal, Decimal, Decimal]:
    """The least and the largest value of a comparable type, and what lies between two neighbours."""
    type_ = comparable_type(type_)
    if pa.types.is_decimal(type_):
        step = Decimal(1).scaleb(-type_.scale, literal.PRECISION)
        high = Decimal(10**type_.precision - 1).scaleb(-type_.scale, literal.PRECISION)
        return high.copy_negate(), high, step
    signed = pa.types.is_signed_integer(type_)
    high = Decimal(2 ** (type_.bit_width - signed) - 1)
    return -high - 1 if signed else Decimal(0), high, Decimal(1)


def _always(array: pa.Array, answer: bool) -> pa.BooleanArray:
    """The same for every value that is there."""
    return pc.if_else(pc.is_valid(array), answer, pa.scalar(None, pa.bool_()))
