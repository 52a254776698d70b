"""HTTP/2 frames as bytes (RFC 9113): nine bytes of head, then the payload."""

from __future__ import annotations

from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES: Final = 9

DATA: Final = 0x0
HEADERS: Final = 0x1
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20

SETTING_HEADER_TABLE_SIZE: Final = 0x1
SETTING_ENABLE_PUSH: Final = 0x2
SETTING_MAX_CONCURRENT_STREAMS: Final = 0x3
SETTING_INITIAL_WINDOW_SIZE: Final = 0x4
SETTING_MAX_FRAME_SIZE: Final = 0x5

DEFAULT_FRAME_SIZE: Final = 16_384
DEFAULT_WINDOW: Final = 65_535

NO_ERROR: Final = 0x0
FLOW_CONTROL_ERROR: Final = 0x3
REFUSED_STREAM: Final = 0x7
CANCEL: Final = 0x8
ENHANCE_YOUR_CALM: Final = 0xB


class MalformedFrame(Exception):
    """The peer broke the protocol; the connection cannot go on."""


class Frame(NamedTuple):
    """One frame as it came."""

    type: int
    flags: int
    stream: int
    payload: bytes


def frame(type_: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame to send."""
    return b"%b%c%c%b%b" % (len(payload).to_bytes(3, "big"), type_, flags, stream.to_bytes(4, "big"), payload)


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(
        SETTINGS, 0, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values.items())
    )


def read_settings(payload: bytes) -> dict[int, int]:
    """The values of a SETTINGS frame."""
    if len(payload) % 6:
        raise MalformedFrame("SETTINGS of odd length")
    return {
        int.from_bytes(payload[at : at + 2], "big"): int.from_bytes(payload[at + 2 : at + 6], "big")
        for at in range(0, len(payload), 6)
    }


def window_update(stream: int, increment: int) -> bytes:
    """Permission to send so many bytes more; stream 0: on the connection."""
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def reset(stream: int, code: int) -> bytes:
    """The end of one stream."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def unpadded(received: Frame) -> bytes:
    """The content of a DATA or HEADERS frame without padding and priority."""
    payload, flags = received.payload, received.flags
    end = len(payload)
    start = 0
    if flags & PADDED:
        end -= payload[0]
        start = 1
    if received.type == HEADERS and flags & PRIORITY:
        start += 5
    if start > end:
        raise MalformedFrame("more padding than content")
    return payload[start:end] if flags & (PADDED | PRIORITY) else payload


class FrameReader:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[Frame]:
        """All frames that are complete by now, in order.

        Raises:
            MalformedFrame: a frame is larger than we allow; its bytes would pile up.
        """
        buffer = self._kept + data if self._kept else data
        found: list[Frame] = []
        at, size = 0, len(buffer)
        while size - at >= HEAD_BYTES:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if length > DEFAULT_FRAME_SIZE:
                raise MalformedFrame(f"a frame of {length} bytes, more than {DEFAULT_FRAME_SIZE}")
            end = at + HEAD_BYTES + length
            if end > size:
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big") & 0x7FFFFFFF
            found.append(Frame(buffer[at + 3], buffer[at + 4], stream, buffer[at + HEAD_BYTES : end]))
            at = end
        self._kept = buffer[at:]
        return found
