"""A real JupyterHub with three system users: what one shares, the others read, as far as they may."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import websocket
from people import ATTEMPTS, Class, User, parent, people
from waiting import eventually

__all__ = ["parent", "people"]

CHECKOUT = Path(__file__).resolve().parents[2]
PROXY = CHECKOUT / ".chp" / "node_modules" / ".bin" / "configurable-http-proxy"
MINOR = f"python3.{sys.version_info.minor}"
TIMEOUT = 60
CONFIG = """
import os
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.db_url = "sqlite:///{root}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{root}/cookie"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{root}/proxy.pid"
c.JupyterHub.services = [{{"name": "test", "api_token": "{token}"}}]
scopes = ["admin:users", "admin:servers", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "test", "scopes": scopes, "services": ["test"]}}]
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--ServerApp.jpserver_extensions={{'jupyter_arrowshm': True}}"]
c.Spawner.default_url = "/tree"
c.Spawner.environment = {{
    "PYTHONPATH": "{path}",
    "JUPYTER_ARROWSHM_DIR": lambda spawner: f"{parent}/jupyter-arrowshm-{{spawner.user.name}}",
    "JUPYTER_ARROWSHM_OPEN_PARENT": "{parent}",
    "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
    "PYTHONDONTWRITEBYTECODE": "1",
}}
"""
PRELUDE = """
%load_ext jupyter_arrowshm
import errno, fcntl, os, signal, pyarrow as pa, jupyter_arrowshm as shm
def refused(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
"""


class Hub:
    """The hub, and what an administrator's token may do with it."""

    def __init__(self, root: Path, parent: Path, python: str) -> None:
        ports = []
        with contextlib.ExitStack() as open_now:
            for _ in range(3):
                probe = open_now.enter_context(socket.socket())
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
        port, hub, api = ports
        self.token, self.url = secrets.token_hex(16), f"http://127.0.0.1:{port}"
        config = root / "config.py"
        path = os.pathsep.join([str(CHECKOUT), *(one for one in sys.path if one.endswith("-packages"))])
        known = {"port": port, "hub": hub, "api": api, "token": self.token, "root": root, "parent": parent}
        config.write_text(CONFIG.format(proxy=PROXY, python=python, path=path, **known))
        self.log = root / "log"
        env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "JPY_"))}
        env["PATH"] = f"{CHECKOUT / '.venv' / 'bin'}:{env['PATH']}"  # where make puts Node, if the machine has none
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", config], cwd=root, env=env, stdout=log, stderr=log
            )

    def request(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        data = json.dumps(body).encode() if body is not None else None
        sent = urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers, data=data)
        with urllib.request.urlopen(sent, timeout=TIMEOUT) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            return "version" in self.request("GET", "hub/api/")
        return False

    def log_in(self, user: User) -> None:
        """Have this user's server started, as a first visit does."""
        self.request("POST", f"hub/api/users/{user.name}")
        self.request("POST", f"hub/api/users/{user.name}/server")

    def log_out(self, user: User) -> None:
        self.request("DELETE", f"hub/api/users/{user.name}/server")
        eventually(lambda: not self.request("GET", f"hub/api/users/{user.name}")["servers"])

    def is_logged_in(self, user: User) -> bool:
        servers = self.request("GET", f"hub/api/users/{user.name}")["servers"]
        return bool(servers) and servers[""]["ready"]

    def tables(self, user: User, place: str) -> dict[str, tuple[int, set[str]]]:
        """What the user's sidebar shows of a place: the number of users of each table, and whose they are."""
        listed = self.request("GET", f"user/{user.name}/arrowshm/places/{place}/tables")["tables"]
        return {one["name"]: (len(one["holders"]), {holder["user"] for holder in one["holders"]}) for one in listed}

    def places(self, user: User) -> list[str]:
        return [one["name"] for one in self.request("GET", f"user/{user.name}/arrowshm/places")["places"]]

    def stop(self) -> None:
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(TIMEOUT)
        for child in children:
            if child.is_running():
                child.kill()
        psutil.wait_procs(children, timeout=TIMEOUT)


class Notebook:
    """A notebook of a user, with its kernel, through the proxy."""

    def __init__(self, hub: Hub, user: User, name: str) -> None:
        body = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = hub.request("POST", f"user/{user.name}/api/sessions", body)["kernel"]["id"]
        address = f"{hub.url.replace('http', 'ws')}/user/{user.name}/api/kernels/{kernel}/channels"
        header = [f"Authorization: token {hub.token}"]
        self._socket = websocket.create_connection(address, header=header, timeout=TIMEOUT)
        self.run(PRELUDE)
        self.pid = int(self.get("os.getpid()"))

    def _ask(self, code: str, expression: str) -> tuple[dict[str, Any], str]:
        """The reply, and what was printed."""
        number = uuid.uuid4().hex
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        content["user_expressions"] = {"value": expression} if expression else {}
        header = {"msg_id": number, "msg_type": "execute_request", "session": "test", "username": "", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        reply, is_idle, printed = None, False, ""
        while reply is None or not is_idle:
            got = json.loads(self._socket.recv())
            if got["parent_header"].get("msg_id") != number:
                continue
            kind = got["header"]["msg_type"]
            reply = got["content"] if kind == "execute_reply" else reply
            is_idle |= kind == "status" and got["content"]["execution_state"] == "idle"
            printed += got["content"]["text"] if kind == "stream" else ""
        return reply, printed

    def close(self) -> None:
        self._socket.close()

    def run(self, code: str) -> str:
        """What a cell prints. A magic that fails says why in a line of that, and the cell counts as run."""
        reply, printed = self._ask(code, "")
        assert reply["status"] == "ok", reply
        return printed

    def fails(self, code: str) -> str:
        reply, printed = self._ask(code, "")
        return printed or f"{reply.get('ename')}: {reply.get('evalue')}"

    def get(self, expression: str) -> str:
        reply, _ = self._ask("", expression)
        value = reply["user_expressions"]["value"]
        assert value["status"] == "ok", value
        text: str = value["data"]["text/plain"]
        return text


def python_for_all(user: User) -> str:
    """A Python of this version that other users may run, with what is installed here."""
    path = os.pathsep.join([str(CHECKOUT), *(one for one in sys.path if one.endswith("-packages"))])
    why = ""
    for python in (os.path.realpath(sys.executable), f"/usr/bin/{MINOR}"):
        become = ["setpriv", "--reuid", user.name, "--regid", str(user.gid), "--init-groups"]
        command = [*become, "env", f"PYTHONPATH={path}", "PYTHONDONTWRITEBYTECODE=1", python, "-c"]
        tried = subprocess.run(
            [*command, "import jupyterhub.singleuser, jupyter_arrowshm, pyarrow, ipykernel"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if tried.returncode == 0:
            return python
        why = (tried.stderr.strip().splitlines() or [why])[-1]
    pytest.skip(f"other users may not run this Python or read what it has installed: {why}")


@pytest.fixture
def hub(people: Class, parent: Path) -> Iterator[Hub]:
    if not PROXY.exists():
        pytest.skip("there is no configurable-http-proxy: make test-places installs it")
    python = python_for_all(people.ada)
    for user in (people.ada, people.ben, people.eve):
        home = parent / f"home-{user.name}"
        home.mkdir()
        os.chown(home, user.uid, user.gid)
        subprocess.run(["usermod", "--home", home, user.name], check=True, capture_output=True)
    root = parent / "hub"
    root.mkdir(0o700)
    running = Hub(root, parent, python)
    try:
        eventually(running.is_up)
        yield running
    finally:
        running.stop()
        print(running.log.read_text()[-20_000:])  # shown if the test fails


def test_a_class_on_one_hub(hub: Hub, people: Class, parent: Path) -> None:
    users = {"ada": people.ada, "ben": people.ben, "eve": people.eve}
    ada, ben, eve = users.values()
    for user in users.values():
        hub.log_in(user)
    eventually(lambda: all(map(hub.is_logged_in, users.values())))
    load, read, look = notebooks = [Notebook(hub, user, f"{name}.ipynb") for name, user in users.items()]
    load.run("trips = pa.table({'a': [1, 2, 3]}); marks = pa.table({'a': [4]})")
    load.run("%share trips --to everyone")
    load.run(f"%share marks --to group:{people.group}")

    # Who is in the group reads both, who is not reads what is for everyone.
    read.run(f"%attach trips --from {ada.name}\n%attach marks --from {ada.name}")
    look.run(f"%attach trips --from {ada.name}")
    assert read.get("trips['a'].to_pylist(), marks['a'].to_pylist()") == "([1, 2, 3], [4])"
    assert f"no shared table 'marks' from {ada.name}" in look.fails(f"%attach marks --from {ada.name}")

    # Counts and names in all three sidebars, also where it does not show whose kernel it is.
    names = {user: {"" if one is user else one.name for one in users.values()} for user in users.values()}
    assert hub.tables(ada, "everyone") == {"trips": (3, names[ada])}
    assert hub.tables(ada, f"group:{people.group}") == {"marks": (2, {"", ben.name})}
    assert hub.tables(ben, ada.name) == {"marks": (2, {"", ada.name}), "trips": (3, names[ben])}
    assert hub.tables(eve, ada.name) == {"trips": (3, names[eve])}
    assert sorted(hub.places(ada)) == ["everyone", f"group:{people.group}"]
    assert hub.places(ben) == hub.places(eve) == [ada.name]

    # One who may only read tries everything else.
    folder = parent / f"jupyter-arrowshm-{ada.uid}-open"
    before = [os.lstat(path) for path in sorted(folder.rglob("*"))]
    look.run(f"folder = {str(folder)!r}; table = folder + '/trips.arrow'; own = '{parent}/own'; open(own, 'w').close()")
    for what, (call, expected) in ATTEMPTS.items():
        assert look.get(f"refused({call.format(ada=load.pid)})").strip("'") in (expected, "EPERM", "EACCES"), what
    assert [os.lstat(path) for path in sorted(folder.rglob("*"))] == before

    # The publisher unshares, replaces, is killed, logs out: who reads keeps what it has.
    load.run(f"%unshare marks --from group:{people.group}")
    load.run("trips = pa.table({'a': [5, 6]})\n%share trips --to everyone")
    assert read.get("trips['a'].to_pylist(), marks['a'].to_pylist()") == "([1, 2, 3], [4])"
    look.run(f"%attach trips --from {ada.name}")
    assert hub.tables(ada, "everyone") == {"trips": (2, {"", eve.name})}
    os.kill(load.pid, signal.SIGKILL)
    eventually(lambda: hub.tables(eve, ada.name) == {"trips": (1, {""})})
    hub.log_out(ada)
    for path in folder.iterdir():  # as systemd's RemoveIPC does at the last logout
        if path.is_file():
            path.unlink()
    assert look.get("trips['a'].to_pylist()") == "[5, 6]" and read.get("trips['a'].to_pylist()") == "[1, 2, 3]"
    assert "no shared table 'trips'" in read.fails(f"%attach trips --from {ada.name}")
    for one in notebooks:
        one.close()
