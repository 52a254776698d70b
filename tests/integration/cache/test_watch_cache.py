"""The watch cache over a real etcd: restarts, compaction, leases, foreign writes, large revisions, many objects."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import WatchPlan
from kubewire.apiserver.cache.versions import ANY
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.item import Event
from kubewire.apiserver.storage.errors import Mismatch, OutcomeUnknown, StorageError
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.etcd import rpc_pb2 as pb
from kubewire.machinery.errors import StatusError
from tests.etcd_process import EtcdProcess
from tests.unit.apiserver.cache.objects import store_key, stored_pod
from tests.unit.apiserver.cache.running import pods_of, running, shown, take


class Server:
    """One API server's storage: client, store and running cache."""

    def __init__(self, client: EtcdClient, store: EtcdStore, cache: WatchCache) -> None:
        self.client = client
        self.store = store
        self.cache = cache
        self.pods = pods_of(cache)

    async def put(self, key: str, revision: int = 0, **labels: str) -> int:
        """Write a pod."""
        return await self.store.replace(store_key(key), stored_pod(key, **labels), revision)


@asynccontextmanager
async def serving(endpoint: str, options: CacheOptions | None = None) -> AsyncIterator[Server]:
    """A server over one etcd."""
    client = EtcdClient(EtcdOptions(endpoints=(endpoint,)))
    store = EtcdStore(client)
    async with asyncio.timeout(60), running(store, options) as cache:
        yield Server(client, store, cache)
    await client.close()


async def test_read_your_writes_of_others(etcd: str) -> None:
    """What one server confirmed, another shows to a read that begins afterwards."""
    async with serving(etcd) as one, serving(etcd) as two:
        for index in range(50):
            revision = await one.put(f"a/{index}")
            item = await two.pods.get("a", str(index))
            assert item is not None
            assert item.revision == revision


async def test_foreign_writes(etcd: str) -> None:
    """Writes outside /registry/ hold no read up for long, whoever makes them and however many."""
    async with serving(etcd) as server, asyncio.TaskGroup() as group:

        async def disturb() -> None:
            while True:
                await server.client.put(pb.PutRequest(key=b"/elsewhere", value=b"x"))
                await asyncio.sleep(0.001)

        disturbing = group.create_task(disturb())
        for index in range(20):
            revision = await server.put(f"a/{index}")
            page = await server.pods.list()
            assert page.revision >= revision
            assert len(page.items) == index + 1
        disturbing.cancel()


async def test_resume_after_kill(etcd_process: EtcdProcess) -> None:
    """Through kills of etcd watchers see every change once and in order, and reads stay linearizable."""
    async with serving(etcd_process.endpoint) as server:
        watch = await server.pods.watch(WatchPlan())
        revisions: list[int] = []

        async def write(name: str) -> None:
            revision = 0
            for _ in range(60):
                try:
                    revision = await server.put(name, revision)
                except OutcomeUnknown:
                    entry = await server.store.get(store_key(name))
                    if entry is None or entry.revision == revision:
                        continue
                    revision = entry.revision
                except (Mismatch, StorageError):
                    continue
                revisions.append(revision)
                item = await server.pods.get("a", name.removeprefix("a/"))
                assert item is not None
                assert item.revision >= revision

        async with asyncio.TaskGroup() as group:
            for index in range(8):
                group.create_task(write(f"a/{index}"))
            for _ in range(2):
                await asyncio.sleep(0.1)
                etcd_process.kill()
                await asyncio.to_thread(etcd_process.start)
        events = await take(watch, len(revisions))
        assert [event.revision for event in events] == sorted(revisions)


async def test_leases_end_together(etcd: str) -> None:
    """Many keys of one lease go at one revision: one batch, one moment for readers."""
    async with serving(etcd) as server:
        await asyncio.gather(
            *(
                server.store.create(store_key(f"a/{index:03}"), stored_pod(f"a/{index:03}"), ttl_seconds=20)
                for index in range(200)
            )
        )
        assert len((await server.pods.list()).items) == 200
        watch = await server.pods.watch(WatchPlan())
        answer = await server.client.range(pb.RangeRequest(key=store_key("a/000")))
        await server.client.lease_revoke(answer.kvs[0].lease)
        batch = await anext(aiter(watch))
        assert [event.type for event in batch.events] == ["DELETED"] * 200
        assert len({event.revision for event in batch.events}) == 1
        assert (await server.pods.list()).items == ()


async def test_compaction_while_following(etcd: str) -> None:
    """Compaction does not disturb a cache that keeps up; later watches are served from its memory."""
    async with serving(etcd) as server:
        watch = await server.pods.watch(WatchPlan())
        first = await server.put("a/x")
        last = await server.put("a/x", first, app="web")
        await server.cache.barrier()
        await server.store.compact(last)
        more = await server.put("a/x", last)
        assert [event.revision for event in await take(watch, 3)] == [first, last, more]
        old = await server.pods.watch(WatchPlan(after=first))
        assert [event.revision for event in await take(old, 2)] == [last, more]


async def test_compaction_while_away(etcd_process: EtcdProcess) -> None:
    """What was compacted while etcd could not be followed is loaded anew; watches end as expired."""
    async with serving(etcd_process.endpoint) as server:
        kept = await server.put("a/kept")
        gone = await server.put("a/gone")
        await server.cache.barrier()
        watch = await server.pods.watch(WatchPlan())
        held_back = HeldBack(server.store)
        held_back.hold(server)
        etcd_process.kill()
        await asyncio.to_thread(etcd_process.start)
        await server.store.delete(store_key("a/gone"), gone)
        last = await server.put("a/new")
        await server.store.compact(last)
        held_back.release()
        with pytest.raises(StatusError) as failure:
            await take(watch, 1)
        assert failure.value.code == 410
        page = await server.pods.list()
        assert [(item.key, item.revision) for item in page.items] == [("a/kept", kept), ("a/new", last)]


class HeldBack:
    """Keeps a cache from watching again until it is released."""

    def __init__(self, store: EtcdStore) -> None:
        self._revision = store.revision
        self._released = asyncio.Event()
        self._server: Server | None = None

    def hold(self, server: Server) -> None:
        """Let no more revision reads through, which come before every watch."""

        async def wait(*, timeout_seconds: float = 10.0) -> int:
            await self._released.wait()
            return await self._revision(timeout_seconds=timeout_seconds)

        server.store.revision = wait  # type: ignore[method-assign]  # the fault under test

    def release(self) -> None:
        """Go on."""
        self._released.set()


async def test_older_than_memory(etcd: str) -> None:
    """A restarted server serves watches and pages from before its start out of etcd, once and in order."""
    async with serving(etcd) as server:
        first = await server.put("a/x")
        second = await server.put("a/x", first, app="web")
        page = await server.pods.list(limit=1)
        for index in range(3):
            await server.put(f"b/{index}")
        third = await server.store.delete(store_key("a/x"), second)
        page = await server.pods.list(limit=1)
        await server.put("b/more")
        await server.client.put(pb.PutRequest(key=b"/registry/configmaps/a/x", value=b"later than any pod"))
    async with serving(etcd, CacheOptions(backlog_revisions=0)) as server:
        watch = await server.pods.watch(WatchPlan(after=first))
        events = await take(watch, 6)
        assert (events[0].type, events[0].revision) == ("MODIFIED", second)
        assert ("DELETED", "a/x", third) in shown(events)
        new = await server.put("c/new")
        assert shown(await take(watch, 1)) == [("ADDED", "c/new", new)]
        rest = await server.pods.list(continue_token=page.continue_token)
        assert [item.key for item in (*page.items, *rest.items)] == ["b/0", "b/1", "b/2"]
        await watch.aclose()


async def test_large_revisions(etcd: str) -> None:
    """Transactions over etcd's fragment size reach watchers as whole revisions."""
    async with serving(etcd) as server:
        watch = await server.pods.watch(WatchPlan())
        written: list[int] = []
        for round_ in range(3):
            puts = [
                pb.RequestOp(
                    request_put=pb.PutRequest(
                        key=store_key(f"a/{index:03}"),
                        value=stored_pod(f"a/{index:03}", note=str(round_), padding="x" * 14_000),
                    )
                )
                for index in range(100)
            ]
            written.append((await server.client.txn(pb.TxnRequest(success=puts))).header.revision)
        batches: list[Sequence[Event]] = []
        while sum(map(len, batches)) < 300:
            batches.append((await anext(aiter(watch))).events)
        assert [event.revision for batch in batches for event in batch] == [one for one in written for _ in range(100)]
        for batch in batches:
            assert len(batch) % 100 == 0


async def test_ten_thousand_objects(etcd: str) -> None:
    """A server that starts on many objects has them all, in order, beside keys that are no objects."""
    client = EtcdClient(EtcdOptions(endpoints=(etcd,)))
    await client.put(pb.PutRequest(key=b"/registry/ranges/serviceips", value=b"no object"))
    await client.put(pb.PutRequest(key=b"/registry/pods/a/damaged", value=b"\xff\xff"))
    keys = [f"ns{index % 10}/pod-{index:05}" for index in range(10_000)]
    for start in range(0, len(keys), 100):
        puts = [
            pb.RequestOp(request_put=pb.PutRequest(key=store_key(key), value=stored_pod(key)))
            for key in keys[start : start + 100]
        ]
        await client.txn(pb.TxnRequest(success=puts))
    await client.close()
    async with serving(etcd, CacheOptions(backlog_revisions=0)) as server:
        page = await server.pods.list(at=ANY)
        assert [item.key for item in page.items] == sorted(keys)
        assert server.pods._cache.metrics.undecodable.value == 1


async def test_etcd_away(etcd_process: EtcdProcess) -> None:
    """Without etcd linearizable reads fail within their time and say so; reads from the cache go on."""
    options = CacheOptions(barrier_timeout_seconds=0.5)
    async with serving(etcd_process.endpoint, options) as server:
        await server.put("a/x")
        await server.cache.barrier()
        etcd_process.pause()
        await asyncio.sleep(0.1)  # a stopped process may still answer what reached one of its threads
        with pytest.raises(StatusError) as failure:
            await server.pods.get("a", "x")
        assert failure.value.code in {503, 504}
        assert await server.pods.get("a", "x", ANY) is not None
        etcd_process.resume()
        assert (await server.pods.list()).items
