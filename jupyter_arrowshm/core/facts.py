"""Our additions to the footer of an Arrow file: flat ``arrowshm.*`` keys in its custom metadata.

Any Arrow reader can open such a file; the table's own schema metadata is
untouched.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

PROTOCOL = 1
MAX_METADATA = 64 << 20  # bytes of a footer, or of one message's header, that a listing reads
_MAX_FACT = 4096  # bytes of one fact: PATH_MAX, as the longest is a path (limits.h)
_PREFIX = "arrowshm."
PROTOCOL_KEY, PROTOCOL_VALUE = f"{_PREFIX}protocol".encode(), str(PROTOCOL).encode()
SOURCE_KEY = f"{_PREFIX}source".encode()


@dataclass(frozen=True)
class Facts:
    """The facts in the footer besides the schema; every field may be missing in a file that somebody else wrote."""

    protocol: str | None = None
    id: str = ""
    name: str = ""
    rows: int | None = None
    published: str = ""
    boot: str = ""
    token: str = ""
    pid: int | None = None
    language: str = ""
    kernel: str = ""
    notebook: str = ""
    script: str = ""
    program: str = ""
    source: str = ""
    version: str = ""
    library: str = ""
    origin: str = ""
    origin_version: str = ""
    origin_columns: str = ""
    origin_where: str = ""

    @property
    def ours(self) -> bool:
        return self.protocol is not None

    @property
    def published_at(self) -> dt.datetime | None:
        try:
            published = dt.datetime.fromisoformat(self.published)
        except ValueError:
            return None
        return published if published.tzinfo is not None else None

    @property
    def columns_of_origin(self) -> tuple[str, ...] | None:
        """``None`` for all; empty where it cannot be read, or was too long to be."""
        if not self.origin_columns:
            return None
        try:
            found = json.loads(self.origin_columns)
        except ValueError:
            return ()
        return tuple(map(str, found)) if isinstance(found, list) else ()

    def to_metadata(self) -> dict[str, str]:
        facts = {key.replace("_", "-"): value for key, value in vars(self).items()}
        return {_PREFIX + key: str(value) for key, value in facts.items() if value not in (None, "")}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> Facts:
        """The facts in a footer. Unknown keys, and values that do not parse, are skipped."""
        facts: dict[str, object] = {}
        for key, value in (metadata or {}).items():
            field = key.decode(errors="replace").removeprefix(_PREFIX).replace("-", "_")
            if key.startswith(_PREFIX.encode()) and field in cls.__dataclass_fields__:
                text = value[:_MAX_FACT].decode(errors="replace")
                if field not in ("rows", "pid"):
                    facts[field] = text
                elif text.isascii() and text.isdigit() and len(text) < 20:  # of int64
                    facts[field] = int(text)
        return cls(**facts)  # type: ignore[arg-type]
