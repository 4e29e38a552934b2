"""Runs the cells of some origins, each in a process of its own, and prints for each a line of JSON.

    PYTHONPATH=tests python tests/matrix/child.py DIRECTORY LIBRARY TYPE...

A fork of a process that has done nothing yet but import: a start of Python for each would take minutes, and a library
that has threads is not forked.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from operations import OPERATIONS
from origins import origins
from plainly import plain

import jupyter_arrowshm as shm


def _arrays(table: pa.Table) -> dict[str, Any]:
    """By pyarrow's means; of dictionaries it makes the first value where one is missing, so they are cast before."""
    plain_table = table.cast(
        pa.schema([f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in table.schema])
    )
    return {name: column.to_numpy() for name, column in zip(table.column_names, plain_table.columns, strict=True)}


# How a user gets from one library to another without us.
OWN: dict[tuple[str, str], Any] = {
    ("pyarrow", "pyarrow"): lambda t: t,
    ("pyarrow", "pandas"): lambda t: t.to_pandas(),
    ("pyarrow", "polars"): pl.from_arrow,
    ("pyarrow", "duckdb"): duckdb.from_arrow,
    ("pyarrow", "numpy"): _arrays,
    ("polars", "pyarrow"): lambda f: f.to_arrow(),
    ("polars", "pandas"): lambda f: f.to_pandas(),
    ("polars", "polars"): lambda f: f,
    ("polars", "duckdb"): lambda f: duckdb.from_arrow(f.to_arrow()),
    ("polars", "numpy"): lambda f: _arrays(f.to_arrow()),
    ("pandas", "pyarrow"): pa.Table.from_pandas,
    ("pandas", "pandas"): lambda f: f,
    ("pandas", "polars"): pl.from_pandas,
    ("pandas", "duckdb"): duckdb.from_df,
    ("pandas", "numpy"): lambda f: _arrays(pa.Table.from_pandas(f)),
    ("duckdb", "pyarrow"): lambda r: r.to_arrow_table(),
    ("duckdb", "pandas"): lambda r: r.df(),
    ("duckdb", "polars"): lambda r: r.pl(),
    ("duckdb", "duckdb"): lambda r: r,
    ("duckdb", "numpy"): lambda r: _arrays(r.to_arrow_table()),
    ("numpy", "pyarrow"): pa.table,
    ("numpy", "pandas"): pd.DataFrame,
    ("numpy", "polars"): pl.DataFrame,
    ("numpy", "duckdb"): lambda d: duckdb.from_df(pd.DataFrame(d)),
    ("numpy", "numpy"): lambda d: d,
}


def outcome(call: Any, *arguments: Any) -> tuple[Any, str]:
    """What a call gives, or what it raises (a panic of polars is a BaseException)."""
    try:
        return call(*arguments), ""
    except BaseException as error:
        return None, f"{type(error).__name__}: {error}".partition("\n")[0][:200]


def cells(store: shm.Store, library: str, type_: str) -> dict[str, str]:
    """By target and operation: "" where it is as with the library's own conversion, else how it is not."""
    found: dict[str, str] = {}
    make, like = origins()[library][type_]
    store.share(make(), "t")
    for target, operations in OPERATIONS.items():
        source = like() if target != library else make()
        own, own_error = outcome(OWN[library, target], source)
        ours, our_error = outcome(lambda target=target: store.attach("t", to=target))
        if our_error:
            found[f"{target}: attach"] = "" if own_error and our_error.startswith("UnsupportedTarget") else our_error
            continue
        for name, operation in operations.items():
            expected, error = (None, own_error) if own_error else outcome(operation, own)
            value, failure = outcome(operation, ours)
            if error:  # ours may fail or not, as long as the process lives
                verdict = ""
            elif failure:
                verdict = failure
            else:
                verdict = "" if plain(value) == plain(expected) else f"{plain(value)} is not {plain(expected)}"[:400]
            found[f"{target}: {name}"] = verdict
    return found


def main(directory: str, library: str, names: list[str]) -> None:
    warnings.simplefilter("ignore")  # of the other libraries, about what is tried on purpose
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # polars says at length where it panicked
    for name in names:
        store = shm.Store(f"{directory}/{os.urandom(4).hex()}")
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            found, error = outcome(cells, store, library, name)
            os.write(writing, json.dumps(found if not error else {"share": error}).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            text = answer.read()
        _, status = os.waitpid(child, 0)
        result = json.loads(text) if not status else {"all": f"the process ended with {status}"}
        print(json.dumps({"name": name, "cells": result}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
