"""``jupyter arrowshm doctor``: each thing that can be wrong is provoked, and has its remedy."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from commands import MODULE, command
from kernel import MOUNT_NAMESPACE, needs_mount_namespace
from notebooks import Notebook
from peers import Peer

import jupyter_arrowshm as shm
from jupyter_arrowshm.cli import frontends, julia_setup

TABLE = pa.table({"a": [1, 2, 3]})


@pytest.fixture(autouse=True)
def kernels(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of this test's kernel specs; the user's own are ignored."""
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_PATH"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    monkeypatch.setenv("JULIA_LOAD_PATH", f":{julia_setup.FOLDER}")  # for a julia on PATH
    return tmp_path / "jupyter" / "kernels"


def doctor(*prefix: str) -> list[tuple[str, str]]:
    """The findings, each with its remedy if there is one."""
    done = command("doctor", program=[*prefix, *MODULE])
    findings: list[tuple[str, str]] = []
    lines = done.stdout.splitlines()
    for line in lines[:-2]:
        if line.startswith("     -> "):
            assert not findings[-1][1]
            findings[-1] = findings[-1][0], line.removeprefix("     -> ")
        else:
            assert line[:5] in (" ok  ", "  !  "), line
            findings.append((line[5:], ""))
    off = sum(bool(remedy) for _, remedy in findings)
    assert sum(line.startswith("  !  ") for line in lines) == off
    assert lines[-1] == (f"Found {off} problem{'s' * (off > 1)}." if off else "All is well.")
    assert done.returncode == bool(off) and not done.stderr
    return findings


def remedy(findings: list[tuple[str, str]], text: str) -> str:
    """The remedy of the one finding with this text."""
    (found,) = [remedy for finding, remedy in findings if text in finding]
    return found


def test_all_is_well(store: shm.Store) -> None:
    findings = doctor()  # before there is a directory
    store.share(TABLE, "t")
    findings = doctor()
    assert not remedy(findings, f"jupyter-arrowshm {shm.__version__} on Python ")
    assert not remedy(findings, f"tables are in {store.directory} (set by $JUPYTER_ARROWSHM_DIR), on ")
    assert not remedy(findings, "1 table, ")
    assert not remedy(findings, f"kernel python3 has jupyter-arrowshm {shm.__version__} ({sys.executable})")
    assert not remedy(findings, "%load_ext jupyter_arrowshm")
    assert store.names() == ["t"], "it looks, and removes nothing that is shared"


def test_unused_tables(store: shm.Store, peer: Callable[..., Peer]) -> None:
    other = peer()
    other.run("shm.share(pa.table({'a': [1]}), 'left'); shm.share(pa.table({'a': [1]}), 'kept', pin=True)")
    other.kill()
    assert "jupyter arrowshm gc" in remedy(doctor(), "1 table that nobody uses, ")
    command("gc")
    assert "that nobody uses" not in str(doctor())


def test_leftovers_of_the_killed(store: shm.Store, peer: Callable[..., Peer]) -> None:
    other = peer()
    other.run("w = shm.writer('t', pa.schema({'a': pa.int64()})); w.__enter__()")
    other.kill()
    assert remedy(doctor(), "what processes that were killed had left was removed just now") == ""
    assert "had left" not in str(doctor())


def test_older_versions_without_a_name(store: shm.Store, report: Notebook) -> None:
    store.share(TABLE, "t")
    report.ok("%attach t")
    store.unshare("t")
    assert not remedy(doctor(), "t was unshared; ") and "report.ipynb (python)" in str(doctor())


@pytest.mark.parametrize("content", [b"", b"not Arrow at all", b"ARROW1\0\0" + bytes(100)])
def test_a_file_that_cannot_be_read(store: shm.Store, directory: Path, content: bytes) -> None:
    store.share(TABLE, "t")
    Path(directory, "x.arrow").write_bytes(content)
    assert remedy(doctor(), f"{directory}/x.arrow is not a table that can be read").startswith(
        f"rm {directory}/x.arrow"
    )


def test_an_unsafe_directory(directory: Path) -> None:
    directory.mkdir()
    directory.chmod(0o755)
    assert any(str(directory) in finding and remedy for finding, remedy in doctor())


@needs_mount_namespace
def test_little_room(directory: Path, tmp_path: Path) -> None:
    directory.mkdir(0o700)
    mount = 'mount -t tmpfs -o size=16m,mode=700 none "$1" && shift && exec "$@"'
    findings = doctor(*MOUNT_NAMESPACE, "sh", "-c", mount, "sh", str(directory))
    assert "$JUPYTER_ARROWSHM_DIR to a larger disk" in remedy(findings, "can still be shared")
    assert not remedy(findings, ", on tmpfs")


@pytest.mark.parametrize(
    ("python", "text", "advice"),
    [
        ("{empty}", "kernel other has no jupyter-arrowshm ({empty})", "{empty} -m pip install jupyter-arrowshm"),
        ("/no/such/python", "kernel other cannot be started (/no/such/python)", "jupyter kernelspec remove other"),
    ],
)
def test_kernels_of_other_environments(kernels: Path, tmp_path: Path, python: str, text: str, advice: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty"], check=True)
    empty = str(tmp_path / "empty" / "bin" / "python")
    specify(kernels, "other", [python.format(empty=empty), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    assert remedy(doctor(), text.format(empty=empty)) == advice.format(empty=empty)


def test_kernels_of_other_languages_are_not_asked(kernels: Path) -> None:
    specify(kernels, "other", ["/no/such/R", "{connection_file}"], "R")
    assert "kernel other" not in str(doctor())


def specify(kernels: Path, name: str, argv: list[str], language: str = "python") -> None:
    (kernels / name).mkdir(parents=True)
    text = json.dumps({"argv": argv, "display_name": name, "language": language})
    (kernels / name / "kernel.json").write_text(text)


def test_who_uses_a_table_can_be_seen() -> None:
    seen = [finding for finding, _ in doctor() if "who uses a table" in finding]
    assert len(seen) == 1 and (seen == ["who uses a table can be seen (/proc/locks)"]) == os.path.exists("/proc/locks")


# -- front ends --------------------------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> str:
    """The Python of an environment of its own: it has the packages of this one, but not its configuration."""
    path = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", path], check=True)
    packages = Path(path, Path(sysconfig.get_path("purelib")).relative_to(sys.prefix))
    Path(packages, "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    return str(path / "bin" / "python")


def test_a_server_extension_that_is_disabled(directory: Path, environment: str) -> None:
    def said() -> list[str]:
        return command("doctor", program=[environment, "-m", "jupyter_arrowshm"]).stdout.splitlines()

    def change(*words: str) -> None:
        main = "import sys; from jupyter_server.extension.serverextension import main; main(sys.argv[1:])"
        subprocess.run([environment, "-c", main, *words], check=True, capture_output=True)

    assert (
        "  !  the server extension is not installed in this environment: no sidebar, and unused tables stay" in said()
    )
    installed = Path(environment).parents[1] / "etc" / "jupyter" / "jupyter_server_config.d"
    installed.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / "jupyter-config" / "jupyter_arrowshm.json", installed)
    assert " ok  the server extension is enabled" in said()
    change("disable", "jupyter_arrowshm", "--sys-prefix")
    lines = said()
    (number,) = [n for n, line in enumerate(lines) if "the server extension is disabled in " in line]
    words = lines[number + 1].removeprefix("     -> ").split()
    assert words[:3] == ["jupyter", "server", "extension"]
    change(*words[3:])
    assert " ok  the server extension is enabled" in said()


def test_no_front_end_is_told_of(directory: Path, environment: str) -> None:
    installed = {one.name.lower() for one in importlib.metadata.distributions()} & {"jupyterlab", "notebook"}
    said = command("doctor", program=[environment, "-m", "jupyter_arrowshm"]).stdout
    assert ("there is no JupyterLab and no Notebook in this environment" in said) == (not installed)


def test_the_sidebar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(variable, str(tmp_path))
    sidebar = tmp_path / "labextensions" / "jupyter-arrowshm"
    sidebar.mkdir(parents=True)
    (sidebar / "package.json").write_text("{}")
    assert frontends.sidebar() == ("the sidebar is installed and enabled", "")
    settings = tmp_path / "labconfig" / "page_config.json"
    settings.parent.mkdir()
    for disabled in ({"jupyter-arrowshm": True}, ["jupyter-arrowshm"]):
        settings.write_text(json.dumps({"disabledExtensions": disabled}))
        assert frontends.sidebar() == (
            f"the sidebar is disabled ({settings})",
            "jupyter labextension enable jupyter-arrowshm",
        )
    for other in ({"jupyter-arrowshm": False}, {"other": True}, []):
        settings.write_text(json.dumps({"disabledExtensions": other}))
        assert not frontends.sidebar()[1]


def test_a_server_in_another_environment(
    directory: Path, environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    options = ["--no-browser", "--ServerApp.port=0", "--allow-root", f"--ServerApp.root_dir={tmp_path}"]
    server = subprocess.Popen([sys.executable, "-m", "jupyter_server", *options], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "runtime").glob("jpserver-*.json")):
            assert time.monotonic() < deadline and server.poll() is None
            time.sleep(0.05)
        said = command("doctor", program=[environment, "-m", "jupyter_arrowshm"]).stdout
        assert f"runs in another environment ({sys.executable}), which has jupyter-arrowshm {shm.__version__}" in said
        assert "there is no JupyterLab" not in said
        assert "runs in another environment" not in command("doctor").stdout
    finally:
        server.terminate()
        server.wait(60)
