"""How R gets ``arrowshm``, which is in this package: compiled by R itself, into the user's library."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .julia_setup import SetupFailed

FOLDER = Path(__file__).absolute().parents[1] / "r" / "arrowshm"
_ASK = """for (name in c("arrowshm", "nanoarrow", "IRkernel")) {
  version <- tryCatch(as.character(packageVersion(name)), error = function(e) "")
  cat(sprintf("\\n%s=%s", name, version))
}
cat(sprintf("\\nR=%s\\ndigest=%s\\n", getRversion(), system.file("sources", package = "arrowshm")))"""
_ASK_TIMEOUT = 60  # s; a start-up file may load much
_INSTALL_TIMEOUT = 600
_MARK = "sources"  # a file in the installed package: the digest of what it was compiled from


@dataclass(frozen=True)
class Answer:
    """Versions in one R, empty where a package is missing; ``is_this``: its arrowshm was made from our sources."""

    r: str
    arrowshm: str
    nanoarrow: str
    irkernel: str
    is_this: bool


def program() -> str:
    """The R on PATH; :class:`SetupFailed` if there is none."""
    found = shutil.which("R")
    if found is None:
        raise SetupFailed("there is no R here (https://www.r-project.org)")
    return found


def line() -> str:
    """The command that installs the package, for those who want to see it first."""
    return f"R CMD INSTALL '{FOLDER}'"


def ask(command: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Answer:
    """Start R as it is started for its user; :class:`SetupFailed` if it does not start."""
    said = _run([*(command or [program()]), "--no-echo", "--no-save", "--no-restore", "-e", _ASK], _ASK_TIMEOUT, env)
    found = dict(re.findall(r"^(\w+)=(.*)$", said, re.MULTILINE))
    mark = Path(found.get("digest", "") or os.devnull)
    is_this = mark.is_file() and mark.read_text().strip() == _digest()
    return Answer(
        found.get("R", ""), found.get("arrowshm", ""), found.get("nanoarrow", ""), found.get("IRkernel", ""), is_this
    )


def install() -> str:
    """Compile the package into the first of R's libraries that may be written to; returns a report."""
    answer = ask()
    if not answer.nanoarrow:
        raise SetupFailed('R has no nanoarrow, which arrowshm needs: in R, install.packages("nanoarrow")')
    if shutil.which("make") is None or not any(map(shutil.which, ("gcc", "cc", "clang"))):
        raise SetupFailed("arrowshm is compiled, and there is no C compiler here: apt-get install r-base-dev")
    with tempfile.TemporaryDirectory() as folder:
        # Compilers write beside their sources, which may belong to somebody else.
        copy = Path(folder, "arrowshm")
        shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.o", "*.so"))
        (copy / "inst").mkdir(exist_ok=True)
        (copy / "inst" / _MARK).write_text(_digest())
        library = _library()
        _run([program(), "CMD", "INSTALL", "--no-test-load", f"--library={library}", str(copy)], _INSTALL_TIMEOUT)
    return f"{library}/arrowshm: every R that is started from now on has library(arrowshm)"


def _library() -> str:
    """R's own choice of a library, made if it is the user's and not there yet (R's `R_LIBS_USER`)."""
    code = """paths <- .libPaths()
writable <- paths[file.access(paths, 2) == 0]
mine <- Sys.getenv("R_LIBS_USER")
if (!length(writable) && nzchar(mine)) { dir.create(mine, recursive = TRUE); writable <- path.expand(mine) }
cat(sprintf("\\nlibrary=%s\\n", c(writable, "")[1]))"""
    said = _run([program(), "--no-echo", "--no-save", "--no-restore", "-e", code], _ASK_TIMEOUT)
    found = re.findall(r"^library=(.+)$", said, re.MULTILINE)
    if not found:
        raise SetupFailed("R has no library that you may write to: set R_LIBS_USER to a folder of yours")
    return str(found[-1])


def _digest() -> str:
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in (".o", ".so"))
    parts = [str(path.relative_to(FOLDER)).encode() + b"\0" + path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _run(command: Sequence[str], timeout: float, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupFailed(str(error)) from None
    if done.returncode:
        lines = [one.strip() for one in done.stderr.splitlines() if one.strip()]
        errors = [one for one in lines if "rror" in one]
        raise SetupFailed((errors or lines or [f"exit code {done.returncode}"])[0])
    return done.stdout
