"""What every Transport promises: bytes, errors with their reasons, deadlines, cancellation, slow receivers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from kubewire.client.cause import caused_by
from kubewire.client.transport.transport import TransportClosed
from kubewire.machinery.errors import Reason, StatusError
from tests.conformance.transport.conftest import Side
from tests.conformance.transport.scripted import FAILURES, MESSAGE_BYTES, PREFIX

LONG_SECONDS = 20.0


async def call(side: Side, method: str, data: bytes = b"", timeout_seconds: float = LONG_SECONDS) -> bytes:
    """A unary call."""
    return await side.transport.unary(PREFIX + method, data, timeout_seconds=timeout_seconds)


async def messages(side: Side, method: str, data: bytes = b"", timeout_seconds: float = LONG_SECONDS) -> list[bytes]:
    """All messages of a stream."""
    async with opened(side, method, data, timeout_seconds) as stream:
        return [message async for message in stream]


def opened(
    side: Side, method: str, data: bytes = b"", timeout_seconds: float = LONG_SECONDS
) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """A stream."""
    return side.transport.stream(
        PREFIX + method, data, timeout_seconds=timeout_seconds, open_timeout_seconds=LONG_SECONDS
    )


@pytest.mark.parametrize("size", [0, 1, 5 << 20])
async def test_bytes_arrive_as_they_are(side: Side, size: int) -> None:
    """Requests and answers are not changed, empty ones and those over gRPC's default limit included."""
    data = bytes(range(256)) * (size // 256 + 1)
    assert await call(side, "GetEcho", data[:size]) == data[:size]


@pytest.mark.parametrize("name", FAILURES)
async def test_errors_keep_all_they_say(side: Side, name: str) -> None:
    """Code, reason, message and details are those the server raised, whatever gRPC code they travel with."""
    with pytest.raises(StatusError) as failure:
        await call(side, "GetError", name.encode())
    wanted = FAILURES[name]
    assert failure.value.code == wanted.code
    assert failure.value.reason == wanted.reason
    assert failure.value.message == wanted.message
    assert failure.value.details == wanted.details


async def test_a_call_ends_at_its_deadline(side: Side) -> None:
    """The caller gets Timeout, and the server's work is cancelled."""
    with pytest.raises(StatusError) as failure:
        await call(side, "CreateForever", timeout_seconds=0.2)
    assert failure.value.reason == Reason.TIMEOUT
    assert failure.value.code == 504
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


async def test_a_write_is_not_repeated(side: Side) -> None:
    """What may have been done is left to the caller."""
    with pytest.raises(StatusError):
        await call(side, "CreateForever", timeout_seconds=0.2)
    assert side.server.calls == ["CreateForever"]


async def test_cancelling_a_call_cancels_the_server(side: Side) -> None:
    """A caller that goes away does not leave work behind."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(call(side, "CreateForever"))
        await side.server.started.wait()
        task.cancel()
    assert task.cancelled()
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


async def test_user_agent_and_cause_are_sent(side: Side) -> None:
    """The server knows the program and the object version that made it act."""
    assert (await call(side, "GetContext")).startswith(b"kubelet/1.2")
    assert (await call(side, "GetContext")).endswith(b"|")
    with caused_by("Pod/default/wéb@42"):
        assert (await call(side, "GetContext")).endswith(b"|Pod/default/w%C3%A9b@42")
    assert (await call(side, "GetContext")).endswith(b"|")


async def test_warnings_are_told(side: Side) -> None:
    """What the server warns of reaches the caller, whatever its characters."""
    await call(side, "GetWarned", "spec.x: veraltet, bitte ändern".encode())
    assert side.warnings == ["spec.x: veraltet, bitte ändern"]


async def test_a_stream_ends_when_the_server_ends_it(side: Side) -> None:
    """All messages arrive, in order, and iteration ends."""
    assert await messages(side, "WatchCount", b"1000") == [str(number).encode() for number in range(1000)]
    assert await messages(side, "WatchCount", b"0") == []


async def test_a_stream_that_is_refused(side: Side) -> None:
    """The error of opening a stream is raised on entering it or, where that cannot be known yet, by its first step."""
    with pytest.raises(StatusError) as failure:
        async with opened(side, "WatchRefused", b"Expired") as stream:
            await anext(stream)
    assert failure.value.reason == Reason.EXPIRED


async def test_a_stream_is_open_when_entered(side: Side) -> None:
    """The server serves it although no message was sent."""
    async with opened(side, "WatchSilent"):
        assert side.server.calls == ["WatchSilent"]


async def test_a_stream_that_is_not_opened(side: Side) -> None:
    """Opening has a deadline of its own."""
    stream = side.transport.stream(
        PREFIX + "WatchNeverOpened", b"", timeout_seconds=LONG_SECONDS, open_timeout_seconds=0.2
    )
    with pytest.raises(StatusError) as failure:
        async with stream:
            pytest.fail("the stream is not open")
    assert failure.value.reason == Reason.TIMEOUT
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


@pytest.mark.parametrize("name", ["Expired", "Unavailable"])
async def test_a_stream_that_fails(side: Side, name: str) -> None:
    """What was sent before a failure arrives before it."""
    async with opened(side, "WatchThenFail", name.encode()) as stream:
        assert await anext(stream) == b"one"
        with pytest.raises(StatusError) as failure:
            await anext(stream)
    assert failure.value.reason == FAILURES[name].reason


async def test_closing_a_stream_ends_it_on_the_server(side: Side) -> None:
    """A receiver that has seen enough leaves nothing running."""
    async with opened(side, "WatchEndless", b"") as stream:
        await anext(stream)
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)
    assert side.server.closed == 1


async def test_cancelling_a_receiver_ends_its_stream(side: Side) -> None:
    """Cancellation while waiting for a message ends the stream on the server."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(messages(side, "WatchSilent"))
        await side.server.started.wait()
        task.cancel()
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


async def test_a_stream_ends_at_its_deadline(side: Side) -> None:
    """A silent stream does not outlive its deadline."""
    with pytest.raises(StatusError) as failure:
        await messages(side, "WatchSilent", timeout_seconds=0.2)
    assert failure.value.reason == Reason.TIMEOUT
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


async def test_a_slow_receiver_slows_the_sender(side: Side) -> None:
    """While nobody takes messages the server stops making them after at most some megabytes."""
    async with opened(side, "WatchEndless", b"") as stream:
        await anext(stream)
        before = -1
        while before != side.server.produced:
            before = side.server.produced
            await asyncio.sleep(0.3)
        assert before * MESSAGE_BYTES < 32 << 20


async def test_many_calls_run_side_by_side(side: Side) -> None:
    """Hundreds of calls and streams share a transport, and each gets its own answer."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(side, "GetEcho", str(number).encode())) for number in range(300)]
        streams = [group.create_task(messages(side, "WatchCount", b"20")) for _ in range(30)]
    assert [task.result() for task in calls] == [str(number).encode() for number in range(300)]
    assert {len(task.result()) for task in streams} == {20}


async def test_a_closed_transport_refuses(side: Side) -> None:
    """After close, calls and streams are refused; closing again is harmless."""
    await side.transport.close()
    with pytest.raises(TransportClosed):
        await call(side, "GetEcho")
    with pytest.raises(TransportClosed):
        await messages(side, "WatchCount", b"1")
    await side.transport.close()


@pytest.mark.parametrize("method", ["CreateForever", "WatchSilent"])
async def test_closing_ends_what_runs(side: Side, method: str) -> None:
    """Calls and streams that run when the transport is closed end with TransportClosed, not as if cancelled."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_outcome(side, method))
        await side.server.started.wait()
        await side.transport.close()
    assert isinstance(task.result(), TransportClosed)
    await asyncio.wait_for(side.server.cancelled.wait(), LONG_SECONDS)


async def _outcome(side: Side, method: str) -> object:
    try:
        return await (messages if method.startswith("Watch") else call)(side, method)
    except TransportClosed as error:
        return error
