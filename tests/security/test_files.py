"""Files that are not what they seem: two names of one file, names that look alike, metadata without end, bombs."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from peers import Peer

import jupyter_arrowshm as shm

TABLE = pa.table({"a": [1, 2, 3]})
MB = 1 << 20


def write(path: Path, table: pa.Table, metadata: dict[str, str] | None = None, compression: str | None = None) -> None:
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=options, metadata=metadata) as w,
    ):
        w.write_table(table)


def test_a_file_that_has_a_name_elsewhere_too(store: shm.Store, parent: Path) -> None:
    """A hard link: what the store does with its name is not done to the file."""
    outside = parent / "outside.arrow"
    write(outside, TABLE)
    outside.chmod(0o640)
    before, data = os.stat(outside), outside.read_bytes()
    store.share(TABLE, "good")
    for remove in (
        lambda: store.unshare("t"),
        lambda: store.share(TABLE.slice(1), "t", replace=True),
        lambda: store.gc(),
    ):
        Path(store.path("t")).unlink(missing_ok=True)
        os.link(outside, store.path("t"))
        assert store.attach("t").equals(TABLE) and store.info("t").publisher.label == "another program"
        remove()
        after = os.stat(outside)
        assert outside.read_bytes() == data and (after.st_mode, after.st_nlink) == (before.st_mode, 1)


def test_names_that_look_alike_are_other_tables(store: shm.Store) -> None:
    """What is invisible is refused (tests/core/test_names.py); letters that only look alike are other letters."""
    alike = [
        "trips",
        "Trips",
        "TRIPS",
        "tr\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}ps",
        "tr\N{LATIN SMALL LETTER DOTLESS I}ps",
    ]
    for number, name in enumerate(alike):
        store.share(pa.table({"number": [number]}), name)
    assert {table.name: store.attach(table.name)["number"][0].as_py() for table in store.tables()} == {
        name: number for number, name in enumerate(alike)
    }
    with pytest.raises(shm.TableNotFound):
        store.attach("tr\N{GREEK SMALL LETTER IOTA}ps")


def test_what_a_file_says_of_itself_is_cut(store: shm.Store, directory: Path) -> None:
    store.share(TABLE, "good")
    facts = dict.fromkeys(("id", "name", "published", "kernel", "notebook", "script", "source", "pid"), "x" * 5 * MB)
    write(directory / "t.arrow", TABLE, {"arrowshm.protocol": "1", **{f"arrowshm.{key}": facts[key] for key in facts}})
    assert len(json.dumps(store.info("t").as_dict())) < 40_000
    assert len(repr(store.tables())) < 40_000
    assert store.attach("t").equals(TABLE)


def test_metadata_without_end_is_not_read(store: shm.Store, directory: Path, peer: Callable[..., Peer]) -> None:
    """Of a footer of half a gigabyte, a listing takes no memory; a table that is shared cannot have one."""
    store.share(TABLE, "good")
    large = TABLE.replace_schema_metadata({"note": "x" * 64 * MB})
    write(directory / "t.arrow", large)
    with (directory / "u.arrow").open("wb") as file:  # a hole
        file.write(b"ARROW1\0\0")
        file.seek(512 * MB, os.SEEK_CUR)
        file.write((512 * MB).to_bytes(4, "little") + b"ARROW1")
    reader = peer()
    reader.run("import resource; shm.tables()")
    reader.run("most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss")
    assert reader.get("[table.name for table in shm.tables()]") == ["good"]
    assert reader.get("resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most") < 30_000
    with pytest.raises(shm.UnsupportedSource, match="replace_schema_metadata"):
        store.share(large, "v")
    assert store.attach("t").equals(TABLE)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_decompression_bomb(store: shm.Store, directory: Path, peer: Callable[..., Peer], compression: str) -> None:
    """A gigabyte of zeros in a few kilobytes: whoever looks at it, or lists it, takes no memory for it."""
    if not pa.Codec.is_available(compression):
        pytest.skip(f"this pyarrow has no {compression}")
    store.share(TABLE, "good")
    zeros = pa.py_buffer(mmap.mmap(-1, 1 << 30))
    write(
        directory / "bomb.arrow",
        pa.table({"z": pa.Array.from_buffers(pa.int64(), 1 << 27, [None, zeros])}),
        None,
        compression,
    )
    assert os.stat(directory / "bomb.arrow").st_size < 8 * MB
    one = peer()
    one.run("""
import resource
from jupyter_arrowshm.cli import main as cli
from jupyter_arrowshm.looking import answers
from jupyter_arrowshm.looking.questions import RowsQuestion, SummaryQuestion
bomb = dict(name='bomb', directory=shm.Store().directory)
worker = answers.OpenTables()
shm.tables()
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
""")
    for validate in (None, "full"):
        with pytest.raises(shm.DamagedTable, match="it is compressed"):
            one.run(f"shm.attach('bomb', validate={validate!r})")
    assert one.get("shm.info('bomb').num_rows") == 1 << 27
    for question in ("RowsQuestion(**bomb, limit=3, cell=9)", "SummaryQuestion(**bomb)"):
        head, _ = one.get(f"answers.answer(worker, {question})")
        assert head["error"] == "DamagedTable" and "compressed" in head["message"]
    assert one.get("cli.main(['head', 'bomb'])") == 1
    assert one.get("[table.name for table in shm.tables()]") == ["bomb", "good"]
    assert one.get("resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most") < 100_000
    assert store.attach("good").equals(TABLE)
