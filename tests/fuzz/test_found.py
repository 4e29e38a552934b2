"""What garbled files have found: each is refused with a typed error, or read, without the fuzz."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import garble
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.looking import answers, questions
from jupyter_arrowshm.preview import View, source

BITS = pa.py_buffer(b"\xfd")  # the second of eight is null
QUESTIONS: dict[str, dict[str, Any]] = {
    "rows": {},
    "sorted": {"what": "rows", "sort": '[{"column": 0}]'},
    "summary": {},
    "export": {"format": "arrow"},
}


@pytest.fixture
def store(directory: Path) -> shm.Store:
    directory.mkdir(0o700)
    return shm.Store(directory)


def file(*arrays: pa.Array, metadata: dict[str, str] | None = None) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, pa.schema([("x", arrays[0].type)]), metadata=metadata) as writer:
        for array in arrays:
            writer.write_batch(pa.record_batch([array], ["x"]))
    return sink.getvalue()


def put(store: shm.Store, data: bytes) -> None:
    Path(store.path("t")).write_bytes(data)


def ask(store: shm.Store) -> dict[str, str]:
    """What previews say of the table, by question: the error's name."""
    found = {}
    for name, question in QUESTIONS.items():
        asked = questions.parse({"what": name, **question}, name="t", directory=store.directory)
        found[name] = answers.answer(answers.OpenTables(), asked).head.get("error", "")
    return found


def view(length: int) -> bytes:
    return struct.pack("<i12s", length, b"")


@pytest.mark.parametrize("metadata", [None, {"arrowshm.protocol": "1"}], ids=["another program's", "ours"])
@pytest.mark.parametrize("shape", ["plain", "list", "struct", "map", "dictionary", "runs"])
def test_a_broken_view_in_a_row_that_is_null(store: shm.Store, shape: str, metadata: dict[str, str] | None) -> None:
    """pyarrow's validation leaves such rows out, and its cast and ``to_pandas`` crash over them."""
    views = pa.py_buffer(view(0) + view(-1))
    texts = pa.Array.from_buffers(pa.string_view(), 2, [BITS, views, pa.py_buffer(b"text")])
    offsets = pa.array([0, 1, 2], pa.int32())
    array = {
        "plain": texts,
        "list": pa.ListArray.from_arrays(offsets, texts),
        "struct": pa.StructArray.from_arrays([texts], ["s"]),
        "map": pa.MapArray.from_arrays(offsets, pa.array(["a", "b"]), texts),
        "dictionary": pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), texts),
        "runs": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2], pa.int32()), texts),
    }[shape]
    put(store, file(array, metadata=metadata))
    for validate in ("full",) if metadata else ("full", None):
        with pytest.raises(shm.DamagedTable):
            store.attach("t", validate=validate)
    if shape in ("plain", "dictionary", "runs"):
        assert ask(store)["sorted"] == ask(store)["summary"] == "DamagedTable"


def test_a_null_count_that_is_wrong(store: shm.Store) -> None:
    for kind in (pa.int64(), pa.time64("us"), pa.decimal128(5, -2)):
        data = pa.py_buffer(bytes(2 * kind.bit_width // 8))
        put(store, file(pa.Array.from_buffers(kind, 2, [BITS, data], null_count=2)))
        said = ask(store)
        assert said["export"] == "DamagedTable"
        if kind == pa.int64():
            assert said["rows"] == "DamagedTable"


def test_a_batch_of_more_rows_than_bytes() -> None:
    """Of the columns that are not filtered by, single rows are taken; pyarrow would take them from wherever."""
    sink = io.BytesIO()
    table = pa.table({"n": range(1000), "short": range(1000)})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data = bytearray(sink.getvalue())
    *_, at = (at for at, _ in garble.places(bytes(data)).words if struct.unpack_from("<q", data, at) == (8000,))
    struct.pack_into("<q", data, at, 8)  # bytes of the second column
    view = View(pa.ipc.open_file(data).read_all(), filter='{"column": 0, "op": "==", "value": 999}')
    with pytest.raises(pa.ArrowInvalid, match="Buffer #1 too small"):
        view.page()


def test_a_name_that_is_no_text(store: shm.Store) -> None:
    """It is not what a list of all the other tables fails over."""
    store.share({"x": [1]}, "good")
    put(store, file(pa.array([1])).replace(b"\1\0\0\0x\0", b"\1\0\0\0\xff\0"))
    (listed,) = store.tables()
    assert listed.name == "good" and json.dumps(listed.as_dict())
    with pytest.raises(shm.DamagedTable):
        store.attach("t")


def test_what_pyarrow_has_no_arrays_of(store: shm.Store) -> None:
    data = bytearray(file(pa.array([(1, 2, 3)], pa.month_day_nano_interval())))
    for at, _ in garble.places(bytes(data)).tags:
        patched = data[:at] + b"\0\0" + data[at + 2 :]  # YEAR_MONTH of IntervalUnit (Schema.fbs)
        try:
            is_found = str(pa.ipc.open_file(patched).schema.field(0).type) == "month_interval"
        except (pa.ArrowException, OSError):
            continue
        if is_found:
            break
    assert is_found
    put(store, bytes(patched))
    assert ask(store) == {"rows": "", "sorted": "InvalidQuery", "summary": "", "export": ""}
    assert store.info("t").num_rows == 1


def test_a_bitmap_that_is_too_short(store: shm.Store) -> None:
    """Arrow counts the nulls of an array that it hands on: the bitmap's length must be known before."""
    texts = pa.array([None] * 33 + ["x"] * 44)
    data = file(pa.StructArray.from_arrays([texts], ["a"]), metadata={"arrowshm.protocol": "1"})
    # The FieldNode of what is inside: its length, and a number of nulls that nobody counted (Message.fbs).
    data = data.replace(struct.pack("<qq", 77, 33), struct.pack("<qq", 2**40, -1))
    put(store, data)
    code = f"""
from jupyter_arrowshm.looking import answers, questions
question = questions.RowsQuestion("t", {store.directory!r})
print(answers.answer(answers.OpenTables(), question).head["error"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "DamagedTable\n"), done.stderr


def test_a_decimal_that_python_has_not(store: shm.Store) -> None:
    put(store, file(pa.Array.from_buffers(pa.decimal128(5, 2**31 - 1), 1, [None, pa.py_buffer(bytes(15) + b"\0")])))
    assert set(ask(store).values()) == {""}


def test_more_rows_than_numbers(store: shm.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that says that it has 2**62 rows is damaged, however it is read."""
    data = bytearray(file(*[pa.nulls(77)] * 3))
    for at, _ in garble.places(bytes(data)).words:
        if struct.unpack_from("<q", data, at) == (77,):
            struct.pack_into("<q", data, at, 2**62)
    put(store, bytes(data))
    monkeypatch.setattr(source, "_FEW_CELLS", 0)  # as a file of many batches is read
    assert set(ask(store).values()) == {"DamagedTable"}


@pytest.mark.parametrize("valid", [None, BITS], ids=["valid", "null"])
def test_a_view_that_points_out_of_its_buffer_is_refused_before_it_becomes_text(store: shm.Store, valid: Any) -> None:
    """A file that says that it is ours is not checked, but what takes its columns apart would crash over this one."""
    far = struct.pack("<i4sii", 100, b"abcd", 0, 1 << 30)
    views = pa.py_buffer(view(0) + far + view(0) * 6)
    array = pa.Array.from_buffers(pa.string_view(), 8, [valid, views, pa.py_buffer(b"text")])
    put(store, file(array, metadata={"arrowshm.protocol": "1"}))
    with pytest.raises(shm.DamagedTable):
        store.attach("t")
    for kind in ("pandas", "numpy"):
        with pytest.raises(shm.ArrowSHMError):
            store.attach("t", to=kind)
