"""A table's file: how a client writes the footer, and how it reads footers that others wrote."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import pyarrow as pa
import pytest
from conformance import witness

PROTOCOL = {"arrowshm.protocol": "1", "arrowshm.name": "t"}
KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"


def test_every_key_of_the_footer(one, directory) -> None:
    """A client writes every key that applies, and no other."""
    one.do("share", rows=7)
    facts = witness.footer(directory / "t.arrow")
    assert re.fullmatch("[0-9a-f]{32}", facts.pop("arrowshm.id"))
    assert re.fullmatch("[0-9a-f]{32}", facts.pop("arrowshm.token"))
    published = dt.datetime.fromisoformat(facts.pop("arrowshm.published"))
    assert published.tzinfo is not None
    assert abs(dt.datetime.now(dt.timezone.utc) - published) < dt.timedelta(hours=1)
    assert facts.pop("arrowshm.boot") == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    for key in ("source", "version", "library"):
        assert facts.pop(f"arrowshm.{key}"), key
    assert facts == {
        **PROTOCOL, "arrowshm.rows": "7", "arrowshm.pid": str(one.pid), "arrowshm.language": one.language,
    }  # fmt: skip


def test_every_version_has_an_id_of_its_own(one, directory) -> None:
    seen = set()
    for _ in range(3):
        one.do("share")
        seen.add(witness.footer(directory / "t.arrow")["arrowshm.id"])
    assert len(seen) == 3


def test_a_kernel_and_a_script_say_so(client, language, directory, tmp_path) -> None:
    kernel = client(language, kernel=f"/run/kernel-{KERNEL}.json", env={"JPY_SESSION_NAME": "/home/me/model.ipynb"})
    script = client(language, script=tmp_path / "etl")
    kernel.do("share", name="a")
    script.do("share", name="b")
    facts, other = (witness.footer(directory / f"{name}.arrow") for name in "ab")
    assert facts["arrowshm.kernel"] == KERNEL
    assert facts["arrowshm.notebook"] == "model.ipynb"
    assert "arrowshm.script" not in facts
    assert other["arrowshm.script"] == str(tmp_path / "etl")
    assert not {"arrowshm.kernel", "arrowshm.notebook"} & other.keys()


def test_any_arrow_reader_can_open_it(one, directory) -> None:
    one.do("share", rows=5)
    with pa.memory_map(str(directory / "t.arrow")) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
        table.validate(full=True)
        assert table.to_pydict() == {"a": [0, 1, 2, 3, 4]}
        assert pa.total_allocated_bytes() == 0 or table["a"].chunk(0).buffers()[1].size >= 40
        assert not table.schema.metadata, "the schema's metadata is the user's"


def test_unknown_keys_are_passed_over_and_missing_ones_are_no_fault(one, directory) -> None:
    one.do("share", name="mine")
    for facts in ({**PROTOCOL, "arrowshm.future": "x", "other": "y"}, PROTOCOL, {"arrowshm.protocol": "1"}):
        witness.write(directory / "t.arrow", facts)
        one.do("attach")
        assert one.get("sum") == 3
        assert one.get("info")["rows"] == 3
        assert one.get("info")["alive"] is not True


@pytest.mark.parametrize("text", ["", "-3", "three", "9" * 30])
def test_numbers_that_do_not_parse_are_no_fault(one, directory, text) -> None:
    one.do("share", name="mine")
    witness.write(directory / "t.arrow", {**PROTOCOL, "arrowshm.rows": text, "arrowshm.pid": text})
    assert one.get("info")["rows"] == 3
    one.do("attach")
    assert one.get("sum") == 3


@pytest.mark.parametrize("protocol", ["2", "0", "", "1.0", "x"])
def test_another_protocol_is_refused_and_listed_with_the_rest(one, directory, protocol) -> None:
    one.do("share", name="mine")
    witness.write(directory / "t.arrow", {**PROTOCOL, "arrowshm.protocol": protocol})
    assert one.refuses("attach") == "NewerProtocol"
    assert "mine" in one.get("names")


def test_a_file_of_another_program_is_a_table_too(one, directory) -> None:
    one.do("share", name="mine")
    witness.write(directory / "t.arrow", {}, rows=4)
    one.do("attach")
    assert one.get("sum") == 6
    about = one.get("info")
    assert (about["rows"], about["alive"] is True) == (4, False)


def test_files_that_are_no_tables(one, directory) -> None:
    """A damaged file is `DamagedTable`, anything but a file is `TableNotFound`, and neither breaks the list."""
    one.do("share", name="mine")
    whole = (directory / "mine.arrow").read_bytes()
    damaged = {"empty": b"", "text": b"hello, this is not a table at all", "half": whole[: len(whole) // 2]}
    for name, data in damaged.items():
        (directory / f"{name}.arrow").write_bytes(data)
        assert one.refuses("attach", name=name) == "DamagedTable", name
    witness.write(directory / "packed.arrow", {}, rows=1000, compression="lz4")
    assert one.refuses("attach", name="packed") == "DamagedTable"
    os.mkfifo(directory / "pipe.arrow")
    (directory / "link.arrow").symlink_to("mine.arrow")
    (directory / "folder.arrow").mkdir()
    for name in ("pipe", "link", "folder"):
        assert one.refuses("attach", name=name) == "TableNotFound", name
    assert "mine" in one.get("names")
    assert not {"pipe", "link", "folder", *damaged} & set(one.get("names"))
