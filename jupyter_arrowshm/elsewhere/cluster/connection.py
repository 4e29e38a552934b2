"""This process as a part of a Ray cluster: joining it, asking its actors, and no wait without an end."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from ...errors import ArrowSHMError, PlaceFailed, TableLost
from ...loading import remote
from . import actors

T = TypeVar("T")
PATIENCE = 20.0  # s, for an answer
_PATIENCE_TO_START = 60.0  # s, for a process that the cluster starts
_PATIENCE_TO_LOSE = 60.0  # s, until the cluster knows that a machine is gone
_CONNECT = 5.0  # s
_PAUSE = 0.2  # s
# Ray looks for a head that is not there for 10 minutes, and ends every process of a cluster, a kernel with all that is
# in it, 60 s after its head has gone.
_SETTINGS = {"RAY_NUM_REDIS_GET_RETRIES": "1", "RAY_gcs_rpc_server_reconnect_timeout_s": str(10**7)}


class Connection:
    """A namespace of a cluster, and this process's way to it.

    Parameters
    ----------
    place
        As errors call it.
    address
        ``host:port`` of the head; empty for the cluster that this process, or its machine, is in.
    namespace
        Whose tables: each namespace has names of its own.
    """

    _joined_here: ClassVar[bool] = False  # whether this process is in a cluster because it asked for tables

    def __init__(self, place: str, address: str, namespace: str) -> None:
        self.place, self._address = place, address
        # Ray's table of keys and values cuts a namespace at a colon.
        self._namespace = f"jupyter-arrowshm-{actors.PROTOCOL}/{quote(namespace, safe='')}"
        self._lock = threading.Lock()
        self._joined = False
        self._actors: dict[str, Any] = {}

    # -- joining ----------------------------------------------------------------------------------------------------

    @property
    def ray(self) -> Any:
        """The module, once this process is in the cluster.

        Raises
        ------
        PlaceFailed
            Ray is not installed, nobody answers there, or this process is in another cluster.
        """
        ray = _imported(self.place)
        if not (self._joined and ray.is_initialized()):
            with self._lock:
                if not ray.is_initialized():
                    self._actors.clear()
                    self._join(ray)
                self._check(ray)
                self._joined = True
        self._look_after(ray)
        return ray

    def _look_after(self, ray: Any) -> None:
        """Leave a cluster whose head or whose part on this machine is gone: Ray ends processes that go on asking."""
        if not Connection._joined_here:
            return  # the user has joined it, and leaves it
        try:
            node = ray._private.worker.global_worker.node
            self._probe(ray.get_runtime_context().gcs_address)
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(_CONNECT)
                one.connect(node.raylet_socket_name)
        except (PlaceFailed, OSError) as error:
            self._leave(ray)
            if isinstance(error, PlaceFailed):
                raise
            raise PlaceFailed(self.place, "has ended on this machine", "Start it again with `ray start`.") from None

    def _leave(self, ray: Any) -> None:
        self._joined = Connection._joined_here = False
        self._actors.clear()
        with contextlib.suppress(Exception):
            self.bounded(ray.shutdown)

    def _join(self, ray: Any) -> None:
        address = self._address or os.environ.get("RAY_ADDRESS", "")
        self._probe(address)
        options = {"logging_level": "ERROR", "log_to_driver": False}
        try:
            with _settings():
                self.bounded(lambda: ray.init(address=address or "auto", **options), _PATIENCE_TO_START)
        except ConnectionError:
            where = f"at {address}" if address else "on this machine"
            fix = "Start it with `ray start`, or give its address: ray://HOST:6379."
            raise PlaceFailed(self.place, f"cannot be used: no Ray cluster runs {where}", fix) from None
        Connection._joined_here = True

    def _probe(self, address: str) -> None:
        """Whether anybody is there: Ray itself would go on looking."""
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            return
        try:
            socket.create_connection((host, int(port)), _CONNECT).close()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            fix = "The port is the head's (6379 where nobody said otherwise), not that of Ray's client."
            raise PlaceFailed(self.place, f"does not answer ({reason})", fix) from None

    def _check(self, ray: Any) -> None:
        with contextlib.suppress(ImportError, AttributeError):
            if ray.util.client.ray.is_connected():
                reason = "cannot be used by a process that Ray's client connects, which has no memory of the cluster"
                raise PlaceFailed(self.place, reason, "Run it on a machine of the cluster.")
        joined = ray.get_runtime_context().gcs_address
        if self._address and joined != self._address:
            reason = f"cannot be used: this process is in another cluster, at {joined}"
            raise PlaceFailed(
                self.place, reason, "Use another process for it, or ray:// for the cluster that it is in."
            )

    @property
    def address(self) -> str:
        """``host:port`` of the head."""
        return str(self.ray.get_runtime_context().gcs_address)

    @property
    def machine(self) -> str:
        """Ray's id of the machine that this process is on."""
        return str(self.ray.get_runtime_context().get_node_id())

    def machines(self) -> set[str]:
        """The machines that are in the cluster now."""
        ray = self.ray
        return {node["NodeID"] for node in self.bounded(ray.nodes) if node["Alive"]}

    # -- actors -----------------------------------------------------------------------------------------------------

    def catalogue(self, *, create: bool = False) -> Any:
        """The actor; ``None`` where nobody has shared anything yet, unless it is to be made."""
        name = "catalogue"
        if name not in self._actors:
            found = (
                self._started(name, actors.Catalogue, (self._namespace,), {"max_restarts": -1, "max_task_retries": -1})
                if create
                else self.find(name)
            )
            if found is None:
                return None
            self._actors[name] = found
        return self._actors[name]

    def keeper(self, machine: str) -> tuple[str, Any]:
        """The name and the actor that keeps what is shared on this machine; it is started if it does not run."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        name = f"keeper-{machine}"
        there = NodeAffinitySchedulingStrategy(machine, soft=False)
        return name, self._started(name, actors.Keeper, (), {"scheduling_strategy": there})

    def find(self, name: str) -> Any:
        """The actor of this name; ``None``: it does not run."""
        ray = self.ray
        with contextlib.suppress(ValueError):
            return self.bounded(lambda: ray.get_actor(name, self._namespace))
        return None

    def _started(self, name: str, kind: type, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        ray = self.ray
        # The machines of the cluster may not have this package.
        ray.cloudpickle.register_pickle_by_value(actors)

        # Whoever filters does not keep those waiting who share.
        def start() -> Any:
            made = ray.remote(num_cpus=0, concurrency_groups={"cut": 4})(kind).options(
                name=name, namespace=self._namespace, lifetime="detached", get_if_exists=True, **options
            )
            return made.remote(*arguments)

        return self.bounded(start)

    def forget(self, name: str) -> None:
        """An actor that was found before is gone."""
        self._actors.pop(name, None)

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask(self, reference: Any, timeout: float = PATIENCE, table: str = "") -> Any:
        """The value of an object of the cluster.

        Raises
        ------
        TableLost
            It is gone from all machines, as rows of ``table``.
        PlaceFailed
            It does not come within ``timeout`` seconds, or the cluster says something else.
        """
        with self.explained(timeout, table):
            return self.ray.get(reference, timeout=timeout)

    def ask_keeper(self, call: Callable[[], Any], table: str) -> Any:
        """As :meth:`ask`, of a keeper. If its machine does not answer, the cluster has to find out that it is gone."""
        from ray import exceptions

        deadline = time.monotonic() + _PATIENCE_TO_LOSE
        while time.monotonic() < deadline:
            with contextlib.suppress(exceptions.ActorUnavailableError):
                return self._value(call(), table)
            time.sleep(_PAUSE)
        raise self._silent(_PATIENCE_TO_LOSE)

    def _value(self, reference: Any, table: str) -> Any:
        from ray import exceptions

        try:
            return self.ray.get(reference, timeout=PATIENCE)
        except exceptions.ActorUnavailableError:
            raise
        except exceptions.RayError as error:
            with self.explained(PATIENCE, table):
                raise error

    @contextlib.contextmanager
    def explained(self, timeout: float = PATIENCE, table: str = "") -> Iterator[None]:
        """Errors of Ray's as ours."""
        from ray import exceptions

        try:
            yield
        except ArrowSHMError:
            raise
        except exceptions.GetTimeoutError:
            raise self._silent(timeout) from None
        except (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError):
            fix = "Remove tables there, or give its machines a larger object store."
            raise PlaceFailed(self.place, "has no room for this", fix) from None
        except (exceptions.ObjectLostError, exceptions.ActorDiedError, exceptions.NodeDiedError) as error:
            if table:
                raise TableLost(table, self.place) from None
            raise self._failed(error) from None
        except exceptions.RayError as error:
            raise self._failed(error) from None

    def _silent(self, timeout: float) -> PlaceFailed:
        return PlaceFailed(self.place, f"did not answer within {timeout:g} s", "Try again; `ray status` says more.")

    def _failed(self, error: BaseException) -> PlaceFailed:
        cause = getattr(error, "cause", None) or error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        told = f"{type(cause).__name__}{f': {lines[0]}' if lines else ''}"[:200].rstrip(". ")
        return PlaceFailed(self.place, f"failed ({told})", "Nothing was changed there.")

    def bounded(self, call: Callable[[], T], timeout: float = PATIENCE) -> T:
        """What ``call`` gives. Ray waits for a head that is gone without an end: the thread is left behind then."""
        try:
            with self.explained(timeout):
                return remote.within(call, timeout)
        except remote.Silent:
            raise self._silent(timeout) from None


def _imported(place: str) -> Any:
    try:
        with _settings():
            import ray
    except ImportError:
        fix = "To install it: pip install jupyter-arrowshm[ray]."
        raise PlaceFailed(place, "needs Ray, which is not installed here", fix) from None
    return ray


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Ray reads some of them when it is imported, some when it is started. A cluster started from here has its own."""
    before = {name: os.environ.get(name) for name in _SETTINGS}
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        yield
    finally:
        for name, given in before.items():
            if given is None:
                os.environ.pop(name, None)
