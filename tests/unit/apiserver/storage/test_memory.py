"""What the store in memory has beyond the suite of all stores: virtual time, and faults on demand."""

import asyncio
from contextlib import aclosing

import pytest

from kubewire.apiserver.storage.errors import StoreUnavailable, WatchLost
from kubewire.apiserver.storage.memory import MemoryStore


async def test_leases_end_in_virtual_time() -> None:
    """A key of an hour is gone after an hour and a minute of the loop's time."""
    store = MemoryStore()
    await store.create(b"k", b"v", ttl_seconds=3600)
    await asyncio.sleep(3600)
    assert await store.get(b"k") is not None
    await asyncio.sleep(61)
    assert await store.get(b"k") is None


async def test_broken_watches() -> None:
    """A broken watch says so and can be taken up again without loss."""
    store = MemoryStore()
    first = await store.create(b"a", b"1")
    async with aclosing(store.watch(b"", first - 1)) as watch:
        assert [change.revision for change in await anext(watch)] == [first]
        store.break_watches()
        second = await store.create(b"b", b"2")
        with pytest.raises(WatchLost):
            await anext(watch)
    async with aclosing(store.watch(b"", first)) as watch:
        assert [change.revision for change in await anext(watch)] == [second]


async def test_unreachable() -> None:
    """Switched off, it fails every call and has done nothing."""
    store = MemoryStore()
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        await store.create(b"a", b"1")
    store.is_reachable = True
    assert await store.get(b"a") is None
