"""A line below pandas' own error when a cell writes into what is attached: it says how to get a copy."""

from __future__ import annotations

import re
from typing import Any

from .bindings import Bindings
from .snippets import quoted


class Hints:
    """Print each hint once for a variable and a version: nobody wants the same advice below ten cells."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._told: set[tuple[str, str]] = set()

    def after_cell(self, result: Any) -> None:
        """IPython calls this after each cell, with its ``ExecutionResult``, when the error is on the page."""
        if not _is_refused_write(result.error_in_exec):
            return
        for binding in self._bindings.live():
            told = binding.variable, binding.version
            if binding.is_read_only and told not in self._told and _names(result.info.raw_cell, binding.variable):
                self._told.add(told)
                bound = "" if binding.variable == binding.name else f" as {binding.variable}"
                print(
                    f"{binding.variable} is shared and read-only; "
                    f"a copy that you can write into: %attach {quoted(binding.name)}{bound} --copy"
                )


def _is_refused_write(error: object) -> bool:
    # pandas, NumPy and Cython word it differently, but all use this word.
    return isinstance(error, ValueError | TypeError) and "read-only" in str(error)


def _names(cell: object, variable: str) -> bool:
    return re.search(rf"\b{re.escape(variable)}\b", str(cell)) is not None
