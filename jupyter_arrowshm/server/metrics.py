"""Gauges for Prometheus, beside the server's own at ``/metrics``."""

from __future__ import annotations

from prometheus_client import Gauge

from ..core import Store, Tables

TABLES = Gauge("arrowshm_tables", "Shared and loaded tables")
BYTES = Gauge("arrowshm_bytes", "Bytes of these tables")
USERS = Gauge("arrowshm_users", "Processes that use them, counted once for each table")
OLDER_BYTES = Gauge("arrowshm_older_bytes", "Bytes of older versions and unshared tables that are still in use")
FREE_BYTES = Gauge("arrowshm_free_bytes", "Bytes that can still be shared")
TOTAL_BYTES = Gauge("arrowshm_total_bytes", "Bytes that there are for tables, in use or not; 0 where there is no limit")
PROBLEM = Gauge("arrowshm_problem", "1 while tables cannot be looked after: unused ones are not removed")


def update(tables: Tables, store: Store) -> None:
    TABLES.set(len(tables))
    BYTES.set(sum(table.nbytes for table in tables))
    USERS.set(sum(len(table.holders) for table in tables))
    older = [version for table in tables for version in table.older]
    OLDER_BYTES.set(sum(version.nbytes for version in [*older, *tables.removed]))
    room = store.room()
    FREE_BYTES.set(room.free)
    TOTAL_BYTES.set(room.total)
