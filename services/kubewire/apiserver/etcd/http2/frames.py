"""HTTP/2 frames as bytes (RFC 9113): nine bytes of head, then the payload."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0x0
HEADERS: Final = 0x1
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20
CUT: Final = PADDED | PRIORITY
"""A frame with neither carries nothing but its content."""

SETTING_HEADER_TABLE_SIZE: Final = 0x1
SETTING_ENABLE_PUSH: Final = 0x2
SETTING_MAX_CONCURRENT_STREAMS: Final = 0x3
SETTING_INITIAL_WINDOW_SIZE: Final = 0x4
SETTING_MAX_FRAME_SIZE: Final = 0x5
SETTING_MAX_HEADER_LIST_SIZE: Final = 0x6

DEFAULT_FRAME_SIZE: Final = 16_384
LARGEST_FRAME_SIZE: Final = (1 << 24) - 1
DEFAULT_WINDOW: Final = 65_535
LARGEST_WINDOW: Final = (1 << 31) - 1
LAST_STREAM: Final = (1 << 31) - 1

NO_ERROR: Final = 0x0
PROTOCOL_ERROR: Final = 0x1
REFUSED_STREAM: Final = 0x7
CANCEL: Final = 0x8
_ERRORS: Final = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)

HEAD_BYTES: Final = 9
_HEAD: Final = Struct(">HBBBL")
"""The length's upper 16 and lower 8 bits, type, flags, and the stream under a bit that is to be ignored."""

_GOAWAY_BYTES: Final = 8
_LENGTHS: Final = {RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
_OF_THE_CONNECTION: Final = (SETTINGS, PING, GOAWAY)


class MalformedFrame(Exception):
    """The peer broke the protocol; the connection cannot go on."""


class Frame(NamedTuple):
    """One frame as it came."""

    type: int
    flags: int
    stream: int
    payload: bytes


class Goaway(NamedTuple):
    """The peer takes no streams after `last_stream`.

    Its words about it are left out: errors of calls are told apart by their text, which has to be ours or the call's.
    """

    last_stream: int
    code: int


def frame(type_: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame to send."""
    size = len(payload)
    return _HEAD.pack(size >> 8, size & 0xFF, type_, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(
        SETTINGS, 0, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values.items())
    )


def window_update(stream: int, increment: int) -> bytes:
    """Permission to send so many bytes more; stream 0: on the connection."""
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def reset(stream: int, code: int) -> bytes:
    """The end of one stream."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def goaway(code: int, text: str) -> bytes:
    """The end of the connection, for the peer's log; we never took a stream of theirs."""
    return frame(GOAWAY, 0, 0, bytes(4) + code.to_bytes(4, "big") + text.encode())


def check(received: Frame) -> None:
    """That a frame, not of data or headers, stands where its type belongs and has the length its type has.

    Raises:
        MalformedFrame: it does not.
    """
    type_, _, stream, payload = received
    if (stream and type_ in _OF_THE_CONNECTION) or (not stream and type_ == RST_STREAM):
        raise MalformedFrame(f"a frame of type {type_} on stream {stream}")
    length = _LENGTHS.get(type_)
    if (length is not None and length != len(payload)) or (type_ == GOAWAY and len(payload) < _GOAWAY_BYTES):
        raise MalformedFrame(f"a frame of type {type_} with {len(payload)} bytes")


def content(received: Frame) -> bytes:
    """What a DATA or HEADERS frame carries, without padding and priority.

    Raises:
        MalformedFrame: there is more of these than there are bytes.
    """
    type_, flags, _, payload = received
    if not flags & CUT:
        return payload
    start, end = 0, len(payload)
    if flags & PADDED:
        start = 1
        end -= payload[0] if payload else 0
    if flags & PRIORITY and type_ == HEADERS:
        start += 5
    if start > end:
        raise MalformedFrame("more padding than content")
    return payload[start:end]


def read_settings(payload: bytes) -> dict[int, int]:
    """The values of a SETTINGS frame; of repeated ones the last counts.

    Raises:
        MalformedFrame: they do not fill it, or one is out of its range.
    """
    if len(payload) % 6:
        raise MalformedFrame(f"SETTINGS of {len(payload)} bytes")
    values = {}
    for at in range(0, len(payload), 6):
        key, value = int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big")
        lowest, highest = _RANGES.get(key, _ANY)
        if not lowest <= value <= highest:
            raise MalformedFrame(f"setting {key} is {value}, not within {lowest} and {highest}")
        values[key] = value
    return values


_ANY: Final = (0, (1 << 32) - 1)
_RANGES: Final = {
    SETTING_ENABLE_PUSH: (0, 0),
    SETTING_INITIAL_WINDOW_SIZE: (0, LARGEST_WINDOW),
    SETTING_MAX_FRAME_SIZE: (DEFAULT_FRAME_SIZE, LARGEST_FRAME_SIZE),
}


def read_window_update(payload: bytes) -> int:
    """How many bytes more may be sent.

    Raises:
        MalformedFrame: none, which says nothing.
    """
    increment = int.from_bytes(payload, "big") & LARGEST_WINDOW
    if not increment:
        raise MalformedFrame("WINDOW_UPDATE by 0")
    return increment


def read_goaway(payload: bytes) -> Goaway:
    """What a GOAWAY frame says."""
    return Goaway(int.from_bytes(payload[:4], "big") & LAST_STREAM, int.from_bytes(payload[4:8], "big"))


def error_name(code: int) -> str:
    """What HTTP/2 calls an error."""
    return _ERRORS[code] if code < len(_ERRORS) else f"error {code}"


class FrameReader:
    """Cuts what arrives into frames of at most so many bytes of payload."""

    def __init__(self, most_bytes: int = DEFAULT_FRAME_SIZE) -> None:
        self._most_bytes = most_bytes
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """All frames that are complete by now, in order; to be read to the end before the next call.

        Raises:
            MalformedFrame: a frame is larger than we allow; its bytes would pile up.
        """
        buffer = self._kept + data if self._kept else data
        at, size = 0, len(buffer)
        unpack_from, made = _HEAD.unpack_from, tuple.__new__  # a third of what Frame(...) costs
        while size - at >= HEAD_BYTES:
            upper, lower, type_, flags, stream = unpack_from(buffer, at)
            length = upper << 8 | lower
            if length > self._most_bytes:
                raise MalformedFrame(f"a frame of {length} bytes, more than {self._most_bytes}")
            end = at + HEAD_BYTES + length
            if end > size:
                break
            yield made(Frame, (type_, flags, stream & LAST_STREAM, buffer[at + HEAD_BYTES : end]))
            at = end
        self._kept = buffer[at:]
