"""Print the path of a Julia to test with: the one on PATH, else Debian's 1.5.3 in ``.julia/`` of this checkout.

Nothing outside that folder is written and no root is needed: apt is given
folders of its own and only downloads. One line on standard error says why
where neither works, and the exit code is 1.

    python tests/julia/fetch_julia.py [FOLDER]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import debian

SUITE = "bullseye"  # the last Debian that has a julia
# bookworm's libunwind8 turns every exception that compiled code throws into a segmentation fault.
PACKAGES = ("julia", "libunwind8")
# The machine's own do: another libc beside the running one breaks the wrapper's shell.
OWN = ("libc6_", "libgcc-s1_", "gcc-1", "dpkg_", "perl-base_", "libcrypt1_")


class NoJulia(Exception):
    """Neither on PATH nor to be had."""


def find(folder: Path) -> str:
    """The path of a ``julia``; fetches one into ``folder`` if there is none on PATH."""
    if found := shutil.which("julia"):
        return found
    wrapper = folder / "julia"
    if not wrapper.exists():
        if not debian.has_apt():
            raise NoJulia("no julia on PATH, and no Debian to fetch one from: install Julia (https://julialang.org)")
        _fetch(folder)
    return str(wrapper)


def _fetch(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    apt = folder / "apt"
    if (archive := debian.archive()) is None:
        raise NoJulia("no julia on PATH, and apt knows no Debian archive to fetch one from")
    command = debian.private_apt(apt, archive, "deb", SUITE)
    _run(*command, "update")
    _run(*command, "install", "--download-only", "--no-install-recommends", "--yes", *PACKAGES)
    root = folder / "root"
    for package in sorted((apt / "archives").glob("*.deb")):
        if not package.name.startswith(OWN):
            _run("dpkg-deb", "-x", str(package), str(root))
    shutil.rmtree(apt)
    _write_wrapper(folder, root)


def _write_wrapper(folder: Path, root: Path) -> None:
    libraries = next(root.glob("usr/lib/*/julia")).parent
    places = [libraries, root / "lib" / libraries.name, libraries / "julia", *libraries.glob("openblas*")]
    wrapper = folder / "julia.new"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'LD_LIBRARY_PATH="{":".join(map(str, places))}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        "export LD_LIBRARY_PATH\n"
        f'exec "{root}/usr/bin/julia" "$@"\n'
    )
    wrapper.chmod(0o755)
    found = subprocess.run([str(wrapper), "--version"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise NoJulia(f"Debian's julia does not run here: {_last_line(found.stderr)}")
    wrapper.rename(folder / "julia")  # only now: half a folder is fetched again


def _run(*command: str) -> None:
    found = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if found.returncode:
        raise NoJulia(f"no julia on PATH, and fetching Debian's failed: {_last_line(found.stderr)}")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / ".julia"
    try:
        print(find(folder.absolute()))
    except NoJulia as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
