"""What people do with a table, in each library: the same for what was attached and for the library's own conversion.

Each takes a table with the columns "id", 0 to 5, and "x", and gives values that :func:`plain` makes comparable.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from plainly import plain
from pyarrow import csv

Operation = Callable[[Any], Any]


def rows(values: Any) -> list[Any]:
    """Rows in an order of their own."""
    return sorted((plain(value) for value in values), key=repr)


# -- pyarrow -----------------------------------------------------------------------------------------------------------


def listed(column: Any) -> list[Any]:
    return [plain(value) for value in column.to_pylist()]


def records(table: pa.Table) -> list[Any]:
    return [[plain(value) for value in row] for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


OTHER = pa.table({"id": [1, 3, 9], "other": ["p", "q", "r"]})


def _parquet(table: pa.Table) -> Any:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return records(pq.read_table(sink))


def _csv(table: pa.Table) -> Any:
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    return len(sink.getvalue().splitlines())


PYARROW: dict[str, Operation] = {
    "values": records,
    "filter": lambda t: records(t.filter(pc.field("id") > 1)),
    "mask": lambda t: records(t.filter(pa.array([True, False, True, False, None, True]))),
    "take": lambda t: records(t.take([3, 0, 2])),
    "sort": lambda t: records(t.sort_by([("id", "descending")])),
    "sort by it": lambda t: listed(t.sort_by("x")["x"]),
    "join": lambda t: rows(records(t.join(OTHER, "id"))),
    "join on it": lambda t: rows(records(t.join(t.select(["x"]), "x"))),
    "group": lambda t: rows(records(t.group_by("id").aggregate([("x", "count")]))),
    "group by it": lambda t: rows(records(t.group_by("x").aggregate([("id", "sum")]))),
    "csv": _csv,
    "parquet": _parquet,
    "concat": lambda t: records(pa.concat_tables([t.slice(2), t.slice(0, 2)]).combine_chunks()),
    "drop nulls": lambda t: records(t.drop_null()),
    "is null": lambda t: listed(pc.is_null(t["x"])),
    "equal": lambda t: listed(pc.equal(t["x"], t["x"])),
    "unique": lambda t: rows(pc.unique(t["x"]).to_pylist()),
    "count": lambda t: pc.count(t["x"]).as_py(),
    "min and max": lambda t: plain(pc.min_max(t["x"]).as_py()),
    "sum": lambda t: plain(pc.sum(t["x"]).as_py()),
    "if else": lambda t: listed(pc.if_else(pc.greater(t["id"], 2), t["x"], t["x"])),
    "fill": lambda t: listed(pc.coalesce(t["x"], t["x"])),
    "to pandas": lambda t: [plain(value) for value in t.to_pandas()["x"]],
}  # fmt: skip

# -- pandas ------------------------------------------------------------------------------------------------------------


def series(column: Any) -> list[Any]:
    return [plain(value) for value in column]


PANDAS: dict[str, Operation] = {
    "values": lambda f: series(f["x"]),
    "others": lambda f: [str(f["id"].dtype), str(f["y"].dtype), str(f["z"].dtype)],
    "print": lambda f: bool(repr(f) and f.to_string() and f._repr_html_()),
    "filter": lambda f: series(f[f["id"] > 1]["x"]),
    "sort": lambda f: series(f.sort_values("id", ascending=False)["x"]),
    "sort by it": lambda f: series(f.sort_values("x", kind="stable")["x"]),
    "group": lambda f: plain(f.groupby("id")["x"].count().to_dict()),
    "group by it": lambda f: rows(f.groupby("x", observed=True)["id"].sum().items()),
    "merge": lambda f: series(f.merge(OTHER.to_pandas(), on="id")["x"]),
    "merge on it": lambda f: len(f.merge(f[["x"]].drop_duplicates(), on="x")),
    "concat": lambda f: series(pd.concat([f, f])["x"]),
    "describe": lambda f: plain(f.describe(include="all")["x"].get("count")),
    "missing": lambda f: series(f["x"].isna()),
    "drop missing": lambda f: series(f.dropna()["x"]),
    "unique": lambda f: rows(f["x"].unique()),
    "count values": lambda f: rows(f["x"].value_counts().items()),
    "csv": lambda f: len(f.to_csv().splitlines()),
    "json": lambda f: bool(f.to_json()),
    "parquet": lambda f: len(f.to_parquet()) > 0,
    "take": lambda f: series(f.iloc[[3, 0]]["x"]),
    "index": lambda f: series(f.set_index("x")["id"]),
    "map": lambda f: [bool(value) for value in f["x"].map(lambda value: isinstance(value, bool) and value)],
    "copy": lambda f: series(f.copy()["x"]),
    "max": lambda f: plain(f["x"].max()),
    "sum": lambda f: plain(f["x"].sum()),
    "equal": lambda f: [value is True or value is np.True_ for value in f["x"] == f["x"]],
}

# -- polars ------------------------------------------------------------------------------------------------------------

POLARS: dict[str, Operation] = {
    "values": lambda f: plain(f["x"].to_list()),
    "print": lambda f: bool(repr(f) and f._repr_html_()),
    "filter": lambda f: plain(f.filter(pl.col("id") > 1)["x"].to_list()),
    "sort": lambda f: plain(f.sort("id", descending=True)["x"].to_list()),
    "sort by it": lambda f: plain(f.sort("x")["x"].to_list()),
    "group": lambda f: rows(f.group_by("id").agg(pl.col("x").count()).rows()),
    "group by it": lambda f: rows(f.group_by("x").agg(pl.col("id").sum()).rows()),
    "join": lambda f: rows(f.join(pl.from_arrow(OTHER), on="id")["x"].to_list()),
    "join on it": lambda f: f.join(f.select("x").unique(), on="x").height,
    "concat": lambda f: plain(pl.concat([f, f])["x"].to_list()),
    "missing": lambda f: plain(f["x"].is_null().to_list()),
    "drop missing": lambda f: f.drop_nulls().height,
    "unique": lambda f: rows(f["x"].unique().to_list()),
    "csv": lambda f: len(f.write_csv().splitlines()),
    "json": lambda f: bool(f.write_json()),
    "parquet": lambda f: _polars_parquet(f),
    "lazy": lambda f: plain(f.lazy().select(pl.col("x"), pl.col("id") + 1).collect()["x"].to_list()),
    "take": lambda f: plain(f[[3, 0]]["x"].to_list()),
    "max": lambda f: plain(f["x"].max()),
    "sum": lambda f: plain(f["x"].sum()),
    "equal": lambda f: plain((f["x"] == f["x"]).to_list()),
    "describe": lambda f: plain(f.describe().row(0)[1:2]),
}


def _polars_parquet(frame: Any) -> Any:
    sink = io.BytesIO()
    frame.write_parquet(sink)
    return plain(pl.read_parquet(io.BytesIO(sink.getvalue()))["x"].to_list())


# -- DuckDB ------------------------------------------------------------------------------------------------------------


def _query(sql: str) -> Operation:
    def run(relation: Any) -> Any:
        return rows(relation.query("t", sql).fetchall())

    return run


DUCKDB: dict[str, Operation] = {
    "values": lambda r: plain([row[1] for row in r.fetchall()]),
    "print": lambda r: bool(repr(r)),
    "filter": lambda r: plain(r.filter("id > 1").order("id").project("x").fetchall()),
    "sort": lambda r: plain(r.order("id desc").project("x").fetchall()),
    "sort by it": lambda r: len(r.order("x").fetchall()),
    "group": _query("select id, count(x) from t group by id"),
    "group by it": _query("select x, sum(id) from t group by x"),
    "join": _query("select x from t join (values (1), (3)) as o(id) using (id)"),
    "join on it": _query("select count(*) from t join (select distinct x from t) u on t.x is not distinct from u.x"),
    "unique": _query("select distinct x from t"),
    "missing": _query("select id, x is null from t"),
    "text": lambda r: len(r.project("cast(x as varchar)").fetchall()),
    "limit": lambda r: plain(r.limit(2).fetchall()),
    "union": lambda r: len(r.union(r).fetchall()),
    "min and max": _query("select min(x), max(x) from t"),
    "arrow": lambda r: r.to_arrow_table().num_rows,
    "table": lambda r: _duckdb_table(r),
    "again": lambda r: [plain(duckdb.sql("select 42").fetchall()), plain(r.count("*").fetchall())],
}  # fmt: skip


def _duckdb_table(relation: Any) -> Any:
    relation.create("made")
    try:
        return rows(duckdb.sql("select x from made").fetchall())
    finally:
        duckdb.sql("drop table made")


# -- NumPy -------------------------------------------------------------------------------------------------------------


def _known(array: Any) -> Any:
    return array.compressed() if isinstance(array, np.ma.MaskedArray) else array


def _entries(array: Any) -> list[Any]:
    return [plain(value) for value in (array.tolist() if isinstance(array, np.ma.MaskedArray) else array)]


NUMPY: dict[str, Operation] = {
    "values": lambda d: _entries(d["x"]),
    "filter": lambda d: _entries(d["x"][d["id"] > 1]),
    "take": lambda d: _entries(d["x"][[3, 0]]),
    "reverse": lambda d: _entries(d["x"][::-1]),
    "sort by it": lambda d: [value for value in _entries(np.sort(_known(d["x"]))) if value is not None],
    "sort": lambda d: _entries(d["x"][np.argsort(-d["id"])]),
    "unique": lambda d: [value for value in rows(np.unique(_known(d["x"]))) if value is not None],
    "concat": lambda d: _entries((np.ma if isinstance(d["x"], np.ma.MaskedArray) else np).concatenate([d["x"]] * 2)),
    "sum": lambda d: plain(np.nansum(_known(d["x"]))),
    "max": lambda d: plain(np.nanmax(_known(d["x"]))),
    "print": lambda d: bool(repr(d["x"])),
    "copy": lambda d: _entries(d["x"].copy()),
    "repeat": lambda d: len(np.repeat(d["x"], 2, axis=0)),
    "where": lambda d: _entries(d["x"][np.where(d["id"] > 2)]),
    "save": lambda d: np.save(io.BytesIO(), np.asarray(d["x"])),
}

OPERATIONS: dict[str, dict[str, Operation]] = {
    "pyarrow": PYARROW,
    "pandas": PANDAS,
    "polars": POLARS,
    "duckdb": DUCKDB,
    "numpy": NUMPY,
}
