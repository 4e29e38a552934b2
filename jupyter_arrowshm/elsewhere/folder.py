"""A folder or a bucket: tables as compressed Arrow files, ``NAME.arrow``, through ``pyarrow.fs``."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa

from ..core import (
    Attachment,
    Progress,
    TableInfo,
    Tables,
    attach_origin,
    check_name,
    check_owner,
    default_store,
    describe,
    name_of_file,
    pack,
)
from ..errors import ArrowSHMError, DamagedTable, LoadFailed, PlaceFailed, TableExists, TableNotFound
from ..kinds import Kind, Shareable
from ..loading import entity_tag, remote
from . import upload
from .pages import FilePages, Paged

if TYPE_CHECKING:
    from pyarrow import fs

T = TypeVar("T")
SUFFIX = ".arrow"
_ATTEMPTS_TO_READ = 5  # an object that others replace all the time
_AT_ONCE = 8  # files whose footers are read at the same time
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(text: str) -> bool:
    """Whether this is a path or a URI, and not a name: names have no ``/``."""
    return "/" in text or text in (".", "..") or text.startswith("~")


class Folder(Paged):
    """A folder on this machine or a network file system, or a bucket, by its path or URI."""

    writable = True
    kind = "folder"

    def __init__(self, name: str, address: str) -> None:
        self._uri = address if _SCHEME.match(address) else os.path.abspath(os.path.expanduser(address))
        # There may be a password before the host, or among the options.
        self.description = re.sub(r"//[^/@]*@", "//", self._uri.partition("?")[0])
        self.name = self.read_as = self.description if name == address else name
        self._opened: tuple[fs.FileSystem, str] | None = None
        self._known: dict[tuple[str, int, int], TableInfo | None] = {}  # by name, size and mtime

    def __repr__(self) -> str:
        return f"<place {self.name}: {self.description}>"

    # -- sharing ----------------------------------------------------------------------------------------------------

    def share(
        self, source: Shareable, name: str, *, replace: bool = False, progress: Progress | None = None
    ) -> TableInfo:
        """Put a table there, whole: until then, and if anything fails, whatever has the name stays.

        Of two that share one name at the same moment, one wins. What was refused when sharing began is not asked again
        when it ends: no file system of pyarrow's puts a file on a condition.
        """
        check_name(name)
        system, root = self._place()
        if not replace:
            self.bounded(lambda: self._check_owner(system, root, name))
        with pack(source, name, progress) as packed:
            number = packed.fileno()
            with self._explained():
                try:
                    upload.put(number, system, root, name + SUFFIX)
                except remote.Silent as error:
                    raise PlaceFailed(self.name, f"did not take the table: {error}", "Try again.") from None
                except FileNotFoundError as error:  # the folder cannot be made there
                    raise self._failed(error) from None
            table = describe(packed, name, self.path(name), os.fstat(number).st_size, self.version(name) or "")
        assert table is not None
        return table

    def _check_owner(self, system: fs.FileSystem, root: str, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), system.open_input_file(f"{root}/{name}{SUFFIX}") as file:
            check_owner(file, name)

    # -- reading ----------------------------------------------------------------------------------------------------

    def attach(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Any:
        """The table, fetched once per machine; see :meth:`Store.attach`."""
        return self.attachment(name, to=to, **options).value

    def attachment(self, name: str, *, to: Kind = "pyarrow", **options: Any) -> Attachment:
        """As :meth:`Store.attachment`."""
        from .fetching import PlacedTable

        check_name(name)
        return self._unchanged(name, lambda _: attach_origin(default_store(), PlacedTable(self, name), to, **options))

    def look(self, name: str, version: str = "") -> FilePages:
        """As :meth:`Paged.look`. The footer is read, and no row."""
        return FilePages(self, name, version)

    def version(self, name: str) -> str | None:
        """The entity tag of an object (RFC 9110, section 8.8.3), else inode, size and time; ``None``: no such table."""
        system, root = self._place()
        return self.bounded(lambda: self._version(system, f"{root}/{name}{SUFFIX}"))

    def _version(self, system: fs.FileSystem, path: str) -> str | None:
        try:
            if system.type_name == "local":
                # The inode, too: a program may write a file of the same size within one tick of its clock.
                status = os.stat(path)
                return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"
            if tag := entity_tag(system, path):
                return tag
        except FileNotFoundError:
            return None
        found = system.get_file_info(path)
        return f"{found.mtime_ns}-{found.size}"

    def info_version(self, name: str) -> str:
        """As :meth:`version`; raises ``TableNotFound``."""
        version = self.version(name)
        if version is None:
            raise self._not_found(name)
        return version

    def open_file(self, name: str) -> pa.NativeFile:
        """The table's file. Raises ``TableNotFound``."""
        system, root = self._place()
        try:
            return self.bounded(lambda: system.open_input_file(f"{root}/{name}{SUFFIX}"))
        except FileNotFoundError:
            raise self._not_found(name) from None

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[pa.NativeFile]:
        with self.open_file(name) as file, self._explained():
            yield file

    def names(self) -> list[str]:
        """The names of the tables there: one request."""
        return sorted(self._files())

    def tables(self) -> Tables:
        """The tables there. Their footers are read once for each version, by range; a list costs one request then."""
        files = self._files()
        wanted = {(name, file.size, file.mtime_ns or 0): name for name, file in files.items()}
        missing = {key: name for key, name in wanted.items() if key not in self._known}

        def read(item: tuple[tuple[str, int, int], str]) -> tuple[tuple[str, int, int], TableInfo | None]:
            (name, size, mtime), _ = item
            try:
                with self._reading(name) as file:
                    version = f"{mtime}-{size}"
                    return item[0], self.bounded(lambda: describe(file, name, self.path(name), size, version))
            except TableNotFound:  # removed this instant
                return item[0], None

        if missing:
            with ThreadPoolExecutor(min(_AT_ONCE, len(missing))) as pool:
                self._known.update(pool.map(read, missing.items()))
        self._known = {key: self._known[key] for key in wanted if key in self._known}
        return Tables([table for key in sorted(wanted) if (table := self._known.get(key)) is not None])

    def info(self, name: str) -> TableInfo:
        """The facts about one table, from its footer."""
        check_name(name)

        def read(version: str) -> TableInfo:
            with self._reading(name) as file:
                table = self.bounded(lambda: describe(file, name, self.path(name), file.size(), version))
            if table is None:
                raise DamagedTable(name, self.path(name), "it is not a whole Arrow file")
            return table

        return self._unchanged(name, read)

    def _unchanged(self, name: str, read: Callable[[str], T]) -> T:
        """What ``read`` makes of one version. Of an object that is replaced meanwhile, it may see parts of two."""
        for _ in range(_ATTEMPTS_TO_READ - 1):
            version = self.info_version(name)
            try:
                return read(version)
            except (DamagedTable, LoadFailed):
                if self.version(name) == version:
                    raise
        return read(self.info_version(name))

    def is_mine(self, name: str) -> bool:
        """Whether this process shared the table, or an earlier run of its kernel, notebook or script."""
        system, root = self._place()
        try:
            self.bounded(lambda: self._check_owner(system, root, name))
        except TableExists:
            return False
        return True

    def unshare(self, name: str) -> None:
        """Remove the table's file. Who has it attached keeps it."""
        check_name(name)
        system, root = self._place()
        path = f"{root}/{name}{SUFFIX}"
        self.info_version(name)  # object stores do not say that there was nothing to delete
        try:
            self.bounded(lambda: system.delete_file(path))
        except FileNotFoundError:
            raise self._not_found(name) from None

    def _files(self) -> dict[str, fs.FileInfo]:
        from pyarrow import fs

        system, root = self._place()
        found = self.bounded(lambda: system.get_file_info(fs.FileSelector(root, allow_not_found=True)))
        files = [file for file in found if file.type == fs.FileType.File]
        return {name: file for file in files if (name := name_of_file(file.base_name)) is not None}

    def path(self, name: str) -> str:
        """Where the table is, without passwords."""
        return f"{self.description}/{name}{SUFFIX}"

    def _not_found(self, name: str) -> TableNotFound:
        import difflib

        near: list[str] = []
        with contextlib.suppress(ArrowSHMError):
            near = difflib.get_close_matches(name, self.names(), n=3)
        return TableNotFound(name, tuple(near), place=self.name)

    # -- the file system --------------------------------------------------------------------------------------------

    def _place(self) -> tuple[fs.FileSystem, str]:
        """The file system and the path in it. A bucket's region may be asked for over the network."""
        if self._opened is None:
            self._opened = self.bounded(lambda: _file_system(self._uri))
        return self._opened

    def bounded(self, call: Callable[[], T]) -> T:
        """What ``call`` gives; an error after ``remote.PATIENCE``, whatever the network does."""
        with self._explained():
            try:
                return remote.within(call)
            except remote.Silent:
                reason = f"did not answer within {remote.PATIENCE:g} s ({self.description})"
                raise PlaceFailed(self.name, reason, "Try again.") from None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (ArrowSHMError, FileNotFoundError):
            raise
        except PermissionError as error:
            reason = f"refuses this: you have no permission in {self.description}"
            raise PlaceFailed(self.name, reason, "Ask who set it up.") from error
        except (OSError, pa.ArrowException) as error:
            raise self._failed(error) from None

    def _failed(self, error: BaseException) -> PlaceFailed:
        return PlaceFailed(self.name, f"cannot be used ({self.reason(error)})", "Nothing was changed there.")

    def reason(self, error: BaseException) -> str:
        """The first sentence of an error, without passwords."""
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return os.strerror(error.errno)
        text = str(error).strip().partition("\n")[0].partition(" Detail: ")[0]
        parts = urlsplit(self._uri)
        for secret in (parts.password, parts.username, *(value for _, value in parse_qsl(parts.query))):
            if secret and len(secret) > 3:
                text = text.replace(secret, "***").replace(unquote(secret), "***")
        return text[:300].rstrip(". ")


def _file_system(address: str) -> tuple[fs.FileSystem, str]:
    from pyarrow import fs

    return remote.file_system(address) if _SCHEME.match(address) else (fs.LocalFileSystem(), address)
