"""Sending within windows: never more than was allowed, in order, and all of it once there is room."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.flow import SendFlow
from kubewire.apiserver.etcd.http2.frames import FrameReader, MalformedFrame

SIZES = st.one_of(st.integers(0, 40), st.integers(0, 70_000))


class FlowMachine(RuleBasedStateMachine):
    """A sender and the peer it sends to, which keeps its own account of what it allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = SendFlow()
        self.reader = FrameReader(frames.LARGEST_FRAME_SIZE)
        self.allowed_on_connection = frames.DEFAULT_WINDOW
        self.initial = frames.DEFAULT_WINDOW
        self.allowed: dict[int, int] = {}
        self.written: dict[int, bytes] = {}
        self.arrived: dict[int, bytes] = {}
        self.last: set[int] = set()
        self.ended: set[int] = set()
        self.next_stream = 1

    def arrive(self, sent: bytes) -> None:
        """What the peer makes of frames."""
        for one in self.reader.feed(sent):
            assert one.type == frames.DATA
            assert len(one.payload) <= self.flow.frame_size
            assert one.stream in self.allowed, "sent on a stream that was closed"
            assert one.stream not in self.ended, "sent after the end"
            self.allowed_on_connection -= len(one.payload)
            self.allowed[one.stream] -= len(one.payload)
            assert not one.payload or min(self.allowed_on_connection, self.allowed[one.stream]) >= 0
            self.arrived[one.stream] += one.payload
            if one.flags & frames.END_STREAM:
                self.ended.add(one.stream)

    def some_bytes(self, size: int) -> bytes:
        """Bytes that are not all the same, so that a wrong order shows."""
        start = sum(map(len, self.written.values()))
        return bytes((start + index) % 251 for index in range(size))

    @rule(size=SIZES, is_last=st.booleans())
    def open(self, size: int, is_last: bool) -> None:  # noqa: FBT001 - drawn
        stream = self.next_stream
        self.next_stream += 2
        data = self.some_bytes(size)
        self.allowed[stream], self.written[stream], self.arrived[stream] = self.initial, data, b""
        if is_last:
            self.last.add(stream)
        self.arrive(self.flow.open(stream, data, is_last=is_last))

    @precondition(lambda self: set(self.allowed) - self.last)
    @rule(size=SIZES, is_last=st.booleans(), data=st.data())
    def send(self, size: int, is_last: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
        stream = data.draw(st.sampled_from(sorted(set(self.allowed) - self.last)))
        content = self.some_bytes(size)
        self.written[stream] += content
        if is_last:
            self.last.add(stream)
        self.arrive(self.flow.send(stream, content, is_last=is_last))

    @rule(increment=st.integers(1, 100_000))
    def grow_connection(self, increment: int) -> None:
        self.allowed_on_connection += increment
        self.arrive(self.flow.grow(0, increment))

    @precondition(lambda self: self.allowed)
    @rule(increment=st.integers(1, 100_000), data=st.data())
    def grow_stream(self, increment: int, data: st.DataObject) -> None:
        stream = data.draw(st.sampled_from(sorted(self.allowed)))
        self.allowed[stream] += increment
        self.arrive(self.flow.grow(stream, increment))

    @rule(window=st.integers(0, 100_000))
    def set_initial(self, window: int) -> None:
        for stream in self.allowed:
            self.allowed[stream] += window - self.initial
        self.initial = window
        self.arrive(self.flow.set_initial(window))

    @rule(size=st.sampled_from([16_384, 20_000, 1 << 20]))
    def set_frame_size(self, size: int) -> None:
        self.flow.frame_size = size

    @precondition(lambda self: self.allowed)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        stream = data.draw(st.sampled_from(sorted(self.allowed)))
        assert self.flow.close(stream) == (stream in self.ended)
        assert not self.flow.is_waiting(stream)
        for book in (self.allowed, self.written, self.arrived):
            del book[stream]
        self.last.discard(stream)
        self.ended.discard(stream)

    @invariant()
    def in_order(self) -> None:
        for stream, content in self.arrived.items():
            assert self.written[stream].startswith(content)
            assert self.flow.is_waiting(stream) == (
                content != self.written[stream] or (stream in self.last and stream not in self.ended)
            )

    @invariant()
    def nothing_waits_that_has_room(self) -> None:
        for stream, content in self.arrived.items():
            if content != self.written[stream]:
                assert min(self.allowed_on_connection, self.allowed[stream]) <= 0

    def teardown(self) -> None:
        """Room for everything: everything is sent, and the ends told."""
        self.set_initial(1 << 30)
        self.grow_connection(1 << 30)
        assert self.arrived == self.written
        assert self.ended == self.last


TestFlow = FlowMachine.TestCase
TestFlow.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def sent(content: bytes) -> list[tuple[int, int]]:
    """Stream and size of frames."""
    return [(one.stream, len(one.payload)) for one in FrameReader().feed(content)]


def test_streams_take_turns() -> None:
    """When the connection's window is what is short, no stream takes all of it."""
    flow = SendFlow()
    flow.open(1, bytes(frames.DEFAULT_WINDOW), is_last=True)
    for stream in (3, 5, 7):
        assert flow.open(stream, bytes(3000), is_last=True) == b""
    turns = [sent(flow.grow(0, 1000)) for _ in range(9)]
    assert turns == [[(stream, 1000)] for stream in (3, 5, 7) * 3]


def test_one_stream_without_room() -> None:
    """A stream whose own window is used up does not hold up the others."""
    flow = SendFlow()
    flow.set_initial(10)
    assert sent(flow.open(1, bytes(11), is_last=True)) == [(1, 10)]
    assert sent(flow.open(3, bytes(10), is_last=True)) == [(3, 10)]


def test_ends_without_content() -> None:
    """The end of a stream needs no room."""
    flow = SendFlow()
    flow.set_initial(0)
    assert flow.open(1, b"x", is_last=False) == b""
    assert flow.send(1, b"", is_last=True) == b""
    assert [(one.payload, one.flags) for one in FrameReader().feed(flow.grow(1, 1))] == [(b"x", 0), (b"", 1)]


def test_streams_that_are_over() -> None:
    """Nothing is sent on a stream that is closed or has sent its last; room for it means nothing."""
    flow = SendFlow()
    flow.open(1, b"x", is_last=False)
    flow.close(1)
    flow.open(3, b"x", is_last=True)
    for stream in (1, 3):
        assert flow.send(stream, b"y", is_last=False) == b""
        assert flow.grow(stream, frames.LARGEST_WINDOW) == b""


@given(st.integers(frames.LARGEST_WINDOW - frames.DEFAULT_WINDOW + 1, frames.LARGEST_WINDOW))
@pytest.mark.parametrize("stream", [0, 1])
def test_windows_over_the_limit(stream: int, increment: int) -> None:
    """A window over 2^31 - 1 is malformed, of the connection, of a stream, and by a new setting."""
    flow = SendFlow()
    flow.open(1, b"", is_last=False)
    with pytest.raises(MalformedFrame, match="a window of"):
        flow.grow(stream, increment)
    flow = SendFlow()
    flow.open(1, b"", is_last=False)
    flow.grow(1, increment - frames.DEFAULT_WINDOW - 1)
    with pytest.raises(MalformedFrame):
        flow.set_initial(frames.LARGEST_WINDOW)
