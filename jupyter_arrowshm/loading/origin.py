"""An origin of tables, as the store sees it."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

from ..tabular import Source

_MOST = 60  # characters of the readable part of a loaded table's name


class Origin(Protocol):
    """A source of rows that can be read again, and that tells whether it has changed.

    Attributes
    ----------
    name
        The name of its table among those that are loaded (:func:`name_of`).
    address
        The path or URI that people know it by, without passwords.
    columns, where
        The part of it that is wanted: names of columns, and the text of a filter; ``None`` and empty for all.
    """

    name: str
    address: str
    columns: tuple[str, ...] | None
    where: str

    def version(self) -> str:
        """Text that differs after every change; costs a request or a few system calls. Raises ``LoadFailed``."""
        ...

    def read(self) -> Source:
        """The rows, batch by batch. Raises ``LoadFailed``, also while batches are taken."""
        ...


def name_of(address: str, columns: tuple[str, ...] | None, where: str) -> str:
    """The name of a loaded table: the last part of the address, and eight digits that tell it from its like.

    >>> name_of("/data/trips.parquet", None, "")
    'trips.parquet-b1fd67eb'
    """
    last = re.sub(r"[^\w.+=,@-]", "_", address.rstrip("/").rpartition("/")[2], flags=re.ASCII).lstrip(".-")
    parts = "\0".join([address, where, *(columns if columns is not None else ("*",))])
    digits = hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{last[:_MOST] or 'table'}-{digits}"
