"""Every system call of the store fails once, in every way it can: done all the same, or a typed error and no trace."""

from __future__ import annotations

import errno
import os

import pyarrow as pa
import pytest
from faults.interception import SHORT, Call, works
from faults.record import times
from faults.torture import check
from faults.torture import version_table as version
from measures import footprint, leftovers, users

import jupyter_arrowshm as shm

OLD, NEW = 1_002, 2_004  # of 100 rows and a few; of 100,000
TINY = pa.table({"a": [1]})
ACTIONS = ("share", "writer", "attach", "unshare", "pin", "unpin", "gc", "list")
ERRORS = {
    "openat": (errno.EMFILE, errno.EACCES, errno.EIO),
    "write": (errno.ENOSPC, errno.EDQUOT, errno.EIO, SHORT),
    "writev": (errno.ENOSPC, errno.EDQUOT, errno.EIO, SHORT),
    "linkat": (errno.ENOSPC, errno.EROFS, errno.EIO),
    "renameat": (errno.ENOSPC, errno.EACCES, errno.EIO),
    "rename": (errno.ENOSPC, errno.EACCES, errno.EIO),
    "mkdir": (errno.ENOSPC, errno.EROFS),
    "mkdirat": (errno.EDQUOT, errno.EACCES),
    "unlinkat": (errno.EROFS, errno.EACCES, errno.EIO),
    "fchmod": (errno.EROFS, errno.EIO),
    "flock": (errno.EINTR, errno.ENOLCK),
    "mmap": (errno.ENOMEM, errno.EMFILE),
    "read": (errno.EINTR, errno.EIO),
    "pread64": (errno.EINTR, errno.EIO),
    "getdents64": (errno.EIO,),
}
LOOKS = (errno.EIO, errno.EACCES)
# What the name leads to when it worked, if not to what it did, and the last call that this takes.
RESULT = {"share": NEW, "writer": NEW, "unshare": None}
DONE = {"share": ("rename", "renameat"), "writer": ("rename", "renameat"), "unshare": ("unlinkat",)}
TYPED = {"StoreFailed", "NoRoom", "UnsafeDirectory", "DamagedTable"}


def errors(call: Call) -> tuple[int | str, ...]:
    if call.name == "close":
        return ()  # close(2): not to be retried, nor an error to be told
    found = ERRORS.get(call.name, LOOKS)
    return (*found, errno.ENOSPC) if call.creates else found


def same(one: Call, other: Call) -> bool:
    return (one.index, one.name) == (other.index, other.name)


@pytest.mark.skipif(not works(), reason="this system does not let a process's system calls be intercepted")
def test_a_failing_call(store, directory, parent, nursery, language, tried):
    store.share(TINY, "ours")
    store.share(pa.Table.from_batches(version(OLD)), "t")
    (token,) = leftovers(directory)
    every, tries, wrong = max(1, round(3 / times(1, 3))), 0, []
    for action in ACTIONS:
        if language == "julia" and action == "writer":
            continue
        store.share(TINY, "ours")
        calls, result = nursery.intercept(directory, action, NEW)
        assert result == "ok", (action, result)
        store.share(pa.Table.from_batches(version(OLD)), "t", replace=True)
        store.share(TINY, "ours")
        for number, (call, error) in enumerate((one, error) for one in calls for error in errors(one)):
            if number % every:
                continue
            store.share(TINY, "ours")  # sweeps: the calls are the same each time
            _, result = nursery.intercept(
                directory, action, NEW, lambda one, call=call, error=error: error if same(one, call) else None
            )
            tries += 1
            outcome, *leaked = result.split("\t")
            what = f"{action}: {error if error == SHORT else errno.errorcode[error]} of {call}: {result}"
            print(what)
            try:
                now = check(store.attach("t"))
            except shm.TableNotFound:
                now = None
            changed = action in DONE and call.index > max(one.index for one in calls if one.name in DONE[action])
            foreign = error == errno.EACCES and call.name == "openat" and call.path.endswith("/t.arrow")
            if (
                leaked
                or outcome not in {"ok", *TYPED, *(["TableNotFound"] if foreign else [])}
                or (outcome != "ok" and (error in (errno.EINTR, SHORT) or (now != OLD and not changed)))
                or (outcome == "ok" and now != RESULT.get(action, OLD))
            ):
                wrong.append(what)
            if now != OLD:
                store.share(pa.Table.from_batches(version(OLD)), "t", replace=True)
            store.unpin("t")
    store.share(TINY, "ours")
    assert not wrong, "\n".join(wrong)
    assert leftovers(directory) == [token]
    assert footprint(parent).keys() == {os.stat(store.path(name)).st_ino for name in ("ours", "t")}
    assert users(parent) == {os.getpid()}
    tried("call", tries)
