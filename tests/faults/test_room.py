"""What does not fit is refused before it is written where that can be known; in any case nothing of it stays."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from faults.record import times
from julia_peers import LOOP, Julia
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from peers import Peer
from r_peers import R

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import room
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

MB = 1 << 20
BIG = "pa.table({'a': pa.repeat(7, 1 << 20)})"  # 8 MiB

PRELUDE = f"""
import subprocess
from jupyter_arrowshm.core import room
def mount(*words): subprocess.run(["mount", *words], check=True)
def used():
    found = os.statvfs(os.path.dirname(shm.Store().directory))
    return (found.f_blocks - found.f_bfree) * found.f_frsize
def no_foresight():
    '''As when another process takes the room while we write.'''
    room.left = lambda where: room.NO_LIMIT
BIG = {BIG}
SMALL = pa.table({{'a': pa.repeat(7, 1 << 17)}})
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Peer]:
    """A process with a store on a tmpfs of 16 MiB that it alone sees; a table of 1 MiB is shared already."""
    peer = Peer(prefix=MOUNT_NAMESPACE, env={ENVIRONMENT_VARIABLE: f"{tmp_path}/store"})
    peer.run(PRELUDE)
    peer.run(f"mount('-t', 'tmpfs', '-o', 'size=16m', 'none', {str(tmp_path)!r})")
    peer.run("shm.share(SMALL, 'old'); before = used()")
    yield peer
    peer.end()


WAYS = {
    "share": "shm.share(pa.concat_tables([BIG] * 4), 'big')",
    "replace": "shm.share(pa.concat_tables([BIG] * 4), 'old')",
    "stream": "shm.share(pa.concat_tables([BIG] * 4).to_reader(), 'big')",
    "writer": "with shm.writer('big', BIG.schema) as writer:\n  for _ in range(99): writer.write(BIG)",
    "one column of many": "shm.share(pa.table({str(i): BIG['a'] for i in range(4)}), 'big')",
}


@needs_mount_namespace
@pytest.mark.parametrize("foreseen", [True, False], ids=["foreseen", "while writing"])
@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_fit_leaves_nothing(small: Peer, way: str, foreseen: bool, tried) -> None:
    if not foreseen:
        small.run("no_foresight()")
    with pytest.raises(shm.NoRoom) as caught:
        small.run(WAYS[way])
    error = caught.value
    assert error.directory == small.get("shm.Store().directory")
    assert not foreseen or error.needed > error.free
    assert "--shm-size" in str(error) and "JUPYTER_ARROWSHM_DIR" in str(error)
    assert small.get("used() - before") == 0
    assert small.get("[table.name for table in shm.tables()]") == ["old"]
    assert small.get("shm.attach('old').equals(SMALL)")
    assert small.get("sorted(os.listdir(shm.Store().directory))") == [".live", ".pins", "old.arrow"]
    small.run("shm.share(BIG, 'fits')")
    tried("room", 1)


# -- every size --------------------------------------------------------------------------------------------------------

# In a store on a small tmpfs: share a table of each size, as if it could not be foreseen that there is no room.
SIZES = {
    "python": """
def table(rows): return pa.table({'a': pa.repeat(7, rows)})
def sizes(each):
    no_foresight()
    shm.share(table(1 << 15), 'old')
    before, seen = used(), []
    for rows in each:
        try: shm.share(table(rows), 'new')
        except shm.NoRoom: became = 'NoRoom'
        else: became = 'shared'
        seen.append([became, [t.name for t in shm.tables()], shm.attach('old').equals(table(1 << 15))])
        if became == 'shared': shm.unshare('new')
        seen[-1].append(used() - before)
    return seen
""",
    "julia": """
ArrowSHM.room_left(fd::Integer) = 1 << 40
function used()
    parent = ArrowSHM.open_at(ArrowSHM.AT_FDCWD, dirname(ENV["JUPYTER_ARROWSHM_DIR"]), 0)
    found = ArrowSHM.closing(ArrowSHM.file_system_room, parent)
    return -Int(found[2] * found[3])
end
function sizes(each)
    share("old", (a = fill(7, 1 << 15),))
    before, seen = used(), []
    for rows in each
        became = try
            share("new", (a = fill(7, rows),))
            "shared"
        catch error
            error isa ArrowSHM.NoRoom || rethrow()
            "NoRoom"
        end
        push!(seen, Any[became, [t.name for t in tables()], attach("old").a == fill(7, 1 << 15)])
        became == "shared" && unshare("new")
        GC.gc(false)
        push!(seen[end], used() - before)
    end
    return seen
end
""",
    "R": """
assignInNamespace("room_left", function(directory) 2^40, "arrowshm")
used <- function() {
  store <- Sys.getenv("JUPYTER_ARROWSHM_DIR")
  found <- .Call(arrowshm:::C_file_system_room, store, dirname(store))
  found[1] - found[2]
}
sizes <- function(each) {
  share_table(data.frame(a = rep(7, 2^15)), "old")
  before <- used()
  lapply(each, function(rows) {
    became <- tryCatch({
      share_table(data.frame(a = rep(7, rows)), "new")
      "shared"
    }, NoRoom = function(error) "NoRoom")
    seen <- list(became, I(shared_tables()$name), identical(attach_table("old")$a, rep(7, 2^15)))
    if (became == "shared") unshare_table("new")
    gc()
    c(seen, used() - before)
  })
}
""",
}


@needs_mount_namespace
@pytest.mark.parametrize("megabytes", [8, 64])
def test_a_file_system_full_at_any_size(request, tmp_path, language, megabytes, tried) -> None:
    env = {ENVIRONMENT_VARIABLE: f"{tmp_path}/store"}
    mount = f"mount -t tmpfs -o size={megabytes}m none {tmp_path}"
    if language == "python":
        one = Peer(prefix=MOUNT_NAMESPACE, env=env)
        one.run(PRELUDE + f"subprocess.run({mount.split()!r}, check=True)")
    else:
        script = tmp_path.with_name(f"{language}-{megabytes}")
        inside = f'{mount} && exec {request.getfixturevalue(f"{language.lower()}_program")} "$@"'
        script.write_text(f"#!/bin/sh\nexec {' '.join(MOUNT_NAMESPACE)} sh -c '{inside}' - \"$@\"\n")
        script.chmod(0o700)
        one = Julia(str(script), "-e", LOOP, env=env) if language == "julia" else R(str(script), env=env)
    try:
        one.run(SIZES[language])
        rows, tries = megabytes << 17, times(25, 100)
        # Sizes that fit, do not fit by a page, or not at all; the last one fits again.
        sizes = [
            1,
            *(rows * number // tries for number in range(tries // 2, tries)),
            *(rows - 512 * n for n in range(tries // 2)),
            1,
        ]
        seen = one.get(f"sizes(c({', '.join(map(str, sizes))}))" if language == "R" else f"sizes({sizes})")
        assert {became for became, *_ in seen} == {"shared", "NoRoom"}
        for size, (became, names, intact, grown) in zip(sizes, seen, strict=True):
            assert names == (["new", "old"] if became == "shared" else ["old"]), f"{size} rows"
            assert intact and grown == 0, f"{size} rows: {grown} bytes more in use than before"
        assert (seen[0][0], seen[-1][0]) == ("shared", "shared")
        tried("room", len(sizes))
    finally:
        one.kill()


@needs_mount_namespace
def test_the_unused_tables_that_could_go_are_named(small: Peer) -> None:
    small.run("from peers import Peer\nother = Peer()")
    for name in ("gone1", "gone2", "pinned"):
        small.run(f"other.run(\"shm.share(pa.table({{'a': pa.repeat(1, 1 << 17)}}), {name!r})\")")
    small.run("shm.pin('pinned')")
    with pytest.raises(shm.NoRoom) as caught:
        small.run(WAYS["share"])
    assert caught.value.unused == (), "their publisher lives"
    small.run("other.kill()")
    with pytest.raises(shm.NoRoom) as caught:
        small.run(WAYS["share"])
    assert [name for name, _ in caught.value.unused] == ["gone1", "gone2"]
    assert all(MB < nbytes < 1.1 * MB for _, nbytes in caught.value.unused)
    assert "gone1 (1.0 MB), gone2 (1.0 MB)" in str(caught.value)
    assert small.get("shm.gc()").keys() == {"gone1", "gone2"}
    assert small.get("[table.name for table in shm.tables()]") == ["old", "pinned"]


@needs_mount_namespace
def test_a_full_file_system_can_still_be_read_and_emptied(small: Peer) -> None:
    small.run("open(os.path.dirname(shm.Store().directory) + '/filler', 'wb', 0).write(bytes(16 << 20))")
    assert small.get("shm.attach('old').equals(SMALL)")
    assert small.get("[table.name for table in shm.tables()]") == ["old"]
    with pytest.raises(shm.NoRoom):
        small.run("shm.share(pa.table({'a': [1]}), 't')")
    small.run("shm.unshare('old')")
    small.run("shm.share(pa.table({'a': [1]}), 't')")


# -- memory that a cgroup limits ---------------------------------------------------------------------------------------

UNIFIED = {"memory.max": "{max}", "memory.current": "{used}", "memory.stat": "anon 5\nactive_file {cache}\nfile 9"}
LEGACY = {
    "memory.limit_in_bytes": "{max}",
    "memory.usage_in_bytes": "{used}",
    "memory.stat": "active_file 0\ntotal_active_file {cache}\ntotal_inactive_file 0",
}


@needs_mount_namespace
@pytest.mark.parametrize(
    ("group", "root", "files"),
    [
        ("0::/", "/sys/fs/cgroup", UNIFIED),
        ("0::/pod/box", "/sys/fs/cgroup/pod/box", UNIFIED),
        ("0::/pod/box", "/sys/fs/cgroup/pod", UNIFIED),  # an ancestor's limit
        ("0::/not/there", "/sys/fs/cgroup", UNIFIED),  # in a container the path is the host's
        ("1:cpu:/x\n4:memory:/docker/4711", "/sys/fs/cgroup/memory/docker/4711", LEGACY),
        ("4:memory:/docker/4711\n0::/", "/sys/fs/cgroup/memory", LEGACY),
    ],
)
def test_room_on_tmpfs_is_what_the_cgroup_leaves(small: Peer, tmp_path: Path, group, root, files, tried) -> None:
    """Page cache gives way; what is over the limit otherwise is killed rather than refused."""
    values = {"max": 12 * MB, "used": 8 * MB, "cache": 3 * MB}
    small.run("mount('-t', 'tmpfs', 'none', '/sys/fs/cgroup')")
    small.run(f"os.makedirs({root!r}, exist_ok=True)")
    for name, text in files.items():
        small.run(f"open('{root}/{name}', 'w').write({text.format(**values)!r})")
    small.run(f"open('{tmp_path}/cgroup', 'w').write({group!r} + chr(10))")
    small.run(f"mount('--bind', '{tmp_path}/cgroup', f'/proc/{{os.getpid()}}/cgroup')")
    with pytest.raises(shm.NoRoom) as caught:
        small.run("shm.share(BIG, 'big')")
    assert caught.value.free == 7 * MB
    # What is free and what there is in all are of one limit: a rule that compares them removes nothing too early.
    told = small.get("shm.Store().room()")
    assert (told.total, told.used, told.free, told.limited_by) == (12 * MB, 5 * MB, 7 * MB, "container")
    small.run("shm.share(SMALL, 'fits')")
    small.run(f"open('{root}/{next(iter(files))}', 'w').write({'max' if files is UNIFIED else str(2**63 - 4096)!r})")
    small.run("shm.share(BIG, 'big')")
    tried("room", 1)


def test_room_on_a_disk_is_not_what_the_memory_leaves(parent: Path, tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb+") as file:
        file.truncate(1 << 40)
        nothing = pa.py_buffer(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
    column = pa.Array.from_buffers(pa.int8(), nothing.size, [None, nothing])
    with pytest.raises(shm.NoRoom) as caught:
        shm.Store(parent / "store").share(pa.table({str(i): column for i in range(500)}), "t")
    assert caught.value.needed > 500 << 40
    found = os.statvfs(parent)
    if room.file_system(os.stat(parent).st_dev) == "tmpfs":
        memory = psutil.virtual_memory().total + psutil.swap_memory().total
        assert caught.value.free <= min(memory, found.f_blocks * found.f_frsize)
    else:
        assert caught.value.free == pytest.approx(found.f_bavail * found.f_frsize, rel=0.1)


# -- no descriptor left ------------------------------------------------------------------------------------------------


def test_without_a_free_descriptor_nothing_changes(store, peer, tried) -> None:
    publisher, starved = peer(), peer()
    publisher.run("shm.share(pa.table({'a': [1]}), 'theirs')")
    starved.run("import resource; shm.share(pa.table({'a': [1]}), 'mine'); shm.tables()")
    starved.run(
        "from jupyter_arrowshm.core import tokens\nfresh = shm.Store()\nat = os.open(fresh.directory, os.O_RDONLY)"
    )
    starved.run("marks = os.listdir(f'{fresh.directory}/.live'); marks.remove(tokens.token_id())")
    starved.run("resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))")
    starved.run("import contextlib\nfiller = []")
    starved.run("with contextlib.suppress(OSError):\n  while True: filler.append(os.open('/dev/null', os.O_RDONLY))")
    for call in (
        "attach('theirs')",
        "share(pa.table({'a': [1]}), 'new')",
        "writer('new', pa.schema([]))",
        "tables()",
        "info('mine')",
        "unshare('mine')",
        "pin('mine')",
        "gc()",
    ):
        for store_ in ("shm", "fresh"):
            with pytest.raises(shm.StoreFailed, match="ulimit -n"):
                starved.run(f"{store_}.{call}")
    # Whoever cannot look must not take the others for dead.
    with pytest.raises(OSError, match="Too many open files"):
        starved.run("tokens.is_alive(at, *marks)")
    for free in range(1, 6):
        starved.run("os.close(filler.pop())")
        with contextlib.suppress(shm.StoreFailed):
            assert starved.get("[info.publisher.alive for info in fresh.tables()]") == [True, True]
        with contextlib.suppress(shm.StoreFailed):
            assert starved.get("fresh.gc()") == {}
        alive = [(info.name, info.publisher.alive) for info in store.tables()]
        assert alive == [("mine", True), ("theirs", True)], f"{free} free descriptors"
    starved.run("for fd in filler: os.close(fd)")
    starved.run("shm.share(shm.attach('theirs'), 'new')")
    tried("call", 16)
