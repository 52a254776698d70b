"""What befalls the cluster during a run: a schedule made from the seed alone, and the hands that carry it out.

What can be disturbed has a lane of its own, so that it is not ended twice at once; lanes run beside each other, so that
etcd may be away while an API server starts.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from tests.robustness.api import Content, Lost
from tests.robustness.clients import LABELS, LEASED_NAMES, NAMES, NAMESPACES
from tests.robustness.etcd_peer import EtcdPeer, stored_key, stored_value
from tests.robustness.history import Compaction, History, Operation, Outcome, Verb
from tests.robustness.recorder import Tags
from tests.robustness.reference import Reference
from tests.robustness.servers import Cluster


class Kind(Enum):
    """What can happen."""

    KILL_ETCD = "kill etcd"
    PAUSE_ETCD = "pause etcd"
    KILL_SERVER = "kill API server"
    STOP_SERVER = "stop API server"  # SIGTERM
    PAUSE_SERVER = "pause API server"
    KILL_SERVERS = "kill all API servers"
    CUT_ANSWERS = "cut etcd's answers"  # what is asked is done, but not told, and then the connection breaks
    ISOLATE = "isolate from etcd"
    COMPACT = "compact"
    EXPIRE_LEASE = "expire lease"
    REVOKE_LEASE = "revoke lease"
    WRITE_OUTSIDE = "write outside /registry/"
    WRITE_INSIDE = "write inside /registry/"


ETCD: Final = "etcd"
SERVERS: Final = "API servers"
WIRE: Final = "wire"
CLIENT: Final = "foreign client"
_LANES: Final[Mapping[str, tuple[Kind, ...]]] = {
    ETCD: (Kind.KILL_ETCD, Kind.KILL_ETCD, Kind.PAUSE_ETCD),
    SERVERS: (Kind.KILL_SERVER, Kind.KILL_SERVER, Kind.STOP_SERVER, Kind.PAUSE_SERVER, Kind.KILL_SERVERS),
    WIRE: (Kind.CUT_ANSWERS, Kind.CUT_ANSWERS, Kind.ISOLATE),
    CLIENT: (
        Kind.COMPACT,
        Kind.COMPACT,
        Kind.EXPIRE_LEASE,
        Kind.REVOKE_LEASE,
        Kind.WRITE_OUTSIDE,
        Kind.WRITE_INSIDE,
        Kind.WRITE_INSIDE,
    ),
}
_PERIODS: Final = {ETCD: 1.6, SERVERS: 1.0, WIRE: 0.9, CLIENT: 0.35}
"""About how many seconds lie between two faults of a lane; a server takes most of them to start again."""

_HELD: Final = frozenset({Kind.PAUSE_ETCD, Kind.PAUSE_SERVER, Kind.ISOLATE})
_ANSWERS_HELD_SECONDS: Final = 0.03
_LEASE_SECONDS: Final = 1  # the shortest etcd grants here
_ATTEMPTS: Final = 40
_ATTEMPT_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Fault:
    """`hold_seconds`: how long something stays away or is held; `amount`: of keys, writes or revisions."""

    at_seconds: float
    lane: str
    kind: Kind
    server: str
    hold_seconds: float
    amount: int

    def __str__(self) -> str:
        details = {
            ETCD: f"for {self.hold_seconds:.2f} s",
            SERVERS: f"{self.server}, for {self.hold_seconds:.2f} s",
            WIRE: f"for {self.hold_seconds:.2f} s" if self.kind is Kind.ISOLATE else "",
            CLIENT: f"{self.amount}",
        }
        return f"{self.at_seconds:6.2f} s  {self.lane}: {self.kind.value} {details[self.lane]}".rstrip()


def plan(random: Random, seconds: float, servers: Sequence[str]) -> list[Fault]:
    """A schedule: in every lane something about once in its period, each kind before any comes again."""
    faults = []
    for lane, kinds in _LANES.items():
        left: list[Kind] = []
        at = random.uniform(0.1, _PERIODS[lane])
        while at < seconds:
            if not left:
                left = random.sample(kinds, len(kinds))
            kind = left.pop()
            short, long = random.choice(((0.0, 0.0), (0.05, 0.4), (0.2, 1.2))) if kind not in _HELD else (0.1, 1.2)
            hold = random.uniform(short, long)
            faults.append(Fault(at, lane, kind, random.choice(servers), hold, random.randint(1, 6)))
            at += hold + random.uniform(0.3, 1.7) * _PERIODS[lane]
    return sorted(faults, key=lambda fault: fault.at_seconds)


class Faults:
    """Carries out a schedule."""

    def __init__(self, cluster: Cluster, peer: EtcdPeer, reference: Reference, history: History, tags: Tags) -> None:
        self.counts: Counter[Kind] = Counter()
        self._cluster = cluster
        self._reference = reference
        self._foreign = Foreign(peer, history, tags)
        self._peer = peer
        self._history = history

    async def run(self, schedule: Sequence[Fault], random: Random) -> None:
        """All of it; what was ended runs again when this returns."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for lane in dict.fromkeys(fault.lane for fault in schedule):
                faults = [fault for fault in schedule if fault.lane == lane]
                group.create_task(self._run_lane(faults, begun, Random(random.random())))

    async def _run_lane(self, faults: Sequence[Fault], begun: float, random: Random) -> None:
        for fault in faults:
            await asyncio.sleep(begun + fault.at_seconds - time.monotonic())
            if await self._carry_out(fault, random):
                self.counts[fault.kind] += 1

    async def _carry_out(self, fault: Fault, random: Random) -> bool:
        """Whether it happened."""
        match fault.lane:
            case "etcd":
                await self._disturb_etcd(fault)
            case "API servers":
                await self._disturb_servers(fault)
            case "wire":
                await self._disturb_wire(fault)
            case _:
                return await self._disturb_data(fault, random)
        return True

    async def _disturb_data(self, fault: Fault, random: Random) -> bool:
        match fault.kind:
            case Kind.COMPACT:
                return await self._compact(fault.amount)
            case Kind.EXPIRE_LEASE | Kind.REVOKE_LEASE:
                return await self._foreign.lease(random, fault.amount, revoke=fault.kind is Kind.REVOKE_LEASE)
            case Kind.WRITE_OUTSIDE:
                return await self._foreign.write_outside(fault.amount)
            case _:
                return await self._foreign.write_inside(random, fault.amount)

    async def _disturb_etcd(self, fault: Fault) -> None:
        etcd = self._cluster.etcd
        if fault.kind is Kind.PAUSE_ETCD:
            etcd.pause()
            try:
                await asyncio.sleep(fault.hold_seconds)
            finally:
                etcd.resume()
            return
        etcd.kill()
        await asyncio.sleep(fault.hold_seconds)
        await asyncio.to_thread(etcd.start)

    async def _disturb_servers(self, fault: Fault) -> None:
        chosen = list(self._cluster.servers) if fault.kind is Kind.KILL_SERVERS else [fault.server]
        servers = [self._cluster.servers[name] for name in chosen]
        if fault.kind is Kind.PAUSE_SERVER:
            servers[0].signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(fault.hold_seconds)
            finally:
                servers[0].signal(signal.SIGCONT)
            return
        if fault.kind is Kind.STOP_SERVER:
            code = await asyncio.to_thread(servers[0].stop)
            if code:
                self._history.anomalies.append(f"API server {fault.server} ended with {code} when asked to stop")
        for server in servers:
            server.kill()
        await asyncio.sleep(fault.hold_seconds)
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(asyncio.to_thread(server.start))

    async def _disturb_wire(self, fault: Fault) -> None:
        wire = self._cluster.wire
        wire.answers.clear()
        if fault.kind is Kind.CUT_ANSWERS:
            await asyncio.sleep(_ANSWERS_HELD_SECONDS)
            wire.cut()
            return
        wire.requests.clear()
        await asyncio.sleep(fault.hold_seconds)
        wire.requests.set()
        wire.answers.set()

    async def _compact(self, keep: int) -> bool:
        """Forget all but the last few revisions that the reference has seen."""
        revision = self._reference.seen - keep * keep
        if revision <= 1:
            return False
        # Noted before it is asked for: it may be done although the answer is lost.
        self._history.compactions.append(Compaction(revision, time.monotonic()))
        return await until_answered(lambda: self._peer.compact(revision))


class Foreign:
    """A client that writes into etcd past the API."""

    def __init__(self, peer: EtcdPeer, history: History, tags: Tags) -> None:
        self._peer = peer
        self._history = history
        self._tags = tags

    async def lease(self, random: Random, count: int, *, revoke: bool) -> bool:
        """Hang objects on a lease and let it end: those that nobody has written since are deleted at one revision."""
        lease = 0

        async def grant() -> None:
            nonlocal lease
            lease = await self._peer.grant(_LEASE_SECONDS)

        if not await until_answered(grant):
            return False
        for name in random.sample(LEASED_NAMES, min(count + 1, len(LEASED_NAMES))):
            await self._put(random, name, lease)
        if not revoke:
            await asyncio.sleep(_LEASE_SECONDS)
            return True
        return await until_answered(lambda: self._peer.revoke(lease))

    async def write_outside(self, count: int) -> bool:
        """Move etcd's revision on without anything to see."""
        return all([await until_answered(lambda: self._peer.put(b"/elsewhere/x", b"y")) for _ in range(count * 4)])

    async def write_inside(self, random: Random, count: int) -> bool:
        """Write and delete objects."""
        for _ in range(count):
            if random.random() < 0.25:
                await self._delete(random)
            else:
                await self._put(random, random.choice(NAMES))
        return True

    async def _put(self, random: Random, name: str, lease: int = 0) -> None:
        content = Content(self._tags.next("foreign"), random.choice(LABELS), random.randrange(500))
        operation = self._operation(random, Verb.PUT, name)
        operation.tag, operation.label = content.tag, content.label
        if lease:
            self._history.leased.add(content.tag)
        value = stored_value(operation.key, content)
        await self._note(operation, lambda: self._peer.put(stored_key(operation.key), value, lease))

    async def _delete(self, random: Random) -> None:
        operation = self._operation(random, Verb.DELETE, random.choice(NAMES))
        await self._note(operation, lambda: self._peer.delete(stored_key(operation.key)))
        if operation.outcome is Outcome.DONE and not operation.revision:
            operation.outcome = Outcome.UNKNOWN  # there was nothing to delete

    def _operation(self, random: Random, verb: Verb, name: str) -> Operation:
        key = f"{random.choice(NAMESPACES)}/{name}"
        operation = Operation("foreign", verb, key, time.monotonic())
        self._history.operations.append(operation)
        return operation

    async def _note(self, operation: Operation, request: Callable[[], Awaitable[int]]) -> None:
        try:
            operation.revision = await request()
            operation.outcome = Outcome.DONE
        except Lost as lost:
            operation.detail = str(lost)
        finally:
            operation.returned = time.monotonic()


async def until_answered(request: Callable[[], Awaitable[object]]) -> bool:
    """Ask until there is an answer. What is asked so may be done more than once."""
    for _ in range(_ATTEMPTS):
        try:
            await request()
        except Lost:
            await asyncio.sleep(_ATTEMPT_PAUSE_SECONDS)
        else:
            return True
    return False
