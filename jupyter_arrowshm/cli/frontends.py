"""The checks of ``doctor`` on the sidebar and the server extension: here, and where a Jupyter server runs."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from .. import __version__

_LABEXTENSION = "jupyter-arrowshm"
_SERVER_EXTENSION = "jupyter_arrowshm"
_ASK = "import importlib.metadata as m; print(m.version('jupyter-arrowshm'))"
_AGAIN = f"{sys.executable} -m pip install --force-reinstall --no-deps jupyter-arrowshm"


def examine() -> Iterator[tuple[str, str]]:
    """Findings, each with its remedy or an empty one."""
    installed = {name: version for name in ("jupyterlab", "notebook") if (version := _version(name))}
    served = list(_servers())
    if installed:
        yield ", ".join(f"{name} {version}" for name, version in installed.items()), ""
        yield sidebar()
    elif not any(has_ours for _, has_ours in served):
        yield (
            "there is no JupyterLab and no Notebook in this environment, so nothing here shows the sidebar",
            'pip install "jupyterlab>=4", or install jupyter-arrowshm into the environment of your server, too',
        )
    yield _server_extension()
    for (text, remedy), _ in served:
        yield text, remedy


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def sidebar() -> tuple[str, str]:
    """Whether JupyterLab and Notebook here find the sidebar, and show it."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    if not any(Path(folder, _LABEXTENSION, "package.json").exists() for folder in jupyter_path("labextensions")):
        return "the sidebar is not installed in this environment", f"{_AGAIN} (in a checkout: make js)"
    for folder in jupyter_config_path():
        for file in sorted(Path(folder, "labconfig").glob("page_config*")):
            disabled = _read(file).get("disabledExtensions", {})
            # A list in releases before JupyterLab 4, and in files that they left.
            if disabled.get(_LABEXTENSION) if isinstance(disabled, dict) else _LABEXTENSION in disabled:
                return f"the sidebar is disabled ({file})", f"jupyter labextension enable {_LABEXTENSION}"
    return "the sidebar is installed and enabled", ""


def _server_extension() -> tuple[str, str]:
    from jupyter_core.paths import jupyter_config_dir, jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    for folder in jupyter_config_path():  # the first that says anything counts
        manager: Any = ExtensionConfigManager(read_config_path=[folder])
        enabled = manager.get_jpserver_extensions().get(_SERVER_EXTENSION)
        if enabled:
            return "the server extension is enabled", ""
        if enabled is False:
            places = {jupyter_config_dir(): "--user", str(Path(sys.prefix, "etc", "jupyter")): "--sys-prefix"}
            return (
                f"the server extension is disabled in {folder}: no sidebar, and unused tables stay",
                f"jupyter server extension enable {_SERVER_EXTENSION} {places.get(folder, '--system')}",
            )
    return "the server extension is not installed in this environment: no sidebar, and unused tables stay", _AGAIN


def _servers() -> Iterator[tuple[tuple[str, str], bool]]:
    """The servers that run in other environments: what there is to say, and whether this package is there."""
    from jupyter_core.paths import jupyter_runtime_dir

    # As list_running_servers of jupyter_server: to import that takes 4 s with jsonschema 4.25, which compiles grammars.
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        server = _read(file)
        try:
            python = psutil.Process(server["pid"]).cmdline()[0]
        except (KeyError, psutil.Error, IndexError):
            continue  # it has ended, or is not ours
        # Not `exe()`: that of a virtual environment is the interpreter it was made from.
        if Path(python).parent == Path(sys.executable).parent:
            continue
        where = f"the server at {server['url']} runs in another environment ({python})"
        try:
            asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            continue  # not a Python that can be asked
        version = asked.stdout.strip()
        if version == __version__:
            yield (f"{where}, which has jupyter-arrowshm {version}", ""), True
        elif version:
            yield (
                (f"{where}, which has jupyter-arrowshm {version}", f"{python} -m pip install -U jupyter-arrowshm"),
                True,
            )
        else:
            yield (f"{where}, without jupyter-arrowshm", f"{python} -m pip install jupyter-arrowshm"), False


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
