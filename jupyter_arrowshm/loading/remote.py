"""File systems by URI, through ``pyarrow.fs``, with limits: a server that is not there is soon an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from pyarrow import fs

T = TypeVar("T")
PATIENCE = 20.0  # s, for an answer without rows
SLOWEST = 1 << 16  # bytes/s; rows that take longer than this are not waited for
CONNECT, REQUEST, ATTEMPTS = 5, 15, 2  # s, s and tries of one request to S3
_S3_OPTIONS = ("region", "scheme", "endpoint_override")


def file_system(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system of a URI and the path in it. A bucket's region may be asked for over the network."""
    from pyarrow import fs

    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "s3" and not set(options) - set(_S3_OPTIONS):
        # Like from_uri, but with limits: that one waits for minutes for a server that is not there.
        region = options.pop("region", None) or (None if options else fs.resolve_s3_region(parts.hostname))
        system = fs.S3FileSystem(
            access_key=unquote(parts.username) if parts.username else None,
            secret_key=unquote(parts.password) if parts.password else None,
            region=region,
            connect_timeout=CONNECT,
            request_timeout=REQUEST,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
            **options,
        )
        return system, f"{parts.hostname}{parts.path}".rstrip("/")
    if parts.scheme in ("abfs", "abfss") and parts.password:
        system, path = _azure(uri)
        return system, path.rstrip("/")
    if parts.scheme in ("gs", "gcs") and "retry_limit_seconds" not in options:
        uri += f"{'&' if '?' in uri else '?'}retry_limit_seconds={PATIENCE:g}"  # it would try for 15 minutes
    system, path = fs.FileSystem.from_uri(uri)
    return system, path.rstrip("/")


def _azure(uri: str) -> tuple[fs.FileSystem, str]:
    """An account's key is taken from the URI as Arrow documents it; its own from_uri ignores it (Arrow 26)."""
    from pyarrow import fs

    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query))
    user, host, inside = unquote(parts.username or ""), parts.hostname or "", parts.path.strip("/")
    how: dict[str, Any] = {
        f"{kind}_storage_authority": options[f"{kind}_storage_authority"]
        for kind in ("blob", "dfs")
        if f"{kind}_storage_authority" in options
    }
    if host.endswith(".blob.core.windows.net"):
        account, path = host.partition(".")[0], inside
    elif host.endswith(".dfs.core.windows.net"):
        account, path = host.partition(".")[0], f"{user}/{inside}"
    elif "." in host or parts.port:
        account, path = user, inside
        at = parts.netloc.rpartition("@")[2]
        how = {"blob_storage_authority": at, "dfs_storage_authority": at}
    else:
        account, path = user, f"{host}/{inside}"
    if options.get("enable_tls", "true").lower() in ("false", "0"):
        how |= {"blob_storage_scheme": "http", "dfs_storage_scheme": "http"}
    return fs.AzureFileSystem(account, account_key=unquote(parts.password or ""), **how), path


class Silent(OSError):
    """A server did not answer within ``PATIENCE``."""


class Begun(Generic[T]):
    """A call in a thread of its own, which is left behind if it takes too long.

    A call that waits for a dead server of NFS, or for a server that sends one byte now and then, cannot be ended.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._result: list[T] = []
        self._errors: list[BaseException] = []

        def run() -> None:
            try:
                self._result.append(call())
            except BaseException as error:
                self._errors.append(error)

        self._thread = threading.Thread(target=run, name="arrowshm-place", daemon=True)
        self._thread.start()

    def result(self, seconds: float) -> T:
        """What the call gives; :class:`Silent` after so many seconds, whatever the network does."""
        self._thread.join(seconds)
        if self._errors:
            raise self._errors[0]
        if not self._result:
            raise Silent(f"it did not answer within {round(seconds, 1):g} s")
        return self._result[0]


def within(call: Callable[[], T], seconds: float | None = None) -> T:
    """What ``call`` gives; :class:`Silent` after ``seconds`` (``PATIENCE``)."""
    return Begun(call).result(PATIENCE if seconds is None else seconds)


def patience_for(nbytes: int) -> float:
    """Seconds to wait until so many bytes of rows have come or gone."""
    return PATIENCE + nbytes / SLOWEST
