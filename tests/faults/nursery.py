"""Drives torture.py, torture.jl or torture.R: starts, intercepts and kills processes, and counts what they say."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from faults.interception import KILL, NOTIFY, Call, Interception, Verdict


class Nursery:
    """Workers and watchers over a store, in one language; :meth:`clear` ends them all."""

    def __init__(self, language: str, command: Sequence[str], env: dict[str, str]) -> None:
        self.language = language
        self._pids: queue.Queue[int] = queue.Queue()
        self._results: queue.Queue[str] = queue.Queue()
        self._listeners, theirs = socket.socketpair()
        self._listeners.settimeout(60)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **env, "ARROWSHM_LISTENERS": str(theirs.fileno())},
        )
        theirs.close()
        self.running: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.wait_for("ready", 1)
        except BaseException:
            self.end()
            raise

    def _read(self) -> None:
        for line in self._process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "pid":
                self._pids.put(int(rest))
            elif word == "?":
                self._results.put(rest)
            elif word.startswith("!"):
                self.errors.append(line)
            else:
                self.counts[word] += 1
        self.counts["ended"] += 1

    def start(self, directory: Path, kind: str, seed: int, filter_: bytes = b"") -> int:
        self._process.stdin.write(f"{kind} {seed} {filter_.hex() or '-'} {directory}\n")
        self._process.stdin.flush()
        pid = self._pids.get(timeout=60)
        self.running.add(pid)
        return pid

    def kill(self, pid: int) -> None:
        """SIGKILL, and wait until it is gone: nobody else's locks are asked for before."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.join(pid)

    def join(self, pid: int) -> None:
        deadline = time.monotonic() + 60
        while is_running(pid):
            assert time.monotonic() < deadline, f"{pid} does not end"
            time.sleep(0.0003)
        self.running.discard(pid)

    def intercept(
        self, directory: Path, action: str, seed: int, decide: Callable[[Call], Verdict] = lambda call: None
    ) -> tuple[list[Call], str | None]:
        """Let a process do one thing while ``decide`` says what becomes of each of its system calls about the store.

        Gives the calls, and how it ended as torture.py says it: ``ok``; nothing, if it was killed.
        """
        killed = False

        def answer(call: Call) -> Verdict:
            nonlocal killed
            verdict = decide(call)
            killed = killed or verdict == KILL
            return verdict

        pid = self.start(directory, f"do:{action}", seed, NOTIFY)
        _, (listener,), _, _ = socket.recv_fds(self._listeners, 1, 1)
        calls = Interception(listener).serve(answer, lambda: str(directory))
        self.join(pid)
        assert not self.errors, self.errors[0]
        return calls, None if killed else self._results.get(timeout=60)

    def wait_for(self, word: str, count: int) -> None:
        """Until the processes have said ``word`` so many times more."""
        wanted, deadline = self.counts[word] + count, time.monotonic() + 240
        while self.counts[word] < wanted:
            assert not self.errors, self.errors[0]
            assert not self.counts["ended"], "it has ended"
            assert time.monotonic() < deadline, f"only {self.counts[word]} of {wanted} {word!r}"
            time.sleep(0.002)

    def open_files(self) -> int:
        """How many descriptors the program has, which all its processes inherit."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def clear(self) -> None:
        for pid in list(self.running):
            self.kill(pid)
        self.counts.clear()
        self.errors.clear()

    def end(self) -> None:
        self.clear()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()
        self._listeners.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
