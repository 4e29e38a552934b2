"""The store's directory: one rule finds it, and never a directory that others could have made."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

CHANGES = ("share", "names")  # one makes a store if there is none, the other does not


def default() -> str:
    """The rule of docs/protocol.md, "Which directory", if no variable says otherwise."""
    shared = Path("/dev/shm")
    large = False
    if shared.is_dir() and not shared.is_symlink():
        device = os.stat(shared).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        kinds = [words[words.index("-") + 1] for words in mounts if words[2] == number]
        size = os.statvfs(shared)
        large = kinds[-1:] == ["tmpfs"] and (size.f_blocks == 0 or size.f_blocks * size.f_frsize >= 1 << 30)
    return f"{'/dev/shm' if large else '/tmp'}/jupyter-arrowshm-{os.geteuid()}"


def test_every_client_finds_the_same_store(one) -> None:
    assert one.get("default") == default()


def test_who_only_reads_makes_nothing(one, directory) -> None:
    assert one.get("names") == [] and one.get("gc") == []
    for what in ("attach", "unshare", "info"):
        assert one.refuses(what) == "TableNotFound", what
    assert not directory.exists()


def test_what_a_share_makes_is_closed_to_others(one, directory) -> None:
    umask = os.umask(0)
    try:
        one.do("share", pin=True)
    finally:
        os.umask(umask)
    modes = {path.relative_to(directory): stat.S_IMODE(path.stat().st_mode) for path in directory.rglob("*")}
    assert {path.name: mode for path, mode in modes.items() if len(path.parts) == 1} == {
        ".live": 0o700, ".pins": 0o700, "t.arrow": 0o400,
    }  # fmt: skip
    assert {mode for path, mode in modes.items() if len(path.parts) == 2} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_directory_that_is_open_to_others_is_refused(one, directory) -> None:
    for mode in (0o755, 0o710, 0o701, 0o770):
        directory.mkdir()
        directory.chmod(mode)
        assert [one.refuses(what) for what in CHANGES] == ["UnsafeDirectory"] * 2, oct(mode)
        assert list(directory.iterdir()) == []
        directory.rmdir()


def test_a_link_or_a_file_in_its_place_is_refused(one, directory, parent) -> None:
    (parent / "elsewhere").mkdir(0o700)
    directory.symlink_to(parent / "elsewhere")
    assert [one.refuses(what) for what in CHANGES] == ["UnsafeDirectory"] * 2
    assert list((parent / "elsewhere").iterdir()) == []
    directory.unlink()
    directory.touch(0o600)
    assert [one.refuses(what) for what in CHANGES] == ["UnsafeDirectory"] * 2


def test_a_relative_path_and_a_missing_parent_are_refused(one, directory) -> None:
    one.do("use", directory="relative")
    assert [one.refuses(what) for what in CHANGES] == ["UnsafeDirectory"] * 2
    one.do("use", directory=str(directory / "deeper"))
    assert one.refuses("share") == "UnsafeDirectory"
    assert one.get("names") == []


def test_a_store_that_was_removed_is_made_anew(one, other, directory) -> None:
    for rows in (1, 2):
        one.do("share", rows=rows)
        assert other.get("info")["alive"] is True
        shutil.rmtree(directory)
        assert one.get("names") == other.get("names") == []
