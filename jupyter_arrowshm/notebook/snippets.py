"""The lines that attach a table, for every name that a table may have.

``tests/fixtures/attach-lines.json`` says what they are; ``js/src/shared/code.ts`` prints the same ones.
"""

from __future__ import annotations

import json
import keyword
import re
import unicodedata
from collections.abc import Callable, Mapping

# Words that a shell and IPython would leave as they are.
_PLAIN = re.compile(r"(?!-)[\w@%+=:,./-]+", re.ASCII)
_NOT_ASSIGNABLE = {"__debug__", "__builtins__"}  # in Python, besides its keywords
_JULIA_RESERVED = re.compile(
    "baremodule|begin|break|catch|const|continue|do|else|elseif|end|export|false|finally|for|function|global|if|import"
    "|in|isa|let|local|macro|module|quote|return|struct|true|try|using|where|while"
    "|ccall|eval|include|ARGS|ArrowSHM|Base|Core|Main"
)
_JULIA_LETTERS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"}
_JULIA_PARTS = _JULIA_LETTERS | {"Mn", "Mc", "Nd", "Pc"}

_R_PART = re.compile(r"[A-Za-z0-9_.]")  # which other letters R takes depends on its locale
_R_RESERVED = re.compile(
    "if|else|repeat|while|function|for|next|break|in|TRUE|FALSE|NULL|Inf|NaN|NA|NA_integer_|NA_real_|NA_complex_"
    "|NA_character_"
)


def is_address(name: str) -> bool:
    """Whether this is a path or a URI: a table's name has no ``/`` in it."""
    return "/" in name


def folded(identifier: str) -> str:
    """The identifier that Python looks up instead of this one: it reads the micro sign as the Greek letter."""
    return unicodedata.normalize("NFKC", identifier)


def variable_for(name: str) -> str:
    """A Python variable for a table's name.

    The name itself where Python reads it as it is; else ``trips_2013`` for ``trips-2013``, ``class_`` for ``class``,
    and ``trips`` for ``./trips.parquet``.
    """
    if is_address(name):
        name = name.split("?")[0].rstrip("/").rpartition("/")[2].lstrip(".").split(".")[0] or "table"
    variable = _with_underscores(folded(name), lambda character: f"_{character}".isidentifier())
    if not variable.isidentifier():
        variable = f"_{variable}"
    return f"{variable}_" if keyword.iskeyword(variable) or variable in _NOT_ASSIGNABLE else variable


def julia_variable_for(name: str) -> str:
    """A variable of Julia for a table's name, by the same rule."""
    # Julia reads another letter for three of them; NFKC has two, the micro sign and Planck's constant.
    known = folded(name).replace("ɛ", "ε")
    variable = _with_underscores(known, lambda character: unicodedata.category(character) in _JULIA_PARTS)
    if variable[0] != "_" and unicodedata.category(variable[0]) not in _JULIA_LETTERS:
        variable = f"_{variable}"
    return f"{variable}_" if _JULIA_RESERVED.fullmatch(variable) else variable


def r_variable_for(name: str) -> str:
    """A variable of R for a table's name, by the same rule; of other letters than ASCII's it keeps none."""
    variable = _with_underscores(name, lambda character: _R_PART.fullmatch(character) is not None)
    if not re.match("[A-Za-z]", variable):
        variable = f"x{variable}"
    return f"{variable}_" if _R_RESERVED.fullmatch(variable) else variable


def _with_underscores(name: str, is_part: Callable[[str], bool]) -> str:
    variable = ""
    for character in name:
        if variable.endswith("_") and unicodedata.category(character).startswith("M"):
            continue  # a mark: it would sit on the underscore
        variable += character if is_part(character) else "_"
    # IPython keeps results in `_`, `__` and `___`, and Julia cannot read such a variable.
    return variable if variable.strip("_") else "table"


def quoted(name: str) -> str:
    """The name as a word of a magic's line: between quotes where it could be taken for anything else."""
    if name != "as" and (_PLAIN.fullmatch(name) or variable_for(name) == name):
        return name
    return "'" + name.replace("'", "'\"'\"'") + "'"


def magic_line(name: str) -> str:
    """``%attach trips``."""
    variable = variable_for(name)
    return f"%attach {name}" if variable == name else f"%attach {quoted(name)} as {variable}"


def python_line(name: str, variable: str, options: Mapping[str, object]) -> str:
    """``trips = shm.attach("trips", to="source")``."""
    given = "".join(f", {key}={_literal(value)}" for key, value in options.items() if value)
    return f"{variable} = shm.attach({_literal(name)}{given})"


def julia_line(name: str) -> str:
    """``@attach trips``."""
    variable = julia_variable_for(name)
    text = re.sub(r'[\\"$]', r"\\\g<0>", name)
    return f"@attach {name}" if variable == name else f'@attach {variable} = "{text}"'


def r_line(name: str) -> str:
    """``trips <- attach_table("trips")``."""
    text = re.sub(r'[\\"]', r"\\\g<0>", name)
    return f'{r_variable_for(name)} <- attach_table("{text}")'


def _literal(value: object) -> str:
    return str(value) if value is True else json.dumps(value, ensure_ascii=False)
