"""How Julia finds ``ArrowSHM``, which is in this package: by its start-up file, or by IJulia's kernelspecs.

What is written can be taken back: a file that nobody else has edited since is
then what it was, byte for byte, and of one that somebody has, only our part goes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import string
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArrowSHMError

FOLDER = str(Path(__file__).absolute().parents[1] / "julia")  # for LOAD_PATH: it holds ArrowSHM/src/ArrowSHM.jl
VARIABLE = "JULIA_LOAD_PATH"
_OLDEST = (1, 5)
_ASK = 'println("\\nArrowSHM ", VERSION, " ", something(Base.find_package("ArrowSHM"), ""))'
_ASK_TIMEOUT = 60  # s; a start-up file may load much


@dataclass(eq=False)
class SetupFailed(ArrowSHMError):
    """Nothing was changed: ``why``, and what to do."""

    why: str

    def __str__(self) -> str:
        return self.why


def line() -> str:
    """The line to run in Julia, or to write into its start-up file."""
    # JSON escapes as Julia does; Julia has interpolation besides.
    return f"push!(LOAD_PATH, {json.dumps(FOLDER, ensure_ascii=False)})".replace("$", "\\$")


# -- the start-up file -------------------------------------------------------------------------------------------------

_ADDED = b"  # added by `jupyter arrowshm julia --startup`, --remove takes it out"
_MADE = b"  # file made by `jupyter arrowshm julia --startup`, --remove takes it out"
_OUR_LINE = re.compile(rb"^push!\(LOAD_PATH, .*(?:%s|%s)\r?(?:\n|\Z)" % (re.escape(_ADDED), re.escape(_MADE)), re.M)


def startup_file() -> Path:
    """The user's: that of the first depot ("Environment Variables" in Julia's manual)."""
    depot = os.environ.get("JULIA_DEPOT_PATH", "").split(os.pathsep)[0] or "~/.julia"
    return Path(depot).expanduser().absolute() / "config" / "startup.jl"


def add_to_startup() -> str:
    """Write our line above all others, so that they may use the package; returns a report."""
    file = startup_file()
    before = _read(file)
    mark = _MADE if before is None or _MADE in before else _ADDED
    after = line().encode() + mark + b"\n" + _OUR_LINE.sub(b"", before or b"")
    if after == before:
        return f"{file} has the line already"
    _write(file, after)
    return f"{file}: every Julia that is started from now on finds ArrowSHM"


def remove_from_startup() -> str:
    file = startup_file()
    before = _read(file)
    after = _OUR_LINE.sub(b"", before or b"")
    if before is None or after == before:
        return f"{file} has no line of ours"
    if not after and _MADE in before:
        with _told(file):
            file.resolve().unlink()
        return f"{file}: removed, there was none before"
    _write(file, after)
    return f"{file}: our line is out"


# -- kernelspecs -------------------------------------------------------------------------------------------------------

_OUR_ENTRY = re.compile(r":[^:]*/jupyter_arrowshm/julia(?=:|$)")


@dataclass(frozen=True)
class Kernel:
    """An installed Julia kernel: its ``kernel.json``, the program and options of its command, its environment."""

    name: str
    file: Path
    command: list[str]
    env: dict[str, str]


def kernels() -> list[Kernel]:
    """Those that Jupyter finds from here; none without Jupyter."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError:
        return []
    found = []
    for name, entry in sorted(KernelSpecManager().get_all_specs().items()):
        spec = entry["spec"]
        if spec.get("language", "").lower() == "julia" and spec["argv"]:
            # These options decide where packages are looked for; so does juliaup's `+1.10`.
            options = [word for word in spec["argv"][1:] if re.match(r"\+|--(project|startup-file)\b", word)]
            # jupyter_client replaces ${NAME} (LocalProvisioner.pre_launch).
            env = {key: string.Template(value).safe_substitute(os.environ) for key, value in spec["env"].items()}
            found.append(Kernel(name, Path(entry["resource_dir"], "kernel.json"), [spec["argv"][0], *options], env))
    return found


def add_to_kernels(name: str = "") -> list[str]:
    """Have all kernels, or the one, look here for packages, too; returns a report for each kernel."""
    if ":" in FOLDER:
        raise SetupFailed(f"{VARIABLE} cannot hold a folder with a colon ({FOLDER}): jupyter arrowshm julia --startup")
    said = [_change(kernel, _add_to, "finds ArrowSHM when it is started again") for kernel in _chosen(name)]
    if VARIABLE in os.environ:
        said.append(f"{VARIABLE} of your environment ({os.environ[VARIABLE]}) has no effect on these kernels now")
    return said


def remove_from_kernels(name: str = "") -> list[str]:
    return [_change(kernel, _remove_from, "is as it was before") for kernel in _chosen(name)]


def _chosen(name: str) -> list[Kernel]:
    known = kernels()
    chosen = [kernel for kernel in known if name in ("", kernel.name)]
    if not known:
        raise SetupFailed('Jupyter has no Julia kernel yet: in Julia, using Pkg; Pkg.add("IJulia")')
    if not chosen:
        raise SetupFailed(f"no Julia kernel {name!r}; there is {', '.join(kernel.name for kernel in known)}")
    return chosen


def _change(kernel: Kernel, change: Callable[[Path], bool], done: str) -> str:
    changed = change(kernel.file)
    return f"kernel {kernel.name} {done} ({kernel.file})" if changed else f"kernel {kernel.name}: nothing to change"


def _add_to(file: Path) -> bool:
    entry = ":" + FOLDER.replace("$", "$$")
    content = _read(file) or b""
    if f"{entry}:" in f"{_load_path(content)}:":
        return False
    before = _without(file, content)
    _write(_backup(file), before)  # first: without it, what follows could not be taken back
    _write(file, _with(before, entry))
    return True


def _remove_from(file: Path) -> bool:
    content = _read(file) or b""
    before = _without(file, content)
    if before != content:
        _write(file, before)
    with _told(file):
        _backup(file).unlink(missing_ok=True)
    return before != content


def _backup(file: Path) -> Path:
    """The copy of ``kernel.json`` from before our change. If it exists, we have made one."""
    return file.with_name("kernel.json.before-arrowshm")


def _load_path(content: bytes) -> str:
    return str(json.loads(content).get("env", {}).get(VARIABLE, ""))


def _with(content: bytes, entry: str) -> bytes:
    """With one more folder at the end; the empty entry before the first colon stands for Julia's own."""
    spec = json.loads(content)
    spec.setdefault("env", {})[VARIABLE] = _load_path(content) + entry
    return json.dumps(spec, indent=2, ensure_ascii=False).encode() + b"\n"


def _without(file: Path, content: bytes) -> bytes:
    """The file as it would be without our change: the very bytes, if nobody else has edited it since."""
    before = _read(_backup(file))
    ours = _OUR_ENTRY.search(_load_path(content))
    if before is None or ours is None:
        return content
    if _with(before, ours[0]) == content:
        return before
    spec = json.loads(content)
    if rest := _OUR_ENTRY.sub("", spec["env"][VARIABLE]):
        spec["env"][VARIABLE] = rest
    else:
        del spec["env"][VARIABLE]
    return json.dumps(spec, indent=2, ensure_ascii=False).encode() + b"\n"


# -- what Julia says ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """The version of a Julia, and the ``ArrowSHM.jl`` that it finds; ``None`` if none."""

    version: str
    package: Path | None

    @property
    def is_too_old(self) -> bool:
        return tuple(map(int, self.version.split(".")[:2])) < _OLDEST


def ask(command: Sequence[str], env: Mapping[str, str]) -> Answer:
    """Start a Julia as it is started for its user; :class:`SetupFailed` if it does not start."""
    try:
        asked = subprocess.run(
            [*command, "-e", _ASK],
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupFailed(str(error)) from None
    said = re.findall(r"^ArrowSHM (\S+) (.*)$", asked.stdout, re.MULTILINE)
    if asked.returncode or not said:
        raise SetupFailed((asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[0])
    version, package = said[-1]
    return Answer(version, Path(package) if package else None)


# -- files -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    """Report an error of the system as one line."""
    try:
        yield
    except OSError as error:
        raise SetupFailed(f"{file} cannot be changed: {error.strerror}") from None


def _read(file: Path) -> bytes | None:
    with _told(file):
        if file.exists():
            return file.read_bytes()
    return None


def _write(file: Path, content: bytes) -> None:
    """Write the file whole or not at all, keep its mode, and follow a symbolic link."""
    file = file.resolve()
    with _told(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = file.stat().st_mode if file.exists() else 0o644
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:
            try:
                draft.write(content)
                draft.flush()
                os.fchmod(draft.fileno(), mode & 0o777)
                os.fsync(draft.fileno())
                os.replace(draft.name, file)
            except BaseException:
                os.unlink(draft.name)
                raise
