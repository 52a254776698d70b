"""One HTTP/2 connection: calls go out as streams, and what comes back is handed to them.

It never raises into the event loop: whatever goes wrong ends the calls it concerns, each with an error that tells
whether the peer may have begun with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, cast

import grpc

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import Call, failure
from kubewire.apiserver.etcd.http2.flow import SendFlow
from kubewire.apiserver.etcd.http2.frames import Frame, FrameReader, MalformedFrame
from kubewire.apiserver.etcd.http2.headers import HeaderReader

RECEIVE_WINDOW: Final = 8 << 20
"""Bytes a stream may have under way to us: a fast watch never waits, a stuck one holds no more than this."""

CONNECTION_WINDOW: Final = 1 << 30
_LAST_STREAM: Final = (1 << 31) - 1
_NOT_SENT: Final = "failed to connect to all addresses"
"""What grpc says of calls that certainly were not sent; the client may send those again."""


class Connection(asyncio.Protocol):
    """A connection as its calls see it. `is_open` turns false for good when no new calls may be made."""

    def __init__(self, keepalive_seconds: float, keepalive_timeout_seconds: float) -> None:
        self.is_open = False
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        self._headers = HeaderReader()
        self._flow = SendFlow()
        self._calls: dict[int, Call] = {}
        self._next_stream = 1
        self._most_streams = _LAST_STREAM
        self._queued: deque[tuple[Call, bytes, bytes, bool]] = deque()
        self._block = bytearray()
        self._block_flags = 0
        self._output: list[bytes] = []
        self._received = 0
        self._keepalive = Keepalive(self, keepalive_seconds, keepalive_timeout_seconds)

    def start(self, block: bytes, data: bytes, *, is_last: bool) -> Call:
        """Begin a call: its header block and first bytes; `is_last` if it sends no more than these."""
        call = Call(takes_all=is_last)
        if len(self._calls) >= self._most_streams:
            self._queued.append((call, block, data, is_last))
        else:
            self._open(call, block, data, is_last=is_last)
        return call

    def send(self, call: Call, data: bytes) -> None:
        """More bytes of a call that stays open."""
        if call.stream:
            self._write(self._flow.send(call.stream, data, is_last=False))

    def consumed(self, call: Call) -> None:
        """What arrived for the call was taken: the peer may send as much again."""
        if call.unconsumed >= RECEIVE_WINDOW // 2 and call.stream:
            self._write(frames.window_update(call.stream, call.unconsumed))
            call.unconsumed = 0

    def cancel(self, call: Call) -> None:
        """End a call whose answer nobody wants; harmless if it is over."""
        if call.stream:
            self._write(frames.reset(call.stream, frames.CANCEL))
            self._forget(call.stream)
        else:
            self._queued = deque(item for item in self._queued if item[0] is not call)
        call.end(failure(grpc.StatusCode.CANCELLED, "the call was cancelled"))

    def close(self) -> None:
        """Close it; calls under way end with UNAVAILABLE."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way; etcd takes offence at pings then."""
        return not self._calls

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        self._write(frames.frame(frames.PING, 0, 0, bytes(8)))

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the preface and our settings, and give the peer room."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True
        own = {
            frames.SETTING_HEADER_TABLE_SIZE: 0,
            frames.SETTING_ENABLE_PUSH: 0,
            frames.SETTING_INITIAL_WINDOW_SIZE: RECEIVE_WINDOW,
        }
        grown = frames.window_update(0, CONNECTION_WINDOW - frames.DEFAULT_WINDOW)
        self._transport.write(frames.PREFACE + frames.settings(own) + grown)
        self._keepalive.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Every call under way is over; those that never left are told so."""
        self.is_open = False
        self._keepalive.stop()
        for call in self._calls.values():
            call.stream = 0
            call.end(failure(grpc.StatusCode.UNAVAILABLE, f"the connection broke: {exc or 'closed by the peer'}"))
        for call, _, _, _ in self._queued:
            call.end(failure(grpc.StatusCode.UNAVAILABLE, f"{_NOT_SENT}: the connection broke"))
        self._calls.clear()
        self._queued.clear()

    def data_received(self, data: bytes) -> None:
        """Bytes from the peer."""
        self._keepalive.is_quiet = False
        try:
            for received in self._reader.feed(data):
                self._handle(received)
        except MalformedFrame as error:
            self._fail(f"the peer broke HTTP/2: {error}")
        if self._received >= CONNECTION_WINDOW // 4:
            self._write(frames.window_update(0, self._received))
            self._received = 0

    def _handle(self, received: Frame) -> None:
        match received.type:
            case frames.DATA:
                self._on_data(received)
            case frames.HEADERS:
                self._block[:] = frames.unpadded(received)
                self._block_flags = received.flags
                self._on_block_part(received)
            case frames.CONTINUATION:
                self._block += received.payload
                self._on_block_part(received)
            case frames.RST_STREAM:
                self._on_reset(received)
            case frames.SETTINGS if not received.flags & frames.ACK:
                self._on_settings(frames.read_settings(received.payload))
            case frames.PING if not received.flags & frames.ACK:
                self._write(frames.frame(frames.PING, frames.ACK, 0, received.payload))
            case frames.GOAWAY:
                self._on_goaway(received)
            case frames.WINDOW_UPDATE:
                increment = int.from_bytes(received.payload, "big") & 0x7FFFFFFF
                self._write(self._flow.grow(received.stream, increment))

    def _on_data(self, received: Frame) -> None:
        self._received += len(received.payload)
        call = self._calls.get(received.stream)
        if call is not None:
            call.on_data(frames.unpadded(received))
            if received.flags & frames.END_STREAM:
                call.on_end_without_trailers()
            if call.is_over:
                self._forget(received.stream)
            elif call.takes_all:
                self.consumed(call)

    def _on_block_part(self, received: Frame) -> None:
        if not received.flags & frames.END_HEADERS:
            return
        headers = self._headers.read(bytes(self._block))
        call = self._calls.get(received.stream)
        if call is not None:
            is_last = bool(self._block_flags & frames.END_STREAM)
            call.on_headers(headers, is_last=is_last)
            if is_last:
                self._forget(received.stream)

    def _on_reset(self, received: Frame) -> None:
        code = int.from_bytes(received.payload, "big")
        call = self._calls.get(received.stream)
        if call is not None:
            begun = "" if code == frames.REFUSED_STREAM else "the peer reset the stream"
            call.end(failure(grpc.StatusCode.UNAVAILABLE, begun or f"{_NOT_SENT}: the peer refused the stream"))
            self._forget(received.stream)

    def _on_settings(self, values: dict[int, int]) -> None:
        self._write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        self._most_streams = values.get(frames.SETTING_MAX_CONCURRENT_STREAMS, self._most_streams)
        self._flow.frame_size = values.get(frames.SETTING_MAX_FRAME_SIZE, self._flow.frame_size)
        if frames.SETTING_INITIAL_WINDOW_SIZE in values:
            self._write(self._flow.set_initial(values[frames.SETTING_INITIAL_WINDOW_SIZE]))
        self._open_queued()

    def _on_goaway(self, received: Frame) -> None:
        """No new calls; those the peer has not begun with can be made elsewhere, the others go on."""
        self.is_open = False
        last = int.from_bytes(received.payload[:4], "big") & 0x7FFFFFFF
        for stream in [stream for stream in self._calls if stream > last]:
            self._calls[stream].end(failure(grpc.StatusCode.UNAVAILABLE, f"{_NOT_SENT}: the peer is going away"))
            self._forget(stream)
        for call, _, _, _ in self._queued:
            call.end(failure(grpc.StatusCode.UNAVAILABLE, f"{_NOT_SENT}: the peer is going away"))
        self._queued.clear()

    # Streams.

    def _open(self, call: Call, block: bytes, data: bytes, *, is_last: bool) -> None:
        stream = self._next_stream
        self._next_stream += 2
        if self._next_stream > _LAST_STREAM:
            self.is_open = False  # the numbers are used up; the channel connects anew
        call.stream = stream
        self._calls[stream] = call
        self._flow.open(stream)
        self._write(frames.frame(frames.HEADERS, frames.END_HEADERS, stream, block))
        self._write(self._flow.send(stream, data, is_last=is_last))

    def _open_queued(self) -> None:
        while self._queued and len(self._calls) < self._most_streams:
            call, block, data, is_last = self._queued.popleft()
            self._open(call, block, data, is_last=is_last)

    def _forget(self, stream: int) -> None:
        call = self._calls.pop(stream, None)
        if call is not None:
            call.stream = 0
        self._flow.close(stream)
        if self._queued:
            self._open_queued()
        elif not self._calls and not self.is_open:
            self.close()

    def _fail(self, reason: str) -> None:
        for call in self._calls.values():
            call.end(failure(grpc.StatusCode.INTERNAL, reason))
        self.close()

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


class Keepalive:
    """Pings a silent peer while calls are under way, and gives up on one that does not answer.

    Attributes:
        is_quiet: nothing has arrived since the last look.
    """

    def __init__(self, connection: Connection, interval_seconds: float, timeout_seconds: float) -> None:
        self.is_quiet = True
        self._connection = connection
        self._interval = interval_seconds
        self._timeout = timeout_seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if self.is_quiet and not self._connection.is_idle:
            self._connection.ping()
            self._timer = loop.call_later(self._timeout, self._judge)
        else:
            self.is_quiet = True
            self._timer = loop.call_later(self._interval, self._look)

    def _judge(self) -> None:
        if self.is_quiet:
            self._connection.close()
        else:
            self.start()
