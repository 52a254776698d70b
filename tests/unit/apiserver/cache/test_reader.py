"""Get, list and watch of one kind, over a store in memory."""

import asyncio

import pytest

from kubewire.apiserver.cache.items import INITIAL_BATCH
from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import WatchPlan
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.cache.versions import ANY, Freshness, ReadAt
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors import fields, labels
from tests.unit.apiserver.cache.objects import store_key, stored_pod
from tests.unit.apiserver.cache.running import Pods, pods_of, running, shown, take

WEB = Selection("", labels.parse("app=web"))


async def test_get_is_linearizable() -> None:
    """A confirmed write is seen by the next read, its version merged in."""
    store = MemoryStore()
    async with running(store) as cache:
        for _ in range(5):
            revision = await Pods(store).put(f"a/{await store.revision()}")
            item = await pods_of(cache).get("a", str(revision - 1))
            assert item is not None
            assert item.metadata.resourceVersion == str(revision)
        assert await pods_of(cache).get("a", "none") is None


async def test_reads_after_foreign_writes() -> None:
    """Writes outside the cache's prefix hold up a linearizable read only for a moment."""
    store = MemoryStore()
    async with running(store) as cache:
        store.put_foreign(b"/elsewhere", b"x")
        async with asyncio.timeout(1):
            page = await pods_of(cache).list()
        assert page.revision > 2


async def test_get_not_older() -> None:
    """A version not seen yet is waited for; one that does not come is too large."""
    store = MemoryStore()
    async with running(store) as cache, asyncio.TaskGroup() as group:
        reading = group.create_task(pods_of(cache).get("a", "x", ReadAt(Freshness.NOT_OLDER, 2)))
        await asyncio.sleep(1)
        assert not reading.done()
        await Pods(store).put("a/x")
        assert await reading is not None
        with pytest.raises(StatusError) as failure:
            await pods_of(cache).get("a", "x", ReadAt(Freshness.NOT_OLDER, 99))
    assert failure.value.code == 504
    assert failure.value.message == "Timeout: Too large resource version: 99, current: 2"
    assert failure.value.details is not None
    assert failure.value.details.causes[0].type == "ResourceVersionTooLarge"


async def test_reads_from_the_cache_need_no_store() -> None:
    """Whatever the cache has is served while the store is away."""
    store = MemoryStore()
    async with running(store) as cache:
        await Pods(store).put("a/x")
        await asyncio.sleep(0)
        store.is_reachable = False
        assert await pods_of(cache).get("a", "x", ANY) is not None
        assert len((await pods_of(cache).list(at=ANY)).items) == 1
        with pytest.raises(StatusError) as failure:
            await pods_of(cache).get("a", "x")
        assert failure.value.code == 503


async def test_whole_list() -> None:
    """A list without a limit holds everything selected, in key order, at one revision."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        await pods.put("b/x", app="web")
        await pods.put("a/y")
        last = await pods.put("a/x", node="n1", app="web")
        reader = pods_of(cache)
        page = await reader.list()
        assert [item.key for item in page.items] == ["a/x", "a/y", "b/x"]
        assert (page.revision, page.continue_token, page.remaining) == (last, "", None)
        assert [item.key for item in (await reader.list(Selection("a"))).items] == ["a/x", "a/y"]
        assert [item.key for item in (await reader.list(WEB)).items] == ["a/x", "b/x"]
        on_node = Selection("", None, fields.parse("spec.nodeName=n1"))
        assert [item.key for item in (await reader.list(on_node)).items] == ["a/x"]


async def test_list_of_one_name() -> None:
    """Selecting by name finds the object, if it fits the rest of the selection."""
    store = MemoryStore()
    async with running(store) as cache:
        await Pods(store).put("a/x", app="web")
        for app, keys in {"web": ["a/x"], "db": []}.items():
            selection = Selection("a", labels.parse(f"app={app}"), fields.parse("metadata.name=x"))
            assert [item.key for item in (await pods_of(cache).list(selection)).items] == keys
        everywhere = Selection("", None, fields.parse("metadata.name=x"))
        assert len((await pods_of(cache).list(everywhere)).items) == 1


async def test_unchanged_lists_are_shared() -> None:
    """While nothing of the kind changes, a list is the same page, and derived bytes outlive other kinds' changes."""
    store = MemoryStore()
    async with running(store) as cache:
        await Pods(store).put("a/x")
        reader = pods_of(cache)
        page = await reader.list()
        assert await reader.list() is page
        await store.create(b"/registry/configmaps/a/x", b"not kept")
        later = await reader.list()
        assert later.revision > page.revision
        assert later.item_forms is page.item_forms
        await Pods(store).put("a/y")
        assert (await reader.list()).item_forms is not page.item_forms


async def test_pages_are_one_snapshot() -> None:
    """All pages of a list show the first one's revision, whatever is written in between."""
    store = MemoryStore()
    async with running(store) as cache:
        pods, reader = Pods(store), pods_of(cache)
        revision = await pods.fill("a/1", "a/2", "a/3", "a/4", "a/5")
        page = await reader.list(limit=2)
        assert (page.remaining, page.revision) == (3, revision)
        found = [item.key for item in page.items]
        while page.continue_token:
            await pods.delete(f"a/{len(found) + 1}")
            await pods.put("a/new")
            page = await reader.list(limit=2, continue_token=page.continue_token)
            assert page.revision == revision
            found += [item.key for item in page.items]
        assert found == ["a/1", "a/2", "a/3", "a/4", "a/5"]
        assert page.remaining is None


async def test_pages_with_selectors() -> None:
    """Selected objects fill the pages; how many remain is not told."""
    store = MemoryStore()
    async with running(store) as cache:
        pods, reader = Pods(store), pods_of(cache)
        for index in range(6):
            await pods.put(f"a/{index}", app="web" if index % 2 else "db")
        page = await reader.list(WEB, limit=2)
        assert ([item.key for item in page.items], page.remaining) == (["a/1", "a/3"], None)
        page = await reader.list(WEB, limit=2, continue_token=page.continue_token)
        assert ([item.key for item in page.items], page.continue_token) == (["a/5"], "")


async def test_exact_version() -> None:
    """A list at an exact version shows what was then."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        revision = await pods.put("a/x")
        await pods.put("a/y")
        await pods.delete("a/x")
        page = await pods_of(cache).list(at=ReadAt(Freshness.EXACT, revision))
        assert ([item.key for item in page.items], page.revision) == (["a/x"], revision)


async def old_and_new(store: MemoryStore) -> tuple[str, int]:
    """A list's first page from one server, and its revision; more is written since."""
    pods = Pods(store)
    async with running(store) as cache:
        await pods.fill("a/1", "a/2", "a/3", "a/4")
        page = await pods_of(cache).list(limit=1)
    await pods.delete("a/2")
    await pods.put("a/3", app="web")
    await pods.put("a/5")
    return page.continue_token, page.revision


NO_BACKLOG = CacheOptions(backlog_revisions=0)


async def test_pages_older_than_memory() -> None:
    """A list begun at another server goes on from the store, at its revision."""
    store = MemoryStore()
    token, revision = await old_and_new(store)
    async with running(store, NO_BACKLOG) as cache:
        reader = pods_of(cache)
        page = await reader.list(limit=1, continue_token=token)
        assert ([item.key for item in page.items], page.revision, page.remaining) == (["a/2"], revision, 2)
        page = await reader.list(continue_token=page.continue_token)
        assert [item.key for item in page.items] == ["a/3", "a/4"]
        assert not page.items[0].labels
        page = await reader.list(WEB, limit=1, continue_token=token)
        assert (page.items, page.continue_token) == ([], "")


async def test_pages_that_are_gone() -> None:
    """Once the store has forgotten the revision, the list expires, with a token to go on with what is now."""
    store = MemoryStore()
    token, revision = await old_and_new(store)
    await store.compact(await store.revision())
    async with running(store) as cache:
        reader = pods_of(cache)
        with pytest.raises(StatusError) as failure:
            await reader.list(limit=1, continue_token=token)
        assert (failure.value.code, failure.value.reason) == (410, "Expired")
        assert failure.value.message.startswith("The provided continue parameter is too old")
        page = await reader.list(continue_token=failure.value.continue_token)
        assert [item.key for item in page.items] == ["a/3", "a/4", "a/5"]
        with pytest.raises(StatusError) as failure:
            await reader.list(at=ReadAt(Freshness.EXACT, revision))
        assert failure.value.code == 410


async def test_watch_from_now() -> None:
    """A watch without a version begins after everything confirmed before it."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        await pods.put("a/before")
        watch = await pods_of(cache).watch(WatchPlan())
        revision = await pods.put("a/after")
        assert shown(await take(watch, 1)) == [("ADDED", "a/after", revision)]


async def test_watch_from_a_version() -> None:
    """A watch from a version tells everything after it, then goes on."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        first = await pods.put("a/x")
        second = await pods.put("a/x", app="web")
        third = await pods.delete("a/x")
        await cache.barrier()
        watch = await pods_of(cache).watch(WatchPlan(after=first))
        fourth = await pods.put("a/y")
        assert shown(await take(watch, 3)) == [
            ("MODIFIED", "a/x", second),
            ("DELETED", "a/x", third),
            ("ADDED", "a/y", fourth),
        ]


async def test_watch_from_a_version_selected() -> None:
    """The history is seen through the selection as later events are."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        first = await pods.put("a/x")
        second = await pods.put("a/x", app="web")
        await pods.put("b/other", app="web")
        third = await pods.put("a/x", app="db")
        await cache.barrier()
        watch = await pods_of(cache).watch(WatchPlan(Selection("a", WEB.labels), after=first))
        assert shown(await take(watch, 2)) == [("ADDED", "a/x", second), ("DELETED", "a/x", third)]


async def test_watch_from_the_future() -> None:
    """A version this server has not seen is waited for; one that does not come is too large."""
    store = MemoryStore()
    async with running(store) as cache:
        with pytest.raises(StatusError) as failure:
            await pods_of(cache).watch(WatchPlan(after=99))
        assert failure.value.code == 504
    assert await store.revision() == 1


async def test_watch_with_initial_state() -> None:
    """The initial state comes as additions, closed by a bookmark that says so, then changes."""
    store = MemoryStore()
    async with running(store) as cache:
        pods = Pods(store)
        one = await pods.put("a/x", app="web")
        two = await pods.put("b/y")
        watch = await pods_of(cache).watch(WatchPlan(initial=True, initial_end=True))
        three = await pods.put("a/z")
        events = await take(watch, 4)
        assert shown(events) == [
            ("ADDED", "a/x", one),
            ("ADDED", "b/y", two),
            ("BOOKMARK", "", two),
            ("ADDED", "a/z", three),
        ]
        assert events[2].initial_end
        selected = await pods_of(cache).watch(WatchPlan(WEB, initial=True))
        assert shown(await take(selected, 1)) == [("ADDED", "a/x", one)]


async def test_initial_state_of_nothing() -> None:
    """An empty initial state is the closing bookmark alone."""
    async with running(MemoryStore()) as cache:
        watch = await pods_of(cache).watch(WatchPlan(initial=True, initial_end=True))
        assert shown(await take(watch, 1)) == [("BOOKMARK", "", 1)]


async def test_bookmarks_every_minute() -> None:
    """Watches that allow bookmarks get one a minute, at what the cache has seen of all kinds."""
    store = MemoryStore()
    async with running(store) as cache:
        watch = await pods_of(cache).watch(WatchPlan(bookmarks=True))
        revision = await store.create(b"/registry/configmaps/a/x", b"not kept")
        assert shown(await take(watch, 1)) == [("BOOKMARK", "", revision)]
        assert asyncio.get_running_loop().time() == pytest.approx(60, abs=1)


async def test_timeout_ends_normally() -> None:
    """A watch ends by itself after its time, with a last bookmark."""
    async with running(MemoryStore()) as cache:
        watch = await pods_of(cache).watch(WatchPlan(bookmarks=True, timeout_seconds=5))
        batches = [batch async for batch in watch]
        assert [shown(batch.events) for batch in batches] == [[("BOOKMARK", "", 1)]]


async def test_one_revision_is_one_moment() -> None:
    """Keys that end with one lease are gone at once: no reader sees some of them."""
    store = MemoryStore()
    async with running(store) as cache:
        for index in range(5):
            await store.create(store_key(f"a/{index}"), stored_pod(f"a/{index}"), ttl_seconds=1000)
        watch = await pods_of(cache).watch(WatchPlan())
        await asyncio.sleep(1100)
        batch = await anext(aiter(watch))
        assert len(batch.events) == 5
        assert len({event.revision for event in batch.events}) == 1
        assert (await pods_of(cache).list()).items == ()


async def test_one_revision_is_one_batch() -> None:
    """Who watches on from a version gets all changes of a revision together, however many: half would lose the rest."""
    store = MemoryStore()
    keys = [f"a/{index:04}" for index in range(INITIAL_BATCH + 100)]
    async with running(store) as cache:
        begun = await Pods(store).fill(*keys)
        store.expire([store_key(key) for key in keys])
        ended = await Pods(store).put("a/later")
        watch = await pods_of(cache).watch(WatchPlan(after=begun))
        batches = aiter(watch)
        gone, later = await anext(batches), await anext(batches)
    assert len(gone.events) == len(keys)
    assert [event.revision for event in later.events] == [ended]
