"""Watch fan-out: 200 watchers of one kind, events per second summed over all, and how late they arrive.

Each pod carries the time at which it was sent; one watcher reads it and tells the latency, all others only count, so
that the load generator does not become what is measured.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from kubewire.rpc.core.v1 import pod_service_pb2 as pods
from tests.benchmarks.cluster import Cluster
from tests.benchmarks.http_load import Target, drive
from tests.benchmarks.objects import SENT, pod_json
from tests.benchmarks.report import Row
from tests.benchmarks.rest import PODS
from tests.benchmarks.rpc import Caller, create_batches

_WATCHERS = 200
_EVENTS = 3000
_SENT_TEXT = re.compile(rf'"{SENT}":"(\d+)"')


async def over_grpc(cluster: Cluster) -> AsyncIterator[Row]:
    """WatchPods with the default batch window; writes come as batches over gRPC."""
    callers = [Caller(cluster) for _ in range(4)]
    received = [0] * _WATCHERS
    request = pods.WatchPodsRequest(namespace="default").SerializeToString()

    latencies: list[float] = []

    async def watch(number: int) -> None:
        async for answer in callers[number % len(callers)].stream("WatchPods", request):
            received[number] += _count_events(answer)
            if number == 0:
                events = pods.WatchPodsResponse.FromString(answer).events
                latencies.extend(_age(event.object.metadata.annotations[SENT]) for event in events)
            if received[number] >= _EVENTS:
                return

    try:
        rate = await _measure(watch, lambda: create_batches(callers[0], "fan-grpc", _EVENTS, in_flight=2))
    finally:
        for caller in callers:
            await caller.close()
    note = _latency_note(latencies)
    yield Row("watch fan-out, 200 watchers, gRPC", rate, "/s", reference=19_300, target=3.0, note=note)


async def over_rest(cluster: Cluster) -> AsyncIterator[Row]:
    """`?watch=true` as JSON lines; writes come over REST, 16 in flight."""
    target = cluster.target
    received = [0] * _WATCHERS

    latencies: list[float] = []

    async def watch(number: int) -> None:
        async for data in _lines(target, f"{PODS}?watch=true"):
            received[number] += data.count(b'{"type":"ADDED"')
            if number == 0:
                latencies.extend(_age(sent) for sent in _SENT_TEXT.findall(data.decode()))
            if received[number] >= _EVENTS:
                return

    async def write() -> None:
        requests = (target.request("POST", PODS, pod_json(f"fan-rest-{number}")) for number in range(_EVENTS))
        await drive(target, requests, in_flight=16, expect=lambda status: status == 201)

    rate = await _measure(watch, write)
    note = _latency_note(latencies)
    yield Row("watch fan-out, 200 watchers, REST", rate, "/s", reference=19_300, target=1.0, note=note)


async def _measure(watch: Callable[[int], Awaitable[None]], write: Callable[[], Awaitable[object]]) -> float:
    """Events per second, from the first write until the last watcher has all."""
    async with asyncio.TaskGroup() as group:
        for number in range(_WATCHERS):
            group.create_task(_run(watch, number))
        await asyncio.sleep(2)  # every watch is open
        begun = time.perf_counter()
        await write()
    return _WATCHERS * _EVENTS / (time.perf_counter() - begun)


def _age(sent: str) -> float:
    """Seconds since a pod was sent."""
    return time.time() - int(sent) / 1e9


def _latency_note(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    p50, p99 = (ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99))
    return f"written until seen: p50 {p50:.0f} ms, p99 {p99:.0f} ms"


async def _run(watch: Callable[[int], Awaitable[None]], number: int) -> None:
    await watch(number)


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
