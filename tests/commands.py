"""``jupyter arrowshm`` as a shell runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from notebooks import OUR_WORDS

SCRIPT = [str(Path(sys.executable).parent / "jupyter"), "arrowshm"]
MODULE = [sys.executable, "-m", "jupyter_arrowshm"]


def command(*words: str, program: list[str] = MODULE, **keywords: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False, **keywords)  # type: ignore[call-overload]
    if "--json" not in words:  # programs get the names of the Python interface
        assert not OUR_WORDS.search(done.stdout + done.stderr), done
    return done


def says(*words: str, program: list[str] = MODULE) -> str:
    """What a command that succeeds prints."""
    done = command(*words, program=program)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def fails(*words: str, program: list[str] = MODULE) -> str:
    """The one line on stderr of a command that fails."""
    done = command(*words, program=program)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert done.stderr.count("\n") == 1, done
    return done.stderr.removesuffix("\n")
