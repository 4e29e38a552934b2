"""A Ray cluster as a place of tables. Ray is imported when a table of one is asked for, and not before."""

from __future__ import annotations

from .place import SCHEME, Cluster

__all__ = ["SCHEME", "Cluster"]
