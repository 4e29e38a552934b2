"""How often each fault was tried: the table of docs/reliability.md, filled from a run and never by hand."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

VARIABLE = "JUPYTER_ARROWSHM_TORTURE"
FACTOR = float(os.environ.get(VARIABLE, "1"))
PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
LANGUAGES = ("python", "julia", "R")
COLUMNS = [(language, place) for language in LANGUAGES for place in ("tmpfs", "disk")]

# The fault, and what happens; in the order of the page.
ROWS = {
    "kill": (
        "`SIGKILL` at a random time in share, writer, attach, unshare, pin, gc, list",
        "the old table or the new, never torn; nothing unnamed after the next sweep; nobody is blocked",
    ),
    "kill point": (
        "`SIGKILL` before and after each system call of share, writer, attach, unshare, pin, gc, list",
        "the same",
    ),
    "attach": (
        "attach in a tight loop against share, replace, unshare, gc",
        "one whole version, or `TableNotFound`",
    ),
    "owner": (
        "several publishers and collectors of one name",
        "one owner; nobody's table is replaced unasked; the newest is never lost",
    ),
    "fork": (
        "fork while other threads hold the directory lock or any other, list, or are in mid-share",
        "nobody waits for the child, and it for nobody; it keeps nothing",
    ),
    "room": (
        "a full file system (8 MB and 64 MB), at every size; a cgroup's limit",
        "`NoRoom`; nothing visible, nothing leaked, other tables intact",
    ),
    "call": (
        "`EIO`, `EINTR`, `EMFILE`, `ENOSPC`, `EDQUOT`, `EACCES`, `EROFS` of each system call; short writes",
        "done all the same, or a typed error; the old version intact, nothing leaked",
    ),
    "child": (
        "fork, forkserver, spawn, subprocess; a child that outlives its parent",
        "in use as long as a mapping lives; \"unknown process\" where it cannot be named",
    ),
    "load": (
        "4 processes load one table by a function; two are killed at random moments, others fail",
        "never two at a time; everybody who lives has the whole table or its own error; nothing left",
    ),
    "load file": (
        "8 processes of both languages ask for one file at once; some fail, some are killed at random moments",
        "each version is read once if nobody dies, never twice at a time; who lives has the whole table or an error",
    ),
    "stop": (
        "`SIGSTOP` of a reader, of a publisher in mid-share, of a process in the directory lock",
        "others go on; changes of names are `Busy` while the directory lock is held",
    ),
    "store gone": (
        "the store removed, replaced, emptied (`RemoveIPC`) or mounted over while in use",
        "attached data stays valid; the next share makes a new store",
    ),
    "memory": (
        "unshare and replace by others while the publisher lives",
        "the memory is free with the last mapping",
    ),
    "truncate": (
        "a table's file truncated by the same user",
        "who has it attached dies of `SIGBUS` when touching what is gone; listing, attach and the server live",
    ),
    "garbled": (
        "a garbled file: wrong lengths, offsets, tables, indices, types; nested, torn, of two files; of every type",
        "data or a typed error in every way to read it; no signal, no wait, no flood of memory",
    ),
    "clock": (
        "the clock a year off; a reused pid; leftovers of another boot",
        "no effect; leftovers are collected",
    ),
    "scale": (
        "200 readers of one table; 10,000 tables; 5,000 columns; 1 byte; 10 GiB",
        "right counts and listing",
    ),
    "soak": (
        "8 processes share, attach, drop and die at random; in minutes",
        "the store's memory returns to zero; no descriptor or mapping is left",
    ),
}  # fmt: skip


def times(short: int, long: int | None = None) -> int:
    """How often to try: ``short`` times :data:`VARIABLE`, at most ``long`` (without it, ``short``)."""
    return max(1, min(round(short * FACTOR), long or short))


class Record:
    def __init__(self) -> None:
        self.tries: Counter[tuple[str, str, str]] = Counter()

    def add(self, row: str, language: str, place: str, count: float) -> None:
        assert row in ROWS and (language, place) in COLUMNS, (row, language, place)
        self.tries[row, language, place] += count

    def lines(self) -> list[str]:
        """One line for each row that was tried, for the terminal."""
        return [
            f"{row:12}"
            + "".join(
                f"{language} {place} {_number(self.tries[row, language, place]):>9}   " for language, place in COLUMNS
            )
            for row in ROWS
            if any(self.tries[(row, *column)] for column in COLUMNS)
        ]

    def write(self, long: bool) -> None:
        """Put the counts into the page's table: each cell is "short / long", and this run says one of them."""
        lines = PAGE.read_text().splitlines()
        for index, line in enumerate(lines):
            for row, (fault, happens) in ROWS.items():
                if line.startswith(f"| {fault} |"):
                    cells = [cell.strip() for cell in line.strip("|").split("|")][-len(COLUMNS) :]
                    cells = [
                        self._cell(cell, self.tries[(row, *column)], long)
                        for cell, column in zip(cells, COLUMNS, strict=True)
                    ]
                    lines[index] = f"| {fault} | {happens} | {' | '.join(cells)} |"
        PAGE.write_text("\n".join(lines) + "\n")

    @staticmethod
    def _cell(old: str, count: float, long: bool) -> str:
        short_, _, long_ = old.partition(" / ")
        if count:
            short_, long_ = (short_, _number(count)) if long else (_number(count), long_)
        return f"{short_} / {long_}"


def _number(count: float) -> str:
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"
