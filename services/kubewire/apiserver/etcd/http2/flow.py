"""How much may be sent (RFC 9113, section 5.2): a window for the connection and one for each stream.

What does not fit waits here in order; a stream that waits does not hold up others that have room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from kubewire.apiserver.etcd.http2.frames import (
    DATA,
    DEFAULT_FRAME_SIZE,
    DEFAULT_WINDOW,
    END_STREAM,
    LARGEST_WINDOW,
    MalformedFrame,
    frame,
)


@dataclass(slots=True)
class Outgoing:
    """Bytes of one stream from `at` on wait for room. `is_last`: the stream is closed after them."""

    data: bytes
    is_last: bool
    at: int = 0


class SendFlow:
    """Windows of one connection, and what waits for them.

    Invariants: no stream's window is over 2^31 - 1; a stream is known until its last byte is sent or it is closed;
    of a waiting stream nothing is sent out of turn.
    """

    def __init__(self) -> None:
        self.frame_size = DEFAULT_FRAME_SIZE
        self._connection = DEFAULT_WINDOW
        self._initial = DEFAULT_WINDOW
        self._windows: dict[int, int] = {}
        self._waiting: dict[int, deque[Outgoing]] = {}

    def open(self, stream: int, data: bytes, *, is_last: bool) -> bytes:
        """Frames to send now of a new stream, with the window that the peer gives to new ones."""
        size = len(data)
        if is_last and 0 < size <= min(self._connection, self._initial, self.frame_size):
            self._connection -= size
            return frame(DATA, END_STREAM, stream, data)
        self._windows[stream] = self._initial
        return self.send(stream, data, is_last=is_last)

    def send(self, stream: int, data: bytes, *, is_last: bool) -> bytes:
        """Frames to send now; the rest is kept until there is room. Nothing of a stream that has sent its last."""
        if stream not in self._windows:
            return b""
        waiting = self._waiting.setdefault(stream, deque())
        waiting.append(Outgoing(data, is_last))
        return b"".join(self._send_waiting(stream, waiting)) if len(waiting) == 1 else b""

    def close(self, stream: int) -> bool:
        """Forget a stream and what it still had to send. Returns whether it had sent its last byte."""
        if self._windows.pop(stream, None) is None:
            return True
        self._waiting.pop(stream, None)
        return False

    def is_waiting(self, stream: int) -> bool:
        """Whether something of a stream waits for room."""
        return stream in self._waiting

    def grow(self, stream: int, increment: int) -> bytes:
        """Room was given, on the connection (0) or on a stream: frames that fit now.

        Raises:
            MalformedFrame: a window grew over what HTTP/2 allows.
        """
        if stream == 0:
            self._connection = _within_limit(self._connection + increment)
            return self._send_all() if self._waiting else b""
        if stream not in self._windows:
            return b""
        self._windows[stream] = _within_limit(self._windows[stream] + increment)
        waiting = self._waiting.get(stream)
        return b"".join(self._send_waiting(stream, waiting)) if waiting else b""

    def set_initial(self, window: int) -> bytes:
        """The peer changed the window of every stream, those already open included."""
        change = window - self._initial
        self._initial = window
        for stream, size in self._windows.items():
            self._windows[stream] = _within_limit(size + change)
        return self._send_all() if change > 0 else b""

    def _send_all(self) -> bytes:
        """Every stream in turn; one that keeps waiting goes to the end, so that each is the first to get room."""
        frames: list[bytes] = []
        for stream in list(self._waiting):
            if self._connection <= 0:
                break
            waiting = self._waiting.pop(stream)
            self._waiting[stream] = waiting
            frames.extend(self._send_waiting(stream, waiting))
        return b"".join(frames)

    def _send_waiting(self, stream: int, waiting: deque[Outgoing]) -> Iterator[bytes]:
        while waiting:
            outgoing = waiting[0]
            yield from self._cut(stream, outgoing)
            if outgoing.at < len(outgoing.data):
                return
            waiting.popleft()
            if outgoing.is_last:
                del self._windows[stream]
                break
        del self._waiting[stream]

    def _cut(self, stream: int, outgoing: Outgoing) -> Iterator[bytes]:
        data, size = outgoing.data, len(outgoing.data)
        if not size and outgoing.is_last:
            yield frame(DATA, END_STREAM, stream)
        while outgoing.at < size:
            at = outgoing.at
            room = min(self._connection, self._windows[stream], self.frame_size, size - at)
            if room <= 0:
                return
            self._connection -= room
            self._windows[stream] -= room
            outgoing.at = at + room
            is_end = outgoing.is_last and outgoing.at == size
            yield frame(DATA, END_STREAM if is_end else 0, stream, data[at : outgoing.at])


def _within_limit(window: int) -> int:
    if window > LARGEST_WINDOW:
        raise MalformedFrame(f"a window of {window} bytes, more than {LARGEST_WINDOW}")
    return window
