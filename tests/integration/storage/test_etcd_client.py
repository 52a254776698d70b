"""The etcd client against a real etcd: fail-over, deadlines, lost members, fragments, leases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.errors import (
    LeaseNotFound,
    NoAnswer,
    OutcomeUnknown,
    RequestTooLarge,
    RevisionCompacted,
    RevisionInFuture,
    Unavailable,
    WatchLost,
)
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.etcd.watch import EtcdWatch, WatchSpec
from kubewire.etcd import rpc_pb2 as pb
from tests.etcd_process import EtcdProcess, find_free_port, running_etcd


@asynccontextmanager
async def connected(*endpoints: str, request_seconds: float = 5.0) -> AsyncIterator[EtcdClient]:
    """A client of these members."""
    options = EtcdOptions(endpoints=endpoints, request_timeout_seconds=request_seconds, attempt_timeout_seconds=0.5)
    client = EtcdClient(options)
    try:
        yield client
    finally:
        await client.close()


def put(key: bytes, value: bytes = b"v", lease: int = 0) -> pb.PutRequest:
    """A plain write."""
    return pb.PutRequest(key=key, value=value, lease=lease)


def get(key: bytes, revision: int = 0) -> pb.RangeRequest:
    """A plain read."""
    return pb.RangeRequest(key=key, revision=revision)


def puts_in_one_transaction(count: int, value: bytes) -> pb.TxnRequest:
    """Many keys at one revision."""
    return pb.TxnRequest(
        success=[pb.RequestOp(request_put=put(b"/many/%05d" % index, value)) for index in range(count)]
    )


async def test_every_call(etcd: str) -> None:
    """Each call reaches etcd and brings its answer."""
    async with connected(etcd) as client:
        written = await client.put(put(b"/a"))
        assert (await client.range(get(b"/a"))).kvs[0].value == b"v"
        assert (await client.delete_range(pb.DeleteRangeRequest(key=b"/a"))).deleted == 1
        assert (await client.txn(puts_in_one_transaction(3, b"x"))).succeeded
        await client.compact(written.header.revision, physical=True)
        assert (await client.status()).version.startswith("3.")
        assert len((await client.member_list()).members) == 1


async def test_leases(etcd: str) -> None:
    """Leases are granted, renewed, shown and revoked; one that is gone is told as such."""
    async with connected(etcd) as client:
        lease = (await client.lease_grant(60)).ID
        await client.put(put(b"/a", lease=lease))
        assert await client.lease_keep_alive(lease) == 60
        left = await client.lease_time_to_live(lease, keys=True)
        assert (left.grantedTTL, list(left.keys)) == (60, [b"/a"])
        await client.lease_revoke(lease)
        assert not (await client.range(get(b"/a"))).kvs
        for call in (client.put(put(b"/a", lease=lease)), client.lease_keep_alive(lease), client.lease_revoke(lease)):
            with pytest.raises(LeaseNotFound):
                await call


async def test_refusals(etcd: str) -> None:
    """etcd's refusals are told apart."""
    async with connected(etcd) as client:
        revision = (await client.put(put(b"/a"))).header.revision
        await client.put(put(b"/a"))
        await client.compact(revision + 1)
        with pytest.raises(RevisionCompacted):
            await client.range(get(b"/a", revision))
        with pytest.raises(RevisionInFuture):
            await client.range(get(b"/a", revision + 1000))
        for megabytes in (1.6, 4):
            with pytest.raises(RequestTooLarge):
                await client.put(put(b"/a", b"x" * round(megabytes * 1024 * 1024)))


async def test_large_answers(etcd: str) -> None:
    """Answers far over gRPC's default limit arrive."""
    async with connected(etcd) as client:
        for index in range(8):
            await client.put(put(b"/big/%d" % index, b"x" * (1024 * 1024)))
        answer = await client.range(pb.RangeRequest(key=b"/big/", range_end=b"/big0"))
        assert sum(len(kv.value) for kv in answer.kvs) == 8 * 1024 * 1024


async def test_other_members_answer(etcd_process: EtcdProcess) -> None:
    """A member that is not there is passed over, for reads and writes, and for watches."""
    nobody = f"127.0.0.1:{find_free_port()}"
    async with connected(nobody, etcd_process.endpoint) as client:
        await client.put(put(b"/a"))
    async with connected(nobody, etcd_process.endpoint) as client:
        assert (await client.range(get(b"/a"))).kvs
    async with connected(nobody, etcd_process.endpoint) as client, client.watch(WatchSpec(b"/a")) as watch:
        await client.put(put(b"/a", b"2"))
        assert (await anext(watch)).events[0].kv.value == b"2"


async def test_a_silent_member(tmp_path: Path, etcd_process: EtcdProcess) -> None:
    """A member that hangs costs a read one attempt; a write that it swallowed has an unknown outcome."""
    with running_etcd(tmp_path / "other") as other:
        async with connected(etcd_process.endpoint, other.endpoint, request_seconds=2) as client:
            await client.put(put(b"/a"))
            etcd_process.pause()
            await asyncio.sleep(0.1)
            assert not (await client.range(get(b"/a"))).kvs  # the other one's answer: they are two clusters
        async with connected(etcd_process.endpoint, other.endpoint, request_seconds=1) as client:
            with pytest.raises((OutcomeUnknown, Unavailable)):
                await client.put(put(b"/a"))


async def test_nobody_there() -> None:
    """Without any member a call ends at its deadline, and a write is known not to have been done."""
    async with connected(f"127.0.0.1:{find_free_port()}", request_seconds=0.5) as client:
        with pytest.raises(Unavailable):
            await client.range(get(b"/a"))
        with pytest.raises(Unavailable):
            await client.put(put(b"/a"))
        with pytest.raises(Unavailable):
            async with client.watch(WatchSpec(b"/a")):
                pass


async def test_a_lone_hanging_member(etcd_process: EtcdProcess) -> None:
    """With one member that hangs, reads end at the deadline and writes end unknown."""
    async with connected(etcd_process.endpoint, request_seconds=0.5) as client:
        await client.put(put(b"/a"))
        etcd_process.pause()
        await asyncio.sleep(0.1)  # a stopped process may still answer what reached one of its threads
        with pytest.raises(NoAnswer):
            await client.range(get(b"/a"))
        with pytest.raises(OutcomeUnknown):
            await client.put(put(b"/a"))
        etcd_process.resume()
        assert (await client.range(get(b"/a"), 5)).kvs


async def test_reads_survive_a_restart(etcd_process: EtcdProcess) -> None:
    """A read that is asked while the member restarts is answered when it is back."""
    async with connected(etcd_process.endpoint, request_seconds=20) as client:
        await client.put(put(b"/a"))
        etcd_process.kill()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(client.range(get(b"/a")))
            await asyncio.sleep(0.3)
            assert not reading.done()
            await asyncio.to_thread(etcd_process.start)
        assert reading.result().kvs


async def collect(watch: EtcdWatch, count: int) -> list[list[int]]:
    """Revisions of a watch's answers until there are `count`."""
    answers: list[list[int]] = []
    async with asyncio.timeout(20):
        while sum(map(len, answers)) < count:
            answers.append([event.kv.mod_revision for event in (await anext(watch)).events])
    return answers


async def test_watch_lost(etcd_process: EtcdProcess) -> None:
    """A watch whose member is killed says that it was lost."""
    async with connected(etcd_process.endpoint) as client, client.watch(WatchSpec(b"/a")) as watch:
        await client.put(put(b"/a"))
        assert len((await anext(watch)).events) == 1
        etcd_process.kill()
        with pytest.raises(WatchLost):
            await anext(watch)


async def test_watch_compacted(etcd: str) -> None:
    """A watch from a compacted revision is refused with the oldest one left."""
    async with connected(etcd) as client:
        last = [(await client.put(put(b"/a"))).header.revision for _ in range(5)][-1]
        await client.compact(last)
        with pytest.raises(RevisionCompacted) as failure:
            async with client.watch(WatchSpec(b"/a", start_revision=last - 2)) as watch:
                await anext(watch)
        assert failure.value.compact_revision == last


async def test_large_revisions_arrive_whole(etcd: str) -> None:
    """Revisions of many times the fragment size, read late and at once, are never split and never lost."""
    async with connected(etcd, request_seconds=20) as client:
        start = (await client.put(put(b"/many/"))).header.revision
        revisions = []
        for round_ in range(4):
            transaction = puts_in_one_transaction(100, bytes((round_,)) * 14_000)
            revisions.append((await client.txn(transaction)).header.revision)
            revisions.append((await client.put(put(b"/many/single"))).header.revision)
        spec = WatchSpec(b"/many/", b"/many0", start_revision=start + 1, previous=True)
        async with client.watch(spec) as watch:
            answers = await collect(watch, 4 * 101)
        flat = [revision for answer in answers for revision in answer]
        assert flat == [revision for revision in revisions for _ in range(100 if revision in revisions[::2] else 1)]
        ends = [answer for answer in answers if answer]
        assert all(one[-1] < two[0] for one, two in pairwise(ends))
