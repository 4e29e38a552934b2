"""A filter that a person writes, ``fare > 10 and city in [...]``, as an expression of a pyarrow dataset."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .. import words

if TYPE_CHECKING:
    import pyarrow.compute as pc

_HELP = "write it like: fare > 10 and city in ['Bergen', 'Oslo'] and not `tip paid` == None"
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_QUOTED = re.compile(r"`([^`]*)`|('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")")


class Where:
    """A filter that was read, and whose columns are looked up in a schema later.

    Raises
    ------
    ValueError
        It is not a comparison of columns and values, or several joined by ``and``, ``or``, ``not``.
    """

    def __init__(self, text: str) -> None:
        self._columns: list[str] = []
        self.text = text.strip()
        try:
            self._tree = ast.parse(_QUOTED.sub(self._replaced, self.text), mode="eval").body
        except SyntaxError as error:
            hint = "write == to compare" if re.search(r"[^=<>!]=[^=]", self.text) else _HELP
            raise ValueError(f"this filter cannot be read ({error.msg}): {self.text!r}; {hint}") from None

    def _replaced(self, match: re.Match[str]) -> str:
        """A name for what stands between backticks, as in ``DataFrame.query``; text stays as it is."""
        if match[1] is None:
            return match[0]
        self._columns.append(match[1])
        return f"__column_{len(self._columns) - 1}"

    def bind(self, schema: pa.Schema) -> pc.Expression:
        """The expression for columns of this schema; values are cast to the types of what they are compared with."""
        return self._expression(self._tree, schema)

    def _expression(self, node: ast.expr, schema: pa.Schema) -> Any:
        read = functools.partial(self._expression, schema=schema)
        match node:
            case ast.BoolOp(ast.And(), values):
                return functools.reduce(operator.and_, map(read, values))
            case ast.BoolOp(ast.Or(), values):
                return functools.reduce(operator.or_, map(read, values))
            case ast.BinOp(left, ast.BitAnd(), right):
                return read(left) & read(right)
            case ast.BinOp(left, ast.BitOr(), right):
                return read(left) | read(right)
            case ast.UnaryOp(ast.Not() | ast.Invert(), operand):
                return ~read(operand)
            case ast.Compare(left, comparisons, others):
                pairs = zip([left, *others], comparisons, others, strict=False)
                return functools.reduce(operator.and_, [self._compare(*pair, schema) for pair in pairs])
            case ast.Name():
                return self._field(node, schema)[0]
        raise self._unreadable(node)

    def _compare(self, left: ast.expr, comparison: ast.cmpop, right: ast.expr, schema: pa.Schema) -> Any:
        if not isinstance(left, ast.Name):
            if isinstance(right, ast.Name) and type(comparison) in _COMPARE:
                column, kind = self._field(right, schema)
                return _COMPARE[type(comparison)](self._scalar(left, kind), column)
            raise self._unreadable(left)
        column, kind = self._field(left, schema)
        if isinstance(right, ast.Constant) and right.value is None:
            if isinstance(comparison, (ast.Eq, ast.Is)):
                return column.is_null()
            if isinstance(comparison, (ast.NotEq, ast.IsNot)):
                return ~column.is_null()
        if isinstance(comparison, (ast.In, ast.NotIn)) and isinstance(right, (ast.List, ast.Tuple, ast.Set)):
            among = column.isin(pa.array([self._scalar(each, kind).as_py() for each in right.elts], kind))
            return among if isinstance(comparison, ast.In) else ~among
        if type(comparison) not in _COMPARE:
            raise self._unreadable(right)
        other = self._field(right, schema)[0] if isinstance(right, ast.Name) else self._scalar(right, kind)
        return _COMPARE[type(comparison)](column, other)

    def _field(self, node: ast.Name, schema: pa.Schema) -> tuple[Any, pa.DataType]:
        import pyarrow.compute as pc

        number = node.id.removeprefix("__column_")
        name = self._columns[int(number)] if number != node.id else node.id
        if name not in schema.names:
            raise KeyError(words.no_column(name, "to filter by", schema.names))
        kind = schema.field(name).type
        return pc.field(name), kind.value_type if pa.types.is_dictionary(kind) else kind

    def _scalar(self, node: ast.expr, kind: pa.DataType) -> pa.Scalar:
        try:
            value = ast.literal_eval(node)
            scalar = pa.scalar(value)
        except (ValueError, TypeError, pa.ArrowException):
            raise self._unreadable(node) from None
        try:
            # A whole number beside a fraction stays one: 10 > 9.5 is not 10 > 9.
            if isinstance(value, float) and pa.types.is_integer(kind):
                return scalar
            return scalar.cast(kind)
        except pa.ArrowException:
            raise ValueError(f"{value!r} cannot be compared with a column of type {kind}") from None

    def _unreadable(self, node: ast.expr) -> ValueError:
        return ValueError(f"{ast.unparse(node)!r} cannot be part of a filter: {_HELP}")
