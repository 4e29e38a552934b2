"""5,000 garbled files of all types end in an error or in values, never in a signal, and not in a wait."""

from __future__ import annotations

import collections
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import garble
import pyarrow as pa
import pytest
from julia_peers import FLAGS, HERE, LOOP, Julia
from samples import arrays

COPIES = int(os.environ.get("JUPYTER_ARROWSHM_GARBLED", "5000"))
SEED = int(os.environ.get("JUPYTER_ARROWSHM_SEED", "1"))


def files() -> dict[str, bytes]:
    """One file for each type; time zones differ in their name only, and each would be compiled."""
    found = {}
    for name, array in arrays().items():
        if "tz=" in name and not name.endswith("us, tz=UTC]"):
            continue
        sink = io.BytesIO()
        batches = [array] if len(found) % 3 else [array[:4], array[4:]]
        schema = pa.schema([pa.field("x", array.type)])
        with pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as writer:
            for batch in batches:
                writer.write_batch(pa.record_batch([batch], schema=schema))
        found[name] = sink.getvalue()
    return found


@pytest.fixture
def unchecked_julia(julia_program: str, directory: Path) -> Iterator[Julia]:
    """One as users run it: with ``--check-bounds=yes`` or interpreted, no ``@inbounds`` would be what it says."""
    options = [flag for flag in FLAGS if not flag.startswith("--check-bounds")]
    started = Julia(julia_program, "-e", LOOP, flags=options)
    yield started
    started.kill()


@pytest.mark.timeout(600)
def test_garbled_files(unchecked_julia: Julia, directory: Path, tmp_path: Path) -> None:
    julia, progress, rng = unchecked_julia, tmp_path / "progress", random.Random(SEED)
    julia.run(f'include("{HERE / "fuzz.jl"}"); ENV["JUPYTER_ARROWSHM_DIR"] = "{directory}"; progress = "{progress}"')
    directory.mkdir(0o700)
    samples = files()
    where = {name: garble.places(data) for name, data in samples.items()}
    counts: collections.Counter[str] = collections.Counter()
    for start in range(0, COPIES, 500):
        names = []
        for number in range(start, min(start + 500, COPIES)):
            kind = list(samples)[number % len(samples)]
            data = garble.garble(samples[kind], where[kind], rng)
            (directory / f"g{number}.arrow").write_bytes(data)
            names.append(f"g{number}")
        try:
            counts += julia.get(f"Fuzz.read_all({names!r}, progress)".replace("'", '"'))
        except EOFError as death:
            name = progress.read_text()
            kind = list(samples)[int(name[1:]) % len(samples)]
            kept = Path(f"{progress}-{kind.replace('/', '_')}.arrow")
            kept.write_bytes((directory / f"{name}.arrow").read_bytes())
            pytest.fail(f"{death}, reading {kind} (seed {SEED}): {kept}", pytrace=False)
        for name in names:
            (directory / f"{name}.arrow").unlink()
    assert not [text for text in counts if text.startswith("!")]
    assert julia.get("Sys.maxrss()") < 2**31
    # Most copies are harmed, not most of them fatally: else the test would test the first check only.
    assert counts["DamagedSegment"] > COPIES // 10 < counts["fine"]
