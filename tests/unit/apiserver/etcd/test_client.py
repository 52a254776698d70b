"""Which member is asked, for how long, and what is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import grpc
import grpc.aio
import pytest

from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.endpoint import Endpoint, Endpoints
from kubewire.apiserver.etcd.errors import NoAnswer, OutcomeUnknown, Unavailable
from kubewire.apiserver.etcd.http2.calls import failure, not_sent
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.etcd import rpc_pb2 as pb

READ = pb.RangeRequest(key=b"k")
WRITE = pb.PutRequest(key=b"k")
DOWN = not_sent("refused")
LOST = failure(grpc.StatusCode.UNAVAILABLE, "the connection broke")


class Member:
    """A member that answers calls with what was planned for it, and then well.

    Attributes:
        asked: how long each call could take.
    """

    def __init__(self, *plan: grpc.aio.AioRpcError | None, seconds: float = 0) -> None:
        self.asked: list[float] = []
        self._plan = list(plan)
        self._seconds = seconds

    def unary(self, _: object) -> Callable[..., Awaitable[object]]:
        return self._answer

    async def _answer(self, request: object, *, timeout: float) -> object:  # noqa: ASYNC109 - grpc's signature
        if timeout <= 0:
            raise not_sent("no time left", grpc.StatusCode.DEADLINE_EXCEEDED)
        self.asked.append(timeout)
        await asyncio.sleep(min(self._seconds, timeout))
        if self._seconds >= timeout:
            raise failure(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        error = self._plan.pop(0) if self._plan else None
        if error is not None:
            raise error
        return request

    async def close(self) -> None:
        """Nothing to close."""


def client_of(*members: Member) -> EtcdClient:
    """A client of these members: ten seconds for a call, three for a read's attempt."""
    client = EtcdClient(EtcdOptions(endpoints=("127.0.0.1:1",) * len(members)))
    client._endpoints = Endpoints(cast("Sequence[Endpoint]", members))
    return client


async def test_one_member_is_kept() -> None:
    """Calls go to the first member as long as it answers."""
    first, second = Member(), Member()
    client = client_of(first, second)
    for _ in range(3):
        await client.range(READ)
        await client.put(WRITE)
    assert (first.asked, second.asked) == ([3, 10] * 3, [])


async def test_a_lone_member_has_all_the_time() -> None:
    """Without another member to ask, a read waits as long as it may."""
    member = Member()
    await client_of(member).range(READ)
    await client_of(member).range(READ, 4)
    assert member.asked == [10, 4]


async def test_what_was_not_sent_is_sent_elsewhere() -> None:
    """A write that was certainly not sent goes to the next member at once, and the next call too."""
    first, second = Member(DOWN), Member()
    client = client_of(first, second)
    await client.put(WRITE)
    await client.put(WRITE)
    assert (len(first.asked), len(second.asked)) == (1, 2)
    assert asyncio.get_running_loop().time() == 0


async def test_a_lost_write_is_not_repeated() -> None:
    """A write whose answer was lost may have been done: nobody is asked again."""
    first, second = Member(LOST), Member()
    with pytest.raises(OutcomeUnknown):
        await client_of(first, second).put(WRITE)
    assert (len(first.asked), second.asked) == (1, [])


async def test_a_lost_read_is_repeated() -> None:
    """A read is asked again, of every member, with longer and longer pauses, for as long as it may take."""
    first, second = Member(*[LOST] * 50), Member(*[DOWN] * 50)
    with pytest.raises(Unavailable):
        await client_of(first, second).range(READ)
    assert abs(len(first.asked) - len(second.asked)) <= 1
    assert 20 < len(first.asked) < 30
    assert asyncio.get_running_loop().time() <= 10


async def test_a_member_that_hangs() -> None:
    """A read leaves a member that does not answer after three seconds, and ends when its time is over."""
    hanging, well = Member(seconds=60), Member(seconds=1)
    await client_of(hanging, well).range(READ)
    assert asyncio.get_running_loop().time() == 4
    with pytest.raises(NoAnswer):
        await client_of(Member(seconds=60), Member(seconds=60)).range(READ, 5)
    assert asyncio.get_running_loop().time() == pytest.approx(9)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time(seconds: float) -> None:
    """A call without time is not made; no time is not taken for the usual time."""
    member = Member()
    with pytest.raises(Unavailable):
        await client_of(member).put(WRITE, seconds)
    assert member.asked == []
    assert asyncio.get_running_loop().time() == 0


async def test_closing() -> None:
    """Calls that wait to be made again end when the client is closed."""
    client = client_of(Member(*[DOWN] * 50))
    asyncio.get_running_loop().call_later(1, lambda: setattr(client, "_is_closed", True))
    with pytest.raises(Unavailable):
        await client.range(READ)
    assert asyncio.get_running_loop().time() < 2
    await client.close()
