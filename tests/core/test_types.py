"""A table comes back as it was shared: every Arrow type, every layout of a column, every shape of a table."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from nestedtables import tables
from samples import Degrees, arrays

import jupyter_arrowshm as shm

SAMPLES = arrays()


@pytest.fixture
def degrees() -> Iterator[None]:
    pa.register_extension_type(Degrees())
    yield
    pa.unregister_extension_type("arrowshm.tests.degrees")


def assert_round_trip(store: shm.Store, table: pa.Table) -> pa.Table:
    """Share and attach it; its rows, schema and all metadata are equal, and every offset and index is sound."""
    info = store.share(table, "t", replace=True)
    attached = store.attach("t")
    attached.validate(full=True)
    assert attached.schema.equals(table.schema, check_metadata=True)
    assert attached.equals(table, check_metadata=True)
    assert (info.num_rows, info.num_columns) == attached.shape == table.shape
    assert info.schema.equals(table.schema, check_metadata=True)
    return attached


def layouts(array: pa.Array) -> Iterator[tuple[str, list[pa.Array]]]:
    yield "whole", [array]
    yield "no nulls", [array.slice(0, 2)]
    yield "only nulls", [array.slice(2, 1)]
    yield "slice", [array.slice(1, 3)]
    yield "slice of a slice", [array.slice(1).slice(1, 1)]
    yield "zero rows", [array.slice(2, 0)]
    yield "no chunks", []
    yield "chunks, one of them empty", [array.slice(0, 2), array.slice(2, 0), array.slice(2)]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_type(store: shm.Store, name: str, degrees: None) -> None:
    """A column of each type comes back equal, in every layout of its chunks."""
    array = SAMPLES[name]
    for layout, chunks in layouts(array):
        column = pa.chunked_array(chunks, array.type)
        table = pa.table({"a": column, "n": pa.array(range(len(column)), pa.int64())}, metadata={"layout": layout})
        assert_round_trip(store, table)


@pytest.mark.parametrize(("float_", "bits"), [("float16", "uint16"), ("float32", "uint32"), ("float64", "uint64")])
def test_nan_payloads_and_signs_are_kept(store: shm.Store, float_: str, bits: str) -> None:
    quiet, signalling = {"uint16": (0x7E01, 0x7D01), "uint32": (0x7FC00001, 0x7FA00001)}.get(
        bits, (0x7FF8000000000001, 0x7FF4000000000001)
    )
    sign = 1 << (int(bits[4:]) - 1)
    patterns = pa.array([quiet, signalling, quiet | sign, sign, None], getattr(pa, bits)())
    store.share(pa.table({"a": patterns.view(getattr(pa, float_)())}), "t")
    assert store.attach("t")["a"].chunk(0).view(patterns.type).equals(patterns)


# -- dictionaries that differ from chunk to chunk ----------------------------------------------------------------------


@pytest.mark.parametrize("first", [["a", "b"], ["a"], []])
@pytest.mark.parametrize("second", [["b", "c"], ["c", "b", "a"], []])
def test_chunks_of_differing_dictionaries(store: shm.Store, first: list[str], second: list[str]) -> None:
    chunks = [pa.array([*values, None]).cast(pa.string()).dictionary_encode() for values in (first, second, first)]
    table = pa.table({"a": pa.chunked_array(chunks), "n": range(sum(map(len, chunks)))})
    assert_round_trip(store, table.unify_dictionaries())
    store.share(table, "t", replace=True)
    assert store.attach("t").to_pydict() == table.to_pydict()


@pytest.mark.parametrize("wrap", ["list", "struct"])
def test_chunks_of_differing_nested_dictionaries(store: shm.Store, wrap: str) -> None:
    def nested(values: list[str]) -> pa.Array:
        encoded = pa.array(values).dictionary_encode()
        if wrap == "struct":
            return pa.StructArray.from_arrays([encoded], ["d"])
        return pa.ListArray.from_arrays(range(len(values) + 1), encoded)

    table = pa.table({"a": pa.chunked_array([nested(["a", "b"]), nested(["b", "c", "a"])])})
    store.share(table, "t")
    attached = store.attach("t")
    attached.validate(full=True)
    assert attached.to_pydict() == table.to_pydict()
    assert attached.schema == table.schema


@pytest.mark.parametrize("wrap", [lambda kind: kind, pa.list_, lambda kind: pa.struct([("d", kind)])])
def test_a_dictionary_of_a_dictionary_is_refused(store: shm.Store, wrap) -> None:
    """pyarrow writes such a file, and cannot read it."""
    kind = wrap(pa.dictionary(pa.int8(), pa.dictionary(pa.int8(), pa.string())))
    with pytest.raises(shm.UnsupportedSource, match=r"column 'b' .* a dictionary of a dictionary") as caught:
        store.share(pa.table({"a": [1], "b": pa.nulls(1, kind)}), "t")
    assert caught.value.column == "b"
    assert store.tables() == []


# -- extension types ---------------------------------------------------------------------------------------------------


def test_an_extension_type_that_the_reader_does_not_know_is_its_storage(store, peer, degrees) -> None:
    array = pa.ExtensionArray.from_storage(Degrees("kelvin"), pa.array([1.5, None]))
    store.share(pa.table({"a": array}), "t")
    reader = peer()
    reader.run("t = shm.attach('t')")
    assert reader.get("t.to_pydict()") == {"a": [1.5, None]}
    assert reader.get("t.schema.field('a').type == pa.float64()")
    assert reader.get("t.schema.field('a').metadata") == {
        b"ARROW:extension:name": b"arrowshm.tests.degrees",
        b"ARROW:extension:metadata": b"kelvin",
    }
    # Passing it on loses nothing: a reader that knows the type gets it back.
    reader.run("shm.share(t, 'again')")
    assert store.attach("again").schema.field("a").type == Degrees("kelvin")


# -- random tables -----------------------------------------------------------------------------------------------------


@hypothesis.settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(table=tables(), start=st.integers(0, 3))
def test_any_nested_table(store: shm.Store, table: pa.Table, start: int) -> None:
    """A table of any nesting comes back equal, whole or from any row."""
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        hypothesis.reject()  # pyarrow itself builds a null struct of a dictionary without values wrongly
    assert_round_trip(store, table.slice(start))


# -- shapes ------------------------------------------------------------------------------------------------------------

SHAPES = {
    "zero rows": pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}),
    "zero columns, zero rows": pa.table({}),
    "zero columns with rows": pa.table({"a": range(5)}).select([]),
    "zero batches": pa.schema([("a", pa.int64())]).empty_table(),
    "2,000 columns": pa.table({f"c{i}": [i, None] for i in range(2000)}),
    "1,000 batches of 1,000 rows": pa.Table.from_batches(
        [pa.record_batch({"a": pa.array([i] * 1000, pa.int32())}) for i in range(1000)]
    ),
    "columns with chunks of their own": pa.table(
        {"a": pa.chunked_array([[1], [2, 3]]), "b": pa.chunked_array([["x", "y"], [], ["z"]])}
    ),
    "duplicate names": pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array([2])], ["a", "a", "b"]),
    "odd names": pa.table({name: [i] for i, name in enumerate(["", " ", "a.b", "a/b", "\0", "\n", "Zoë", "雪", "🦆"])}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(store: shm.Store, shape: str) -> None:
    """Tables without rows or columns, with very many columns or batches, or odd or repeated names come back equal."""
    attached = assert_round_trip(store, SHAPES[shape])
    assert attached.to_pydict() == SHAPES[shape].to_pydict() or "duplicate" in shape


def test_every_type_side_by_side(store: shm.Store, degrees: None) -> None:
    """One table of all types comes back equal."""
    assert_round_trip(store, pa.table(SAMPLES).slice(1, 4))


@pytest.mark.parametrize("columns", [["b"], ["c", "a"], [], ["a", "a"]])
def test_a_selection_is_the_columns_in_the_order_asked_for(store: shm.Store, columns: list[str]) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", None], "c": [[1], []]}, metadata={"k": "v"})
    store.share(table, "t")
    assert store.attach("t", columns=columns).equals(table.select(columns), check_metadata=True)
    with pytest.raises(KeyError, match=r"no column 'bb' in 't'\. Did you mean 'b'\?"):
        store.attach("t", columns=["bb"])


def test_an_error_names_some_columns_of_many(store: shm.Store) -> None:
    store.share(pa.table({f"c{number}": [1] for number in range(1000)}), "wide")
    with pytest.raises(KeyError, match=r"c0, c1, .*, c19 and 980 more\."):
        store.attach("wide", columns=["zzz"])


METADATA = {b"": b"", b"key": b"value", b"bytes": bytes(range(256)), b"\xff\xfe": b"not UTF-8", b"long": b"x" * 100_000}


def test_metadata_of_schema_and_fields(store: shm.Store) -> None:
    """The user's own metadata comes back as it was, also under keys that look like ours."""
    inner = pa.field("x", pa.int8(), metadata=METADATA)
    fields = [
        pa.field("a", pa.int64(), nullable=False, metadata=METADATA),
        pa.field("b", pa.struct([inner]), metadata={b"unit": b"\xc2\xb0C"}),
        pa.field("c", pa.list_(inner)),
    ]
    schema = pa.schema(fields, metadata={**METADATA, b"arrowshm.protocol": b"99", b"pandas": b"no JSON"})
    attached = assert_round_trip(store, pa.table([[1], [{"x": 1}], [[1]]], schema=schema))
    assert attached.schema.metadata == schema.metadata
    assert attached.schema.field("b").type.field("x").metadata == METADATA


def test_a_table_without_metadata_gets_none(store: shm.Store) -> None:
    assert assert_round_trip(store, pa.table({"a": [1]})).schema.metadata is None
