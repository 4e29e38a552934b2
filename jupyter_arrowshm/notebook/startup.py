"""A start-up file of IPython that makes the magics work without ``%load_ext``, in one environment.

IPython runs the files in ``etc/ipython/startup`` of the environment beside
those of the user's profile.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TEXT = """\
# Written by `jupyter arrowshm enable-magics`; `jupyter arrowshm enable-magics --disable` removes it.
# Nothing is imported before one of the magics is used.
for _name in ("share", "attach", "shared", "detach", "unshare"):
    get_ipython().magics_manager.register_lazy(_name, "jupyter_arrowshm")
del _name
"""


def path() -> Path:
    return Path(sys.prefix, "etc", "ipython", "startup", "50-jupyter-arrowshm.py")


def enable() -> Path:
    """Write the file; returns where it is."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_TEXT)
    return file


def disable() -> None:
    path().unlink(missing_ok=True)
