"""Watch fan-out: 200 watchers of one kind, events per second summed over all, and how late they arrive.

Each pod carries the time at which it was sent; one watcher reads it and tells the latency, all others only count, so
that the load generator does not become what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from kubewire.rpc.core.v1 import pod_service_pb2 as pods
from tests.benchmarks.cluster import Cluster
from tests.benchmarks.http_load import Target, connect, drive
from tests.benchmarks.objects import SENT, pod_json
from tests.benchmarks.report import Row
from tests.benchmarks.rest import PODS
from tests.benchmarks.rpc import Caller, create_batches

_WATCHERS = 200
_EVENTS = 2000
_PACE = 97
_SENT_TEXT = re.compile(rf'"{SENT}":"(\d+)"')


async def over_grpc(cluster: Cluster) -> AsyncIterator[Row]:
    """WatchPods with the default batch window; writes come as batches over gRPC."""
    callers = [Caller(cluster) for _ in range(4)]
    request = pods.WatchPodsRequest(namespace="default").SerializeToString()

    async def watch(watcher: Watcher) -> None:
        async for answer in callers[watcher.number % len(callers)].stream("WatchPods", request):
            watcher.received += _count_events(answer)
            if watcher.number == 0:
                events = pods.WatchPodsResponse.FromString(answer).events
                watcher.latencies.extend(_age(event.object.metadata.annotations[SENT]) for event in events)
            if watcher.received >= _EVENTS:
                return

    async def write() -> None:
        await create_batches(callers[0], "fan-grpc", _EVENTS, in_flight=2)

    try:
        async for row in _rows("gRPC", 3.0, watch, write, cluster.target):
            yield row
    finally:
        for caller in callers:
            await caller.close()


async def over_rest(cluster: Cluster) -> AsyncIterator[Row]:
    """`?watch=true` as JSON lines from now on; writes come over REST, 16 in flight."""
    target = cluster.target

    async def watch(watcher: Watcher) -> None:
        version = await _current_version(target)
        async for data in _lines(target, f"{PODS}?watch=true&resourceVersion={version}"):
            watcher.received += data.count(b'{"type":"ADDED"')
            if watcher.number == 0:
                watcher.latencies.extend(_age(sent) for sent in _SENT_TEXT.findall(data.decode()))
            if watcher.received >= _EVENTS:
                return

    async def write() -> None:
        requests = (target.request("POST", PODS, pod_json(f"fan-rest-{number}")) for number in range(_EVENTS))
        await drive(target, requests, in_flight=16, expect=lambda status: status == 201)

    async for row in _rows("REST", 1.0, watch, write, target):
        yield row


@dataclass(slots=True)
class Watcher:
    """One watcher; only the first one looks into what it gets."""

    number: int
    received: int = 0
    latencies: list[float] = field(default_factory=list)


Watch = Callable[[Watcher], Awaitable[None]]


async def _rows(
    face: str, goal: float, watch: Watch, write: Callable[[], Awaitable[None]], target: Target
) -> AsyncIterator[Row]:
    """As many events as go through, and then how late they are at the pace that Kubernetes was measured at."""
    rate, _ = await _measure(watch, write)
    yield Row(f"watch fan-out, 200 watchers, {face}", rate, "/s", reference=19_300, target=goal)
    _, latencies = await _measure(watch, lambda: _paced(target, f"paced-{face.lower()}"))
    note = f"at {_PACE} writes/s"
    for name, share, reference in (("p50", 0.5, 14.0), ("p99", 0.99, 28.0)):
        late = latencies[int(share * (len(latencies) - 1))] * 1000
        yield Row(f"written until seen, 200 watchers, {face}, {name}", late, "ms", reference=reference, note=note)


async def _paced(target: Target, prefix: str) -> None:
    """Pods one after the other at a fixed pace, as many as the watchers wait for."""
    connection = await connect(target)
    begun = time.perf_counter()
    for number in range(_EVENTS):
        await asyncio.sleep(begun + number / _PACE - time.perf_counter())
        answer = await connection.ask(target.request("POST", PODS, pod_json(f"{prefix}-{number}")))
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    connection.close()


async def _current_version(target: Target) -> str:
    """Of the list of pods."""
    connection = await connect(target)
    answer = await connection.ask(target.request("GET", f"{PODS}?limit=1"))
    connection.close()
    return str(json.loads(answer.body)["metadata"]["resourceVersion"])


async def _measure(watch: Watch, write: Callable[[], Awaitable[None]]) -> tuple[float, list[float]]:
    """Events per second, from the first write until the last watcher has all; and how late they were, in order."""
    watchers = [Watcher(number) for number in range(_WATCHERS)]
    async with asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(_run(watch, watcher))
        await asyncio.sleep(2)  # every watch is open
        begun = time.perf_counter()
        await write()
    return _WATCHERS * _EVENTS / (time.perf_counter() - begun), sorted(watchers[0].latencies)


def _age(sent: str) -> float:
    """Seconds since a pod was sent."""
    return time.time() - int(sent) / 1e9


async def _run(watch: Watch, watcher: Watcher) -> None:
    await watch(watcher)


def _count_events(answer: bytes) -> int:
    """How many `events` (field 1) a WatchPodsResponse has, without decoding them."""
    count = at = 0
    while at < len(answer):
        at += 1
        length = shift = 0
        while True:
            byte = answer[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += length
        count += 1
    return count


async def _lines(target: Target, path: str) -> AsyncIterator[bytes]:
    """What a watch sends, in the pieces in which it arrives; a piece may cut an event, but seldom its first word."""
    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=target.trust, limit=1 << 20)
    writer.write(target.request("GET", path))
    kept = b""
    try:
        while data := await reader.read(1 << 18):
            whole, newline, rest = (kept + data).rpartition(b"\n")
            kept = rest
            if newline:
                yield whole
    finally:
        writer.close()
