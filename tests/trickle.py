"""A server between a client and a bucket, which lets some answers through one byte at a time."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

PAUSE = 0.02  # s between two bytes: so that no limit on silence ends it


class Trickle:
    """Listens at ``port``. Answers to requests with ``slow`` in their first line trickle, and never end."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self.ports = str(to), str(port)
        self.slow: bytes | None = None
        self.ended = threading.Event()

    def serve(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):  # at the end
            while True:
                threading.Thread(target=self._connect, args=(listening.accept()[0],), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as server, contextlib.suppress(OSError):
            is_slow = threading.Event()
            answering = threading.Thread(target=self._answer, args=(server, client, is_slow), daemon=True)
            answering.start()
            while asked := client.recv(1 << 16):
                line = asked.partition(b"\r\n")[0]
                if line.endswith(b" HTTP/1.1"):
                    is_slow.set() if self.slow is not None and self.slow in line else is_slow.clear()
                server.sendall(asked)

    def _answer(self, server: socket.socket, client: socket.socket, is_slow: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while told := server.recv(1 << 16):
                if not is_slow.is_set():
                    client.sendall(told)
                    continue
                for byte in told[:-1]:
                    client.sendall(bytes([byte]))
                    if self.ended.wait(PAUSE):
                        break
                self.ended.wait()
                break
            client.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def trickle(to: int) -> Iterator[Trickle]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Trickle(listening.getsockname()[1], to)
        thread = threading.Thread(target=made.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
