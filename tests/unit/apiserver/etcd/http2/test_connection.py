"""A connection: streams open and end as HTTP/2 has it, and each call learns what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import Call, NotSent, framed
from kubewire.apiserver.etcd.http2.connection import RECEIVE_WINDOW, Connection
from kubewire.apiserver.etcd.http2.frames import Frame
from tests.unit.apiserver.etcd.http2.peer import OK_HEADERS, OK_TRAILERS, Peer, answered, goaway, of_type, types

BLOCK = b"block"
CANCELLED = grpc.StatusCode.CANCELLED


def start(peer: Peer, data: bytes = b"data") -> Call:
    """A unary call."""
    return peer.connection.start(BLOCK, framed(data), is_last=True)


def stream(peer: Peer, data: bytes = b"data") -> Call:
    """A call that stays open."""
    return peer.connection.start(BLOCK, framed(data), is_last=False)


def cancel(peer: Peer, call: Call) -> None:
    """Give up a call."""
    peer.connection.give_up(call, CANCELLED, "the call was cancelled")


async def failed(call: Call) -> grpc.aio.AioRpcError:
    """What a call failed with; it is over by now."""
    assert call.is_over
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await (answered(call) if call.is_unary else call.next_message())
    return error.value


async def assert_sent(call: Call) -> None:
    """It is over, and may have been done."""
    assert not isinstance(await failed(call), NotSent)


async def assert_not_sent(call: Call) -> None:
    """It is over, and was certainly not done."""
    assert isinstance(await failed(call), NotSent)


async def is_waiting(waiter: Awaitable[object]) -> bool:
    """Whether something does not end within a second."""
    try:
        await asyncio.wait_for(waiter, 1)
    except TimeoutError:
        return True
    return False


# Calls.


async def test_a_call(peer: Peer) -> None:
    """A call is its headers and its message with the end of the stream; its answer is what comes back."""
    call = start(peer)
    headers, data = await peer.heard()
    assert headers == Frame(frames.HEADERS, frames.END_HEADERS, 1, BLOCK)
    assert data == Frame(frames.DATA, frames.END_STREAM, 1, framed(b"data"))
    peer.say(peer.answer(1))
    assert await answered(call) == b"answer"
    assert await peer.heard() == []
    assert peer.connection.is_idle


async def test_calls_leave_in_one_piece(peer: Peer) -> None:
    """What is begun in one turn of the loop is one write."""
    writes: list[bytes] = []
    peer.transport.write = writes.append  # type: ignore[method-assign,assignment]  # counts writes
    calls = [start(peer) for _ in range(10)]
    await asyncio.sleep(0)
    assert len(writes) == 1
    peer.say(*(peer.answer(number, b"%d" % number) for number in range(19, 0, -2)))
    assert [await answered(call) for call in calls] == [b"%d" % number for number in range(1, 21, 2)]


async def test_a_stream(peer: Peer) -> None:
    """A stream stays open for more messages both ways, until the peer ends it."""
    call = stream(peer, b"1")
    peer.connection.send(call, framed(b"2"))
    opened = await peer.heard()
    assert [(one.type, one.flags & frames.END_STREAM) for one in opened] == [(1, 0), (0, 0), (0, 0)]
    peer.say(peer.headers(1), peer.data(1, framed(b"a")))
    assert await call.next_message() == b"a"
    peer.say(peer.data(1, framed(b"b")), peer.trailers(1))
    assert await call.next_message() == b"b"
    assert await call.next_message() is None


async def test_the_peer_ends_a_stream_that_we_have_not(peer: Peer) -> None:
    """When the peer is done and we are not, it is told that nothing more will come: else the stream stays half open."""
    call = stream(peer)
    peer.say(peer.trailers(1))
    assert await call.next_message() is None
    assert of_type(await peer.heard(), frames.RST_STREAM) == [Frame(frames.RST_STREAM, 0, 1, bytes(4))]
    large = start(peer, bytes(100_000))
    peer.say(peer.trailers(3, [*OK_HEADERS, ("grpc-status", "8"), ("grpc-message", "too large")]))
    assert (await failed(large)).details() == "too large"
    assert of_type(await peer.heard(), frames.RST_STREAM) == [Frame(frames.RST_STREAM, 0, 3, bytes(4))]
    peer.say(frames.window_update(0, 1 << 20), frames.window_update(3, 1 << 20))
    assert await peer.heard() == []


async def test_end_without_trailers(peer: Peer) -> None:
    """A stream that ends with data has no status: that is an error, after which nothing is known."""
    call = start(peer)
    peer.say(peer.headers(1), frames.frame(frames.DATA, frames.END_STREAM, 1, framed(b"answer")))
    assert (await failed(call)).details() == "the stream ended without a status"
    await assert_sent(call)


async def test_answers_that_cannot_be_read(peer: Peer) -> None:
    """A stream whose data or headers make no sense is ended at both ends, and the others go on."""
    other = start(peer)
    bad = [start(peer) for _ in range(3)]
    await peer.heard()
    compressed = peer.data(3, b"\1\0\0\0\1x")
    peer.say(peer.headers(3), compressed, compressed, peer.headers(5, [(":status", "404")]), peer.data(7, b"early"))
    for call in bad:
        await assert_sent(call)
    assert [one.stream for one in of_type(await peer.heard(), frames.RST_STREAM)] == [3, 5, 7]
    peer.say(peer.answer(1))
    assert await answered(other) == b"answer"


async def test_headers_in_parts(peer: Peer) -> None:
    """Headers may be continued; while they are, nothing else may come."""
    call = start(peer)
    block = peer.block(OK_HEADERS)
    peer.say(
        frames.frame(frames.HEADERS, 0, 1, block[:3]),
        frames.frame(frames.CONTINUATION, 0, 1, block[3:7]),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[7:]),
        peer.data(1, framed(b"answer")),
        frames.frame(frames.HEADERS, frames.END_STREAM, 1),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, peer.block(OK_TRAILERS)),
    )
    assert await answered(call) == b"answer"


@pytest.mark.parametrize(
    "between",
    [
        frames.frame(frames.DATA, 0, 1, b""),
        frames.frame(frames.HEADERS, frames.END_HEADERS, 3, b""),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 3, b""),
        frames.frame(frames.PING, 0, 0, bytes(8)),
        frames.frame(0xEE, 0, 1, b""),
    ],
)
async def test_within_headers(peer: Peer, between: bytes) -> None:
    """Whatever comes between the parts of headers breaks the connection."""
    call = start(peer)
    peer.say(frames.frame(frames.HEADERS, 0, 1, b"\x88"), between)
    await peer.connection.gone()
    await assert_sent(call)


# Ends.


@pytest.mark.parametrize("code", range(14))
async def test_resets(peer: Peer, code: int) -> None:
    """A stream that the peer ends may have been begun, unless the peer says that it refused it."""
    call = start(peer)
    await peer.heard()
    peer.say(frames.reset(1, code))
    assert isinstance(await failed(call), NotSent) == (code == frames.REFUSED_STREAM)
    assert frames.error_name(code) in str((await failed(call)).details())
    assert await peer.heard() == []


async def test_cancelling(peer: Peer) -> None:
    """A call that is given up is ended at the peer; twice is as good as once; what still comes is not missed."""
    call = start(peer)
    await peer.heard()
    cancel(peer, call)
    cancel(peer, call)
    assert await peer.heard() == [Frame(frames.RST_STREAM, 0, 1, b"\0\0\0\x08")]
    await assert_sent(call)
    peer.say(peer.answer(1), frames.reset(1, frames.CANCEL), frames.window_update(1, 5))
    later = start(peer)
    peer.say(peer.answer(3))
    assert await answered(later) == b"answer"


async def test_the_connection_breaks(peer: Peer) -> None:
    """Calls under way may have been done, those without a stream have not; nothing can be called any more."""
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 1}))
    under_way, waiting = start(peer), start(peer)
    peer.connection.connection_lost(ConnectionResetError("reset"))
    await assert_sent(under_way)
    assert "reset" in str((await failed(under_way)).details())
    await assert_not_sent(waiting)
    with pytest.raises(NotSent):
        start(peer)
    cancel(peer, under_way)
    peer.connection.send(under_way, b"more")


async def test_the_peer_hangs_up(peer: Peer) -> None:
    """A peer that says nothing more cannot answer: the connection is closed at once."""
    call = start(peer)
    peer.connection.eof_received()
    assert not peer.connection.is_open
    await peer.connection.gone()
    await assert_sent(call)


async def test_closing(peer: Peer) -> None:
    """Closing ends every call and says why."""
    call = start(peer)
    peer.connection.close("enough")
    peer.connection.close("twice")
    await peer.connection.gone()
    assert (await failed(call)).details() == "the connection broke: enough"
    assert peer.connection.is_gone


# A peer that goes away.


async def test_goaway(peer: Peer) -> None:
    """Calls after the last stream the peer has taken were not done and say so; the others go on to their end."""
    taken, late = start(peer), start(peer)
    peer.say(goaway(1))
    assert not peer.connection.is_open
    await assert_not_sent(late)
    with pytest.raises(NotSent, match="going away"):
        start(peer)
    peer.say(peer.answer(1))
    assert await answered(taken) == b"answer"
    await peer.connection.gone()


async def test_goaway_in_two_steps(peer: Peer) -> None:
    """A peer that first says that it will go, and later which calls it took, keeps these; pings are answered."""
    first, second = start(peer), start(peer)
    await peer.heard()
    peer.say(goaway(frames.LAST_STREAM), frames.frame(frames.PING, 0, 0, b"goingoff"))
    assert await peer.heard() == [Frame(frames.PING, frames.ACK, 0, b"goingoff")]
    assert not first.is_over
    peer.say(goaway(1))
    await assert_not_sent(second)
    assert not first.is_over


async def test_goaway_with_calls_that_wait(peer: Peer) -> None:
    """Calls that wait for a stream are not opened on a connection that is going away, though streams end there."""
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 2}))
    calls = [start(peer) for _ in range(4)]
    await peer.heard()
    peer.say(goaway(1))
    for call in calls[1:]:
        await assert_not_sent(call)
    assert of_type(await peer.heard(), frames.HEADERS) == []
    peer.say(peer.answer(1))
    assert await answered(calls[0]) == b"answer"


async def test_goaway_without_calls(peer: Peer) -> None:
    """A connection without calls is closed when the peer goes away."""
    peer.say(goaway(0, 11, b"too_many_pings"))
    await peer.connection.gone()
    assert peer.transport.is_closing()


async def test_words_of_a_goaway_are_not_repeated(peer: Peer) -> None:
    """What became of a call is told by text; a peer's last words must not be taken for it."""
    call = start(peer)
    peer.say(goaway(1, 2, b"etcdserver: request is too large"))
    peer.connection.connection_lost(None)
    assert (await failed(call)).details() == "the connection broke: the peer is going away: INTERNAL_ERROR"


# How many calls at once.


async def test_no_more_streams_than_allowed(peer: Peer) -> None:
    """Calls over the peer's limit wait in order, and go when others end."""
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 2}))
    await peer.heard()
    calls = [start(peer, b"%d" % number) for number in range(5)]
    assert [one.stream for one in of_type(await peer.heard(), frames.HEADERS)] == [1, 3]
    peer.say(peer.answer(3))
    opened = await peer.heard()
    assert [(one.stream, one.payload[-1:]) for one in of_type(opened, frames.DATA)] == [(5, b"2")]
    cancel(peer, calls[0])
    assert types(await peer.heard()) == [frames.RST_STREAM, frames.HEADERS, frames.DATA]
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 100}))
    assert [one.stream for one in of_type(await peer.heard(), frames.HEADERS)] == [9]


async def test_calls_given_up_while_waiting(peer: Peer) -> None:
    """A call that is given up before it had a stream was not sent, and never will be."""
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 0}))
    call = start(peer)
    peer.connection.give_up(call, grpc.StatusCode.DEADLINE_EXCEEDED, "too late")
    error = await failed(call)
    assert isinstance(error, NotSent)
    assert (error.code(), error.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "too late")
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 9}))
    assert of_type(await peer.heard(), frames.HEADERS) == []


async def test_numbers_are_used_up(peer: Peer) -> None:
    """After the last number no stream is opened; what runs goes on to its end."""
    peer.connection._next_stream = frames.LAST_STREAM - 2
    calls = [start(peer) for _ in range(2)]
    assert not peer.connection.is_open
    opened = of_type(await peer.heard(), frames.HEADERS)
    assert [one.stream for one in opened] == [frames.LAST_STREAM - 2, frames.LAST_STREAM]
    with pytest.raises(NotSent, match="used up"):
        start(peer)
    peer.say(peer.answer(frames.LAST_STREAM - 2), peer.answer(frames.LAST_STREAM))
    assert [await answered(call) for call in calls] == [b"answer"] * 2
    await peer.connection.gone()


async def test_numbers_are_used_up_while_calls_wait(peer: Peer) -> None:
    """Of calls that wait, as many are opened as there are numbers."""
    peer.connection._next_stream = frames.LAST_STREAM - 2
    peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 1}))
    calls = [start(peer) for _ in range(3)]
    peer.say(peer.answer(frames.LAST_STREAM - 2))
    assert [one.stream for one in of_type(await peer.heard(), frames.HEADERS)][-1] == frames.LAST_STREAM
    await assert_not_sent(calls[2])


# Windows.


async def test_a_message_over_the_window(peer: Peer) -> None:
    """A message many times the window arrives, on a stream and as an answer: the peer is given room as it comes."""
    for call in (stream(peer), start(peer)):
        number = call.stream
        await peer.heard()
        message = bytes(5 * RECEIVE_WINDOW)
        sent, room = 0, RECEIVE_WINDOW
        peer.say(peer.headers(number))
        content = framed(message)
        while sent < len(content):
            assert room, "the peer waits for room, and the reader for the rest of the message"
            piece = content[sent : sent + min(room, frames.DEFAULT_FRAME_SIZE)]
            peer.say(peer.data(number, piece))
            sent, room = sent + len(piece), room - len(piece)
            for update in of_type(await peer.heard(), frames.WINDOW_UPDATE):
                room += int.from_bytes(update.payload, "big") if update.stream == number else 0
        peer.say(peer.trailers(number))
        assert (await (answered(call) if call.is_unary else call.next_message())) == message


async def test_a_reader_that_does_not_read(peer: Peer) -> None:
    """A peer is given no more room than a window ahead of what is read, and some more when half of that is read."""
    call = stream(peer)
    await peer.heard()
    one = framed(bytes(99_995))
    peer.say(peer.headers(1))
    sent, room, read = 0, RECEIVE_WINDOW, 0
    for _ in range(2):
        while room >= len(one):
            peer.say(peer.data(1, one))
            sent, room = sent + len(one), room - len(one)
            for update in of_type(await peer.heard(), frames.WINDOW_UPDATE):
                room += int.from_bytes(update.payload, "big") if update.stream == 1 else 0
        assert sent - read <= RECEIVE_WINDOW + len(one)
        while room < RECEIVE_WINDOW // 2:
            assert await call.next_message() is not None
            read += len(one)
            peer.connection.grant(call)
            for update in of_type(await peer.heard(), frames.WINDOW_UPDATE):
                room += int.from_bytes(update.payload, "big")


async def test_padding_is_given_back(peer: Peer) -> None:
    """A stream of padding alone does not use up the window."""
    stream(peer)
    await peer.heard()
    padded = frames.frame(frames.DATA, frames.PADDED, 1, b"\xff" + bytes(255))
    peer.say(peer.headers(1))
    given = 0
    for _ in range(RECEIVE_WINDOW // 256 + 1):
        peer.say(padded)
    for update in of_type(await peer.heard(), frames.WINDOW_UPDATE):
        given += int.from_bytes(update.payload, "big") if update.stream == 1 else 0
    assert given >= RECEIVE_WINDOW // 2


async def test_the_connection_gets_room_again(peer: Peer) -> None:
    """What comes on streams that are forgotten counts too: the connection's own window never runs dry."""
    data = peer.data(99, bytes(frames.DEFAULT_FRAME_SIZE)) * 1024
    for _ in range(17):
        peer.say(data)
    updates = of_type(await peer.heard(), frames.WINDOW_UPDATE)
    assert [(one.stream, int.from_bytes(one.payload, "big")) for one in updates] == [(0, 16 * (16 << 20))]


async def test_writing_waits_for_room(peer: Peer) -> None:
    """What is written over the windows leaves as room comes; only then its writer goes on."""
    peer.say(frames.settings({frames.SETTING_INITIAL_WINDOW_SIZE: 10}))
    await peer.heard()
    call = stream(peer, bytes(15))
    assert [len(one.payload) for one in of_type(await peer.heard(), frames.DATA)] == [10]
    assert await is_waiting(peer.connection.sent(call))
    peer.say(frames.window_update(1, 9))
    assert await is_waiting(peer.connection.sent(call))
    asyncio.get_running_loop().call_later(1, peer.say, frames.window_update(1, 100))
    await peer.connection.sent(call)
    assert [len(one.payload) for one in of_type(await peer.heard(), frames.DATA)] == [9, 1]


async def test_writers_of_calls_that_end(peer: Peer) -> None:
    """A writer that waits for room goes on when its call ends, however it ends."""
    peer.say(frames.settings({frames.SETTING_INITIAL_WINDOW_SIZE: 0}))
    loop = asyncio.get_running_loop()
    call = stream(peer)
    loop.call_later(1, peer.say, peer.trailers(call.stream))
    await peer.connection.sent(call)
    call = stream(peer)
    loop.call_later(1, cancel, peer, call)
    await peer.connection.sent(call)
    call = stream(peer)
    loop.call_later(1, peer.connection.connection_lost, None)
    await peer.connection.sent(call)
    assert call.is_over


async def test_a_peer_that_does_not_read(peer: Peer) -> None:
    """While bytes pile up on our side, calls wait without being sent, and go when the peer reads again."""
    peer.connection.pause_writing()
    given_up, waiting = start(peer), stream(peer)
    assert of_type(await peer.heard(), frames.HEADERS) == []
    assert await is_waiting(peer.connection.sent(waiting))
    cancel(peer, given_up)
    await assert_not_sent(given_up)
    asyncio.get_running_loop().call_later(1, peer.connection.resume_writing)
    await peer.connection.sent(waiting)
    assert [one.stream for one in of_type(await peer.heard(), frames.HEADERS)] == [1]


async def test_the_frame_size_is_the_peers(peer: Peer) -> None:
    """Frames are as large as the peer takes them, and no larger."""
    start(peer, bytes(40_000))
    sizes = [len(one.payload) for one in of_type(await peer.heard(), frames.DATA)]
    assert sizes == [16_384, 16_384, 40_005 - 2 * 16_384]


# Pings, and frames that mean nothing or too much.


async def test_pings(peer: Peer) -> None:
    """A peer's ping is answered with its own content; an answer to ours is not."""
    peer.say(frames.frame(frames.PING, 0, 0, b"12345678"), frames.frame(frames.PING, frames.ACK, 0, bytes(8)))
    assert await peer.heard() == [Frame(frames.PING, frames.ACK, 0, b"12345678")]


async def test_a_silent_peer(peer: Peer) -> None:
    """A silent peer is pinged while a call is under way, and given up without an answer; the call may be done."""
    call = start(peer)
    await asyncio.sleep(11)
    assert [one.flags for one in of_type(await peer.heard(), frames.PING)] == [0]
    await asyncio.sleep(5)
    await assert_sent(call)
    assert "did not answer a ping" in str((await failed(call)).details())


async def test_an_idle_connection_is_not_pinged(peer: Peer) -> None:
    """etcd ends connections that are pinged without calls."""
    call = start(peer)
    peer.say(peer.answer(1))
    await answered(call)
    await peer.heard()
    await asyncio.sleep(3600)
    assert await peer.heard() == []
    assert peer.connection.is_open


async def test_frames_that_mean_nothing(peer: Peer) -> None:
    """Unknown frames, priorities, and frames of streams that nobody knows are passed over."""
    await peer.heard()
    peer.say(
        frames.frame(0xEE, 0xFF, 7, b"grease"),
        frames.frame(0x2, 0, 3, bytes(5)),
        frames.settings({0x1A2A: 5}),
        peer.answer(77),
        frames.reset(77, 2),
        frames.window_update(77, 1),
        frames.frame(frames.SETTINGS, frames.ACK, 0),
    )
    assert types(await peer.heard()) == [frames.SETTINGS]
    assert peer.connection.is_open


@pytest.mark.parametrize(
    "said",
    [
        frames.window_update(0, 0),
        frames.window_update(0, frames.LARGEST_WINDOW),
        frames.window_update(3, frames.LARGEST_WINDOW),
        frames.settings({frames.SETTING_INITIAL_WINDOW_SIZE: 1 << 31}),
        frames.settings({frames.SETTING_MAX_FRAME_SIZE: 0}),
        frames.frame(frames.SETTINGS, 0, 0, bytes(5)),
        frames.frame(frames.PUSH_PROMISE, frames.END_HEADERS, 1, bytes(4)),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, b""),
        frames.frame(frames.DATA, frames.PADDED, 1, b""),
        frames.frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff"),
        frames.frame(frames.PING, 0, 3, bytes(8)),
        b"\xff\xff\xff\0\0\0\0\0\1",
    ],
)
async def test_a_peer_that_breaks_the_protocol(peer: Peer, said: bytes) -> None:
    """The peer is told, the connection closed, and what answers had come before are not lost."""
    lucky, open_ = start(peer), stream(peer)
    await peer.heard()
    peer.say(peer.answer(1), said)
    assert await answered(lucky) == b"answer"
    await peer.connection.gone()
    await assert_sent(open_)
    assert "the peer broke HTTP/2" in str((await failed(open_)).details())
    (last,) = of_type(await peer.heard(), frames.GOAWAY)
    assert frames.read_goaway(last.payload) == (0, frames.PROTOCOL_ERROR)


async def test_garbage_after_the_end(peer: Peer) -> None:
    """What comes after the words that closed the connection, in the same piece, matters no more."""
    peer.say(goaway(0), b"\xff" * 100)
    await peer.connection.gone()


# Garbage.

FRAME = st.builds(
    frames.frame,
    st.integers(0, 10),
    st.sampled_from([0, 1, 4, 5, 8, 0x20, 0x2D, 0xFF]),
    st.sampled_from([0, 1, 2, 3, 5, 7]),
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [framed(b"x"), b"\x88\x5f\x10application/grpc", b"\x00\x0bgrpc-status\x010", bytes(4), bytes(8)]
        ),
    ),
)


@given(st.lists(st.one_of(FRAME, FRAME, FRAME, st.binary(max_size=30)), max_size=25), st.booleans())
def test_any_bytes(said: list[bytes], is_greeted: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever a peer says, nothing is raised, and when the connection is over so is every call."""

    async def listen() -> None:
        peer = Peer(Connection(10, 5))
        peer.say(frames.settings({frames.SETTING_MAX_CONCURRENT_STREAMS: 4}))
        calls = [start(peer), stream(peer), start(peer, bytes(100_000)), start(peer), start(peer), stream(peer)]
        if not is_greeted:
            peer, calls = Peer(Connection(10, 5)), []
        for piece in said:
            if not peer.transport.is_closing():
                peer.say(piece)
        await asyncio.sleep(0)
        peer.connection.close("the end")
        await peer.connection.gone()
        assert all(call.is_over for call in calls)
        assert not peer.connection._calls
        assert not peer.connection._queued

    asyncio.run(listen())
