"""Watching from versions older than the history in memory."""

import asyncio

import pytest

from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import WatchPlan
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors import labels
from tests.unit.apiserver.cache.running import Pods, pods_of, running, shown, take

NO_BACKLOG = CacheOptions(backlog_revisions=0)


async def lived(pods: Pods) -> list[int]:
    """A pod's life, and another pod that stays."""
    return [
        await pods.put("a/x"),
        await pods.put("a/x", app="web"),
        await pods.put("b/y", app="web"),
        await pods.put("a/x", app="db"),
        await pods.delete("a/x"),
    ]


async def test_from_the_store_into_memory() -> None:
    """Old events come from the store and later ones from memory, each once and in order."""
    store = MemoryStore()
    pods = Pods(store)
    first, second, third, fourth, fifth = await lived(pods)
    async with running(store, NO_BACKLOG) as cache:
        watch = await pods_of(cache).watch(WatchPlan(after=first))
        old = [
            ("MODIFIED", "a/x", second),
            ("ADDED", "b/y", third),
            ("MODIFIED", "a/x", fourth),
            ("DELETED", "a/x", fifth),
        ]
        events = await take(watch, 4)
        assert shown(events) == old
        assert events[-1].item is not None
        assert dict(events[-1].item.labels) == {"app": "db"}
        assert events[-1].item.metadata.resourceVersion == str(fifth)
        later = [await pods.put("a/z"), await pods.put("a/z", app="web"), await pods.put("c/1")]
        assert shown(await take(watch, 3)) == [
            ("ADDED", "a/z", later[0]),
            ("MODIFIED", "a/z", later[1]),
            ("ADDED", "c/1", later[2]),
        ]
        await watch.aclose()


async def test_selected() -> None:
    """What comes from the store is seen through the selection."""
    store = MemoryStore()
    pods = Pods(store)
    first, second, third, fourth, _ = await lived(pods)
    async with running(store, NO_BACKLOG) as cache:
        web = labels.parse("app=web")
        everywhere = await pods_of(cache).watch(WatchPlan(Selection("", web), after=first))
        expected = [("ADDED", "a/x", second), ("ADDED", "b/y", third), ("DELETED", "a/x", fourth)]
        assert shown(await take(everywhere, 3)) == expected
        in_b = await pods_of(cache).watch(WatchPlan(Selection("b", web), after=first))
        assert shown(await take(in_b, 1)) == [("ADDED", "b/y", third)]


async def test_backlog_makes_it_needless() -> None:
    """A cache that starts a little behind the store has what happened since in its own history."""
    store = MemoryStore()
    revisions = await lived(Pods(store))
    async with running(store) as cache:
        assert pods_of(cache)._cache.history.floor == 1
        watch = await pods_of(cache).watch(WatchPlan(after=revisions[0]))
        assert len(await take(watch, 4)) == 4


async def test_expired() -> None:
    """What the store has forgotten as well cannot be watched from."""
    store = MemoryStore()
    revisions = await lived(Pods(store))
    await store.compact(revisions[-1])
    async with running(store) as cache:
        watch = await pods_of(cache).watch(WatchPlan(after=revisions[0]))
        with pytest.raises(StatusError) as failure:
            await take(watch, 1)
        assert (failure.value.code, failure.value.reason) == (410, "Expired")
        assert failure.value.message == f"too old resource version: {revisions[0]} ({revisions[-1]})"


async def test_store_away() -> None:
    """When the store goes away meanwhile, the client is told to come again."""
    store = MemoryStore()
    revisions = await lived(Pods(store))
    store.put_foreign(b"/registry/configmaps/a/x", b"")
    async with running(store, NO_BACKLOG) as cache:
        watch = await pods_of(cache).watch(WatchPlan(after=revisions[0]))
        await take(watch, 4)
        store.break_watches()
        with pytest.raises(StatusError) as failure:
            await take(watch, 1)
        assert failure.value.code == 503


async def test_timeout() -> None:
    """A watch that still waits for its kind's next change ends at its timeout like any other."""
    store = MemoryStore()
    revisions = await lived(Pods(store))
    store.put_foreign(b"/registry/configmaps/a/x", b"")
    async with running(store, NO_BACKLOG) as cache:
        watch = await pods_of(cache).watch(WatchPlan(after=revisions[0], timeout_seconds=5))
        async with asyncio.timeout(6):
            batches = [batch async for batch in watch]
        assert sum(len(batch.events) for batch in batches) == 4
