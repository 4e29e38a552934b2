"""A line below pandas' own error when a cell writes into what is attached: it says how to get a copy."""

from __future__ import annotations

import re
from typing import Any

from .bindings import Binding, Bindings
from .snippets import quoted


class Hints:
    """Said once for each variable: a notebook is no place for the same advice in ten cells."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._said: set[str] = set()

    def after_cell(self, result: Any) -> None:
        """IPython calls this after each cell, with its ``ExecutionResult``, when the error is on the page."""
        if not _is_refused_write(result.error_in_exec):
            return
        live = [binding for binding in self._bindings.live() if binding.is_read_only]
        named = [binding for binding in live if _names(result.info.raw_cell, binding)]
        for binding in named or (live if len(live) == 1 else []):
            if binding.variable not in self._said:
                self._said.add(binding.variable)
                bound = "" if binding.variable == binding.name else f" as {binding.variable}"
                print(
                    f"{binding.variable} is shared and read-only; "
                    f"a copy that you can write into: %attach {quoted(binding.name)}{bound} --copy"
                )


def _is_refused_write(error: object) -> bool:
    # pandas, NumPy and Cython word it differently, and all say this.
    return isinstance(error, ValueError | TypeError) and "read-only" in str(error)


def _names(cell: object, binding: Binding) -> bool:
    return re.search(rf"\b{re.escape(binding.variable)}\b", str(cell)) is not None
