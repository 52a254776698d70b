"""How much may be sent (RFC 9113, section 5.2): a window for the connection and one for each stream.

What does not fit waits here in order; a stream that waits does not hold up others that have room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubewire.apiserver.etcd.http2.frames import DATA, DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, END_STREAM, frame


@dataclass(slots=True)
class Outgoing:
    """Bytes of one stream that wait for room. `is_last`: the stream is closed after them."""

    data: bytes
    is_last: bool


class SendFlow:
    """Windows of one connection, and what waits for them."""

    def __init__(self) -> None:
        self.frame_size = DEFAULT_FRAME_SIZE
        self._connection = DEFAULT_WINDOW
        self._initial = DEFAULT_WINDOW
        self._streams: dict[int, int] = {}
        self._waiting: dict[int, list[Outgoing]] = {}

    def open(self, stream: int) -> None:
        """A new stream, with the window that the peer gives to new ones."""
        self._streams[stream] = self._initial

    def close(self, stream: int) -> None:
        """Forget a stream and what it still had to send."""
        self._streams.pop(stream, None)
        self._waiting.pop(stream, None)

    def send(self, stream: int, data: bytes, *, is_last: bool) -> bytes:
        """Frames to send now; the rest is kept until there is room."""
        if stream in self._waiting:
            self._waiting[stream].append(Outgoing(data, is_last))
            return b""
        return b"".join(self._cut(stream, Outgoing(data, is_last)))

    def grow(self, stream: int, increment: int) -> bytes:
        """Room was given, on the connection (0) or on a stream: frames that fit now."""
        if stream == 0:
            self._connection += increment
        elif stream in self._streams:
            self._streams[stream] += increment
        return self._drain()

    def set_initial(self, window: int) -> bytes:
        """The peer changed the window of every stream, those already open included."""
        change = window - self._initial
        self._initial = window
        for stream in self._streams:
            self._streams[stream] += change
        return self._drain() if change > 0 else b""

    def _drain(self) -> bytes:
        frames: list[bytes] = []
        for stream in list(self._waiting):
            for outgoing in self._waiting.pop(stream):
                if stream in self._waiting:
                    self._waiting[stream].append(outgoing)
                else:
                    frames.extend(self._cut(stream, outgoing))
        return b"".join(frames)

    def _cut(self, stream: int, outgoing: Outgoing) -> Iterator[bytes]:
        data, at = outgoing.data, 0
        while at < len(data):
            room = min(self._connection, self._streams.get(stream, 0), self.frame_size, len(data) - at)
            if room <= 0:
                self._waiting[stream] = [Outgoing(data[at:], outgoing.is_last)]
                return
            self._connection -= room
            self._streams[stream] -= room
            is_end = outgoing.is_last and at + room == len(data)
            yield frame(DATA, END_STREAM if is_end else 0, stream, data[at : at + room])
            at += room
