"""A pandas user's session, word for word: some things work, others fail and say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from notebooks import Desk, Notebook

CSV = "city,fare,tip\nOslo,12.5,1\nLima,9.0,2\nOslo,7.5,3\nRome,30.0,4\n"
READ = "import pandas as pd\ntrips = pd.read_csv('trips.csv')\n%share trips"


@pytest.fixture
def reader(desk: Desk, model: Notebook, report: Notebook) -> Notebook:
    """The second notebook, once the first has shared what it read."""
    folder = desk.parent / "work"
    folder.mkdir()
    Path(folder, "trips.csv").write_text(CSV)
    shown = model.ok(f"import os; os.chdir({str(folder)!r})\n{READ}")
    assert shown.startswith("trips: 4 rows x 3 columns, ") and "Python: %attach trips" in shown
    return report


def test_attach_says_what_it_gives(reader: Notebook) -> None:
    shown = reader.ok("%attach trips").splitlines()
    assert shown[0].startswith("trips: pandas.DataFrame, 4 rows x 3 columns, ") and "attached in" in shown[0]
    assert shown[-1].strip() == "read-only where it is shared; to write into it: %attach trips --copy"


@pytest.mark.parametrize(
    ("cell", "gives"),
    [
        ("trips.head(2)['city'].tolist()", "['Oslo', 'Lima']"),
        ("trips.groupby('city')['fare'].sum().to_dict()", "{'Lima': 9.0, 'Oslo': 20.0, 'Rome': 30.0}"),
        ("trips['fare'].mean()", "14.75"),
        ("trips[trips['fare'] > 10]['tip'].tolist()", "[1, 4]"),
        ("trips.sort_values('fare')['tip'].tolist()", "[3, 2, 1, 4]"),
        ("trips.merge(trips, on='city').shape", "(6, 5)"),
        ("trips.describe().loc['max', 'tip']", "4.0"),
        ("trips.set_index('city').loc['Lima', 'fare']", "9.0"),
    ],
)
def test_reading(reader: Notebook, cell: str, gives: str) -> None:
    reader.ok("%attach trips")
    ran = reader.run(f"float({cell})" if gives.replace(".", "").isdigit() else cell)
    assert ran.status == "ok" and ran.value is not None and ran.value["text/plain"] == gives
    assert reader.run("trips.head()").value["text/html"].count("<tr") >= 5  # type: ignore[index]


@pytest.mark.parametrize(
    ("cell", "gives"),
    [
        ("trips['total'] = trips['fare'] + trips['tip']", "trips['total'].tolist() == [13.5, 11.0, 10.5, 34.0]"),
        ("trips['fare'] = trips['fare'] * 2", "trips['fare'].tolist() == [25.0, 18.0, 15.0, 60.0]"),
        ("trips = trips.assign(tip=0)", "trips['tip'].tolist() == [0, 0, 0, 0]"),
        ("trips = trips.drop(columns='tip')", "list(trips) == ['city', 'fare']"),
        ("trips.rename(columns={'tip': 'extra'}, inplace=True)", "list(trips)[-1] == 'extra'"),
        ("trips.sort_values('fare', inplace=True)", "trips['tip'].tolist() == [3, 2, 1, 4]"),
        ("part = trips[trips['tip'] > 1].copy(); part['fare'] = 0.0", "part['fare'].tolist() == [0.0, 0.0, 0.0]"),
    ],
)
def test_assignment_to_a_column_changes_this_notebook_alone(
    model: Notebook, reader: Notebook, cell: str, gives: str
) -> None:
    reader.ok("%attach trips")
    reader.ok(cell)
    assert reader.get(gives) == "True"
    assert model.get("trips.to_csv(index=False)") == repr(CSV)
    assert reader.ok("%attach trips as again\nagain.to_csv(index=False) == " + repr(CSV)).endswith("True")


@pytest.mark.parametrize(
    "cell", ["trips.loc[0, 'fare'] = 1.0", "trips['fare'].values[0] = 1.0", "trips.iloc[0, 1] = 1"]
)
def test_writing_into_the_table_never_reaches_another_notebook(model: Notebook, reader: Notebook, cell: str) -> None:
    """It is an error or a copy, as pandas decides; the other notebook's data stays as it is."""
    reader.ok("%attach trips")
    ran = reader.run(cell)
    assert ran.status == "ok" or "read-only" in ran.traceback[-1]
    assert model.get("trips.to_csv(index=False)") == repr(CSV)
    assert reader.ok("%attach trips as again\nagain.to_csv(index=False) == " + repr(CSV)).endswith("True")


def test_writing_into_an_array_fails_and_copy_works(reader: Notebook) -> None:
    assert "%attach trips --copy" in reader.ok("%attach trips")
    ran = reader.run("trips['fare'].to_numpy()[0] = 1.0")
    assert ran.status == "error" and "ValueError" in ran.traceback[-1] and "read-only" in ran.traceback[-1]
    assert "a private copy: you can write into it" in reader.ok("%attach trips --copy")
    reader.ok("trips.loc[0, 'fare'] = 1.0\ntrips.iloc[1, 1] = 2.0\ntrips.sort_values('fare', inplace=True)")
    assert reader.get("trips['fare'].tolist()") == "[1.0, 2.0, 7.5, 30.0]"


def test_what_was_changed_is_shared_under_another_name_or_taken_over(model: Notebook, reader: Notebook) -> None:
    reader.ok("%attach trips\ntrips = trips.assign(total=trips['fare'] + trips['tip'])")
    said = reader.error("%share trips")
    assert said.startswith("'trips' was shared by model.ipynb (python) just now. Pick another name")
    reader.ok("%share trips as totals")
    model.ok("%attach totals")
    assert model.get("totals['total'].tolist()") == "[13.5, 11.0, 10.5, 34.0]"


def test_the_end(model: Notebook, reader: Notebook) -> None:
    reader.ok("%attach trips\ntrips.head()\ntrips.groupby('city').sum()\ntrips")
    model.ok("%unshare trips")
    assert reader.get("trips.shape") == "(4, 3)"
    assert reader.ok("%detach trips").startswith("trips: detached")
    assert model.ok("%shared") == "no shared tables"
