"""Arrays that NumPy shared, and columns of tensors, as arrays of Julia."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from julia_peers import Julia, throws

import jupyter_arrowshm as shm


def put(directory: Path, tensors: pa.ExtensionArray, *more: pa.ExtensionArray) -> None:
    """Share a column "value" with a batch for each array."""
    table = pa.table({"value": pa.chunked_array([tensors, *more])})
    shm.Store(directory).share(table, "a", replace=True)


def same(julia: Julia, expected: np.ndarray) -> None:
    """Julia's array is ``expected`` with its axes reversed: the same numbers in Julia's column-major order.

    Each row of the column is one of its tensors.
    """
    julia.run('t = nothing; t = attach("a"); a = ArrowSHM.array(t.value)')
    assert julia.get("collect(size(a))") == list(expected.shape[::-1])
    assert julia.get("collect(vec(collect(a)))") == expected.ravel().tolist()
    sizes, values = julia.get("[collect(size(x)) for x in t.value], [vec(collect(x)) for x in t.value]")
    assert sizes == [list(expected.shape[:0:-1])] * len(expected)
    assert values == [tensor.ravel().tolist() for tensor in expected]


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (5, 2, 1, 3), (3, 0), (0, 2)])
def test_array_of_numpy_has_its_axes_reversed(julia: Julia, store: shm.Store, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype="float64").reshape(shape)
    store.share(array, "a")
    same(julia, array)


def test_array_is_the_shared_memory_and_read_only(julia: Julia, store: shm.Store) -> None:
    store.share(np.arange(24, dtype="int32").reshape(2, 3, 4), "a")
    julia.run('t = attach("a"); a = ArrowSHM.array(t.value)')
    assert julia.get("a[4, 3, 2], a[2, 1, 1]") == [23, 1]
    assert julia.get("view(a, :, :, 2)[1, 2]") == 16
    assert julia.get("t.value[2][4, 3], t.value[1][2, 1], eltype(t.value) == typeof(t.value[1])") == [23, 1, True]
    assert julia.get("pointer(parent(parent(a))) == pointer(t.value.values)")
    assert julia.get("parent(parent(t.value[2])) === t.value.values")
    for element in ("a[1, 1, 1]", "t.value[2][1, 1]"):
        with throws("read-only"):
            julia.run(f"{element} = 7")


def test_a_tensor_is_shown_by_its_size_and_first_values(julia: Julia, store: shm.Store) -> None:
    store.share(np.arange(6.0).reshape(1, 2, 3), "a")
    shown = julia.get('t = attach("a"); sprint(show, MIME("text/plain"), t)')
    assert "3\u00d72 [0.0, 1.0, 2.0, 3.0, 4.0" in shown
    store.share(np.zeros((1, 3000, 1000)), "large")
    assert len(julia.get('sprint(show, MIME("text/html"), attach("large"))')) < 1000


def test_tensors_in_several_batches(julia: Julia, directory: Path) -> None:
    whole = np.arange(30, dtype="int64").reshape(5, 2, 3)
    parts = [pa.FixedShapeTensorArray.from_numpy_ndarray(part.copy()) for part in (whole[:2], whole[2:])]
    put(directory, *parts)
    same(julia, whole)


def test_permutation_is_respected(julia: Julia, directory: Path) -> None:
    kind = pa.fixed_shape_tensor(pa.int32(), [2, 3, 4], permutation=[2, 0, 1], dim_names=["shape", '"shape":[9]', "x"])
    flat = np.arange(48, dtype="int32")
    storage = pa.FixedSizeListArray.from_arrays(pa.array(flat), 24)
    put(directory, pa.ExtensionArray.from_storage(kind, storage))
    same(julia, flat.reshape(2, 2, 3, 4).transpose(0, 3, 1, 2))


def test_tensors_are_shared_again(julia: Julia, directory: Path, store: shm.Store) -> None:
    """A column keeps its whole type, a copy has no permutation, and Julia's own arrays are tensors, too."""
    kind = pa.fixed_shape_tensor(pa.int32(), [2, 3, 4], permutation=[2, 0, 1], dim_names=["a", "b", "c"])
    storage = pa.array([list(range(24)), None, list(range(24, 48))], pa.list_(pa.int32(), 24))
    put(directory, pa.ExtensionArray.from_storage(kind, storage))
    julia.run('t = attach("a"); share("again", t); share("some", (x = view(t.value, [3, 1]),))')
    assert store.attach("again", to="stored")["value"].type == kind
    assert store.attach("again", to="stored")["value"].equals(store.attach("a", to="stored")["value"])
    assert store.attach("some", to="stored")["x"].to_pylist() == [storage[2].as_py(), storage[0].as_py()]
    julia.run('share("copy", (x = collect(t.value),))')
    copied = store.attach("copy", to="stored")["x"]
    assert copied.type == pa.fixed_shape_tensor(pa.int32(), [4, 2, 3])
    assert copied.is_null().to_pylist() == [False, True, False]
    moved = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)
    assert copied[0].as_py() == moved.ravel().tolist()
    assert julia.get('attach("copy").x[3] == t.value[3]')
    julia.run('share("own", (x = [[1 2 3; 4 5 6], [7 8 9; 10 11 12]],))')
    own = store.attach("own", to="stored")["x"].combine_chunks().to_numpy_ndarray()
    assert own.tolist() == [[[1, 4], [2, 5], [3, 6]], [[7, 10], [8, 11], [9, 12]]]
    julia.run('share("none", (x = Matrix{Float32}[],))')
    assert store.attach("none", to="stored")["x"].type == pa.fixed_shape_tensor(pa.float32(), [0, 0])
    with throws("UnsupportedSource: .*not all of one size.*vec"):
        julia.run('share("odd", (x = [[1 2], [1 2 3]],))')
    julia.run('share("odd", (x = vec.([[1 2], [1 2 3]]),))')
    assert store.attach("odd")["x"].to_pylist() == [[1, 2], [1, 2, 3]]


def test_too_many_axes_are_a_flat_list(julia: Julia, directory: Path) -> None:
    kind = pa.fixed_shape_tensor(pa.int32(), [1] * 17 + [2])
    put(directory, pa.ExtensionArray.from_storage(kind, pa.array([[1, 2]], pa.list_(pa.int32(), 2))))
    assert julia.get('t = nothing; t = attach("a"); t.value[1]') == [1, 2]


def test_what_is_not_an_array_is_refused(julia: Julia, store: shm.Store, directory: Path) -> None:
    kind = pa.fixed_shape_tensor(pa.int32(), [2])
    storage = pa.array([[1, 2], None], pa.list_(pa.int32(), 2))
    put(directory, pa.ExtensionArray.from_storage(kind, storage))
    with throws("ArgumentError: .*missing"):
        julia.run('t = nothing; t = attach("a"); ArrowSHM.array(t.value)')
    assert julia.get("t.value[1]") == [1, 2]
    store.share(pa.table({"x": [1]}), "plain")
    with throws("ArgumentError: it is not a whole column of tensors"):
        julia.run('ArrowSHM.array(attach("plain").x)')
    with throws("ArgumentError: it is not a whole column of tensors"):
        julia.run("ArrowSHM.array(view(t.value, 1:1))")


@pytest.mark.parametrize(
    ("width", "parameters"),
    [
        (2, b'{"shape":[3]}'),
        (0, b'{"shape":[4294967296,4294967296]}'),
        (2, b'{"shape":[1208925819614629174706176]}'),
        (2, b'{"shape":[2,1],"permutation":[1,1]}'),
        (2, b'{"shape":[2,1],"dim_names":["\xff"]}'),
        (2, b"{}"),
    ],
)
def test_wrong_parameters_read_nothing(julia: Julia, directory: Path, width: int, parameters: bytes) -> None:
    """A product that overflows to 0 would be the width of empty lists."""
    storage = pa.array([list(range(width))] * 2, pa.list_(pa.int32(), width))
    metadata = {"ARROW:extension:name": "arrow.fixed_shape_tensor", "ARROW:extension:metadata": parameters}
    schema = pa.schema([pa.field("value", storage.type, metadata=metadata)])
    # Not by share, which refuses what pyarrow cannot read back.
    directory.mkdir(0o700)
    path = directory / "a.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.table([storage], schema))
    path.chmod(0o400)
    with throws("DamagedTable: .*(shape|too large|permutation|not text)"):
        julia.run('t = nothing; t = attach("a"); t.value')
