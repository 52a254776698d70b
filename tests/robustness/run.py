"""One seeded run: a cluster, clients and watchers on it, faults, and what the checker says of the history.

All choices come from the seed; how they meet in time is the machine's.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

from tests.robustness.api import Access, Api, ListQuery, Unexpected
from tests.robustness.checks import violations
from tests.robustness.clients import LABELS, NAMESPACES, Client
from tests.robustness.etcd_peer import REGISTRY, EtcdPeer
from tests.robustness.faults import Fault, Faults, plan
from tests.robustness.grpc_api import GenericDialect, GrpcApi, TypedDialect
from tests.robustness.history import Freshness, History, Operation, Outcome, Verb
from tests.robustness.recorder import Recorder, Tags, read_pages
from tests.robustness.reference import Reference
from tests.robustness.rest_api import JsonEncoding, ProtobufEncoding, RestApi
from tests.robustness.servers import Cluster
from tests.robustness.watchers import Beginning, Habit, Pace, Watcher, WatcherCounts

SERVERS: Final = 2
FACES: Final = ("grpc", "grpc-generic", "rest-json", "rest-protobuf")
_CLIENTS_OF_EACH_FACE: Final = 2
_CALL_SECONDS: Final = 1.0
_PATIENT_SECONDS: Final = 40.0
"""More than any timeout on the way."""

_LOOK_SECONDS: Final = 0.02
_LONGEST: Final = 8
"""A run goes on past its time until it has seen enough, so many times its length at most: machines differ in speed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to run."""

    seed: int
    seconds: float = 4.0
    defect: str = ""
    has_faults: bool = True
    quiet_seconds: float = _PATIENT_SECONDS
    """How long everybody may take in the end to hear of the last write."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Of the servers: every third seed lets them compact etcd themselves, as often as they can."""
        return ("--compaction-interval-seconds=1",) if self.seed % 3 == 0 else ()


@dataclass
class Counts:
    """What happened in a run; a run in which nothing happens proves nothing."""

    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    reads: int = 0
    shared: int = 0
    """Revisions at which several objects were deleted."""
    watchers: WatcherCounts = field(default_factory=WatcherCounts)
    faults: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        watched = self.watchers
        return (
            f"writes: {self.acknowledged} acknowledged, {self.refused} refused, {self.unknown} unknown; "
            f"reads: {self.reads}; shared revisions: {self.shared}; watchers: {watched.events} events, "
            f"{watched.bookmarks} bookmarks, {watched.resumptions} resumptions, {watched.relists} relists, "
            f"{watched.dropped} dropped; faults: {dict(sorted(self.faults.items()))}"
        )

    @property
    def is_enough(self) -> bool:
        """Whether it proves something."""
        return min(self.acknowledged / 60, self.reads / 40, self.watchers.events / 200) >= 1


@dataclass
class Result:
    """What came of a run."""

    options: Options
    schedule: list[Fault]
    history: History
    counts: Counts
    violations: list[str]


async def run(options: Options, folder: Path) -> Result:
    """Run once; whatever it starts has ended when this returns.

    Raises:
        Unexpected: the truth could not be learned, so nothing can be said.
    """
    cluster = Cluster.prepare(folder, SERVERS, flags=options.flags, defect=options.defect)
    try:
        async with cluster.wire.opened():
            await cluster.start()
            return await _Run(options, cluster).run()
    finally:
        cluster.end()


class _Run:
    """The parts of one run."""

    def __init__(self, options: Options, cluster: Cluster) -> None:
        self._options = options
        self._cluster = cluster
        self._random = Random(options.seed)
        self._history = History()
        self._tags = Tags()
        self._counts = Counts()
        self._access = [cluster.access(name) for name in cluster.servers]
        self._apis: list[Api] = []
        self._peer = EtcdPeer(cluster.etcd.endpoint)
        self._reference = Reference(self._peer, self._history)
        self._schedule = (
            plan(self._branch(), options.seconds, list(cluster.servers)) if options.has_faults else list[Fault]()
        )

    async def run(self) -> Result:
        """All of it."""
        try:
            await self._create_namespaces()
            await self._reference.begin()
            clients, watchers = self._make_clients(), self._make_watchers()
            async with asyncio.TaskGroup() as group:
                following = group.create_task(self._reference.run())
                watching = [group.create_task(watcher.run()) for watcher in watchers]
                await self._load(clients)
                await self._settle(watchers, watching)
                following.cancel()
        finally:
            for api in self._apis:
                await api.close()
            await self._peer.close()
        self._history.anomalies += self._cluster.ended_by_themselves() + self._cluster.complaints()
        self._count()
        return Result(self._options, self._schedule, self._history, self._counts, violations(self._history))

    async def _create_namespaces(self) -> None:
        """Before the faults begin, so a failure is a fault of the server."""
        api = RestApi(self._access[0], JsonEncoding(), _PATIENT_SECONDS)
        try:
            for namespace in NAMESPACES:
                await api.create_namespace(namespace)
        finally:
            await api.close()

    async def _load(self, clients: Sequence[Client]) -> None:
        """Clients and faults, for the time that was asked for and until enough was seen."""
        begun = time.monotonic()
        stop = asyncio.Event()
        faults = Faults(self._cluster, self._peer, self._reference, self._history, self._tags)
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run(stop))
            await faults.run(self._schedule, self._branch())
            while self._must_go_on(time.monotonic() - begun):  # noqa: ASYNC110 - many things make enough
                await asyncio.sleep(_LOOK_SECONDS)
            stop.set()
        self._counts.faults.update({kind.value: count for kind, count in faults.counts.items()})

    def _must_go_on(self, seconds: float) -> bool:
        self._count()
        wanted = self._options.seconds
        return seconds < wanted or (seconds < wanted * _LONGEST and not self._counts.is_enough)

    async def _settle(self, watchers: Sequence[Watcher], watching: Sequence[asyncio.Task[None]]) -> None:
        """Let everybody come to the end: the last objects are seen by all who should see them."""
        last = [
            await self._write_last(f"{namespace}/last-{label}", label) for namespace in NAMESPACES for label in LABELS
        ]
        for watcher in watchers:
            habit = watcher.habit
            chosen = [each for each in last if each.key.startswith(habit.prefix) and habit.label in (None, each.label)]
            watcher.finish(max(each.revision for each in chosen), min(each.invoked for each in last))
        deadline = time.monotonic() + self._options.quiet_seconds
        while not all(watcher.is_through for watcher in watchers) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        await self._read_all()
        for task in watching:
            task.cancel()  # what it has not seen by now is missed in its session
        async with asyncio.timeout(_PATIENT_SECONDS):
            await self._reference.wait_for(await self._peer.put(REGISTRY + b"robustness", b"the end"))
            await self._reference.verify()
            self._history.last_revision = await self._peer.revision()

    async def _read_all(self) -> None:
        """Every server shows everything as it is, over every face."""
        for face, freshness in product(FACES, (Freshness.LATEST, Freshness.ANY)):
            for api in self._open(face):
                await self._read_from(api, freshness)

    async def _read_from(self, api: Api, freshness: Freshness) -> None:
        operation = Operation(f"last {api.name}", Verb.LIST, "", 0.0, freshness=freshness)
        query = ListQuery("0" if freshness is Freshness.ANY else "")
        await Recorder(self._history).note(operation, read_pages(lambda: api, operation, query))

    async def _write_last(self, key: str, label: str) -> Operation:
        client = Client("last", self._open("rest-json"), Recorder(self._history), self._tags, self._branch())
        for attempt in range(100):
            operation = await client.create(f"{key}-{attempt}", label)
            if operation.outcome is Outcome.DONE:
                return operation
            await asyncio.sleep(0.1)
        raise Unexpected("nothing can be written although everything runs")

    def _make_clients(self) -> list[Client]:
        return [
            Client(f"c{number}", self._open(face), Recorder(self._history), self._tags, self._branch())
            for number, face in enumerate(FACES * _CLIENTS_OF_EACH_FACE)
        ]

    def _make_watchers(self) -> list[Watcher]:
        """One for every beginning and pace, the faces dealt out by chance."""
        ways = list(product(Beginning, Pace))
        faces = list(FACES) * (len(ways) // len(FACES) + 1)
        random = self._branch()
        random.shuffle(faces)
        watchers = []
        for number, (beginning, pace) in enumerate(ways):
            habit = Habit.choose(random, beginning, pace)
            name = f"w{number} ({faces[number]}, {beginning.value}, {pace.value})"
            apis = self._open(faces[number])
            watchers.append(Watcher(name, apis, habit, self._history, self._branch(), self._counts.watchers))
        return watchers

    def _open(self, face: str) -> list[Api]:
        """A connection to each server."""
        apis = [open_api(face, access) for access in self._access]
        self._apis += apis
        return apis

    def _branch(self) -> Random:
        """Chance of its own for each part, so that what one part draws does not move the others."""
        return Random(self._random.random())

    def _count(self) -> None:
        counts = self._counts
        outcomes = Counter(
            (operation.is_write, operation.outcome)
            for operation in self._history.operations
            if operation.client != "foreign"
        )
        counts.acknowledged = outcomes[True, Outcome.DONE]
        counts.refused = outcomes[True, Outcome.REFUSED]
        counts.unknown = outcomes[True, Outcome.UNKNOWN] + outcomes[False, Outcome.UNKNOWN]
        counts.reads = outcomes[False, Outcome.DONE]
        counts.shared = sum(times > 1 for times in Counter(change.revision for change in self._history.truth).values())


def open_api(face: str, access: Access) -> Api:
    """A connection to a server over one of FACES."""
    match face:
        case "grpc":
            return GrpcApi(access, TypedDialect(), _CALL_SECONDS)
        case "grpc-generic":
            return GrpcApi(access, GenericDialect(), _CALL_SECONDS)
        case "rest-json":
            return RestApi(access, JsonEncoding(), _CALL_SECONDS)
        case _:
            return RestApi(access, ProtobufEncoding(), _CALL_SECONDS)
