"""Every type goes from Python to R and back by the rule of docs/types.md, in one batch and in seven."""

# ruff: noqa: E501 -- R code
from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import typetable
from julia_peers import Julia
from julia_peers import program as julia_program
from r_peers import R, signals
from samples import arrays

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli.demo import read_flights


@pytest.fixture(scope="module")
def julia_process() -> Iterator[Julia]:
    started = Julia(julia_program(), "-e", _LOOP)
    yield started
    started.kill()


@pytest.fixture
def julia(julia_process: Julia, directory: Path) -> Iterator[Julia]:
    """The module's Julia, in this test's store; afterwards it has nothing attached."""
    julia_process.run(f'ENV["JUPYTER_ARROWSHM_DIR"] = {json.dumps(str(directory))}')
    yield julia_process
    julia_process.run("t = nothing; GC.gc()")


def put(directory: Path, name: str, batches: list[pa.RecordBatch]) -> None:
    """A file as another program would put it there: as many batches as given."""
    directory.mkdir(0o700, exist_ok=True)
    path = directory / f"{name}.arrow"
    path.unlink(missing_ok=True)
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    os.chmod(path, 0o400)


def seven(table: pa.Table) -> list[pa.RecordBatch]:
    """The table in seven parts, the third without rows."""
    batch = table.combine_chunks().to_batches()[0]
    size = len(batch) // 6
    cuts = [0, size, 2 * size, 2 * size, 3 * size, 4 * size, 5 * size, len(batch)]
    return [batch.slice(start, stop - start) for start, stop in itertools.pairwise(cuts)]


def test_the_table_of_types(r: R, store: shm.Store) -> None:
    r.run(typetable.R)
    found = {}
    for name, array in typetable.columns().items():
        column = pa.chunked_array([typetable.without_nul(array)])
        store.share(pa.table({"x": column}), "x", replace=True)
        found[name] = typetable.in_r(r, store, "x", column)
    assert found == typetable.IN_R


def test_what_pandas_own_types_are(r: R, store: shm.Store) -> None:
    r.run(typetable.R)
    found = {}
    for name, series in typetable.pandas_columns().items():
        store.share(series.to_frame("x"), "x", replace=True)
        found[name] = typetable.own_in_r(r)
    assert found == {name: cells[3] for name, cells in typetable.OF_PANDAS.items()}


def test_one_batch_or_seven_value_by_value_or_all_at_once(r: R, store: shm.Store, directory: Path) -> None:
    """Single values are read where they lie, and a whole column is made: they are the same."""
    for name, array in arrays().items():
        table = pa.table({"x": typetable.without_nul(array)})
        put(directory, "one", table.to_batches())
        put(directory, "seven", seven(table))
        r.run(
            'suppressWarnings({ one <- attach_table("one")$x; seven <- attach_table("seven")$x; again <- attach_table("seven")$x })'
        )
        each = "function(x) lapply(1:6, function(i) x[[i]])"
        same = f"if (is.list(one)) identical(one, seven) else identical(({each})(one), ({each})(seven))"
        assert r.get(f"suppressWarnings({same})"), name
        whole = "{ invisible(rev(again)); is.list(one) || identical(again[1:6], seven[1:6]) && identical(one[6:1], again[6:1]) }"
        assert r.get(f"suppressWarnings({whole})"), name


@pytest.mark.parametrize("batches", [1, 7])
def test_flights_through_three_languages(r: R, julia: Julia, store: shm.Store, directory: Path, batches: int) -> None:
    """Python -> R -> Julia -> Python: the rows are those that they were."""
    flights = read_flights()
    put(directory, "flights", flights.combine_chunks().to_batches() if batches == 1 else seven(flights))
    r.run('flights <- attach_table("flights"); share_table(flights, "from_r")')
    assert r.get("dim(flights)") == [336_776, 19]
    julia.run('t = attach("from_r"); share("from_julia", t)')
    back = store.attach("from_julia", to="stored", validate="full")
    for name in flights.column_names:
        assert back[name].cast(flights[name].type).equals(flights[name]), name


def test_what_r_cannot_hold_is_said(r: R, store: shm.Store) -> None:
    for values, kind, said in (
        ([-(2**31), 1], pa.int32(), "-2147483648"),
        ([-(2**63), 1], pa.int64(), "-9223372036854775808"),
        ([2**63, 1], pa.uint64(), "cannot hold exactly"),
        ([10**18 + 1, 1], pa.timestamp("ns"), "rounded"),
    ):
        store.share(pa.table({"x": pa.array(values, kind)}), "x", replace=True)
        r.run('x <- attach_table("x")$x')
        assert said in r.get("Session$warned(sum(as.numeric(x)))$warnings")[0], kind
        assert r.get("Session$warned(sum(as.numeric(x)))$warnings") == [], "once"
    store.share(pa.table({"x": ["a\0b"]}), "x", replace=True)
    with signals("UnsupportedTarget: R cannot hold this column: a text in it has a NUL character"):
        r.run('paste(attach_table("x")$x)')


@pytest.mark.parametrize("kind", ["tibble", "data.table"])
def test_other_frames_take_it(r: R, store: shm.Store, kind: str) -> None:
    """A tibble has the very columns; data.table makes plain vectors of all that are not."""
    store.share(pa.table({"d": [1.5, 2.5], "i": pa.array([1, 2], pa.int32()), "s": ["a", None]}), "t")
    make = "tibble::as_tibble(attach_table('t'))" if kind == "tibble" else "data.table::setDT(attach_table('t'))[]"
    r.run(f"t <- {make}")
    assert r.get("arrowshm:::in_place(t$d) && arrowshm:::in_place(t$i)") is (kind == "tibble")
    r.run('share_table(t, "back")')
    assert store.attach("back").to_pydict() == {"d": [1.5, 2.5], "i": [1, 2], "s": ["a", None]}
    assert store.info("back").source == kind


def test_anything_that_nanoarrow_makes_a_stream_of(r: R, store: shm.Store) -> None:
    r.run('share_table(nanoarrow::as_nanoarrow_array_stream(data.frame(a = 1:3, b = c("x", NA, "z"))), "t")')
    assert store.attach("t").to_pydict() == {"a": [1, 2, 3], "b": ["x", None, "z"]}


_LOOP = f'include("{Path(__file__).parents[1] / "julia" / "loop.jl"}")'


@pytest.mark.parametrize("batches", [1, 7])
def test_the_table_of_types_through_three_languages(
    r: R, julia: Julia, store: shm.Store, directory: Path, batches: int
) -> None:
    """By R and then Julia, and by Julia and then R: the values are those that R alone makes of Python's."""
    columns = {name: typetable.without_nul(array) for name, array in typetable.columns().items() if len(array) == 6}
    is_shared = {name for name, cell in typetable.IN_R.items() if not cell.back.startswith("error")}
    table = pa.table({name: array for name, array in columns.items() if name in is_shared})
    assert table.num_columns > 50
    put(directory, "python", table.to_batches() if batches == 1 else seven(table))
    r.run('suppressWarnings(share_table(attach_table("python"), "r"))')
    for source, target in (("r", "r-julia"), ("python", "julia")):
        julia.run(f't = attach("{source}"); share("{target}", [name => collect(t[name]) for name in names(t)])')
    r.run('suppressWarnings(share_table(attach_table("julia"), "julia-r"))')
    alone = store.attach("r", to="stored", validate="full").to_pydict()
    for way in ("r-julia", "julia-r"):
        both = store.attach(way, to="stored", validate="full").to_pydict()
        assert both.keys() == alone.keys()
        assert [name for name in alone if both[name] != alone[name]] == [], way
