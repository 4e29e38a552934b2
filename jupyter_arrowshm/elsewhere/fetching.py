"""Rows from a folder or bucket: into this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .. import tabular
from ..core import Attachment
from ..errors import DamagedTable
from ..kinds import Kind

if TYPE_CHECKING:
    from .folder import Folder


def fetch(
    folder: Folder,
    name: str,
    to: Kind,
    *,
    columns: Sequence[str] | None = None,
    copy: bool = False,
    wait: float | None = None,
    validate: Any = None,
) -> Attachment:
    """The table, in the memory of this process."""
    del copy, wait, validate
    with folder.opened(name) as file:
        nbytes = file.size()
        try:
            reader = pa.ipc.open_file(file)
            table, metadata = reader.read_all(), reader.metadata or {}
            table.validate(full=True)
        except pa.ArrowException as error:
            raise DamagedTable(name, f"{folder.description}/{name}.arrow", str(error).partition("\n")[0]) from None
    if columns is not None:
        table = table.select(list(columns))
    kind = metadata.get(b"arrowshm.source", b"pyarrow").decode(errors="replace")
    made = tabular.from_arrow(table, to, kind=kind, copy=False)
    return Attachment(made.value, name, made.kind, nbytes, {}, made.note, folder.version(name) or "", made.importing)
