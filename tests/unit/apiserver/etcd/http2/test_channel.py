"""A channel: one attempt to connect for all who wait, each for its own time; and what it hands out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import grpc
import grpc.aio
import pytest
from google.protobuf.message import DecodeError

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import NotSent, framed
from kubewire.apiserver.etcd.http2.channel import RETRY_SECONDS, Channel, Target, Timing
from kubewire.apiserver.etcd.http2.connection import Connection
from kubewire.apiserver.etcd.http2.frames import Frame
from tests.unit.apiserver.etcd.http2.peer import Peer, goaway, of_type

DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED
MAKE = Callable[[], Connection]


def read(message: bytes) -> bytes:
    """A parser that does not like everything."""
    if message == b"nonsense":
        raise DecodeError("nonsense")
    return message


class Tls(Protocol):
    """What is asked of TLS."""

    def selected_alpn_protocol(self) -> str | None: ...


class Http1:
    """TLS to a peer that knows no HTTP/2."""

    def selected_alpn_protocol(self) -> str | None:
        return "http/1.1"


class Network:
    """Stands for the loop's sockets.

    Attributes:
        peers: whoever was connected to, in order; the last one greets unless it is silent.
        attempts: when a connection was asked for.
        seconds: how long connecting takes.
        error: what it ends with.
        greets: whether a peer sends its settings.
    """

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.attempts: list[float] = []
        self.asked: list[dict[str, object]] = []
        self.seconds = 0.0
        self.error: Exception | None = None
        self.greets = True
        self.tls: Tls | None = None
        self._connected = asyncio.Event()

    async def peer(self) -> Peer:
        """Whoever was connected to last, once there is anybody."""
        await self._connected.wait()
        return self.peers[-1]

    async def connect(self, make: MAKE, *where: object, **how: object) -> tuple[asyncio.BaseTransport, Connection]:
        """As `loop.create_connection`."""
        self.attempts.append(asyncio.get_running_loop().time())
        self.asked.append({"where": where, **how})
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        peer = Peer(make(), self.tls)
        if self.greets:
            peer.say(frames.settings({}))
        self.peers.append(peer)
        self._connected.set()
        return peer.transport, peer.connection


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A network of one peer that answers at once."""
    made = Network()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_connection", made.connect)
    monkeypatch.setattr(loop, "create_unix_connection", made.connect)
    return made


@pytest.fixture
async def channel() -> Channel:
    """A channel that connects within two seconds."""
    return Channel(Target(host="member", port=2379), Timing(2, 10, 5))


async def call(channel: Channel, seconds: float = 10) -> bytes:
    """A unary call."""
    return await channel.unary("/s/M", bytes, read, ())(b"ask", timeout=seconds)


async def outcome(waiting: Awaitable[object]) -> tuple[type[Exception], grpc.StatusCode, float]:
    """What a call fails with, and when."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await waiting
    return type(error.value), error.value.code(), asyncio.get_running_loop().time()


async def answer_soon(network: Network, message: bytes = b"answer") -> None:
    """Answer the next call of the newest connection."""
    peer = await network.peer()
    opened: list[Frame] = []
    while not opened:
        opened = of_type(await peer.heard(), frames.HEADERS)
    peer.say(*(peer.answer(one.stream, message) for one in opened))


async def test_a_call(network: Network, channel: Channel) -> None:
    """A call connects when it has to, and the next one uses what is there."""
    for _ in range(2):
        async with asyncio.TaskGroup() as group:
            group.create_task(answer_soon(network))
            assert await call(channel) == b"answer"
    assert len(network.peers) == 1
    await channel.close()


async def test_many_calls_share_an_attempt(network: Network, channel: Channel) -> None:
    """Calls that come while the channel connects wait for the same attempt, and share its failure."""
    network.seconds, network.error = 1, ConnectionRefusedError("refused")
    waiting = [outcome(call(channel)) for _ in range(100)]
    assert set(await asyncio.gather(*waiting)) == {(NotSent, grpc.StatusCode.UNAVAILABLE, 1.0)}
    assert len(network.attempts) == 1


async def test_a_failure_lasts_a_moment(network: Network, channel: Channel) -> None:
    """Right after a failure nobody tries again; a little later somebody does."""
    network.error = ConnectionRefusedError("refused")
    for _ in range(3):
        await outcome(call(channel))
    assert network.attempts == [0]
    await asyncio.sleep(RETRY_SECONDS)
    await outcome(call(channel))
    assert network.attempts == [0, RETRY_SECONDS]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError("refused"), "failed to connect to member:2379: refused"),
        (OSError(), "failed to connect to member:2379: OSError"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
async def test_failures_to_connect(network: Network, channel: Channel, error: Exception, text: str) -> None:
    """Whatever keeps us from connecting, the call was not sent."""
    network.error = error
    with pytest.raises(NotSent, match=text):
        await call(channel)
    with pytest.raises(NotSent):
        await channel.stream("/s/M", bytes, read, ()).write(b"ask")


async def test_connecting_takes_too_long(network: Network, channel: Channel) -> None:
    """An attempt ends after two seconds: without a connection, or with one whose peer does not greet."""
    network.seconds = 60
    assert await outcome(call(channel)) == (NotSent, grpc.StatusCode.UNAVAILABLE, 2.0)
    network.seconds, network.greets = 0, False
    await asyncio.sleep(1)
    assert await outcome(call(channel)) == (NotSent, grpc.StatusCode.UNAVAILABLE, 5.0)
    assert network.peers[0].transport.is_closing()


async def test_deadline_while_connecting(network: Network, channel: Channel) -> None:
    """A call whose time is over while the channel connects ends then, unsent; the attempt goes on for the others."""
    network.seconds = 1
    async with asyncio.TaskGroup() as group:
        hasty = group.create_task(outcome(call(channel, seconds=0.5)))
        patient = group.create_task(call(channel))
        group.create_task(answer_soon(network))
    assert hasty.result() == (NotSent, DEADLINE_EXCEEDED, 0.5)
    assert patient.result() == b"answer"
    assert len(network.attempts) == 1
    await channel.close()


async def test_cancelled_while_connecting(network: Network, channel: Channel) -> None:
    """Cancelling the call that began to connect does not disturb the others."""
    network.seconds = 1
    async with asyncio.TaskGroup() as group:
        first = group.create_task(call(channel))
        other = group.create_task(call(channel))
        await asyncio.sleep(0.5)
        first.cancel()
        await answer_soon(network)
    assert first.cancelled()
    assert other.result() == b"answer"
    assert len(network.attempts) == 1
    sent = bytes(network.peers[0].transport.written)
    assert sent.count(b"ask") == 1
    await channel.close()


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_left(network: Network, channel: Channel, seconds: float) -> None:
    """A call without time is not begun."""
    assert await outcome(call(channel, seconds=seconds)) == (NotSent, DEADLINE_EXCEEDED, 0.0)
    assert network.attempts == []


async def test_deadline_of_a_call(network: Network, channel: Channel) -> None:
    """A call that was sent and got no answer in time may have been done; connecting counts to its time."""
    network.seconds = 1
    assert await outcome(call(channel, seconds=3)) == (grpc.aio.AioRpcError, DEADLINE_EXCEEDED, 3.0)
    resets = of_type(await network.peers[0].heard(), frames.RST_STREAM)
    assert [one.stream for one in resets] == [1]
    await channel.close()


async def test_deadline_of_a_call_that_waits(network: Network, channel: Channel) -> None:
    """A call that had no stream by its deadline was not sent."""
    await channel.connect()
    network.peers[0].say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 0}))
    assert await outcome(call(channel, seconds=3)) == (NotSent, DEADLINE_EXCEEDED, 3.0)
    await channel.close()


async def test_cancelled_calls(network: Network, channel: Channel) -> None:
    """A call whose task is cancelled is ended at the peer."""
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(call(channel))
        await asyncio.sleep(1)
        calling.cancel()
    assert [one.stream for one in of_type(await network.peers[0].heard(), frames.RST_STREAM)] == [1]
    await channel.close()


async def test_answers_that_cannot_be_parsed(network: Network, channel: Channel) -> None:
    """An answer that is no such message is an error of the call: it was done, so it is not said that it was not."""
    async with asyncio.TaskGroup() as group:
        group.create_task(answer_soon(network, b"nonsense"))
        assert (await outcome(call(channel)))[:2] == (grpc.aio.AioRpcError, grpc.StatusCode.INTERNAL)
    await channel.close()


async def test_connecting_again(network: Network, channel: Channel) -> None:
    """After a connection is lost or going away the next call makes another; the old one ends its calls."""
    first = await channel.connect()
    stream = channel.stream("/s/M", bytes, read, ())
    await stream.write(b"watch")
    network.peers[0].say(goaway(frames.LAST_STREAM))
    second = await channel.connect()
    assert second is not first
    old = network.peers[0]
    old.say(old.headers(1), old.data(1, framed(b"still")))
    assert await stream.read() == b"still"
    second.connection_lost(None)
    third = await channel.connect()
    assert third not in {first, second}
    await channel.close()
    assert first.is_gone
    assert third.is_gone


async def test_lost_before_the_call_begins(network: Network, channel: Channel) -> None:
    """A connection that breaks between being made and being used leaves nobody waiting for an answer."""

    async def lose() -> None:
        (await network.peer()).connection.connection_lost(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(lose())
        calling = [group.create_task(outcome(call(channel))) for _ in range(3)]
    assert {task.result()[0] for task in calling} == {NotSent}


async def test_closing_while_connecting(network: Network, channel: Channel) -> None:
    """Closing ends the attempt and every call that waits for it, and leaves no connection behind."""
    for greets in (True, False):
        network.seconds, network.greets = float(greets), greets
        other = Channel(Target(host="member", port=2379), Timing(2, 10, 5))
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(outcome(call(other))) for _ in range(3)]
            await asyncio.sleep(0.5)
            await other.close()
        assert {task.result()[:2] for task in waiting} == {(NotSent, grpc.StatusCode.UNAVAILABLE)}
    assert all(peer.transport.is_closing() for peer in network.peers)


async def test_after_closing(network: Network, channel: Channel) -> None:
    """A closed channel connects no more; closing twice is harmless."""
    await channel.connect()
    stream = channel.stream("/s/M", bytes, read, ())
    await stream.write(b"watch")
    await channel.close()
    await channel.close()
    assert (await outcome(stream.read()))[:2] == (grpc.aio.AioRpcError, grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(NotSent, match="the channel was closed"):
        await call(channel)
    assert len(network.attempts) == 1


async def test_tls_without_http2(network: Network, channel: Channel) -> None:
    """A peer that chose another protocol behind TLS is not talked to."""
    network.tls = Http1()
    with pytest.raises(NotSent, match="does not speak HTTP/2"):
        await call(channel)
    assert network.peers[0].transport.is_closing()


# Streams.


async def test_a_stream(network: Network, channel: Channel) -> None:
    """What is written arrives in order, what is answered is read, and the end is told."""
    stream = channel.stream("/s/M", bytes, read, ())
    await stream.write(b"1")
    await stream.write(b"2")
    peer = network.peers[0]
    assert [one.payload for one in of_type(await peer.heard(), frames.DATA)] == [framed(b"1"), framed(b"2")]
    peer.say(peer.headers(1), peer.data(1, framed(b"nonsense") + framed(b"good")))
    assert (await outcome(stream.read()))[1] is grpc.StatusCode.INTERNAL
    assert await stream.read() == b"good"
    peer.say(peer.trailers(1))
    assert await stream.read() is None
    assert (await outcome(stream.write(b"3")))[:2] == (grpc.aio.AioRpcError, grpc.StatusCode.UNAVAILABLE)
    stream.cancel()
    await channel.close()


async def test_a_stream_that_waits_for_its_number(network: Network, channel: Channel) -> None:
    """A stream over the peer's limit keeps its writer waiting, and what it writes is not lost."""
    await channel.connect()
    peer = network.peers[0]
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 0}))
    stream = channel.stream("/s/M", bytes, read, ())
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(stream.write(b"1"))
        await asyncio.sleep(1)
        assert not writing.done()
        peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 1}))
    await stream.write(b"2")
    assert [one.payload for one in of_type(await peer.heard(), frames.DATA)] == [framed(b"1"), framed(b"2")]
    await channel.close()


async def test_a_stream_cancelled_while_connecting(network: Network, channel: Channel) -> None:
    """A stream that is cancelled before it was opened is not opened."""
    network.seconds = 1
    stream = channel.stream("/s/M", bytes, read, ())
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(outcome(stream.write(b"1")))
        await asyncio.sleep(0.5)
        stream.cancel()
    assert writing.result()[:2] == (NotSent, grpc.StatusCode.CANCELLED)
    assert of_type(await network.peers[0].heard(), frames.HEADERS) == []
    await channel.close()


async def test_cancelling_a_stream(network: Network, channel: Channel) -> None:
    """Cancelling ends the stream at the peer and whoever reads; before the first write there is nothing to read."""
    stream = channel.stream("/s/M", bytes, read, ())
    assert (await outcome(stream.read()))[1] is grpc.StatusCode.FAILED_PRECONDITION
    await stream.write(b"1")
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(outcome(stream.read()))
        await asyncio.sleep(1)
        stream.cancel()
        stream.cancel()
    assert reading.result()[1] is grpc.StatusCode.CANCELLED
    assert [one.stream for one in of_type(await network.peers[0].heard(), frames.RST_STREAM)] == [1]
    await channel.close()


# Targets.


@pytest.mark.parametrize(
    ("target", "authority", "text"),
    [
        (Target(host="127.0.0.1", port=1), "127.0.0.1:1", "127.0.0.1:1"),
        (Target(host="::1", port=1), "[::1]:1", "[::1]:1"),
        (Target(path="/run/etcd.sock"), "localhost", "unix:/run/etcd.sock"),
    ],
)
def test_targets(target: Target, authority: str, text: str) -> None:
    """A target has an authority as HTTP wants it, and a name for people."""
    assert (target.authority, str(target)) == (authority, text)


async def test_unix_sockets(network: Network) -> None:
    """A socket's path is connected to as such."""
    channel = Channel(Target(path="/run/etcd.sock"), Timing(2, 10, 5))
    await channel.connect()
    assert network.asked == [{"where": ("/run/etcd.sock",), "ssl": None, "server_hostname": None}]
    await channel.close()
