"""Arrays of every type that pyarrow can build, each of six values with a null where it can be."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

_UNITS = ("s", "ms", "us", "ns")
_ZONES = (None, "UTC", "Europe/Zurich", "America/St_Johns", "+05:45")


class Degrees(pa.ExtensionType):
    """An extension type written in Python, with a parameter."""

    def __init__(self, scale: str = "celsius") -> None:
        self.scale = scale
        super().__init__(pa.float64(), "arrowshm.tests.degrees")

    def __arrow_ext_serialize__(self) -> bytes:
        return self.scale.encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> Degrees:
        return cls(serialized.decode())


def _simple() -> Iterator[tuple[pa.DataType, list[Any]]]:
    for bits in (8, 16, 32, 64):
        yield getattr(pa, f"int{bits}")(), [-(2 ** (bits - 1)), -1, None, 0, 1, 2 ** (bits - 1) - 1]
        yield getattr(pa, f"uint{bits}")(), [0, 1, None, 2, 3, 2**bits - 1]
    for kind in (pa.float16(), pa.float32(), pa.float64()):
        yield kind, [0.0, -0.0, None, float("inf"), float("-inf"), 1.5]
    yield pa.bool_(), [True, False, None, True, True, False]
    text = ["", "a", None, "longer than the twelve bytes of a view", "\N{SNOWMAN}\0x", "b" * 300]
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield kind, text
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        yield kind, [None if value is None else b"\xff\0" + value.encode() for value in text]
    yield pa.binary(3), [b"abc", b"\0\0\0", None, b"\xff" * 3, b"xyz", b"xyz"]
    yield pa.binary(0), [b"", b"", None, b"", b"", b""]
    for kind, digits in ((pa.decimal32, 9), (pa.decimal64, 18), (pa.decimal128, 38), (pa.decimal256, 76)):
        big = decimal.Decimal((0, (9,) * digits, -2))
        yield kind(digits, 2), [big, big.copy_negate(), None, decimal.Decimal("0.00"), decimal.Decimal("1.50"), big]
    yield pa.decimal128(5, -2), [decimal.Decimal("1E+2"), None, None, decimal.Decimal("9.9E+6"), None, None]
    yield pa.date32(), [dt.date(1970, 1, 1), dt.date(1, 1, 1), None, dt.date(9999, 12, 31), None, dt.date(2024, 2, 29)]
    yield pa.date64(), [0, -86_400_000, None, 86_400_000, None, 1_709_164_800_000]
    for unit in _UNITS:
        yield pa.duration(unit), [0, -1, None, 1, 2**63 - 1, -(2**63) + 1]
        for zone in _ZONES:
            yield pa.timestamp(unit, zone), [0, -1, None, 1, 1_709_164_800, 2**62]
    for unit in ("s", "ms"):
        yield pa.time32(unit), [0, 1, None, 86_399, 5, 6]
    for unit in ("us", "ns"):
        yield pa.time64(unit), [0, 1, None, 86_399_999_999, 5, 6]
    yield pa.month_day_nano_interval(), [(1, 2, 3), (-1, -2, -3), None, (0, 0, 0), (12, 31, 10**15), (2**31 - 1, 0, 0)]
    yield pa.null(), [None] * 6


def _nested() -> Iterator[tuple[pa.DataType, list[Any]]]:
    lists = [[1, 2], [], None, [None, 3], [4], [5, 6, 7]]
    for kind in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view):
        yield kind(pa.int32()), lists
        yield kind(kind(pa.string())), [[["a"], None], [], None, [[]], [["b", None]], [["c"]]]
    yield pa.list_(pa.int32(), 2), [[1, 2], [3, 4], None, [None, 5], [6, 7], [8, 9]]
    yield pa.list_(pa.int32(), 0), [[], [], None, [], [], []]
    yield pa.list_(pa.field("point", pa.int8(), nullable=False, metadata={"unit": "m"})), [[1], [], None, [2], [3], []]
    point = pa.struct([("x", pa.float64()), pa.field("y", pa.list_(pa.string()), metadata={b"k": b"\xff"})])
    points = [{"x": 1.0, "y": ["a"]}, {"x": None, "y": None}, None, {"x": 2.0, "y": []}, {"x": 3.0, "y": [None]}, None]
    yield point, points
    yield pa.struct([]), [{}, {}, None, {}, {}, {}]
    yield pa.struct([("s", pa.struct([("t", pa.list_(pa.bool_()))]))]), [{"s": {"t": [True]}}, None, {"s": None}] * 2
    yield pa.map_(pa.string(), pa.int64()), [[("a", 1)], [], None, [("b", None), ("c", 3)], [("d", 4)], []]
    yield pa.map_(pa.string(), pa.list_(pa.int64()), keys_sorted=True), [[("a", [1])], [], None, [("b", None)], [], []]


def _dictionaries() -> Iterator[tuple[str, pa.Array]]:
    values = ["x", "y", None, "x", "z", "y"]
    for bits in (8, 16, 32, 64):
        for sign in ("", "u"):
            index = getattr(pa, f"{sign}int{bits}")()
            yield f"dictionary by {index}", pa.array(values).dictionary_encode().cast(pa.dictionary(index, pa.string()))
    indices = pa.array([0, 1, None, 0, 2, 1], pa.int8())
    encoded = pa.DictionaryArray.from_arrays(indices, ["low", "mid", "high"], ordered=True)
    yield "dictionary, ordered", encoded
    yield "dictionary with a null value", pa.DictionaryArray.from_arrays(indices, pa.array(["a", None, "b"]))
    yield "dictionary without values", pa.DictionaryArray.from_arrays(pa.nulls(6, pa.int8()), pa.array([], pa.string()))
    times = pa.array([0, 1, 2], pa.timestamp("us", "UTC"))
    for three in (pa.array([1.5, 2.5, 3.5]), times, pa.array([b"a", b"b", b""])):
        yield f"dictionary of {three.type}", pa.DictionaryArray.from_arrays(indices, three)
    structs = pa.array([{"a": 1}, {"a": 2}, {"a": 3}])
    yield "dictionary of structs", pa.DictionaryArray.from_arrays(indices, structs)
    nested = pa.StructArray.from_arrays([encoded.take([0, 1, 4])], ["d"])
    yield "dictionary of structs of a dictionary", pa.DictionaryArray.from_arrays(indices, nested)
    yield "list of dictionaries", pa.ListArray.from_arrays([0, 2, 2, 3, 3, 5, 6], encoded)
    yield "struct of dictionaries", pa.StructArray.from_arrays([encoded, encoded.cast(pa.string())], ["d", "s"])
    yield "map to dictionaries", pa.MapArray.from_arrays([0, 1, 2, 3, 4, 5, 6], pa.array(list("abcdef")), encoded)


def _unions() -> Iterator[tuple[str, pa.Array]]:
    ints, texts = pa.array([1, None, 3, 4, 5, 6]), pa.array(["a", "b", None, "d", "e", "f"])
    codes = pa.array([5, 9, 5, 9, 9, 5], pa.int8())
    yield "sparse union", pa.UnionArray.from_sparse(codes, [ints, texts], ["number", "text"], [5, 9])
    offsets = pa.array([0, 0, 1, 1, 2, 2], pa.int32())
    yield "dense union", pa.UnionArray.from_dense(codes, offsets, [ints, texts], ["number", "text"], [5, 9])
    zero = pa.array([0, 1] * 3, pa.int8())
    yield "sparse union of nested", pa.UnionArray.from_sparse(zero, [pa.array([[1], None] * 3), pa.nulls(6)])


def _run_ends() -> Iterator[tuple[str, pa.Array]]:
    for ends in (pa.int16(), pa.int32(), pa.int64()):
        yield (
            f"run-end encoded by {ends}",
            pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 6], ends), pa.array(["a", None, "b"])),
        )
    values = pa.array(["a", None, "b"]).dictionary_encode()
    yield "run-end encoded dictionary", pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 6], pa.int32()), values)


def _extensions() -> Iterator[tuple[str, pa.Array]]:
    yield "uuid", pa.array([bytes(range(16)), None, b"\xff" * 16] * 2, pa.uuid())
    yield "bool8", pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, None, 2, -1, 1], pa.int8()))
    yield "json", pa.array(['{"a": 1}', None, "[]"] * 2, pa.json_(pa.string()))
    opaque = pa.opaque(pa.binary(), "geometry", "postgis")
    yield "opaque", pa.ExtensionArray.from_storage(opaque, pa.array([b"\1", None, b""] * 2))
    tensor = pa.fixed_shape_tensor(pa.float32(), [2, 3], dim_names=["row", "column"], permutation=[1, 0])
    rows = pa.array([[float(i)] * 6 for i in range(6)], pa.list_(pa.float32(), 6))
    yield "fixed-shape tensor", pa.ExtensionArray.from_storage(tensor, rows)
    degrees = pa.ExtensionArray.from_storage(Degrees("kelvin"), pa.array([1.5, None, 2.5] * 2))
    yield "extension written in Python", degrees
    yield "list of extension", pa.ListArray.from_arrays([0, 1, 2, 3, 4, 5, 6], degrees)


def arrays() -> dict[str, pa.Array]:
    """All of them, by a name for people; :class:`Degrees` need not be registered."""
    plain = [(str(kind), pa.array(values, kind)) for part in (_simple(), _nested()) for kind, values in part]
    built = [pair for part in (_dictionaries(), _unions(), _run_ends(), _extensions()) for pair in part]
    found = dict([*plain, *built])
    assert len(found) == len(plain) + len(built), "two samples of one name"
    return found
