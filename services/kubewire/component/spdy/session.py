"""SPDY connections: their streams, over whatever carries bytes.

One reader serves all streams. It waits for a stream whose receiver is slow, and with it all others do: memory stays
bounded, and the protocol's own means against that are not spoken by the peers we have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.frames import Data, Event, FrameReader, FrameWriter, Opened, Replied, Reset
from kubewire.component.spdy.stream import Send, Stream

_STREAMS_AT_MOST: Final = 2000
_REFUSED: Final = 3


class SpdySession:
    """One connection. `on_stream` is told of each stream the peer opens; without it, it may open none."""

    def __init__(self, send: Send, *, is_client: bool, on_stream: Callable[[Stream], None] | None = None) -> None:
        self._send = send
        self._on_stream = on_stream
        self._frames = FrameWriter()
        self._streams: dict[int, Stream] = {}
        self._next = 1 if is_client else 2
        self._is_client = is_client

    async def open(self, headers: Mapping[str, str]) -> Stream:
        """Open a stream; the peer may still refuse it.

        Raises:
            ConnectionError: the peer is gone.
        """
        stream = self._add(self._next, headers)
        self._next += 2
        await self._send(self._frames.opened(stream.number, headers))
        return stream

    async def run(self, receive: Callable[[], Awaitable[bytes]]) -> None:
        """Read the connection to its end, which is when `receive` gives nothing.

        Raises:
            SpdyError: the peer does not keep to the protocol.
            ConnectionError: it is gone.
        """
        reader = FrameReader()
        try:
            while data := await receive():
                for event in reader.feed(data):
                    await self._handle(event)
        finally:
            for stream in list(self._streams.values()):
                stream.discard()

    async def _handle(self, event: Event) -> None:
        if isinstance(event, Data):
            await self._take(event)
        elif isinstance(event, Opened):
            await self._accept(event)
        elif isinstance(event, Replied):
            await self._replied(event)
        elif isinstance(event, Reset):
            found = self._streams.get(event.stream)
            if found is not None:
                found.discard()
        elif (event.number % 2 == 1) is not self._is_client:
            # A ping. The opener of a connection asks with odd numbers; what is not its own is an answer to us.
            await self._send(FrameWriter.pinged(event.number))

    async def _take(self, event: Data) -> None:
        stream = self._streams.get(event.stream)
        if stream is not None:  # else it was ended by us, with data under way
            await stream.take(event.data, is_end=event.is_end)

    async def _replied(self, event: Replied) -> None:
        stream = self._streams.get(event.stream)
        if stream is not None:
            stream.is_accepted.set()
            if event.is_end:
                await stream.take(b"", is_end=True)

    async def _accept(self, event: Opened) -> None:
        if event.stream in self._streams:
            raise SpdyError(f"stream {event.stream} was opened twice")
        if self._on_stream is None or len(self._streams) >= _STREAMS_AT_MOST:
            await self._send(FrameWriter.reset(event.stream, _REFUSED))
            return
        stream = self._add(event.stream, event.headers)
        stream.is_accepted.set()
        await self._send(self._frames.replied(event.stream))
        if event.is_end:
            await stream.take(b"", is_end=True)
        self._on_stream(stream)

    def _add(self, number: int, headers: Mapping[str, str]) -> Stream:
        stream = self._streams[number] = Stream(number, headers, self._send, self._forget)
        return stream

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.number, None)
