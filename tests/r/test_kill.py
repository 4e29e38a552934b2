"""R processes that share, attach, list and remove are killed at random: no half table, no ghost, nothing left."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults.record import times
from measures import footprint
from waiting import eventually

import jupyter_arrowshm as shm

KILLS = times(100, 10_000)
# Forks of one R that has the package loaded: a child is there in milliseconds.
WORK = """
work <- function(failures) {
  set.seed(Sys.getpid())
  here <- list()
  absent <- function(code) tryCatch(code, TableNotFound = function(e) NULL)
  tryCatch(repeat {
    name <- sample(c("a", "b", "c"), 1)
    switch(sample(5, 1),
      {
        n <- sample(3000, 1)
        share_table(data.frame(n = rep(as.numeric(n), n), i = seq_len(n), s = as.character(n)), name, replace = TRUE)
      },
      {
        here[[name]] <- t <- absent(attach_table(name))
        n <- nrow(t)
        if (!is.null(t)) stopifnot(all(t$n == n), sum(t$i) == n * (n + 1) / 2, t$s[n] == n)
      },
      absent(unshare_table(name)),
      shared_tables(),
      { here <- list(); gc() }
    )
  }, error = function(e) cat(conditionMessage(e), "\\n", file = failures, append = TRUE))
}
born <- function(failures) parallel::mcparallel(work(failures), detached = TRUE, silent = TRUE)$pid
"""


def test_killed_at_random(new_r: Callable[..., Any], store: shm.Store, directory: Path, tmp_path: Path) -> None:
    parent, failures, pick = new_r(), tmp_path / "failures", random.Random(7)
    parent.run(WORK)

    def born() -> int:
        return int(parent.get(f"born({json.dumps(str(failures))})"))

    living = [born(), born()]
    for kill in range(KILLS):
        time.sleep(pick.random() * 0.04)
        os.kill(living.pop(0), signal.SIGKILL)
        living.append(born())
        if kill % 10 == 0:
            assert all(table.num_rows > 0 for table in store.tables())
        assert not failures.exists(), failures.read_text()
    for pid in living:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not [user for table in store.tables() for user in table.holders])
    for table in store.tables():
        rows = store.attach(table.name, validate="full")
        assert set(rows["n"].to_pylist()) == {float(len(rows))}
        del rows
    store.gc()
    parent.run("invisible(gc())")
    assert [path for path in directory.rglob("*") if path.is_file() and path.parent.name != ".removed"] == []
    eventually(lambda: not footprint(directory.parent))
