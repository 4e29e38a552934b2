"""What needs what: the core works without Jupyter and without any data frame library, and its modules have an order."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_arrowshm as shm

PACKAGE = Path(shm.__file__).parent
# A module imports earlier ones only.
ORDER = """
    words errors lock names notes room directory
    tabular nested facts filewriter flatbuffer arrowfile segment process holders markup table listing attached collector
    publication store
    preview
""".split()  # noqa: SIM905
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
    """What a fresh interpreter prints; warnings are errors there too."""
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
assert shm.attachment("v", as_="source").value.equals(table)
assert [info.in_use_by for info in shm.tables()] == ["1", "1", "1"] and str(shm.tables()) and shm.info("t").pinned
assert shm.tables()._repr_html_()
shm.unpin("t")
shm.unshare("t")
assert shm.gc() == {{}}
try:
    shm.attach("u", as_="pandas")
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


# -- the order of the modules ------------------------------------------------------------------------------------------


def files(module: str) -> list[Path]:
    return (
        [PACKAGE / f"{module}.py"] if (PACKAGE / f"{module}.py").exists() else sorted((PACKAGE / module).glob("*.py"))
    )


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """How many packages up, and what, for all that is imported with this file; not what a function imports."""
    nodes = list(ast.parse(file.read_text()).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.ImportFrom):
            yield from ((node.level, word) for word in ([node.module] if node.module else [a.name for a in node.names]))
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.Try) or (isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test)):
            nodes += [*node.body, *node.orelse]


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_earlier_ones_only(module: str) -> None:
    assert files(module)
    for file in files(module):
        inside = file.parent != PACKAGE  # of a package, whose modules import each other
        found = {name.partition(".")[0] for level, name in imports(file) if level == 1 + inside}
        assert found <= {"_version", *ORDER[: ORDER.index(module)]}, file


@pytest.mark.parametrize("module", ORDER)
def test_the_core_imports_nothing_of_jupyter_when_it_is_imported(module: str) -> None:
    late = {"frames.py", "values.py", "arrays.py"}  # imported when a pandas or NumPy object is handed over
    for file in files(module):
        if file.name not in late:
            found = {name.partition(".")[0] for level, name in imports(file) if level == 0}
            assert not found & {"psutil", "numpy", *FOREIGN}, file
