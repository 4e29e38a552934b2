"""Write ``src/unicode_tables.h`` of the R package from Python's ``unicodedata``: what C needs to check a table's name.

python tests/r/unicode_tables.py
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

TARGET = Path(__file__).parents[2] / "jupyter_arrowshm" / "r" / "arrowshm" / "src" / "unicode_tables.h"
HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic (the Unicode standard, 3.12)


def ranges(wanted) -> list[tuple[int, int]]:
    """First and last of each run of code points for which ``wanted`` is true."""
    found: list[tuple[int, int]] = []
    for code in range(sys.maxunicode + 1):
        if wanted(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1] = (found[-1][0], code)
            else:
                found.append((code, code))
    return found


def lines(values: list[str]) -> str:
    rows, row = [], "   "
    for value in values:
        if len(row) + len(value) > 118:
            rows.append(row)
            row = "   "
        row += f" {value},"
    return "\n".join([*rows, row])


def text() -> str:
    invisible = ranges(lambda char: unicodedata.category(char) in ("Cc", "Cf", "Cs"))
    white = ranges(lambda char: unicodedata.category(char) in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x85")
    classes = [(code, unicodedata.combining(chr(code))) for code in range(sys.maxunicode + 1)]
    decompositions = []
    for code in range(sys.maxunicode + 1):
        words = unicodedata.decomposition(chr(code)).split()
        if words and not words[0].startswith("<") and code not in HANGUL:
            first, second = [*(int(word, 16) for word in words), 0][:2]
            composes = bool(second) and unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(code)
            decompositions.append(f"{{0x{code:X}, 0x{first:X}, 0x{second:X}, {int(composes)}}}")
    parts = [
        f"/* Unicode {unicodedata.unidata_version}, made by tests/r/unicode_tables.py. */",
        "static const uint32_t WHITE_SPACE[][2] = {",
        lines([f"{{0x{a:X}, 0x{b:X}}}" for a, b in white]),
        "};",
        "static const uint32_t INVISIBLE[][2] = {",
        lines([f"{{0x{a:X}, 0x{b:X}}}" for a, b in invisible]),
        "};",
        "/* Code point and canonical combining class, where that is not 0. */",
        "static const uint32_t COMBINING[][2] = {",
        lines([f"{{0x{code:X}, {number}}}" for code, number in classes if number]),
        "};",
        "/* Code point, its canonical decomposition, and whether that composes to it again. */",
        "static const uint32_t DECOMPOSED[][4] = {",
        lines(decompositions),
        "};",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
