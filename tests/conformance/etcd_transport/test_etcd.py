"""Both transports against a real etcd, whose server is another implementation of HTTP/2 and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from kubewire.apiserver.etcd.http2.channel import Channel, Target, Timing
from kubewire.apiserver.etcd.methods import PUT, RANGE, TXN, WATCH, Method, Request, Response
from kubewire.etcd import rpc_pb2 as pb
from tests.conformance.etcd_transport.calling import LONG_SECONDS
from tests.conformance.etcd_transport.conftest import Connect
from tests.conformance.etcd_transport.transports import Address, Stream, Transport
from tests.etcd_process import EtcdProcess, find_free_port

LEADER = (("hasleader", "true"),)


@pytest.fixture
async def etcd_transport(shared_etcd: str, connect: Connect) -> Transport:
    """A transport to an etcd."""
    return connect(Address(port=int(shared_etcd.rpartition(":")[2])))


@pytest.fixture
def key() -> bytes:
    """A key of the test's own."""
    return f"/transport/{uuid4()}/".encode()


async def ask(transport: Transport, method: Method[Request, Response], request: Request) -> Response:
    """A unary call of etcd's."""
    unary = transport.unary(method.path, method.request.SerializeToString, method.response.FromString, LEADER)
    return await unary(request, timeout=LONG_SECONDS)


async def refused(transport: Transport, method: Method[Request, Response], request: Request) -> tuple[object, str]:
    """Code and text of what a call fails with."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await ask(transport, method, request)
    return error.value.code(), error.value.details() or ""


async def watch(transport: Transport, key: bytes) -> Stream[pb.WatchRequest, pb.WatchResponse]:
    """A confirmed watch of everything below a key."""
    made: Stream[pb.WatchRequest, pb.WatchResponse] = transport.stream(
        WATCH.path, WATCH.request.SerializeToString, WATCH.response.FromString, LEADER
    )
    create = pb.WatchCreateRequest(key=key, range_end=key + b"\xff", fragment=True)
    await made.write(pb.WatchRequest(create_request=create))
    created = await made.read()
    assert created is not None
    assert created.created
    return made


async def test_writing_and_reading(etcd_transport: Transport, key: bytes) -> None:
    """What is written is read, in a transaction too."""
    await ask(etcd_transport, PUT, pb.PutRequest(key=key, value=b"v"))
    answer = await ask(etcd_transport, RANGE, pb.RangeRequest(key=key))
    assert answer.kvs[0].value == b"v"
    request = pb.TxnRequest(success=[pb.RequestOp(request_range=pb.RangeRequest(key=key))])
    assert (await ask(etcd_transport, TXN, request)).succeeded


async def test_refusals(etcd_transport: Transport, key: bytes) -> None:
    """etcd's errors arrive with code and text, also those that come before it has read the whole request."""
    future = pb.RangeRequest(key=key, revision=1 << 40)
    text = "etcdserver: mvcc: required revision is a future revision"
    assert await refused(etcd_transport, RANGE, future) == (grpc.StatusCode.OUT_OF_RANGE, text)
    too_large = pb.PutRequest(key=key, value=bytes(1_700_000))
    text = "etcdserver: request is too large"
    assert await refused(etcd_transport, PUT, too_large) == (grpc.StatusCode.INVALID_ARGUMENT, text)
    code, text = await refused(etcd_transport, PUT, pb.PutRequest(key=key, value=bytes(8 << 20)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "received message larger than max" in text
    await ask(etcd_transport, PUT, pb.PutRequest(key=key, value=b"v"))


async def test_large_messages(etcd_transport: Transport, key: bytes) -> None:
    """Ten megabytes in pieces that etcd takes come back in one answer."""
    value = bytes(range(256)) * 4096
    writes = (pb.PutRequest(key=key + b"%02d" % number, value=value) for number in range(10))
    await asyncio.gather(*(ask(etcd_transport, PUT, request) for request in writes))
    answer = await ask(etcd_transport, RANGE, pb.RangeRequest(key=key, range_end=key + b"\xff"))
    assert [kv.value for kv in answer.kvs] == [value] * 10


async def test_many_calls(etcd_transport: Transport, key: bytes) -> None:
    """Two thousand writes at once are all done, each at a revision of its own."""
    writes = (pb.PutRequest(key=key + b"%d" % number) for number in range(2000))
    answers = await asyncio.gather(*(ask(etcd_transport, PUT, request) for request in writes))
    assert len({answer.header.revision for answer in answers}) == 2000


async def test_a_watch_that_is_not_read(etcd_transport: Transport, key: bytes) -> None:
    """Fifty megabytes of changes wait for a watch that is not read, and are all there when it is."""
    watching = await watch(etcd_transport, key)
    for number in range(50):
        await ask(etcd_transport, PUT, pb.PutRequest(key=key, value=b"%d" % number + bytes(1 << 20)))
    found: list[int] = []
    while len(found) < 50:
        answer = await watching.read()
        assert answer is not None
        found += [int(event.kv.value.partition(b"\0")[0]) for event in answer.events]
    assert found == list(range(50))
    watching.cancel()


async def test_many_watches(etcd_transport: Transport, key: bytes) -> None:
    """A hundred watches each see every change."""
    watches = [await watch(etcd_transport, key) for _ in range(100)]
    for number in range(10):
        await ask(etcd_transport, PUT, pb.PutRequest(key=key, value=b"%d" % number))
    for watching in watches:
        found: list[bytes] = []
        while len(found) < 10:
            answer = await watching.read()
            assert answer is not None
            found += [event.kv.value for event in answer.events]
        assert found == [b"%d" % number for number in range(10)]
        watching.cancel()


class StrictEtcd(EtcdProcess):
    """An etcd that takes four calls at a time of each client."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--max-concurrent-streams=4"]


@pytest.fixture
def strict_etcd(tmp_path: Path) -> Iterator[StrictEtcd]:
    """An etcd of the test's own."""
    member = StrictEtcd(tmp_path, find_free_port())
    try:
        member.start()
        yield member
    finally:
        member.kill()


async def test_four_calls_at_a_time(strict_etcd: StrictEtcd, connect: Connect, key: bytes) -> None:
    """Hundreds of calls beside a watch, four streams at a time, are all done."""
    transport = connect(Address(port=strict_etcd.client_port))
    watching = await watch(transport, key)
    writes = (pb.PutRequest(key=key + b"%d" % number) for number in range(300))
    await asyncio.gather(*(ask(transport, PUT, request) for request in writes))
    seen = 0
    while seen < 300:
        answer = await watching.read()
        assert answer is not None
        seen += len(answer.events)
    watching.cancel()


@pytest.mark.long
async def test_pings(etcd: str, key: bytes) -> None:
    """etcd puts up with our pings: a silent watch lives on, and so does a connection that was idle in between.

    It ends connections that are pinged more than twice too early or without a call.
    """
    channel = Channel(Target(host="127.0.0.1", port=int(etcd.rpartition(":")[2])), Timing(2, 6, 5))
    first = await channel.connect()
    for _ in range(2):
        watching = await watch(channel, key)
        await asyncio.sleep(32)
        watching.cancel()
        await asyncio.sleep(32)
    assert await channel.connect() is first
    assert first.is_open
    await channel.close()
