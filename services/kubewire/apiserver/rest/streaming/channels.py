"""The channel protocols: how several streams share one WebSocket.

Every message begins with the number of its channel: as a byte, or, in the base64 forms, as a digit before data in
base64. Version 5 adds a message that closes a channel, so that input can end while output goes on; version 4 ends the
error channel with a Status; before, it had plain words.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as MalformedBase64
from typing import Final, NamedTuple

import orjson

from kubewire.machinery.errors import StatusError

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
ERROR: Final = 3
RESIZE: Final = 4
CLOSE: Final = 255
_ZERO: Final = ord("0")


class Message(NamedTuple):
    """Data of a channel; or the end of `channel`, when `is_end`."""

    channel: int
    data: bytes
    is_end: bool = False


class ChannelProtocol(NamedTuple):
    """One of the protocols."""

    name: str
    is_base64: bool = False
    has_status: bool = True
    has_close: bool = False

    def decode(self, message: bytes) -> Message | None:
        """What a message says; None for what is none of the protocol's."""
        if not message:
            return None
        if self.is_base64:
            try:
                return Message(message[0] - _ZERO, b64decode(message[1:], validate=True))
            except (ValueError, MalformedBase64):
                return None
        if self.has_close and message[0] == CLOSE:
            return Message(message[1], b"", is_end=True) if len(message) == 2 else None
        return Message(message[0], message[1:])

    def encode(self, channel: int, data: bytes) -> bytes:
        """A message of a channel."""
        if self.is_base64:
            return b"%c%b" % (_ZERO + channel, b64encode(data))
        return b"%c%b" % (channel, data)

    def encode_error(self, error: StatusError | None) -> bytes:
        """The last message: how it ended; None is success."""
        if self.has_status:
            status = {"metadata": {}, "status": "Success"} if error is None else error.to_json()
            return self.encode(ERROR, orjson.dumps(status))
        return self.encode(ERROR, b"" if error is None else error.message.encode())


REMOTE_COMMANDS: Final = {
    protocol.name: protocol
    for protocol in (
        ChannelProtocol("v5.channel.k8s.io", has_close=True),
        ChannelProtocol("v4.channel.k8s.io"),
        ChannelProtocol("v4.base64.channel.k8s.io", is_base64=True),
        ChannelProtocol("channel.k8s.io", has_status=False),
        ChannelProtocol("base64.channel.k8s.io", is_base64=True, has_status=False),
        ChannelProtocol("", has_status=False),
    )
}
"""By name; who names none gets the first form there was."""
