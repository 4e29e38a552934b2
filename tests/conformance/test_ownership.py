"""Ownership: who may give a name to another table without saying so."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
OTHER_KERNEL = "77777777-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
# The publisher, the newcomer after it has ended, and whether the newcomer may.
PAIRS = {
    "the same script": ({"script": "etl"}, {"script": "etl"}, True),
    "another script": ({"script": "etl"}, {"script": "other"}, False),
    "the same script with the same arguments": (
        {"script": "etl", "kernel": "day1.ini"},
        {"script": "etl", "kernel": "day1.ini"},
        True,
    ),
    "the same script with others": (
        {"script": "etl", "kernel": "day1.ini"},
        {"script": "etl", "kernel": "day2.ini"},
        False,
    ),
    "the same script in another directory": (
        {"script": "etl"},
        {"script": "etl", "prefix": ("env", "--chdir=/")},
        False,
    ),
    "a launcher of many programs": ({"script": "bin/etl"}, {"script": "bin/etl"}, False),
    "a restarted kernel": ({"kernel": f"kernel-{KERNEL}.json"}, {"kernel": f"/run/kernel-{KERNEL}.json"}, True),
    "a kernel restarted by a newer Jupyter": (
        {"kernel": f"kernel-{KERNEL}.json"},
        {"kernel": f"kernel-v2-{KERNEL}.json"},
        True,
    ),
    "another kernel": ({"kernel": f"kernel-{KERNEL}.json"}, {"kernel": f"kernel-{OTHER_KERNEL}.json"}, False),
}


@pytest.fixture
def parent() -> Iterator[Path]:
    """One place is enough: the file system makes no difference to who owns what."""
    path = Path(f"/tmp/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.mkdir(0o700)
    yield path
    shutil.rmtree(path)


def test_a_name_is_its_publishers_until_somebody_says_replace(client, language, other) -> None:
    one = client(language)
    for rows in (1, 2):
        one.do("share", rows=rows, replace=False)
    assert other.refuses("share", rows=3, replace=False) == "TableExists"
    assert one.get("info")["rows"] == 2
    other.do("share", rows=4)
    assert one.refuses("share", rows=5, replace=False) == "TableExists"
    other.do("share", rows=6, replace=False)
    assert one.get("info")["rows"] == 6


def test_a_name_is_not_free_because_its_publisher_has_ended(client, language, observer) -> None:
    one = client(language, mortal=True)
    one.do("share")
    one.kill()
    assert observer.refuses("share", replace=False) == "TableExists"
    observer.do("share")


def test_a_name_is_its_publishers_while_it_lives_though_the_same_script_runs_twice(client, language, tmp_path) -> None:
    one, two = client(language, script=tmp_path / "etl"), client(language, script=tmp_path / "etl")
    one.do("share", rows=1, replace=False)
    assert two.refuses("share", rows=2, replace=False) == "TableExists"
    assert two.get("info")["rows"] == 1


def test_a_file_that_is_no_table_is_not_replaced_unasked(one, directory) -> None:
    one.do("share", name="mine")
    (directory / "t.arrow").write_text("somebody's own file")
    assert one.refuses("share", replace=False) == "TableExists"
    assert (directory / "t.arrow").read_text() == "somebody's own file"
    one.do("share")
    assert one.get("info")["rows"] == 1000


@pytest.mark.parametrize("pair", PAIRS)
def test_who_comes_back_under_the_same_name(client, language, tmp_path, pair) -> None:
    first, second, allowed = PAIRS[pair]
    (tmp_path / "bin").mkdir()

    def start(script: str = "", **options: object):
        return client(language, **options, **({"script": tmp_path / script} if script else {}))

    publisher = start(**first)
    publisher.do("share", rows=1, replace=False)
    publisher.kill()
    newcomer = start(**second)
    assert newcomer.refuses("share", rows=2, replace=False) == ("" if allowed else "TableExists")
    assert newcomer.get("info")["rows"] == (2 if allowed else 1)
