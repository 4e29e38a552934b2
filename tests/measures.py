"""What a store really takes, asked of the kernel: files, descriptors and mappings, not the package's own word."""

from __future__ import annotations

import os
from pathlib import Path

NOTES = ".removed"


def footprint(parent: Path) -> dict[int, int]:
    """Bytes by inode of every file that is or was under ``parent``: named, open somewhere, or mapped somewhere.

    Empty files (tokens, pins) and notes of removed tables are left out. What is not in here the kernel has freed.
    """
    found: dict[int, int] = {}
    for path in parent.rglob("*"):
        if path.parent.name != NOTES:
            _add(found, path)
    for process in _processes():
        for descriptor in _children(process / "fd"):
            if _is_under(parent, _link(descriptor)):
                _add(found, descriptor)
        for line in _text(process / "maps").splitlines():
            addresses, _, _, _, inode, *path = line.split(maxsplit=5)
            if path and _is_under(parent, path[0]):
                start, _, end = addresses.partition("-")
                found.setdefault(int(inode), int(end, 16) - int(start, 16))
    return {inode: nbytes for inode, nbytes in found.items() if nbytes}


def users(parent: Path) -> set[int]:
    """The processes with a file of ``parent`` open or mapped, even an empty one; a directory holds nothing."""
    return {
        int(process.name)
        for process in _processes()
        if any(_is_under(parent, _link(fd)) and not fd.is_dir() for fd in _children(process / "fd"))
        or any(_is_under(parent, line.split(maxsplit=5)[-1]) for line in _text(process / "maps").splitlines())
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


def _processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def _is_under(parent: Path, path: str) -> bool:
    return path == str(parent) or path.startswith(f"{parent}/")


def _add(found: dict[int, int], path: Path) -> None:
    try:
        facts = os.stat(path, follow_symlinks=path.parent.name == "fd")
    except OSError:
        return
    if not path.is_dir():
        found[facts.st_ino] = facts.st_blocks * 512


def _children(path: Path) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError:  # it has ended, or is another user's
        return []


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""
