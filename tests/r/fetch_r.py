"""Get R for the tests: print the path of ``R``, with nanoarrow and our package compiled into ``.r/`` of this checkout.

R itself is the one on PATH, else Debian's, which needs root. nanoarrow is the source that the machine's own Debian
archive has. One line on standard error says what could not be had, and the exit code is 1.

    python tests/r/fetch_r.py [FOLDER]
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import debian

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "jupyter_arrowshm" / "r" / "arrowshm"
DEBIAN = ("r-base-core", "r-cran-irkernel", "r-cran-bit64", "r-cran-tibble", "r-cran-data.table")
COMPILER = ("gcc", "g++", "make", "libc6-dev")
SUITES = ("trixie", "forky", "sid")  # bookworm, the first Debian whose R is new enough, does not have nanoarrow yet


class NoR(Exception):
    """What is missing, and why."""


def find(folder: Path) -> str:
    """The path of ``R``; whatever is missing is fetched and compiled."""
    program = shutil.which("R") or _install_r()
    library = folder / "library"
    library.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:  # the workers of pytest all ask
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_libraries(program, folder, library)
    return program


def _install_libraries(program: str, folder: Path, library: Path) -> None:
    if not _has(program, library, "nanoarrow"):
        _install(program, library, _fetch_nanoarrow(folder / "apt"), "nanoarrow")
        shutil.rmtree(folder / "apt", ignore_errors=True)
    if _digest() != _read(library / "arrowshm.digest"):
        _install(program, library, _copy(folder / "source"), "arrowshm")
        shutil.rmtree(folder / "source")
        (library / "arrowshm.digest").write_text(_digest())


def _install_r() -> str:
    if not shutil.which("apt-get"):
        raise NoR("no R on PATH, and no Debian to install one from: install R (https://www.r-project.org)")
    if os.geteuid() != 0:
        raise NoR(f"no R on PATH, and only root can install it: sudo apt-get install {' '.join(DEBIAN)}")
    _run("R", "apt-get", "-qq", "update")
    _run("R", "apt-get", "-qq", "install", "--no-install-recommends", "--yes", *DEBIAN, *COMPILER)
    found = shutil.which("R")
    if found is None:
        raise NoR("no R on PATH, although Debian's was installed")
    return found


def _has(program: str, library: Path, package: str) -> bool:
    code = f"quit(status = !requireNamespace('{package}', quietly = TRUE))"
    command = [program, "--vanilla", "--no-echo", "-e", code]
    return subprocess.run(command, env=_environment(library), capture_output=True, check=False).returncode == 0


def _install(program: str, library: Path, source: Path, package: str) -> None:
    command = (program, "CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", str(library), str(source))
    _run(package, *command, env=_environment(library))


def _fetch_nanoarrow(apt: Path) -> Path:
    if not debian.has_apt():
        raise NoR('R has no nanoarrow, and there is no Debian to fetch it from: in R, install.packages("nanoarrow")')
    if (archive := debian.archive()) is None:
        raise NoR("R has no nanoarrow, and apt knows no Debian archive to fetch it from")
    for suite in SUITES:
        command = debian.private_apt(apt, archive, "deb-src", suite)
        _run("nanoarrow", *command, "update")
        # CRAN's own archive alone: a mirror may lack what Debian adds to it.
        asked = [*command, "source", "--download-only", "--only-source", "--tar-only", "r-cran-nanoarrow"]
        if subprocess.run(asked, cwd=apt, capture_output=True, check=False).returncode == 0:
            return next(apt.glob("*.orig.tar.*"))
    raise NoR("R has no nanoarrow, and this machine's Debian archive does not have its source")


def _copy(source: Path) -> Path:
    """Compilers write beside their sources: into a copy."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(PACKAGE, source / "arrowshm", ignore=shutil.ignore_patterns("*.o", "*.so"))
    return source / "arrowshm"


def _digest() -> str:
    """Of our package's sources: it is compiled anew when one of them has changed."""
    files = sorted(path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".o", ".so"))
    parts = [str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _environment(library: Path) -> dict[str, str]:
    libraries = [str(library), *filter(None, [os.environ.get("R_LIBS")])]
    return {**os.environ, "R_LIBS": os.pathsep.join(libraries), "LC_ALL": "C.UTF-8"}


def _run(what: str, *command: str, env: dict[str, str] | None = None) -> None:
    env = {**(env or os.environ), "DEBIAN_FRONTEND": "noninteractive", "MAKEFLAGS": ""}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if found.returncode:
        said = [line for line in (found.stdout + found.stderr).splitlines() if "rror" in line or line.startswith("E:")]
        raise NoR(f"{what} could not be installed: {(said or ['no message'])[0].strip()}")


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / ".r"
    try:
        print(find(folder.absolute()))
    except NoR as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
