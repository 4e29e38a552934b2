"""Types that other libraries registered with pyarrow: their code may raise anything, but stops nobody's tables."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pandas as pd
import pandas.core.arrays.arrow.extension_types  # registers the types of pandas' periods and intervals
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli import doctor

TABLE = pa.table({"a": [1, 2]})
PUBLISH = """
class Mood(pa.ExtensionType):
    def __init__(self): super().__init__(pa.int64(), 'test.mood')
    def __arrow_ext_serialize__(self): return b''
    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized): return cls()
pa.register_extension_type(Mood())
moods = pa.ExtensionArray.from_storage(Mood(), pa.array([1, 2, 3]))
structs = pa.StructArray.from_arrays([moods], ['inner'])
shm.share(pa.table({'mood': moods, 'structs': structs}), 'moody')
"""


@pytest.fixture(params=[ValueError, KeyError, RecursionError, AssertionError, SystemExit])
def raised(request: pytest.FixtureRequest) -> Iterator[type[BaseException]]:
    """The error that a type registered here raises, whenever pyarrow comes upon it."""

    class Moody(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pa.int64(), "test.mood")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> pa.ExtensionType:
            raise request.param("it is in a mood")

    pa.register_extension_type(Moody())
    yield request.param
    pa.unregister_extension_type("test.mood")


def test_a_type_that_raises_stops_nobody(store, peer, raised) -> None:
    publisher = peer()
    store.share(TABLE, "mine")
    publisher.run(PUBLISH)
    assert [table.name for table in store.tables()] == ["mine", "moody"]
    assert store.info("mine").num_rows == 2
    moody = store.info("moody")
    assert moody.num_rows == 3
    assert moody.as_dict()["schema"][0]["type"] == "extension<test.mood>"
    assert not store.is_mine("moody") and store.version("moody") == moody.version
    with pytest.raises(shm.TableExists):
        store.share(TABLE, "moody")
    store.share(TABLE, "other")
    publisher.quit()
    assert not [finding for finding in doctor._tables(store) if "moody" in finding.text and "no table" in finding.text]
    if issubclass(raised, Exception):
        assert moody.schema.field("mood").type == moody.schema.field("structs").type.field("inner").type == pa.int64()
        with pytest.raises(shm.DamagedTable, match=r"a library that is imported here .*mood"):
            store.attach("moody")
    assert store.gc().keys() == {"moody"}


def test_no_code_of_others_runs_for_a_list(store, peer) -> None:
    asked = []

    class Asking(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pa.int64(), "test.mood")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> pa.ExtensionType:
            asked.append(storage)
            return cls()

    peer().run(PUBLISH)
    pa.register_extension_type(Asking())
    try:
        store.tables()
        store.info("moody")
        store.is_mine("moody")
        store.info("moody").as_dict()
        assert asked == []
        assert isinstance(store.info("moody").schema.field("mood").type, Asking) and asked
        assert isinstance(store.attach("moody").schema.field("mood").type, Asking) and asked
    finally:
        pa.unregister_extension_type("test.mood")


def named(storage: pa.DataType, name: str, metadata: str = "") -> pa.Field:
    """A field whose metadata says that it has this type; any Arrow file can say so."""
    return pa.field("odd", storage, metadata={"ARROW:extension:name": name, "ARROW:extension:metadata": metadata})


def test_a_file_of_another_program_with_bad_metadata_of_a_type(store, directory) -> None:
    store.share(pd.DataFrame({"period": pd.period_range("2026", periods=2, freq="D")}), "mine")
    schema = pa.schema([named(pa.int64(), "pandas.period", "nonsense")])
    file = io.BytesIO()
    with pa.ipc.new_file(file, schema) as writer:
        writer.write_batch(pa.record_batch([[1]], schema=schema))
    (directory / "theirs.arrow").write_bytes(file.getvalue())
    assert [table.name for table in store.tables()] == ["mine", "theirs"]
    assert store.info("mine") == store.tables()[0]
    with pytest.raises(shm.DamagedTable):
        store.attach("theirs")
    store.share(TABLE, "more")
    assert store.gc().keys() == {"theirs"}


@pytest.mark.parametrize(
    "field",
    [
        named(pa.int64(), "arrow.uuid"),
        named(pa.string(), "arrow.bool8"),
        named(pa.int64(), "pandas.period", "nonsense"),
        pa.field("odd", pa.list_(named(pa.int64(), "arrow.uuid"))),
        pa.field("odd", pa.struct([pa.field("a", pa.int8()), named(pa.int64(), "arrow.uuid")])),
    ],
    ids=str,
)
@pytest.mark.parametrize("way", ["share", "writer"])
def test_what_attach_would_refuse_is_not_shared(store, field, way) -> None:
    schema = pa.schema([pa.field("good", pa.int64()), field])
    with pytest.raises(shm.UnsupportedSource) as caught:
        if way == "share":
            store.share(schema.empty_table(), "t")
        else:
            store.writer("t", schema)
    assert caught.value.column == "odd"
    assert store.names() == []
    mended = schema.set(1, pa.field("odd", pa.int64()))
    store.share(mended.empty_table(), "t")


def test_what_share_says_is_what_a_list_says(store) -> None:
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    table = pa.table({"id": uuids, "n": [1]}, metadata={"ARROW:extension:name": "mine"})
    shared = store.share(table, "t")
    found = store.info("t")
    assert shared.version == found.version and found.schema.equals(table.schema, check_metadata=True)
    assert found.schema.equals(shared.schema, check_metadata=True)
    assert found.schema.metadata == table.schema.metadata
    assert [one["type"] for one in found.as_dict()["schema"]] == ["extension<arrow.uuid>", "int64"]
    assert store.attach("t").equals(table)
