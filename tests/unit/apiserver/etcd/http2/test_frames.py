"""Frames: what is written is read, however it is cut, and nothing but MalformedFrame comes of garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.frames import Frame, FrameReader, MalformedFrame

PARTS = st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, frames.LAST_STREAM), st.binary(max_size=300))


@given(st.lists(PARTS, max_size=8), st.data())
def test_frames_survive_cutting(parts: list[tuple[int, int, int, bytes]], data: st.DataObject) -> None:
    """Frames come out as they were written, in order, wherever the bytes between are cut."""
    stream = b"".join(frames.frame(*part) for part in parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))
    reader = FrameReader()
    found = [
        one
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for one in reader.feed(stream[start:end])
    ]
    assert found == [Frame(*part) for part in parts]


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Any bytes are frames, the beginning of one, or MalformedFrame; so is what the frames hold."""
    reader = FrameReader()
    try:
        for piece in pieces:
            for one in reader.feed(piece):
                frames.check(one)
                frames.content(one)
    except MalformedFrame:
        pass


def test_reserved_bit_is_ignored() -> None:
    """The bit above a stream's number means nothing."""
    written = bytearray(frames.frame(frames.DATA, 0, 5))
    written[5] |= 0x80
    assert next(FrameReader().feed(bytes(written))).stream == 5


def test_frames_over_the_limit() -> None:
    """A frame larger than we allow is refused by its head, before its bytes pile up; earlier ones are handed out."""
    head = frames.frame(frames.DATA, 0, 1, bytes(frames.DEFAULT_FRAME_SIZE + 1))[: frames.HEAD_BYTES]
    found = FrameReader().feed(frames.frame(frames.PING, 0, 0, bytes(8)) + head)
    assert next(found).type == frames.PING
    with pytest.raises(MalformedFrame, match="more than 16384"):
        next(found)


@given(st.binary(max_size=50), st.integers(0, 255))
def test_padding(content: bytes, padding: int) -> None:
    """Padding is taken off both ends."""
    payload = bytes((padding,)) + content + bytes(padding)
    assert frames.content(Frame(frames.DATA, frames.PADDED, 1, payload)) == content


def test_priority() -> None:
    """Headers may begin with five bytes of priority, data may not: there the flag means nothing."""
    flags = frames.PADDED | frames.PRIORITY
    assert frames.content(Frame(frames.HEADERS, flags, 1, b"\x02" + b"prior" + b"content" + b"\0\0")) == b"content"
    assert frames.content(Frame(frames.DATA, frames.PRIORITY, 1, b"content")) == b"content"


@pytest.mark.parametrize(
    ("type_", "flags", "payload"),
    [
        (frames.DATA, frames.PADDED, b""),
        (frames.DATA, frames.PADDED, b"\x02x"),
        (frames.HEADERS, frames.PRIORITY, b"1234"),
        (frames.HEADERS, frames.PADDED | frames.PRIORITY, b"\x01" + b"prior"),
    ],
)
def test_more_padding_than_content(type_: int, flags: int, payload: bytes) -> None:
    """Padding and priority that do not fit are malformed."""
    with pytest.raises(MalformedFrame):
        frames.content(Frame(type_, flags, 1, payload))


@pytest.mark.parametrize(
    ("type_", "stream", "payload"),
    [
        (frames.RST_STREAM, 0, bytes(4)),
        (frames.RST_STREAM, 1, bytes(3)),
        (frames.SETTINGS, 1, b""),
        (frames.PING, 1, bytes(8)),
        (frames.PING, 0, bytes(7)),
        (frames.GOAWAY, 1, bytes(8)),
        (frames.GOAWAY, 0, bytes(7)),
        (frames.WINDOW_UPDATE, 0, bytes(3)),
    ],
)
def test_frames_out_of_place(type_: int, stream: int, payload: bytes) -> None:
    """A frame on the wrong kind of stream, or of the wrong length, is malformed."""
    with pytest.raises(MalformedFrame):
        frames.check(Frame(type_, 0, stream, payload))


@given(st.dictionaries(st.integers(7, 0xFFFF), st.integers(0, 0xFFFFFFFF)))
def test_settings_survive(values: dict[int, int]) -> None:
    """Settings are read as written; unknown ones too."""
    payload = frames.settings(values)[frames.HEAD_BYTES :]
    assert frames.read_settings(payload) == values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (frames.SETTING_ENABLE_PUSH, 1),
        (frames.SETTING_INITIAL_WINDOW_SIZE, 1 << 31),
        (frames.SETTING_MAX_FRAME_SIZE, 16_383),
        (frames.SETTING_MAX_FRAME_SIZE, 1 << 24),
    ],
)
def test_settings_out_of_range(key: int, value: int) -> None:
    """A setting that HTTP/2 does not allow is malformed."""
    with pytest.raises(MalformedFrame, match=f"setting {key} is {value}"):
        frames.read_settings(frames.settings({key: value})[frames.HEAD_BYTES :])


def test_settings_that_do_not_fill_the_frame() -> None:
    """Settings are six bytes each."""
    with pytest.raises(MalformedFrame):
        frames.read_settings(bytes(5))


def test_window_update_by_nothing() -> None:
    """Room of 0 bytes is malformed; the reserved bit does not count."""
    assert frames.read_window_update(b"\x80\0\0\x05") == 5
    with pytest.raises(MalformedFrame):
        frames.read_window_update(b"\x80\0\0\0")


def test_goaway() -> None:
    """A goodbye tells the last stream and the reason; its words do not matter."""
    assert frames.read_goaway(b"\x80\0\0\x07\0\0\0\x0bbye") == (7, 11)


def test_error_names() -> None:
    """Errors have HTTP/2's names, as far as it has any."""
    assert frames.error_name(11) == "ENHANCE_YOUR_CALM"
    assert frames.error_name(99) == "error 99"
