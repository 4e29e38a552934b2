"""A Ray cluster of two machines, which are two addresses of this one, and processes on each of them.

Each "machine" has an object store and a store of tables of its own. All of it is gone at the end: Ray's processes are
children of this one, and its files are in a folder that is removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from peers import Peer
from waiting import eventually

os.environ.update(
    RAY_AUTH_MODE="disabled",
    RAY_USAGE_STATS_ENABLED="0",
    RAY_NUM_REDIS_GET_RETRIES="1",
    RAY_DISABLE_DOCKER_CPU_WARNING="1",
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
    RAY_worker_niceness="0",  # else the actors wait for every other test of the machine
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from ray.cluster_utils import Cluster

MACHINE = {"num_cpus": 1, "object_store_memory": 80_000_000}
# Ray takes 127.0.0.1 for the address that others know this machine by.
IP = {"a": None, "b": "127.0.0.2", "c": "127.0.0.3"}
_ATTEMPTS = 4  # at starting a node
JOIN = """
import ray
ray.init(address={address!r}, _node_ip_address={ip!r}, log_to_driver=False, logging_level="ERROR", namespace="tests")
"""


@dataclass
class Machines:
    """A cluster, and this test's store of each machine."""

    cluster: Cluster
    nodes: dict[str, Any]
    root: Path
    peers: list[Peer] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, name: str) -> None:
        """Another machine."""
        self.nodes[name] = _added(self.cluster, node_ip_address=IP[name], **MACHINE)

    def lose(self, name: str) -> None:
        """The machine is gone, with all that runs on it."""
        node = self.nodes.pop(name)
        raylet = node.all_processes["raylet"][0].process
        workers = psutil.Process(raylet.pid).children(recursive=True)
        self.cluster.remove_node(node, allow_graceful=False)
        for one in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def env(self, name: str) -> dict[str, str]:
        """For a process on this machine."""
        return {"JUPYTER_ARROWSHM_DIR": f"{self.root}/{name}", "RAY_ADDRESS": self.address}

    def peer(self, name: str, *, join: bool = True, **options: Any) -> Peer:
        """A process on this machine that is in the cluster, or is to find it."""
        one = Peer(env=self.env(name), **options)
        self.peers.append(one)
        if join:
            one.run(JOIN.format(address=self.address, ip=IP[name]) + "place = shm.place('ray://')")
        return one


@contextlib.contextmanager
def started(*names: str) -> Iterator[Machines]:
    """A cluster, the first of whose machines is its head."""
    # Short: Ray's sockets are in it, and a socket's path has 107 bytes (unix(7)).
    folder = Path(tempfile.mkdtemp(prefix="as-ray-", dir="/tmp"))
    root = Path(f"/dev/shm/arrowshm-test-{os.getpid()}-{secrets.token_hex(4)}")
    root.mkdir(0o700)
    before = _children()
    cluster = Cluster()
    machines = Machines(cluster, {}, root)
    with contextlib.ExitStack() as last:
        last.callback(eventually, lambda: _is_removed(folder))
        last.callback(shutil.rmtree, root, ignore_errors=True)
        last.callback(_end_all, machines, before)
        # There Ray also notes which cluster is this machine's newest: it may have one of its own.
        last.callback(os.environ.pop, "RAY_TMPDIR", None)
        os.environ["RAY_TMPDIR"] = str(folder)
        machines.nodes[names[0]] = _added(cluster, include_dashboard=False, **MACHINE)
        for name in names[1:]:
            machines.add(name)
        yield machines


# One at a time: asked about objects of two owners, Ray may end the process ("Promise already satisfied").
LOCATIONS = "where = {one: ray.experimental.get_object_locations([one])[one] for one in found.objects}\n"


def _added(cluster: Cluster, **options: Any) -> Any:
    """Another node. Ray gives each 30 s to start, which a busy machine may take: then it is ended, and tried again."""
    before = _children()
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(Exception):
            return cluster.add_node(**options)
        _end_new(before)
    return cluster.add_node(**options)


def _children() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True)}


def _end_new(before: set[int]) -> None:
    """End our children and theirs, all at once: those whose parent went first would be nobody's."""
    new = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
    for one in new:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(new, timeout=30)


def _end_all(machines: Machines, before: set[int]) -> None:
    for one in machines.peers:
        one.end()
    # Not cluster.shutdown(): it asks a head that may be gone, for a minute.
    _end_new(before)
    for node in machines.nodes.values():
        node.kill_all_processes(check_alive=False, allow_graceful=False)


def _is_removed(folder: Path) -> bool:
    """Processes of Ray that are about to end may still write there."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
