"""Frames of SPDY."""

import struct
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.frames import (
    FRAME_BYTES,
    Data,
    Event,
    FrameReader,
    FrameWriter,
    Opened,
    Pinged,
    Replied,
    Reset,
)


def conversation() -> bytes:
    """One frame of each kind, and data of three streams."""
    writer = FrameWriter()
    return b"".join(
        (
            writer.opened(1, {"streamType": "data"}),
            writer.replied(1),
            FrameWriter.data(1, b"hello"),
            FrameWriter.data(3, b"x" * 1000),
            FrameWriter.data(1, b"", is_end=True),
            FrameWriter.data(5, b"bye", is_end=True),
            FrameWriter.pinged(7),
            writer.opened(9, {"streamType": "error"}),
            FrameWriter.reset(3, 5),
        )
    )


def joined(events: list[Event]) -> list[Event]:
    """Pieces of one frame put together, as data is handed out as it comes."""
    found: list[Event] = []
    for stream, group in groupby(events, lambda event: event.stream if isinstance(event, Data) else None):
        if stream is None:
            found += group
            continue
        pieces = [event for event in group if isinstance(event, Data)]
        found.append(Data(stream, b"".join(piece.data for piece in pieces), pieces[-1].is_end))
    return found


WHOLE: list[Event] = [
    Opened(1, {"streamtype": "data"}),
    Replied(1),
    Data(1, b"hello"),
    Data(3, b"x" * 1000),
    Data(1, b"", is_end=True),
    Data(5, b"bye", is_end=True),
    Pinged(7),
    Opened(9, {"streamtype": "error"}),
    Reset(3),
]


@given(st.lists(st.integers(1, 400), max_size=20))
def test_frames_are_read_however_they_are_cut(sizes: list[int]) -> None:
    """Pieces of any size give the same events in the same order."""
    data, reader, events = conversation(), FrameReader(), []
    for size in (*sizes, 100_000):
        events += list(reader.feed(data[:size]))
        data = data[size:]
    assert joined(events) == WHOLE


def test_large_data_is_handed_out_as_it_comes() -> None:
    """A frame of any length is never held as a whole; its end is told with its last piece."""
    reader = FrameReader()
    head = struct.pack(">II", 1, 0x01 << 24 | 0xFFFFFF)
    assert list(reader.feed(head + b"a" * 10)) == [Data(1, b"a" * 10)]
    rest = b"b" * (0xFFFFFF - 10)
    assert list(reader.feed(rest)) == [Data(1, rest, is_end=True)]


def test_long_control_frames_are_refused() -> None:
    """A peer cannot make us wait for a control frame of many megabytes."""
    with pytest.raises(SpdyError, match="too long"):
        list(FrameReader().feed(struct.pack(">HHI", 0x8003, 1, FRAME_BYTES + 1)))


@pytest.mark.parametrize("version", [2, 4])
def test_other_versions_are_refused(version: int) -> None:
    """Only version 3 is spoken."""
    with pytest.raises(SpdyError, match="another version"):
        list(FrameReader().feed(struct.pack(">HHI", 0x8000 | version, 6, 4) + bytes(4)))


@pytest.mark.parametrize("kind", [1, 2, 3, 6, 8])
def test_short_control_frames_are_refused(kind: int) -> None:
    """A frame without room for what it must have ends the connection."""
    with pytest.raises(SpdyError, match="too short"):
        list(FrameReader().feed(struct.pack(">HHI", 0x8003, kind, 2) + bytes(2)))


def test_settings_and_flow_control_are_passed_over() -> None:
    """What we would not act on changes nothing."""
    frames = b"".join(struct.pack(">HHI", 0x8003, kind, 8) + bytes(8) for kind in (4, 7, 9, 10))
    assert list(FrameReader().feed(frames + FrameWriter.pinged(1))) == [Pinged(1)]


@given(st.binary(max_size=300))
def test_nonsense_is_refused_in_words_of_ours(data: bytes) -> None:
    """Any bytes give events or a SpdyError."""
    try:
        list(FrameReader().feed(data))
    except SpdyError:
        return
