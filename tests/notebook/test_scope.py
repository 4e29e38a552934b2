"""The magics in functions, loops and comprehensions: they see the variables that the code around them sees."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from notebooks import Notebook

import jupyter_arrowshm as shm

TABLE = """\
import pyarrow as pa
df = pa.table({'a': [0]})  # the global one
right = pa.table({'a': [7]})
"""
CELLS = """
def f():
    df = right
    %share df as made
f()

def f(df):
    n = 0
    %share df.slice(n) as made
f(right)

class A:
    def __init__(self):
        self.df = right
    def f(self):
        for _ in range(2):
            %share self.df as made
A().f()

def f(df):
    def g():
        %share df as made
    g()
f(right)

def f(df):
    [get_ipython().run_line_magic('share', 'df as made') for _ in [1]]
f(right)

def f(df):
    list(get_ipython().run_line_magic('share', 'df as {n}') for n in ['made'])
f(right)

[get_ipython().run_line_magic('share', 'df as {n}') for df, n in [(right, 'made')]]

(lambda df: get_ipython().run_line_magic('share', 'df as made'))(right)

def f(df, keep):
    %share df.filter([one in keep for one in df['a'].to_pylist()]) as made
f(pa.table({'a': [6, 7]}), {7})

async def f():
    df = right
    %share df as made
await f()

def f(df):
    yield
    %share df as made
list(f(right))

from concurrent.futures import ThreadPoolExecutor
def f(df):
    %share df as made
with ThreadPoolExecutor() as pool:
    pool.submit(f, right).result()

class A:
    df = right
    %share df as made
"""


@pytest.mark.parametrize("cell", CELLS.strip().split("\n\n"))
def test_share_takes_the_local_variable(model: Notebook, store: shm.Store, cell: str) -> None:
    model.ok(TABLE + cell)
    assert store.attach("made")["a"].to_pylist() == [7]


def test_share_still_sees_what_is_global(model: Notebook, store: shm.Store) -> None:
    model.ok(TABLE + "def f():\n    n = 0\n    %share df.slice(n) as made\nf()")
    assert store.attach("made")["a"].to_pylist() == [0]


def test_time_and_capture_are_cells(model: Notebook, report: Notebook, store: shm.Store) -> None:
    model.ok(f"%%time\n{TABLE}%share df")
    report.ok("%%capture\n%attach df")
    report.ok("%time %attach df as other")
    assert report.get("df.num_rows, other.num_rows") == "(1, 1)"


@pytest.mark.parametrize(
    ("line", "gives"),
    [
        ("%attach df", "(pa.Table, 3)"),
        ("%attach df --to pandas --columns a,b", "(pd.DataFrame, 3)"),
        ("%attach other-1 as df --wait 5 --copy", "(pa.Table, 2)"),
        ("%attach other-1 as df --follow", "(pa.Table, 2)"),
    ],
)
def test_attach_in_a_function_says_what_to_write_instead(
    report: Notebook, store: shm.Store, line: str, gives: str
) -> None:
    store.share(pa.table({"a": [1, 2, 3], "b": [1, 2, 3]}), "df")
    store.share(pa.table({"a": [1, 2]}), "other-1")
    report.ok("import pyarrow as pa, pandas as pd\ndf = 'the global one'")
    said = report.error(
        f"def f():\n    df = 'the local one'\n    try:\n        {line}\n    finally:\n        print(df)\nf()"
    )
    prefix = "%attach makes variables of the notebook, and this is a function; write here: "
    assert said.startswith(prefix) and report.get("df") == "'the global one'"
    code = said.removeprefix(prefix)
    report.ok(f"def f():\n    df = 'the local one'\n    {code}\n    return type(df), len(df)")
    assert report.get(f"f() == {gives}") == "True"
    assert report.get("df") == "'the global one'"


def test_the_import_is_left_out_where_it_is_there(report: Notebook, store: shm.Store) -> None:
    store.share(pa.table({"a": [1]}), "df")
    said = report.error("import jupyter_arrowshm as shm\ndef f():\n    %attach df\nf()")
    assert said.endswith('write here: df = shm.attach("df", to="source")')


def test_attach_in_a_comprehension_of_a_cell_makes_variables(report: Notebook, store: shm.Store) -> None:
    for number in range(3):
        store.share(pa.table({"a": [number]}), f"t{number}")
    report.ok("[get_ipython().run_line_magic('attach', f't{number} as u{{number}}') for number in range(3)]")
    assert report.get("u0['a'][0].as_py(), u2['a'][0].as_py()") == "(0, 2)"


def test_move_in_a_function_says_what_to_write_instead(model: Notebook, store: shm.Store) -> None:
    said = model.error(f"{TABLE}def f(df):\n    %share df as made --move\nf(df.slice(0))")
    found = re.fullmatch(r"--move cannot change a variable of a function: (%share .*), then (.*)", said)
    assert found and not store.names()
    model.ok(f"def f(df):\n    {found[1]}\n    {found[2]}\n    return df.num_rows\nrows = f(df.slice(0))")
    assert model.get("rows") == "1" and store.names() == ["made"]


def test_the_others_in_a_function(model: Notebook, store: shm.Store) -> None:
    model.ok(f"{TABLE}%share df as made\n%attach made")
    model.ok("def f(name):\n    %shared {name}\n    %detach {name}\n    %unshare {name}\nf('made')")
    assert not store.names()
