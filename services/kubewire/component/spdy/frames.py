"""Frames of SPDY/3.1: bytes in, events out, and back. No I/O, no streams' state.

Flow control of the protocol is not used, as the peers we meet (kubectl, containerd) do not have it: whoever cannot take
data stops reading the connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.headers import HeaderReader, HeaderWriter

FRAME_BYTES: Final = 64 * 1024
"""Longest control frame that is taken, and longest data frame that is sent."""

_VERSION: Final = 3
_CONTROL: Final = 0x8000
_FIN: Final = 0x01
_ID: Final = 0x7FFFFFFF
_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _HEADERS = 1, 2, 3, 6, 8
_HEAD: Final = struct.Struct(">HHI")
_WORD: Final = struct.Struct(">I")
_TWO: Final = struct.Struct(">II")
_OPENING: Final = struct.Struct(">IIBB")


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer opened a stream; `is_end`: it will send nothing on it."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Replied:
    """The peer accepted a stream."""

    stream: int
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; `is_end`: the last ones."""

    stream: int
    data: bytes
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The peer ended a stream in both directions."""

    stream: int


@dataclass(frozen=True, slots=True)
class Pinged:
    """The peer wants the frame back, or answers one of ours."""

    number: int


Event = Opened | Replied | Data | Reset | Pinged


class FrameReader:
    """Makes events of what comes in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._headers = HeaderReader()
        # A data frame that is handed out as it comes.
        self._stream = self._left = 0
        self._ends = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """Events of the next bytes; consume them all.

        Raises:
            SpdyError: they are no frames.
        """
        self._buffer += data
        while True:
            if self._left:
                if not self._buffer:
                    return
                yield self._piece()
            elif len(self._buffer) < _HEAD.size:
                return
            elif self._buffer[0] & 0x80:
                body = self._control_body()
                if body is None:
                    return
                event = self._event(*body)
                if event is not None:
                    yield event
            else:
                event = self._begin_data()
                if event is not None:
                    yield event

    def _begin_data(self) -> Data | None:
        stream, flags_and_length = _TWO.unpack_from(self._buffer)
        del self._buffer[: _TWO.size]
        self._stream, self._left = stream & _ID, flags_and_length & 0xFFFFFF
        self._ends = bool(flags_and_length >> 24 & _FIN)
        return None if self._left else Data(self._stream, b"", self._ends)

    def _piece(self) -> Data:
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(piece)
        return Data(self._stream, piece, self._ends and not self._left)

    def _control_body(self) -> tuple[int, int, bytes] | None:
        version, kind, flags_and_length = _HEAD.unpack_from(self._buffer)
        length = flags_and_length & 0xFFFFFF
        if version != _CONTROL | _VERSION or length > FRAME_BYTES:
            raise SpdyError("a control frame is of another version, or too long")
        end = _HEAD.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return kind, flags_and_length >> 24, body

    def _event(self, kind: int, flags: int, body: bytes) -> Event | None:
        try:
            return self._known(kind, bool(flags & _FIN), body)
        except struct.error:
            raise SpdyError(f"a control frame of type {kind} is too short") from None

    def _known(self, kind: int, is_end: bool, body: bytes) -> Event | None:  # noqa: FBT001 - a flag of the frame
        if kind == _PING:
            return Pinged(_WORD.unpack_from(body)[0])
        if kind == _SYN_STREAM:
            stream = _OPENING.unpack_from(body)[0] & _ID
            return Opened(stream, self._headers.headers(body[_OPENING.size :]), is_end)
        if kind not in {_SYN_REPLY, _RST_STREAM, _HEADERS}:
            return None  # settings, flow control, farewells: nothing we would do differently
        stream = _WORD.unpack_from(body)[0] & _ID
        if kind == _RST_STREAM:
            return Reset(stream)
        # Headers have to be decompressed whoever wants them, since all blocks share one context.
        self._headers.headers(body[_WORD.size :])
        if kind == _SYN_REPLY:
            return Replied(stream, is_end)
        return Data(stream, b"", is_end=True) if is_end else None


class FrameWriter:
    """Makes frames. They have to be sent in the order in which they are made."""

    def __init__(self) -> None:
        self._headers = HeaderWriter()

    def opened(self, stream: int, headers: Mapping[str, str]) -> bytes:
        """Open a stream."""
        return _control(_SYN_STREAM, _OPENING.pack(stream, 0, 0, 0) + self._headers.block(headers))

    def replied(self, stream: int) -> bytes:
        """Accept a stream."""
        return _control(_SYN_REPLY, _WORD.pack(stream) + self._headers.block({}))

    @staticmethod
    def data(stream: int, data: bytes, *, is_end: bool = False) -> bytes:
        """Bytes of a stream, at most FRAME_BYTES."""
        return _TWO.pack(stream, (_FIN << 24 if is_end else 0) | len(data)) + data

    @staticmethod
    def reset(stream: int, status: int) -> bytes:
        """End a stream in both directions."""
        return _control(_RST_STREAM, _TWO.pack(stream, status))

    @staticmethod
    def pinged(number: int) -> bytes:
        """Ask for this frame back, or give one back."""
        return _control(_PING, _WORD.pack(number))


def _control(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(_CONTROL | _VERSION, kind, len(body)) + body
