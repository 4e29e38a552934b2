"""The files that are garbled: every type there is, as another program writes it, and saying that it is ours."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

import pyarrow as pa
from garble import Sample, garble, places
from samples import arrays

OURS = {"arrowshm.protocol": "1", "arrowshm.id": "0" * 32, "arrowshm.name": "t", "arrowshm.source": "pandas"}
Tables = dict[str, tuple[list[pa.RecordBatch], dict[str, object]]]


def samples() -> list[Sample]:
    """Two files of each table."""
    found = []
    for name, (batches, options) in _tables().items():
        rows = str(sum(batch.num_rows for batch in batches))
        for who, facts in (("another program's", None), ("ours", {**OURS, "arrowshm.rows": rows})):
            data = _file(batches, facts, options)
            found.append(Sample(f"{name}, {who}", data, places(data)))
    return found


def garbled(samples: Sequence[Sample], seed: int, number: int) -> tuple[str, bytes]:
    """What file ``number`` of this seed was made from, and its bytes: always the same."""
    sample = samples[number % len(samples)]
    return sample.name, garble(sample, samples, random.Random(f"{seed} {number}"))


def _tables() -> Tables:
    """Of each type one, in one batch or two; and what no single column has."""
    found: Tables = {}
    for name, array in arrays().items():
        if "tz=" in name and not name.endswith("us, tz=UTC]"):
            continue  # time zones differ in their name only, and Julia would compile each
        found[name] = _batches([array] if len(found) % 3 else [array[:4], array[4:]]), {}
    numbers, texts = pa.array([1, None, 3]), pa.array(["a", None, "b" * 20])
    mixed = pa.table({"n": numbers, "s": texts, "l": [[1], None, []], "d": texts.dictionary_encode()})
    found["columns of pandas"] = pa.Table.from_pandas(mixed.to_pandas()).to_batches(), {}
    found["a dictionary that grows"] = _batches([pa.array(list(some)).dictionary_encode() for some in GROWING]), {}
    found["the older format version"] = mixed.to_batches(), {"metadata_version": pa.ipc.MetadataVersion.V4}
    found["no columns"] = [pa.record_batch([], names=[])], {}
    found["no batches"] = _batches([numbers[:0]]), {}
    for codec in ("lz4", "zstd"):
        found[f"compressed by {codec}"] = mixed.to_batches(), {"compression": codec}
    deep: pa.Array = numbers
    for _ in range(DEPTH):
        deep = pa.ListArray.from_arrays([0, 1, 2, 3], deep)
    found["deep lists"] = _batches([deep]), {}
    return found


GROWING = ("ab", "abc", "abcd")
DEPTH = 20


def _batches(arrays: Sequence[pa.Array]) -> list[pa.RecordBatch]:
    schema = pa.schema([pa.field("x", arrays[0].type)])
    return [pa.record_batch([array], schema=schema) for array in arrays]


def _file(batches: Sequence[pa.RecordBatch], facts: dict[str, str] | None, options: dict[str, object]) -> bytes:
    sink = io.BytesIO()
    how = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, **options)
    with pa.ipc.new_file(sink, batches[0].schema, options=how, metadata=facts) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()
