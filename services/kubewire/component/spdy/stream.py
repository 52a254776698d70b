"""One stream of a SPDY connection: two halves, each of which ends by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from kubewire.component.spdy.frames import FRAME_BYTES, FrameWriter

CANCELLED: Final = 5
_PIECES_AT_MOST: Final = 16

Send = Callable[[bytes], Awaitable[None]]
"""Takes bytes of the connection, in the order of the calls; waits while the peer does not read."""


class Stream:
    """Made by its session.

    Attributes:
        headers: what it was opened with.
        is_accepted: set when the peer has accepted it, or ended it.
        is_read, is_written: our halves' ends: all was received, nothing more is sent.
    """

    def __init__(self, number: int, headers: Mapping[str, str], send: Send, on_done: Callable[[Stream], None]) -> None:
        self.number: Final = number
        self.headers: Final = headers
        self.is_accepted: Final = asyncio.Event()
        self.is_read = self.is_written = False
        self._send = send
        self._on_done = on_done
        self._pieces: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        while not self._pieces:
            if self.is_read:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        self._room.set()
        return self._pieces.popleft()

    async def read_all(self, limit_bytes: int) -> bytes:
        """Everything to the end; what is beyond the limit is dropped."""
        found = b""
        while piece := await self.read():
            found += piece[: limit_bytes - len(found)]
        return found

    async def write(self, data: bytes) -> None:
        """Send bytes; ignored once our half has ended.

        Raises:
            ConnectionError: the peer is gone.
        """
        for start in range(0, len(data), FRAME_BYTES):
            if self.is_written:
                return
            await self._send(FrameWriter.data(self.number, data[start : start + FRAME_BYTES]))

    async def finish(self) -> None:
        """End our half; doing it twice is harmless.

        Raises:
            ConnectionError: the peer is gone.
        """
        if not self.is_written:
            self.is_written = True
            self._tell_if_done()
            await self._send(FrameWriter.data(self.number, b"", is_end=True))

    async def reset(self) -> None:
        """End both halves; harmless if they have ended.

        Raises:
            ConnectionError: the peer is gone.
        """
        if not (self.is_read and self.is_written):
            self.discard()
            await self._send(FrameWriter.reset(self.number, CANCELLED))

    async def take(self, data: bytes, *, is_end: bool) -> None:
        """The session's: what was received, kept for whoever reads; waits while that is much already."""
        while len(self._pieces) >= _PIECES_AT_MOST and not self.is_read:
            self._room.clear()
            await self._room.wait()
        if self.is_read:
            return
        if data:
            self._pieces.append(data)
        self.is_read = is_end
        self._arrived.set()
        self._tell_if_done()

    def discard(self) -> None:
        """The session's: both halves are over; whoever reads sees the end."""
        self._pieces.clear()
        self.is_read = self.is_written = True
        for event in (self.is_accepted, self._arrived, self._room):
            event.set()
        self._tell_if_done()

    def _tell_if_done(self) -> None:
        if self.is_read and self.is_written:
            self._on_done(self)
