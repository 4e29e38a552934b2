"""Dependencies: the core works without Jupyter and without any data frame library, and its folders have an order."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

PACKAGE = Path(shm.__file__).parent
# The modules that each may import beside itself. All may import those in ANYBODY.
ANYBODY = {"words", "errors", "markup", "arrowtypes", "kinds", "_version"}
MAY_IMPORT = {
    "words": set(),
    "errors": {"words"},
    "markup": set(),
    "arrowtypes": set(),
    "kinds": set(),
    "tabular": ANYBODY,
    "loading": {*ANYBODY, "tabular"},
    "core": {*ANYBODY, "tabular", "loading"},
    "preview": ANYBODY,
    "elsewhere": {*ANYBODY, "core", "tabular", "loading"},
    "looking": {*ANYBODY, "core", "loading", "elsewhere", "preview"},
    "widget": {*ANYBODY, "core", "tabular", "elsewhere", "preview", "looking"},
    "notebook": {*ANYBODY, "core", "tabular", "elsewhere", "widget"},
    "server": {*ANYBODY, "core", "loading", "elsewhere", "preview", "looking"},
    "cli": {*ANYBODY, "core", "loading", "elsewhere", "preview", "looking", "notebook"},
}
# It loads neither Jupyter nor any data frame library that the user has not passed in.
ANY_PROCESS = ["words", "errors", "markup", "arrowtypes", "kinds", "tabular", "loading", "core", "elsewhere", "preview"]
FOREIGN = [
    "IPython",
    "ipykernel",
    "ipywidgets",
    "anywidget",
    "traitlets",
    "jupyter_core",
    "jupyter_client",
    "jupyter_server",
    "tornado",
    "pandas",
    "polars",
    "duckdb",
    "tqdm",
    "ray",
]
BLOCK = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FOREIGN!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""


def python(code: str) -> str:
    """The output of a fresh interpreter; warnings are errors there too."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_share_and_attach_work_with_everything_else_blocked(directory) -> None:
    python(f"""{BLOCK}
import jupyter_arrowshm as shm, pyarrow as pa
table = pa.table({{"a": [1, 2]}})
shm.share(table, "t", pin=True)
shm.share(table.to_reader(), "u")
with shm.writer("v", table.schema) as writer:
    writer.write(table)
assert shm.attach("t").equals(table) and shm.attach("u", copy=True).equals(table)
assert shm.attachment("v", to="source").value.equals(table)
assert [info.in_use_by for info in shm.tables()] == ["1", "1", "1"] and str(shm.tables()) and shm.info("t").pinned
assert shm.tables()._repr_html_()
shm.unpin("t")
shm.unshare("t")
assert shm.gc() == {{}}
try:
    shm.attach("u", to="pandas")
except ImportError as error:
    assert "pandas" in str(error)
else:
    raise AssertionError("pandas was there")
""")


def test_share_and_attach_import_nothing_else(directory) -> None:
    loaded = python(f"""
import jupyter_arrowshm as shm, pyarrow as pa, sys
rows = pa.Array.from_buffers(pa.int64(), 2, [None, pa.py_buffer(bytes(16))])  # pa.array([1, 2]) imports pandas
shm.share(pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(
    pa.struct([("a", pa.int64())]), 2, [None], children=[rows]))]), "t")
shm.attach("t"), shm.tables(), repr(shm.tables()), shm.attachment("t"), shm.unshare("t"), shm.gc()
print(*{{name.partition(".")[0] for name in sys.modules}} & set({FOREIGN!r}))
""")
    assert loaded == ""


def test_the_first_attach_imports_nothing_of_sharing_and_listing(store) -> None:
    """The cell that attaches in a new kernel waits for its imports."""
    store.share(pa.table({"a": [1, 2]}), "t")
    loaded = python(f"""
import jupyter_arrowshm, sys
jupyter_arrowshm.Store({store.directory!r}).attach("t")
print(*sorted(sys.modules))
""").split()
    ours = {name.removeprefix("jupyter_arrowshm.") for name in loaded if name.startswith("jupyter_arrowshm.")}
    assert {"core.store", "core.attached"} <= ours
    assert not ours & {"core.listing", "core.publication", "core.filewriter", "core.collector", "tabular.sources"}
    assert "pyarrow.compute" not in loaded


def test_importing_the_package_imports_nothing_that_takes_time() -> None:
    loaded = python("import sys, jupyter_arrowshm\nprint(*sorted(sys.modules))").split()
    assert not {name.partition(".")[0] for name in loaded} & {"pyarrow", "numpy", "psutil", *FOREIGN}


def test_every_public_name_is_there() -> None:
    assert len(shm.__all__) == len(set(shm.__all__))
    for name in shm.__all__:
        assert getattr(shm, name) is not None
    assert set(shm._LAZY) <= set(shm.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = shm.no_such_name


# -- what imports what -------------------------------------------------------------------------------------------------


def place(file: Path) -> str:
    """The package folder, or the module beside the folders, that a file belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files(folder: str) -> list[Path]:
    return [file for file in sorted(PACKAGE.rglob("*.py")) if place(file) == folder]


def statements(file: Path, *, late: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a file; with ``late`` also those that a function makes when it is called."""
    nodes: list[ast.AST] = list(ast.parse(file.read_text()).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif late or isinstance(node, (ast.Try, ast.If)):
            nodes += ast.iter_child_nodes(node)


def ours(file: Path, *, late: bool) -> set[str]:
    """The modules of this package that a file imports, as ``core.lock``."""
    found = set()
    for node in statements(file, late=late):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = file.relative_to(PACKAGE).parent.parts
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            name = ".".join(part for part in base if part)
            for alias in node.names:
                whole = f"{name}.{alias.name}" if name else alias.name
                is_module = (PACKAGE / whole.replace(".", "/")).with_suffix(".py").exists()
                found.add(whole if is_module or not name else name)
    return found - {"__version__"}


def foreign(file: Path) -> set[str]:
    found = set()
    for node in statements(file, late=False):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_those_that_it_may(folder: str) -> None:
    assert files(folder)
    for file in files(folder):
        found = ours(file, late=True)
        assert {name.partition(".")[0] for name in found} <= {folder, *MAY_IMPORT[folder]}, file
        assert folder == "core" or not [name for name in found if name.startswith("core.")], f"{file}: by core's door"


def test_every_folder_has_a_rule() -> None:
    assert {place(file) for file in PACKAGE.rglob("*.py")} == {*MAY_IMPORT, "__init__", "__main__", "_version"}


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph = {}
    for file in PACKAGE.rglob("*.py"):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        graph[name.removesuffix(".__init__")] = ours(file, late=False)
    tuple(graphlib.TopologicalSorter(graph).static_order())  # a CycleError names the circle


@pytest.mark.parametrize("folder", ANY_PROCESS)
def test_the_core_imports_nothing_of_jupyter_when_it_is_imported(folder: str) -> None:
    late = {
        "frames.py",
        "values.py",
        "arrays.py",
        "spans.py",
        "remedies.py",
        "subclasses.py",
    }  # imported when a pandas or NumPy object is passed in
    for file in files(folder):
        if file.name not in late:
            assert not foreign(file) & {"psutil", "numpy", *FOREIGN}, file
