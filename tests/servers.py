"""A real Jupyter server in a process of its own, with its token and XSRF checks on, and its kernels."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import websocket
from jupyter_client.blocking import BlockingKernelClient

TOKEN = "a-token-of-the-tests"
PRELUDE = "import os, jupyter_arrowshm as shm, pyarrow as pa"
EVENTS = "https://events.jupyter.org/jupyter_arrowshm/table"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def body(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    def __init__(self, root: Path, *, config_file: str = "", **config: object) -> None:
        self.root = root
        self._opened: list[Kernel | Listener] = []
        root.mkdir()
        for name, value in config.items():
            config_file += f"c.ArrowSHM.{name} = {value!r}\n"
        (root / "jupyter_server_config.py").write_text(config_file)
        self._environment = {
            **os.environ,
            "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
            "JUPYTER_CONFIG_DIR": str(root),
            "IPYTHONDIR": str(root / "ipython"),
        }
        self.start()

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = ["-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={self.port}", "--port-retries=0"]
        command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}"]
        command += ["--ServerApp.base_url=/user/me/"]
        self.log = self.root / "log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], env=self._environment, stdout=log, stderr=log, cwd=self.root
            )
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if self.get("api/status").status == 200:
                    return
            except OSError:
                time.sleep(0.05)

    def request(self, method: str, path: str, *, token: str | None = TOKEN, **headers: str) -> Answer:
        sent = {"Authorization": f"token {token}"} if token else {}
        sent |= {key.replace("_", "-"): value for key, value in headers.items()}
        data = sent.pop("data", None)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/user/me/{path}",
            method=method,
            headers=sent,
            data=data.encode() if data is not None else None,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def tables(self) -> dict[str, dict[str, Any]]:
        """The list, by name."""
        answer = self.get("arrowshm/tables")
        assert answer.status == 200, answer.body
        return {table["name"]: table for table in answer.json["tables"]}

    def users(self, name: str) -> list[str]:
        return sorted(user["label"] for user in self.tables()[name]["holders"])

    def listen(self) -> Listener:
        """The events from now on."""
        listener = Listener(self.port)
        self._opened.append(listener)
        return listener

    def notebook(self, path: str, kernel: str = "python3", prelude: str = PRELUDE) -> Kernel:
        """A session of this notebook, with a kernel of its own; ``prelude`` is its first cell, also after a restart."""
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": kernel}}
        answer = self.request("POST", "api/sessions", data=json.dumps(body), Content_Type="application/json")
        assert answer.status == 201, answer.body
        kernel = Kernel(self, answer.json, prelude)
        self._opened.append(kernel)
        return kernel

    def kill(self) -> None:
        """SIGKILL it and every kernel that it started, and close what we have of them."""
        for one in self._opened:
            one.close()
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            for process in [self.process, *children]:
                process.send_signal(signal.SIGKILL)
            self.process.wait()
            psutil.wait_procs(children)

    def stop_kindly(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Kernel:
    def __init__(self, server: Server, session: dict[str, Any], prelude: str) -> None:
        self.server, self.session, self.id = server, session, session["kernel"]["id"]
        self._prelude = prelude
        self.connect()

    def connect(self) -> None:
        file = self.server.root / "runtime" / f"kernel-{self.id}.json"
        while not file.exists():
            time.sleep(0.05)
        while True:
            self.client = BlockingKernelClient(connection_file=str(file))
            self.client.load_connection_file()
            self.client.start_channels()
            try:
                self.client.wait_for_ready(timeout=60)
                break
            except RuntimeError:  # between the end of a kernel and its restart
                self.client.stop_channels()
        self.run(self._prelude)

    def run(self, code: str) -> None:
        reply = self.client.execute_interactive(code, timeout=60, output_hook=lambda _: None)["content"]
        assert reply["status"] == "ok", reply

    @property
    def pid(self) -> int:
        reply = self.client.execute_interactive("", silent=True, user_expressions={"pid": "os.getpid()"}, timeout=60)
        return int(reply["content"]["user_expressions"]["pid"]["data"]["text/plain"])

    def rename(self, path: str) -> None:
        body = json.dumps({"path": path, "name": path, "type": "notebook"})
        answer = self.server.request(
            "PATCH", f"api/sessions/{self.session['id']}", data=body, Content_Type="application/json"
        )
        assert answer.status == 200, answer.body

    def restart(self) -> None:
        self.client.stop_channels()
        answer = self.server.request("POST", f"api/kernels/{self.id}/restart", data="")
        assert answer.status == 200, answer.body
        self.connect()

    def close(self) -> None:
        self.client.stop_channels()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.close()


class Listener:
    """The server's stream of events, as a front end has it."""

    def __init__(self, port: int) -> None:
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}/user/me/api/events/subscribe", header=[f"Authorization: token {TOKEN}"], timeout=60
        )

    def next(self) -> dict[str, Any]:
        """The next event of ours."""
        while True:
            event = json.loads(self._socket.recv())
            if event.get("schema_id") == EVENTS:
                return event

    def until(self, action: str, name: str) -> dict[str, Any]:
        while True:
            event = self.next()
            if (event["action"], event["name"]) == (action, name):
                return event

    def close(self) -> None:
        self._socket.close()
