"""A real Jupyter server with tables of its own, and its pages in a real browser."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

CHECKOUT = Path(__file__).resolve().parents[2]
LABEXTENSION = CHECKOUT / "jupyter_arrowshm" / "labextension"
AXE = CHECKOUT / "js" / "node_modules" / "axe-core" / "axe.min.js"
TIMEOUT = 60  # s; generous: no test is about time
# But what the panel shows must have come by an event, not by the question that it asks every 30 s anyway.
SHOWN = 25  # s


class Server:
    """``jupyter lab`` with token and XSRF check. All its files are in ``place``, its tables in ``store``."""

    def __init__(
        self, place: Path, store: Path, *, extension: bool = True, places: dict[str, str] | None = None
    ) -> None:
        self.root = place / "notebooks"
        self.root.mkdir(parents=True)
        self.store = store
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._configure(place, port, extension)
        self.workspaces = place / "workspaces"
        own = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "JUPYTER_ARROWSHM_DIR": str(store),
            "JUPYTER_ARROWSHM_OPEN_PARENT": str(store.parent),
            "JUPYTER_ARROWSHM_PLACES": json.dumps(places or {}),
            "JUPYTER_CONFIG_DIR": str(place / "config"),
            "JUPYTER_DATA_DIR": str(place / "data"),
            "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.workspaces),
            "IPYTHONDIR": str(place / "ipython"),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
        self.log = place / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"],
                cwd=self.root,
                env=inherited | own,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _configure(self, place: Path, port: int, extension: bool) -> None:
        labextensions = place / "labextensions"
        labextensions.mkdir()
        # What was built from these sources, whatever is installed.
        (labextensions / "jupyter-arrowshm").symlink_to(LABEXTENSION)
        front_end = {"expose_app_in_browser": True, "extra_labextensions_path": [str(labextensions)]}
        quiet = {"news_url": None, "check_for_updates_class": "jupyterlab.NeverCheckForUpdate"}
        config = {
            "ServerApp": {
                "port": port,
                "port_retries": 0,
                "jpserver_extensions": {"jupyter_arrowshm": extension, "jupyterlab": True, "notebook": True},
            },
            "IdentityProvider": {"token": self.token},
            "LabApp": {**front_end, **quiet, "extension_manager": "readonly"},
            "JupyterNotebookApp": front_end,
        }
        self.settings = place / "settings" / "@jupyterlab" / "apputils-extension"
        self.settings.mkdir(parents=True)
        # No question on the first start.
        (self.settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        # Python that calls itself Julia, for what does not run any.
        julia = place / "data" / "kernels" / "julia"
        julia.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (julia / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Julia", "language": "julia"}))
        (place / "config").mkdir()
        (place / "config" / "jupyter_server_config.json").write_text(json.dumps(config))

    def _wait(self) -> None:
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def _answers(self) -> bool:
        try:
            self.request("GET", "api/status")
        except urllib.error.URLError:
            return False
        return True

    def request(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers), timeout=TIMEOUT
        ) as response:
            text = response.read()
        return json.loads(text) if text else None

    def tables(self) -> dict[str, dict[str, Any]]:
        return {table["name"]: table for table in self.request("GET", "arrowshm/tables")["tables"]}

    def write(self, name: str, *cells: str, kernel: str = "python3") -> None:
        """Make a notebook that is not run yet."""
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
            "cells": [
                {
                    "id": f"cell-{number}",
                    "cell_type": "code",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
        }
        (self.root / name).write_text(json.dumps(notebook))

    def clear(self) -> None:
        """End all kernels, remove all tables, forget the theme."""
        (self.settings / "themes.jupyterlab-settings").unlink(missing_ok=True)
        for session in self.request("GET", "api/sessions"):
            self.request("DELETE", f"api/sessions/{session['id']}")
        for store in (self.store, self.store / ".loaded"):
            for file in (*store.glob("*.arrow"), *store.glob(".pins/*")):
                file.unlink()

    def stop(self) -> None:
        family = [self.process] if self.process.poll() is None else []
        children = psutil.Process(self.process.pid).children(recursive=True) if family else []
        if family:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for child in children:
            # psutil knows a process by its start time too: no stranger that was given the number is ended.
            if child.is_running():
                child.kill()
        psutil.wait_procs(children, timeout=TIMEOUT)


class Desk:
    """A page of JupyterLab or of Notebook 7, with our panel."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server, self.workspace = page, server, ""
        self.panel = page.locator("#jp-arrowshm-tables")
        # Whatever names us: a file in the stack, or a request. What others write there is theirs.
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self._keep(f"{error}\n{error.stack}"))
        page.on("console", self._keep_message)

    def _keep(self, text: str) -> None:
        if "arrowshm" in text.lower():
            self.errors.append(text)

    def _keep_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._keep(f"{message.text} {message.location['url']}")

    def open(self, path: str) -> None:
        """A path of the server, ``lab/tree/load.ipynb``; logs in by the token."""
        self.page.goto(f"{self.server.url}/{path}?token={self.server.token}")
        self.wait()

    def wait(self) -> None:
        """Until JupyterLab has started."""
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("jupyterapp.restored.then(() => {})")

    def lab(self, *notebooks: str) -> None:
        """JupyterLab, with notebooks open, the first of them in front, and with our panel."""
        self.workspace = secrets.token_hex(4)
        self.open(f"lab/workspaces/{self.workspace}")
        for name in reversed(notebooks):
            self.command("docmanager:open", path=name)
            expect(self.notebook.locator(".jp-CodeCell").first).to_be_visible()
        if not notebooks:
            # It comes by itself, and takes the keyboard then.
            expect(self.page.locator(".jp-LauncherCard").first).to_be_visible()
        self.show()

    def command(self, name: str, /, **arguments: object) -> None:
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => {})", [name, arguments]
        )

    def show(self) -> None:
        self.command("arrowshm:show")
        expect(self.panel).to_be_visible()

    @property
    def notebook(self) -> Locator:
        """The notebook in front."""
        return self.page.locator(".jp-NotebookPanel:visible")

    def run(self) -> Locator:
        """Run the cell that is selected in the notebook in front; gives the last output."""
        # A cell that is run while the kernel starts makes JupyterLab ask for another one.
        self.page.evaluate(
            """async () => {
              const { sessionContext } = jupyterapp.shell.currentWidget;
              await sessionContext.ready;
              await sessionContext.session.kernel.info;
            }"""
        )
        self.command("notebook:run-cell")
        return self.notebook.locator(".jp-OutputArea-output").last

    def activate(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()
        expect(self.page.locator(".jp-NotebookPanel:visible")).to_have_count(1)

    def row(self, table: str) -> Locator:
        return self.panel.locator(f'[data-table="{table}"]')

    def act(self, table: str, action: str) -> None:
        self.row(table).hover()
        self.row(table).locator(f'[data-action="{action}"]').click()

    def choose(self, table: str, label: str) -> None:
        """From the table's context menu."""
        self.row(table).locator(".jp-ArrowSHM-row").click(button="right")
        self.page.get_by_role("menuitem", name=label).click()

    def saved(self, text: str) -> None:
        """Until what JupyterLab keeps of this page for a reload has this text in it."""
        deadline = time.monotonic() + TIMEOUT
        while not any(text in file.read_text() for file in self.server.workspaces.glob(f"{self.workspace}*")):
            assert time.monotonic() < deadline, f"{text} was not saved"
            time.sleep(0.1)

    def theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(f"document.body.dataset.jpThemeName === '{name}'")
        # What hides that the styles change.
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def check(self, *selectors: str) -> None:
        """axe-core finds nothing serious there."""
        self.page.add_script_tag(path=AXE)
        for selector in selectors:
            found = self.page.evaluate("selector => axe.run(selector).then(result => result.violations)", selector)
            bad = [
                f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}"
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
            assert not bad, "\n".join(bad)
