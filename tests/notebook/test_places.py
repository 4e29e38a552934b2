"""``--to PLACE`` of ``%share`` and ``--from PLACE`` of the others: what people see, and what is told apart."""

from __future__ import annotations

import pytest
from notebooks import Notebook

from jupyter_arrowshm.elsewhere.openstores import name_of

TABLE = "import pyarrow as pa\nt = pa.table({'a': [1, 2, 3]})"


@pytest.fixture
def team(model: Notebook, report: Notebook) -> str:
    """A folder of this name, and nobody else's tables."""
    for one in (model, report):
        one.ok("import os, json; here = os.path.dirname(os.environ['JUPYTER_ARROWSHM_DIR'])")
        one.ok("os.environ['JUPYTER_ARROWSHM_PLACES'] = json.dumps({'team': here + '/team'})")
        one.ok("os.environ['JUPYTER_ARROWSHM_OPEN_PARENT'] = here")
    return "team"


@pytest.mark.usefixtures("team")
def test_a_table_of_a_folder(model: Notebook, report: Notebook) -> None:
    (shown,) = model.run(f"{TABLE}\n%share t as trips --to team").displays
    text = shown["text/plain"]
    assert text.startswith("trips: 3 rows x 1 column, ") and "use not known" in text
    assert "Python: %attach trips --from team" in text
    assert ", loaded and attached in " in report.run("%attach trips --from team").shown
    assert report.get("trips['a'].to_pylist()") == "[1, 2, 3]"
    assert ", attached in " in report.run("%attach trips --from team").shown  # this machine has it
    assert "trips" in report.run("%shared --from team").shown
    assert "a: int64" in report.run("%shared trips --from team").shown
    assert "trips: detached" in report.run("%detach trips").shown
    report.ok("%attach trips as p --from team --to pandas --columns a")
    assert report.get("type(p).__name__") == "'DataFrame'"
    assert "was shared in team by" in report.run("%unshare trips --from team").error
    model.ok("%unshare trips --from team")
    assert "no shared table 'trips' from team" in report.run("%attach trips --from team").error


@pytest.mark.usefixtures("team")
def test_what_everyone_may_read(model: Notebook, report: Notebook) -> None:
    import os

    text = model.run(f"{TABLE}\n%share t --to everyone").shown
    assert f"%attach t --from {name_of(os.geteuid())}" in text and "in use by 1" in text
    report.ok(f"%attach t --from {name_of(os.geteuid())}")
    assert "in use by 2" in model.run("%shared t --from everyone").shown
    assert model.run("%attach t").error  # it is not among the private ones
    model.ok("%unshare t --from everyone")


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%share t --to pandas", "--to names a place to share in; any table can be attached as pandas"),
        ("%attach t --to team", "--to team: there is no such kind, only"),
        ("%attach t --to team", "from a place called team: --from team"),
        ("%share t --to", "--to needs a value"),
        ("%share t --to team --pin", "--pin is for tables of this machine"),
        ("%share t --to nowhere", "no place 'nowhere', and no user of this name"),
        ("%attach t --from team --follow", "--follow is for tables of this machine"),
        ("%attach nope --from team", "no shared table 'nope' from team"),
    ],
)
def test_a_mistake_is_one_line(model: Notebook, line: str, says: str) -> None:
    model.ok(TABLE)
    assert says in model.run(line).error


@pytest.mark.usefixtures("team")
def test_tab_offers_places_and_their_tables(model: Notebook) -> None:
    model.ok(f"{TABLE}\n%share t as trips --to team")
    assert {"everyone", "team"} <= set(model.complete("%share t --to "))
    assert "team" in model.complete("%attach trips --from t")
    assert model.complete("%attach --from team tr") == ["trips"]
    model.ok("%unshare trips --from team")
