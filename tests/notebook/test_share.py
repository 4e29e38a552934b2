"""``%share``: expressions, names, options, and its messages when it fails."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from notebooks import Desk, Notebook

import jupyter_arrowshm as shm

TABLE = "import pyarrow as pa\nt = pa.table({'a': [1, 2, 3], 'b': [0.5, 1.5, 2.5]})"


def test_a_variable_under_its_name(model: Notebook, report: Notebook) -> None:
    ran = model.run(f"{TABLE}\n%share t")
    headline, took, *code = ran.displays[0]["text/plain"].splitlines()
    assert headline.startswith("t: 3 rows x 2 columns, ") and headline.endswith("in use by 1: model.ipynb (python)")
    assert took.startswith("  shared in ")
    lines = [line.strip() for line in code]
    assert lines == ["Python: %attach t", "Julia: @attach t", 'R: t <- attach_table("t")']
    report.ok("%attach t")
    assert report.get("t.to_pydict()") == "{'a': [1, 2, 3], 'b': [0.5, 1.5, 2.5]}"


def test_the_mimebundle(model: Notebook) -> None:
    (shown,) = model.run(f"{TABLE}\n%share t").displays
    facts = shown["application/vnd.jupyter-arrowshm+json"]
    assert (facts["name"], facts["num_rows"], facts["num_columns"]) == ("t", 3, 2)
    assert facts["in_use_by"] == ["model.ipynb (python)"]
    assert "%attach t" in shown["text/html"]


@pytest.mark.parametrize(
    ("expression", "column", "values"),
    [
        ("t.slice(1)", "a", [2, 3]),
        ("t.select( [ 'a' ] )", "a", [1, 2, 3]),
        ('pa.table({"a b": [1], "as": [2]})', "as", [2]),
        ("{'x': np.arange(3), 'y': np.ones(3)}", "x", [0, 1, 2]),
        ("pa.table({f'{name}': [1] for name in ['x', 'y']})", "y", [1]),
        ("pa.table(dict(x=['$name', '{name}', '{{name}}', f'{name}']))", "x", ["$name", "{name}", "{{name}}", "wrong"]),
        ("pa.table({'x': [' as ']})", "x", [" as "]),
        ("t if t.num_rows > 1 else None", "a", [1, 2, 3]),
        ("(lambda n: t.slice(n))(2)", "a", [3]),
    ],
)
def test_any_expression_as_it_stands(
    model: Notebook, store: shm.Store, expression: str, column: str, values: list[object]
) -> None:
    model.ok(f"import numpy as np\nname = 'wrong'\n{TABLE}\n%share {expression} as made")
    assert store.attach("made")[column].to_pylist() == values


@pytest.mark.parametrize("name", ["trips-2013", "2013", "Zürich", "a.b", "class", "it's", 'a"b$c', "{y}", "a;b"])
def test_names_that_are_no_identifiers(model: Notebook, report: Notebook, name: str) -> None:
    shown = model.ok(f"{TABLE}\n%share t as {name}")
    line = next(line for line in shown.splitlines() if "%attach" in line).partition(": ")[2]
    attached = report.ok(line)
    variable = line.partition(" as ")[2] or name
    assert report.get(f"{variable}.num_rows") == "3" and attached.startswith(f"{variable}: pyarrow.Table")
    report.ok(f"%attach {shlex.quote(name)}\n%detach {shlex.quote(name)}")  # without `as` it is the same variable


@pytest.mark.parametrize(
    ("expression", "kind", "gives"),
    [
        ("pd.Series([1, 2], name='a')", "pandas.Series", "(made.name, made.tolist()) == ('a', [1, 2])"),
        ("np.arange(3)", "NumPy array", "made.tolist() == [0, 1, 2]"),
        ("np.arange(6.0).reshape(2, 3)", "NumPy array, 2 rows x 3 columns", "made.shape == (2, 3)"),
        (
            "[{'a': 1, 'b': 'x'}, {'a': 2}]",
            "pandas.DataFrame",
            "made['a'].tolist() == [1, 2] and pd.isna(made['b'][1])",
        ),
    ],
)
def test_what_people_take_for_a_table(
    model: Notebook, report: Notebook, store: shm.Store, expression: str, kind: str, gives: str
) -> None:
    model.ok(f"import numpy as np, pandas as pd\nit = {expression}\n%share it as made\n%share {expression} as other")
    assert report.ok("import pandas as pd\n%attach made").startswith(f"made: {kind}")
    assert report.get(gives) == "True"
    shown = model.ok("%share it as made --move")
    assert f"it is the shared copy now: {kind}" in shown


def test_rows_without_pandas(desk: Desk, store: shm.Store) -> None:
    bare = desk.start("bare.ipynb")
    said = bare.error("import sys\nsys.modules['pandas'] = None\nrows = [{'a': 1}, {'a': 2}]\n%share rows")
    assert said.endswith("pip install pandas") and not store.names()


def test_several_at_once(model: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\nu, v = t.slice(1), t.slice(2)\n%share t u as second v")
    assert {table.name: table.num_rows for table in store.tables()} == {"t": 3, "second": 2, "v": 1}


def test_alone_it_lists(model: Notebook) -> None:
    assert model.ok("%share") == "no shared tables"
    model.ok(f"{TABLE}\n%share t")
    assert "model.ipynb (python)" in model.ok("%share")
    both = [re.sub(r"just now|\d+ s ago", "", model.ok(line)).split() for line in ("%share", "%shared")]
    assert both[0] == both[1]


def test_pin(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\n%share t --pin")
    assert store.info("t").pinned
    assert "pinned" in report.ok("%shared t")


def test_replace_takes_a_name_over(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\n%share t")
    said = report.error(f"{TABLE}\n%share t")
    assert said.startswith("'t' was shared by model.ipynb (python) ")
    assert said.endswith(". Pick another name (%share t as t2), or take it over (--replace)")
    assert report.error("%share t.slice(2) as t").endswith("(%share t.slice(2) as t2), or take it over (--replace)")
    report.ok("%share --replace t.slice(2) as t")
    assert store.info("t").num_rows == 1 and store.info("t").publisher.notebook == "report.ipynb"


def test_a_cell_run_ten_times_leaves_one_table(model: Notebook, store: shm.Store) -> None:
    for _ in range(10):
        model.ok(f"{TABLE}\n%share t\nt")
    (table,) = store.tables()
    assert not table.older and not store.tables().removed
    for _ in range(10):
        model.ok(f"{TABLE}\n%share t --move\nt.num_rows")
    (table,) = store.tables()
    assert not table.older and not store.tables().removed


# -- --move ------------------------------------------------------------------------------------------------------------


def test_move_leaves_one_copy_in_memory(model: Notebook) -> None:
    model.ok("import numpy as np, pyarrow as pa\nt = pa.table({'x': np.arange(1 << 20)})\nimport weakref")
    model.ok("private = weakref.ref(t)")
    shown = model.ok("%share t --move")
    assert "t is the shared copy now: pyarrow.Table, 1,048,576 rows x 1 column" in shown
    assert "private copy" not in shown and model.get("private()") == "None"
    assert "t deleted" in model.ok("%detach t")


def test_move_says_what_keeps_the_private_copy(model: Notebook) -> None:
    model.ok(f"{TABLE}\nalias = t\nt")
    number = model.get("max(Out)")
    shown = model.ok("%share t --move")
    assert f"the private copy stays in memory: alias, Out[{number}] still refers to it" in shown
    assert model.get("alias is t") == "False" and model.get("alias.equals(t)") == "True"


def test_move_of_a_data_frame_gives_a_data_frame(model: Notebook) -> None:
    shown = model.ok("import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})\n%share df --move")
    assert "df is the shared copy now: pandas.DataFrame, 2 rows x 1 column" in shown
    assert model.get("type(df).__name__") == "'DataFrame'"


def test_move_needs_a_variable(model: Notebook, store: shm.Store) -> None:
    assert (
        model.error(f"{TABLE}\n%share t.slice(1) as u --move") == "--move needs a variable, and t.slice(1) is not one"
    )
    assert not store.tables()


def test_a_comment_is_one(model: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}\n%share t --pin  # it's kept\n%share t.rename_columns(['#1', '#2']) as a#b # odd names")
    assert store.names() == ["a#b", "t"] and store.info("t").pinned
    assert store.attach("a#b").column_names == ["#1", "#2"]
    model.ok("%attach a#b as u --to polars # of another kind\n%shared t # the one")
    model.ok("%detach a#b  # u\n%unshare a#b t # all")
    assert store.names() == []


# -- what is wrong is one line -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nope", "name 'nope' is not defined. Share a variable or an expression: %share EXPRESSION as NAME"),
        ("nope.head() as n", "name 'nope' is not defined. Share a variable"),
        ("t +", "'t +' is neither an expression nor a list of variables: %share EXPRESSION as NAME"),
        ("t[ as u", "'t[ as u' is neither an expression nor a list of variables"),
        ("t u.v", "neither an expression nor a list of variables"),
        ("t.slice(1)", "an expression needs a name: %share t.slice(1) as NAME"),
        ("t as", "'as' stands between a name and a variable"),
        ("t['z'] as u", "t['z'] failed: KeyError"),
        ("1/0 as u", "1/0 failed: ZeroDivisionError: division by zero"),
        ("shout() as u", "shout() failed: ValueError: one two"),
        ("number", "this int cannot be shared: it is not a table. share() takes a pyarrow Table"),
        ("t as a/b", "'a/b' cannot be a table's name: "),
        ("t as .hidden", "'.hidden' cannot be a table's name: "),
        ("t --relpace", "%share has no option --relpace; it has --replace, --move, --pin"),
        ("--pin", "share what? %share df, or %share EXPRESSION as NAME"),
    ],
)
def test_mistakes(model: Notebook, store: shm.Store, line: str, says: str) -> None:
    shout = "def shout():\n    raise ValueError('one\\ntwo')"
    assert says in model.error(f"{TABLE}\nnumber = 3\n{shout}\n%share {line}")
    assert not store.tables()


RAISING = """
import duckdb, polars as pl, pyarrow as pa
schema = pa.schema([("a", pa.int64())])
def rows(fail):
    yield pa.record_batch([[1, 2]], schema=schema)
    fail()
def gone():
    raise RuntimeError("the sensor is gone\\nand more")
def panic():
    pl.from_arrow(pa.table({"a": [1]}, schema=pa.schema([pa.field("a", pa.int64(), metadata={"k": b"\\xff"})])))
generator = lambda: pa.RecordBatchReader.from_batches(schema, rows(gone))
panicking = lambda: pa.RecordBatchReader.from_batches(schema, rows(panic))
query = lambda: duckdb.sql("select case when i = 300000 then error('bad row') else i end as a from range(400000) t(i)")
"""


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("generator()", "RuntimeError: the sensor is gone"),
        ("panicking()", "PanicException: "),
        ("query()", "bad row"),
    ],
)
def test_an_error_behind_the_source_is_one_line_and_half_a_table_is_none(
    model: Notebook, store: shm.Store, source: str, says: str
) -> None:
    store.share({"a": [7]}, "kept")
    for name, options in (("new", ""), ("kept", " --replace")):
        said = model.error(f"{RAISING}\n%share {source} as {name}{options}")
        assert said.startswith(f"{name!r} was not shared: reading its rows failed: ") and says in said
        assert "\n" not in said and "and more" not in said
    assert store.names() == ["kept"] and store.attach("kept")["a"].to_pylist() == [7]


def test_a_column_that_arrow_cannot_carry(model: Notebook) -> None:
    said = model.error("import pandas as pd\ndf = pd.DataFrame({'x': [object()]})\n%share df")
    assert "column 'x' of this" in said and "cannot be shared" in said


def test_the_ones_before_a_mistake_are_shared(model: Notebook, store: shm.Store) -> None:
    ran = model.run(f"{TABLE}\nnumber = 3\n%share t number")
    assert "cannot be shared" in ran.error and ran.displays[0]["text/plain"].startswith("t: ")
    assert store.names() == ["t"]


def test_a_bug_of_ours_shows_its_traceback(desk: Desk, store: shm.Store) -> None:
    notebook = desk.start("spoilt.ipynb")
    notebook.ok(f"{TABLE}\nimport jupyter_arrowshm.tabular as tabular\ntabular.to_arrow = lambda source: source.oops")
    ran = notebook.run("%share t")
    assert ran.status == "error" and "AttributeError" in ran.traceback[-1] and len(ran.traceback) > 2
    assert not store.tables()


_ON_A_SMALL_TMPFS = """
import subprocess, sys
from pathlib import Path
from notebooks import Notebook
place = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", place], check=True)
notebook = Notebook("small.ipynb", place, JUPYTER_ARROWSHM_DIR=str(place / "store"))
try:
    notebook.ok("import numpy as np\\nsmall, big = {'x': np.zeros(1 << 17)}, {'x': np.zeros(1 << 22)}\\n%share small")
    print(notebook.error("%share big"))
    print(notebook.ok("%shared"))
finally:
    notebook.stop()
"""


@needs_mount_namespace
def test_no_room(desk: Desk) -> None:
    place = desk.parent / "small"
    place.mkdir()
    command = [*MOUNT_NAMESPACE, sys.executable, "-c", _ON_A_SMALL_TMPFS, str(place)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not done.returncode, done.stderr
    error, *listed = done.stdout.splitlines()
    assert error.startswith("this table needs 33.6 MB, but only ") and "jupyter_arrowshm" not in error
    assert len(listed) == 2 and listed[1].startswith("small ")
