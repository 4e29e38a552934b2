"""IPython in a terminal, where the magics differ from those in a notebook: lists instead of widgets, no page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


def session(tmp_path: Path, *cells: str) -> str:
    """The output of IPython when a person types these cells."""
    typed = "\n".join(
        f"{cell}\n" if "\n" in cell else cell for cell in ("%load_ext jupyter_arrowshm", *cells, "exit", "")
    )
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "TERM": "dumb"}
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    return done.stdout + done.stderr


def test_a_session(store: shm.Store, tmp_path: Path) -> None:
    store.share(pa.table({"a": [1, 2, 3]}), "trips")
    said = session(
        tmp_path,
        "%attach trips",
        "def f(table, n):\n    %share table.slice(n) as part_{n}",
        "f(trips, 1)",
        "for n in range(2, 4):\n    f(trips, n)",
        "%shared",
        "def g():\n    %attach part_1 as trips",
        "g()",
        "print('still', trips.num_rows)",
        "%detach trips",
        "%attach nothing_like_it",
    )
    assert {table.name: table.num_rows for table in store.tables()} == {
        "trips": 3,
        "part_1": 2,
        "part_2": 1,
        "part_3": 0,
    }
    assert "trips: pyarrow.Table, 3 rows x 1 column" in said and "Python: %attach part_1" in said
    assert "table   rows" in said and "still 3" in said and "trips: detached" in said
    assert 'write here: import jupyter_arrowshm as shm; trips = shm.attach("part_1", to="source")' in said
    assert "UsageError: there is no shared table 'nothing_like_it'." in said and "Traceback" not in said


def test_a_write_into_what_is_attached(store: shm.Store, tmp_path: Path) -> None:
    import pandas as pd

    store.share(pd.DataFrame({"x": [1, 2]}), "df")
    said = session(
        tmp_path, "%attach df", "df.loc[0, 'x'] = 7", "%attach df --copy", "df.loc[0, 'x'] = 7", "print(df['x'].sum())"
    )
    assert said.count("df is shared and read-only; a copy that you can write into: %attach df --copy") == 1
    assert said.count("assignment destination is read-only") == 1 and "9" in said
