"""The R client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from conformance.client import Client
from r_peers import HERE, LOOP, R, program

PRELUDE = """
held <- list()
about <- function(name) {
  table <- table_info(name)
  pids <- function(holders) {
    found <- lapply(holders, function(holder) if (is.null(holder$pid)) NA else holder$pid)
    found[order(vapply(found, function(pid) if (is.na(pid)) 0 else as.numeric(pid), 0))]
  }
  older <- unlist(lapply(table$older, function(version) version$holders), recursive = FALSE)
  alive <- table$publisher$alive
  list(rows = table$num_rows, alive = alive, pinned = table$pinned, pids = pids(table$holders), older = pids(older))
}
share <- function(rows, ...) share_table(data.frame(a = as.numeric(seq_len(rows)) - 1), ...)
counts <- function() unlist(lapply(arrowshm:::all_tables(), function(table) length(table$holders)))
"""


class RClient(Client):
    language = "R"
    prelude = PRELUDE
    phrases: ClassVar = {
        "use": "Sys.setenv(JUPYTER_ARROWSHM_DIR = {directory})",
        "default": '{{ Sys.unsetenv("JUPYTER_ARROWSHM_DIR"); arrowshm:::default_directory() }}',
        "share": "share({rows}, {name}, replace = {replace}, pin = {pin})",
        "attach": "held[[length(held) + 1]] <- attach_table({name})",
        "sum": "as.numeric(sum(held[[length(held)]]$a))",
        "drop": "held <- list(); invisible(gc(full = TRUE))",
        "unshare": "unshare_table({name})",
        "pin": "pin_table({name})",
        "unpin": "unpin_table({name})",
        "gc": "I(sort(as.character(names(collect_tables())), method = 'radix'))",
        "names": "I(shared_tables()$name)",
        "info": "about({name})",
        "counts": "I(sort(unique(unlist(lapply(1:10, function(i) counts())))))",
    }

    @staticmethod
    def literal(value: str | bool | int) -> str:
        if isinstance(value, str):  # by its bytes: a lone surrogate cannot be written as a literal
            return f"Session$utf8(c({', '.join(map(str, value.encode('utf-8', 'surrogateescape')))}))"
        return str(value).upper()

    def begin(
        self,
        *,
        script: Path | None = None,
        kernel: str | None = None,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        lasting: bool = False,
    ) -> R:
        options = ["-e", LOOP]
        if script is not None:
            script.write_text(f"source({json.dumps(str(HERE / 'loop.R'))})")
            options = [f"--file={script}"]
        return R(program(), *options, *(["--args", "-f", kernel] if kernel else []), env=dict(env or {}), prefix=prefix)
