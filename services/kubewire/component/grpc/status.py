"""A StatusError as gRPC sends it: canonical code, message, and `google.rpc.Status` details with a `meta.v1.Status`.

All of it travels in trailers, and trailers over 8 KiB fail a call hard, in words that say nothing about what was wrong.
So what is sent is cut to fit: causes from the end first, then the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from kubewire.machinery.wire import field, number_field

if TYPE_CHECKING:
    from kubewire.api.meta.v1.status_pb2 import Status
    from kubewire.machinery.errors import StatusError

DETAILS_KEY: Final = "grpc-status-details-bin"
DETAILS_BYTES: Final = 5000
"""Sent in base64, which makes a third more of it."""

_MESSAGE_BYTES: Final = 600
"""As sent, where whatever is not plain ASCII takes three bytes for one."""

_FULL_MESSAGE_BYTES: Final = 2000
"""Of the message within the details."""

_TYPE_URL: Final = b"type.googleapis.com/k8s.io.apimachinery.pkg.apis.meta.v1.Status"


class Sent(NamedTuple):
    """Code and message of the trailers, and the value of `DETAILS_KEY`."""

    code: int
    message: str
    details: bytes


def translate(error: StatusError) -> Sent:
    """What is sent for an error."""
    status = cast("Status", error.to_proto())
    message = _short(error.message)
    details = _details(error.grpc_code, message, status)
    if len(details) > DETAILS_BYTES:
        status.message = _cut(status.message, _FULL_MESSAGE_BYTES)
        details = _details(error.grpc_code, message, status)
    while len(details) > DETAILS_BYTES and status.details.causes:
        del status.details.causes[-1 - len(status.details.causes) // 4 :]
        details = _details(error.grpc_code, message, status)
    if len(details) > DETAILS_BYTES:
        # Names of absurd length, which no rule of ours lets through but a message quotes.
        status.ClearField("details")
        details = _details(error.grpc_code, message, status)
    return Sent(error.grpc_code, message, details)


def _details(code: int, message: str, status: Status) -> bytes:
    """`google.rpc.Status`: code, message, and a list of Any with one entry."""
    packed = field(1, _TYPE_URL) + field(2, status.SerializeToString())
    return number_field(1, code) + field(2, message.encode("utf-8", "replace")) + field(3, packed)


def _short(message: str) -> str:
    """As much of a message as fits, its size on the wire counted."""
    room = _MESSAGE_BYTES
    for place, character in enumerate(message):
        # What is not printable ASCII, and the percent sign, is percent-encoded byte by byte.
        room -= 1 if " " <= character <= "~" and character != "%" else 3 * len(character.encode("utf-8", "replace"))
        if room < 0:
            return message[:place] + "..."
    return message


def _cut(text: str, size: int) -> str:
    """At most `size` bytes of a text in UTF-8."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= size else encoded[:size].decode("utf-8", "ignore") + "..."
