"""What every Store promises: guarded writes, reads at a revision, ordered watches, leases, compaction."""

import asyncio
from contextlib import aclosing

import pytest

from kubewire.apiserver.storage.errors import Compacted, Mismatch, RevisionInFuture
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Change, Entry, Store, prefix_end
from kubewire.etcd.rpc_pb2 import RangeRequest


async def collect(store: Store, prefix: bytes, after: int, count: int, *, previous: bool = False) -> list[list[Change]]:
    """Lists of a watch until they hold `count` changes."""
    lists: list[list[Change]] = []
    async with asyncio.timeout(10), aclosing(store.watch(prefix, after, with_previous=previous)) as watch:
        async for changes in watch:
            lists.append(changes)
            if sum(map(len, lists)) >= count:
                return lists
    raise AssertionError("a watch ended by itself")


async def fill(store: Store, prefix: bytes, count: int) -> list[int]:
    """Create `count` keys; returns their revisions."""
    return [await store.create(prefix + b"%03d" % index, b"v%d" % index) for index in range(count)]


async def test_create_then_get(store: Store, prefix: bytes) -> None:
    """A created key is read back with the revision its creation was answered with."""
    revision = await store.create(prefix + b"a", b"one")
    assert await store.get(prefix + b"a") == Entry(prefix + b"a", b"one", revision, revision)
    assert await store.get(prefix + b"b") is None


async def test_create_existing_key(store: Store, prefix: bytes) -> None:
    """Creating a key that exists fails with the entry that is there."""
    first = await store.create(prefix + b"a", b"one")
    with pytest.raises(Mismatch) as failure:
        await store.create(prefix + b"a", b"two")
    assert failure.value.current == Entry(prefix + b"a", b"one", first, first)
    assert failure.value.revision >= first


async def test_replace(store: Store, prefix: bytes) -> None:
    """A replace at the current revision gives a higher one and keeps the create revision."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    assert second > first
    assert await store.get(prefix + b"a") == Entry(prefix + b"a", b"two", second, first)


async def test_replace_stale(store: Store, prefix: bytes) -> None:
    """A replace at an old revision writes nothing and tells what is there."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    with pytest.raises(Mismatch) as failure:
        await store.replace(prefix + b"a", b"three", first)
    assert failure.value.current == Entry(prefix + b"a", b"two", second, first)
    assert await store.get(prefix + b"a") == failure.value.current


async def test_replace_absent(store: Store, prefix: bytes) -> None:
    """A replace of a key that is gone fails with no entry."""
    with pytest.raises(Mismatch) as failure:
        await store.replace(prefix + b"a", b"two", 1)
    assert failure.value.current is None


async def test_delete(store: Store, prefix: bytes) -> None:
    """A deletion has a revision of its own, and the key can be created again from scratch."""
    first = await store.create(prefix + b"a", b"one")
    deleted = await store.delete(prefix + b"a", first)
    assert deleted > first
    assert await store.get(prefix + b"a") is None
    again = await store.create(prefix + b"a", b"two")
    assert await store.get(prefix + b"a") == Entry(prefix + b"a", b"two", again, again)


async def test_delete_stale(store: Store, prefix: bytes) -> None:
    """A deletion at an old revision deletes nothing."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    with pytest.raises(Mismatch) as failure:
        await store.delete(prefix + b"a", first)
    assert failure.value.current is not None
    assert failure.value.current.revision == second


async def test_delete_absent(store: Store, prefix: bytes) -> None:
    """A deletion of a key that is gone fails with no entry."""
    with pytest.raises(Mismatch) as failure:
        await store.delete(prefix + b"a", 1)
    assert failure.value.current is None


async def test_racing_writes_are_done_once(store: Store, prefix: bytes) -> None:
    """Of many writes guarded by the same revision exactly one is done."""
    first = await store.create(prefix + b"a", b"start")
    outcomes = await asyncio.gather(
        *(store.replace(prefix + b"a", b"w%d" % index, first) for index in range(20)), return_exceptions=True
    )
    done = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(done) == 1
    assert sum(isinstance(outcome, Mismatch) for outcome in outcomes) == 19
    entry = await store.get(prefix + b"a")
    assert entry is not None
    assert entry.revision == done[0]


async def test_page(store: Store, prefix: bytes) -> None:
    """A page has its entries in key order and counts what follows."""
    await fill(store, prefix, 5)
    page = await store.page(prefix + b"001", prefix_end(prefix), limit=2)
    assert [entry.key for entry in page.entries] == [prefix + b"001", prefix + b"002"]
    assert page.remaining == 2
    assert page.revision >= page.entries[-1].revision


async def test_whole_range(store: Store, prefix: bytes) -> None:
    """Without a limit a page is the whole range, and nothing beyond it."""
    await fill(store, prefix, 4)
    await store.create(prefix[:-1] + b"~outside", b"x")
    page = await store.page(prefix, prefix_end(prefix))
    assert [entry.value for entry in page.entries] == [b"v0", b"v1", b"v2", b"v3"]
    assert page.remaining == 0


async def test_keys_only(store: Store, prefix: bytes) -> None:
    """Keys can be listed with their revisions but without values."""
    revisions = await fill(store, prefix, 2)
    page = await store.page(prefix, prefix_end(prefix), keys_only=True)
    assert [(entry.revision, entry.value) for entry in page.entries] == [(revisions[0], b""), (revisions[1], b"")]


async def test_page_at_a_revision(store: Store, prefix: bytes) -> None:
    """Pages at one revision are one snapshot, whatever was written since."""
    revisions = await fill(store, prefix, 4)
    first = await store.page(prefix, prefix_end(prefix), limit=2)
    await store.replace(prefix + b"003", b"changed", revisions[3])
    await store.delete(prefix + b"002", revisions[2])
    await store.create(prefix + b"002x", b"new")
    rest = await store.page(first.entries[-1].key + b"\0", prefix_end(prefix), revision=first.revision)
    assert [entry.value for entry in rest.entries] == [b"v2", b"v3"]
    assert rest.revision == first.revision


async def test_get_at_a_revision(store: Store, prefix: bytes) -> None:
    """A key can be read as it was."""
    first = await store.create(prefix + b"a", b"one")
    await store.replace(prefix + b"a", b"two", first)
    assert await store.get(prefix + b"a", revision=first) == Entry(prefix + b"a", b"one", first, first)


async def test_revision_is_linearizable(store: Store, prefix: bytes) -> None:
    """The store's revision is never older than a confirmed write."""
    revision = await store.create(prefix + b"a", b"one")
    assert await store.revision() >= revision


async def test_future_revision(store: Store, prefix: bytes) -> None:
    """Reading or compacting at a revision not reached is refused as such."""
    future = await store.revision() + 1_000_000
    with pytest.raises(RevisionInFuture):
        await store.get(prefix, revision=future)
    with pytest.raises(RevisionInFuture):
        await store.page(prefix, prefix_end(prefix), revision=future)
    with pytest.raises(RevisionInFuture):
        await store.compact(future)


async def test_watch_delivers_in_order(store: Store, prefix: bytes) -> None:
    """A watch tells every change after its revision once, in order, with deletions as such."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    third = await store.delete(prefix + b"a", second)
    lists = await collect(store, prefix, first, 2)
    assert [change for changes in lists for change in changes] == [
        Change(prefix + b"a", b"two", second, None, first),
        Change(prefix + b"a", None, third, None, 0),
    ]


async def test_watch_with_previous(store: Store, prefix: bytes) -> None:
    """Asked for, each change carries the entry before it."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    await store.delete(prefix + b"a", second)
    lists = await collect(store, prefix, first - 1, 3, previous=True)
    assert [change.previous for changes in lists for change in changes] == [
        None,
        Entry(prefix + b"a", b"one", first, first),
        Entry(prefix + b"a", b"two", second, first),
    ]


async def test_watch_waits_for_changes(store: Store, prefix: bytes) -> None:
    """A watch goes on with changes made after it began, and leaves other prefixes out."""
    start = await store.revision()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(collect(store, prefix, start, 3))
        await asyncio.sleep(0.05)
        await store.create(prefix[:-1] + b"~outside", b"x")
        revisions = await fill(store, prefix, 3)
    assert [change.revision for changes in watching.result() for change in changes] == revisions


async def test_watch_resumes(store: Store, prefix: bytes) -> None:
    """Watching on after the last revision seen loses and repeats nothing."""
    revisions = await fill(store, prefix, 6)
    lists = await collect(store, prefix, revisions[0] - 1, 3)
    seen = [change.revision for changes in lists for change in changes]
    more = await collect(store, prefix, seen[-1], 6 - len(seen)) if len(seen) < 6 else []
    assert seen + [change.revision for changes in more for change in changes] == revisions


async def test_compacted_history(store: Store, prefix: bytes) -> None:
    """After a compaction, older revisions can be neither read nor watched from; newer ones can."""
    first = await store.create(prefix + b"a", b"one")
    second = await store.replace(prefix + b"a", b"two", first)
    third = await store.delete(prefix + b"a", second)
    fourth = await store.create(prefix + b"b", b"new")
    await store.compact(third)
    with pytest.raises(Compacted):
        await store.get(prefix + b"a", revision=second)
    with pytest.raises(Compacted):
        await store.page(prefix, prefix_end(prefix), revision=second)
    with pytest.raises(Compacted) as failure:
        await collect(store, prefix, second, 1)
    assert failure.value.revision == third
    lists = await collect(store, prefix, third, 1)
    assert lists[0][0].revision == fourth
    page = await store.page(prefix, prefix_end(prefix), revision=third)
    assert page.entries == []


async def test_compaction_twice(store: Store, prefix: bytes) -> None:
    """Compacting to where it was compacted already is no failure."""
    revision = await store.create(prefix + b"a", b"one")
    await store.compact(revision)
    await store.compact(revision)
    await store.compact(revision - 1)


async def test_keys_end_with_their_lease(store: Store, prefix: bytes) -> None:
    """Keys with a time to live are deleted by the store; a write without one keeps its key."""
    start = await store.revision()
    await store.create(prefix + b"a", b"short", ttl_seconds=1)
    kept = await store.create(prefix + b"b", b"short", ttl_seconds=1)
    await store.replace(prefix + b"b", b"for ever", kept)
    lists = await collect(store, prefix, start, 4)
    last = lists[-1][-1]
    assert (last.key, last.value) == (prefix + b"a", None)
    assert await store.get(prefix + b"b") is not None


async def test_keys_of_one_lease_end_together(store: Store, prefix: bytes) -> None:
    """Keys written within a lease's window share it and are deleted at one revision, told in one list."""
    start = await store.revision()
    for index in range(5):
        await store.create(prefix + b"%d" % index, b"x", ttl_seconds=20)
    await end_leases(store, prefix)
    lists = await collect(store, prefix, start, 10)
    deletions = [change for changes in lists for change in changes if change.value is None]
    assert len({change.revision for change in deletions}) == 1
    assert len([changes for changes in lists if any(change.value is None for change in changes)]) == 1


async def end_leases(store: Store, prefix: bytes) -> None:
    """End the leases of all keys under `prefix` now, as their time would."""
    if isinstance(store, MemoryStore):
        page = await store.page(prefix, prefix_end(prefix))
        store.expire([entry.key for entry in page.entries])
    elif isinstance(store, EtcdStore):
        answer = await store._client.range(RangeRequest(key=prefix, range_end=prefix_end(prefix)))
        for lease in {kv.lease for kv in answer.kvs}:
            await store._client.lease_revoke(lease)
