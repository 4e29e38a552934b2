"""Tables.jl, and those who ask it for tables.

The packages cannot be had without a package registry: the tests run on stand-ins with the same interface
(``packages/``). If ``ARROWSHM_JULIA_PACKAGES`` names a folder of the real packages, one folder for each, the same tests
run on them, too, and then DataFrames.jl, CSV.jl and Query.jl themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from julia_peers import CHECKOUT, HERE, LOOP, PACKAGES, Julia

import jupyter_arrowshm as shm

REAL = os.environ.get("ARROWSHM_JULIA_PACKAGES", "")
TABLE = pa.table({"x": [1, 2, 3], "y": [1.5, None, 2.5], "s": ["a", None, "c"]})


def start(program: str, folder: str, first: str) -> Julia:
    """A Julia that finds packages in ``folder`` alone, and uses one of them before ArrowSHM."""
    depot = CHECKOUT / ".julia" / ("depot" if folder == str(HERE / "packages") else "depot-of-packages")
    env = {"JULIA_LOAD_PATH": f"{PACKAGES}:{folder}:@stdlib", "JULIA_DEPOT_PATH": str(depot)}
    sinks = json.dumps(str(HERE / "sinks.jl"))
    return Julia(program, "-e", f"using {first}; include({sinks}); {LOOP}", env=env)


@pytest.fixture(scope="module", params=["stand-ins", "real"])
def folder(request: pytest.FixtureRequest) -> str:
    if request.param == "real" and not REAL:
        pytest.skip("ARROWSHM_JULIA_PACKAGES names no folder of Julia packages")
    return REAL if request.param == "real" else str(HERE / "packages")


@pytest.fixture(scope="module")
def started(julia_program: str, folder: str) -> Iterator[Callable[[str], Julia]]:
    """The module's processes, by what they loaded first."""
    known: dict[str, Julia] = {}

    def get(first: str) -> Julia:
        if first not in known:
            known[first] = start(julia_program, folder, first)
        return known[first]

    yield get
    for one in known.values():
        one.kill()


@pytest.fixture(params=["ArrowSHM", "Tables"])
def julia(request: pytest.FixtureRequest, started: Callable[[str], Julia], directory: Path) -> Iterator[Julia]:
    process = started(request.param)
    process.run(f'ENV["JUPYTER_ARROWSHM_DIR"] = {json.dumps(str(directory))}')
    yield process
    process.run("Session.clear()")


def test_it_is_connected_once(started: Callable[[str], Julia]) -> None:
    """Whichever comes first; a package that is loaded after both of them changes nothing."""
    for first in ("ArrowSHM", "Tables"):
        assert started(first).get("length(ArrowSHM.TABULAR)") == 1, first
        started(first).run("using DataAPI, SHA")
        assert started(first).get("length(ArrowSHM.TABULAR)") == 1, first


def test_the_interface_of_tables(julia: Any, store: shm.Store) -> None:
    store.share(TABLE, "t")
    julia.run('using Tables; t = attach("t")')
    assert julia.get("(Tables.istable(t), Tables.columnaccess(typeof(t)), Tables.columnaccess(t))") == [True] * 3
    assert julia.get("Tables.columnnames(Tables.columns(t))") == ["x", "y", "s"]
    for way in ("2", ":y", "Union{Missing,Float64}, 2, :y"):
        assert julia.get(f"Tables.getcolumn(t, {way}) === t.y") is True, way
    schema = "Tables.Schema((:x, :y, :s), Tuple{Int64,Union{Missing,Float64},Union{Missing,String}})"
    for asked in ("t", "Tables.columns(t)", "Tables.rows(t)"):
        assert julia.get(f"Tables.schema({asked}) == {schema}") is True, asked
    assert julia.get("length(Tables.rows(t)), [row.x for row in Tables.rows(t)]") == [3, [1, 2, 3]]
    assert julia.get("Tables.columntable(t).x === t.x") is True
    assert julia.get("isequal(Tables.rowtable(t)[2], (x = 2, y = missing, s = missing))") is True
    assert julia.get('collect(Tables.namedtupleiterator(t))[3] == (x = 3, y = 2.5, s = "c")') is True


def test_frames_csv_and_queries(julia: Any, store: shm.Store) -> None:
    """What they ask for, call by call."""
    store.share(TABLE, "t")
    julia.run('t = attach("t")')
    assert julia.get("(f = Sinks.frame(t); f[:x] === t.x && f[:s] === t.s)") is True, "no copy"
    assert julia.get("Sinks.csv(t)") == "x,y,s\n1,1.5,a\n2,,\n3,2.5,c\n"
    julia.run("using Tables: TableTraits, IteratorInterfaceExtensions")
    assert julia.get("TableTraits.isiterabletable(t)") is True
    assert julia.get("eltype(IteratorInterfaceExtensions.getiterator(t)) <: NamedTuple{(:x, :y, :s)}") is True
    assert julia.get("[row.x for row in Sinks.query(row -> row.x > 1, t)]") == [2, 3]
    julia.run('share("kept", Sinks.query(row -> row.x > 1, t))')
    assert store.attach("kept").to_pydict() == TABLE.slice(1).to_pydict()
    store.share(TABLE.slice(0, 0), "empty")
    assert julia.get('Sinks.csv(attach("empty"))') == "x,y,s\n"
    store.share(pa.table({}), "bare")
    julia.run('Sinks.frame(attach("bare"))')


def test_what_can_be_shared(julia: Any, store: shm.Store) -> None:
    julia.run("""
        struct Frame; a; b; end
        using Tables
        Tables.istable(::Type{Frame}) = true
        Tables.columnaccess(::Type{Frame}) = true
        Tables.columns(x::Frame) = x
    """)
    for name, code in {
        "Frame": 'Frame([1, 2], ["x", missing])',
        "RowIterator": 'Tables.rows((a = [1, 2], b = ["x", missing]))',
        "CopiedColumns": 'Tables.CopiedColumns((a = [1, 2], b = ["x", missing]))',
        "Array": 'Any[(a = 1, b = "x"), (a = 2, b = missing)]',
        "Generator": '((a = i, b = i == 1 ? "x" : missing) for i in 1:2)',
    }.items():
        julia.run(f'share("framed", {code}; replace = true)')
        assert store.attach("framed").to_pydict() == {"a": [1, 2], "b": ["x", None]}, code
        assert store.info("framed").source == name
    for code in ("[1, 2]", "Any[1, 2]", "Any[]", '"text"', "(i for i in 1:2)", "1 => 2", "Set(Any[1])", "nothing"):
        with pytest.raises(Exception, match=r"UnsupportedSource: .* it is not a table"):
            julia.run(f'share("framed", {code}; replace = true)')


@pytest.mark.skipif(not REAL, reason="ARROWSHM_JULIA_PACKAGES names no folder of Julia packages")
@pytest.mark.parametrize("first", ["ArrowSHM", "DataFrames, CSV, Query"])
def test_the_packages_themselves(julia_program: str, store: shm.Store, first: str) -> None:
    store.share(TABLE, "t")
    process = start(julia_program, REAL, first)
    try:
        process.run('using DataFrames, CSV, Query; t = attach("t"); df = DataFrame(t; copycols = false)')
        assert process.get("df.x === t.x && DataFrame(t).x == t.x && names(df) == names(t)") is True
        assert process.get("sum(combine(groupby(dropmissing(df), :s), :x => sum).x_sum)") == 4
        assert process.get("nrow(innerjoin(df, DataFrame(x = [1, 3], z = [1, 2]); on = :x))") == 2
        assert process.get("(io = IOBuffer(); CSV.write(io, t); String(take!(io)))") == "x,y,s\n1,1.5,a\n2,,\n3,2.5,c\n"
        process.run('share("read", CSV.File(IOBuffer("a,b\\n1,x\\n,y\\n")))')
        assert store.attach("read").to_pydict() == {"a": [1, None], "b": ["x", "y"]}
        assert process.get("t |> @filter(_.x > 1) |> @map(_.x) |> collect") == [2, 3]
        assert process.get("@from i in t begin; @where i.x > 1; @select i.s; @collect; end; 1") == 1
        process.run('share("kept", t |> @filter(_.x > 1)); share("framed", df)')
        assert store.attach("kept").to_pydict() == TABLE.slice(1).to_pydict()
        assert store.attach("framed").to_pydict() == TABLE.to_pydict()
    finally:
        process.kill()
