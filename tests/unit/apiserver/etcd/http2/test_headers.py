"""Header blocks: what we write others read, and whatever others write ends as headers or as MalformedFrame."""

from itertools import pairwise

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.frames import Frame, MalformedFrame
from kubewire.apiserver.etcd.http2.headers import MOST_HEADER_BYTES, HeaderReader, Headers, grpc_message, request_block

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def encoder() -> hpack.Encoder:
    """A peer that keeps to a dynamic table of no size."""
    peer = hpack.Encoder()
    peer.header_table_size = 0
    return peer


@given(TEXT, TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_requests(scheme: str, authority: str, path: str, metadata: list[tuple[str, str]]) -> None:
    """A request's block reads as gRPC wants it: pseudo-headers first."""
    block = request_block(scheme, authority, path, metadata)
    read = [(str(name), str(value)) for name, value in hpack.Decoder().decode(block)]
    assert read[:4] == [(":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority)]
    assert ("te", "trailers") in read
    assert ("content-type", "application/grpc") in read
    assert read[7:] == metadata


@pytest.mark.parametrize("length", [0, 126, 127, 128, 254, 255, 256, 16_000])
def test_long_values(length: int) -> None:
    """Values of any length keep it."""
    block = request_block("http", "a", "/b", [("x", "v" * length)])
    assert [(str(name), str(value)) for name, value in hpack.Decoder().decode(block)][-1] == ("x", "v" * length)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes(blocks: list[bytes]) -> None:
    """Any bytes are headers or MalformedFrame."""
    reader = HeaderReader()
    try:
        for block in blocks:
            reader.read(block)
    except MalformedFrame:
        pass


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), st.booleans())
def test_answers(pairs: list[tuple[str, str]], huffman: bool) -> None:  # noqa: FBT001 - drawn
    """What a peer without a dynamic table writes is read, the announcement of that included; the last name counts."""
    reader, peer = HeaderReader(), encoder()
    for _ in range(2):
        assert reader.read(peer.encode(pairs, huffman=huffman)).fields == dict(pairs)


def test_a_dynamic_table() -> None:
    """A peer that uses a dynamic table although we allow none is refused: its blocks would mean different things."""
    peer = hpack.Encoder()
    reader = HeaderReader()
    reader.read(peer.encode([("x-name", "value")]))
    with pytest.raises(MalformedFrame):
        reader.read(peer.encode([("x-name", "value")]))
    with pytest.raises(MalformedFrame):
        HeaderReader().read(b"\x3f\xe1\x1f")  # an announcement of 4096 bytes


def test_size_of_the_table_is_told_first() -> None:
    """A change of the table's size in the middle of a block is malformed."""
    with pytest.raises(MalformedFrame):
        HeaderReader().read(b"\x88\x20")


def test_values_that_are_no_text() -> None:
    """Bytes that are no UTF-8 do not break the connection."""
    assert HeaderReader().read(b"\x00\x01a\x02\xff\xfe").fields == {"a": "\ufffd\ufffd"}


def test_repeated_blocks() -> None:
    """A block that was read before is known; long ones are not kept, nor more than there is room for."""
    reader, peer = HeaderReader(), encoder()
    block = peer.encode([("grpc-status", "0")])
    assert reader.read(block) is reader.read(bytes(bytearray(block)))
    long = peer.encode([("grpc-message", "x" * 1000)])
    assert reader.read(long) is not reader.read(long)
    for number in range(1000):
        assert reader.read(peer.encode([("number", str(number))])).fields == {"number": str(number)}
    assert len(reader._known) == 256


@given(st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_continued_blocks(cuts: list[int], is_last: bool) -> None:  # noqa: FBT001 - drawn
    """A block may come in any number of parts; whether it ends the stream is told by the first."""
    block = encoder().encode([(":status", "200"), ("content-type", "application/grpc")])
    bounds = [0, *sorted(cut for cut in cuts if cut <= len(block)), len(block)]
    parts = [block[start:end] for start, end in pairwise(bounds)]
    reader = HeaderReader()
    flags = frames.END_STREAM if is_last else 0
    done = [frames.END_HEADERS if index == len(parts) - 1 else 0 for index in range(len(parts))]
    found = reader.begin(Frame(frames.HEADERS, flags | done[0], 3, parts[0]))
    for part, end in zip(parts[1:], done[1:], strict=True):
        assert found is None
        assert reader.open_stream == 3
        found = reader.go_on(Frame(frames.CONTINUATION, end, 3, part))
    assert found is not None
    assert (reader.is_last, found.fields[":status"]) == (is_last, "200")
    assert reader.open_stream == 0


def test_endless_blocks() -> None:
    """A block that grows for ever is refused."""
    reader = HeaderReader()
    reader.begin(Frame(frames.HEADERS, 0, 1, b"\x88"))
    part = Frame(frames.CONTINUATION, 0, 1, bytes(frames.DEFAULT_FRAME_SIZE))
    for _ in range(MOST_HEADER_BYTES // frames.DEFAULT_FRAME_SIZE - 1):
        assert reader.go_on(part) is None
    with pytest.raises(MalformedFrame, match=f"more than {MOST_HEADER_BYTES}"):
        reader.go_on(part)


def test_headers_that_unfold() -> None:
    """Headers that are small on the wire and large in memory are refused."""
    block = encoder().encode([("x", "y" * 1000)]) + encoder().encode([("x", "y" * 1000)]).lstrip(b"\x20") * 80
    with pytest.raises(MalformedFrame):
        HeaderReader().read(block)


def test_nothing_to_continue() -> None:
    """A continuation of nothing is malformed."""
    with pytest.raises(MalformedFrame):
        HeaderReader().go_on(Frame(frames.CONTINUATION, frames.END_HEADERS, 1, b""))


@pytest.mark.parametrize(
    ("encoded", "text"),
    [("", ""), ("plain", "plain"), ("a%20b%25", "a b%"), ("%E2%82%AC", "€"), ("%zz%4", "%zz%4"), ("%ff", "\ufffd")],
)
def test_messages(encoded: str, text: str) -> None:
    """A status' text is percent-encoded UTF-8; what is not is left as it is."""
    assert grpc_message({"grpc-message": encoded}) == text
    assert grpc_message({}) == ""


@pytest.mark.parametrize(
    ("fields", "begins_answer", "is_ok"),
    [
        ({":status": "200", "content-type": "application/grpc"}, True, False),
        ({":status": "200", "content-type": "application/grpc+proto"}, True, False),
        ({":status": "200", "content-type": "text/html"}, False, False),
        ({":status": "200"}, False, False),
        ({":status": "404", "content-type": "application/grpc"}, False, False),
        ({"grpc-status": "0"}, False, True),
        ({"grpc-status": "5"}, False, False),
        ({}, False, False),
    ],
)
def test_what_headers_say(fields: dict[str, str], begins_answer: bool, is_ok: bool) -> None:  # noqa: FBT001
    """The beginning of an answer and a good end are known as such."""
    assert (Headers.of(fields).begins_answer, Headers.of(fields).is_ok) == (begins_answer, is_ok)
