"""A Ray cluster as a place where there is no Ray, and what other places do not do: `make test-ray` shows the rest."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.elsewhere import PLACES

needs_no_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")


@needs_no_ray
def test_without_ray_it_says_how_to_have_it() -> None:
    for call in (lambda: shm.place("ray://").names(), lambda: shm.place("ray://head:6379").attach("trips")):
        with pytest.raises(
            shm.PlaceFailed, match=r"needs Ray, which is not installed.*pip install jupyter-arrowshm\[ray\]"
        ):
            call()


def test_a_cluster_has_a_name_and_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES, json.dumps({"cluster": "ray://head:6379/team"}))
    assert "cluster  the Ray cluster at head:6379, team" in repr(shm.places())
    assert shm.place("cluster").read_as == "cluster" and shm.place("cluster").writable
    assert "ray" not in sys.modules


def test_a_folder_does_not_filter(tmp_path: Path, store: shm.Store) -> None:
    place = shm.place(f"{tmp_path}/tables")
    place.share(pa.table({"x": [1, 2]}), "trips")
    with pytest.raises(ValueError, match="where= is for files and clusters"):
        place.attach("trips", where="x > 1")
