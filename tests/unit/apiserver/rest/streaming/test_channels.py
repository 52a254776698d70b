"""The channel protocols of WebSockets."""

import orjson
import pytest

from kubewire.apiserver.rest.streaming.channels import (
    ERROR,
    REMOTE_COMMANDS,
    STDIN,
    STDOUT,
    ChannelProtocol,
    Message,
)
from kubewire.machinery import errors

V5, V4 = REMOTE_COMMANDS["v5.channel.k8s.io"], REMOTE_COMMANDS["v4.channel.k8s.io"]
BASE64, FIRST = REMOTE_COMMANDS["v4.base64.channel.k8s.io"], REMOTE_COMMANDS[""]


@pytest.mark.parametrize("protocol", REMOTE_COMMANDS.values(), ids=lambda protocol: protocol.name or "none")
def test_what_is_encoded_is_decoded(protocol: ChannelProtocol) -> None:
    """Every protocol reads its own messages, whatever bytes they carry."""
    for channel in range(5):
        data = bytes(range(256))
        assert protocol.decode(protocol.encode(channel, data)) == Message(channel, data)
        assert protocol.decode(protocol.encode(channel, b"")) == Message(channel, b"")


def test_messages_begin_with_their_channel() -> None:
    """A byte, or a digit before base64."""
    assert V5.encode(STDOUT, b"hi") == b"\x01hi"
    assert BASE64.encode(STDOUT, b"hi") == b"1aGk="


def test_input_can_end_by_itself_from_version_5_on() -> None:
    """A message on channel 255 closes another channel; before, it is an unknown channel."""
    assert V5.decode(b"\xff\x00") == Message(STDIN, b"", is_end=True)
    assert V4.decode(b"\xff\x00") == Message(255, b"\x00")


@pytest.mark.parametrize(("protocol", "data"), [(V5, b""), (V5, b"\xff"), (V5, b"\xff\0\0"), (BASE64, b"0%%")])
def test_nonsense_is_none(protocol: ChannelProtocol, data: bytes) -> None:
    """What is no message of the protocol is passed over."""
    assert protocol.decode(data) is None


def test_the_end_is_a_status() -> None:
    """Success and failure are told as JSON from version 4 on, as plain words before."""
    error = errors.bad_request("no such thing")
    assert V5.encode_error(None) == b'\x03{"metadata":{},"status":"Success"}'
    message = V4.decode(V4.encode_error(error))
    assert message is not None
    assert message.channel == ERROR
    assert orjson.loads(message.data) == error.to_json()
    assert FIRST.encode_error(error) == b"\x03no such thing"
    assert FIRST.encode_error(None) == b"\x03"
