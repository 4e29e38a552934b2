"""Everything that three processes can do with a store, in any order, against a model that fits on one screen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from measures import footprint, leftovers
from peers import Peer

import jupyter_arrowshm as shm

PEERS = st.integers(0, 2)
NAMES = st.sampled_from(["a", "ü"])
RARELY = st.sampled_from([False, False, False, True])
PRELUDE = """
store, held = shm.Store({path!r}), {{}}
def make(version, rows):
    return pa.table({{'v': pa.array([version] * rows, 'int64'), 's': pa.array([str(version)] * rows, 'string')}})
def share(name, version, batches, **options):
    store.share(make(version, sum(batches)), name, **options)
def write(name, version, batches, **options):
    with store.writer(name, make(0, 0).schema, **options) as writer:
        for rows in batches: writer.write(make(version, rows))
"""


@dataclass(eq=False)
class Version:
    number: int
    rows: int
    publisher: int  # a process number, which is not used again after a kill

    @property
    def content(self) -> dict[str, list]:
        return {"v": [self.number] * self.rows, "s": [str(self.number)] * self.rows}


@dataclass
class Model:
    tables: dict[str, Version] = field(default_factory=dict)
    pinned: set[str] = field(default_factory=set)
    leases: dict[int, tuple[int, str, Version]] = field(default_factory=dict)  # by key: process, name, version
    alive: set[int] = field(default_factory=set)

    def users(self, version: Version) -> set[int]:
        return {process for process, _, held in self.leases.values() if held is version}

    def holders(self, version: Version) -> set[int]:
        return self.users(version) | ({version.publisher} & self.alive)

    def older(self, name: str) -> list[list[int]]:
        """The processes of each version that somebody has attached under this name, and that is not the newest."""
        versions = {held for _, of, held in self.leases.values() if of == name and held is not self.tables.get(name)}
        return sorted(sorted(self.users(version)) for version in versions)


class Machine(RuleBasedStateMachine):
    root: Path
    pool: list[Peer]
    start: Callable[[], Peer]
    numbers = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.path = str(self.root / f"store-{next(self.numbers)}")
        self.store = shm.Store(self.path)
        self.model = Model(alive={peer.pid for peer in self.pool})
        self.kills = 0
        for peer in self.pool:
            peer.run(PRELUDE.format(path=self.path))

    def refused(self, peer: Peer, code: str, error: type[Exception]) -> None:
        with pytest.raises(error):
            peer.run(code)

    @rule(
        who=PEERS,
        name=NAMES,
        how=st.sampled_from(["share", "write"]),
        batches=st.lists(st.integers(0, 40), min_size=1, max_size=3),
        replace=st.booleans(),
        pin=RARELY,
    )
    def publish(self, who: int, name: str, how: str, batches: list[int], replace: bool, pin: bool) -> None:
        peer, version = self.pool[who], Version(next(self.numbers), sum(batches), self.pool[who].pid)
        code = f"{how}({name!r}, {version.number}, {batches}, replace={replace}, pin={pin})"
        old = self.model.tables.get(name)
        if old and old.publisher != peer.pid and not replace:
            with pytest.raises(shm.TableExists) as caught:
                peer.run(code)
            assert caught.value.alive == (old.publisher in self.model.alive)
            return
        peer.run(code)
        self.model.tables[name] = version
        if pin:
            self.model.pinned.add(name)

    @rule(who=PEERS, name=NAMES)
    def attach(self, who: int, name: str) -> None:
        peer, key = self.pool[who], next(self.numbers)
        if name not in self.model.tables:
            return self.refused(peer, f"store.attach({name!r})", shm.TableNotFound)
        version = self.model.tables[name]
        peer.run(f"held[{key}] = store.attach({name!r})")
        if version.rows:  # else there is no memory to hold
            self.model.leases[key] = peer.pid, name, version
        return None

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data(), drop=RARELY)
    def check(self, data: st.DataObject, drop: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.leases)))
        process, _, version = self.model.leases[key]
        (peer,) = (peer for peer in self.pool if peer.pid == process)
        assert peer.get(f"held[{key}].to_pydict()") == version.content
        if drop:
            peer.run(f"del held[{key}]")
            del self.model.leases[key]

    @rule(who=PEERS, name=NAMES, what=st.sampled_from(["unshare", "pin", "unpin", "unpin"]))
    def change(self, who: int, name: str, what: str) -> None:
        code = f"store.{what}({name!r})"
        if name not in self.model.tables:
            return self.refused(self.pool[who], code, shm.TableNotFound)
        self.pool[who].run(code)
        if what == "pin":
            self.model.pinned.add(name)
        else:
            self.model.pinned.discard(name)
        if what == "unshare":
            del self.model.tables[name]
        return None

    @rule(who=PEERS)
    def gc(self, who: int) -> None:
        gone = {
            name
            for name, version in self.model.tables.items()
            if name not in self.model.pinned and not self.model.holders(version)
        }
        assert self.pool[who].get("store.gc()").keys() == gone
        for name in gone:
            del self.model.tables[name]

    @precondition(lambda self: self.kills < 2 and self.model.leases)  # each takes half a second
    @rule(who=PEERS)
    def kill(self, who: int) -> None:
        self.kills += 1
        dead = self.pool[who]
        dead.kill()
        self.model.alive.discard(dead.pid)
        self.model.leases = {key: lease for key, lease in self.model.leases.items() if lease[0] != dead.pid}
        self.pool[who] = type(self).start()
        self.pool[who].run(PRELUDE.format(path=self.path))
        self.model.alive.add(self.pool[who].pid)

    @invariant()
    def the_listing_is_the_models(self) -> None:
        listed = self.store.tables()
        assert [table.name for table in listed] == sorted(self.model.tables)
        for table in listed:
            version = self.model.tables[table.name]
            assert table.num_rows == version.rows
            assert sorted(holder.pid for holder in table.holders) == sorted(self.model.holders(version))
            assert table.in_use_by == str(len(self.model.holders(version)))
            assert table.publisher.alive == (version.publisher in self.model.alive)
            assert table.pinned == (table.name in self.model.pinned)
            assert sorted(pids(old) for old in table.older) == self.model.older(table.name)
        removed = {of for _, of, _ in self.model.leases.values()} - self.model.tables.keys()
        assert {version.name for version in listed.removed} == removed
        for name in removed:
            assert sorted(pids(old) for old in listed.removed if old.name == name) == self.model.older(name)

    def teardown(self) -> None:
        for peer in self.pool:
            peer.run("held.clear()")
        self.model.leases.clear()
        self.the_listing_is_the_models()
        for name in self.model.tables:
            self.store.unshare(name)
        path = Path(self.path)
        assert not footprint(path)
        if path.exists():
            assert all(mark.startswith(".live/") for mark in leftovers(path))
            assert not list(path.glob("*.arrow"))


def pids(version: shm.OlderVersion) -> list[int]:
    return sorted(holder.pid for holder in version.holders)


@pytest.fixture
def pool(peer: Callable[[], Peer]) -> list[Peer]:
    return [peer() for _ in range(3)]


def test_three_processes_do_what_the_model_does(parent, peer, pool):
    machine = type("Machine", (Machine,), {"root": parent, "pool": pool, "start": staticmethod(peer)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking an example takes minutes, as its processes are real
            suppress_health_check=list(HealthCheck),
        ),
    )
