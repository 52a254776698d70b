"""A watch cache over a store in memory, running while a test does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kubewire.apiserver.cache.kind import Kind
from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import KindReader
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.contracts import Watch
from kubewire.apiserver.item import Event
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Store
from kubewire.component.metrics.registry import Registry
from tests.unit.apiserver.cache.objects import NODES, PODS, store_key, stored_pod

KINDS = (Kind.as_stored(PODS), Kind.as_stored(NODES))


def make_cache(store: Store, options: CacheOptions | None = None) -> WatchCache:
    """A cache of pods and nodes that does not run yet."""
    return WatchCache(store, KINDS, ApiServerMetrics(Registry()), options or CacheOptions())


@asynccontextmanager
async def running(store: Store, options: CacheOptions | None = None) -> AsyncIterator[WatchCache]:
    """A synced cache of pods and nodes."""
    cache = make_cache(store, options)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(cache.run())
        await cache.wait_synced()
        try:
            yield cache
        finally:
            task.cancel()


class Pods:
    """Pods in a store, written as the registry would, by key."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._revisions: dict[str, int] = {}

    async def put(self, key: str, node: str = "", **labels: str) -> int:
        """Create or replace a pod; returns the revision."""
        value = stored_pod(key, node, **labels)
        revision = await self._store.replace(store_key(key), value, self._revisions.get(key, 0))
        self._revisions[key] = revision
        return revision

    async def fill(self, *keys: str) -> int:
        """Put several; returns the last revision."""
        return [await self.put(key) for key in keys][-1]

    async def delete(self, key: str) -> int:
        """Delete a pod; returns the deletion's revision."""
        return await self._store.delete(store_key(key), self._revisions.pop(key))


def pods_of(cache: WatchCache) -> KindReader:
    """The reads of pods."""
    return cache.of(PODS)


async def take(watch: Watch, count: int, seconds: float = 600) -> list[Event]:
    """The next `count` events, or more if the last batch has more."""
    events: list[Event] = []
    async with asyncio.timeout(seconds):
        iterator = aiter(watch)
        while len(events) < count:
            events += (await anext(iterator)).events
    return events


def shown(events: Sequence[Event]) -> list[tuple[str, str, int]]:
    """Events as type, key and revision."""
    return [(event.type, event.item.key if event.item else "", event.revision) for event in events]
