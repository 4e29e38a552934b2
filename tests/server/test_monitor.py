"""The thread that looks at the tables goes on, no matter what goes wrong."""

from __future__ import annotations

import logging
import time

import pytest

import jupyter_arrowshm as shm
from jupyter_arrowshm.server.changes import Change
from jupyter_arrowshm.server.keeper import Rules
from jupyter_arrowshm.server.monitor import Monitor

LEFT = "shm.share(pa.table({'a': [1]}), 'left')"


def test_an_error_of_other_code_is_logged_and_does_not_end_it(
    store: shm.Store, peer, caplog: pytest.LogCaptureFixture
) -> None:
    """It still removes what nobody uses."""

    def tell(change: Change) -> None:
        raise RuntimeError("nobody can be told")

    monitor = Monitor(store, Rules(idle_timeout=0.1), tell, logging.getLogger("monitor"))
    monitor.look()
    monitor.start()
    other = peer()
    other.run(LEFT)
    while "unused tables are not removed now: RuntimeError: nobody can be told" not in caplog.text:
        time.sleep(0.02)
    other.kill()
    while store.names():
        time.sleep(0.02)
    monitor.stop()
