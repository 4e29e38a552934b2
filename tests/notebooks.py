"""A notebook without its page: a real IPython kernel, driven through jupyter_client as a front end drives it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from jupyter_arrowshm.core.directory import ENVIRONMENT_VARIABLE

# What %reset -f does, in a tenth of the time.
_AFRESH = """\
__import__("os").environ[{variable!r}] = {store!r}
Out.clear()
for _ in globals().keys() - get_ipython().user_ns_hidden - {{"_"}}: del globals()[_]
%reload_ext jupyter_arrowshm
"""
TIMEOUT = 120  # s; for a machine that is busy
OUR_WORDS = re.compile(r"\b(lease|holder|segment|token)(s|ed)?\b", re.IGNORECASE)


@dataclass
class Ran:
    """What a cell gave: streams, displayed mimebundles, the value, and the error's lines as the page shows them."""

    text: str = ""
    errors: str = ""
    displays: list[dict[str, Any]] = field(default_factory=list)
    value: dict[str, Any] | None = None
    traceback: list[str] = field(default_factory=list)
    status: str = ""
    pager: str = ""

    @property
    def shown(self) -> str:
        """All that one reads on the page, but for tracebacks."""
        values = [*self.displays, *([self.value] if self.value else [])]
        return "\n".join([self.text, *(one["text/plain"] for one in values), self.errors, self.pager]).strip()

    @property
    def error(self) -> str:
        """The error, which must be one line without a traceback: IPython prints a ``UsageError`` on stderr."""
        assert self.status == "error", self
        assert not self.traceback and self.errors.startswith("UsageError: "), self
        line = self.errors.removeprefix("UsageError: ").removesuffix("\n")
        assert "\n" not in line, self
        return line


class Notebook:
    """``name`` is what Jupyter calls the notebook; the id survives a restart, as on a server.

    ``place`` is a private directory with a short path: the kernel's sockets are in it.
    """

    def __init__(
        self,
        name: str,
        place: Path,
        *,
        load: bool = True,
        python: str = sys.executable,
        program: Sequence[str] = ("-m", "ipykernel_launcher"),
        **environment: str,
    ) -> None:
        self.name, self._load = name, load
        self.id = str(uuid.uuid4())
        spec = place / self.id[:8] / "python3" / "kernel.json"
        spec.parent.mkdir(parents=True)
        argv = [python, *program, "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
        self.manager = KernelManager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(spec.parent.parent)], ensure_native_kernel=False),
            transport="ipc",
            ip=str(place / self.id[:8] / "s"),
            connection_file=str(place / f"kernel-{self.id}.json"),
        )
        own = {"JPY_SESSION_NAME": str(place / name), "IPYTHONDIR": str(place / "ipython")}
        self.manager.start_kernel(env={**os.environ, **own, **environment})
        try:
            self._connect()
        except BaseException:
            self.stop()
            raise

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        if self._load:
            assert self.run("%load_ext jupyter_arrowshm").status == "ok"

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def start(self, code: str) -> str:
        """Send a cell and do not wait."""
        return str(self.client.execute(code, allow_stdin=False))

    def run(self, code: str) -> Ran:
        return self.wait(self.start(code))

    def ok(self, code: str) -> str:
        """Run a cell that must succeed; gives all that it showed."""
        ran = self.run(code)
        assert ran.status == "ok", (ran.errors, "\n".join(ran.traceback))
        return ran.shown

    def error(self, code: str) -> str:
        """Run a cell that must fail with one line; gives that line."""
        return self.run(code).error

    def until(self, request: str, text: str) -> None:
        """Wait until a cell has printed this; what it printed by then is dropped."""
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            ours = message["parent_header"].get("msg_id") == request
            if ours and message["msg_type"] == "stream" and text in message["content"]["text"]:
                return

    def wait(self, request: str) -> Ran:
        """What the cell gave, once it has ended."""
        ran = Ran()
        deadline = time.monotonic() + TIMEOUT
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream" if content["name"] == "stdout":
                    ran.text += content["text"]
                case "stream":
                    ran.errors += content["text"]
                case "display_data":
                    ran.displays.append(content["data"])
                case "execute_result":
                    ran.value = content["data"]
                case "error":
                    ran.traceback = content["traceback"]
                case "status" if content["execution_state"] == "idle":
                    break
        reply = self._reply(request)
        ran.status = reply["status"]
        ran.pager = "".join(one["data"]["text/plain"] for one in reply.get("payload", ()) if one["source"] == "page")
        html = "".join(one.get("text/html", "") for one in ran.displays)
        assert not OUR_WORDS.search(ran.shown + html), f"users know no such word: {ran.shown}"
        return ran

    def get(self, expression: str) -> str:
        """``repr`` of an expression, evaluated beside the cells: it leaves nothing in ``Out`` and runs no hooks."""
        request = self.client.execute("", silent=True, user_expressions={"value": expression})
        value = self._reply(request)["user_expressions"]["value"]
        assert value["status"] == "ok", value
        return str(value["data"]["text/plain"])

    def complete(self, code: str) -> list[str]:
        return list(self._reply(self.client.complete(code))["matches"])

    def completions(self, code: str) -> dict[str, str]:
        """What completes this, and what kind of thing that is."""
        reply = self._reply(self.client.complete(code))
        found = reply["metadata"]["_jupyter_types_experimental"]
        return {one["text"]: one["type"] for one in found}

    def _reply(self, request: str) -> dict[str, Any]:
        while (reply := self.client.get_shell_msg(timeout=TIMEOUT))["parent_header"].get("msg_id") != request:
            pass
        content: dict[str, Any] = reply["content"]
        return content

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self._connect()

    def kill(self) -> None:
        """SIGKILL: the kernel has no chance to tidy up."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        if self.manager.has_kernel:
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=True)


class Desk:
    """The notebooks of one module, by name: kernels are slow to start. Each test has a store of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._tests = 0
        self._kept: dict[str, Notebook] = {}
        self._used: set[str] = set()
        self._own: list[Notebook] = []

    @property
    def parent(self) -> Path:
        return self.place / str(self._tests)

    def begin(self) -> None:
        self._tests += 1
        self.parent.mkdir(0o700)

    def open(self, name: str) -> Notebook:
        """One that later tests use too, with nothing of earlier ones."""
        if name not in self._kept:
            self._kept[name] = Notebook(name, self.place)
        elif name not in self._used:
            self._kept[name].ok(_AFRESH.format(variable=ENVIRONMENT_VARIABLE, store=str(self.parent / "store")))
        self._used.add(name)
        return self._kept[name]

    def start(self, name: str, **keywords: object) -> Notebook:
        """One for this test alone, to be restarted, killed or spoilt."""
        self._own.append(Notebook(name, self.place, **keywords))  # type: ignore[arg-type]
        return self._own[-1]

    def end(self) -> None:
        for notebook in self._own:
            notebook.stop()
        self._own.clear()
        self._used.clear()
        shutil.rmtree(self.parent)

    def close(self) -> None:
        for notebook in (*self._own, *self._kept.values()):
            notebook.stop()
