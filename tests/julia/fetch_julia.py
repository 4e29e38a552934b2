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

SUITE = "bullseye"  # the last Debian that has a julia
# bookworm's libunwind8 turns every exception that compiled code throws into a segmentation fault.
PACKAGES = ("julia", "libunwind8")
# The machine's own do: another libc beside the running one breaks the wrapper's shell.
OWN = ("libc6_", "libgcc-s1_", "gcc-1", "dpkg_", "perl-base_", "libcrypt1_")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class NoJulia(Exception):
    """Neither on PATH nor to be had."""


def find(folder: Path) -> str:
    """The path of a ``julia``; fetches one into ``folder`` if there is none on PATH."""
    if found := shutil.which("julia"):
        return found
    wrapper = folder / "julia"
    if not wrapper.exists():
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise NoJulia("no julia on PATH, and no Debian to fetch one from: install Julia (https://julialang.org)")
        _fetch(folder)
    return str(wrapper)


def _fetch(folder: Path) -> None:
    apt = folder / "apt"
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()  # as if nothing were installed: everything that julia needs comes along
    mirror = _mirror()
    signed = f"[signed-by={KEYRING}] " if os.path.exists(KEYRING) else ""
    (apt / "sources.list").write_text(f"deb {signed}{mirror} {SUITE} main\n")
    options = {
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "APT::Sandbox::User": "",
        "APT::Get::List-Cleanup": "0",
        "Debug::NoLocking": "1",
    }
    command = ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    _run(*command, "update")
    _run(*command, "install", "--download-only", "--no-install-recommends", "--yes", *PACKAGES)
    root = folder / "root"
    for package in sorted((apt / "archives").glob("*.deb")):
        if not package.name.startswith(OWN):
            _run("dpkg-deb", "-x", str(package), str(root))
    shutil.rmtree(apt)
    _write_wrapper(folder, root)


def _mirror() -> str:
    """The Debian archive that this machine is set up to use."""
    found = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN)"], capture_output=True, text=True, check=False
    )
    for line in found.stdout.splitlines():
        uri, _, origin = line.partition(" ")
        if origin == "Debian" and "security" not in uri:
            return uri
    # Before the first apt-get update, apt knows no origins.
    for line in found.stdout.splitlines():
        uri = line.partition(" ")[0]
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise NoJulia("no julia on PATH, and apt knows no Debian archive to fetch one from")


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
