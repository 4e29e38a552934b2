"""What a store really takes, asked of the kernel: files, descriptors and mappings, not the package's own word."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

NOTES = ".removed"


def footprint(parent: Path) -> dict[int, int]:
    """Bytes by inode of every file that is or was under ``parent``: named, open somewhere, or mapped somewhere.

    Empty files (tokens, pins) and notes of removed tables are left out. What is not in here the kernel has freed.
    """
    found: dict[int, int] = {}
    for path in parent.rglob("*"):
        if path.parent.name != NOTES:
            _add(found, str(path), follow_symlinks=False)
    for process in _processes():
        for descriptor in _open(parent, process):
            _add(found, descriptor)
        for addresses, _, _, _, inode, _ in _mapped(parent, process):
            start, _, end = addresses.partition("-")
            found.setdefault(int(inode), int(end, 16) - int(start, 16))
    return {inode: nbytes for inode, nbytes in found.items() if nbytes}


def users(parent: Path) -> set[int]:
    """The processes with a file of ``parent`` open or mapped, even an empty one; a directory holds nothing."""
    return {
        int(process)
        for process in _processes()
        if any(not os.path.isdir(descriptor) for descriptor in _open(parent, process)) or _mapped(parent, process)
    }


def leftovers(directory: Path) -> list[str]:
    """Every file in a store that is neither a table nor a note of a removed one: drafts, tokens, pins."""
    return sorted(
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if not path.is_dir()
        and (path.name.startswith(".") or path.parent != directory)
        and path.parent != directory / NOTES
    )


# Every process of the machine is looked at, again and again: strings and few calls, not paths.


def _processes() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _open(parent: Path, process: str) -> list[str]:
    """The descriptors of a process that lead to a file under ``parent``."""
    found = []
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for fd in os.listdir(folder := f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):
                if _is_under(parent, os.readlink(f"{folder}/{fd}")):
                    found.append(f"{folder}/{fd}")
    return found


def _mapped(parent: Path, process: str) -> list[list[str]]:
    """The lines of /proc/<pid>/maps, in words, that are about a file under ``parent``."""
    try:
        with open(f"/proc/{process}/maps", errors="surrogateescape") as file:
            text = file.read()
    except OSError:
        return []
    if str(parent) not in text:
        return []
    lines = [line.split(maxsplit=5) for line in text.splitlines()]
    return [words for words in lines if len(words) == 6 and _is_under(parent, words[5])]


def _is_under(parent: Path, path: str) -> bool:
    return path == str(parent) or path.startswith(f"{parent}/")


def _add(found: dict[int, int], path: str, *, follow_symlinks: bool = True) -> None:
    try:
        status = os.stat(path, follow_symlinks=follow_symlinks)
    except OSError:
        return
    if not stat.S_ISDIR(status.st_mode):
        found[status.st_ino] = status.st_blocks * 512
