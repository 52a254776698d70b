"""Writes whose answers are lost: what the store tells its callers must be true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from kubewire.apiserver.etcd import errors as etcd
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.storage.errors import Mismatch, OutcomeUnknown, StorageError, StoreUnavailable
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.etcd import rpc_pb2 as pb
from tests.etcd_process import EtcdProcess
from tests.integration.storage.etcd_cluster import running_cluster


class ForgetfulClient(EtcdClient):
    """Loses the answers of chosen transactions, done or not.

    Attributes:
        plan: for each next transaction whether it is done before its answer is lost; others go normally.
        meanwhile: what somebody else does before the caller learns of the loss.
    """

    def __init__(self, options: EtcdOptions) -> None:
        super().__init__(options)
        self.plan: list[bool] = []
        self.meanwhile: list[pb.TxnRequest | pb.PutRequest | pb.DeleteRangeRequest] = []

    async def txn(self, request: pb.TxnRequest, timeout_seconds: float | None = None) -> pb.TxnResponse:
        if not self.plan:
            return await super().txn(request, timeout_seconds)
        if self.plan.pop(0):
            await super().txn(request, timeout_seconds)
        for other in self.meanwhile:
            if isinstance(other, pb.PutRequest):
                await self.put(other)
            elif isinstance(other, pb.DeleteRangeRequest):
                await self.delete_range(other)
        raise etcd.OutcomeUnknown("the answer was lost")


@pytest.fixture
async def client(shared_etcd: str) -> AsyncIterator[ForgetfulClient]:
    """A client that can lose answers."""
    client = ForgetfulClient(EtcdOptions(endpoints=(shared_etcd,)))
    yield client
    await client.close()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> bytes:
    """A key of the test's own."""
    return f"/lost/{request.node.name}".encode()


def theirs(key: bytes) -> pb.PutRequest:
    """Somebody else's write."""
    return pb.PutRequest(key=key, value=b"theirs")


async def test_replace_done(client: ForgetfulClient, key: bytes) -> None:
    """A replace that was done is answered with its revision."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan = [True]
    second = await store.replace(key, b"two", first)
    entry = await store.get(key)
    assert entry is not None
    assert (entry.value, entry.revision) == (b"two", second)


async def test_replace_not_done(client: ForgetfulClient, key: bytes) -> None:
    """A replace that was not done is sent again: its guard lets it happen once at most."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan = [False, False]
    second = await store.replace(key, b"two", first)
    entry = await store.get(key)
    assert entry is not None
    assert (entry.value, entry.revision) == (b"two", second)


async def test_replace_done_and_overwritten(client: ForgetfulClient, key: bytes) -> None:
    """A replace that was done and overwritten since is still answered with its own revision."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan, client.meanwhile = [True], [theirs(key), pb.DeleteRangeRequest(key=key), theirs(key)]
    second = await store.replace(key, b"two", first)
    assert second == first + 1
    entry = await store.get(key, revision=second)
    assert entry is not None
    assert entry.value == b"two"


async def test_replace_overtaken(client: ForgetfulClient, key: bytes) -> None:
    """A replace that somebody else was faster than is a mismatch with what is there now."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan, client.meanwhile = [False], [theirs(key)]
    with pytest.raises(Mismatch) as failure:
        await store.replace(key, b"two", first)
    assert failure.value.current is not None
    assert failure.value.current.value == b"theirs"


async def test_replace_with_history_gone(client: ForgetfulClient, key: bytes) -> None:
    """If the history is compacted away, nothing can be proved."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan, client.meanwhile = [True], [theirs(key), theirs(key)]
    original = client.put

    async def put_and_compact(request: pb.PutRequest, timeout_seconds: float | None = None) -> pb.PutResponse:
        answer = await original(request, timeout_seconds)
        await client.compact(answer.header.revision)
        return answer

    client.put = put_and_compact  # type: ignore[method-assign]  # the fault under test
    with pytest.raises(OutcomeUnknown):
        await store.replace(key, b"two", first)


async def test_create_done(client: ForgetfulClient, key: bytes) -> None:
    """A create that was done is answered with its revision, also when it was changed since."""
    store = EtcdStore(client)
    client.plan, client.meanwhile = [True], [theirs(key)]
    revision = await store.create(key, b"ours")
    entry = await store.get(key)
    assert entry is not None
    assert (entry.create_revision, entry.value) == (revision, b"theirs")


async def test_create_not_done(client: ForgetfulClient, key: bytes) -> None:
    """A create that was not done may come late, so its outcome is unknown, and it is not sent again."""
    store = EtcdStore(client)
    client.plan = [False]
    with pytest.raises(OutcomeUnknown):
        await store.create(key, b"ours")
    assert await store.get(key) is None


async def test_delete_done(client: ForgetfulClient, key: bytes) -> None:
    """A deletion that was done could be another's: unknown."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan = [True]
    with pytest.raises(OutcomeUnknown):
        await store.delete(key, first)


async def test_delete_not_done(client: ForgetfulClient, key: bytes) -> None:
    """A deletion that was not done is sent again."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan = [False]
    assert await store.delete(key, first) > first
    assert await store.get(key) is None


async def test_delete_overtaken(client: ForgetfulClient, key: bytes) -> None:
    """A deletion after somebody else's write is a mismatch."""
    store = EtcdStore(client)
    first = await store.create(key, b"one")
    client.plan, client.meanwhile = [False], [theirs(key)]
    with pytest.raises(Mismatch):
        await store.delete(key, first)


async def count_up(store: EtcdStore, key: bytes, until: float) -> list[tuple[bytes, int | None]]:
    """Replace a key with values of its own as fast as it goes; values with their revision, None if unknown."""
    clock = asyncio.get_running_loop().time
    outcomes: list[tuple[bytes, int | None]] = []
    while clock() < until:
        value = b"%s %d" % (key, len(outcomes))
        try:
            entry = await store.get(key, timeout_seconds=5)
            revision = await store.replace(key, value, entry.revision if entry else 0, timeout_seconds=5)
        except OutcomeUnknown:
            outcomes.append((value, None))
        except (Mismatch, StorageError):
            continue
        else:
            outcomes.append((value, revision))
    return outcomes


async def written_values(store: EtcdStore, prefix: bytes) -> dict[bytes, int]:
    """All values ever written, with their revisions; every value must have been written once."""
    values: dict[bytes, int] = {}
    newest = await store.create(prefix + b"end", b"end")
    async with aclosing(store.watch(prefix, 1)) as watch:
        async for changes in watch:
            for change in changes:
                assert change.value is not None
                assert change.value not in values, f"{change.value!r} was written twice"
                values[change.value] = change.revision
            if changes[-1].revision >= newest:
                return values
    raise AssertionError("the watch ended")


def check(outcomes: list[tuple[bytes, int | None]], values: dict[bytes, int]) -> None:
    """What callers were told is what happened."""
    told = dict(outcomes)
    for value, revision in told.items():
        if revision is not None:
            assert values.get(value) == revision, f"{value!r} was said to be done at {revision}"
    for value in values:
        assert value in told or value == b"end", f"{value!r} was said not to be done"


async def test_killed_and_restarted(etcd_process: EtcdProcess) -> None:
    """Through kills of etcd, every answer is true, every value is written at most once, and writing goes on."""
    client = EtcdClient(EtcdOptions(endpoints=(etcd_process.endpoint,)))
    store = EtcdStore(client)
    until = asyncio.get_running_loop().time() + 5
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(count_up(store, b"/w/%d" % index, until)) for index in range(16)]
        for _ in range(3):
            await asyncio.sleep(1)
            etcd_process.kill()
            await asyncio.to_thread(etcd_process.start)
    outcomes = [outcome for writer in writers for outcome in writer.result()]
    check(outcomes, await written_values(store, b"/w/"))
    assert len(outcomes) > 100
    await client.close()


async def test_leader_killed(tmp_path: Path) -> None:
    """With three members, killing them in turn loses no truth and stops writing only for an election."""
    with running_cluster(tmp_path, 3) as members:
        client = EtcdClient(EtcdOptions(endpoints=tuple(member.endpoint for member in members)))
        store = EtcdStore(client)
        until = asyncio.get_running_loop().time() + 6
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(count_up(store, b"/w/%d" % index, until)) for index in range(8)]
            for member in members:
                await asyncio.sleep(0.7)
                member.kill()
                await asyncio.sleep(0.7)
                await asyncio.to_thread(member.start)
        outcomes = [outcome for writer in writers for outcome in writer.result()]
        check(outcomes, await written_values(store, b"/w/"))
        assert len(outcomes) > 100
        await client.close()


async def test_no_quorum(tmp_path: Path) -> None:
    """Without a quorum nothing is read or written, and both say so within their time."""
    with running_cluster(tmp_path, 3) as members:
        client = EtcdClient(EtcdOptions(endpoints=tuple(member.endpoint for member in members)))
        store = EtcdStore(client)
        first = await store.create(b"/a", b"one")
        for member in members[1:]:
            member.kill()
        await asyncio.sleep(1)
        async with asyncio.timeout(10):
            with pytest.raises(StorageError):
                await store.revision(timeout_seconds=2)
            with pytest.raises((StoreUnavailable, OutcomeUnknown)):
                await store.replace(b"/a", b"two", first, timeout_seconds=2)
        members[1].launch()
        members[0].wait()
        entry = await store.get(b"/a")
        assert entry is not None
        await client.close()
