"""The rules for a table's name. They are the same in every client (docs/protocol.md, "Names")."""

from __future__ import annotations

import os
import sys
import unicodedata

from ..errors import InvalidName

MAX_BYTES = 200
SUFFIX = ".arrow"

# General categories of the Unicode standard. Format characters (Cf: zero-width,
# bidirectional overrides) make two names that look alike; surrogates (Cs) are
# what os.listdir makes of bytes that are not UTF-8.
_WHITE_SPACE = ("Zs", "Zl", "Zp")
_INVISIBLE = ("Cc", "Cf", "Cs")


def check(name: str) -> str:
    """Return ``name`` if it can name a table.

    Raises
    ------
    InvalidName
        It is empty, longer than 200 bytes of UTF-8, not in Unicode
        normalization form C, begins with a dot, or holds ``/``, white space or
        an invisible character; or this process's locale cannot write it as UTF-8.
    TypeError
        It is not a ``str``.
    """
    if not isinstance(name, str):
        raise TypeError(f"a table's name is a str, not {type(name).__name__}")
    if name.isascii() and name.isidentifier() and len(name) <= MAX_BYTES:
        return name
    if not name:
        raise InvalidName(name, "it is empty")
    if not name.isascii() and not can_be_any():
        # Its file would have another name than in every other process, or none.
        encoding = sys.getfilesystemencoding()
        raise InvalidName(name, f"this process writes file names in {encoding}; start it with PYTHONUTF8=1")
    if name[0] == ".":
        raise InvalidName(name, "it begins with a dot")
    for char in name:
        category = unicodedata.category(char)
        if char == "/":
            raise InvalidName(name, "it holds a '/'; use '-' or '.' instead")
        # Tab, line feed, carriage return and U+0085 are control characters (Cc) to Unicode, white space to people.
        if category in _WHITE_SPACE or char in "\t\n\v\f\r\x85":
            raise InvalidName(name, "it holds white space; use '_' instead")
        if category in _INVISIBLE:
            raise InvalidName(name, f"it holds the invisible character U+{ord(char):04X}")
    if not unicodedata.is_normalized("NFC", name):
        raise InvalidName(name, "it is not in Unicode normalization form C; use unicodedata.normalize('NFC', name)")
    if len(name.encode()) > MAX_BYTES:
        raise InvalidName(name, f"it is longer than {MAX_BYTES} bytes")
    return name


def is_address(name: str | os.PathLike[str]) -> bool:
    """Whether this is a path or a URI, and not a table's name, which holds no ``/``."""
    return "/" in name if isinstance(name, str) else isinstance(name, os.PathLike)


def can_be_any() -> bool:
    """Whether this process can reach tables of all names; in a locale that is not UTF-8, those of ASCII names alone."""
    return sys.getfilesystemencoding() == "utf-8"


def of_file(file_name: str) -> str | None:
    """The table's name that a file of the store carries, or ``None`` if the file is not a table."""
    if not file_name.endswith(SUFFIX):
        return None
    try:
        return check(file_name[: -len(SUFFIX)])
    except InvalidName:
        return None
