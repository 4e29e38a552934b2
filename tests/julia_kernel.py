"""A Jupyter kernel that runs Julia cells, where IJulia cannot be installed: ipykernel's protocol, a `julia`'s values.

    python julia_kernel.py -f CONNECTION_FILE

``ARROWSHM_JULIA`` names the program, ``ARROWSHM_COMPILE=min`` has it interpret, which is faster for what does not live
to compile, and ``ARROWSHM_IJULIA`` is the version of IJulia to be like. The Julia process has the connection file
as its first argument, as IJulia has; ``julia/ijulia.jl`` is what runs in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
from julia_peers import FLAGS, HERE, environment

PROGRAM = "ARROWSHM_JULIA"
COMPILE = "ARROWSHM_COMPILE"


def specify(folder: Path, program: str, *, ijulia: str = "1.34", **env: str) -> None:
    """Write the kernelspec ``julia`` into a folder of kernels; ``ijulia`` is the version to be like."""
    spec = {
        "argv": [sys.executable, __file__, "-f", "{connection_file}"],
        "display_name": "Julia",
        "language": "julia",
        "interrupt_mode": "signal",
        "env": {PROGRAM: program, "ARROWSHM_IJULIA": ijulia, **env},
    }
    (folder / "julia").mkdir(parents=True)
    (folder / "julia" / "kernel.json").write_text(json.dumps(spec))


class JuliaKernel(Kernel):
    implementation = "julia-for-tests"
    implementation_version = "1"
    banner = "Julia"
    language_info = {"name": "julia", "mimetype": "text/x-julia", "file_extension": ".jl"}  # noqa: RUF012

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        theirs, ours = os.pipe()
        flags = [*FLAGS, f"--compile={os.environ.get(COMPILE, 'yes')}"]
        self._julia = subprocess.Popen(
            [os.environ[PROGRAM], *flags, HERE / "ijulia.jl", IPKernelApp.instance().abs_connection_file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[ours],
            env={**environment(), "ARROWSHM_REPLIES": str(ours)},
        )
        os.close(ours)
        self._replies = os.fdopen(theirs, "rb")
        self._wait()
        threading.Thread(target=self._die_with_julia, daemon=True).start()

    def _die_with_julia(self) -> None:
        """Without its Julia a kernel is dead, for the server too."""
        self._julia.wait()
        os._exit(1)

    def _wait(self, show: Any = lambda text: None) -> dict[str, Any]:
        """The answer to the last request; what is printed until then is shown as it comes."""
        assert self._julia.stdout is not None
        printed = self._julia.stdout.fileno()
        while True:
            # Julia, of the same process group, is interrupted too, and answers.
            with contextlib.suppress(KeyboardInterrupt):
                ready, _, _ = select.select([printed, self._replies], [], [])
                if printed not in ready:
                    return dict(json.loads(self._replies.readline()))
                show(os.read(printed, 1 << 16).decode(errors="replace"))  # first: it was printed before Julia answered

    def _send(self, code: str, kind: str) -> None:
        data = code.encode()
        assert self._julia.stdin is not None
        self._julia.stdin.write(b"%d %s\n%s" % (len(data), kind.encode(), data))
        self._julia.stdin.flush()

    async def do_complete(self, code: str, cursor_pos: int | None) -> dict[str, Any]:
        self._send(code, f"complete:{len(code) if cursor_pos is None else cursor_pos}")
        return self._wait()

    async def do_execute(self, code: str, silent: bool, *_: Any, **__: Any) -> dict[str, Any]:
        self._send(code, str(int(silent)))

        def show(text: str) -> None:
            if text and not silent:
                self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": text})

        answer = {**self._wait(show), "execution_count": self.execution_count}
        if answer["status"] == "error":
            content = {key: answer[key] for key in ("ename", "evalue", "traceback")}
            self.send_response(self.iopub_socket, "error", content)
        elif data := answer.pop("data"):
            content = {"data": data, "metadata": {}, "execution_count": self.execution_count}
            self.send_response(self.iopub_socket, "execute_result", content)
        return {"payload": [], "user_expressions": {}, **answer}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=JuliaKernel)
