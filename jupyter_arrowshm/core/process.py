"""A process as people know it: its notebook, its script, its language."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

LABEL_OPTION = "--arrowshm-label="  # on the command line of a process that says itself what people call it
_WITH_VALUE = ("-W", "-X", "-t", "-p", "-L", "-J", "-C", "-H", "--threads", "--procs")  # options of Python and of Julia
_CONNECTION_FILE = re.compile(r"kernel-(?:v2-)?([^/\\]+)\.json$")


@dataclass(frozen=True)
class Holder:
    """A live process that keeps a table alive; what does not apply to it is empty.

    ``pid`` is ``None`` for a process that this one cannot see: in another PID
    namespace, or a forked child of a holder that has ended. ``child`` tells
    that not the process itself but one of its parents is the kernel.
    """

    pid: int | None = None
    language: str = ""
    kernel_id: str = ""
    notebook: str = ""
    script: str = ""
    child: bool = False

    @property
    def label(self) -> str:
        """What people call it: ``model.ipynb (python)``, ``etl.py``, ``python (pid 4711)``."""
        if self.notebook or self.kernel_id:
            text = f"{self.notebook or f'kernel {self.kernel_id[:8]}'} ({self.language or 'unknown language'})"
            return f"{text}, child process {self.pid}" if self.child else text
        if self.script:
            return os.path.basename(self.script)
        if self.pid is None:
            return self.language or "unknown process"
        return f"{self.language or 'process'} (pid {self.pid})"

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True)
class Publisher(Holder):
    """Who shared a table, as it said of itself. ``alive`` is ``None`` where the file does not say who that was."""

    alive: bool | None = None

    def __str__(self) -> str:
        return f"{self.label} (ended)" if self.alive is False else self.label


def myself() -> Holder:
    """This process. A kernel has no script: its ``__main__`` is ipykernel's launcher, the same for every notebook."""
    kernel = kernel_id(sys.orig_argv)
    script = "" if kernel else getattr(sys.modules.get("__main__"), "__file__", None) or ""
    return Holder(
        pid=os.getpid(),
        language="python",
        kernel_id=kernel,
        notebook=os.path.basename(os.environ.get("JPY_SESSION_NAME", "")) if kernel else "",
        script=os.path.abspath(script) if script else "",
    )


def kernel_id(command_line: Iterable[str]) -> str:
    """The id of the Jupyter kernel that was started by this command line, from its connection file; else empty."""
    for word in command_line:
        if found := _CONNECTION_FILE.search(word):
            return found.group(1)
    return ""


def look_up(pid: int) -> Holder:
    """What is known of a live process: its kernel and notebook (also of a parent's, for its children) or its script."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            command_line = process.cmdline()
            language = _language(process.name(), command_line)
        for candidate in (process, *process.parents()):
            if kernel := kernel_id(candidate.cmdline()):
                notebook = os.path.basename(candidate.environ().get("JPY_SESSION_NAME", ""))
                return Holder(pid, language, kernel, notebook, child=candidate is not process)
        return Holder(pid, language, script=_script(command_line))
    except psutil.Error:
        return Holder(pid)


def _language(name: str, command_line: list[str]) -> str:
    program = os.path.basename(command_line[0]) if command_line else name
    return next((known for known in ("python", "julia", "R") if program.startswith(known)), program)


def _script(command_line: list[str]) -> str:
    """The first word that is no option of Python or Julia; ``-m`` and ``-c`` name no file."""
    for word in command_line:
        if word.startswith(LABEL_OPTION):
            return word.removeprefix(LABEL_OPTION)
    words = iter(command_line[1:])
    for word in words:
        if word in ("-c", "-m", "-e", "-E", "--eval"):
            return ""
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""
