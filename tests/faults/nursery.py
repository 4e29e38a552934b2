"""Drives torture.py: starts and kills its processes, and counts what they say."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path


class Nursery:
    """Workers and watchers over one store; all are gone at the end of the block, however it ends."""

    def __init__(self, directory: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self.running: set[int] = set()
        self._pids: queue.Queue[int] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("torture.py")), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            word, _, number = line.rstrip("\n").partition(" ")
            if word == "pid":
                self._pids.put(int(number))
            elif word.startswith("!"):
                self.errors.append(line)
            else:
                self.counts[word] += 1

    def start(self, kind: str, seed: int) -> int:
        self._process.stdin.write(f"{kind} {seed}\n")
        self._process.stdin.flush()
        pid = self._pids.get(timeout=30)
        self.running.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """SIGKILL, and wait until it is gone: nobody else's locks are asked for before."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while is_running(pid):
            assert time.monotonic() < deadline, f"{pid} does not die"
            time.sleep(0.0005)
        self.running.discard(pid)

    def wait_for(self, word: str, count: int) -> None:
        """Until the processes have said ``word`` so many times more."""
        wanted, deadline = self.counts[word] + count, time.monotonic() + 120
        while self.counts[word] < wanted:
            assert not self.errors, self.errors[0]
            assert time.monotonic() < deadline, f"only {self.counts[word]} of {wanted} {word!r}"
            time.sleep(0.002)

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self.running):
            self.kill(pid)
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
