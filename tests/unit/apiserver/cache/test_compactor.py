"""Compacting, one server at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.apiserver.cache.compactor import COMPACTION_KEY, INTERVAL_SECONDS, Compactor, Record
from kubewire.apiserver.storage.errors import Compacted
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Entry
from tests.unit.apiserver.cache.running import Pods


class CountingStore(MemoryStore):
    """Remembers what it was compacted to."""

    def __init__(self) -> None:
        super().__init__()
        self.compactions: list[int] = []

    async def compact(self, revision: int) -> None:
        self.compactions.append(revision)
        await super().compact(revision)


@asynccontextmanager
async def running(*compactors: Compactor) -> AsyncIterator[None]:
    """Compactors at work."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(compactor.run()) for compactor in compactors]
        yield
        for task in tasks:
            task.cancel()


async def test_history_lasts_one_interval() -> None:
    """What was written is readable for at least one interval and gone after the third turn."""
    store = CountingStore()
    async with running(Compactor(store)):
        pods = Pods(store)
        first = await pods.put("a/x")
        second = await pods.put("a/x", app="web")
        await asyncio.sleep(INTERVAL_SECONDS * 1.5)
        assert await store.get(b"/registry/pods/a/x", revision=first) is not None
        await asyncio.sleep(INTERVAL_SECONDS)
        with pytest.raises(Compacted):
            await store.get(b"/registry/pods/a/x", revision=first)
    assert store.compactions == [second]


async def test_several_servers_compact_once() -> None:
    """However many servers there are, there is one compaction per interval, at growing revisions."""
    store = CountingStore()
    async with running(*(Compactor(store) for _ in range(5))):
        for index in range(10):
            await Pods(store).put(f"a/{index}")
            await asyncio.sleep(INTERVAL_SECONDS)
    assert len(store.compactions) in {8, 9}
    assert store.compactions == sorted(set(store.compactions))


async def test_restarted_server_goes_on() -> None:
    """A server that restarts knows what was recorded before."""
    store = CountingStore()
    async with running(Compactor(store)):
        await asyncio.sleep(INTERVAL_SECONDS + 1)
    recorded = Record.of(await store.get(COMPACTION_KEY)).revision
    async with running(Compactor(store)):
        await asyncio.sleep(INTERVAL_SECONDS + 1)
    assert store.compactions == [recorded]


async def test_store_away() -> None:
    """A store that is away is compacted later."""
    store = CountingStore()
    store.is_reachable = False
    async with running(Compactor(store)):
        await asyncio.sleep(INTERVAL_SECONDS * 2)
        store.is_reachable = True
        await Pods(store).put("a/x")
        await asyncio.sleep(INTERVAL_SECONDS * 3)
    assert store.compactions


@pytest.mark.parametrize(
    "value", [b"", b"[]", b"1", b"{}", b'{"revision":"7"}', b'{"revision":-7}', b'{"revision":true}']
)
def test_foreign_values(value: bytes) -> None:
    """A value we did not write records nothing, but still guards the next write."""
    assert Record.of(Entry(COMPACTION_KEY, value, 9, 9)) == Record(9, 0)
