"""Data is never code: nothing is unpickled, compiled or run that a file says."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from peers import Peer

import jupyter_arrowshm as shm

PACKAGE = Path(shm.__file__).parent
FORBIDDEN = {
    *("import pickle", "import _pickle", "import cloudpickle", "import dill", "import marshal", "import shelve"),
    *("import joblib", "import runpy", "import code", "eval()", "exec()", "compile()", "__import__()"),
    *(".read_pickle()", ".to_pickle()", ".deserialize()", ".system()", ".popen()", "allow_pickle=", "shell="),
}
# Magics run what a person typed: the expression on their line, the cell below it, the variables in a name.
TYPED = {
    "cell.py": {"eval()", "exec()", "compile()"},
    "lines.py": {"eval()", "compile()"},
    "scope.py": {"eval()"},
}
JULIA = re.compile(
    r"\b(Serialization|deserialize|include_string|Meta\.parse)\b|(?<![\w.])eval\("
)  # not Core.eval(:(...))


def words(file: Path) -> Iterator[str]:
    """Every module that a file imports, every function that it calls, and every argument that it names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name.partition('.')[0]}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield f"import {node.module.partition('.')[0]}"
        elif isinstance(node, ast.Call):
            yield f"{node.func.id}()" if isinstance(node.func, ast.Name) else f".{getattr(node.func, 'attr', '')}()"
            yield from (f"{keyword.arg}=" for keyword in node.keywords)


def test_nothing_in_the_package_unpickles_or_evaluates() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 60 and "re" in {word[7:] for file in files for word in words(file)}
    assert {file.name: used for file in files if (used := set(words(file)) & FORBIDDEN)} == TYPED
    assert [file.name for file in PACKAGE.glob("julia/ArrowSHM/[se]*/**/*.jl") if JULIA.search(file.read_text())] == []


GUARD = """
import sys
seen = []
def guard(event, arguments):
    if event in ("pickle.find_class", "marshal.loads", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        seen.append((event, repr(arguments)[:200]))
"""


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., int], tuple[str]]:
        return os.system, (f"touch {self.path}",)


def test_pickled_code_in_every_place_of_a_file_is_not_run(
    store: shm.Store, directory: Path, tmp_path: Path, peer: Callable[..., Peer]
) -> None:
    """The places that libraries have looked into: extension types (as CVE-2023-47248), pandas' metadata, values."""
    made = tmp_path / "made"
    code = pickle.dumps(Payload(made), protocol=0)  # of ASCII characters: libraries take it for text, too
    pickle.loads(code)
    assert made.exists(), "the payload works where it is unpickled"
    made.unlink()
    store.share(pa.table({"a": [1]}), "good")
    values = pa.array([code, None], pa.binary())
    extensions = [b"arrow.py_extension_type", b"pandas.object", b"pickle", b"ray.data.arrow_pickled_object"]
    metadata = {b"ARROW:extension:metadata": code, b"PANDAS": code, b"pickle": code}
    fields = [
        pa.field(f"x{number}", pa.binary(), metadata={b"ARROW:extension:name": name, **metadata})
        for number, name in enumerate(extensions)
    ]
    column = {"name": "x0", "field_name": "x0", "pandas_type": "object", "numpy_type": "object", "metadata": {"p": 1}}
    pandas = json.dumps({"index_columns": [], "columns": [column], "pandas_version": "2.0"})
    schema = pa.schema(fields, {b"pandas": pandas.encode(), b"huggingface": code, b"code": code})
    table = pa.Table.from_arrays([values] * len(fields), schema=schema)
    facts = {b"arrowshm.protocol": b"1", b"arrowshm.source": b"pandas", b"arrowshm.kernel": code, b"pickle": code}
    for name, said in (("foreign", {b"pickle": code}), ("ours", facts)):
        sink = io.BytesIO()
        with pa.ipc.new_file(sink, table.schema, metadata=said) as writer:
            writer.write_table(table)
        (directory / f"{name}.arrow").write_bytes(sink.getvalue())
    one = peer()
    one.run("import contextlib\nfrom jupyter_arrowshm.cli import main as cli")
    for guarded in (False, True):  # what is imported late is compiled, too: in the first round
        if guarded:
            one.run(GUARD + "sys.addaudithook(guard)")
        for name in ("good", "ours", "foreign"):
            for kind in ("pyarrow", "pandas", "polars", "duckdb", "numpy", "source"):
                one.run(f"with contextlib.suppress(Exception): str(shm.attach({name!r}, to={kind!r}))")
            one.run(f"repr(shm.info({name!r}).schema); shm.tables()._repr_html_()")
            one.run(f"cli.main(['info', {name!r}]); cli.main(['head', {name!r}])")
        assert not made.exists()
    assert one.get("seen") == []
    one.run("import pickle; pickle.loads(pickle.dumps(os.getpid))")
    assert one.get("seen")[0][0] == "pickle.find_class", "the guard sees it"
