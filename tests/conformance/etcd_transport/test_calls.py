"""Calls and streams against a grpc server: what both transports must do alike."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from tests.conformance.etcd_transport.calling import LONG_SECONDS, call, eventually, failure_of, settled, stream
from tests.conformance.etcd_transport.conftest import Connect
from tests.conformance.etcd_transport.server import Behaviour, serving
from tests.conformance.etcd_transport.transports import Address, Stream, Transport

LARGE = 10 << 20

STREAMS = (
    ("grpc.max_concurrent_streams", 10),
    # Otherwise it refuses streams within its own limit while it still cleans up after earlier ones.
    ("grpc.http.overload_protection", 0),
)


async def test_a_call(transport: Transport, behaviour: Behaviour) -> None:
    """A request goes out with its metadata, and its answer comes back."""
    assert await call(transport, "Echo", b"hello") == b"hello"
    assert behaviour.metadata["hasleader"] == "true"
    assert await call(transport, "Echo", b"") == b""


@pytest.mark.parametrize("text", ["", "plain", "50% of a b\tc", "zürich → 東京", "%41", "x" * 3000])
async def test_statuses(transport: Transport, text: str) -> None:
    """An error's code and text arrive, whatever characters it is of."""
    error = await failure_of(transport, "Fail", f"FAILED_PRECONDITION {text}".encode())
    assert (error.code(), error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, text)


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
async def test_codes(transport: Transport, code: grpc.StatusCode) -> None:
    """Every code arrives as such."""
    assert (await failure_of(transport, "Fail", f"{code.name} text".encode())).code() is code


async def test_unknown_methods(transport: Transport) -> None:
    """A method that the server does not have is UNIMPLEMENTED."""
    assert (await failure_of(transport, "Nothing", b"")).code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("size", [16_379, 16_380, 65_530, 65_531, LARGE])
async def test_large_messages(transport: Transport, size: int) -> None:
    """Messages about the size of a frame and of a window, and much larger, go both ways."""
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert await call(transport, "Echo", content) == content


async def test_large_answers(transport: Transport) -> None:
    """Answers far over every window arrive, several at once."""
    answers = await asyncio.gather(*(call(transport, "Large", b"%d" % LARGE) for _ in range(4)))
    assert [len(answer) for answer in answers] == [LARGE] * 4


async def test_many_calls(transport: Transport) -> None:
    """Two thousand calls at once get each its own answer."""
    requests = [b"%d" % number * (number % 100) for number in range(2000)]
    assert await asyncio.gather(*(call(transport, "Echo", request) for request in requests)) == requests


async def test_a_limit_of_streams(address: Address, behaviour: Behaviour, connect: Connect) -> None:
    """More calls than the server takes at once are all answered."""
    async with serving(address, behaviour, options=STREAMS):
        transport = connect(address)
        requests = [b"%d" % number for number in range(500)]
        assert await asyncio.gather(*(call(transport, "Echo", request) for request in requests)) == requests


async def test_deadlines(transport: Transport, behaviour: Behaviour) -> None:
    """A call ends at its deadline, at the server too."""
    error = await failure_of(transport, "Wait", b"", 0.3)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(LONG_SECONDS):
        await behaviour.cancelled.wait()


async def test_cancellation(transport: Transport, behaviour: Behaviour) -> None:
    """A call whose task is cancelled is cancelled at the server."""
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(call(transport, "Wait", b""))
        await behaviour.arrived.wait()
        calling.cancel()
    async with asyncio.timeout(LONG_SECONDS):
        await behaviour.cancelled.wait()
    assert await call(transport, "Echo", b"still here") == b"still here"


async def test_a_chat(transport: Transport) -> None:
    """A stream goes back and forth, and ends with the server's OK."""
    chat = stream(transport, "Chat")
    for number in range(200):
        await chat.write(b"%d" % number)
        assert await chat.read() == b"%d" % number
    await chat.write(b"end")
    assert await chat.read() is None
    chat.cancel()


async def test_streams_ahead_of_their_answers(transport: Transport) -> None:
    """What is written before anything is read is answered in order, large messages too."""
    chat = stream(transport, "Chat")
    await chat.write(b"begin")
    assert await chat.read() == b"begin"
    sizes = [1, 100_000, 0, LARGE, 3]

    async def write() -> None:
        for size in sizes:
            await chat.write(bytes(size))

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for size in sizes:
            assert await chat.read() == bytes(size)
    chat.cancel()


async def test_a_stream_that_fails(transport: Transport) -> None:
    """A stream's error comes after the messages before it, and comes again."""
    chat = stream(transport, "Chat")
    await chat.write(b"1")
    await chat.write(b"fail")
    assert await chat.read() == b"1"
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await chat.read()
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.DATA_LOSS, "as asked")
    with pytest.raises(grpc.aio.AioRpcError):
        await chat.write(b"more")


async def test_cancelling_a_stream(transport: Transport, behaviour: Behaviour) -> None:
    """Cancelling a stream ends it at the server, and ends whoever reads it; twice is as good as once."""
    chat = stream(transport, "Chat")
    await chat.write(b"wait")
    await behaviour.arrived.wait()
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_read_failure(chat))
        await asyncio.sleep(0)
        chat.cancel()
        chat.cancel()
    assert reading.result().code() is grpc.StatusCode.CANCELLED
    async with asyncio.timeout(LONG_SECONDS):
        await behaviour.cancelled.wait()


async def _read_failure(chat: Stream[bytes, bytes]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await chat.read()
    return error.value


async def test_a_slow_reader(transport: Transport, behaviour: Behaviour) -> None:
    """A server that streams faster than anybody reads is held back, and nothing is lost."""
    count, size = 600, 100_000
    messages = stream(transport, "Stream")
    await messages.write(b"%d %d" % (count, size))
    await eventually(lambda: behaviour.streamed > 0)
    ahead = await settled(lambda: behaviour.streamed)
    assert ahead < count // 2
    for number in range(count):
        message = await messages.read()
        assert message is not None
        assert (len(message), int.from_bytes(message[:4], "big")) == (size, number)
    assert await messages.read() is None
    assert await call(transport, "Echo", b"meanwhile") == b"meanwhile"


async def test_a_slow_reader_holds_up_nobody(transport: Transport, behaviour: Behaviour) -> None:
    """While a stream is not read, calls go on and so do other streams."""
    stuck = stream(transport, "Stream")
    await stuck.write(b"1000 100000")
    await settled(lambda: behaviour.streamed)
    assert len(await call(transport, "Large", b"%d" % LARGE)) == LARGE
    other = stream(transport, "Stream")
    await other.write(b"100 100000")
    assert [len(await other.read() or b"") for _ in range(100)] == [100_000] * 100
    stuck.cancel()
    other.cancel()


async def test_uploads(transport: Transport) -> None:
    """Many large messages in one direction all arrive."""
    upload = stream(transport, "Take")
    for _ in range(100):
        await upload.write(bytes(300_000))
    await upload.write(b"")
    assert await upload.read() == b"30000000"
    upload.cancel()


async def test_many_streams(transport: Transport) -> None:
    """Streams do not get into each other's way."""

    async def chat(number: int) -> None:
        one = stream(transport, "Chat")
        for round_ in range(10):
            await one.write(b"%d %d" % (number, round_))
        assert [await one.read() for _ in range(10)] == [b"%d %d" % (number, round_) for round_ in range(10)]
        one.cancel()

    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(chat(number))
