"""``%attach``: kinds, options, --wait, --follow, and its messages when it fails."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa
import pytest
from notebooks import Desk, Notebook

import jupyter_arrowshm as shm
from jupyter_arrowshm.kinds import KINDS

TABLE = pa.table({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c d": ["x", None, "z"]})


@pytest.fixture
def shared(store: shm.Store) -> shm.Store:
    store.share(TABLE, "t")
    return store


@pytest.mark.parametrize(
    ("kind", "becomes", "length"),
    [
        ("pyarrow", "pyarrow.lib.Table", "df.num_rows"),
        ("pandas", "pandas.DataFrame", "len(df)"),
        ("polars", "polars.dataframe.frame.DataFrame", "df.height"),
        ("duckdb", "DuckDBPyRelation", "df.fetchall().__len__()"),
        ("numpy", "dict", "len(df['a'])"),
        ("source", "pyarrow.lib.Table", "df.num_rows"),
    ],
)
def test_to_each_kind(report: Notebook, shared: shm.Store, kind: str, becomes: str, length: str) -> None:
    shown = report.ok(f"%attach t as df --to {kind}")
    assert shown.startswith("df: ") and "as the variable df" in shown
    assert becomes.rpartition(".")[2] in report.get("type(df).__name__") and report.get(length) == "3"
    assert report.ok("%detach df").startswith("df: detached")


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"duckdb"}))  # which has no such tables
def test_a_table_without_columns(report: Notebook, store: shm.Store, kind: str) -> None:
    store.share(pa.table({}), "empty")
    report.ok(f"%attach empty --to {kind}")
    assert report.ok("%detach empty").startswith("empty: detached")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        ("import pandas as pd\nt = pd.DataFrame({'a': [1, 2]})", "pandas.DataFrame, 2 rows x 1 column"),
        ("import pandas as pd\nt = pd.Series([1, 2], name='a')", "pandas.Series"),
        ("import polars as pl\nt = pl.DataFrame({'a': [1, 2]})", "polars.DataFrame, 2 rows x 1 column"),
        ("import numpy as np\nt = {'a': np.arange(2)}", "dict of NumPy arrays"),
        ("import duckdb\nt = duckdb.sql('select 1 as a')", "DuckDB relation"),
        ("import pyarrow as pa\nt = pa.table({'a': [1, 2]})", "pyarrow.Table, 2 rows x 1 column"),
    ],
)
def test_the_kind_that_was_shared(model: Notebook, report: Notebook, make: str, kind: str) -> None:
    model.ok(f"{make}\n%share t")
    assert report.ok("%attach t").startswith(f"t: {kind}")


def test_a_kind_that_is_not_installed_here(model: Notebook, desk: Desk) -> None:
    model.ok("import polars as pl\nt = pl.DataFrame({'a': [1, 2]})\n%share t")
    bare = desk.start("bare.ipynb")
    bare.ok("import sys\nsys.modules['polars'] = None")
    shown = bare.ok("%attach t")
    assert shown.startswith("t: pyarrow.Table") and "polars is not installed here, so this is a pyarrow.Table" in shown
    assert bare.error("%attach t --to polars").endswith("pip install polars")


def test_the_default_kind_is_a_setting(desk: Desk, shared: shm.Store) -> None:
    report = desk.start("report.ipynb")
    report.ok("%config ArrowSHMMagics.attach_to = 'pandas'")
    assert report.ok("%attach t").startswith("t: pandas.DataFrame")
    assert report.ok("%attach t --to pyarrow").startswith("t: pyarrow.Table")


def test_what_was_copied(report: Notebook, shared: shm.Store) -> None:
    assert "nothing copied" in report.ok("%attach t")
    shown = report.ok("%attach t --columns a,b --to pandas")
    assert "nothing copied" in shown and "read-only where it is shared; to write into it: %attach t --copy" in shown
    assert "copied (c d); the rest is the shared memory itself" in report.ok("%attach t --to numpy")


def test_columns(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t --columns b,a")
    assert report.get("t.column_names") == "['b', 'a']"
    report.ok('%attach t --columns "c d" --to pandas')
    assert report.get("list(t)") == "['c d']"


def test_copy_is_writable_and_keeps_nothing(report: Notebook, shared: shm.Store) -> None:
    shown = report.ok("%attach t --copy --to pandas\nt.loc[0, 'a'] = 7")
    assert "a private copy: you can write into it, and it keeps nothing attached" in shown
    assert report.get("t['a'].tolist()") == "[7, 2, 3]"
    assert shared.attach("t")["a"].to_pylist() == [1, 2, 3]
    assert [user.notebook for user in shared.info("t").holders] == [""]  # this process, which shared it


def test_several_at_once_and_options_anywhere(report: Notebook, shared: shm.Store) -> None:
    shared.share(TABLE.slice(1), "second")
    report.ok("%attach --to pandas t as first second")
    assert report.get("len(first), len(second)") == "(3, 2)"
    report.ok("%attach t --to pandas second")
    assert report.get("len(t)") == "3"


def test_names_from_variables(report: Notebook, shared: shm.Store) -> None:
    report.ok("name = 't'\n%attach {name} as df")
    assert report.get("df.num_rows") == "3"


def test_a_magic_never_leaves_a_table_in_out(model: Notebook, report: Notebook) -> None:
    ran = model.run("import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t")
    assert ran.value is None and model.run("%shared").value is None and model.run("%share t --move").value is None
    assert report.run("%attach t").value is None and report.run("%unshare t --force").value is None
    assert model.get("Out") == "{}" and report.get("Out") == "{}"


# -- --wait ------------------------------------------------------------------------------------------------------------


def test_wait_until_another_notebook_shares_it(model: Notebook, report: Notebook) -> None:
    request = report.start("%attach late --wait 60")
    model.ok("import pyarrow as pa\nlate = pa.table({'a': [1]})\n%share late")
    ran = report.wait(request)
    assert ran.status == "ok" and ran.shown.startswith("late: pyarrow.Table")


def test_wait_gives_up(report: Notebook, shared: shm.Store) -> None:
    assert report.error("%attach late --wait 0.1") == "there is no shared table 'late'. %shared lists what is shared."


def test_wait_interrupted(report: Notebook) -> None:
    report.ok("late = 'mine'")
    request = report.start("print('waiting')\n%attach late --wait 100")
    report.until(request, "waiting")
    time.sleep(0.2)
    report.interrupt()
    assert report.wait(request).error == "interrupted: late is as it was"
    assert report.get("late") == "'mine'"


# -- --follow ----------------------------------------------------------------------------------------------------------


def test_follow(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t --follow")
    assert report.ok("t.num_rows") == "3"
    shared.share(TABLE.slice(1), "t")
    assert report.ok("t.num_rows") == "t: newer version, pyarrow.Table, 2 rows x 3 columns\n\n2"
    assert report.ok("t.num_rows") == "2"
    assert not shared.info("t").older, "the older version was let go"


def test_follow_keeps_its_options(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t as df --follow --columns b --to pandas")
    shared.share(TABLE.slice(1), "t")
    assert report.ok("list(df), len(df)").endswith("(['b'], 2)")
    shared.share(TABLE.select(["a"]), "t")
    assert "df keeps its version: no column 'b' in 't'" in report.ok("list(df), len(df)")
    assert report.get("list(df), len(df)") == "(['b'], 2)"


@pytest.mark.parametrize("change", ["t = 'mine'", "del t", "t = t.slice(1)"])
def test_follow_ends_when_the_user_rebinds(report: Notebook, shared: shm.Store, change: str) -> None:
    report.ok("%attach t --follow")
    report.ok(change)
    shared.share(TABLE.slice(2), "t")
    assert "newer version" not in report.ok("t = globals().get('t')\nprint(repr(t)[:6])")
    assert report.get("getattr(t, 'num_rows', 0)") in ("0", "2")


def test_follow_after_unshare_keeps_the_last(report: Notebook, shared: shm.Store) -> None:
    report.ok("%attach t --follow")
    shared.unshare("t")
    assert report.ok("t.num_rows") == "t is shared no longer; t keeps the last version\n\n3"
    assert report.ok("t.num_rows") == "3"


# -- what is wrong is one line -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "attach what? t"),
        ("T", "there is no shared table 'T'. Did you mean 't'?"),
        ("tt", "there is no shared table 'tt'."),
        ("nothing_like_it", "there is no shared table 'nothing_like_it'. %shared lists what is shared."),
        ("a/b", "a/b cannot be loaded: there is no such file or directory."),
        ("t --to panda", "--to panda: there is no such kind, only pyarrow, pandas, polars, duckdb, numpy, "),
        ("t --frob", "%attach has no option --frob; it has --to, --columns, --where, --copy"),
        ("t --co", "%attach has no option --co; it has"),
        ("--copy", "attach what? t"),
        ("t --wait soon", "--wait takes seconds, and 'soon' is not a number"),
        ("t --columns", "--columns needs a value: %attach NAME --columns a,b"),
        ("t --columns A", "no column 'A' in 't'. "),
        ("t --columns zzz", "no column 'zzz' in 't'. It has a, b, c d."),
        ("t as", "'as' stands between a name and a variable"),
        ("t as 2x", "'2x' cannot be a variable: %attach t as _2x"),
        ("t as class", "'class' cannot be a variable: %attach t as class_"),
        ("t 'x", "No closing quotation"),
    ],
)
def test_mistakes(report: Notebook, shared: shm.Store, line: str, says: str) -> None:
    report.ok("before = set(globals()) | {'before'}")
    assert says in report.error(f"%attach {line}")
    assert report.get("{name for name in set(globals()) - before if name[0] != '_'}") == "set()"


def test_a_damaged_table_is_one_line(report: Notebook, shared: shm.Store, directory: Path) -> None:
    (directory / "bad.arrow").write_bytes(b"ARROW1\0\0" + bytes(100))
    assert report.error("%attach bad").startswith("'bad' cannot be read: ")
