"""The system calls of a share and of an attach are those of docs/protocol.md, "Call by call", in that order."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from conformance import witness
from conformance.conftest import needs_interception
from faults.interception import Call

pytestmark = needs_interception
PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
FIRST_SHARE, NAMED_SHARE, ATTACH = (
    [line.partition("#")[0].split() for line in trace.splitlines()]
    for part in re.findall(r"^### Call by call\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    for trace in re.findall(r"```\n(.*?)```", part, re.DOTALL)
)
LOCKS = {1: "LOCK_SH", 2: "LOCK_EX", 8: "LOCK_UN"}
LOCK_NB = 4


def line(call: Call, directory: Path) -> list[str] | None:
    """The call as the page writes it; nothing if it does not change or lock anything, nor open a table."""
    arguments, path = call.arguments, call.path.removeprefix(str(directory)).strip("/")
    path = re.sub(r"^\.new-[0-9a-f]{16}$", ".new-<random>", re.sub(r"^#\d+ \(deleted\)$", "<draft>", path))
    path = re.sub(r"^\.live/[0-9a-f]{32}$", ".live/<token>", path) or "."
    name = {"writev": "write", "renameat2": "renameat", "rename": "renameat"}.get(call.name, call.name)
    if name in ("mkdir", "mkdirat"):
        return ["mkdir", "<store>", "0700"] if path == "." else ["mkdirat", path, "0700"]
    if name == "openat" and call.unnamed:
        return [name, ".", "O_TMPFILE", f"{arguments[3] & 0o7777:04o}"]
    if name == "openat" and call.creates:
        assert arguments[2] & os.O_EXCL
        return [name, path, "O_CREAT|O_EXCL", f"{arguments[3] & 0o7777:04o}"]
    if name == "openat":
        return [name, path] if path.endswith(".arrow") else None
    if name == "flock":
        return [name, path, LOCKS[arguments[1] & ~LOCK_NB]]
    if name == "fchmod":
        return [name, path, f"{arguments[1] & 0o7777:04o}"]
    if name == "mmap":
        assert arguments[2:4] in ((1, 1), (1, 2)), "PROT_READ, and MAP_SHARED or MAP_PRIVATE"
        return [name, path, "PROT_READ"]
    return None if call.looks else [name, path]


def lines(calls: list[Call], directory: Path) -> list[list[str]]:
    found: list[list[str]] = []
    for call in calls:
        # One `write` stands for all. A table that is read may be mapped in several pieces.
        if (one := line(call, directory)) is not None and not (one[0] in ("write", "mmap") and one in found[-1:]):
            found.append(one)
    return found


def test_a_first_share(client, language, directory) -> None:
    """The first share makes the store, the token and the table."""
    one = client(language, watched=True)
    with one.watch.calls() as calls:
        one.do("share", name="t", replace=False)
    assert lines(calls, directory) == FIRST_SHARE


def test_a_share_without_unnamed_files(client, language, directory) -> None:
    """Without O_TMPFILE a draft is a dot file that is locked until it gets its name."""
    one = client(language, watched=True)
    one.do("share")
    with one.watch.calls(lambda call: errno.EOPNOTSUPP if call.unnamed else None) as calls:
        one.do("share", replace=False)
    assert lines([call for call in calls if not call.unnamed], directory) == NAMED_SHARE
    assert not [path for path in witness.entries(directory) if path.startswith(".new")]


def test_an_attach(client, language, observer, directory) -> None:
    """Attaching opens, locks and maps the file, and changes nothing."""
    one = client(language, watched=True)
    observer.do("share")
    with one.watch.calls() as calls:
        one.do("attach")
    assert lines(calls, directory) == ATTACH
    assert one.get("sum") == sum(range(1000))
