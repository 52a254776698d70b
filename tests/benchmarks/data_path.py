"""The API server's data path without its faces: what the cache costs per event, get and list, and the store per write.

Nothing but this process and, for the store, one etcd: a change here shows before it can be seen through a face.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf import json_format

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.cache.kind import Kind
from kubewire.apiserver.cache.reader import KindReader, WatchPlan
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.cache.versions import ANY
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.contracts import Watch
from kubewire.apiserver.encoding.envelope import wrap
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Change, Store
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.resources import builtin
from kubewire.machinery.selectors import fields
from tests.benchmarks.report import Row
from tests.etcd_process import running_etcd

_OBJECTS = 10_000
_WATCHERS = 200
_KUBELETS = 1000
_PODS = builtin().by_plural("", "v1", "pods")
assert _PODS is not None


def _pod(number: int) -> bytes:
    """A small scheduled pod as it is stored."""
    pod = Pod()
    json_format.ParseDict(
        {
            "metadata": {
                "name": f"web-{number:05}",
                "namespace": f"ns{number % 10}",
                "uid": f"0b9a3f1e-0000-4000-8000-{number:012}",
                "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "x" * 36}],
                "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1"}],
            },
            "spec": {
                "nodeName": f"node-{number % _KUBELETS}",
                "containers": [{"name": "web", "image": "registry.example/web:1", "imagePullPolicy": "IfNotPresent"}],
                "restartPolicy": "Always",
                "serviceAccountName": "default",
            },
            "status": {"phase": "Pending"},
        },
        pod,
    )
    pod.metadata.managedFields[0].fieldsV1.Raw = b'{"f:spec":{"f:containers":{"k:{\\"name\\":\\"web\\"}":{}}}}' * 4
    return wrap("v1", "Pod", pod.SerializeToString())


class _Feed:
    """Changes of all pods, at ever higher revisions."""

    def __init__(self) -> None:
        self._stored = [
            (f"/registry/pods/ns{number % 10}/web-{number:05}".encode(), _pod(number)) for number in range(_OBJECTS)
        ]
        self._revision = 1

    def changes(self) -> list[Change]:
        """One change of every pod."""
        first = self._revision + 1
        self._revision += _OBJECTS
        return [Change(key, value, first + number, None, 2) for number, (key, value) in enumerate(self._stored)]


@asynccontextmanager
async def _running_cache(store: Store) -> AsyncIterator[tuple[WatchCache, KindReader]]:
    kinds = [
        Kind.as_stored(resource)
        for resource in builtin().served()
        if resource.storage and resource.storage.version == resource.group_version
    ]
    cache = WatchCache(store, kinds, ApiServerMetrics(Registry()))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(cache.run())
        await cache.wait_synced()
        assert _PODS is not None
        yield cache, cache.of(_PODS)
        task.cancel()


async def cache() -> AsyncIterator[Row]:
    """Taking over events, handing them out, and lists."""
    feed = _Feed()
    async with _running_cache(MemoryStore()) as (kept, reader):
        yield await _ingest("cache: take over an event", kept, feed)
        watches = [await reader.watch(WatchPlan()) for _ in range(_WATCHERS)]
        yield await _fan_out(kept, feed, watches)
        await _close(watches)
        watches = [await reader.watch(WatchPlan(_of_node(number), at=ANY)) for number in range(_KUBELETS)]
        yield await _ingest("cache: the same, a watch for each of 1,000 nodes", kept, feed)
        await _close(watches)
        async for row in _lists(reader):
            yield row


def _of_node(number: int) -> Selection:
    return Selection("", None, fields.equals("spec.nodeName", f"node-{number}"))


async def _close(watches: Sequence[Watch]) -> None:
    for watch in watches:
        await watch.aclose()


async def _ingest(name: str, kept: WatchCache, feed: _Feed) -> Row:
    await kept.take(feed.changes())
    changes = feed.changes()
    begun = time.perf_counter()
    await kept.take(changes)
    return Row(name, (time.perf_counter() - begun) / _OBJECTS * 1e6, "us")


async def _fan_out(kept: WatchCache, feed: _Feed, watches: Sequence[Watch]) -> Row:
    changes = feed.changes()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for watch in watches:
            group.create_task(_read(watch, _OBJECTS))
        for start in range(0, _OBJECTS, 10):
            await kept.take(changes[start : start + 10])
    rate = _OBJECTS * len(watches) / (time.perf_counter() - begun)
    return Row(f"cache: hand events to {_WATCHERS} watchers, 10 at a time", rate, "/s")


async def _read(watch: Watch, count: int) -> None:
    async for batch in watch:
        count -= len(batch.events)
        if count <= 0:
            return


async def _lists(reader: KindReader) -> AsyncIterator[Row]:
    for name, selection, limit in (
        (f"cache: list {_OBJECTS:,} pods", EVERYTHING, 0),
        (f"cache: list {_OBJECTS:,} pods, unchanged", EVERYTHING, 0),
        ("cache: list one namespace of 1,000", Selection("ns3"), 0),
        ("cache: one page of 500", EVERYTHING, 500),
    ):
        begun = time.perf_counter()
        page = await reader.list(selection, at=ANY, limit=limit)
        yield Row(name, (time.perf_counter() - begun) * 1e3, "ms")
        assert page.items
    items = (await reader.list(at=ANY)).items
    for name in ("cache: join the bytes of all pods", "cache: join them again"):
        begun = time.perf_counter()
        b"".join([item.framed for item in items])
        yield Row(name, (time.perf_counter() - begun) * 1e3, "ms")


async def store() -> AsyncIterator[Row]:
    """Guarded writes through the store, and linearizable gets through the barrier, against an etcd of its own."""
    with tempfile.TemporaryDirectory() as folder, running_etcd(Path(folder) / "etcd") as etcd:
        client = EtcdClient(EtcdOptions(endpoints=(etcd.endpoint,)))
        etcd_store = EtcdStore(client)
        for in_flight in (16, 256):

            async def create(number: int, in_flight: int = in_flight) -> None:
                await etcd_store.create(b"/bench/%d/%d" % (in_flight, number), b"v" * 1000)

            rate = await _rate(create, 4000, in_flight)
            yield Row(f"store: guarded creates, {in_flight} in flight", rate, "/s")
        async with _running_cache(etcd_store) as (_, reader):
            for in_flight in (16, 256):
                rate = await _rate(lambda _: reader.get("a", "x"), 20_000, in_flight)
                yield Row(f"cache: linearizable gets, {in_flight} in flight", rate, "/s")
        await client.close()


async def _rate(call: Callable[[int], Awaitable[object]], count: int, in_flight: int) -> float:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await call(number)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return count / (time.perf_counter() - begun)
