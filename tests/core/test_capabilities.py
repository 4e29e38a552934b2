"""The machine's capabilities for a store are found by trying, and the trial leaves nothing behind."""

from __future__ import annotations

import os

from jupyter_arrowshm.core import leases


def test_what_this_machine_can_do(store, parent) -> None:
    """A trial leaves nothing behind."""
    found = store.capabilities()
    assert found.file_system == ("tmpfs" if str(parent).startswith("/dev/shm") else found.file_system) != ""
    assert found.lists_locks and found.counts_users and found.writes_any_name
    assert os.listdir(parent) == []


def test_locks_that_nobody_shows(store, monkeypatch) -> None:
    """Without /proc/locks users are not counted, and the capabilities say so."""

    def hidden(device: str) -> set[tuple[str, str, str]]:
        raise FileNotFoundError

    monkeypatch.setattr(leases, "_read_locks", hidden)
    found = store.capabilities()
    assert not found.lists_locks and not found.counts_users
