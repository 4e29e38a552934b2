"""Where a magic was called: in a cell, or in a function with variables of its own."""

from __future__ import annotations

import inspect
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

_PACKAGE = __name__.partition(".")[0]
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


@dataclass(frozen=True)
class Scope:
    """The place where code called a magic.

    Attributes
    ----------
    local
        The variables of the function there, and of the functions around it. Empty in a cell.
    is_function
        Whether a variable that is assigned to there is not one of the notebook.
    """

    shell: InteractiveShell
    local: Mapping[str, Any]
    is_function: bool

    @classmethod
    def of_caller(cls, shell: InteractiveShell) -> Scope:
        """The scope of the code that called the magic; also if it did so through ``run_line_magic``."""
        local: dict[str, Any] = {}
        is_function = False
        for frame in _enclosing(_caller()):
            space = frame.f_locals
            if space is shell.user_ns or space is frame.f_globals:
                break
            local = {**space, **local}
            if not frame.f_code.co_flags & inspect.CO_OPTIMIZED and "__qualname__" not in space:
                break  # since Python 3.12 a cell has its comprehension's variables, beside its own; a class has a name
            is_function = is_function or frame.f_code.co_name not in _COMPREHENSIONS
        return cls(shell, local, is_function)

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables that names refer to there."""
        return ChainMap({**self.local}, self.shell.user_ns)

    @property
    def importing(self) -> str:
        """The import that a line with ``shm`` in it needs there."""
        known = self.variables.get("shm") is sys.modules.get(_PACKAGE)
        return "" if known else f"import {_PACKAGE} as shm; "

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, as the code there would get it."""
        if not self.local:
            return self.shell.ev(expression)
        # As globals, all of them: a lambda in the expression does not see the locals of `eval`.
        return eval(expression, {**self.shell.user_global_ns, **self.variables})


def _caller() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("IPython", _PACKAGE):
        frame = frame.f_back
    return frame


def _enclosing(frame: FrameType | None) -> Iterator[FrameType]:
    """The frame, and those of the functions in which its code is written, as far as they still run.

    Before Python 3.12 a comprehension is a function, and a function never keeps
    a variable of the one around it that it names only in a string.
    """
    while frame is not None:
        yield frame
        inner, frame = frame, frame.f_back
        while frame is not None and not any(const is inner.f_code for const in frame.f_code.co_consts):
            frame = frame.f_back
