"""The limits of an attached frame are stated where people look, once."""

from __future__ import annotations

import re

import pytest
from notebooks import Desk, Notebook

import jupyter_arrowshm as shm

FRAME = "import pandas as pd, numpy as np\ndf = pd.DataFrame({'x': [3, 1, 2], 'y': [1.5, np.nan, 2.5]})"
FAILS = [
    "df.loc[0, 'x'] = 1",
    "df.iloc[0, 0] = 1",
    "df.fillna(0, inplace=True)",
    "def f(frame):\n    frame.loc[0, 'x'] = 1\nf(df)",
]


@pytest.fixture
def reader(desk: Desk, model: Notebook, store: shm.Store) -> Notebook:
    model.ok(f"{FRAME}\n%share df")
    return desk.start("reader.ipynb")


@pytest.mark.parametrize("cell", FAILS)
def test_below_the_error_stands_what_to_do(model: Notebook, report: Notebook, store: shm.Store, cell: str) -> None:
    model.ok(f"{FRAME}\n%share df as other_df-1")
    report.ok("import numpy as np\n%attach other_df-1 as df")
    ran = report.run(cell)
    assert ran.status == "error" and "read-only" in ran.traceback[-1], "pandas' own error stays"
    said = "df is shared and read-only; a copy that you can write into: "
    assert ran.text.startswith(said)
    report.ok(ran.text.strip().removeprefix(said))
    report.ok(cell)
    assert report.run("df['x'].nothing()").text == ""


@pytest.mark.parametrize(
    "cell",
    [
        "df['x'].to_numpy()[0] = 1",
        "np.add(df['x'].to_numpy(), 1, out=df['x'].to_numpy())",
        "memoryview(df['x'].to_numpy())[0] = 1",
    ],
)
def test_also_where_numpy_refuses(model: Notebook, report: Notebook, store: shm.Store, cell: str) -> None:
    """Since pandas 3 its arrays are read-only even in the user's own frame, so the copy is not tried here."""
    model.ok(f"{FRAME}\n%share df")
    report.ok("import numpy as np\n%attach df")
    assert report.run(cell).text.startswith("df is shared and read-only; ")


def test_once_for_each_variable(reader: Notebook) -> None:
    reader.ok("%attach df\n%attach df as other")
    assert "df is shared" in reader.run("df.loc[0, 'x'] = 1").text
    assert reader.run("df.loc[0, 'x'] = 1").text == ""
    assert reader.run("other.loc[0, 'x'] = 1").text.startswith("other is shared and read-only; ")


@pytest.mark.parametrize(
    "cell",
    [
        "own = np.arange(3)\nown.flags.writeable = False\nown[0] = 1",
        "raise ValueError('something else')",
        "df['x'] = 1",
        "memoryview(b'abc')[0] = 1",
    ],
)
def test_of_what_is_not_attached_nothing_is_said(
    model: Notebook, report: Notebook, store: shm.Store, cell: str
) -> None:
    model.ok(f"{FRAME}\n%share df")
    report.ok("import numpy as np\n%attach df")
    assert report.run(cell).text == ""


def test_attach_explains_once_and_what_it_says_is_true(reader: Notebook) -> None:
    reader.ok("import pandas as pd, numpy as np")
    first, second = reader.ok("%attach df"), reader.ok("%attach df as again")
    (line,) = [line.strip() for line in first.splitlines() if "makes a column of your own" in line]
    assert "makes a column" not in second and "read-only where it is shared" in second
    works, fails = line.split("; ", 1)
    reader.ok(works.partition(" makes")[0].replace("...", "df['x'] * 2"))
    reader.ok("%attach df")
    for code in re.findall(r"df\.\w+.*?(?:= \.\.\.|\))(?=,| and)", fails):
        assert "read-only" in reader.run(code.replace("...", "1")).traceback[-1], code


def test_move_says_that_the_variable_is_read_only_now(model: Notebook, store: shm.Store) -> None:
    shown = model.ok(f"{FRAME}\n%share df --move")
    assert "read-only where it is shared; to write into it: %attach df --copy" in shown
    assert "read-only" in model.run("df.loc[0, 'x'] = 1").traceback[-1]
    assert "read-only" not in model.ok("import pyarrow as pa\nt = pa.table({'a': [1]})\n%share t --move")


def test_the_time_of_attaching_is_ours(desk: Desk, model: Notebook, store: shm.Store) -> None:
    """In a new kernel the import of pandas is reported separately."""
    model.ok(f"{FRAME}\n%share df\n%share {{'x': df['x'].to_numpy()}} as arrays")
    new = desk.start("new.ipynb")
    shown = new.ok("import time\nbegun = time.perf_counter()\n%attach df\nwhole = time.perf_counter() - begun")
    found = re.search(r"attached in (.*) (ms|s), after importing (?:pyarrow and )?pandas in (.*) (ms|s)\n", shown)
    assert found, shown
    ours, libraries = (float(found[n]) / (1000 if found[n + 1] == "ms" else 1) for n in (1, 3))
    whole = float(new.get("whole"))
    assert ours < libraries and ours + libraries <= whole * 1.01
    assert re.search(r"attached in [\d.]+ (ms|s)\n", new.ok("%attach df"))
