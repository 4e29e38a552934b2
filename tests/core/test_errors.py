"""Each error is a type with fields, has a text that says what to do, and is the same in another process."""

from __future__ import annotations

import copy
import datetime as dt
import errno
import pickle
import re

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

EXAMPLES = [
    shm.TableNotFound("trips"),
    shm.TableNotFound("trips", ("trip", "trips2")),
    shm.TableExists("trips", "etl.py", True),
    shm.TableExists("trips", "model.ipynb (python)", False, dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)),
    shm.InvalidName("a b" * 100, "it holds white space; use '_' instead"),
    shm.NoRoom(10**9, 10**6, "/dev/shm/x"),
    shm.NoRoom(10**9, 10**6, "/dev/shm/x", tuple((f"t{i}", i) for i in range(7))),
    shm.UnsafeDirectory("/dev/shm/x", "is open to other users", "run chmod 700 /dev/shm/x"),
    shm.DamagedTable("trips", "/dev/shm/x/trips.arrow", "it is empty"),
    shm.NewerProtocol("trips", "2", "1"),
    shm.Busy("/dev/shm/x", 5.0),
    shm.UnsupportedSource("pandas DataFrame", "mixed types", "Use `df['x'].astype(str)`", "x"),
    shm.UnsupportedSource("int", "it is not a table", "Name the column."),
    shm.UnsupportedTarget("polars", "cannot create series from Union", "x"),
    shm.UnsupportedTarget("duckdb", "it has no tables without columns"),
    shm.InvalidQuery("there is no column 7"),
    shm.QueryStopped("took longer than 5 s and was stopped"),
    shm.TableReplaced("trips"),
    shm.TableLost("trips", "ray://"),
    shm.TableNotFound("trips", place="team"),
    shm.PlaceNotFound("taem", ("team",)),
    shm.PlaceNotFound("taem"),
    shm.PlaceFailed("team", "did not answer within 20 s (s3://bucket/tables)", "Try again."),
    shm.LoadsItself("trips"),
    shm.LoadFailed("s3://bucket/trips.parquet", "there is no such file or directory"),
    shm.LoadFailed("/data/trips.txt", "its name does not tell its format", "It may end in .parquet."),
    shm.StoreFailed("/dev/shm/x", errno.EMFILE),
    shm.StoreFailed("/dev/shm/x", errno.EIO),
    shm.UnsupportedPlatform("Windows"),
]


def test_every_error_has_an_example() -> None:
    known = {error for error in vars(shm.errors).values() if isinstance(error, type) and issubclass(error, Exception)}
    assert {type(error) for error in EXAMPLES} == known - {shm.ArrowSHMError}
    assert all(error.__name__ in shm.__all__ for error in known)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_it_travels_with_its_fields(error: shm.ArrowSHMError) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(error, protocol))
        assert (type(back), vars(back), str(back)) == (type(error), vars(error), str(error))
    assert vars(copy.copy(error)) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_it_says_what_to_do_in_words_that_people_know(error: shm.ArrowSHMError) -> None:
    text = str(error)
    assert not re.search("lease|holder|segment|token|flock|inode|None", text)
    assert text[0] != "(" and text[-1] in ".?`" and "\n" not in text and len(text) < 400
    for field, value in vars(error).items():
        if isinstance(value, str) and len(value) < 60:
            assert value.lower() in text.lower() or field == "path", f"{field} is not told"


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (shm.TableNotFound, LookupError),
        (shm.InvalidName, ValueError),
        (shm.UnsupportedSource, TypeError),
        (shm.UnsupportedTarget, TypeError),
        *((type(error), shm.ArrowSHMError) for error in EXAMPLES),
    ],
)
def test_it_is_caught_as_what_python_calls_it(error: type, base: type) -> None:
    assert issubclass(error, base)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "near"),
    [("trip", ("trips",)), ("TRIPS", ("trips",)), ("Zones", ("zones", "zones2")), ("x", ()), ("trisp", ("trips",))],
)
def test_a_missing_table_tells_near_names(store, peer, wanted, near) -> None:
    for name in ("trips", "zones", "zones2", "weather"):
        store.share(pa.table({"a": [1]}), name)
    for call in ("attach", "info", "unshare", "pin", "unpin"):
        with pytest.raises(shm.TableNotFound) as caught:
            getattr(store, call)(wanted)
        assert (caught.value.name, caught.value.near) == (wanted, near)
    with pytest.raises(shm.TableNotFound) as caught:
        peer().run(f"shm.attach({wanted!r})")
    assert caught.value.near == near
    assert all(repr(name) in str(caught.value) for name in near) and ("Did you mean" in str(caught.value)) == bool(near)


def test_near_names_that_differ_by_case_alone_are_all_told(store) -> None:
    store.share(pa.table({"a": [1]}), "trips")
    store.share(pa.table({"a": [1]}), "TRIPS")
    with pytest.raises(shm.TableNotFound) as caught:
        store.attach("Trips")
    assert set(caught.value.near) == {"trips", "TRIPS"}


@pytest.mark.parametrize("call", ["share", "attach", "attachment", "info", "unshare", "pin", "unpin", "writer"])
@pytest.mark.parametrize("name", ["", "a/b", "../etc", ".live", "a b"])
def test_every_call_checks_the_name_first(store, directory, call, name) -> None:
    arguments = {"share": (pa.table({"a": [1]}), name), "writer": (name, pa.schema([]))}.get(call, (name,))
    # To those that attach, what has a / in it is a path.
    is_path = "/" in name and call in ("attach", "attachment")
    with pytest.raises(shm.LoadFailed if is_path else shm.InvalidName):
        getattr(store, call)(*arguments)
    assert not directory.exists()
