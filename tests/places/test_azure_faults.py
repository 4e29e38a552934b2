"""The faults of buckets (tests/open), in a container of Azurite.

About one share in 80 waits there for 7 to more than 20 s. Those with processes of their own, which wait for 20 s, are
left to the bucket of tests/open.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from buckets import Bucket
from open.test_folders import (
    test_a_file_that_is_not_a_table_is_said,
    test_a_full_disk_while_it_is_fetched_leaves_nothing,
    test_a_table_that_was_cut_short_is_never_half_a_table,
    test_the_kind_that_was_shared_comes_back,
    test_the_name_of_another_script_needs_the_word,
)
from open.test_stale import (
    test_a_list_that_is_stale,
    test_a_table_that_is_removed_while_it_is_fetched,
    test_a_version_that_is_replaced_while_it_is_fetched,
)
from open.test_trickling import (
    share_slowly,
    slow,
    test_a_list_and_what_is_read_of_a_table,
    test_rows_that_are_fetched,
)
from places.test_azure import Azurite, box, server
from trickle import Trickle

import jupyter_arrowshm as shm
from jupyter_arrowshm.loading import remote

__all__ = [
    "box",
    "server",
    "slow",
    "test_a_file_that_is_not_a_table_is_said",
    "test_a_full_disk_while_it_is_fetched_leaves_nothing",
    "test_a_list_and_what_is_read_of_a_table",
    "test_a_list_that_is_stale",
    "test_a_table_that_is_removed_while_it_is_fetched",
    "test_a_table_that_was_cut_short_is_never_half_a_table",
    "test_a_version_that_is_replaced_while_it_is_fetched",
    "test_rows_that_are_fetched",
    "test_the_kind_that_was_shared_comes_back",
    "test_the_name_of_another_script_needs_the_word",
]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 120)


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def bucket(box: Azurite, store: shm.Store) -> Bucket:
    """An empty directory of a container."""
    return Bucket(box.uri("tables"), box.system, f"{box.box}/tables")


@pytest.fixture
def there(bucket: Bucket) -> Bucket:
    return bucket


def test_a_table_that_is_shared(slow: tuple[Trickle, shm.Place]) -> None:
    share_slowly(slow, b"PUT ")
