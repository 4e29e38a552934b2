"""The rest of a magic's line: words, options, expressions, and names with variables in them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from IPython.core.error import UsageError
from IPython.utils.text import DollarFormatter

from ..kinds import KINDS
from .snippets import folded, quoted, variable_for

SHARE_OPTIONS = {"--replace": "", "--move": "", "--pin": "", "--to": "PLACE"}
# Option -> the value that follows it, if any.
ATTACH_OPTIONS = {
    "--to": "KIND",
    "--columns": "a,b",
    "--where": "FILTER",
    "--copy": "",
    "--wait": "SECONDS",
    "--follow": "",
    "--from": "PLACE",
}
SHARED_OPTIONS = {"--from": "PLACE"}
UNSHARE_OPTIONS = {"--force": "", "--from": "PLACE"}
# The last option of a line, and its value; before it may be Python, where `--copy` would be two minus signs.
_LAST_OPTION = re.compile(
    r"""\s(?:--(?:copy|follow)|--(?:to|columns|where|wait|from)(?:\s+|=)(?:'[^']*'|"[^"]*"|\S+))\s*$"""
)
_COMMENT = re.compile(r"(^|\s)#")  # not within a word: a name may be a#b
# A word between quotes goes on with what touches it, as in a shell: 'it'"'"'s'. A plain one may have {d["a b"]} in it.
_WORD = re.compile(
    r"""\s*(?: (?P<quoted> (?: '[^']*' | "(?:\\.|[^"\\])*" ) (?: '[^']*' | "(?:\\.|[^"\\])*" | [^\s'"] )* )
             | (?P<plain> (?!['"\#]) (?: \{[^{}]*\} | \S )+ )
             | (?P<end> (?: \#.* )? $ ) )(?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
_PIECE = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|([^'"]+)""", re.DOTALL)
# The parts that a name may have: variables, their attributes and items, and arithmetic. A call would run the name of a
# table that somebody reads in a list and types.
_SAFE = (
    ast.Expression,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)


class Word(str):
    """A word of a line. Between quotes it is always a name: not an option, not ``as``, not ``{n}``."""

    quoted: bool

    def __new__(cls, text: str, quoted: bool) -> Word:
        self = super().__new__(cls, text)
        self.quoted = quoted
        return self


def words(line: str) -> list[Word]:
    """The words of a line, up to a comment; quotes keep one together."""
    found, position = list[Word](), 0
    while True:
        match = _WORD.match(line, position)
        if match is None:
            raise UsageError(f"{line!r}: No closing quotation")
        position = match.end()
        if match["end"] is not None:
            return found
        if match["plain"] is not None:
            found.append(Word(match["plain"], quoted=False))
        else:
            pieces = (
                single or re.sub(r'\\(["\\])', r"\1", double) or plain
                for single, double, plain in _PIECE.findall(match["quoted"])
            )
            found.append(Word("".join(pieces), quoted=True))


def options(magic: str, line: str, known: Mapping[str, str]) -> tuple[list[Word], dict[str, Word]]:
    """The words that are not options, and the options with their values; one without a value is its own."""
    names, given = list[Word](), dict[str, Word]()
    rest = iter(words(line))
    for word in rest:
        if word.quoted or not word.startswith("--"):
            names.append(word)
            continue
        option, equals, value = word.partition("=")
        if option not in known:
            others = f"; it has {', '.join(known)}" if known else ""
            raise UsageError(f"%{magic} has no option {option}{others}")
        if equals:
            given[option] = Word(value, quoted=False)
        else:
            following = next(rest, None) if known[option] else word
            if following is None:
                raise UsageError(f"{option} needs a value: %{magic} NAME {option} {known[option]}")
            given[option] = following
    return names, given


class AttachLine(NamedTuple):
    """The line of ``%attach``: names, options of :meth:`Store.attach`, seconds to wait, whether to follow, a place."""

    names: list[Word]
    options: dict[str, Any]
    wait: float | None
    follow: bool
    place: str


def attach_arguments(line: str, variables: Mapping[str, Any], kind: str) -> AttachLine:
    """Read the line; ``kind`` is --to's default."""
    names, given = options("attach", line, ATTACH_OPTIONS)
    values = {option: expand(value, variables) for option, value in given.items()}
    if (to := str(values.get("--to", kind))) not in KINDS:
        hint = f"; from a place called {to}: --from {quoted(to)}"
        raise UsageError(f"--to {to}: there is no such kind, only {', '.join(KINDS)}{hint}")
    columns = values["--columns"].split(",") if "--columns" in values else None
    wait = None
    if "--wait" in values:
        try:
            wait = float(values["--wait"])
        except ValueError:
            raise UsageError(f"--wait takes seconds, and {values['--wait']!r} is not a number") from None
    follow, place = "--follow" in given, str(values.get("--from", ""))
    if follow and place:
        raise UsageError("--follow is for tables of this machine: attach again from a place to have its newest version")
    values_of_store: dict[str, Any] = {"to": to, "columns": columns, "copy": "--copy" in given}
    if "--where" in values:
        values_of_store["where"] = str(values["--where"])
    return AttachLine(names, values_of_store, wait, follow, place)


def alternative(line: str) -> tuple[str, str]:
    """``trips or read(path) --to pandas`` as ``trips --to pandas`` and ``read(path)``; no expression where none is."""
    for match in re.finditer(r"\s+or\s+", line):
        before, source = line[: match.start()], _without_comment(line[match.end() :]).strip()
        options = ""
        while not (is_expression(source) and not _LAST_OPTION.search(source)):
            if (last := _LAST_OPTION.search(source)) is None:
                break
            source, options = source[: last.start()].rstrip(), f"{last[0]} {options}"
        if source and is_expression(source):
            return f"{before} {options}".rstrip(), source
    return line, ""


def only_name(line: str, variables: Mapping[str, Any]) -> str:
    """The one name behind ``%%share``."""
    names = words(line)
    if len(names) != 1:
        raise UsageError("share the last expression of this cell under which name? %%share NAME")
    return expand(names[0], variables)


def expand_all(found: list[Word], variables: Mapping[str, Any]) -> list[str]:
    """The words with the values of variables in them."""
    return [expand(word, variables) for word in found]


def expand(word: Word, variables: Mapping[str, Any]) -> Word:
    """The word with the values of ``{n}`` and ``$n`` in it.

    As everywhere in IPython, it stays as it is where there is no such variable. Between quotes it always does.
    """
    if word.quoted:
        return word
    text = ""
    try:
        for literal, field, form, conversion in DollarFormatter().parse(word):
            text += literal
            if field is not None:
                value = _value(field, variables)
                converted = DollarFormatter().convert_field(value, conversion)
                text += format(converted, form or "")
    except (LookupError, SyntaxError, ValueError):
        return word
    return Word(text, quoted=True)


def _value(field: str, variables: Mapping[str, Any]) -> Any:
    """The value of a field; ``LookupError`` if it names no variable, or one that is not there."""
    tree = ast.parse(field.strip(), mode="eval")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not names or not all(folded(name) in variables for name in names):
        raise LookupError(field)
    if not all(isinstance(node, _SAFE) for node in ast.walk(tree)):
        raise UsageError(
            f"{{{field}}} is more than a variable: put its value into one first, "
            "or quote the name if the table is called that"
        )
    try:
        return eval(compile(tree, "<name>", "eval"), {"__builtins__": {}}, dict(variables))
    except Exception as error:
        raise UsageError(f"{{{field}}} failed: {type(error).__name__}: {error}") from None


def take_options(line: str) -> tuple[str, dict[str, str]]:
    """Cut the options of ``%share`` off both ends; between them is Python, where ``--pin`` may be an expression.

    Gives them with their values; those that take none have an empty one.
    """
    line, options = _without_comment(line), dict[str, str]()
    option = rf"(?:({'|'.join(name for name, value in SHARE_OPTIONS.items() if not value)})|--to[ =]\s*(\S+))"
    head, tail = re.compile(rf"^\s*{option}(?=\s|$)"), re.compile(rf"(?:^|(?<=\s)){option}\s*$")
    while match := head.search(line):
        options[match[1] or "--to"] = (match[2] or "").strip("'\"")
        line = line[match.end() :]
    while match := tail.search(line):
        options[match[1] or "--to"] = (match[2] or "").strip("'\"")
        line = line[: match.start()]
    if re.search(r"(?:^|\s)--to\s*$", line):
        raise UsageError("--to needs a value: %share NAME --to PLACE")
    if (to := options.get("--to")) in KINDS:
        raise UsageError(f"--to names a place to share in; any table can be attached as {to}: %attach NAME --to {to}")
    if match := re.search(r"(?:^|\s)(--[a-z]\S*)\s*$", line):
        raise UsageError(f"%share has no option {match[1]}; it has {', '.join(SHARE_OPTIONS)}")
    return line.strip(), options


def _without_comment(line: str) -> str:
    """Cut off a comment after ``#``, where Python would: people copy a line with its explanation."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line).readline):
            if token.type == tokenize.COMMENT and (comment := _COMMENT.search(line, max(0, token.start[1] - 1))):
                return line[: comment.start()]
    except (tokenize.TokenError, SyntaxError):
        pass  # the line's reader reports it
    return line


def items(line: str, variables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``EXPR as NAME``, or a list of variables each with or without ``as NAME``; as (expression, name)."""
    for match in reversed(list(re.finditer(r"\s+as\s+", line))):
        if is_expression(line[: match.start()]) and len(name := words(line[match.end() :])) == 1:
            return [(line[: match.start()], expand(name[0], variables))]
    if is_expression(line):
        if not line.isidentifier():
            raise UsageError(f"an expression needs a name: %share {line} as NAME")
        return [(line, line)]
    pairs: list[tuple[str, str]] = []
    for source, known_as in _pairs(words(line)):
        pairs.append((source, expand(known_as, variables) if known_as else source))
    if not all(source.isidentifier() for source, _ in pairs):
        raise UsageError(f"{line!r} is neither an expression nor a list of variables: %share EXPRESSION as NAME")
    return pairs


def is_expression(text: str) -> bool:
    """Whether this is an expression of Python."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def targets(parts: list[Word], variables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``a as x b`` as tables and the variables to bind them to."""
    pairs: list[tuple[str, str]] = []
    for first, second in _pairs(parts):
        name = expand(first, variables)
        variable = expand(second, variables) if second else variable_for(name)
        if folded(variable) != variable_for(variable):
            raise UsageError(f"{variable!r} cannot be a variable: %attach {quoted(name)} as {variable_for(variable)}")
        pairs.append((name, folded(variable)))
    return pairs


def _pairs(parts: list[Word]) -> Iterator[tuple[Word, Word | None]]:
    """``a as x b`` as ``(a, x), (b, None)``."""
    rest = list(parts)
    while rest:
        first = rest.pop(0)
        is_renamed = bool(rest) and _is_as(rest[0])
        if _is_as(first) or (is_renamed and len(rest) == 1):
            raise UsageError("'as' stands between a name and a variable")
        yield first, rest[1] if is_renamed else None
        if is_renamed:
            del rest[:2]


def _is_as(word: Word) -> bool:
    return word == "as" and not word.quoted
