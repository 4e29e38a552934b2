"""A table as nanoarrow's stream: the batches where they lie, of every type, in use for as long as any part of one is kept."""

# ruff: noqa: E501 -- R code
from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from r.test_types import put, seven
from r_peers import R, signals
from samples import arrays

import jupyter_arrowshm as shm


@pytest.mark.parametrize("batches", [1, 7])
def test_every_type_is_what_it_was(r: R, store: shm.Store, directory: Path, batches: int) -> None:
    """Through nanoarrow, R shares what Python shared: the same types, down to the metadata of extension types, and values."""
    for name, array in arrays().items():
        table = pa.table({"x": array, "n": pa.array(range(len(array)))})
        put(directory, "python", table.to_batches() if batches == 1 else seven(table))
        r.run('share_table(attach_table("python", as = "nanoarrow"), "r", replace = TRUE)')
        back, first = (store.attach(each, to="stored", validate="full") for each in ("r", "python"))
        assert back.schema.equals(first.schema, check_metadata=True) and back.equals(first), name


def test_nothing_is_copied(r: R, store: shm.Store) -> None:
    """50 MB are there, and the process has hardly any memory of its own more than before."""
    store.share(pa.table({"x": pa.array(range(6_000_000)), "s": ["text"] * 6_000_000}), "large")
    own = 'sum(as.numeric(sub("[^0-9]*([0-9]+).*", "\\\\1", grep("^Anonymous:", readLines("/proc/self/smaps_rollup"), value = TRUE))))'
    r.run(f'attach_table("large", "x", as = "nanoarrow"); invisible(gc()); before <- {own}')
    r.run('array <- attach_table("large", as = "nanoarrow")$get_next()')
    assert r.get("array$length") == 6_000_000
    assert r.get(f"{own} - before") < 5_000, "kB"


def test_a_part_of_it_keeps_the_table(r: R, store: shm.Store) -> None:
    store.share(pa.table({"x": [1.5, 2.5], "s": ["a", None]}), "t")

    def is_used() -> bool:
        return r.pid in [holder.pid for holder in store.info("t").holders]

    r.run('stream <- attach_table("t", c("s", "x"), as = "nanoarrow")')
    assert r.get("names(stream$get_schema()$children)") == ["s", "x"] and is_used()
    r.run("column <- stream$get_next()$children$x; stream$release(); rm(stream); invisible(gc())")
    assert is_used() and r.get("nanoarrow::convert_array(column)") == [1.5, 2.5]
    r.run("rm(column); invisible(gc())")
    assert not is_used()
    r.run('stream <- attach_table("t", as = "nanoarrow")')
    assert r.get("Session$warned(detach_table(stream))$warnings") == [] and not is_used()
    r.run('stream <- attach_table("t", as = "nanoarrow"); array <- stream$get_next()')
    assert "still attached" in r.get("Session$warned(detach_table(stream))$warnings")[0] and is_used()


def test_it_is_read_as_a_data_frame(r: R, store: shm.Store) -> None:
    store.share(pa.table({"x": [1.5, None], "s": ["a", None]}), "t")
    r.run('by_nanoarrow <- as.data.frame(attach_table("t", as = "nanoarrow"))')
    assert r.get('identical(by_nanoarrow$x, attach_table("t")$x[1:2]) && identical(by_nanoarrow$s, c("a", NA))')


def test_what_cannot_be_had_is_said(r: R, store: shm.Store, directory: Path) -> None:
    store.share(pa.table({"x": [1]}), "t")
    if not r.get('requireNamespace("arrow", quietly = TRUE)'):
        with signals('the R package arrow is not here: install.packages\\("arrow"\\), or choose as = "nanoarrow"'):
            r.run('attach_table("t", as = "arrow")')
    first = pa.array(["a"]).dictionary_encode()
    delta = pa.DictionaryArray.from_arrays(pa.array([1], pa.int32()), pa.array(["a", "b"]))
    put(directory, "parts", [pa.record_batch({"f": each}) for each in (first, delta)])
    with signals('UnsupportedTarget: the dictionary of column "f" is in several parts'):
        r.run('attach_table("parts", as = "nanoarrow")')
    assert r.get('as.character(attach_table("parts")$f)') == ["a", "b"]
