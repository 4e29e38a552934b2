"""A table of many chunks is written as one batch, and no value of it is copied for that."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm.core import filewriter, gathered

MB = 1 << 20
SAMPLES = {name: array for name, array in arrays().items() if gathered.can_gather(pa.schema([("a", array.type)]))}


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """On one file system: the bytes that are written are the same."""
    return tmp_path


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches are gathered, too."""
    monkeypatch.setattr(filewriter, "BATCH_BYTES", 1)
    monkeypatch.setattr(filewriter, "SMALL_BATCH", 0)


def lengths(table: pa.Table) -> list[int]:
    return [batch.num_rows for batch in table.to_batches()]


def test_most_types_can_be_gathered() -> None:
    assert len(SAMPLES) > len(arrays()) / 2


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.usefixtures("always")
def test_any_type(store: shm.Store, name: str) -> None:
    """Slices that begin within a byte of the validity, and within the texts and lists of others."""
    array = SAMPLES[name]
    parts = [array, array.slice(1), array.slice(2, 3), array.slice(0, 0), array.slice(len(array) - 1)]
    table = pa.table({"a": pa.chunked_array(parts, array.type), "n": range(sum(map(len, parts)))})
    store.share(table, "t")
    attached = store.attach("t", to="stored", validate="full")
    assert lengths(attached) == [table.num_rows]
    # Another process knows no types of other libraries, and times beyond Python's cannot be listed.
    same = attached["a"].equals(table["a"]) or attached["a"].to_pylist() == table["a"].to_pylist()
    assert same and attached["n"].equals(table["n"])


def rows_of(rows: int, seed: int) -> pa.Table:
    numbers = np.random.default_rng(seed)
    missing = numbers.random(rows) < 0.3
    texts = pa.array(["é" * int(n) for n in numbers.integers(0, 5, rows)], pa.string(), mask=missing)
    lists = pa.ListArray.from_arrays(np.arange(rows + 1, dtype="i4") * 2, pa.array(numbers.random(2 * rows) < 0.5))
    known = pa.array(numbers.random(rows) < 0.5, mask=missing)
    structs = pa.StructArray.from_arrays([texts, known, lists], ["text", "known", "list"])
    return pa.table({"rows": structs, "text": texts, "kind": texts.dictionary_encode(), "known": known})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 400), min_size=2, max_size=12), seed=st.integers(0, 99))
@pytest.mark.usefixtures("always")
def test_any_chunks(store: shm.Store, cuts: list[int], seed: int) -> None:
    whole = rows_of(400, seed)
    table = pa.concat_tables([whole.slice(a, b - a) for a, b in itertools.pairwise(sorted(cuts))])
    store.share(table, "t")
    attached = store.attach("t", validate="full")
    assert attached.to_pylist() == table.to_pylist() and len(lengths(attached)) <= 1


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("to", ["numpy", "pandas"])
def test_chunks_cost_no_copy_when_they_are_attached(store: shm.Store, to: str) -> None:
    table = pa.concat_tables([pa.table({"x": np.arange(100.0), "n": np.arange(100)})] * 13)
    store.share(table, "t")
    made = store.attachment("t", to=to)
    assert made.copied == {} and float(made.value["x"].sum()) == 13 * 4950


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(("most", "expected"), [(1000, [13]), (60, [6, 6, 1]), (10, [1] * 13), (29, [2] * 6 + [1])])
def test_as_few_batches_as_offsets_allow(
    store: shm.Store, monkeypatch: pytest.MonkeyPatch, most: int, expected: list[int]
) -> None:
    monkeypatch.setattr(gathered, "_MAX_OFFSET", most)
    table = pa.concat_tables([pa.table({"t": ["ten bytes!"]})] * 13)
    store.share(table, "t")
    assert lengths(store.attach("t")) == expected and store.attach("t").equals(table)
    assert store.info("t").num_batches == len(expected)


@pytest.mark.usefixtures("always")
def test_dictionaries_that_cannot_be_unified(store: shm.Store) -> None:
    values = pa.array([{"a": 1}, {"a": 2}])
    same = [pa.DictionaryArray.from_arrays(pa.array([1, 0]), values) for _ in range(3)]
    store.share(pa.table({"d": pa.chunked_array(same)}), "t")
    assert store.attach("t")["d"].to_pylist() == [{"a": 2}, {"a": 1}] * 3


@pytest.mark.usefixtures("always")
def test_without_the_address_space_batches_stay_as_they_are(store: shm.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(gathered, "Gathered", refuse)
    table = pa.concat_tables([pa.table({"n": range(5)})] * 3)
    store.share(table, "t")
    assert store.attach("t").equals(table) and lengths(store.attach("t")) == [5, 5, 5]


@pytest.mark.usefixtures("always")
def test_what_pyarrow_would_write_by_itself_is_never_shared(store: shm.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one batch holds no values: a release of pyarrow that copied its buffers would write zeros."""
    monkeypatch.setattr(filewriter.Sink, "promised", property(lambda _: {}, lambda *_: None), raising=False)
    with pytest.raises(RuntimeError, match="nothing was shared"):
        store.share(pa.concat_tables([pa.table({"n": range(5)})] * 3), "t")
    assert store.names() == []


MEASURE = """
import threading, time
def own():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) << 10
before, most, done = own(), 0, threading.Event()
def watch():
    global most
    while not done.wait(0.001): most = max(most, own() - before)
watcher = threading.Thread(target=watch)
watcher.start()
shm.share(t, "t")
done.set()
watcher.join()
"""


@pytest.mark.parametrize(
    "make", ["pa.array([None, *range(9)], pa.int64()).take", "pa.array(['', *'abcdefghi' * 9]).take"], ids=["n", "t"]
)
def test_at_most_a_twentieth_is_in_memory_twice(store: shm.Store, peer: Callable, make: str) -> None:
    sharer = peer()
    sharer.run(f"part = pa.table({{'a': {make}(pa.repeat(pa.scalar(3), {2 * MB}))}})")
    sharer.run("t = pa.concat_tables([part] * 13)\nshm.share(t.slice(0, 1), 'warm')")
    sharer.run(MEASURE)
    # The text's offsets are made 4 MB at a time, and up to 16 MB are written at once.
    assert sharer.get("most") < max(0.05 * sharer.get("t.nbytes"), 24 * MB)
    assert store.info("t").num_batches == 1
