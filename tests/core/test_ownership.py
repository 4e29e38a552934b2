"""Who may give a name to another table without saying so: the process, the kernel or the script that published it."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest

import jupyter_arrowshm as shm

KERNEL = "0bd8f2b6-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
OTHER = "77777777-6e4c-4b0c-9d0e-0a4b1b2c3d4e"
ONE, TWO = "pa.table({'a': [1]})", "pa.table({'a': [2]})"

# First publisher, who comes after it, whether that one may.
PAIRS = {
    "the same script": ({"script": "etl.py"}, {"script": "etl.py"}, True),
    "another script": ({"script": "etl.py"}, {"script": "other.py"}, False),
    "a script of this name elsewhere": ({"script": "etl.py"}, {"script": "below/etl.py"}, False),
    "a restarted kernel": ({"kernel": f"kernel-{KERNEL}.json"}, {"kernel": f"/run/kernel-{KERNEL}.json"}, True),
    "a kernel restarted by a newer Jupyter": (
        {"kernel": f"kernel-{KERNEL}.json"},
        {"kernel": f"kernel-v2-{KERNEL}.json"},
        True,
    ),
    "another kernel": ({"kernel": f"kernel-{KERNEL}.json"}, {"kernel": f"kernel-{OTHER}.json"}, False),
    "another kernel of the same notebook": (
        {"kernel": f"kernel-{KERNEL}.json", "env": {"JPY_SESSION_NAME": "a.ipynb"}},
        {"kernel": f"kernel-{OTHER}.json", "env": {"JPY_SESSION_NAME": "a.ipynb"}},
        False,
    ),
    "a script after a kernel": ({"kernel": f"kernel-{KERNEL}.json"}, {"script": "etl.py"}, False),
    "another process without a script": ({}, {}, False),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_who_may_replace_a_table(store, peer, tmp_path, pair) -> None:
    first, second, allowed = PAIRS[pair]
    (tmp_path / "below").mkdir()

    def start(script: str | None = None, **keywords):
        return peer(script=str(tmp_path / script) if script else None, **keywords)

    publisher, other = start(**first), start(**second)
    for name in ("living", "ended", "taken"):
        publisher.run(f"shm.share({ONE}, {name!r})")
    for name in ("living", "ended"):
        if name == "ended":
            publisher.kill()
        if allowed:
            other.run(f"shm.share({TWO}, {name!r})")
        else:
            for way in (f"shm.share({TWO}, {name!r})", f"shm.writer({name!r}, {TWO}.schema)"):
                with pytest.raises(shm.TableExists) as caught:
                    other.run(way)
                error, info = caught.value, store.info(name)
                assert (error.name, error.alive, error.published_at) == (name, name == "living", info.published_at)
                assert error.publisher == info.publisher.label
                assert "replace=True" in str(error) and (", which has ended." in str(error)) == (name == "ended")
        assert store.attach(name)["a"][0].as_py() == 1 + allowed
    other.run(f"shm.share({TWO}, 'taken', replace=True)")
    assert store.attach("taken")["a"][0].as_py() == 2
    assert store.info("taken").publisher.pid == other.pid


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
