"""A process is killed at every system call while it shares with other users, or puts a table into a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.interception import KILL, Call, Verdict, works
from faults.nursery import Nursery
from faults.torture import check
from measures import users

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import EVERYONE
from jupyter_arrowshm.elsewhere.folder import Folder

OLD, NEW = 1_002, 2_002  # of 100 rows and a few

pytestmark = [
    pytest.mark.skipif(not works(), reason="this system does not let system calls be intercepted"),
    pytest.mark.parametrize("parent", ["tmpfs"], indirect=True),  # test_kill tries both file systems
]


@pytest.fixture
def python(nurseries: Callable[[str], Nursery]) -> Nursery:
    return nurseries("python")


def killed_before(point: int) -> Callable[[Call], Verdict]:
    return lambda call: KILL if call.index >= point else None


@pytest.mark.parametrize("language", ["python", "julia", "R"])
def test_a_publisher_for_everyone_is_killed_at_any_system_call(
    language: str, nurseries: Callable[[str], Nursery], parent: Path, tried: Callable[..., None]
) -> None:
    """Readers see one whole version, nobody but the publisher may write for a moment, and the next share clears up."""
    one = nurseries(language)
    folder = parent / "open"
    store = shm.Store(folder, access=EVERYONE)
    kills = 0
    for first in (True, False):
        calls, result = one.intercept(parent / f"how-{first}", "open", OLD)
        assert result == "ok"
        if not first:
            calls, result = one.intercept(folder, "open", NEW)
        for point in calls:
            if point.looks:
                continue
            if not first:
                one.intercept(folder, "open", OLD)
            one.intercept(folder, "open", NEW, killed_before(point.index))
            kills += 1
            found = {path: stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.rglob("*")) if path.exists()}
            assert not any(mode & 0o022 for mode in found.values()), (point, found)
            assert all(mode in (0o444, 0o400) for path, mode in found.items() if path.suffix == ".arrow"), (
                point,
                found,
            )
            seen = {name: check(store.attach(name)) for name in store.names()}
            assert seen in ([{}, {"t": NEW}] if first else [{"t": OLD}, {"t": NEW}]), point
            # The next process takes the name over, and leaves its token alone beside the table.
            assert one.intercept(folder, "open", OLD)[1] == "ok", point
            assert check(store.attach("t")) == OLD
            left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
            assert {path for path in left if not path.startswith(".live/")} == {"t.arrow"}, (point, left)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o755
            if first:
                store.unshare("t")
                for path in sorted(folder.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
                folder.rmdir()
    assert users(parent) <= {os.getpid()}
    tried("kill point", kills, language=language)


def test_a_process_that_fills_a_folder_is_killed_at_any_system_call(
    python: Nursery, parent: Path, store: shm.Store, tmp_path: Path, tried: Callable[..., None]
) -> None:
    """The name leads to one whole version; a file without a table's name may stay, and is in nobody's way."""
    folder = parent / "team"
    place = Folder(str(folder), str(folder))
    calls, result = python.intercept(folder, "put", OLD)
    assert result == "ok" and check(place.attach("t")) == OLD
    calls, result = python.intercept(folder, "put", NEW)
    assert result == "ok" and check(place.attach("t")) == NEW
    seen = set()
    for point in calls:
        if point.looks:
            continue
        python.intercept(folder, "put", OLD)
        python.intercept(folder, "put", NEW, killed_before(point.index))
        assert place.names() == ["t"], point
        seen.add(found := check(place.attach("t")))
        assert found in (OLD, NEW), point
        assert all(path.name == "t.arrow" or path.name.startswith(".new-") for path in folder.iterdir())
    assert (len(calls) > 2 and seen == {OLD, NEW}) or seen == {OLD}
    for path in folder.iterdir():
        path.unlink()
    store.loaded.gc()
    tried("kill point", len(calls), language="python")
