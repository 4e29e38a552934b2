"""The notebooks of ``binder/``, run as a person would: side by side in real kernels, in the order that they say.

    python tests/walk.py            runs them and stores what they show

A walk is a list of parts. A part begins at a code cell, named by its id, and
goes on to the next part of the same notebook.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from julia_kernel import specify
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from r_peers import environment as r_environment

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

NOTEBOOKS = Path(__file__).parents[1] / "binder" / "notebooks"
JULIA = "3-attach-julia"
R = "6-attach-r"
WALK = (
    ("1-share", "share"),
    ("2-attach-python", "attach"),
    ("1-share", "new-version"),
    ("2-attach-python", "after"),
    (JULIA, "attach"),
    (R, "attach"),
    ("1-share", "end"),
    ("4-from-a-script", "load"),
    ("5-the-question", "tbl"),
    ("7-many-workers", "load"),
)
_TIMEOUT = 120  # s for a cell; for a machine that is busy
# A progress bar is shown on a slow machine only.
_CONFIGURATION = "c.ArrowSHMMagics.progress_after = 3600\n"


def read(name: str) -> NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


@contextmanager
def folder() -> Iterator[Path]:
    """A copy of the notebooks, beside an empty store; in memory where it can be."""
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    path = Path(root, f"arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.mkdir(0o700)
    try:
        shutil.copytree(NOTEBOOKS, path / "notebooks")
        profile = path / "ipython" / "profile_default"
        profile.mkdir(parents=True)
        (profile / "ipython_kernel_config.py").write_text(_CONFIGURATION)
        yield path
    finally:
        shutil.rmtree(path)


def julia_program() -> str | None:
    """The Julia to test with (``julia/fetch_julia.py``)."""
    fetch = [sys.executable, Path(__file__).parent / "julia" / "fetch_julia.py"]
    found = subprocess.run(fetch, stdout=subprocess.PIPE, text=True, check=False)
    return found.stdout.strip() or None


def r_program() -> str | None:
    """The R to test with, if it has Jupyter's kernel (``r/fetch_r.py``)."""
    fetch = [sys.executable, Path(__file__).parent / "r" / "fetch_r.py"]
    found = subprocess.run(fetch, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    has = [found, "--no-echo", "-e", "quit(status = !requireNamespace('IRkernel', quietly = TRUE))"]
    return found if found and subprocess.run(has, check=False).returncode == 0 else None


def specify_r(folder: Path, program: str) -> None:
    """Write the kernelspec ``ir`` into a folder of kernels, as ``IRkernel::installspec()`` does."""
    argv = [program, "--no-echo", "-e", "IRkernel::main(commandArgs(TRUE)[[2]])", "--args", "-f", "{connection_file}"]
    libraries = {name: r_environment()[name] for name in ("R_LIBS", "LC_ALL")}
    (folder / "ir").mkdir(parents=True)
    spec = {"argv": argv, "display_name": "R", "language": "R", "env": libraries}
    (folder / "ir" / "kernel.json").write_text(json.dumps(spec))


def run(place: Path, julia: str | None, r: str | None) -> dict[str, NotebookNode]:
    """The notebooks of the walk, with what their cells gave; a cell that fails is an error. Fewer without Julia, R."""
    walk = [part for part in WALK if {JULIA: julia, R: r}.get(part[0], "python")]
    if julia:
        specify(place / "kernels", julia)
    if r:
        specify_r(place / "kernels", r)
    notebooks = {name: read(name) for name, _ in walk}
    clients: dict[str, NotebookClient] = {}
    with ExitStack() as stack:
        for name, begin in walk:
            notebook = notebooks[name]
            if name not in clients:
                clients[name] = stack.enter_context(_open(place, name, notebook))
            begins = {one for other, one in walk if other == name}
            for index in _part(notebook, begin, begins):
                clients[name].execute_cell(notebook.cells[index], index)
    return notebooks


@contextmanager
def _open(place: Path, name: str, notebook: NotebookNode) -> Iterator[NotebookClient]:
    """The notebook with a kernel of its own, as a Jupyter server starts one."""
    identity = str(uuid.uuid4())
    client = NotebookClient(
        notebook,
        km=KernelManager(
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(place / "kernels")]),
            kernel_name=notebook.metadata.kernelspec.name,
            transport="ipc",
            ip=str(place / identity[:8]),
            connection_file=str(place / f"kernel-{identity}.json"),
        ),
        resources={"metadata": {"path": str(place / "notebooks")}},
        timeout=_TIMEOUT,
        coalesce_streams=True,
        record_timing=False,
        shutdown_kernel="immediate",
    )
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        ENVIRONMENT_VARIABLE: str(place / "store"),
        "IPYTHONDIR": str(place / "ipython"),
        "JPY_SESSION_NAME": str(place / "notebooks" / f"{name}.ipynb"),
    }
    with client.setup_kernel(env=environment, cleanup_kc=True):
        yield client


def _part(notebook: NotebookNode, begin: str, begins: set[str]) -> Iterator[int]:
    """The code cells from ``begin`` up to where the next part begins."""
    inside = False
    for index, cell in enumerate(notebook.cells):
        if cell.id in begins:
            inside = cell.id == begin
        if inside and cell.cell_type == "code":
            yield index


def store(name: str, notebook: NotebookNode) -> None:
    """Write what the cells gave, and nothing of the machine that they ran on."""
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = NotebookNode()
            # Without its kernel a widget is shown as nothing, and hides the HTML beside it.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    kept: dict[str, Any] = read(name).metadata
    notebook.metadata = kept
    nbformat.write(notebook, NOTEBOOKS / f"{name}.ipynb")


if __name__ == "__main__":
    with folder() as place:
        for name, notebook in run(place, julia_program(), r_program()).items():
            store(name, notebook)
            print(f"{name}: stored", file=sys.stderr)
