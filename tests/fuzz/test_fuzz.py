"""2,000 garbled files of all types, each read in every way of both languages: data or a typed error.

No signal, no wait, no flood of memory. Each file is read in processes that may
not take much more than they had, and that say which file they are at: the
bytes of one that ends a process, or that keeps it busy for two minutes, are kept.
``JUPYTER_ARROWSHM_SEED`` and a file's number make the same bytes again.
"""

from __future__ import annotations

import collections
import json
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.record import times
from fuzz import corpus
from julia_peers import FLAGS, LOOP, Julia
from peers import Peer

FILES = times(2_000, 100_000)
SEED = int(os.environ.get("JUPYTER_ARROWSHM_SEED", "1"))
AT_ONCE = 500
SPACE = 1 << 30  # bytes of addresses that reading may take
HERE = Path(__file__).parent


@pytest.fixture
def python(directory: Path) -> Iterator[Peer]:
    # As the preview's worker has it: the system's allocator reserves no addresses ahead.
    started = Peer(env={"ARROW_DEFAULT_MEMORY_POOL": "system"})
    started.run("from fuzz import reader")
    _limit(started.pid)
    yield started
    started.end()


@pytest.fixture
def julia(julia_program: str, directory: Path) -> Iterator[Julia]:
    """As users run it: with ``--check-bounds=yes`` or interpreted, no ``@inbounds`` would be what it says."""
    options = [flag for flag in FLAGS if not flag.startswith("--check-bounds")]
    started = Julia(julia_program, "-e", LOOP, flags=options)
    started.run(f'ENV["JUPYTER_ARROWSHM_DIR"] = "{directory}"; include("{HERE / "reader.jl"}")')
    _limit(started.pid)
    yield started
    started.kill()


def _limit(pid: int) -> None:
    limit = _status(pid, "VmSize") + SPACE
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def _status(pid: int, key: str) -> int:
    """Bytes (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])


@pytest.mark.timeout(600 + FILES // 5)
def test_garbled_files(python: Peer, julia: Julia, directory: Path, tmp_path: Path, tried: Callable[..., None]) -> None:
    # All in memory: ext4 writes a small file that replaces another to the disk at once, three times for each file here.
    store = directory.parent / "other"
    for made in (directory, store):
        made.mkdir(0o700)
    samples = corpus.samples()
    counts = {reader: collections.Counter[str]() for reader in ("python", "julia")}
    progress = {reader: str(directory.parent / reader) for reader in counts}

    def ended(reader: str, code: int) -> None:
        at = Path(progress[reader]).read_text()
        if at.isdigit():
            kept = tmp_path / f"{reader}-{at}.arrow"
            made_from, data = corpus.garbled(samples, SEED, int(at))
            kept.write_bytes(data)
            at = f"{at} ({made_from}): {kept}"
        pytest.fail(f"{reader} ended with {code} at seed {SEED}, file {at}", pytrace=False)

    for start in range(0, FILES, AT_ONCE):
        names = [str(number) for number in range(start, min(start + AT_ONCE, FILES))]
        for name in names:
            (directory / f"{name}.arrow").write_bytes(corpus.garbled(samples, SEED, int(name))[1])
        julia.start(f"Fuzz.read_all({json.dumps(names)}, {json.dumps(progress['julia'])})")
        asked = f"reader.read_all({str(directory)!r}, {str(store)!r}, {names}, {progress['python']!r})"
        try:
            counts["python"] += python.get(asked)
        except EOFError:
            ended("python", python.process.wait())
        try:
            counts["julia"] += julia.wait()
        except EOFError:
            ended("julia", julia.process.wait())
        for name in names:
            (directory / f"{name}.arrow").unlink()
    for reader, pid in (("python", python.pid), ("julia", julia.pid)):
        assert not [text for text in counts[reader] if text.startswith("!")], f"seed {SEED}"
        assert _status(pid, "VmHWM") < SPACE
        tried("garbled", FILES, language=reader, place="tmpfs")
    # Most files are harmed, and not most of them at once: else the test would test the first check only.
    for reader, what in (("python", "full"), ("python", "page"), ("julia", "attach")):
        assert counts[reader][f"{what}: DamagedTable"] > FILES // 10 < counts[reader][f"{what}: fine"], counts
