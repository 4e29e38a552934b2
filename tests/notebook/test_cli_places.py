"""``jupyter arrowshm`` with other places: ``copy``, ``places``, and ``--from`` of the other commands."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from commands import fails, says

import jupyter_arrowshm as shm

TABLE = pa.table({"a": [1, 2, 3], "b c": ["x", None, "z"]})


@pytest.fixture(params=["disk"])
def parent(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def team(store: shm.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has a name, and a directory of its own for what is open to others; ``t`` is shared here."""
    monkeypatch.setenv("JUPYTER_ARROWSHM_PLACES", json.dumps({"team": str(tmp_path / "team")}))
    monkeypatch.setenv("JUPYTER_ARROWSHM_OPEN_PARENT", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    store.share(TABLE, "t")
    return tmp_path / "team"


def test_a_table_goes_to_a_place_and_comes_back(team: Path, store: shm.Store) -> None:
    assert says("copy", "t", "--to", "team").startswith("t: 3 rows x 2 columns")
    assert says("copy", "t", "--to", str(team), "--replace").startswith("t: 3 rows x 2 columns")
    assert [path.name for path in team.iterdir()] == ["t.arrow"]
    # What another program shared is replaced on request alone: each command is a process of its own.
    assert "Pick another name, or take it over with --replace" in fails("copy", "t", "--from", "team")
    store.unshare("t")
    assert says("copy", "t", "--from", "team").startswith("t: 3 rows x 2 columns")
    assert store.attach("t").equals(TABLE)

    header, row = says("list", "--from", "team").splitlines()
    assert header.split()[0] == "table" and row.split()[:3] == ["t", "3", "2"]
    (facts,) = json.loads(says("list", "--from", "team", "--json"))
    assert (facts["name"], facts["countable"], facts["holders"]) == ("t", None, [])
    assert "b c" in says("info", "t", "--from", "team")
    assert says("unshare", "t", "--from", "team").startswith("t: unshared") and not list(team.iterdir())
    assert fails("unshare", "t", "--from", "team").startswith(
        "jupyter arrowshm: there is no shared table 't' from team."
    )


def test_the_first_rows_of_a_table_there(team: Path, store: shm.Store) -> None:
    says("copy", "t", "--to", "team")
    assert says("head", "t", "--from", "team", "--rows", "2") == "a  b c\n1  x\n2  null\n3 rows x 2 columns\n"
    assert says("head", "t", "--from", "team", "--columns", "b c").splitlines()[0] == "b c"
    for option in ("--sort=a", "--filter=a > 1"):
        said = fails("head", "t", "--from", "team", option)
        assert "the table is in another place; copy it to this machine to sort and filter" in said
    assert "there is no shared table 'u' from team" in fails("head", "u", "--from", "team")
    (team / "bad.arrow").write_bytes(bytes(100))
    assert "cannot be loaded" in fails("head", "bad", "--from", "team")
    assert not store.loaded.names(), "it was not fetched"
    # What another user shares lies on this machine.
    says("copy", "t", "--to", "everyone")
    said = says("head", "t", "--from", "everyone", "--sort=-a", "--filter", "a > 1")
    assert said == "a  b c\n3  z\n2  null\n2 rows of 3 rows x 2 columns\n"


def test_what_others_may_read(team: Path, tmp_path: Path) -> None:
    assert [line.split()[0] for line in says("places").splitlines()] == ["place", "team"]
    says("copy", "t", "--to", "everyone")
    assert [line.split()[0] for line in says("places").splitlines()] == ["place", "everyone", "team"]
    (table,) = (tmp_path / f"jupyter-arrowshm-{os.geteuid()}-open").glob("*.arrow")
    assert table.stat().st_mode & 0o777 == 0o444
    for name in ("everyone", getpass.getuser()):
        assert says("list", "--from", name).splitlines()[1].split()[0] == "t"
    # Its publisher has ended, and nobody has it attached.
    assert "t (everyone): removed" in says("gc")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("copy", "nope", "--to", "team"), "there is no shared table 'nope'"),
        (("copy", "t", "--to", "nowhere"), "there is no place 'nowhere', and no user of this name. "),
        (("copy", "t", "--to", "taem"), "Did you mean 'team'?"),
        (("copy", "nope", "--from", "team"), "there is no shared table 'nope' from team"),
        (("list", "--from", "nowhere"), "there is no place 'nowhere'"),
        (
            ("copy", "t", "--to", "group:no-such-group"),
            "group:no-such-group is not a group that you are in. ",
        ),
        (
            ("copy", "t", "--to", "nobody"),
            "holds the tables of nobody, which nobody else can change. Share",
        ),
    ],
)
def test_mistakes_are_one_line(team: Path, words: tuple[str, ...], said: str) -> None:
    assert said in fails(*words)


def test_an_administrator_switches_it_off(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_ARROWSHM_OPEN_PLACES", "0")
    said = "everyone cannot be used: tables are not shared among users here. Its administrator has switched that off."
    assert said in fails("copy", "t", "--to", "everyone")
    assert [line.split()[0] for line in says("places").splitlines()] == ["place", "team"]
