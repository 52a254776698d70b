"""Rows measured over REST: creating, reading and listing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

from tests.benchmarks.cluster import Cluster
from tests.benchmarks.download import seconds_to_fetch
from tests.benchmarks.http_load import Load, drive
from tests.benchmarks.objects import config_map_json, pod_json
from tests.benchmarks.report import Row

PODS = "/api/v1/namespaces/default/pods"
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_LISTED = 10_000


def _is_created(status: int) -> bool:
    return status == 201


def _is_ok(status: int) -> bool:
    return status == 200


async def creating(cluster: Cluster) -> AsyncIterator[Row]:
    """Pods and ConfigMaps one by one, 16 in flight. Warm: the first few hundred do not count."""
    target = cluster.target

    def pods(prefix: str, count: int) -> Iterator[bytes]:
        return (target.request("POST", PODS, pod_json(f"{prefix}-{number}")) for number in range(count))

    def maps(count: int) -> Iterator[bytes]:
        path = "/api/v1/namespaces/default/configmaps"
        return (target.request("POST", path, config_map_json(f"map-{number}")) for number in range(count))

    await drive(target, pods("warm", 500), in_flight=16, expect=_is_created)
    load = await drive(target, pods("pod", 4000), in_flight=16, expect=_is_created)
    yield _rate("create pods, REST JSON, 16 in flight", load, 817, 1.5)
    load = await drive(target, maps(4000), in_flight=16, expect=_is_created)
    yield _rate("create ConfigMaps, REST JSON, 16 in flight", load, 1870, 1.0)


async def reading(cluster: Cluster) -> AsyncIterator[Row]:
    """One pod again and again, linearizable and from the cache."""
    target = cluster.target
    for name, query, goal in (("linearizable", "", 1.5), ("resourceVersion=0", "?resourceVersion=0", 2.5)):
        request = target.request("GET", f"{PODS}/pod-7{query}")
        await drive(target, itertools.repeat(request, 500), in_flight=16, expect=_is_ok)
        load = await drive(target, itertools.repeat(request, 10_000), in_flight=16, expect=_is_ok)
        yield _rate(f"get a pod, REST, {name}, 16 in flight", load, 3010, goal)


async def listing(cluster: Cluster) -> AsyncIterator[Row]:
    """All of 10,000 pods in each form, cold first, and a page of 500. Milliseconds until the last byte is here."""
    await _fill(cluster)
    rows = (
        ("list 10,000 pods, protobuf, linearizable", "", _PROTOBUF, 401.0, 0.1),
        ("list 10,000 pods, protobuf, cache", "?resourceVersion=0", _PROTOBUF, 228.0, 0.1),
    )
    for name, query, accept, reference, goal in rows:
        yield Row(name, await _best_milliseconds(cluster, query, accept), "ms", reference=reference, target=goal)
    first, warm = await _cold_and_warm(cluster, "?resourceVersion=0", "application/json")
    yield Row("list 10,000 pods, JSON, cold", first, "ms", reference=392, target=1.0)
    yield Row("list 10,000 pods, JSON, warm", warm, "ms", reference=392, target=0.2)
    first, warm = await _cold_and_warm(cluster, "?resourceVersion=0", _TABLE)
    yield Row("list 10,000 pods, Table, cold", first, "ms", reference=374)
    yield Row("list 10,000 pods, Table, warm", warm, "ms", reference=374, target=1 / 3)
    page = await _best_milliseconds(cluster, "?limit=500", _TABLE)
    yield Row("list a page of 500 pods, Table", page, "ms", reference=21, target=0.5)


async def _fill(cluster: Cluster) -> None:
    """Bring the number of pods to exactly what is listed, and touch all so that no derived form is cached."""
    target = cluster.target
    names = (f"listed-{number}" for number in range(_LISTED))
    wipe = target.request("DELETE", f"{PODS}?gracePeriodSeconds=0")
    await drive(target, iter([wipe]), in_flight=1, expect=_is_ok)
    requests = (target.request("POST", PODS, pod_json(name), accept=_PROTOBUF) for name in names)
    await drive(target, requests, in_flight=16, expect=_is_created)


async def _timed(cluster: Cluster, query: str, accept: str) -> float:
    request = cluster.target.request("GET", PODS + query, accept=accept)
    return await asyncio.to_thread(seconds_to_fetch, cluster.target, request) * 1000


async def _best_milliseconds(cluster: Cluster, query: str, accept: str) -> float:
    return min([await _timed(cluster, query, accept) for _ in range(5)])


async def _cold_and_warm(cluster: Cluster, query: str, accept: str) -> tuple[float, float]:
    return await _timed(cluster, query, accept), await _best_milliseconds(cluster, query, accept)


def _rate(name: str, load: Load, reference: float, goal: float) -> Row:
    note = f"p50 {load.percentile(0.5) * 1000:.1f} ms, p99 {load.percentile(0.99) * 1000:.1f} ms"
    return Row(name, load.per_second, "/s", reference=reference, target=goal, note=note)
