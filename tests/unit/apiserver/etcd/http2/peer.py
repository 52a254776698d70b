"""The other end of a connection, as frames: bytes go in and out of memory, no socket is involved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import hpack

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import Call, framed
from kubewire.apiserver.etcd.http2.connection import Connection
from kubewire.apiserver.etcd.http2.frames import Frame, FrameReader

OK_HEADERS = ((":status", "200"), ("content-type", "application/grpc"))
OK_TRAILERS = (("grpc-status", "0"), ("grpc-message", ""))


class FakeTransport(asyncio.Transport):
    """Keeps what is written, and ends as a socket's transport does: in a later turn of the loop."""

    def __init__(self, protocol: asyncio.Protocol, tls: object = None) -> None:
        super().__init__({"ssl_object": tls})
        self.written = bytearray()
        self.error: Exception | None = None
        self._protocol = protocol
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing, "written after the end"
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered here: tests call `pause_writing` themselves."""

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, self.error)

    close = abort


class Peer:
    """What the connection under test talks to."""

    def __init__(self, connection: Connection, tls: object = None) -> None:
        self.connection = connection
        self.transport = FakeTransport(connection, tls)
        self._seen = len(frames.PREFACE)
        self._reader = FrameReader()
        self._encoder = hpack.Encoder()
        self._encoder.header_table_size = 0
        connection.connection_made(self.transport)

    def takes_calls(self) -> bool:
        """Whether calls can be made to it."""
        return self.connection.is_open

    async def heard(self) -> list[Frame]:
        """Frames that came since the last time; the turn of the loop in which they leave is over."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        fresh = bytes(self.transport.written[self._seen :])
        self._seen += len(fresh)
        return list(self._reader.feed(fresh))

    async def greet(self, **_: object) -> None:
        """Send settings of no interest and forget what the connection said so far."""
        self.say(frames.settings({}))
        await self.heard()

    def say(self, *pieces: bytes) -> None:
        """Send frames in one piece."""
        self.connection.data_received(b"".join(pieces))

    def block(self, pairs: Iterable[tuple[str, str]]) -> bytes:
        """A header block, with a dynamic table of no size."""
        return self._encoder.encode(list(pairs))

    def headers(self, stream: int, pairs: Iterable[tuple[str, str]] = OK_HEADERS) -> bytes:
        """Initial headers."""
        return frames.frame(frames.HEADERS, frames.END_HEADERS, stream, self.block(pairs))

    def trailers(self, stream: int, pairs: Iterable[tuple[str, str]] = OK_TRAILERS) -> bytes:
        """Headers that end the stream."""
        return frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, self.block(pairs))

    def answer(self, stream: int, message: bytes = b"answer") -> bytes:
        """The whole answer of a unary call."""
        return self.headers(stream) + self.data(stream, framed(message)) + self.trailers(stream)

    def data(self, stream: int, content: bytes) -> bytes:
        """DATA, in frames of the size we allow."""
        size = frames.DEFAULT_FRAME_SIZE
        pieces = [content[at : at + size] for at in range(0, len(content), size)] or [b""]
        return b"".join(frames.frame(frames.DATA, 0, stream, piece) for piece in pieces)


async def answered(call: Call) -> bytes:
    """The answer of a unary call."""
    await call.ended(asyncio.get_running_loop())
    return call.answer()


def of_type(received: Iterable[Frame], *types: int) -> list[Frame]:
    """Frames of these types."""
    return [one for one in received if one.type in types]


def types(received: Iterable[Frame]) -> list[int]:
    """What came, in order."""
    return [one.type for one in received]


def goaway(last_stream: int, code: int = frames.NO_ERROR, text: bytes = b"") -> bytes:
    """A peer that is going away."""
    payload = last_stream.to_bytes(4, "big") + code.to_bytes(4, "big") + text
    return frames.frame(frames.GOAWAY, 0, 0, payload)
