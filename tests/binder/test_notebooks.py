"""The notebooks of ``binder/`` do what they say, and what is stored in them is what a person sees."""

from __future__ import annotations

import json
import os
import re

import nbformat
import pytest
import walk
from nbformat import NotebookNode

NAMES = sorted(path.stem for path in walk.NOTEBOOKS.glob("*.ipynb"))
# These differ each time: durations, whether an import was slow enough to be told, ages, names that Python or a kernel
# makes up, and the size of a small file, which holds the number of the process that shared it.
_ONCE = re.compile(
    r", after importing [\w ]+ in [\d.]+ m?s|[\d.]+ m?s( ago)?\b|just now|[\d.]+ kB|child process \d+|psm_[0-9a-f]+"
    r"|'[0-9a-f-]{36}'|\.parquet-[0-9a-f]{8}"
)


def test_the_walk_visits_every_notebook() -> None:
    assert sorted({name for name, _ in walk.WALK}) == NAMES


def test_what_is_stored_is_what_a_person_sees() -> None:
    """All notebooks in one test: kernels are slow to start, and talk to each other."""
    julia, r = walk.julia_program(), walk.r_program()
    assert julia or not os.environ.get("CI"), "CI has a Julia"
    with walk.folder() as place:
        walked = walk.run(place, julia, r)
    shown = {(name, cell.id): outline(cell) for name, notebook in walked.items() for cell in code(notebook)}
    stored = {(name, cell.id): outline(cell) for name in walked for cell in code(walk.read(name))}
    assert stored == shown, "if it should be so: make notebooks"


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outline(cell: NotebookNode) -> list[list[str]]:
    """The words of each line that a cell shows. How libraries draw their tables is theirs, and the order of processes.

    Each release of pandas or polars may draw them otherwise; the words stay.
    """
    texts = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
    lines = _ONCE.sub("…", "\n".join(texts)).splitlines()
    return [words for line in lines if (words := sorted(re.findall(r"[\w.,%@/-]+", line)))]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_keeps_nothing_of_a_machine_and_stays_small(name: str) -> None:
    path = walk.NOTEBOOKS / f"{name}.ipynb"
    text = path.read_text()
    assert not re.search(r"/(root|home|tmp|dev/shm|usr|opt|work)/|arrowshm-test|ipykernel_\d", text)
    assert len(text) < 50_000
    notebook = json.loads(text)
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert all(not cell["metadata"] for cell in notebook["cells"])
    nbformat.validate(nbformat.from_dict(notebook))
