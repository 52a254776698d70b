"""One HTTP/2 connection: calls go out as streams, and what comes back is handed to them.

It never raises into the event loop: whatever goes wrong ends the calls it concerns, each with an error that tells
whether the peer may have begun with it.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple, cast

import grpc

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import Call, failure, not_sent
from kubewire.apiserver.etcd.http2.deadlines import Deadlines
from kubewire.apiserver.etcd.http2.flow import SendFlow
from kubewire.apiserver.etcd.http2.frames import Frame, FrameReader, MalformedFrame
from kubewire.apiserver.etcd.http2.headers import MOST_HEADER_BYTES, HeaderReader, Headers
from kubewire.apiserver.etcd.http2.keepalive import Keepalive

RECEIVE_WINDOW: Final = 8 << 20
"""Bytes a stream may have under way to us: a fast watch never waits, a stuck one holds no more than this."""

_WORTH_A_FRAME: Final = RECEIVE_WINDOW // 2
"""Room is given back in pieces of this size."""

CONNECTION_WINDOW: Final = 1 << 30
"""The connection's own window never holds up a stream."""

_MOST_UNSENT: Final = 1 << 20
"""Bytes that may wait for a peer that does not read; further calls wait unsent."""

_SETTINGS: Final = {
    frames.SETTING_HEADER_TABLE_SIZE: 0,
    frames.SETTING_ENABLE_PUSH: 0,
    frames.SETTING_INITIAL_WINDOW_SIZE: RECEIVE_WINDOW,
    frames.SETTING_MAX_HEADER_LIST_SIZE: MOST_HEADER_BYTES,
}
_GREETING: Final = (
    frames.PREFACE + frames.settings(_SETTINGS) + frames.window_update(0, CONNECTION_WINDOW - frames.DEFAULT_WINDOW)
)


class _Opening(NamedTuple):
    """A call that waits to be opened: its header block and first bytes; `is_last` if it sends no more than these."""

    block: bytes
    data: bytes
    is_last: bool


class Connection(asyncio.Protocol):
    """A connection as its calls see it.

    Attributes:
        is_open: calls may be made. True from the peer's first frame on, and false again for good once it closes, says
            that it is going away, or the numbers of streams are used up; calls under way may still go on then.
    """

    def __init__(self, keepalive_seconds: float, keepalive_timeout_seconds: float) -> None:
        self.is_open = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._keepalive = Keepalive(self, keepalive_seconds, keepalive_timeout_seconds)
        self._deadlines = Deadlines(self._loop, self._expire)
        self._settled = asyncio.Event()  # the peer's settings came, or never will
        self._gone = asyncio.Event()
        self._reason = ""  # why no more calls may be made
        # What comes.
        self._frames = FrameReader()
        self._headers = HeaderReader()
        self._received = 0  # bytes not yet given back to the connection's window
        # What goes.
        self._flow = SendFlow()
        self._output: list[bytes] = []
        self._is_paused = False
        # Calls: opened by number, and those the peer has no room for yet.
        self._calls: dict[int, Call] = {}
        self._queued: dict[Call, _Opening] = {}
        self._stalled: set[Call] = set()  # with a writer that waits
        self._next_stream = 1
        self._most_streams = frames.LAST_STREAM

    # What the channel and its calls use.

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way."""
        return not self._calls

    @property
    def is_gone(self) -> bool:
        """Whether the connection is over, and every call with it."""
        return self._gone.is_set()

    async def opened(self) -> None:
        """Wait until calls may be made.

        A peer that speaks something else, or turns us away after the handshake of TLS 1.3, is found out here,
        before anything was sent.

        Raises:
            ConnectionError: it was closed before.
        """
        await self._settled.wait()
        if not self.is_open:
            raise ConnectionError(self._reason)

    async def gone(self) -> None:
        """Wait until the connection is over."""
        await self._gone.wait()

    def start(self, block: bytes, data: bytes, *, is_last: bool) -> Call:
        """Begin a call: its header block and first bytes; `is_last` if it sends no more than these.

        Raises:
            NotSent: the connection is not open any more.
        """
        if not self.is_open:
            raise not_sent(self._reason)
        call = Call(is_unary=is_last)
        if self._queued or not self._has_room:
            self._queued[call] = _Opening(block, data, is_last)
        else:
            self._open(call, block, data, is_last=is_last)
        return call

    def send(self, call: Call, data: bytes) -> None:
        """More bytes of a call that stays open, once what it wrote before was sent."""
        if call.stream:
            self._write(self._flow.send(call.stream, data, is_last=False))

    async def sent(self, call: Call) -> None:
        """Wait until everything the call wrote has left, or the call is over."""
        while not call.is_over and (self._is_paused or call in self._queued or self._flow.is_waiting(call.stream)):
            self._stalled.add(call)
            await call.room()

    def grant(self, call: Call) -> None:
        """Let the peer send what there is room for, once it is worth a frame."""
        if call.credit >= _WORTH_A_FRAME and call.stream:
            self._write(frames.window_update(call.stream, call.credit))
            call.credit = 0

    def give_up(self, call: Call, code: grpc.StatusCode, text: str) -> None:
        """End a call whose answer nobody waits for any more; harmless if it is over."""
        if call.is_over:
            return
        if self._queued.pop(call, None) is not None:
            call.end(not_sent(text, code))
            return
        self._write(frames.reset(call.stream, frames.CANCEL))
        call.end(failure(code, text))
        self._forget(call.stream)

    def limit(self, call: Call, deadline: float) -> set[Call]:
        """Give up `call` at `deadline` on the loop's clock. Returns the set to take it out of once it is over."""
        return self._deadlines.add(call, deadline)

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self._write(frames.frame(frames.PING, 0, 0, bytes(8)))

    def close(self, reason: str) -> None:
        """Close it; calls under way end with UNAVAILABLE."""
        self._take_no_more(reason)
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the preface and our settings, and give the peer room."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_MOST_UNSENT)
        self._transport.write(_GREETING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Every call under way is over; those that never left are told so."""
        self._take_no_more((str(exc) or repr(exc)) if exc else "closed by the peer")
        self._keepalive.stop()
        self._deadlines.stop()
        calls = list(self._calls.values())
        self._calls.clear()
        self._output.clear()
        self._stalled.clear()
        for call in calls:
            call.stream = 0
            call.end(failure(grpc.StatusCode.UNAVAILABLE, f"the connection broke: {self._reason}"))
        self._settled.set()
        self._gone.set()

    def eof_received(self) -> None:
        """The peer says nothing more: no call can be answered."""
        self.close("closed by the peer")

    def pause_writing(self) -> None:
        """The peer does not read: further calls wait, and are known not to have been sent."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._is_paused = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Bytes from the peer."""
        self._keepalive.heard = self._loop.time()
        try:
            for received in self._frames.feed(data):
                self._handle(received)
        except MalformedFrame as error:
            self._fail(f"the peer broke HTTP/2: {error}")
        if self._received >= CONNECTION_WINDOW // 4:
            self._write(frames.window_update(0, self._received))
            self._received = 0

    def _handle(self, received: Frame) -> None:
        type_ = received.type
        if self._headers.open_stream and (type_, received.stream) != (frames.CONTINUATION, self._headers.open_stream):
            raise MalformedFrame(f"a frame of type {type_} within headers")
        if type_ == frames.DATA:
            self._on_data(received)
        elif type_ == frames.HEADERS:
            self._on_headers(received.stream, self._headers.begin(received))
        elif type_ == frames.CONTINUATION:
            self._on_headers(received.stream, self._headers.go_on(received))
        else:
            self._handle_other(received)

    def _handle_other(self, received: Frame) -> None:
        """Frames of which there are few. Unknown types mean nothing to us, as HTTP/2 wants it."""
        frames.check(received)
        if not self._settled.is_set() and received.type != frames.SETTINGS:
            raise MalformedFrame(f"a frame of type {received.type} before SETTINGS")
        match received.type:
            case frames.SETTINGS if not received.flags & frames.ACK:
                self._on_settings(frames.read_settings(received.payload))
            case frames.PING if not received.flags & frames.ACK:
                self._write(frames.frame(frames.PING, frames.ACK, 0, received.payload))
            case frames.RST_STREAM:
                self._on_reset(received)
            case frames.GOAWAY:
                self._on_goaway(frames.read_goaway(received.payload))
            case frames.WINDOW_UPDATE:
                self._write(self._flow.grow(received.stream, frames.read_window_update(received.payload)))
                self._wake_stalled()
            case frames.PUSH_PROMISE:
                raise MalformedFrame("PUSH_PROMISE, which we did not allow")

    # What the peer says. Frames of streams that are forgotten count and mean nothing.

    def _on_data(self, received: Frame) -> None:
        _, flags, stream, payload = received
        size = len(payload)
        data = frames.content(received) if flags & frames.CUT else payload
        self._received += size
        call = self._calls.get(stream)
        if call is None:
            return
        call.on_data(data, size)
        if flags & frames.END_STREAM:
            call.end(failure(grpc.StatusCode.INTERNAL, "the stream ended without a status"))
            self._on_end(stream)
        elif call.is_over:
            self._refuse(stream)
        elif call.credit >= _WORTH_A_FRAME:
            self.grant(call)

    def _on_headers(self, stream: int, headers: Headers | None) -> None:
        call = self._calls.get(stream)
        if headers is None or call is None:
            return
        is_last = self._headers.is_last
        call.on_headers(headers, is_last=is_last)
        if is_last:
            self._on_end(stream)
        elif call.is_over:
            self._refuse(stream)

    def _on_end(self, stream: int) -> None:
        """The peer is done with a stream. If we are not, it is to be told that nothing more will come."""
        if not self._flow.close(stream):
            self._write(frames.reset(stream, frames.NO_ERROR))
        self._forget(stream)

    def _refuse(self, stream: int) -> None:
        """What came on a stream cannot be understood."""
        self._write(frames.reset(stream, frames.PROTOCOL_ERROR))
        self._forget(stream)

    def _on_reset(self, received: Frame) -> None:
        code = int.from_bytes(received.payload, "big")
        call = self._calls.get(received.stream)
        if call is not None:
            text = f"the peer reset the stream: {frames.error_name(code)}"
            # REFUSED_STREAM promises that nothing was done (RFC 9113, 8.7).
            is_refused = code == frames.REFUSED_STREAM
            call.end(not_sent(text) if is_refused else failure(grpc.StatusCode.UNAVAILABLE, text))
            self._forget(received.stream)

    def _on_settings(self, values: dict[int, int]) -> None:
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        self._most_streams = values.get(frames.SETTING_MAX_CONCURRENT_STREAMS, self._most_streams)
        self._flow.frame_size = values.get(frames.SETTING_MAX_FRAME_SIZE, self._flow.frame_size)
        if frames.SETTING_INITIAL_WINDOW_SIZE in values:
            self._write(self._flow.set_initial(values[frames.SETTING_INITIAL_WINDOW_SIZE]))
        if not self._settled.is_set():
            self._settled.set()
            self.is_open = not self._reason
            self._keepalive.start()
        self._go_on()

    def _on_goaway(self, goaway: frames.Goaway) -> None:
        """No new calls; those the peer has not begun with, and will not, are told so; the others go on."""
        reason = f"the peer is going away: {frames.error_name(goaway.code)}"
        self._take_no_more(reason)
        for stream in [stream for stream in self._calls if stream > goaway.last_stream]:
            self._calls[stream].end(not_sent(reason))
            self._forget(stream)
        self._close_when_drained()

    # Streams.

    def _expire(self, call: Call) -> None:
        self.give_up(call, grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")

    @property
    def _has_room(self) -> bool:
        return len(self._calls) < self._most_streams and not self._is_paused

    def _open(self, call: Call, block: bytes, data: bytes, *, is_last: bool) -> None:
        stream = self._next_stream
        self._next_stream += 2
        call.stream = stream
        self._calls[stream] = call
        headers = frames.frame(frames.HEADERS, frames.END_HEADERS, stream, block)
        self._write(headers + self._flow.open(stream, data, is_last=is_last))
        if self._next_stream > frames.LAST_STREAM:
            self._take_no_more("the connection has used up its streams")

    def _go_on(self) -> None:
        """There may be room again: open calls that wait, and let writers write."""
        while self._queued and self._has_room:
            call = next(iter(self._queued))
            block, data, is_last = self._queued.pop(call)
            self._open(call, block, data, is_last=is_last)
        self._wake_stalled()

    def _wake_stalled(self) -> None:
        while self._stalled:
            self._stalled.pop().wake_writer()

    def _forget(self, stream: int) -> None:
        call = self._calls.pop(stream)
        call.stream = 0
        self._flow.close(stream)
        if self._queued:
            self._go_on()
        elif not self.is_open:
            self._close_when_drained()

    def _take_no_more(self, reason: str) -> None:
        """Calls that wait to be opened never will be: nothing of them was sent."""
        self._reason = self._reason or reason
        self.is_open = False
        queued = list(self._queued)
        self._queued.clear()
        for call in queued:
            call.end(not_sent(self._reason))

    def _close_when_drained(self) -> None:
        if not self._calls:
            self.close(self._reason)

    def _fail(self, reason: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames.goaway(frames.PROTOCOL_ERROR, reason))
        self.close(reason)

    # Output: what is written in one turn of the loop leaves in one piece.

    def _write(self, data: bytes) -> None:
        if data:
            if not self._output:
                self._loop.call_soon(self._flush)
            self._output.append(data)

    def _flush(self) -> None:
        output = b"".join(self._output)
        self._output.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(output)
