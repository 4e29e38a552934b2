"""A file on its way into a folder or bucket, where it gets its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from ..loading import remote

if TYPE_CHECKING:
    from pyarrow import fs

_CHUNK = 1 << 23  # bytes that are sent in one piece
_FILES = ("local", "hdfs")
_WHOLE = ("s3", "gcs")  # they show an object when it is complete


def put(packed: int, system: fs.FileSystem, root: str, name: str) -> None:
    """Send an open file, over whatever has the name there. Until it is whole, and if anything fails, that stays.

    A file has a name from its first byte, and Arrow empties a blob of Azure before it writes: there it is sent under a
    name of no table first.

    Raises
    ------
    remote.Silent
        It took too long. A server that does not answer may show the file later, whole.
    OSError, pyarrow.ArrowException
    """
    target = f"{root}/{name}"
    sent = target if system.type_name in _WHOLE else f"{root}/.new-{secrets.token_hex(8)}"
    try:
        if system.type_name in _FILES:
            system.create_dir(root, recursive=True)
            _send(packed, system, sent, target)
            return
        own = os.dup(packed)  # for the thread: if this one gives up, another file may have the number soon

        def send() -> None:
            with open(own, "rb"):
                _send(own, system, sent, target)

        remote.within(send, remote.patience_for(os.fstat(packed).st_size))
    except BaseException:
        if sent != target:
            with contextlib.suppress(OSError):
                remote.within(lambda: system.delete_file(sent))
        raise


def _send(packed: int, system: fs.FileSystem, sent: str, target: str) -> None:
    from pyarrow import fs

    # One call, which no Ctrl-C cuts in two: pyarrow completes an upload that is given up half way.
    fs.copy_files(
        f"/dev/fd/{packed}",
        sent,
        source_filesystem=fs.LocalFileSystem(),
        destination_filesystem=system,
        chunk_size=_CHUNK,
        use_threads=False,
    )
    if sent == target:
        return
    try:
        system.move(sent, target)
    except NotImplementedError:  # Azure without a hierarchical namespace: its server copies
        system.copy_file(sent, target)
        system.delete_file(sent)
