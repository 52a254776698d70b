"""Following the store: loading, resuming, reloading."""

import asyncio

import pytest

from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import WatchPlan
from kubewire.apiserver.cache.versions import ANY
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.cache.running import Pods, make_cache, pods_of, running, shown, take


async def test_load() -> None:
    """What was stored before the cache started is there once it is synced, read page by page."""
    store = MemoryStore()
    keys = [f"a/{index:02}" for index in range(25)]
    await Pods(store).fill(*keys)
    await store.create(b"/registry/ranges/serviceips", b"no object")
    async with running(store, CacheOptions(page_size=10, backlog_revisions=0)) as cache:
        assert [item.key for item in (await pods_of(cache).list(at=ANY)).items] == keys
        assert cache.revision == await store.revision()


async def test_load_after_compaction() -> None:
    """If the store has forgotten the backlog, loading starts at what there is."""
    store = MemoryStore()
    await Pods(store).fill("a/1", "a/2")
    await store.compact(await store.revision())
    async with running(store) as cache:
        assert len((await pods_of(cache).list()).items) == 2


async def test_store_away_at_start() -> None:
    """A cache waits for its store to come."""
    store = MemoryStore()
    store.is_reachable = False
    async with asyncio.TaskGroup() as group:
        cache = make_cache(store)
        task = group.create_task(cache.run())
        await asyncio.sleep(60)
        assert not cache.is_synced
        with pytest.raises(StatusError) as failure:
            await pods_of(cache).get("a", "x", ANY)
        assert (failure.value.code, failure.value.retry_after_seconds) == (429, 1)
        store.is_reachable = True
        await cache.wait_synced()
        task.cancel()


async def test_resume() -> None:
    """After a lost connection watchers get every change once, those of the meantime included."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        watch = await pods_of(cache).watch(WatchPlan())
        revisions = []
        for index in range(10):
            revisions.append(await pods.put(f"a/{index}"))
            if index % 3 == 0:
                store.break_watches()
        assert [event.revision for event in await take(watch, 10)] == revisions
        store.break_watches()
        last = await pods.delete("a/0")
        assert shown(await take(watch, 1)) == [("DELETED", "a/0", last)]


async def test_history_lost() -> None:
    """If the store forgets what the cache has not seen, watches end as expired and reads show what is there now."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        await pods.fill("a/kept", "a/changed", "a/deleted")
        watch = await pods_of(cache).watch(WatchPlan())
        kept = pods_of(cache).peek("a", "kept")
        store.is_reachable = False
        store.break_watches()
        await asyncio.sleep(1)
        store.is_reachable = True
        await pods.put("a/changed", app="web")
        await pods.delete("a/deleted")
        last = await pods.put("a/new")
        await store.compact(last)
        with pytest.raises(StatusError) as failure:
            await take(watch, 1)
        assert (failure.value.code, failure.value.reason) == (410, "Expired")
        page = await pods_of(cache).list()
        assert [item.key for item in page.items] == ["a/changed", "a/kept", "a/new"]
        assert page.items[1] is kept
        resumed = await pods_of(cache).watch(WatchPlan(after=page.revision))
        after = await pods.put("a/later")
        assert shown(await take(resumed, 1)) == [("ADDED", "a/later", after)]


class RestoredStore(MemoryStore):
    """A store that can be set back to an earlier backup of itself."""

    def restore(self, backup: MemoryStore) -> None:
        """Become the backup."""
        self._revision, self._entries, self._history = backup._revision, backup._entries, backup._history
        self.break_watches()


async def test_store_restored_from_a_backup() -> None:
    """A store that goes back in time is loaded anew, and nothing that was held before survives."""
    backup, store = MemoryStore(), RestoredStore()
    await Pods(backup).put("a/x", app="backup")
    async with running(store) as cache:
        pods = Pods(store)
        await pods.put("a/x", app="lost")
        await pods.fill("a/1", "a/2", "a/3")
        await cache.barrier()
        watch = await pods_of(cache).watch(WatchPlan())
        store.restore(backup)
        with pytest.raises(StatusError):
            await take(watch, 1)
        item = await pods_of(cache).get("a", "x")
        assert item is not None
        assert dict(item.labels) == {"app": "backup"}
        assert len((await pods_of(cache).list()).items) == 1


async def test_histories_forget() -> None:
    """Events leave the history once they are as old as what the store forgets."""
    store = MemoryStore()
    async with running(store) as cache:
        first = await Pods(store).fill("a/1", "a/2")
        await asyncio.sleep(200)
        assert pods_of(cache)._cache.history.floor < first
        await asyncio.sleep(400)
        assert pods_of(cache)._cache.history.floor == first


async def test_many_changes_at_once() -> None:
    """A large batch is taken over in parts, and others run in between."""
    store = MemoryStore()
    async with running(store) as cache:
        watch = await pods_of(cache).watch(WatchPlan())
        store.is_reachable = False
        store.break_watches()
        await asyncio.sleep(1)
        store.is_reachable = True
        await Pods(store).fill(*(f"a/{index:04}" for index in range(1000)))
        revisions = [event.revision for event in await take(watch, 1000)]
        assert revisions == sorted(set(revisions))
        assert len(revisions) == 1000
