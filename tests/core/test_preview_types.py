"""Every type of docs/types.md, and values that do not fit their type: page, sort, filters, summary and files."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from samples import arrays

from jupyter_arrowshm.errors import InvalidQuery
from jupyter_arrowshm.preview import View, layout
from jupyter_arrowshm.preview.period import parse, text

INT64 = 2**63  # one more than the largest


@dataclass(frozen=True)
class Column:
    """A table of two columns: the row number, and this one.

    The rows are ordered by ``values``, for every type that has an order.
    """

    table: pa.Table
    values: list[Any]
    shown: list[str | None] | None = None


def column(array: pa.Array, values: list[Any] | None = None, shown: list[str | None] | None = None) -> Column:
    """The array in two chunks, each a slice of a longer array."""
    twice = pa.chunked_array([array.slice(0, 2), array.slice(2, len(array) - 2)])
    table = pa.table({"n": pa.array(range(len(array))), "a": twice})
    return Column(table, plain_values(array) if values is None else values, shown)


def plain_values(array: pa.Array) -> list[Any]:
    """Python values by pyarrow's own conversion; times are numbers, since Python has no days before the year 1."""
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_union(array.type):
        return [value.as_py() for value in array]
    if pa.types.is_dictionary(array.type):
        known = plain_values(array.dictionary)
        return [None if index is None else known[index] for index in array.indices.to_pylist()]
    if pa.types.is_temporal(array.type) and array.type != pa.month_day_nano_interval():
        array = array.view(pa.int32() if array.type.bit_width == 32 else pa.int64())
    return array.to_pylist()


def of_bytes(type_: pa.DataType, numbers: list[int | None]) -> pa.Array:
    """Values that the type has no room for, as another program may have written them."""
    valid = pa.array([number is not None for number in numbers]).buffers()[1]
    data = b"".join((number or 0).to_bytes(type_.byte_width, "little", signed=True) for number in numbers)
    return pa.Array.from_buffers(type_, len(numbers), [valid, pa.py_buffer(data)])


def odd() -> Iterator[tuple[str, Column]]:
    numbers = [10**8, -(10**8), 0, None, 10**7, 1]
    for make, digits in ((pa.decimal32, 5), (pa.decimal64, 10), (pa.decimal128, 5), (pa.decimal256, 5)):
        scale = 4 if digits == 10 else 2
        beyond = [None if one is None else one * 10 ** (digits - 5) for one in numbers]
        values = [None if one is None else Decimal(one).scaleb(-scale) for one in beyond]
        shown = [None if one is None else f"{one:.{scale}f}" for one in values]
        yield f"{make.__name__} beyond its precision", column(of_bytes(make(digits, scale), beyond), values, shown)
    part = pa.array([1, 86_400_000 * 3 + 5, None, -5, 0, 7], pa.int64())
    yield "date64 with a part of a day", column(part.view(pa.date64()))
    for unit, bits in (("s", 32), ("ms", 32), ("us", 64), ("ns", 64)):
        long = pa.array([1, 2 * 10**9, None, -5, 0, 7], pa.int32()).cast(pa.int32() if bits == 32 else pa.int64())
        yield f"time{bits}[{unit}] of more than a day", column(long.view(getattr(pa, f"time{bits}")(unit)))
    for view in (pa.string_view(), pa.binary_view()):
        three = pa.array(["x", "y" * 40, "a"]).cast(view)
        codes = pa.array([0, 1, None, 0, 2, 1], pa.uint32())
        encoded = pa.DictionaryArray.from_arrays(codes, three)
        yield f"dictionary of {view}", column(encoded)
        ends = pa.array([2, 3, 6], pa.int32())
        yield f"runs of {view}", column(pa.RunEndEncodedArray.from_arrays(ends, three))
        yield f"runs of dictionary of {view}", column(pa.RunEndEncodedArray.from_arrays(ends, encoded.slice(1, 3)))
        yield f"list of {view}", column(pa.ListArray.from_arrays([0, 1, 2, 2, 3, 3, 3], three))
    wrong = pa.array([b"a", b"\xff", b"b", None, b"", b"\xed\xa0\x80 longer than a view"])
    views = layout.with_type(wrong.cast(pa.binary_view()), pa.string_view())
    for wild in (wrong.view(pa.string()), wrong.cast(pa.large_binary()).view(pa.large_string()), views):
        yield f"{wild.type} that is not UTF-8", column(wild, wrong.to_pylist())
        codes = pa.array(range(6), pa.int8())
        yield (
            f"dictionary of {wild.type} that is not UTF-8",
            column(pa.DictionaryArray.from_arrays(codes, wild), wrong.to_pylist()),
        )
    yield from older_intervals()
    yield from of_pandas()
    yield from of_others()


def older_intervals() -> Iterator[tuple[str, Column]]:
    """pyarrow has their types, and no arrays."""
    months = pa.array([14, -1, None, 0, 1, 12], pa.int32())
    days = pa.array([(2 << 32) + 1, 5 << 32, None, 0, 7, (-1 << 32) + 3], pa.int64())
    for name, array, format, shown in (
        ("year-month", months, {b"i": b"tiM"}, ["14 months", "-1 months", None, "0 months", "1 month", "12 months"]),
        ("day-time", days, {b"l": b"tiD"}, ["1 day 2 ms", "5 ms", None, "0 days", "7 days", "3 days -1 ms"]),
    ):
        listed = pa.ListArray.from_arrays(pa.array([0, 1, 1, 3, 4, 6, 6], pa.int32()), array)
        for wrapped, texts in ((array, shown), (listed, None)):
            batch = pa.record_batch({"n": pa.array(range(6)), "a": wrapped})
            type_ = layout._described(wrapped.type, format, {})
            batch = layout._restated(batch, pa.schema([("n", pa.int64()), ("a", type_)]))
            assert "interval" in str(batch.schema.field("a").type)
            yield f"{name} in {wrapped.type}", Column(pa.Table.from_batches([batch]), wrapped.to_pylist(), texts)


def of_pandas() -> Iterator[tuple[str, Column]]:
    """They are as pandas writes them, and as a process without pandas reads them."""
    for frequency in ("M", "Q-JAN", "W-WED", "Y-MAR", "D", "h", "ns"):
        periods = pd.array(pd.period_range("2023-11-28", periods=6, freq=frequency))
        periods[2] = pd.NaT
        values = [None if one is pd.NaT else one.ordinal for one in periods]
        texts = [None if one is pd.NaT else str(one) for one in periods]
        registered = pa.array(periods)
        yield f"period[{frequency}]", column(registered, values, texts)
        yield f"period[{frequency}] as categories", column(registered.storage.dictionary_encode(), values)
        yield f"period[{frequency}] without pandas", unregistered(registered, values, texts)
    for closed in ("left", "right", "both", "neither"):
        intervals = pd.array(pd.IntervalIndex.from_breaks([0.5, 1.5, 2.5, 3.5, 5.5, 8.5, 13.5], closed=closed))
        intervals[2] = None
        texts = [None if one is None or one != one else str(one) for one in intervals]
        registered = pa.array(intervals)
        yield f"interval, {closed}", column(registered, registered.storage.to_pylist(), texts)
        yield f"interval, {closed}, without pandas", unregistered(registered, registered.storage.to_pylist(), texts)
        three = [*registered.storage.flatten(), pa.repeat(closed, 6)]
        struct = pa.StructArray.from_arrays(three, ["left", "right", "closed"], mask=registered.is_null())
        yield f"interval, {closed}, as this package has it", column(struct, struct.to_pylist(), texts)


def of_others() -> Iterator[tuple[str, Column]]:
    stored = pa.array([1, 0, None, 5, 0, -1], pa.int8())
    texts = ["true", "false", None, "true", "false", "true"]
    yield "bool8", column(pa.ExtensionArray.from_storage(pa.bool8(), stored), [1, 0, None, 1, 0, 1], texts)
    numbers = np.arange(36, dtype="i2").reshape(6, 2, 3)
    texts = [f"2 x 3: {matrix.tolist()}" for matrix in numbers]
    yield "tensor", column(pa.FixedShapeTensorArray.from_numpy_ndarray(numbers), shown=texts)
    reversed_ = pa.fixed_shape_tensor(pa.int16(), (3, 2), permutation=[1, 0])
    there = pa.FixedShapeTensorArray.from_numpy_ndarray(numbers.transpose(0, 2, 1).copy()).storage
    yield "tensor, axes reversed", column(pa.ExtensionArray.from_storage(reversed_, there), shown=texts)


def unregistered(array: pa.ExtensionArray, values: list[Any], shown: list[str | None]) -> Column:
    sink = io.BytesIO()
    table = pa.table({"n": pa.array(range(6)), "a": array})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    name = array.type.extension_name
    known = array.type
    pa.unregister_extension_type(name)
    try:
        table = pa.ipc.open_file(sink.getvalue()).read_all()
    finally:
        pa.register_extension_type(known)
    assert not isinstance(table.schema.field("a").type, pa.BaseExtensionType)
    return Column(table, values, shown)


COLUMNS = {name: column(array) for name, array in arrays().items()} | dict(odd())


each = pytest.mark.parametrize("one", COLUMNS.values(), ids=list(COLUMNS))


def facts(one: Column) -> dict[bytes, bytes]:
    return dict(View(one.table).page().schema.field(1).metadata)


def is_sortable(one: Column) -> bool:
    return facts(one)[b"sortable"] == b"true"


def rows(table: pa.Table, sort: Any = None, filter: Any = None) -> list[int]:
    view = View(table, json.dumps(sort) if sort else "", json.dumps(filter) if filter else "")
    return view.page().column(0).to_pylist()


@each
def test_a_page_shows_it_as_people_read_it(one: Column) -> None:
    cells = View(one.table).page().column(1).to_pylist()
    assert len(cells) == 6
    if one.shown is not None:
        assert cells == one.shown
    else:
        assert [cell is None for cell in cells] == [value is None for value in one.values]


@each
def test_what_is_missing_is_found(one: Column) -> None:
    for op, wanted in (("is null", True), ("is not null", False)):
        expected = [row for row, value in enumerate(one.values) if (value is None) == wanted]
        assert rows(one.table, filter={"column": 1, "op": op}) == expected


@each
def test_it_is_sorted_or_said_to_have_no_order(one: Column) -> None:
    if not is_sortable(one):
        with pytest.raises(InvalidQuery, match="has no order to sort by"):
            rows(one.table, sort=[{"column": 1}])
        return
    present = sorted(order(value) for value in one.values if value is not None)
    for descending in (False, True):
        found = [one.values[row] for row in rows(one.table, sort=[{"column": 1, "descending": descending}])]
        assert found[len(present) :] == [None] * (6 - len(present))
        assert [order(value) for value in found[: len(present)]] == (present[::-1] if descending else present)


def order(value: Any) -> Any:
    return value if isinstance(value, (str, bytes)) else Decimal(value)


@each
def test_its_summary_spoils_no_other_and_finds_what_it_shows(one: Column) -> None:
    number, summary = View(one.table).summary()["columns"]
    assert number["max"]["value"] == 5 and "problem" not in summary
    assert summary["nulls"] == one.values.count(None)
    present = [value for value in one.values if value is not None]
    if not is_sortable(one) or not present:
        return
    assert summary["distinct"] == len(set(present))
    for end, ends in (("min", min(present)), ("max", max(present))):
        value = summary[end].get("value")
        for op, found in (
            ("==", {row for row in range(6) if one.values[row] == ends}),
            ("<=", {row for row in range(6) if one.values[row] is not None and one.values[row] <= ends}),
            (">", {row for row in range(6) if one.values[row] is not None and one.values[row] > ends}),
        ):
            if value is not None:  # no filter can be written for a long text, or for one that is not UTF-8
                assert set(rows(one.table, filter={"column": 1, "op": op, "value": value})) == found
                within = {"column": 1, "op": "in", "value": [value]}
                assert op != "==" or set(rows(one.table, filter=within)) == found


@each
@pytest.mark.parametrize("format", ["csv", "parquet", "arrow"])
def test_it_is_saved_with_its_values_or_as_it_is_shown(one: Column, format: str) -> None:
    cells = View(one.table).page(cell=10_000).column(1).to_pylist()
    for sort, places in (("", range(6)), ('[{"column": 0, "descending": true}]', range(5, -1, -1))):
        file = View(one.table, sort).export(format)
        assert file.num_rows == 6 and not file.is_cut
        saved = read(file.data, format)
        assert saved["n"].to_pylist() == list(places)
        found = plain_values(as_it_was(saved["a"].combine_chunks(), one.table.schema.field("a").type))
        shown = [cells[row] for row in places]
        if format == "csv":
            for cell, text in zip(found, shown, strict=True):
                expected = "" if text is None else str(text).lower() if isinstance(text, bool) else str(text)
                assert (cell or "") == expected or Decimal(cell) == Decimal(expected)
        else:
            assert str(found) in (str([one.values[row] for row in places]), str(shown))


def as_it_was(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """Parquet has fewer types of dates and times."""
    return array.cast(type_) if pa.types.is_temporal(array.type) and pa.types.is_temporal(type_) else array


def read(data: bytes, format: str) -> pa.Table:
    source = pa.BufferReader(data)
    if format == "parquet":
        return pyarrow.parquet.read_table(source)
    if format == "arrow":
        return pa.ipc.open_file(source).read_all()
    columns = pyarrow.csv.ConvertOptions(column_types={"a": pa.string()})
    return pyarrow.csv.read_csv(source, None, pyarrow.csv.ParseOptions(newlines_in_values=True), columns)


@pytest.mark.parametrize("type_", [pa.decimal128(5, 400), pa.decimal256(5, 400), pa.decimal32(5, 400)])
def test_a_column_that_fails_spoils_no_other(type_: pa.DataType) -> None:
    """Python has no decimals of this scale, so there is no summary of them."""
    table = pa.table({"a": of_bytes(type_, [1, 2]), "n": [1, 2]})
    odd, other = View(table).summary()["columns"]
    assert "could not be summed up" in odd["problem"] and odd["nulls"] is None and other["max"]["value"] == 2
    assert View(table, '[{"column": 0, "descending": true}]').page(columns="[1]").column(0).to_pylist() == [2, 1]
    assert View(table).page().num_rows == 2


@pytest.mark.filterwarnings("ignore:Period with BDay freq:FutureWarning")
@pytest.mark.parametrize(
    "frequency", ["Y", "Y-MAR", "Q", "Q-JAN", "M", "2M", "D", "B", "h", "3h", "min", "s", "ms", "us", "ns"]
)
def test_periods_have_the_texts_of_pandas(frequency: str) -> None:
    check_periods(frequency)


@pytest.mark.parametrize("day", ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
def test_weeks_have_the_texts_of_pandas(day: str) -> None:
    check_periods(f"W-{day}")


def check_periods(frequency: str) -> None:
    chance = random.Random(frequency)
    for _ in range(100):
        period = pd.Period(pd.Timestamp(chance.randrange(-INT64 + 1, INT64)), freq=frequency)
        assert text(period.ordinal, frequency) == str(period)
        assert parse(str(period), frequency) == period.ordinal


def test_a_period_is_found_by_its_text_or_the_beginning_of_it() -> None:
    months = pa.array(pd.array(pd.period_range("2023-11", periods=6, freq="M")))
    table = pa.table({"n": pa.array(range(6)), "a": months})
    for value, found in (("2024-01", [2, 3, 4, 5]), ("2024", [2, 3, 4, 5]), (648, [2, 3, 4, 5]), ("2024-03", [4, 5])):
        assert rows(table, filter={"column": 1, "op": ">=", "value": value}) == found
    with pytest.raises(InvalidQuery, match=r"'spring' cannot be compared with a column of period\[M\]"):
        rows(table, filter={"column": 1, "op": "==", "value": "spring"})
