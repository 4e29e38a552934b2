"""Only the process, kernel or script that published a table may give its name to another table without saying so."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
OTHER = "77777777-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
ONE, TWO = "pa.table({'a': [1]})", "pa.table({'a': [2]})"


def kernel(id: str, **variables: str) -> dict:
    return {"kernel": f"kernel-{id}.json", "env": variables}


# The first publisher, the next one, and whether it may once the first has ended. While the first lives, nobody may.
PAIRS = {
    "the same script": ({"script": "etl.py"}, {"script": "etl.py"}, True),
    "another script": ({"script": "etl.py"}, {"script": "other.py"}, False),
    "a script of this name elsewhere": ({"script": "etl.py"}, {"script": "below/etl.py"}, False),
    "the same arguments": (
        {"script": "run.py", "arguments": ["a.py", "--day", "1"]},
        {"script": "run.py", "arguments": ["a.py", "--day", "1"]},
        True,
    ),
    "a runner of another program": (
        {"script": "run.py", "arguments": ["a.py"]},
        {"script": "run.py", "arguments": ["b.py"]},
        False,
    ),
    "arguments that run together": (
        {"script": "run.py", "arguments": ["a", "b"]},
        {"script": "run.py", "arguments": ["a b"]},
        False,
    ),
    "another working directory": ({"script": "etl.py"}, {"script": "etl.py", "cwd": "below"}, False),
    "a launcher": ({"script": "bin/serve"}, {"script": "bin/serve"}, False),
    "a restarted kernel": (kernel(KERNEL), {"kernel": f"/run/kernel-{KERNEL}.json"}, True),
    "a kernel restarted by a newer Jupyter": (kernel(KERNEL), {"kernel": f"kernel-v2-{KERNEL}.json"}, True),
    "another kernel": (kernel(KERNEL), kernel(OTHER), False),
    "another kernel of the same notebook": (
        kernel(KERNEL, JPY_SESSION_NAME="a.ipynb"),
        kernel(OTHER, JPY_SESSION_NAME="a.ipynb"),
        True,
    ),
    "a notebook of this name elsewhere": (
        kernel(KERNEL, JPY_SESSION_NAME="a.ipynb"),
        kernel(OTHER, JPY_SESSION_NAME="below/a.ipynb"),
        False,
    ),
    "a console, whose name is not a file": (
        kernel(KERNEL, JPY_SESSION_NAME="Console 1"),
        kernel(OTHER, JPY_SESSION_NAME="Console 1"),
        False,
    ),
    "a script after a kernel": (kernel(KERNEL), {"script": "etl.py"}, False),
    "another process without a script": ({}, {}, False),
}


@pytest.fixture
def start(peer, tmp_path):
    """Start a process of ``PAIRS``, whose paths are below a directory of the test's."""
    for name in ("below", "bin"):
        (tmp_path / name).mkdir()
    for name in ("a.ipynb", "below/a.ipynb"):
        (tmp_path / name).write_text("{}")

    def start(script: str | None = None, cwd: str = ".", **keywords):
        env = dict(keywords.pop("env", {}))
        if "JPY_SESSION_NAME" in env:
            env["JPY_SESSION_NAME"] = str(tmp_path / env["JPY_SESSION_NAME"])
        return peer(script=str(tmp_path / script) if script else None, cwd=str(tmp_path / cwd), env=env, **keywords)

    return start


@pytest.mark.parametrize("pair", PAIRS)
def test_who_may_replace_a_table(store, start, pair) -> None:
    first, second, allowed = PAIRS[pair]
    publisher, other = start(**first), start(**second)
    for name in ("living", "ended", "taken"):
        publisher.run(f"shm.share({ONE}, {name!r})")
    for name in ("living", "ended"):
        if name == "ended":
            publisher.kill()
        may = allowed and name == "ended"
        assert other.get(f"shm.Store().is_mine({name!r})") is may
        if may:
            other.run(f"shm.share({TWO}, {name!r})")
        else:
            for way in (f"shm.share({TWO}, {name!r})", f"shm.writer({name!r}, {TWO}.schema)"):
                with pytest.raises(shm.TableExists) as caught:
                    other.run(way)
                error, info = caught.value, store.info(name)
                assert (error.name, error.alive, error.published_at) == (name, name == "living", info.published_at)
                assert error.publisher == info.publisher.label
                assert "replace=True" in str(error) and (", which has ended." in str(error)) == (name == "ended")
        assert store.attach(name)["a"][0].as_py() == 1 + may
    other.run(f"shm.share({TWO}, 'taken', replace=True)")
    assert store.attach("taken")["a"][0].as_py() == 2
    assert store.info("taken").publisher.pid == other.pid


def test_of_workers_that_start_together_one_publishes(store, start) -> None:
    workers = [start(script="serve.py") for _ in range(4)]
    for number, worker in enumerate(workers):
        share = f"shm.share(pa.table({{'a': [{number}]}}), 't'); outcome = 'shared'"
        worker.start(f"try: {share}\nexcept shm.TableExists as error: outcome = error.alive")
    for worker in workers:
        worker.wait()
    assert sorted(str(worker.get("outcome")) for worker in workers) == ["True", "True", "True", "shared"]
    (number,) = store.attach("t")["a"].to_pylist()
    assert store.info("t").publisher.pid == workers[number].pid


def test_a_child_of_multiprocessing_is_its_program_with_its_arguments(store, start) -> None:
    share = f"""
import multiprocessing, sys
def child(argument):
    sys.argv[1:] = [argument]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(exec, ("import jupyter_arrowshm as shm, pyarrow as pa; shm.share({ONE}, 't')",))
"""
    one, two = start(), start()
    for peer in (one, two):
        # Its children must not find a program to run again, only the file that says which one it is.
        peer.run(f"import sys; sys.modules['__main__'].__file__ = {os.devnull!r}")
        peer.run(share)
    one.run("child('a')")
    with pytest.raises(shm.TableExists):
        two.run("child('b')")
    two.run("child('a')")


RUNNERS = {
    "papermill": (["papermill", "{}/a.ipynb", "out-{n}.ipynb"], True),
    "nbconvert": (["jupyter-nbconvert", "--execute", "--to", "notebook", "--output", "{n}.ipynb", "{}/a.ipynb"], True),
    "execute": (["jupyter-execute", "{}/a.ipynb"], True),
    "several notebooks": (["jupyter-nbconvert", "--execute", "{}/a.ipynb", "{}/below/a.ipynb"], False),
    "a server": (["jupyter-lab", "{}/a.ipynb"], False),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_notebook_that_a_program_runs_again(store, start, tmp_path, runner) -> None:
    (name, *arguments), allowed = RUNNERS[runner]
    script = tmp_path / name
    script.write_text(
        "import subprocess, sys; i = sys.argv.index('--'); subprocess.call(sys.argv[i + 1:], close_fds=False)"
    )

    def run(number: int):
        words = [word.format(tmp_path, n=number) for word in arguments]
        return start(prefix=[sys.executable, str(script), *words, "--"], kernel=f"kernel-{number}.json")

    for number in (1, 2):
        one = run(number)
        if number == 1 or allowed:
            one.run(f"shm.share({ONE}, 't')")
        else:
            with pytest.raises(shm.TableExists):
                one.run(f"shm.share({ONE}, 't')")
        one.quit()


def test_jupyter_execute_runs_a_notebook_twice(store, tmp_path) -> None:
    notebook = nbformat.v4.new_notebook()
    source = f"import jupyter_arrowshm as shm, pyarrow as pa\nshm.share({ONE}, 't')"
    notebook.cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(notebook, tmp_path / "model.ipynb")
    for _ in range(2):
        command = [sys.executable, "-m", "jupyter", "execute", "model.ipynb"]
        subprocess.run(command, cwd=tmp_path, check=True)


def test_a_process_replaces_its_own_and_only_its_own(store, peer) -> None:
    one, two = peer(), peer()
    for _ in range(2):
        one.run(f"shm.share({ONE}, 't')")
    two.run(f"shm.share({TWO}, 't', replace=True)")
    with pytest.raises(shm.TableExists):
        one.run(f"shm.share({ONE}, 't')")
    two.run("shm.unshare('t')")
    one.run(f"shm.share({ONE}, 't')")


def test_a_forked_child_is_another_process(store, peer) -> None:
    parent = peer()
    parent.run(f"shm.share({ONE}, 't')")
    parent.run("""
pid = os.fork()
if not pid:
    try:
        shm.share(pa.table({'a': [2]}), 't')
        os._exit(1)
    except shm.TableExists:
        os._exit(0)
status = os.waitpid(pid, 0)[1]
""")
    assert parent.get("status") == 0
    assert store.attach("t")["a"][0].as_py() == 1


def test_anybody_may_unshare_pin_and_unpin(store, peer) -> None:
    owner, other = peer(), peer()
    owner.run(f"shm.share({ONE}, 't')")
    other.run("shm.pin('t')")
    assert store.info("t").pinned
    other.run("shm.unpin('t'); shm.unshare('t')")
    assert store.tables() == []


# -- the name is taken while we write ----------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["free", "mine"])
@pytest.mark.parametrize("replace", [False, True])
def test_a_name_that_is_taken_while_we_write(store, directory, peer, before, replace) -> None:
    other = peer()
    if before == "mine":
        store.share(pa.table({"a": [0]}), "t")
    schema = pa.schema([("a", pa.int64())])

    def write() -> None:
        with store.writer("t", schema, replace=replace, pin=True) as writer:
            writer.write(pa.table({"a": [1]}))
            other.run(f"shm.share({TWO}, 't', replace=True)")

    if replace:
        write()
        assert store.attach("t")["a"][0].as_py() == 1
    else:
        with pytest.raises(shm.TableExists) as caught:
            write()
        assert (caught.value.alive, caught.value.publisher) == (True, f"python (pid {other.pid})")
        assert store.attach("t")["a"][0].as_py() == 2
        assert not store.info("t").pinned, "what was not published pins nothing"
    assert sorted(set(os.listdir(directory)) - {".live", ".pins"}) == ["t.arrow"]


def test_a_name_that_becomes_free_while_we_write(store, peer) -> None:
    other = peer()
    other.run(f"shm.share({ONE}, 't')")
    with store.writer("t", pa.schema([("a", pa.int64())]), replace=True) as writer:
        other.run("shm.unshare('t')")
        writer.write(pa.table({"a": [3]}))
    assert store.attach("t")["a"][0].as_py() == 3


def test_a_stream_whose_name_is_taken_in_the_middle(store, directory, peer) -> None:
    other = peer()

    def batches():
        yield pa.record_batch({"a": [1]})
        other.run(f"shm.share({TWO}, 't')")
        yield pa.record_batch({"a": [1]})

    with pytest.raises(shm.TableExists):
        store.share(pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches()), "t")
    assert store.attach("t")["a"].to_pylist() == [2]
    assert sorted(set(os.listdir(directory)) - {".live", ".pins"}) == ["t.arrow"]
