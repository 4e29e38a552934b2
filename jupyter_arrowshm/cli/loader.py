"""``python -m jupyter_arrowshm.cli.loader PATH [SECONDS]``: load files for a client in another language.

It prints the name of their table in ``.loaded`` (docs/protocol.md, "Loading"), or one line that says why there is none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..core import default_store
from ..errors import ArrowSHMError
from ..loading import Files


def main(arguments: Sequence[str]) -> int:
    """Load, or wait until another process has loaded; gives the exit code."""
    address, wait = arguments[0], float(arguments[1]) if len(arguments) > 1 else None
    try:
        default_store().attach(address, to="stored", wait=wait)
        print(Files(address).name)
    except ArrowSHMError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
