"""What stands behind ``%share`` and ``%attach`` on their line."""

from __future__ import annotations

import argparse
import ast
import io
import re
import shlex
import tokenize
from typing import NoReturn

from IPython.core.error import UsageError

from ..kinds import KINDS
from .bindings import variable_for

SHARE_OPTIONS = ("--replace", "--move", "--pin")
ATTACH_OPTIONS = ("--to", "--columns", "--copy", "--wait", "--follow")
_COMMENT = re.compile(r"(^|\s)#")  # not within a word: a name may be a#b


class _Parser(argparse.ArgumentParser):
    """argparse that reports a mistake to the notebook instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. {self.format_usage().strip()}")


def attach_arguments(line: str) -> argparse.Namespace:
    parser = _Parser(
        prog="%attach",
        usage="%%attach NAME [as VAR] ... [--to KIND] [--columns a,b] [--copy] [--wait SECONDS] [--follow]",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="+", metavar="NAME")
    parser.add_argument("--to", choices=KINDS)
    parser.add_argument("--columns", type=lambda names: names.split(","))
    parser.add_argument("--copy", action="store_true")
    parser.add_argument("--wait", type=float)
    parser.add_argument("--follow", action="store_true")
    return parser.parse_intermixed_args(split(line))


def split(line: str) -> list[str]:
    """Words, as a shell has them: quotes keep one together."""
    try:
        return shlex.split(_without_comment(line))
    except ValueError as error:
        raise UsageError(f"{line!r}: {error}") from None


def _without_comment(line: str) -> str:
    """Cut off what stands behind ``#``, where Python would: people copy a line with what explains it."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line).readline):
            if token.type == tokenize.COMMENT and (found := _COMMENT.search(line, max(0, token.start[1] - 1))):
                return line[: found.start()]
    except (tokenize.TokenError, SyntaxError):
        pass  # it is said by who reads the line
    return line


def take_options(line: str) -> tuple[str, set[str]]:
    """Cut the options off both ends; between them is Python, where ``--pin`` may be an expression."""
    line, options = _without_comment(line), set[str]()
    head = re.compile(rf"^\s*({'|'.join(SHARE_OPTIONS)})(\s|$)")
    tail = re.compile(rf"(^|\s)({'|'.join(SHARE_OPTIONS)})\s*$")
    while found := head.search(line):
        options.add(found[1])
        line = line[found.end() :]
    while found := tail.search(line):
        options.add(found[2])
        line = line[: found.start()]
    if found := re.search(r"(?:^|\s)(--[a-z]\S*)\s*$", line):
        raise UsageError(f"%share has no option {found[1]}; it has {', '.join(SHARE_OPTIONS)}")
    return line.strip(), options


def items(line: str) -> list[tuple[str, str]]:
    """``EXPR as NAME``, or a list of variables each with or without ``as NAME``; as (expression, name)."""
    if named := re.fullmatch(r"(.*\S)\s+as\s+(\S+)", line, re.DOTALL):
        if _is_expression(named[1]):
            return [(named[1], named[2].strip("\"'"))]
    elif _is_expression(line):
        if not line.isidentifier():
            raise UsageError(f"an expression needs a name: %share {line} as NAME")
        return [(line, line)]
    found = pairs(line.split())
    if not all(source.isidentifier() for source, _ in found):
        raise UsageError(f"{line!r} is neither an expression nor a list of variables: %share EXPRESSION as NAME")
    return found


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def targets(parts: list[str]) -> list[tuple[str, str]]:
    """``a as x b`` as tables and the variables to bind them to."""
    found = pairs(parts)
    for name, variable in found:
        if variable != variable_for(variable):
            raise UsageError(f"{variable!r} cannot be a variable: %attach {name} as {variable_for(variable)}")
    return found


def pairs(parts: list[str]) -> list[tuple[str, str]]:
    """``a as x b`` as ``[(a, x), (b, variable for b)]``."""
    found, rest = [], list(parts)
    while rest:
        first = rest.pop(0)
        if first == "as" or (rest and rest[0] == "as" and len(rest) < 2):
            raise UsageError("'as' stands between a name and a variable")
        second = variable_for(first)
        if rest and rest[0] == "as":
            second = rest[1]
            del rest[:2]
        found.append((first, second))
    return found
