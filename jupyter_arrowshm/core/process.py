"""A process in words that people know: its notebook, its script, its language."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LABEL_OPTION = "--arrowshm-label="  # on the command line of a process that names itself
_WITH_VALUE = ("-W", "-X", "-t", "-p", "-L", "-J", "-C", "-H", "--threads", "--procs")  # options of Python and of Julia
_CODE, _MODULE = ("-c", "-e", "-E", "--eval"), "-m"
_CONNECTION_FILE = re.compile(r"kernel-(?:v2-)?([^/\\]+)\.json$")
_RUNNERS = ("nbconvert", "execute", "run", "papermill")  # programs that start a kernel for the notebook they are given


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


_STARTED_IN = _working_directory()


@dataclass(frozen=True)
class Holder:
    """A live process that keeps a table alive; fields that do not apply to it are empty.

    ``pid`` is ``None`` for a process that this one cannot see: in another PID
    namespace, or a forked child of a holder that has ended. ``child`` says
    that the kernel is one of the process's parents, not the process itself.
    ``user`` is the name of its user, if that is somebody else.
    """

    pid: int | None = None
    language: str = ""
    kernel_id: str = ""
    notebook: str = ""
    script: str = ""
    child: bool = False
    user: str = ""

    @property
    def label(self) -> str:
        """A name for people: ``model.ipynb (python)``, ``etl.py``, ``python (pid 4711)``, ``ada: etl.py``."""
        return f"{self.user}: {self._process}" if self.user else self._process

    @property
    def _process(self) -> str:
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
    """The process that shared a table, by its own account. ``alive`` is ``None`` where the file does not name it."""

    alive: bool | None = None

    def as_holder(self) -> Holder:
        """The same process, as one of those that use the table."""
        return Holder(**{name: value for name, value in vars(self).items() if name != "alive"})

    def __str__(self) -> str:
        return f"{self.label} (ended)" if self.alive is False else self.label


def myself() -> Holder:
    """This process. A kernel has no script: its ``__main__`` is ipykernel's launcher, the same for every notebook."""
    kernel, is_kernel = kernel_id(sys.orig_argv), _is_kernel()
    script = "" if is_kernel else getattr(sys.modules.get("__main__"), "__file__", None) or ""
    notebook = _notebook() or os.environ.get("JPY_SESSION_NAME", "") if is_kernel else ""
    return Holder(
        pid=os.getpid(),
        language="python",
        kernel_id=kernel,
        notebook=os.path.basename(notebook),
        script=os.path.abspath(script) if script else "",
    )


def program() -> str:
    """The program that this process runs (docs/protocol.md, "Ownership"); empty if nothing distinguishes it."""
    if _is_kernel():
        notebook = _notebook()
        return _digest(notebook) if notebook else ""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if not script or os.path.basename(os.path.dirname(os.path.abspath(script))) == "bin":
        return ""  # pytest, streamlit, gunicorn: launchers of many programs
    _, arguments = _parse(sys.orig_argv)
    # multiprocessing starts its children with its own code, and then gives them their parent's arguments.
    return _digest(os.path.abspath(script), _STARTED_IN, *(sys.argv[1:] if arguments is None else arguments))


def _is_kernel() -> bool:
    # A program that starts a kernel without a server (nbclient) gives its connection file a name without an id.
    return bool(kernel_id(sys.orig_argv)) or "ipykernel_launcher" in sys.orig_argv


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _notebook() -> str:
    """Absolute path of the notebook that this kernel runs, if its front end tells us."""
    namespace = vars(sys.modules["__main__"])
    told = _given_to_parent() or namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME", "")
    # A console has a name, too, and many have the same one.
    return os.path.abspath(told) if isinstance(told, str) and os.path.isfile(told) else ""


def is_run_by_program() -> bool:
    """Whether this is the kernel of a notebook that papermill or nbconvert runs, and nobody looks at meanwhile."""
    return _is_kernel() and _runner() is not None


def _runner() -> tuple[list[str], str] | None:
    """Command line and directory of the program that started this kernel, if it is one that runs notebooks."""
    import psutil

    try:
        parent = psutil.Process(os.getppid())
        command_line, directory = parent.cmdline(), parent.cwd()
    except psutil.Error:
        return None
    return (command_line, directory) if any(one in _RUNNERS for one in _program_names(command_line)) else None


def _program_names(command_line: list[str]) -> list[str]:
    return [os.path.basename(word).removeprefix("jupyter-") for word in command_line[:3]]


def _given_to_parent() -> str:
    """The notebook on the command line of the program that started this kernel, if it is one that runs notebooks."""
    if (runner := _runner()) is None:
        return ""
    command_line, directory = runner
    given = [word for before, word in pairwise(command_line) if word.endswith(".ipynb") and before != "--output"]
    given = [word for word in given if not word.startswith("-")]
    if "papermill" in _program_names(command_line):
        given = given[:1]  # the next one is where the result goes
    return os.path.join(directory, given[0]) if len(given) == 1 else ""


def kernel_id(command_line: Iterable[str]) -> str:
    """The id of the Jupyter kernel that was started by this command line, from its connection file; else empty."""
    for word in command_line:
        if match := _CONNECTION_FILE.search(word):
            return match.group(1)
    return ""


def look_up(pid: int) -> Holder:
    """The facts about a live process: its kernel and notebook (a parent's, for a child process) or its script.

    Without a language, if they cannot be had: a process that is ending loses its
    command line before it closes its files, and with them its locks.
    """
    import psutil

    uid = user_id(pid)
    user = "" if uid in (None, os.geteuid()) else user_name(uid)
    try:
        process = psutil.Process(pid)
        found = _facts(process, user)
        if process.cmdline():  # else it has ended meanwhile, and its parent's kernel may have been taken for its own
            return found
    except psutil.Error:
        pass
    return Holder(pid, user=user)


def _facts(process: psutil.Process, user: str) -> Holder:
    command_line = process.cmdline()
    language = _language(command_line)
    for candidate in (process, *process.parents()):
        if kernel := kernel_id(candidate.cmdline()):
            # The environment of another user's process is closed (proc_pid_environ(5)).
            told = "" if user else candidate.environ().get("JPY_SESSION_NAME", "")
            notebook = os.path.basename(told)
            return Holder(process.pid, language, kernel, notebook, child=candidate is not process, user=user)
    return Holder(process.pid, language, script=_script(command_line), user=user)


def user_id(pid: int) -> int | None:
    """The user that a process runs as; ``None`` where that is hidden, or the process has ended."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def user_name(uid: int) -> str:
    """The name of a user; the number for one without a name, as in many containers."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _language(command_line: list[str]) -> str:
    program = os.path.basename(next(iter(command_line), ""))
    return next((known for known in ("python", "julia", "R") if program.startswith(known)), program)


def _script(command_line: list[str]) -> str:
    """The program's name for people: the one it gives itself, else its script."""
    for word in command_line:
        if word.startswith(LABEL_OPTION):
            return word.removeprefix(LABEL_OPTION)
    return _parse(command_line)[0]


def _parse(command_line: list[str]) -> tuple[str, list[str] | None]:
    """The first word that is not an option of Python or Julia, and those after it.

    ``-m`` and ``-c`` name no file; after code on the command line come no arguments, but ``None``.
    """
    words = iter(command_line[1:])
    for word in words:
        if word in _CODE:
            return "", None
        if word == _MODULE:
            return "", list(words)
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word, list(words)
    return "", None
