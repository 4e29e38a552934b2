"""The first rows of a sort, which samples of slices find: as a sort of all rows has them, whatever the samples say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jupyter_arrowshm.preview import condition, selection, source
from jupyter_arrowshm.preview.numbers import spread
from jupyter_arrowshm.preview.patience import Patience
from jupyter_arrowshm.preview.selection import _SAMPLE_ROWS, Key, select_sorted
from jupyter_arrowshm.preview.source import TableSource

ROWS = 150_000
MOST = 200
SLICES = [(0, 120_000), (120_000, 30_000)]  # batches; the first is two slices


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SLICE_ROWS", 60_000)
    monkeypatch.setattr(source, "_FEW_ROWS", 10_000)
    monkeypatch.setattr(selection, "_LONG_ROWS", 100_000)
    monkeypatch.setattr(selection, "_PART_ROWS", 1000)


def columns() -> Iterator[tuple[str, pa.Array]]:
    random = np.random.default_rng(7)
    holes = random.random(ROWS) < 0.3
    yield "number", pa.array(random.integers(0, 1 << 40, ROWS))
    yield "with few values", pa.array(random.integers(0, 3, ROWS), mask=holes)
    yield "float", pa.array(np.where(random.random(ROWS) < 0.2, np.nan, random.random(ROWS)), mask=holes)
    yield "text", pa.array(random.integers(0, 5000, ROWS)).cast(pa.string())
    yield "category", pa.DictionaryArray.from_arrays(random.integers(0, 3, ROWS), ["late", "early", "on time"])
    yield "ordered", pa.array(np.arange(ROWS))
    yield "with a peak", pa.array(np.minimum(np.arange(ROWS), ROWS - np.arange(ROWS)))
    yield "nothing but nulls", pa.nulls(ROWS, pa.int32())


COLUMNS = dict(columns())


def table(*arrays: pa.Array) -> pa.Table:
    whole = pa.table(list(arrays), [str(i) for i in range(len(arrays))])
    return pa.concat_tables([whole.slice(*part) for part in SLICES])


def rows_of_all(shared: pa.Table, keys: list[Key]) -> list[int]:
    values = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column for column in shared
    ]
    order = [(str(key.column), "descending" if key.descending else "ascending") for key in keys]
    numbered = pa.table([*values, np.arange(shared.num_rows)], [*shared.column_names, "row"])
    return pc.sort_indices(numbered, [*order, ("row", "ascending")]).slice(0, MOST).to_pylist()


def first_rows(shared: pa.Table, keys: list[Key]) -> list[int]:
    return list(select_sorted(TableSource(shared), None, keys, Patience(60), MOST).rows)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_by_one_column(name: str, descending: bool) -> None:
    shared, keys = table(COLUMNS[name]), [Key(0, descending)]
    assert first_rows(shared, keys) == rows_of_all(shared, keys)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("first", ["with few values", "category", "nothing but nulls"])
@pytest.mark.parametrize("second", ["float", "text"])
def test_by_two_columns(first: str, second: str, descending: bool) -> None:
    shared, keys = table(COLUMNS[first], COLUMNS[second]), [Key(0, descending), Key(1, not descending)]
    assert first_rows(shared, keys) == rows_of_all(shared, keys)


@pytest.mark.parametrize("name", ["ordered", "with a peak"])
def test_few_rows_of_a_column_that_rises_are_sorted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its end, each slice has the first rows of all so far: the sort of 100 million rows took more than 4 s."""
    sorted_rows: list[int] = []
    sort = selection._Best._table

    def counted(self: selection._Best, rows: selection._Rows) -> pa.Table:
        sorted_rows.append(len(rows.numbers))
        return sort(self, rows)

    monkeypatch.setattr(selection._Best, "_table", counted)
    monkeypatch.setattr(selection, "_SAMPLE_ROWS", 100)
    shared, keys = table(COLUMNS[name]), [Key(0, True)]
    assert first_rows(shared, keys) == rows_of_all(shared, keys)
    assert sum(sorted_rows) < ROWS / 5


def test_a_filter_leaves_fewer_rows_than_are_wanted() -> None:
    shared = table(COLUMNS["ordered"])
    few = condition.parse('{"column": 0, "op": "<", "value": 150}', shared.schema)
    found = select_sorted(TableSource(shared), few, [Key(0, True)], Patience(60), MOST)
    assert (list(found.rows), found.matches) == (list(range(149, -1, -1)), 150)


def test_the_sample_misleads() -> None:
    """The sample of each slice has the smallest values of it, and fewer of them than rows are wanted."""
    smallest = MOST // 4 + 2
    values = np.full(ROWS, 5000)
    for first, length in ((0, 60_000), (60_000, 60_000), (120_000, 30_000)):
        inside = spread(length, _SAMPLE_ROWS).array.to_numpy()
        values[first : first + length] = np.random.default_rng(first).integers(1000, 2000, length)
        values[first + inside] = 5000
        values[first + inside[:smallest]] = range(smallest)
    shared, keys = table(pa.array(values)), [Key(0, False)]
    assert first_rows(shared, keys) == rows_of_all(shared, keys)
