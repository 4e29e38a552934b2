"""Garbled files of all types, each attached, read and shared again by R: data or an error of ours, never a signal."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.record import times
from fuzz import corpus

FILES = times(500, 20_000)
AT_ONCE = 250
READER = Path(__file__).parents[1] / "fuzz" / "reader.R"


@pytest.mark.timeout(600 + FILES // 5)
def test_garbled_files(new_r: Callable[..., object], directory: Path, tried: Callable[..., None]) -> None:
    directory.mkdir(0o700)
    samples, counts = corpus.samples(), collections.Counter[str]()
    r, progress = new_r(), directory.parent / "progress"  # in memory: written 500 times
    r.run(f"source({json.dumps(str(READER))})")
    for start in range(0, FILES, AT_ONCE):
        names = [str(number) for number in range(start, min(start + AT_ONCE, FILES))]
        for name in names:
            (directory / f"{name}.arrow").write_bytes(corpus.garbled(samples, 1, int(name))[1])
        try:
            counts.update(r.get(f"Fuzz$read_all(c({', '.join(map(json.dumps, names))}), {json.dumps(str(progress))})"))
        except EOFError as error:
            pytest.fail(f"{error} at file {progress.read_text()} of seed 1", pytrace=False)
        for name in names:
            (directory / f"{name}.arrow").unlink()
    assert not [text for text in counts if text.startswith("!")], counts
    for what in ("attach", "stream"):
        assert counts[f"{what}: DamagedTable"] > FILES // 10 < counts[f"{what}: fine"], counts
    tried("garbled", FILES, language="R", place="tmpfs")
