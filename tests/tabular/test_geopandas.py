"""A GeoDataFrame comes back with its geometry, its system of coordinates and its index."""

from __future__ import annotations

import pandas as pd
import pytest

import jupyter_arrowshm as shm

geopandas = pytest.importorskip("geopandas")


def test_geometry_and_coordinates_come_back(store: shm.Store) -> None:
    from shapely.geometry import Point, Polygon

    shapes = [Point(7.5, 47), Polygon([(0, 0), (1, 0), (1, 1)]), None]
    frame = geopandas.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs="EPSG:2056", index=pd.Index(list("abc")))
    store.share(frame, "g")
    for copy in (False, True):
        back = store.attach("g", to="source", copy=copy)
        assert type(back) is geopandas.GeoDataFrame and back.crs == frame.crs
        assert back.equals(frame) and back.index.equals(frame.index)
    assert store.attachment("g", to="source").kind == "geopandas"
    assert store.attach("g")["geometry"][0].as_py() == shapes[0].wkb
    assert store.attach("g", to="polars")["n"].to_list() == [1, 2, 3]
