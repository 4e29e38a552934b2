"""``jupyter arrowshm doctor``: what this machine and environment are like, and what to do where something is off."""

from __future__ import annotations

import functools
import getpass
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import __version__, words
from ..core import ENVIRONMENT_VARIABLE, Store
from ..errors import ArrowSHMError
from ..notebook import startup
from . import frontends, julia_setup, r_setup

_LIBRARIES = ["pyarrow", "pandas", "polars", "duckdb", "numpy", "ipykernel", "ipywidgets", "jupyter_server"]
_WHOLE_PROC = "mount /proc whole (without subset=pid), or ask who set up this container"
_LIMITED = {
    "": ", and no limit is told",
    "file system": "; the file system is the limit, with {}",
    "memory": "; the machine's memory is the limit, with {}",
    "container": "; the container's memory is the limit, with {}",
}
_ASK = "import importlib.metadata as m; print(m.version('jupyter-arrowshm'))"


@dataclass(frozen=True)
class Finding:
    """One line of the report; with a remedy, something is off."""

    text: str
    remedy: str = ""


def report(store: Store) -> int:
    """Print every finding; 1 if one has a remedy."""
    off = 0
    for examine in _EXAMINATIONS:
        try:
            findings = list(examine(store))
        except (ArrowSHMError, OSError) as error:
            findings = [Finding(f"{examine.__doc__} {error}", "mend this first")]
        except Exception as error:  # from another library, whose code runs where a table has its types
            text = f"{examine.__doc__} {type(error).__name__}: {error}"
            findings = [Finding(text, "mend this first: unused tables are not removed meanwhile")]
        for finding in findings:
            print(f"{'!' if finding.remedy else 'ok':>3}  {finding.text}")
            if finding.remedy:
                off += 1
                print(f"     -> {finding.remedy}")
    print("\nAll is well." if not off else f"\nFound {words.count(off, 'problem')}.")
    return 1 if off else 0


def _versions(store: Store) -> Iterator[Finding]:
    """Versions:"""
    yield Finding(f"jupyter-arrowshm {__version__} on Python {platform.python_version()} in {sys.prefix}")
    installed = {one.name.replace("-", "_").lower(): one.version for one in importlib.metadata.distributions()}
    yield Finding(", ".join(f"{name} {installed[name]}" for name in _LIBRARIES if name in installed))
    if not store.capabilities().writes_any_name:
        yield Finding(
            f"file names are written in {sys.getfilesystemencoding()} here: tables are seen if their names are ASCII",
            "choose a UTF-8 locale (LANG=C.UTF-8), or set PYTHONUTF8=1",
        )


def _where(store: Store) -> Iterator[Finding]:
    """Directory of tables:"""
    room = store.room()
    machine = store.capabilities()
    chosen = f" (set by ${ENVIRONMENT_VARIABLE})" if os.environ.get(ENVIRONMENT_VARIABLE) else ""
    yield Finding(f"tables are in {store.directory}{chosen}, on {machine.file_system or 'unknown file system'}")
    if store.notice:
        larger = "give the container a larger /dev/shm (docker run --shm-size=4g; Kubernetes: emptyDir, medium Memory)"
        yield Finding(store.notice, larger if Path("/proc/self/mountinfo").exists() else _WHOLE_PROC)
    small = room.free < 1 << 30
    yield Finding(
        f"{words.size(room.free)} can still be shared{_LIMITED[room.limited_by].format(words.size(room.total))}",
        "free memory, gc() or unshare() tables, or set $JUPYTER_ARROWSHM_DIR to a larger disk" if small else "",
    )
    if machine.file_system == "tmpfs" and sys.platform == "linux" and not Path("/proc/meminfo").exists():
        yield Finding("how much memory is left cannot be seen: what exceeds it is not refused", _WHOLE_PROC)


def _locks(store: Store) -> Iterator[Finding]:
    """Locks:"""
    machine = store.capabilities()
    if machine.counts_users:
        yield Finding("who uses a table can be seen (/proc/locks)")
    else:
        yield Finding(
            "who uses a table cannot be seen here, only whether anybody does"
            + ("" if machine.lists_locks else " (/proc/locks cannot be read)"),
            "" if sys.platform != "linux" else _WHOLE_PROC,
        )
    if not machine.has_unnamed_files:
        yield Finding("no unnamed files (O_TMPFILE) can be had here: a killed share leaves one until the next")
    if not _has_own_proc():
        yield Finding("/proc is that of other processes: they are shown by the numbers that they have there")
    if _in_container():
        yield Finding("a container: processes outside it that use these tables are shown as unknown process")


def _has_own_proc() -> bool:
    """Whether /proc counts processes as this one does: not so in a PID namespace that has none of its own."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return True


def _in_container() -> bool:
    """Whether process 2 is not the kernel's own (kthreadd), which is visible only outside containers."""
    try:
        return Path("/proc/2/comm").read_text() != "kthreadd\n"
    except OSError:
        return Path("/proc/self").exists()


def _tables(store: Store) -> Iterator[Finding]:
    """Tables:"""
    littered = store.is_littered()
    seen = store.tables()
    tables = seen.everything
    total = sum(table.nbytes for table in tables)
    yield Finding(f"{words.count(len(tables), 'table')}, {words.size(total)}")
    if littered:
        yield Finding("what processes that were killed had left was removed just now")
    if unused := [table for table in tables if table.unused and not table.pinned]:
        yield Finding(
            f"{words.count(len(unused), 'table')} that nobody uses, {words.size(sum(one.nbytes for one in unused))}: "
            + ", ".join(one.name for one in unused[:5])
            + (" ..." if len(unused) > 5 else ""),
            "jupyter arrowshm gc removes them; pin() keeps one",
        )
    for version in (*seen.removed, *seen.loaded.removed):
        yield Finding(f"{version.name} was unshared; {version.users}")
    readable = {table.name for table in tables}
    for name in store.names():
        if name not in readable:
            yield Finding(
                f"{store.path(name)} is not a table that can be read", f"rm {store.path(name)}, if it is not yours"
            )


def _logout(store: Store) -> Iterator[Finding]:
    """Logout:"""
    if not Path("/run/systemd/system").exists() or os.getuid() < 1000 or not store.directory.startswith("/dev/shm"):
        return
    if Path("/var/lib/systemd/linger", getpass.getuser()).exists():
        yield Finding("shared tables outlive your last logout (linger is on)")
    elif not _removes_ipc():
        yield Finding("shared tables outlive your last logout (RemoveIPC=no)")
    else:
        yield Finding("systemd removes shared tables at your last logout (RemoveIPC)", "loginctl enable-linger")


def _removes_ipc() -> bool:
    """The last word of logind.conf(5) on RemoveIPC; its default is yes."""
    removes = True
    files = [Path("/etc/systemd/logind.conf"), *sorted(Path("/etc/systemd/logind.conf.d").glob("*.conf"))]
    for file in files:
        try:
            lines = file.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip() == "RemoveIPC":
                removes = value.strip().lower() in ("1", "yes", "true", "on")
    return removes


def _processes(store: Store) -> Iterator[Finding]:
    """Processes:"""
    if not _can_start():
        yield Finding(
            "no other process can be started, so kernels were not tried, and there are no previews",
            "end some, or raise the limit (ulimit -u; docker run --pids-limit)",
        )


@functools.cache
def _can_start() -> bool:
    try:
        subprocess.run([sys.executable, "--version"], stdout=subprocess.DEVNULL, check=False)
    except BlockingIOError:  # EAGAIN of fork(2): the limit on processes, of the user or the container
        return False
    return True


def _kernels(store: Store) -> Iterator[Finding]:
    """Kernels:"""
    if not _can_start():
        return
    try:
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError:
        return
    for name, spec in sorted(KernelSpecManager().get_all_specs().items()):
        argv = spec["spec"]["argv"]
        if spec["spec"].get("language", "").lower() != "python" or not argv:
            continue
        # jupyter_client starts a bare `python` as its own interpreter (KernelManager.format_kernel_cmd).
        python = sys.executable if os.path.basename(argv[0]) == argv[0] else argv[0]
        try:
            asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            yield Finding(f"kernel {name} cannot be started ({python})", f"jupyter kernelspec remove {name}")
            continue
        version = asked.stdout.strip()
        if asked.returncode:
            yield Finding(
                f"kernel {name} has no jupyter-arrowshm ({python})", f"{python} -m pip install jupyter-arrowshm"
            )
        elif version != __version__:
            yield Finding(
                f"kernel {name} has jupyter-arrowshm {version}, this environment {__version__}",
                f"{python} -m pip install --upgrade jupyter-arrowshm",
            )
        else:
            yield Finding(f"kernel {name} has jupyter-arrowshm {version} ({python})")
    if startup.path().exists():
        yield Finding("%share and %attach work without %load_ext in this environment")
    else:
        yield Finding("notebooks begin with %load_ext jupyter_arrowshm (jupyter arrowshm enable-magics spares that)")


def _front_ends(store: Store) -> Iterator[Finding]:
    """Front ends:"""
    if _can_start():
        yield from (Finding(*finding) for finding in frontends.examine())


def _julia(store: Store) -> Iterator[Finding]:
    """Julia:"""
    if not _can_start():
        return
    program, kernels = shutil.which("julia"), julia_setup.kernels()
    if program:
        yield _asked("julia", [program], {}, "jupyter arrowshm julia --startup", "install Julia again")
    elif not kernels:
        yield Finding("no Julia here")
    for one in kernels:
        if not os.path.basename(one.command[0]).startswith("julia"):  # docker, or a script
            yield Finding(f"kernel {one.name} starts Julia by {one.command[0]}, which was not tried")
            continue
        remedy, repair = f"jupyter arrowshm julia --kernel {one.name}", f"jupyter kernelspec remove {one.name}"
        yield _asked(f"kernel {one.name}", one.command, one.env, remedy, repair)


def _asked(name: str, command: list[str], env: dict[str, str], remedy: str, repair: str) -> Finding:
    """Whether a Julia finds our package."""
    try:
        answer = julia_setup.ask(command, env)
    except julia_setup.SetupFailed as error:
        return Finding(f"{name} cannot be started ({command[0]}): {error}", repair)
    julia = f"{name} (Julia {answer.version}, {command[0]})"
    if answer.is_too_old:
        return Finding(f"{julia} is too old", "install Julia 1.5 or later")
    if answer.package is None:
        return Finding(f"{julia} does not find ArrowSHM", remedy)
    if not answer.package.resolve().is_relative_to(Path(julia_setup.FOLDER).resolve()):
        return Finding(f"{julia} finds the ArrowSHM of another environment, {answer.package}", remedy)
    return Finding(f"{julia} finds ArrowSHM")


def _r(store: Store) -> Iterator[Finding]:
    """R:"""
    if not _can_start():
        return
    if not shutil.which("R"):
        yield Finding("no R here")
        return
    install = "jupyter arrowshm r --install"
    try:
        answer = r_setup.ask()
    except julia_setup.SetupFailed as error:
        yield Finding(f"R cannot be started ({r_setup.program()}): {error}", "install R again")
        return
    r = f"R {answer.r} ({r_setup.program()})"
    if not answer.arrowshm:  # which is no fault: not everybody who has R wants tables in it
        needs = "" if answer.nanoarrow else 'install.packages("nanoarrow") in R, then '
        yield Finding(f"{r} does not have arrowshm ({needs}{install})")
    elif not answer.is_this:
        yield Finding(f"{r} has arrowshm {answer.arrowshm}, made from other sources than this package's", install)
    else:
        yield Finding(f"{r} has arrowshm {answer.arrowshm}")
    if answer.arrowshm and not answer.irkernel:
        yield Finding(f"{r} has no IRkernel, so it runs no notebooks")


_EXAMINATIONS: tuple[Callable[[Store], Iterator[Finding]], ...] = (
    _versions,
    _where,
    _locks,
    _tables,
    _logout,
    _processes,
    _kernels,
    _front_ends,
    _julia,
    _r,
)
