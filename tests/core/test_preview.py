"""Sorts, filters and summaries equal DuckDB's, for every type and every way to store it; pages; bounds."""

from __future__ import annotations

import datetime as dt
import gc
import itertools
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import arrays

from jupyter_arrowshm.core import arrowfile
from jupyter_arrowshm.errors import InvalidQuery, QueryStopped
from jupyter_arrowshm.looking import answers
from jupyter_arrowshm.preview import Patience, Unwanted, View, of_file, order, selection, source, summary
from jupyter_arrowshm.preview import view as preview_view
from jupyter_arrowshm.preview.condition import OPERATORS
from jupyter_arrowshm.preview.source import FileSource

UTC = dt.timezone.utc
# A few values of each type, so that there are ties, and the ends of each range.
VALUES: dict[pa.DataType, list[Any]] = {
    pa.int8(): [-128, -1, 0, 1, 127],
    pa.int64(): [-(2**63), -(2**53) - 1, 0, 2**53 + 1, 2**63 - 1],
    pa.uint64(): [0, 1, 2**53 + 1, 2**64 - 1],
    pa.float32(): [-1.5, -0.0, 0.0, 0.5, 2.0**127],  # all exact: DuckDB compares with the given value as a double
    pa.float64(): [float("-inf"), -0.1, -0.0, 0.0, 0.1, 1e300, float("inf")],
    pa.bool_(): [False, True],
    pa.string(): ["", "a", "ab", "b", "Zürich", "\N{SNOWMAN}", "longer than the twelve bytes of a view"],
    pa.binary(): [b"", b"\0", b"ab", b"\xff"],
    pa.decimal128(9, 2): [Decimal("-9999999.99"), Decimal("-0.01"), Decimal("0.00"), Decimal("1.50")],
    pa.decimal128(38, 5): [Decimal(10**37).scaleb(-5), Decimal("0.00001"), Decimal("-1.00000")],
    pa.date32(): [dt.date(1, 1, 1), dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)],
    pa.time64("us"): [dt.time(0), dt.time(23, 59, 59, 999999), dt.time(12, 30)],
    pa.timestamp("us"): [dt.datetime(1, 1, 1), dt.datetime(1970, 1, 1), dt.datetime(2024, 2, 29, 1, 2, 3, 4)],
    pa.timestamp("us", "Europe/Zurich"): [
        dt.datetime(1970, 1, 1, tzinfo=UTC),
        dt.datetime(2024, 7, 1, 12, tzinfo=UTC),
        dt.datetime(2024, 7, 1, 12, 0, 0, 1, tzinfo=UTC),
    ],
}
TYPES = list(VALUES)
STORAGES = ["plain", "dictionary", "runs", "view", "large"]


@dataclass(frozen=True)
class Case:
    """The same rows, as DuckDB gets them and as they are shared."""

    plain: pa.Table
    stored: pa.Table


def stored(column: pa.Array, how: str) -> pa.Array:
    """The same values in another layout, where there is one."""
    type_ = column.type
    if how == "dictionary" and len(column):
        return column.dictionary_encode()
    if how == "runs" and len(column) and not pa.types.is_decimal(type_) and not pa.types.is_boolean(type_):
        return pc.run_end_encode(column)
    if pa.types.is_string(type_):
        return column.cast({"view": pa.string_view(), "large": pa.large_string()}.get(how, type_))
    if pa.types.is_binary(type_):
        return column.cast({"view": pa.binary_view(), "large": pa.large_binary()}.get(how, type_))
    if type_ == pa.decimal128(9, 2) and how in ("view", "large"):
        return column.cast({"view": pa.decimal32(9, 2), "large": pa.decimal256(50, 2)}[how])
    return column


@st.composite
def cases(draw: st.DrawFn) -> Case:
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
    length = draw(st.integers(0, 40))
    columns = []
    for type_ in types:
        value = st.none() | st.sampled_from(VALUES[type_])
        columns.append(pa.array(draw(st.lists(value, min_size=length, max_size=length)), type_))
    names = [f"c{number}" for number in range(len(types))]
    ways = [draw(st.sampled_from(STORAGES)) for _ in types]
    cuts = sorted({0, length, *draw(st.lists(st.integers(0, length), max_size=3))})
    # Slices of larger arrays, in chunks: offsets must not be forgotten.
    chunks = [
        [stored(column, way).slice(begin, end - begin) for begin, end in itertools.pairwise(cuts)]
        for column, way in zip(columns, ways, strict=True)
    ]
    made = [
        pa.chunked_array(some) if some else pa.chunked_array([], column.type)
        for some, column in zip(chunks, columns, strict=True)
    ]
    return Case(pa.table([*columns, pa.array(range(length), pa.int64())], [*names, "row"]), pa.table(made, names))


def literal(value: Any, type_: pa.DataType) -> Any:
    """The value as a person writes it in JSON."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if abs(value) < 1e308 else str(value)
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value)


@st.composite
def filters(draw: st.DrawFn, table: pa.Table, depth: int = 2) -> tuple[Any, str, list[Any]]:
    """A filter as JSON, the same as SQL, and the SQL's values."""
    if depth and draw(st.booleans()):
        word = draw(st.sampled_from(["and", "or"]))
        parts = [draw(filters(table, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        return (
            {word: [part[0] for part in parts]},
            "(" + f" {word} ".join(part[1] for part in parts) + ")",
            [value for part in parts for value in part[2]],
        )
    column = draw(st.integers(0, table.num_columns - 2))
    type_ = table.schema.field(column).type
    op = draw(st.sampled_from([op for op in OPERATORS if op != "contains" or pa.types.is_string(type_)]))
    name, condition = f"c{column}", {"column": column, "op": op}
    if op.startswith("is"):
        return condition, f"{name} {op}", []
    value = st.sampled_from(VALUES[type_])
    if op == "in":
        values = draw(st.lists(value, min_size=1, max_size=3))
        sql = f"{name} IN ({', '.join('?' * len(values))})"
        return {**condition, "value": [literal(one, type_) for one in values]}, sql, values
    one = draw(value)
    sql = f"contains({name}, ?)" if op == "contains" else f"{name} {op} ?"
    return {**condition, "value": literal(one, type_)}, sql, [one]


@st.composite
def sorts(draw: st.DrawFn, table: pa.Table) -> list[dict[str, Any]]:
    columns = draw(st.lists(st.integers(0, table.num_columns - 2), max_size=3, unique=True))
    return [{"column": column, "descending": draw(st.booleans())} for column in columns]


@pytest.fixture(scope="module", autouse=True)
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    global DUCKDB
    with duckdb.connect(config={"threads": 1}) as DUCKDB:
        yield DUCKDB


def duck(table: pa.Table, sql: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with DUCKDB.cursor() as cursor:
        cursor.register("t", table)
        # Fetched as Arrow: otherwise DuckDB needs pytz for times with a zone.
        columns = cursor.sql(sql, params=values or []).to_arrow_table().columns
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


@pytest.fixture(params=["usual", "tiny"])
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The most rows that are sorted fully."""
    if request.param == "tiny":
        tiny(monkeypatch)
        monkeypatch.setattr(preview_view, "SORTED_ROWS", 50)
    return 50 if request.param == "tiny" else 10**9


def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that make small tables take the paths of the largest."""
    monkeypatch.setattr(source, "SLICE_ROWS", 4)
    monkeypatch.setattr(source, "_FEW_ROWS", 2)
    for module in (selection, preview_view):
        monkeypatch.setattr(module, "VIEW_ROWS", 5)
    monkeypatch.setattr(selection, "_SAMPLE_ROWS", 6)
    for name, size in {"_RUN_ROWS": 7, "_SPAN": 20, "_STEP": 3}.items():
        monkeypatch.setattr(order, name, size)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_sorted_and_filtered_as_duckdb_does(bounds: int, data: st.DataObject) -> None:
    case = data.draw(cases())
    keys = data.draw(sorts(case.plain))
    tree, sql, values = data.draw(filters(case.plain)) if data.draw(st.booleans()) else (None, "true", [])
    by = [f"c{key['column']} {'DESC' if key['descending'] else 'ASC'} NULLS LAST" for key in keys]
    statement = f"SELECT row FROM t WHERE {sql} ORDER BY {', '.join([*by, 'row'])}"
    expected = [row for (row,) in duck(case.plain, statement, values)]
    view = View(case.stored, json.dumps(keys) if keys else "", json.dumps(tree) if tree else "")
    assert list(view.select().rows)[:5] == expected[:5]
    selected = view.select(wanted=len(expected))
    assert selected.matches == len(expected)
    # If there are more rows than are sorted fully, the first are shown, otherwise all.
    assert list(selected.rows) == (expected[:5] if keys and len(expected) > bounds else expected)
    shown = [view.page(place, 3) for place in range(0, len(selected.rows), 3)]
    facts = [json.loads(page.schema.metadata[b"arrowshm.preview"]) for page in shown]
    assert all(fact["view_rows"] == len(selected.rows) for fact in facts)
    assert sum(page.num_rows for page in shown) == len(selected.rows)


@pytest.mark.parametrize("descending", [False, True])
def test_what_is_not_a_number_comes_between_numbers_and_nulls(bounds: int, descending: bool) -> None:
    values = [float("nan"), 2.0, None, float("inf"), -1.0, float("nan")]
    for numbers in (values, values * 10, [values[0], None] * 20 + [1.0]):
        # A value's class comes before its size, and its place last.
        placed = [
            (2 if value is None else 1 if value != value else 0, value if value == value else 0, row)
            for row, value in enumerate(numbers)
        ]
        expected = [row for *_, row in sorted(placed, key=lambda one: (one[0], _signed(one, descending), one[2]))]
        view = View(pa.table({"x": pa.array(numbers)}), json.dumps([{"column": 0, "descending": descending}]))
        shown = expected if len(expected) <= bounds else expected[:5]
        assert list(view.select(wanted=len(expected)).rows) == shown


def test_of_rows_that_are_equal_the_first_are_shown(bounds: int) -> None:
    texts, nothing = pa.array(["x"] * 60), pa.nulls(60, pa.string())
    for column in (pa.array([1] * 60), texts.dictionary_encode(), nothing, nothing.dictionary_encode()):
        view = View(pa.table({"x": column}), '[{"column": 0, "descending": true}]')
        assert list(view.select(wanted=60).rows) == list(range(60))[: 60 if bounds >= 60 else 5]


def _signed(one: tuple[int, Any, int], descending: bool) -> float:
    return 0 if one[0] else -one[1] if descending else one[1]


# -- summaries ---------------------------------------------------------------------------------------------------------


def in_sql(table: pa.Table, what: str, sql: str, values: list[Any], column: str) -> Any:
    return duck(table, f"SELECT {what} FROM t WHERE {sql} AND {column} IS NOT NULL", values)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_summaries_as_duckdb_makes_them(data: st.DataObject) -> None:
    case = data.draw(cases())
    tree, sql, values = data.draw(filters(case.plain)) if data.draw(st.booleans()) else (None, "true", [])
    found = View(case.stored, filter=json.dumps(tree) if tree else "").summary()
    ((matches,),) = duck(case.plain, f"SELECT count(*) FROM t WHERE {sql}", values)
    assert found["matches"] == matches and found["num_rows"] == case.plain.num_rows and found["left_out"] == 0
    json.dumps(found, allow_nan=False)
    for number, column in enumerate(found["columns"]):
        name, type_ = f"c{number}", case.plain.schema.field(number).type
        rows = [row for (row,) in in_sql(case.plain, "row", sql, values, name)]
        cells = case.plain[name].take(pa.array(rows, pa.int64())).combine_chunks()
        assert column["rows"] == matches and column["exact"] and column["nulls"] == matches - len(rows)
        ((distinct,),) = in_sql(case.plain, f"count(DISTINCT {name})", sql, values, name)
        assert column["distinct"] == distinct
        if tree:
            check_whole(column, View(case.stored).summary()["columns"][number], cells)
        if not rows:
            assert column["min"] is column["max"] is column["mean"] is column["histogram"] is None
            continue
        for end in ("min", "max"):
            ((expected,),) = in_sql(case.plain, f"{end}({name})", sql, values, name)
            assert same(column[end]["value"], expected, type_), (end, column[end], expected)
        if column["top"] is not None:
            assert column["kind"] in ("text", "bool", "binary")
            counts = dict(duck(case.plain, f"SELECT {name}, count(*) FROM t WHERE {sql} GROUP BY {name}", values))
            counts.pop(None, None)
            assert {(literal(value, type_), count) for value, count in counts.items()} == {
                (one["value"], one["count"]) for one in column["top"]
            }
        elif column["histogram"]:
            check_histogram(column, numbers(cells))


def same(found: Any, expected: Any, type_: pa.DataType) -> bool:
    """Whether a value in JSON equals DuckDB's: times are whole numbers in JSON."""
    if pa.types.is_temporal(type_):
        bits = pa.int32() if type_.bit_width == 32 else pa.int64()
        return int(found) == pa.array([expected], type_).view(bits)[0].as_py()
    if isinstance(expected, (bool, str, bytes)):
        return found == literal(expected, type_)
    return Decimal(str(found)) == Decimal(str(expected)) or float(found) == pa.scalar(expected, type_).as_py()


def numbers(cells: pa.Array) -> list[Any]:
    if pa.types.is_temporal(cells.type):
        return cells.view(pa.int32() if cells.type.bit_width == 32 else pa.int64()).to_pylist()
    return cells.to_pylist()


def check_whole(column: dict[str, Any], whole: dict[str, Any], cells: pa.Array) -> None:
    """With a filter: what all rows have, and how many of the rows that match are in each part of that."""
    found = column["whole"].pop("found")
    assert column["whole"] == {key: whole[key] for key in column["whole"]}
    if whole["top"]:
        values = [literal(value, cells.type) for value in cells.to_pylist()]
        assert found == [values.count(one["value"]) for one in whole["top"]]
    elif whole["histogram"]:
        finite = [Decimal(value) for value in numbers(cells) if abs(value) != float("inf")]
        check_bins([Decimal(edge["value"]) for edge in whole["histogram"]["edges"]], found, finite, cells.type)


def check_bins(edges: list[Decimal], counts: list[int], values: list[Decimal], type_: pa.DataType) -> None:
    assert sum(counts) == len(values) and len(edges) == len(counts) + 1
    for number, count in enumerate(counts):
        low, high = edges[number], edges[number + 1]
        last = number == len(counts) - 1
        if not pa.types.is_decimal(type_):  # whose edges are floats
            assert count == sum(low <= value < high or (last and value == high) for value in values)


def check_histogram(column: dict[str, Any], values: list[Any]) -> None:
    """Every value is counted in the bin whose edges enclose it; the mean lies where it should."""
    finite = [Decimal(value) for value in values if abs(value) != float("inf")]
    edges = [Decimal(edge["value"]) for edge in column["histogram"]["edges"]]
    counts = column["histogram"]["counts"]
    assert edges == sorted(edges) and len(edges) == len(counts) + 1
    exact = not isinstance(values[0], Decimal)  # the edges for decimals are floats
    for number, count in enumerate(counts):
        low, high = edges[number], edges[number + 1]
        last = number == len(counts) - 1
        if exact:
            assert count == sum(low <= value < high or (last and value == high) for value in finite)
    assert sum(counts) == len(finite)
    if len(finite) == len(values):
        mean, largest = sum(finite) / len(finite), max(map(abs, finite))
        # For times it is a whole number of their unit.
        assert abs(Decimal(column["mean"]["value"]) - mean) <= (column["kind"] == "time") + largest * Decimal("1e-9")


def test_statistics_are_those_of_pandas() -> None:
    numbers = [None, 7.5, -2.0, 0.0, 3.25, float("nan"), 1e6]
    moments = [dt.datetime(2024, 1, day) for day in (1, 9, 3, 4)]
    table = pa.table({"x": numbers, "n": [3, 1, 2, 2, 9, 2**40, None]})
    found = View(table).summary()["columns"]
    for column in found:
        expected = table.to_pandas()[column["name"]].describe()
        assert column["deviation"]["value"] == pytest.approx(expected["std"])
        assert [one["value"] for one in column["quartiles"]] == pytest.approx([expected[f"{q}%"] for q in (25, 50, 75)])
    times, texts, none = View(
        pa.table({"t": moments, "s": ["", "Zürich", None, "ab"], "b": [b"\xff\0", None, b"", b"abc"]})
    ).summary()["columns"]
    assert [one["text"] for one in times["quartiles"]] == [
        "2024-01-01 00:00:00",
        "2024-01-03 00:00:00",
        "2024-01-04 00:00:00",
    ]
    assert times["deviation"] is None and times["lengths"] is None
    assert texts["lengths"] == {"min": 0, "mean": pytest.approx(8 / 3), "max": 6}
    assert none["lengths"] == {"min": 0, "mean": pytest.approx(5 / 3), "max": 3}
    # One value has no deviation, and two infinities have no middle.
    one, infinite = View(pa.table({"x": [1.0, None], "y": [float("inf"), float("-inf")]})).summary()["columns"]
    assert one["deviation"] is None and one["quartiles"][1]["value"] == 1
    assert infinite["deviation"] is None


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0.0, 19.9], [str(number) for number in range(21)]),
        ([0.01, 0.05], [f"{number / 1000:g}" for number in range(10, 51, 2)]),
        ([-43, 1301], [str(number) for number in range(-100, 1401, 100)]),
        (
            [dt.datetime(2024, 1, 5, 3), dt.datetime(2024, 1, 5, 21)],
            [f"2024-01-05 {number:02}:00:00" for number in range(3, 23)],
        ),
    ],
)
def test_the_edges_of_bins_are_round(values: list[Any], edges: list[str]) -> None:
    (column,) = View(pa.table({"x": values})).summary()["columns"]
    assert [edge["text"] for edge in column["histogram"]["edges"]] == edges


@pytest.mark.parametrize("filter", ["", '{"column": 0, "op": ">=", "value": 500}'])
def test_a_large_table_is_summarised_by_a_sample_that_says_so(filter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "EXACT_ROWS", 1000)
    monkeypatch.setattr(summary, "SAMPLE_ROWS", 100)
    numbers = pa.chunked_array([pa.array(range(begin, begin + 500)) for begin in range(0, 5000, 500)])
    found = View(pa.table({"n": numbers, "t": numbers.cast(pa.string())}), filter=filter).summary()
    matches = 4500 if filter else 5000
    assert found["matches"] == matches
    for column in found["columns"]:
        assert column["rows"] == 100 and not column["exact"] and column["distinct"] == 100
    # One row from each hundredth of the rows: the sample is spread like the table.
    edges, counts = (found["columns"][0]["histogram"][part] for part in ("edges", "counts"))
    expected = 100 * (edges[1]["value"] - edges[0]["value"]) / matches
    assert all(abs(count - expected) <= 2 for count in counts[1:-1]) and len(counts) > 8
    assert found["columns"][0]["min"]["value"] < 5000 - matches + 50
    assert found["columns"][0]["max"]["value"] >= 4950


# -- pages -------------------------------------------------------------------------------------------------------------


def test_every_type_is_shown_wherever_its_rows_lie() -> None:
    for name, array in arrays().items():
        table = pa.table({"a": array})
        whole = View(table).page()
        assert whole.num_rows == 6 and whole.column(0).null_count == sum(cell is None for cell in text_of(array)), name
        shown = whole.column(0).to_pylist()
        chunked = pa.table({"a": pa.chunked_array([array.slice(0, 1), array.slice(1, 3), array.slice(4, 2)])})
        for view, expected in (
            (View(chunked), shown),
            (View(pa.table({"a": array.slice(2, 4)})), shown[2:]),
            (View(chunked.append_column("n", pa.array([5, 4, 3, 2, 1, 0])), sort='[{"column": 1}]'), shown[::-1]),
        ):
            assert str(view.page(columns="[0]").column(0).to_pylist()) == str(expected), name


def text_of(array: pa.Array) -> list[Any]:
    if pa.types.is_union(array.type):
        return [value.as_py() for value in array]  # it has no nulls of its own, but those inside
    if pa.types.is_duration(array.type) or pa.types.is_timestamp(array.type):
        array = array.view(pa.int64())
    return array.to_pylist()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array([[1, None], []]), "[1, null]"),
        (pa.array([{"a b": 'x"y', "l": [{"z": 1.5}]}]), '{a b: "x\\"y", l: [{z: 1.5}]}'),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), '{"k": 1}'),
        (pa.array([b"\xff\0"]), "ff00"),
        (pa.array([86_400 * 2 + 3661], pa.duration("s")), "2 days 01:01:01"),
        (pa.array([0], pa.timestamp("ns", "Asia/Kolkata")), "1970-01-01 05:30:00+0530"),
        (pa.array([1500], pa.timestamp("ms")), "1970-01-01 00:00:01.500"),
        (pa.array([2**62], pa.timestamp("s", "UTC")), "<value out of range: 4611686018427387904>"),
        (pa.array([0], pa.timestamp("s", "Not/AZone")), "1970-01-01 00:00:00Z"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (
            pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")]),
            "a\ufffd",
        ),
    ],
)
def test_cells_read_as_people_expect(array: pa.Array, text: str) -> None:
    assert View(pa.table({"a": array})).page().column(0)[0].as_py() == text


def test_cells_columns_and_names_are_cut_and_that_is_said() -> None:
    columns = {f"{number}{'n' * 300}": ["x" * 300, "short"] for number in range(250)}
    page = View(pa.table(columns)).page(cell=10)
    facts = json.loads(page.schema.metadata[b"arrowshm.preview"])
    assert (page.num_columns, facts["num_columns"], facts["left_out"]) == (200, 250, 50)
    assert facts["cut"] == ["columns", "cells", "names"]
    assert page.column(0).to_pylist() == ["x" * 9 + "…", "short"] and page.schema.field(0).metadata[b"cut"] == b"1"
    assert len(page.schema.field(0).name) == 100


def test_a_page_is_never_larger_than_two_megabytes_nor_empty() -> None:
    table = pa.table({f"c{number}": ["\N{SNOWMAN}" * 20_000] * 1000 for number in range(3)})
    for cell in (250, 10_000, 10**9):
        page = View(table).page(0, 1000, cell=cell)
        assert 0 < page.num_rows < 1000 and page.nbytes <= 2_000_000
        assert "rows" in json.loads(page.schema.metadata[b"arrowshm.preview"])["cut"]
    many = pa.table([pa.array(["\N{SNOWMAN}" * 20_000])] * 200, [str(number) for number in range(200)])
    assert View(many).page(cell=10_000).num_rows == 1 and View(many).page(cell=10_000).nbytes <= 2_000_000
    uneven = pa.table({"a": ["short"] * 500 + ["x" * 10_000] * 500})
    assert 500 <= View(uneven).page(0, 1000, cell=10_000).num_rows < 1000
    assert View(uneven).page(0, 1000, cell=10_000).nbytes <= 2_000_000
    wide = pa.table([pa.array(range(1000), pa.float64())] * 200, [str(number) for number in range(200)])
    assert View(wide).page(0, 1000).num_rows == 1000


def test_deep_and_endless_nesting_is_shown_by_its_beginning() -> None:
    deep: pa.Array = pa.array([1])
    for _ in range(60):
        deep = pa.ListArray.from_arrays([0, 1], deep)
    long = pa.LargeListArray.from_arrays(pa.array([0, 50_000_000]), pa.nulls(50_000_000, pa.int8()).fill_null(7))
    wide = pa.StructArray.from_arrays([deep] * 5000, [f"f{number}" for number in range(5000)])
    page = View(pa.table({"deep": deep, "long": long, "wide": wide})).page(cell=50)
    assert page.column(0)[0].as_py() == "[" * 49 + "…"
    assert page.column(1)[0].as_py() == "[" + "7, " * 16 + "…"
    assert page.column(2)[0].as_py().startswith("{f0: [[[")


@pytest.mark.parametrize(
    ("sort", "filter", "columns"),
    [
        ("no json", "", ""),
        ('{"column": 0}', "", ""),
        ('[{"column": 9}]', "", ""),
        ('[{"column": 2}]', "", ""),
        ("", "[" * 5000, ""),
        ("", "{}", ""),
        ("", '{"and": []}', ""),
        ("", '{"column": 0, "op": "like", "value": 1}', ""),
        ("", '{"column": true, "op": "is null"}', ""),
        ("", '{"column": 0, "op": "==", "value": "x"}', ""),
        ("", '{"column": 0, "op": "==", "value": null}', ""),
        ("", '{"column": 0, "op": "in", "value": 1}', ""),
        ("", '{"column": 1, "op": "<", "value": 1}', ""),
        ("", '{"column": 0, "op": "contains", "value": "1"}', ""),
        ("", '{"column": 2, "op": "==", "value": 1}', ""),
        ("", json.dumps({"or": [{"column": 0, "op": "is null"}] * 101}), ""),
        ("", "", "0"),
        ("", "", "[-1]"),
        ("", "", '["n"]'),
    ],
)
def test_what_makes_no_sense_is_refused(sort: str, filter: str, columns: str) -> None:
    table = pa.table({"n": [1], "s": ["x"], "l": [[1]]})
    with pytest.raises(InvalidQuery) as caught:
        View(table, sort, filter).page(columns=columns)
    assert str(caught.value).endswith(".") and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (2.5, [2, 3]),
        ("2.5", [2, 3]),
        (10**30, []),
        (-(10**30), [0, 1, 2, 3]),
        ("1e999999", []),
        ("-inf", [0, 1, 2, 3]),
        (2**63 - 1, []),
    ],
)
def test_numbers_are_compared_exactly(value: Any, rows: list[int]) -> None:
    table = pa.table({"n": pa.array([-(2**63), 2, 3, 2**63 - 1])})
    found = View(table, filter=json.dumps({"column": 0, "op": ">", "value": value})).select().rows
    assert list(found) == rows


def test_a_filtered_view_scrolls_to_its_end() -> None:
    view = View(pa.table({"n": pa.array(range(50_000))}), filter='{"column": 0, "op": ">=", "value": 10}')
    for offset in (0, 9_990, 49_940):
        page = view.page(offset, 100)
        facts = json.loads(page.schema.metadata[b"arrowshm.preview"])
        assert page.column(0).to_pylist() == list(range(offset + 10, min(offset + 110, 50_000)))
        assert (facts["view_rows"], facts["matches"], facts["limited"]) == (49_990, 49_990, False)


@pytest.mark.parametrize("descending", [False, True])
def test_a_sorted_view_scrolls_to_its_end(descending: bool) -> None:
    """Those of the view's rows that are not among its first are found in the order of all of them."""
    length = 2_500_001
    numbers = pc.multiply(pa.arange(0, length), 7919)
    table = pa.table({"n": pc.subtract(numbers, pc.multiply(pc.divide(numbers, length), length))})
    view = View(table, json.dumps([{"column": 0, "descending": descending}]))
    for offset in (0, 9_950, 1_234_567, length - 50):
        page = view.page(offset, 100, patience=Patience(60))
        facts = json.loads(page.schema.metadata[b"arrowshm.preview"])
        assert (facts["view_rows"], facts["limited"], facts["sorted"]) == (length, False, 1)
        expected = range(offset, min(offset + 100, length))
        assert page.column(0).to_pylist() == [length - 1 - place if descending else place for place in expected]
    assert view.select(wanted=length).rows[length - 1 : 5 : -1_000_000] == [
        view.select(wanted=length).rows[place] for place in range(length - 1, 5, -1_000_000)
    ]


def test_an_order_that_takes_too_long_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny(monkeypatch)
    view = View(pa.table({"n": pa.array(range(40))}), '[{"column": 0, "descending": true}]')
    view.page(0, 5)
    done = [0.0]
    while (page := view.page(30, 5, patience=Patience(0))).num_rows == 0:
        facts = json.loads(page.schema.metadata[b"arrowshm.preview"])
        assert facts["view_rows"] == 40 and done[-1] < facts["sorted"] < 1
        done.append(facts["sorted"])
    assert len(done) > 3
    assert page.column(0).to_pylist() == [9, 8, 7, 6, 5]
    # What is at hand is enough again, and what nobody asked for can be prepared.
    view.forget_order()
    with pytest.raises(Unwanted):
        view.prepare(Patience(is_wanted=lambda: False))
    view.prepare(Patience())
    assert view.page(30, 5, patience=Patience(0)).column(0).to_pylist() == [9, 8, 7, 6, 5]


def test_only_as_many_orders_are_kept_as_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny(monkeypatch)
    monkeypatch.setattr(answers, "SORTED_ROWS", 100)
    views = [View(pa.table({"n": pa.array(range(40))}), f'[{{"column": 0}}]{" " * place}') for place in range(3)]
    tables = answers.OpenTables()
    for view in views:
        tables.make_room(view)
        assert list(view.select(wanted=40).rows) == list(range(40))
    tables.make_room(views[2])
    assert [view.page(30, 1, patience=Patience(0)).num_rows for view in views] == [0, 1, 1]


def test_an_order_that_is_not_done_goes_when_another_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its memory with it, at once: some of these ended all previews of a table of 10 million rows."""
    tiny(monkeypatch)
    views = [View(pa.table({"n": pa.array(range(40))}), f'[{{"column": 0}}]{" " * place}') for place in range(2)]
    tables = answers.OpenTables()
    gc.collect()
    gc.disable()
    try:
        for view in views:
            tables.make_room(view)
            view.page(0, 5)
            assert view.page(30, 5, patience=Patience(0)).num_rows == 0
        assert [view.is_being_sorted for view in views] == [False, True]
        assert sum(isinstance(one, order.Order) for one in gc.get_objects()) == 1
    finally:
        gc.enable()


def test_a_search_that_nobody_waited_for_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 100)
    monkeypatch.setattr(source, "_FEW_ROWS", 1)
    view = View(pa.table({"n": pa.array(range(1000))}), filter='{"column": 0, "op": ">=", "value": 50}')
    looks = iter([True, False])
    with pytest.raises(Unwanted):
        view.page(patience=Patience(is_wanted=lambda: next(looks)))
    assert list(view.select().rows) == list(range(50, 1000))


def test_a_search_that_takes_too_long_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 100)
    monkeypatch.setattr(source, "_FEW_ROWS", 1)
    table = pa.table({"n": pa.array(range(1000))})
    view = View(table, filter='{"column": 0, "op": ">=", "value": 50}')
    facts = json.loads(view.page(patience=Patience(0)).schema.metadata[b"arrowshm.preview"])
    assert 100 <= facts["searched"] < 1000 and facts["matches"] == facts["searched"] - 50 and facts["limited"]
    with pytest.raises(QueryStopped, match="took longer than 0 s"):
        View(table, sort='[{"column": 0}]').page(patience=Patience(0))
    # The next time it may finish.
    assert json.loads(view.page().schema.metadata[b"arrowshm.preview"])["matches"] == 950


@pytest.mark.parametrize("what", ["page", "summary", "export"])
def test_work_that_nobody_waits_for_is_left(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 100)
    monkeypatch.setattr(source, "_FEW_ROWS", 1)
    table = pa.table({"n": pa.array(range(1000))})
    looks = iter([True, True, False])
    view = View(table, '[{"column": 0}]', '{"column": 0, "op": ">", "value": 5}')
    with pytest.raises(Unwanted):
        getattr(view, what)(*["csv"] * (what == "export"), patience=Patience(is_wanted=lambda: next(looks)))


def test_a_file_of_many_small_batches_is_opened_batch_by_batch(tmp_path: Path) -> None:
    batch = pa.record_batch({f"c{number}": pa.array([number, 1]) for number in range(30)})
    with pa.ipc.new_file(str(tmp_path / "many"), batch.schema) as writer:
        for _ in range(7000):
            writer.write_batch(batch)
    buffer = pa.memory_map(str(tmp_path / "many")).read_buffer()
    source = of_file(pa.ipc.open_file(buffer), lambda: arrowfile.batch_lengths(buffer))
    assert isinstance(source, FileSource) and source.num_rows == 14_000
    assert View(source).page(13_998, 5, "[29, 0]").to_pydict() == {"c29": [29, 1], "c0": [0, 1]}
    found = View(source, '[{"column": 7, "descending": true}]', '{"column": 5, "op": "!=", "value": 1}').select()
    assert found.matches == 7000 and list(found.rows[:3]) == [0, 2, 4]
    (column,) = View(source).summary("[3]")["columns"]
    assert column["distinct"] == 2 and column["rows"] == 14_000


def test_a_column_that_points_out_of_itself_is_found() -> None:
    data = pa.py_buffer(b"text")
    offsets = pa.py_buffer(struct.pack("<iii", 0, 99, 4))
    broken = [
        pa.Array.from_buffers(pa.string(), 2, [None, offsets, data]),
        pa.Array.from_buffers(pa.list_(pa.int8()), 2, [None, offsets], children=[pa.array([1] * 4, pa.int8())]),
        pa.DictionaryArray.from_arrays(pa.array([7, 0], pa.int8()), ["x"], safe=False),
        pa.Array.from_buffers(pa.string_view(), 1, [None, pa.py_buffer(struct.pack("<iiii", 99, 0, 0, 0)), data]),
    ]
    for array in broken:
        table = pa.table({"a": array})
        for ask in (View(table).page, View(table, filter='{"column": 0, "op": "is null"}').page, View(table).summary):
            if array.type != pa.list_(pa.int8()) or ask.__name__ == "page":  # for lists only nulls are counted
                with pytest.raises(pa.ArrowException):
                    ask()
