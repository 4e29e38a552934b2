"""A SELECT over the tables of a store, answered by DuckDB, which reads the tables where they are and nothing else.

DuckDB is asked for in a process that may be ended: it can take all the memory
that it is given, and a damaged table can crash it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from ..core import Store
from ..errors import ArrowSHMError, InvalidQuery, QueryStopped, TableNotFound
from ..preview import MAX_ROWS, Patience, Unwanted, View
from .questions import SqlQuestion

if TYPE_CHECKING:
    import duckdb

SECONDS = 30.0  # that a statement may take
_MEMORY = "512MB"
_THREADS = 2
_LENGTH = 100_000  # characters of a statement
_BATCH_ROWS = 10_000
_GLANCE = 0.05  # s between two looks at whether the answer is still wanted
# No file but those of the tables is opened, and no statement can undo that (duckdb.org/docs/stable/operations_manual/
# securing_duckdb). Python's own variables are no tables.
_SETTINGS = (
    "SET python_enable_replacements = false",
    f"SET memory_limit = '{_MEMORY}'",
    f"SET threads = {_THREADS}",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class Result(NamedTuple):
    """The first rows as a page has them, and whether there are more (``is_cut``); or how many were shared."""

    head: dict[str, Any]
    stream: bytes = b""


def run(question: SqlQuestion, patience: Patience) -> Result:
    """The first 1,000 rows of a SELECT, or all of them shared under a name.

    Raises
    ------
    InvalidQuery
        It is not one SELECT, or DuckDB does not understand it.
    QueryStopped
        It took too long or too much memory, or DuckDB is not installed here.
    ArrowSHMError
        The result cannot be shared.
    """
    store = Store(question.directory)
    try:
        import duckdb
    except ImportError:
        fix = "Install duckdb in the environment of the Jupyter server: pip install duckdb"
        raise QueryStopped("needs DuckDB, which is not installed", fix) from None
    connection = duckdb.connect(":memory:")
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        _check(connection, question.statement)
        for name, table in _tables(store, question.statement):
            connection.register(name, table)
        with _watched(connection, patience):
            found = _batches(connection.execute(question.statement))
            return _shared(store, question.share, found) if question.share else _shown(found, patience)
    except duckdb.Error as error:
        raise _explained(error) from None
    finally:
        connection.close()


def _check(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    import duckdb

    if len(statement) > _LENGTH:
        raise InvalidQuery(f"a statement has {_LENGTH:,} characters at most")
    kinds = [one.type for one in connection.extract_statements(statement)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise InvalidQuery("only one SELECT can be asked for; tables are never changed")


def _tables(store: Store, statement: str) -> Iterator[tuple[str, pa.Table]]:
    """The tables that the statement mentions. Of ``Trips`` and ``trips`` DuckDB knows the one that comes last."""
    # Not by DuckDB's get_table_names, which fails where a table that it does not know is joined.
    folded = statement.casefold()
    mentioned = [name for name in {*store.loaded.names(), *store.names()} if _quoted(name).casefold() in folded]
    for name in sorted(mentioned, key=lambda name: (_quoted(name) in statement, name)):
        with contextlib.suppress(TableNotFound):  # it went just now: DuckDB says that there is no such table
            yield name, store.look(name).reader.read_all()


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _batches(executed: Any) -> pa.RecordBatchReader:
    # DuckDB 2 has another name for it.
    return (getattr(executed, "to_arrow_reader", None) or executed.fetch_record_batch)(_BATCH_ROWS)


def _shown(found: pa.RecordBatchReader, patience: Patience) -> Result:
    batches: list[pa.RecordBatch] = []
    rows = 0
    for batch in found:
        batches.append(batch)
        rows += batch.num_rows
        if rows > MAX_ROWS:
            break
    table = pa.Table.from_batches(batches, found.schema)
    page = View(table.slice(0, MAX_ROWS)).page(0, MAX_ROWS, patience=patience)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, page.schema) as writer:
        writer.write_batch(page)
    return Result({"is_cut": rows > page.num_rows}, bytes(sink.getvalue()))


def _shared(store: Store, name: str, found: pa.RecordBatchReader) -> Result:
    rows = 0
    with store.writer(name, found.schema) as writer:
        for batch in found:
            writer.write(batch)
            rows += batch.num_rows
    return Result({"name": name, "num_rows": rows})


@contextlib.contextmanager
def _watched(connection: duckdb.DuckDBPyConnection, patience: Patience) -> Iterator[None]:
    """Stop DuckDB when time is over or nobody waits any more: it looks at neither itself."""
    done = threading.Event()
    stopped: list[Exception] = []

    def watch() -> None:
        while not done.wait(_GLANCE):
            try:
                if not patience.is_over():
                    continue
                stopped.append(QueryStopped(f"took longer than {patience.seconds:g} s and was stopped", "Ask for less"))
            except Unwanted as unwanted:
                stopped.append(unwanted)
            connection.interrupt()
            return

    thread = threading.Thread(target=watch, name="arrowshm-sql", daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        if stopped:
            raise stopped[0] from None
        raise error
    finally:
        done.set()
        thread.join()


def _explained(error: duckdb.Error) -> ArrowSHMError:
    import duckdb

    text = str(error).strip()
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryStopped(f"needed more than the {_MEMORY} that it may have", "Ask for less")
    if isinstance(error, duckdb.PermissionException):
        return InvalidQuery("a statement reads shared tables alone, and no files")
    return InvalidQuery(f"DuckDB says: {text[:1000]}")
