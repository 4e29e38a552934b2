"""The cell below ``%%share``."""

from __future__ import annotations

import ast
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell


def last_value(shell: InteractiveShell, body: str) -> Any:
    """Run a cell as IPython would, except for its last expression, whose value this gives."""
    text = shell.transform_cell(body)
    name = shell.compile.cache(text, shell.execution_count, raw_code=body)
    tree = shell.transform_ast(ast.parse(text, name))
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        raise UsageError("the last line of the cell is what %%share shares: write the table there, as an expression")
    last = tree.body.pop()
    exec(compile(tree, name, "exec"), shell.user_global_ns, shell.user_ns)
    return eval(compile(ast.Expression(last.value), name, "eval"), shell.user_global_ns, shell.user_ns)
