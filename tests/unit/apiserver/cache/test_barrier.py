"""Linearizable reads share revision reads and never one that is on its way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.apiserver.cache.barrier import PROGRESS_KEY, Barrier, BarrierTimes, Progress
from kubewire.apiserver.cache.gate import RevisionGate
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import DEFAULT_TIMEOUT_SECONDS
from kubewire.machinery.errors import StatusError


class SlowStore(MemoryStore):
    """Its revision is read at the start of a call and takes a second to arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def revision(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> int:
        self.reads += 1
        revision = await super().revision()
        await asyncio.sleep(1)
        return revision


@asynccontextmanager
async def running(store: MemoryStore, gate: RevisionGate) -> AsyncIterator[Barrier]:
    """A barrier that runs."""
    barrier = Barrier(store, gate, BarrierTimes(stall_seconds=0.02, timeout_seconds=5))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(barrier.run_reads()), group.create_task(barrier.run_progress())]
        try:
            yield barrier
        finally:
            for task in tasks:
                task.cancel()


def make_gate(revision: int = 0) -> RevisionGate:
    """A gate that has seen a revision."""
    gate = RevisionGate(asyncio.get_running_loop().time)
    gate.advance(revision)
    return gate


async def test_readers_share_a_read() -> None:
    """Readers that arrive before a read is sent share it."""
    store = SlowStore()
    async with running(store, make_gate(1)) as barrier:
        assert await asyncio.gather(*(barrier.wait() for _ in range(10))) == [1] * 10
        assert store.reads == 1


async def test_never_the_read_in_flight() -> None:
    """A reader that arrives while a read is on its way gets the next one, which sees what was written meanwhile."""
    store, gate = SlowStore(), make_gate(1)
    async with running(store, gate) as barrier, asyncio.TaskGroup() as group:
        early = group.create_task(barrier.wait())
        await asyncio.sleep(0.5)
        written = await store.create(b"/registry/x", b"y")
        late = [group.create_task(barrier.wait()) for _ in range(5)]
        await asyncio.sleep(1)
        assert early.done()
        assert not any(one.done() for one in late)
        gate.advance(written)
    assert {one.result() for one in late} == {written}
    assert store.reads == 2


async def test_waits_for_the_cache() -> None:
    """A reader waits until the cache has seen what the store had."""
    store, gate = MemoryStore(), make_gate(1)
    written = await store.create(b"/registry/x", b"y")
    async with running(store, gate) as barrier, asyncio.TaskGroup() as group:
        reader = group.create_task(barrier.wait())
        await asyncio.sleep(0.01)
        assert not reader.done()
        gate.advance(written)
    assert reader.result() == written


async def test_progress_is_written_when_nothing_comes() -> None:
    """If the cache does not get there soon, the progress key is written, once for all who wait."""
    store, gate = MemoryStore(), make_gate(1)
    store.put_foreign(b"/elsewhere", b"x")
    async with running(store, gate) as barrier, asyncio.TaskGroup() as group:
        readers = [group.create_task(barrier.wait()) for _ in range(3)]
        await asyncio.sleep(1)
        entry = await store.get(PROGRESS_KEY)
        assert entry is not None
        assert entry.revision == entry.create_revision == 3
        gate.advance(3)
    assert [reader.result() for reader in readers] == [3, 3, 3]


async def test_no_progress_without_need() -> None:
    """A cache that keeps up writes nothing."""
    store = MemoryStore()
    async with running(store, make_gate(1)) as barrier:
        for _ in range(10):
            await barrier.wait()
            await asyncio.sleep(1)
    assert await store.revision() == 1


async def test_progress_is_shared_between_servers() -> None:
    """A server that lost the race takes the other's write, if that is late enough, instead of writing again."""
    store = MemoryStore()
    ours, theirs = Progress(store), Progress(store)
    await ours.push_past(1)
    await theirs.push_past(2)
    assert await store.revision() == 2
    store.put_foreign(b"/elsewhere", b"x")
    await theirs.push_past(3)
    await ours.push_past(3)
    assert await store.revision() == 4


async def test_progress_after_a_restore() -> None:
    """When the store was set back, what was written before counts for nothing, and progress is written again."""
    store, gate = MemoryStore(), make_gate(1)
    store.put_foreign(b"/elsewhere", b"x")
    async with running(store, gate) as barrier, asyncio.TaskGroup() as group:
        barrier._progress._written = 1000
        reader = group.create_task(barrier.wait())
        await asyncio.sleep(2)
        assert await store.revision() == 3
        gate.advance(3)
        assert await reader == 3


async def test_timeout() -> None:
    """A cache that never gets there ends in a timeout that may be retried."""
    store = MemoryStore()
    store.put_foreign(b"/elsewhere", b"x")
    async with running(store, make_gate(1)) as barrier:
        with pytest.raises(StatusError) as failure:
            await barrier.wait()
    assert (failure.value.code, failure.value.reason) == (504, "Timeout")
    assert failure.value.retry_after_seconds == 1


async def test_unreachable_store() -> None:
    """Without the store there is no linearizable read, and it says so."""
    store = MemoryStore()
    store.is_reachable = False
    async with running(store, make_gate(1)) as barrier:
        with pytest.raises(StatusError) as failure:
            await barrier.wait()
    assert (failure.value.code, failure.value.reason) == (503, "ServiceUnavailable")


async def test_a_reader_that_gives_up() -> None:
    """A cancelled reader disturbs neither the others nor the next read."""
    store = SlowStore()
    async with running(store, make_gate(1)) as barrier, asyncio.TaskGroup() as group:
        patient = group.create_task(barrier.wait())
        impatient = group.create_task(barrier.wait())
        await asyncio.sleep(0.5)
        impatient.cancel()
        assert await patient == 1
        assert await barrier.wait() == 1
