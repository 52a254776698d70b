"""Two ends of a SPDY connection, joined in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.frames import Data, FrameReader, FrameWriter, Pinged, Reset
from kubewire.component.spdy.session import SpdySession
from kubewire.component.spdy.stream import Stream


class Wire:
    """Bytes in one direction."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent = 0

    async def send(self, data: bytes) -> None:
        self.sent += len(data)
        self.pieces.put_nowait(data)


class Ends:
    """A client and a server; `opened` has the streams that the server was told of."""

    def __init__(self) -> None:
        self.to_server, self.to_client = Wire(), Wire()
        self.opened: asyncio.Queue[Stream] = asyncio.Queue()
        self.client = SpdySession(self.to_server.send, is_client=True)
        self.server = SpdySession(self.to_client.send, is_client=False, on_stream=self.opened.put_nowait)


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    """Both ends, reading."""
    ends = Ends()
    async with asyncio.TaskGroup() as group:
        reading = [
            group.create_task(ends.client.run(ends.to_client.pieces.get)),
            group.create_task(ends.server.run(ends.to_server.pieces.get)),
        ]
        yield ends
        for task in reading:
            task.cancel()


async def test_streams_carry_both_ways_and_end_by_themselves() -> None:
    """Each half of a stream ends by itself, as a command that reads all its input and then answers needs it."""
    async with connected() as ends:
        ours = await ends.client.open({"streamType": "stdin"})
        theirs = await ends.opened.get()
        assert theirs.headers == {"streamtype": "stdin"}
        await ours.write(b"question")
        await ours.finish()
        assert await theirs.read_all(100) == b"question"
        await theirs.write(b"answer")
        await theirs.finish()
        assert await ours.read_all(100) == b"answer"
        await ours.is_accepted.wait()


async def test_what_is_done_is_forgotten() -> None:
    """Streams that ended in both directions leave nothing behind on either side."""
    async with connected() as ends:
        for _ in range(50):
            ours = await ends.client.open({})
            await ours.finish()
            theirs = await ends.opened.get()
            await theirs.finish()
            assert await ours.read() == b""
            assert await theirs.read() == b""
        assert not ends.client._streams
        assert not ends.server._streams


async def test_a_reset_ends_both_halves() -> None:
    """Whoever reads sees the end, and what is written is dropped."""
    async with connected() as ends:
        ours = await ends.client.open({})
        theirs = await ends.opened.get()
        await theirs.reset()
        assert await ours.read() == b""
        before = ends.to_server.sent
        await ours.write(b"lost")
        await ours.finish()
        assert ends.to_server.sent == before


async def test_a_slow_reader_stops_the_connection_and_nothing_piles_up() -> None:
    """A stream that nobody reads holds a few pieces; the rest stays where it came from."""
    async with connected() as ends:
        ours = await ends.client.open({})
        theirs = await ends.opened.get()
        for _ in range(100):
            await ours.write(b"x")
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(theirs._pieces) <= 16
        assert ends.to_server.pieces.qsize() > 80
        await ours.finish()
        assert await theirs.read_all(1000) == b"x" * 100


async def test_a_stream_given_up_no_longer_holds_the_others() -> None:
    """Once a slow stream is reset, the connection goes on."""
    async with connected() as ends:
        slow = await ends.client.open({})
        theirs = await ends.opened.get()
        for _ in range(50):
            await slow.write(b"x")
        other = await ends.client.open({})
        await theirs.reset()
        second = await ends.opened.get()
        await other.write(b"still here")
        assert await second.read() == b"still here"


async def test_the_end_of_the_connection_is_the_end_of_all_streams() -> None:
    """Readers are not left waiting."""
    ends = Ends()
    stream = await ends.client.open({})
    ends.to_client.pieces.put_nowait(b"")
    await ends.client.run(ends.to_client.pieces.get)
    assert await stream.read() == b""


async def test_pings_are_given_back_but_answers_are_not() -> None:
    """A server answers odd pings, which are the client's; even ones are answers to its own."""
    ends = Ends()
    for piece in (FrameWriter.pinged(1), FrameWriter.pinged(2), b""):
        ends.to_server.pieces.put_nowait(piece)
    await ends.server.run(ends.to_server.pieces.get)
    assert list(FrameReader().feed(ends.to_client.pieces.get_nowait())) == [Pinged(1)]
    assert ends.to_client.pieces.empty()


async def test_streams_nobody_wants_are_refused() -> None:
    """A client takes no streams from its server."""
    ends = Ends()
    for piece in (FrameWriter().opened(2, {}), FrameWriter.data(2, b"x"), b""):
        ends.to_client.pieces.put_nowait(piece)
    await ends.client.run(ends.to_client.pieces.get)
    assert list(FrameReader().feed(ends.to_server.pieces.get_nowait())) == [Reset(2)]


async def test_a_stream_that_is_opened_twice_ends_the_connection() -> None:
    """Two streams of one number could not be told apart."""
    ends, writer = Ends(), FrameWriter()
    for piece in (writer.opened(1, {}), writer.opened(1, {}), b""):
        ends.to_server.pieces.put_nowait(piece)
    with pytest.raises(SpdyError, match="twice"):
        await ends.server.run(ends.to_server.pieces.get)


async def test_long_data_is_sent_in_frames() -> None:
    """What is written at once may be of any length."""
    ends = Ends()
    stream = await ends.client.open({})
    ends.to_server.pieces.get_nowait()
    await stream.write(b"x" * 200_000)
    events = [event for _ in range(4) for event in FrameReader().feed(ends.to_server.pieces.get_nowait())]
    assert sum(len(event.data) for event in events if isinstance(event, Data)) == 200_000
