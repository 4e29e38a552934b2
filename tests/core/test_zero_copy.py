"""Attached data is the shared memory itself: nothing is allocated and nothing is read, at any size."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from kernel import leases, mappings, private_bytes
from peers import Peer
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import room
from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

MB = 1 << 20
SAMPLES = arrays()


def parts(array: pa.Array) -> Iterator[pa.Array]:
    """An array and all arrays that it is made of."""
    yield array
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        yield from parts(array.storage)
    elif pa.types.is_dictionary(kind):
        yield from parts(array.dictionary)
    elif pa.types.is_struct(kind) or pa.types.is_union(kind):
        for index in range(kind.num_fields):
            yield from parts(array.field(index))
    elif pa.types.is_map(kind):
        yield from (part for child in (array.keys, array.items) for part in parts(child))
    elif pa.types.is_run_end_encoded(kind) or pa.types.is_nested(kind):
        yield from parts(array.values)


def outside(table: pa.Table, path: str) -> list[tuple[str, int]]:
    """The columns and sizes of the buffers outside the mapping of this file."""
    ranges = [(start, end) for start, end, permissions in mappings(path) if permissions == "r--s"]
    assert ranges, "the file is not mapped, or not read-only and shared"
    return [
        (name, buffer.size)
        for name, column in zip(table.column_names, table.columns, strict=True)
        for chunk in column.chunks
        for part in parts(chunk)
        for buffer in part.buffers()
        if buffer is not None and buffer.size
        if not any(start <= buffer.address and buffer.address + buffer.size <= end for start, end in ranges)
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_buffer_of_every_type_lies_within_the_file(store, name) -> None:
    store.share(pa.table({"a": pa.chunked_array([SAMPLES[name]] * 3), "n": range(18)}), "t")
    attached = store.attach("t")
    assert outside(attached, store.path("t")) == []
    assert outside(attached.slice(2, 9), store.path("t")) == []
    assert all(not part.buffers()[-1].is_mutable for part in parts(attached["n"].chunk(0)))


def test_the_check_finds_what_lies_elsewhere(store) -> None:
    store.share(pa.table({"a": [1]}), "t")
    kept = store.attach("t")
    assert outside(kept.append_column("b", pa.array([1, 2, 3]).slice(2)), store.path("t")) == [("b", 24)]


ATTACHING = {
    "whole": "shm.attach('t')",
    "one column": "shm.attach('t', columns=['s'])",
    "no column": "shm.attach('t', columns=[])",
    "a slice": "shm.attach('t').slice(7, 9)",
    "an attachment": "shm.attachment('t')",
    "checked in full": "shm.attach('t', validate='full')",
}


def test_attaching_allocates_nothing(store, peer) -> None:
    text = pa.array(["some text", None] * (MB // 8))
    store.share(pa.table({"n": pa.arange(0, MB // 4), "s": text, "d": text.dictionary_encode()}), "t")
    reader = peer()
    reader.run("pool = pa.default_memory_pool()")
    for what, expression in ATTACHING.items():
        reader.run(f"kept = {expression}")
        assert reader.get("(pa.total_allocated_bytes(), pool.max_memory())") == (0, 0), what
    reader.run("kept = shm.attach('t', copy=True)")
    assert reader.get("pa.total_allocated_bytes()") > 2 * MB
    assert not os.path.exists("/proc/locks") or leases(store.path("t")) == []


def test_a_selection_is_of_the_same_memory(store) -> None:
    store.share(pa.table({"a": range(1000), "b": ["x"] * 1000}), "t")
    for columns in (["b"], ["b", "a"], ["a", "a"]):
        assert outside(store.attach("t", columns=columns), store.path("t")) == []


def test_attaching_touches_as_few_pages_of_a_large_table_as_of_a_small_one(store, peer) -> None:
    """It costs only what it touches: the footer and the headers of the batches."""
    store.share(pa.table({"a": pa.arange(0, 10), "b": ["x"] * 10}), "small")
    store.share(pa.table({"a": pa.arange(0, 4 * MB), "b": pa.repeat("x", 4 * MB)}), "large")
    reader = peer()
    reader.run("""
import resource
def faults(name):
    before = resource.getrusage(resource.RUSAGE_SELF)
    table = shm.attach(name)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_minflt - before.ru_minflt, after.ru_majflt - before.ru_majflt
for name in ('small', 'large') * 3: faults(name)
""")
    small, large = (min(reader.get(f"faults({name!r})") for _ in range(5)) for name in ("small", "large"))
    assert large[0] <= small[0] + 4
    assert large[1] == 0


# -- one GiB -----------------------------------------------------------------------------------------------------------


def _room() -> int:
    if not os.path.isdir("/dev/shm") or room.file_system(os.stat("/dev/shm").st_dev) != "tmpfs":
        return 0
    return room.left("/dev/shm").free


@pytest.fixture
def gib(monkeypatch: pytest.MonkeyPatch) -> Iterator[shm.Store]:
    """A store on tmpfs with an unused table of 1 GiB in 16 batches."""
    path = Path(f"/dev/shm/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    publisher = Peer()
    try:
        publisher.run("batch = pa.record_batch({'a': pa.arange(0, 4 << 20), 'b': pa.repeat(1.5, 4 << 20)})")
        publisher.run("with shm.writer('t', batch.schema) as writer:\n  for _ in range(16): writer.write(batch)")
        publisher.kill()
        yield shm.Store(path)
    finally:
        publisher.kill()
        shutil.rmtree(path, ignore_errors=True)


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="this kernel has no smaps_rollup")
@pytest.mark.skipif(_room() < 3 << 30, reason="less than 3 GiB of tmpfs and memory left")
def test_a_gib_costs_its_readers_less_than_2_mib(gib) -> None:
    readers = [Peer(), Peer()]
    try:
        for reader in readers:
            reader.run("import pyarrow.compute as pc\npa.set_cpu_count(1)")
            reader.run("def total(table): return [pc.sum(column).as_py() for column in table.columns]")
            reader.run("total(pa.table({'a': pa.arange(0, 1 << 20), 'b': pa.repeat(1.5, 1 << 20)}))")
            reader.run("t = shm.attach('t'); shm.attach('t', columns=['b']); del t")
        before = [private_bytes(reader.pid) for reader in readers]
        for reader in readers:
            reader.run("t = shm.attach('t')")
        grown = [private_bytes(reader.pid) - then for reader, then in zip(readers, before, strict=True)]
        assert max(grown) < 2 * MB
        # It holds even when both have read all of it: the pages are the same.
        sums = [reader.get("total(t)") for reader in readers]
        assert sums[0] == sums[1] == [16 * (4 * MB) * (4 * MB - 1) // 2, 16 * 1.5 * 4 * MB]
        assert gib.info("t").nbytes > 1 << 30
        grown = [private_bytes(reader.pid) - then for reader, then in zip(readers, before, strict=True)]
        assert max(grown) < 2 * MB
    finally:
        for reader in readers:
            reader.kill()
