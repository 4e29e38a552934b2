"""Geometry in a preview: as the text that people know, which needs no library of geometry."""

from __future__ import annotations

import random
import struct

import pyarrow as pa
import pytest

from jupyter_arrowshm.preview import View, geometry

shapely = pytest.importorskip("shapely")
SHAPES = {
    "POINT (7.5 47)": shapely.Point(7.5, 47),
    "POINT EMPTY": shapely.Point(),
    "LINESTRING Z (0 0 1, 1 -2.25 3)": shapely.LineString([(0, 0, 1), (1, -2.25, 3)]),
    "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))": shapely.Polygon(
        [(0, 0), (4, 0), (4, 4)], [[(1, 1), (2, 1), (2, 2)]]
    ),
    "MULTIPOINT ((1 2), (3 4))": shapely.MultiPoint([(1, 2), (3, 4)]),
    "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))": shapely.MultiPolygon([shapely.Polygon([(0, 0), (1, 0), (1, 1)])]),
    "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING EMPTY)": shapely.GeometryCollection(
        [shapely.Point(1, 2), shapely.LineString()]
    ),
}


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_a_page_shows_well_known_text(kind: pa.DataType) -> None:
    shapes = pa.array([*map(shapely.to_wkb, SHAPES.values()), None], kind)
    described = {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": "{}"}
    table = pa.table([shapes], pa.schema([pa.field("shape", kind, metadata=described)]))
    page = View(table).page()
    assert page.column(0).to_pylist() == [*SHAPES, None]
    facts = page.schema.field(0).metadata
    assert facts[b"type"] == b"geometry" and facts[b"sortable"] == b"false"
    assert View(table).summary()["columns"][0]["nulls"] == 1
    assert b'"POINT (7.5 47)"' in View(table).export("csv").data


@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("name", SHAPES)
def test_each_way_to_write_it_down(name: str, byte_order: int, flavor: str) -> None:
    with_system = flavor == "extended"
    shape = shapely.set_srid(SHAPES[name], 4326) if with_system else SHAPES[name]
    wkb = shapely.to_wkb(shape, byte_order=byte_order, flavor=flavor, include_srid=with_system)
    assert geometry.text(wkb, 1000) == name
    assert shapely.from_wkt(name) == SHAPES[name]


def test_a_long_one_is_cut_and_not_read_to_its_end() -> None:
    wkb = shapely.to_wkb(shapely.LineString([(n, n + 0.5) for n in range(100_000)]))
    some = wkb[: geometry.num_bytes(50)]
    text = geometry.text(some, 50)
    assert text is not None and text.startswith("LINESTRING (0 0.5, 1 1.5, 2 2.5") and 50 <= len(text) < 80


def test_other_bytes_are_not_geometry() -> None:
    """They are shown as bytes are; a deep, endless or garbled one costs nothing."""
    assert geometry.text(b"", 100) is None
    assert geometry.text(b"not a geometry at all", 100) is None
    deep = struct.pack("<BII", 1, 7, 1) * 5000
    assert len(geometry.text(deep, 10**6) or "") < 1000
    assert len(geometry.text(struct.pack("<BII", 1, 3, 2**32 - 1) + bytes(4000), 100) or "") < 120
    good = shapely.to_wkb(SHAPES["MULTIPOINT ((1 2), (3 4))"])
    chance = random.Random(0)
    for _ in range(500):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] = chance.randrange(256)
        assert len(geometry.text(bytes(bad), 100) or "") < 400
