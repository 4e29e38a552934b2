"""An apt with folders of its own, which needs no root and changes nothing of the machine: it only downloads."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def has_apt() -> bool:
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def private_apt(folder: Path, archive: str, kind: str, suite: str) -> list[str]:
    """The start of an ``apt-get`` command for one suite of an archive; ``kind`` is ``deb`` or ``deb-src``.

    For it nothing is installed yet, so that everything that a package needs comes along. ``folder`` is made anew.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("lists/partial", "archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    signed = f"[signed-by={KEYRING}] " if os.path.exists(KEYRING) else ""
    (folder / "sources.list").write_text(f"{kind} {signed}{archive} {suite} main\n")
    options = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "APT::Sandbox::User": "",
        "APT::Get::List-Cleanup": "0",
        "Debug::NoLocking": "1",
    }
    return ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def archive() -> str | None:
    """The Debian archive that this machine is set up to use."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN)"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    known = [line.partition(" ")[::2] for line in found.stdout.splitlines()]
    by_origin = [uri for uri, origin in known if origin == "Debian" and "security" not in uri]
    # Before the first apt-get update, apt knows no origins.
    by_path = [uri for uri, _ in known if uri.rstrip("/").endswith("/debian")]
    return next(iter(by_origin + by_path), None)
