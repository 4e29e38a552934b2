"""A subclass of DataFrame or Series comes back as one where its class is at hand, and says so where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

import jupyter_arrowshm as shm


class Trips(pd.DataFrame):
    _metadata: ClassVar = ["city"]

    @property
    def _constructor(self):
        return Trips


class Fares(pd.Series):
    @property
    def _constructor(self):
        return Fares


class Picky(pd.DataFrame):
    def __init__(self, data, currency):
        super().__init__(data)


class Outer:
    class Inner(pd.DataFrame):
        pass


def trips() -> Trips:
    made = Trips({"fare": [1.5, 2.5], "note": ["a", None]}, index=pd.Index(["x", "y"], name="id"))
    made.city = "Bergen"
    made.attrs = {"source": "taxi"}
    return made


@pytest.mark.parametrize("copy", [False, True])
def test_it_comes_back_as_its_class(store: shm.Store, copy: bool) -> None:
    store.share(trips(), "t")
    attachment = store.attachment("t", to="source", copy=copy)
    back = attachment.value
    assert type(back) is Trips and attachment.note is None and attachment.kind == "pandas"
    pd.testing.assert_frame_equal(pd.DataFrame(back), pd.DataFrame(trips()))
    assert back.city == "Bergen" and back.attrs == {"source": "taxi"}
    assert type(store.attach("t", to="pandas")) is pd.DataFrame
    assert store.attach("t", to="polars")["fare"].sum() == 4


def test_it_is_a_view_as_a_plain_frame_is(store: shm.Store) -> None:
    frame = pd.DataFrame({"a": range(1000), "b": 0.5})
    store.share(Trips(frame), "t")
    attachment = store.attachment("t", to="source")
    assert type(attachment.value) is Trips and attachment.copied == {}
    with pytest.raises(ValueError, match="read-only"):
        attachment.value["b"].to_numpy()[0] = 1


def test_a_series_too_and_a_class_in_a_class(store: shm.Store) -> None:
    store.share(Fares([1.5, 2.5], name="fare"), "s")
    back = store.attach("s", to="source")
    assert type(back) is Fares and back.tolist() == [1.5, 2.5] and back.name == "fare"
    store.share(Outer.Inner({"a": [1]}), "i")
    assert type(store.attach("i", to="source")) is Outer.Inner


def test_what_it_carries_along_must_be_what_json_can_hold(store: shm.Store) -> None:
    odd = trips()
    odd.city = object()
    with pytest.raises(shm.UnsupportedSource, match=r"its city is not what JSON can hold.*`df = pd\.DataFrame\(df\)`"):
        store.share(odd, "t")
    store.share(pd.DataFrame(odd), "t")
    assert store.attach("t", to="source")["fare"].sum() == 4


def test_a_class_that_cannot_be_made_of_a_frame_is_named(store: shm.Store) -> None:
    store.share(Picky({"a": [1]}, "NOK"), "t")
    attachment = store.attachment("t", to="source")
    assert type(attachment.value) is pd.DataFrame and "a Picky, which cannot be made of a DataFrame" in attachment.note


READER = """
import sys
import jupyter_arrowshm as shm, pandas as pd
attachment = shm.Store(sys.argv[1]).attachment("t", to="source")
assert type(attachment.value) is pd.DataFrame, type(attachment.value)
assert "frames_of_ours" not in sys.modules
print(attachment.note)
{more}
"""
MODULE = """
import pathlib, pandas as pd
pathlib.Path(__file__).with_suffix(".imported").touch()
class Trips(pd.DataFrame): pass
class Other: pass
"""


def test_nothing_is_imported_because_a_table_says_so(store: shm.Store, tmp_path: Path, monkeypatch) -> None:
    """The module is there to be imported, and is not."""
    (tmp_path / "frames_of_ours.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("frames_of_ours")
    store.share(module.Trips({"a": [1]}), "t")
    (tmp_path / "frames_of_ours.imported").unlink()
    more = "import frames_of_ours\nprint(type(shm.Store(sys.argv[1]).attach('t', to='source')).__name__)"
    for extra, expected in (("", []), (more, ["Trips"])):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", READER.format(more=extra), store.directory],
            capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
        note, *others = done.stdout.splitlines()
        assert note.startswith("this was a Trips of frames_of_ours: import frames_of_ours before you attach it")
        assert others == expected
        assert (tmp_path / "frames_of_ours.imported").exists() == bool(extra)
    monkeypatch.setattr(module, "Trips", module.Other)
    attachment = store.attachment("t", to="source")
    assert type(attachment.value) is pd.DataFrame
    assert attachment.note.endswith("there is no such subclass of DataFrame in frames_of_ours")
    del sys.modules["frames_of_ours"]
